//! What the scripts of one gear are kept within, and what they reach of the host.

use super::User;
use crate::sys::cgroup::Bounds;
use crate::sys::fs::Dir;
use crate::sys::landlock::{Access, Ruleset};
use std::io;
use std::path::{Path, PathBuf};

/// How far a gear's processes are kept apart from the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// They see the host's processes and its temporary folders.
    Plain,
    /// They see their own alone: a process and a mount namespace around the gear.
    Namespaces,
}

/// What becomes of the host's temporary folders, which everybody shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temporary {
    /// They are written to, except for one that the state lies in.
    Shared,
    /// They are not.
    Closed,
}

/// What the scripts of one gear are kept within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// The gear's identifier.
    pub gear: String,
    /// The folder in which it is written down what runs.
    pub records: PathBuf,
    /// How far a gear that does not run is kept apart when it starts.
    pub level: Level,
    /// The gear's account, where it has its own.
    pub user: Option<User>,
    /// The gear's home: written to.
    pub home: PathBuf,
    /// The gear's temporary folder, which is its `/tmp` where it has namespaces.
    pub tmp: PathBuf,
    /// Whether the host's temporary folders are written to where it has none of its own over them.
    pub temporary: Temporary,
    /// The state, which is not read beyond what is named here.
    pub state: PathBuf,
    /// Where the output of scripts goes: written to by those that it was handed to alone.
    pub log: PathBuf,
    /// The commands that are laid over `/usr/bin` where it has namespaces.
    pub shims: PathBuf,
    /// What is read beyond the host's programs and settings.
    pub readable: Vec<PathBuf>,
    /// What all its processes may use together.
    pub bounds: Bounds,
}

/// Places and what may be done there, in an order that does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Reach(Vec<(PathBuf, Access)>);

/// Folders at the top that are not the business of a gear: people's homes, and what other gears and
/// programs leave in temporary folders.
const PRIVATE: [&str; 5] = ["/home", "/root", "/tmp", "/var/tmp", "/lost+found"];
/// The devices that programs write to.
const DEVICES: [&str; 8] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
];
/// The temporary folders of the host.
pub(super) const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

impl Reach {
    /// What the gear reaches at `level`, where the host's places are as this process sees them.
    pub(super) fn of(confinement: &Confinement, level: Level) -> Self {
        let mut reach = Self::default();
        reach.read_around(Path::new("/"), &confinement.state);
        for place in &confinement.readable {
            reach.0.push((place.clone(), Access::Read));
        }
        reach.0.push(("/proc".into(), Access::Use));
        reach.0.extend(DEVICES.map(|device| (device.into(), Access::Use)));
        for place in TEMPORARY {
            // The host's own, which everybody shares, is left out where the state lies in it.
            let is_open =
                confinement.temporary == Temporary::Shared && !confinement.state.starts_with(place);
            if level == Level::Namespaces || is_open {
                reach.0.push((place.into(), Access::Write));
            }
        }
        for place in [&confinement.home, &confinement.tmp] {
            reach.0.push((place.clone(), Access::Write));
        }
        reach
    }

    /// Reads everything below `folder`, but the private folders and what leads to `hidden` alone.
    fn read_around(&mut self, folder: &Path, hidden: &Path) {
        let Ok(dir) = Dir::open(folder) else { return };
        for name in dir.names().unwrap_or_default() {
            let path = folder.join(&name);
            if path == hidden || PRIVATE.iter().any(|private| path == Path::new(private)) {
                continue;
            }
            if hidden.starts_with(&path) {
                self.read_around(&path, hidden);
            } else if path != Path::new("/proc") {
                self.0.push((path, Access::Read));
            }
        }
        // The folder itself is seen, not only what is in it.
    }

    /// The rules for the kernel; nothing where it knows none. The standard streams stay usable by
    /// their names, as scripts write to `/dev/stderr`.
    pub(super) fn rules(&self, streams: &[&dyn AsStream]) -> io::Result<Option<Ruleset>> {
        let Some(rules) = Ruleset::new()? else { return Ok(None) };
        for (path, access) in &self.0 {
            rules.allow(path, *access)?;
        }
        for stream in streams {
            stream.allow(&rules)?;
        }
        Ok(Some(rules))
    }
}

/// An open stream of a script.
pub(super) trait AsStream {
    /// Allows writing to what it leads to; a pipe or terminal needs no rule.
    fn allow(&self, rules: &Ruleset) -> io::Result<()>;
}

impl<T: std::os::fd::AsFd> AsStream for T {
    fn allow(&self, rules: &Ruleset) -> io::Result<()> {
        let kind = rustix::fs::fstat(self)?.st_mode;
        match rustix::fs::FileType::from_raw_mode(kind) {
            rustix::fs::FileType::RegularFile => rules.allow_open(self, Access::Use),
            _ => Ok(()),
        }
    }
}

impl Confinement {
    /// The most processes that the kernel can count for the gear without a control group: those of
    /// its own account, or of its own user namespace.
    pub(super) fn process_limit(&self, level: Level) -> Option<u64> {
        let counted = self.user.is_some() || level == Level::Namespaces;
        self.bounds.processes.filter(|_| counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_but_for_homes_temporary_folders_and_the_state() {
        let mut reach = Reach::default();
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        for folder in ["var/lib/ours/gears", "var/lib/other", "usr"] {
            dir.make_dirs(folder, 0o755).unwrap();
        }
        reach.read_around(temp.path(), &temp.path().join("var/lib/ours"));
        let mut found: Vec<_> =
            reach.0.iter().map(|(path, _)| path.strip_prefix(temp.path()).unwrap()).collect();
        found.sort();
        assert_eq!(found, [Path::new("usr"), Path::new("var/lib/other")]);
        let mut reach = Reach::default();
        reach.read_around(Path::new("/"), Path::new("/var/lib/cartwright"));
        let has = |path: &str| reach.0.iter().any(|(one, _)| one == Path::new(path));
        assert!(has("/usr") && has("/etc"));
        assert!(!has("/root") && !has("/home") && !has("/tmp") && !has("/var") && !has("/var/tmp"));
    }
}
