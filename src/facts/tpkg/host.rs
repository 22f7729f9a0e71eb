//! What the host is like: its system, where it starts programs from, and its crontabs.

use crate::error::Failure;
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::host;
use crate::sys::path::RelPath;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The longest crontab that is read.
const LONGEST: u64 = 4 << 20;
/// Where hosts keep the links by which init scripts are started (Debian; Red Hat).
const RUN_LEVELS: [&str; 2] = ["etc", "etc/rc.d"];
/// Where cron looks for crontabs of the system.
const CRON_D: &str = "etc/cron.d";
/// Where administrators put units of systemd.
pub(crate) const UNITS: &str = "etc/systemd/system";
/// Where cron keeps those of users.
const SPOOLS: [&str; 2] = ["var/spool/cron/crontabs", "var/spool/cron"];

/// What planning needs to know of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TpkgHost {
    /// The operating system as packages name it, `Debian-12`.
    pub system: String,
    /// The hardware, `x86_64`.
    pub hardware: String,
    /// The folders of run levels that there are: level, path, and the names in it.
    pub levels: BTreeMap<char, (RelPath, BTreeSet<String>)>,
    /// Whether it has a folder for units of systemd, or nothing else to start programs with.
    pub systemd: bool,
    /// The names in `/etc/cron.d`.
    pub cron_d: BTreeSet<String>,
    /// The folder of users' crontabs.
    pub spool: String,
    /// The crontabs of the users that packages speak of, where they have one.
    pub crontabs: BTreeMap<String, String>,
    /// Who installs.
    pub user: String,
    /// The folders of these in which only root may make anything.
    pub closed: BTreeSet<String>,
}

impl TpkgHost {
    /// Why nothing can be made in `folder` by who installs, where that is so.
    pub fn closes(&self, folder: &str) -> Option<String> {
        self.closed.contains(folder).then(|| format!("only root may write to `/{folder}`"))
    }
}

/// Looks at the host below `root`. `crontabs` names the users whose crontabs are wanted.
pub fn tpkg_host(root: &Dir, crontabs: &BTreeSet<String>) -> Result<TpkgHost, Failure> {
    let mut found = TpkgHost {
        system: system(root),
        hardware: host::machine(),
        systemd: is_folder(root, UNITS)? || is_folder(root, "run/systemd/system")?,
        cron_d: names(root, CRON_D)?,
        spool: spool(root)?,
        user: user(root),
        ..TpkgHost::default()
    };
    for above in RUN_LEVELS {
        for level in "0123456S".chars() {
            let path = format!("{above}/rc{level}.d");
            if let (true, Ok(folder)) = (is_folder(root, &path)?, RelPath::parse(&path)) {
                let names = names(root, &path)?;
                found.levels.entry(level).or_insert((folder, names));
            }
        }
    }
    found.closed = closed(root, &found)?;
    let whose = crontabs.iter().map(|user| if user == "ANY" { &found.user } else { user });
    for user in whose.cloned().collect::<BTreeSet<_>>() {
        let fine = !user.contains(|c: char| c == '/' || c.is_control()) && !user.starts_with('.');
        if !fine {
            continue;
        }
        let path = format!("{}/{user}", found.spool);
        match root.read(&path, LONGEST) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                found.crontabs.insert(user, text);
            }
            Err(error) if error.is_not_found() => {}
            Err(_) if found.closed.contains(&found.spool) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// The folders in which whoever is not root cannot make anything. For root, what refuses is a
/// failure and no matter of course.
fn closed(root: &Dir, found: &TpkgHost) -> Result<BTreeSet<String>, Failure> {
    if host::is_root() {
        return Ok(BTreeSet::new());
    }
    let levels = found.levels.values().map(|(folder, _)| folder.as_str());
    let mut closed = BTreeSet::new();
    for folder in levels.chain([CRON_D, UNITS, &found.spool]) {
        if !root.may_change(folder)? {
            closed.insert(folder.to_owned());
        }
    }
    Ok(closed)
}

fn is_folder(root: &Dir, path: &str) -> Result<bool, Failure> {
    Ok(root.meta(path)?.is_some_and(|meta| meta.kind == Kind::Directory))
}

fn names(root: &Dir, path: &str) -> Result<BTreeSet<String>, Failure> {
    if !is_folder(root, path)? {
        return Ok(BTreeSet::new());
    }
    let names = root.dir(path)?.names()?.into_iter();
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

fn spool(root: &Dir) -> Result<String, Failure> {
    for path in SPOOLS {
        if is_folder(root, path)? {
            return Ok(path.to_owned());
        }
    }
    Ok(SPOOLS[0].to_owned())
}

/// The name of the user who runs `cart`.
fn user(root: &Dir) -> String {
    let id = host::user_id().to_string();
    let text = root.read("etc/passwd", LONGEST).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| if id == "0" { "root".into() } else { id })
}

/// The name of the system with the first part of its version, as Facter puts it together.
fn system(root: &Dir) -> String {
    let own = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|path| root.read(path, LONGEST).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = own.or_else(|| fs::read_text(Path::new("/etc/os-release")).ok()).unwrap_or_default();
    system_of(&text)
}

fn system_of(text: &str) -> String {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let (id, version) = (field("ID"), field("VERSION_ID"));
    let name = match id.as_str() {
        "debian" => "Debian".to_owned(),
        "ubuntu" => "Ubuntu".to_owned(),
        "rhel" => "RedHat".to_owned(),
        "centos" => "CentOS".to_owned(),
        "fedora" => "Fedora".to_owned(),
        "rocky" => "Rocky".to_owned(),
        "almalinux" => "AlmaLinux".to_owned(),
        "" => "Linux".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    };
    // Ubuntu's releases are years and months: 22.04, as in Facter.
    let major = match (id.as_str(), version.split_once('.')) {
        ("ubuntu", _) | (_, None) => version.as_str(),
        (_, Some((major, _))) => major,
    };
    if major.is_empty() { name } else { format!("{name}-{major}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_named_as_packages_name_it() {
        assert_eq!(system_of("NAME=x\nID=debian\nVERSION_ID=\"12\"\n"), "Debian-12");
        assert_eq!(system_of("ID=\"rhel\"\nVERSION_ID=\"9.4\"\n"), "RedHat-9");
        assert_eq!(system_of("ID=ubuntu\nVERSION_ID=\"22.04\"\n"), "Ubuntu-22.04");
        assert_eq!(system_of("ID=arch\n"), "Arch");
    }

    #[test]
    fn run_levels_are_found_where_they_are() {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open(temp.path()).unwrap();
        root.make_dirs("etc/rc.d/rc3.d", 0o755).unwrap();
        root.write_new("etc/rc.d/rc3.d/S99x", b"", 0o644).unwrap();
        let host = tpkg_host(&root, &BTreeSet::new()).unwrap();
        let (path, names) = host.levels.get(&'3').unwrap();
        assert_eq!(path.as_str(), "etc/rc.d/rc3.d");
        assert!(names.contains("S99x") && host.levels.len() == 1);
    }
}
