//! Control groups, of both versions: what all processes of a gear may use together.
//!
//! A group is made below the one that `cart` itself is in, so that no limit around it is left; in
//! version 2, where a group with processes can have no limited ones below it, below the nearest
//! ancestor that can. A host that allows no groups has none: that is an answer, not an error.

use super::fs::{self, Dir};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a group is waited for whose last process is just ending.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a group may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Bounds {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
}

/// What a group uses and may use, as the kernel says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of memory in use, the page cache of its files included.
    pub memory: Option<u64>,
    /// The most of them.
    pub memory_limit: Option<u64>,
    /// How often that limit was met.
    pub met: Option<u64>,
    /// The most processes and threads.
    pub process_limit: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A hierarchy in which this process is in the group `own`.
struct Hierarchy {
    version: Version,
    controllers: Vec<String>,
    top: PathBuf,
    own: PathBuf,
}

impl Hierarchy {
    /// The folders in which a group can be made, the best first.
    fn parents(&self) -> Vec<PathBuf> {
        match self.version {
            Version::One => vec![self.own.clone()],
            Version::Two => {
                let up = self.own.ancestors().take_while(|path| path.starts_with(&self.top));
                up.map(Path::to_owned).collect()
            }
        }
    }
}

/// The hierarchies of this host that know about memory or processes.
fn hierarchies() -> Vec<Hierarchy> {
    let mounts = fs::read_text("/proc/self/mountinfo".as_ref()).unwrap_or_default();
    let groups = fs::read_text("/proc/self/cgroup".as_ref()).unwrap_or_default();
    let own = |wanted: &str| {
        groups.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (names, path) = (fields.next()?, fields.next()?);
            let is_it = if wanted.is_empty() {
                names.is_empty()
            } else {
                names.split(',').any(|name| name == wanted)
            };
            is_it.then(|| path.to_owned())
        })
    };
    mounts.lines().filter_map(|line| hierarchy(line, &own)).collect()
}

fn hierarchy(line: &str, own: &dyn Fn(&str) -> Option<String>) -> Option<Hierarchy> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, top) = (before.next()?, PathBuf::from(before.next()?));
    let mut after = after.split(' ');
    let (kind, options) = (after.next()?, after.nth(1)?);
    let (version, controllers, path) = match kind {
        "cgroup2" => {
            let all = fs::read_text(&top.join("cgroup.controllers")).ok()?;
            let all = all.split_whitespace().map(str::to_owned).collect();
            (Version::Two, all, own("")?)
        }
        "cgroup" => {
            let all: Vec<String> = options.split(',').map(str::to_owned).collect();
            let path = own(all.iter().find(|one| is_known(one))?)?;
            (Version::One, all, path)
        }
        _ => return None,
    };
    let controllers: Vec<String> = controllers.into_iter().filter(|one| is_known(one)).collect();
    // Where a part of the hierarchy is mounted, paths begin above it.
    let below = Path::new(&path).strip_prefix(root).ok()?;
    let own = if below.as_os_str().is_empty() { top.clone() } else { top.join(below) };
    (!controllers.is_empty()).then_some(Hierarchy { version, controllers, top, own })
}

fn is_known(controller: &str) -> bool {
    ["memory", "pids"].contains(&controller)
}

/// The groups that can be made here under the name `name`: their folders, best first for each
/// hierarchy. Nothing is made.
pub fn places(name: &str) -> Vec<PathBuf> {
    hierarchies().iter().flat_map(Hierarchy::parents).map(|parent| parent.join(name)).collect()
}

/// Makes the groups of that name; gives the folders of those that the host has allowed.
pub fn make(name: &str, bounds: Bounds) -> Vec<PathBuf> {
    let made = hierarchies().into_iter().filter_map(|one| make_in(&one, name, bounds));
    made.collect()
}

fn make_in(hierarchy: &Hierarchy, name: &str, bounds: Bounds) -> Option<PathBuf> {
    for parent in hierarchy.parents() {
        let Ok(dir) = Dir::open(&parent) else { continue };
        if hierarchy.version == Version::Two && !delegates(&dir, &hierarchy.controllers) {
            continue;
        }
        if dir.make_dir(name, 0o755).is_err() {
            continue;
        }
        let group = parent.join(name);
        if limit(&group, hierarchy.version, bounds) {
            return Some(group);
        }
        // It could limit nothing; an empty group goes at once.
        let _ = dir.remove_dir(name);
    }
    None
}

/// Lets groups below `dir` have the controllers, where that can be.
fn delegates(dir: &Dir, controllers: &[String]) -> bool {
    let file = "cgroup.subtree_control";
    let has = || {
        let now = dir.read(file, 4096).unwrap_or_default();
        let now = String::from_utf8_lossy(&now).into_owned();
        controllers.iter().any(|one| now.split_whitespace().any(|name| name == one))
    };
    has() || {
        let all: Vec<String> = controllers.iter().map(|one| format!("+{one}")).collect();
        write(&dir.path_of(file), &all.join(" ")) && has()
    }
}

/// Sets the limits; tells whether any could be set.
fn limit(group: &Path, version: Version, bounds: Bounds) -> bool {
    let number = |bound: Option<u64>| bound.map_or_else(|| "max".to_owned(), |n| n.to_string());
    let set = |file: &str, text: &str| write(&group.join(file), text);
    let memory = match (version, bounds.memory) {
        (Version::Two, bound) => set("memory.max", &number(bound)),
        (Version::One, None) => fs::kind_of(&group.join("memory.usage_in_bytes")).is_some(),
        (Version::One, Some(bytes)) => {
            let bytes = bytes.to_string();
            let limited = set("memory.limit_in_bytes", &bytes);
            // Memory and swap together; kernels without that account have no such file.
            let _ = set("memory.memsw.limit_in_bytes", &bytes);
            limited
        }
    };
    let processes = set("pids.max", &number(bounds.processes));
    memory || processes
}

fn write(path: &Path, text: &str) -> bool {
    use std::io::Write;
    let file = open(path);
    file.is_some_and(|mut file| file.write_all(text.as_bytes()).is_ok())
}

#[expect(clippy::disallowed_methods, reason = "files of the kernel, which are written in place")]
fn open(path: &Path) -> Option<File> {
    std::fs::OpenOptions::new().write(true).open(path).ok()
}

/// The doors of the groups: whoever writes `0` into each is in them. What cannot be opened is left
/// out.
pub fn doors(groups: &[PathBuf]) -> Vec<File> {
    groups.iter().filter_map(|group| open(&group.join("cgroup.procs"))).collect()
}

/// Takes this process through a door. One system call: fit for the time between fork and exec.
pub fn enter(door: &File) -> std::io::Result<()> {
    Ok(rustix::io::write(door, b"0").map(drop)?)
}

/// The living processes in the groups.
pub fn members(groups: &[PathBuf]) -> Vec<u32> {
    let read = |group: &PathBuf| fs::read_text(&group.join("cgroup.procs")).unwrap_or_default();
    let mut all: Vec<u32> = groups
        .iter()
        .flat_map(|one| read(one).lines().flat_map(str::parse).collect::<Vec<_>>())
        .collect();
    all.sort_unstable();
    all.dedup();
    // One of another process namespace is shown as 0.
    all.retain(|id| *id != 0);
    all
}

/// Removes the groups, whose processes have ended or are about to; tells whether none is left.
pub fn remove(groups: &[PathBuf]) -> bool {
    let until = Instant::now() + PATIENCE;
    groups.iter().all(|group| {
        let (Some(parent), Some(name)) = (group.parent(), group.file_name()) else { return true };
        let Ok(parent) = Dir::open(parent) else { return true };
        loop {
            if !parent.has(name).unwrap_or(true) || parent.remove_dir(name).is_ok() {
                return true;
            }
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    })
}

/// What the groups use.
pub fn usage(groups: &[PathBuf]) -> Usage {
    let mut usage = Usage::default();
    let number = |group: &Path, names: [&str; 2]| {
        let text = names.iter().find_map(|name| fs::read_text(&group.join(name)).ok())?;
        text.trim().parse::<u64>().ok()
    };
    // Version 1 says "no limit" with the largest number of pages.
    let bounded = |limit: Option<u64>| limit.filter(|limit| *limit < 1 << 60);
    for group in groups {
        let memory = number(group, ["memory.current", "memory.usage_in_bytes"]);
        usage.memory = usage.memory.or(memory);
        let limit = bounded(number(group, ["memory.max", "memory.limit_in_bytes"]));
        usage.memory_limit = usage.memory_limit.or(limit);
        usage.met = usage.met.or(number(group, ["memory.failcnt", "memory.failcnt"]));
        usage.met = usage.met.or_else(|| events(group));
        usage.process_limit = usage.process_limit.or(number(group, ["pids.max", "pids.max"]));
    }
    usage
}

/// How often version 2 says that the limit of memory was met.
fn events(group: &Path) -> Option<u64> {
    let text = fs::read_text(&group.join("memory.events")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("max "))?.parse().ok()
}

/// The groups that this process is in, of those whose name begins with `prefix`.
pub fn own(prefix: &str) -> Vec<PathBuf> {
    let all = hierarchies().into_iter().map(|one| one.own);
    let is_named = |group: &PathBuf| {
        group.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
    };
    all.filter(is_named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_understood_in_both_versions() {
        let own = |name: &str| Some(if name.is_empty() { "/a/b" } else { "/x/y/z" }.to_owned());
        let line =
            "36 25 0:30 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory";
        let one = hierarchy(line, &own).unwrap();
        assert_eq!(
            (one.version, one.controllers.as_slice()),
            (Version::One, &["memory".to_owned()][..])
        );
        assert_eq!(one.own, Path::new("/sys/fs/cgroup/memory/x/y/z"));
        let part = "36 25 0:30 /x/y /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids";
        assert_eq!(hierarchy(part, &own).unwrap().own, Path::new("/sys/fs/cgroup/pids/z"));
        for other in ["1 1 0:3 / /tmp rw - tmpfs tmpfs rw", "1 1 0:3 / /c rw - cgroup c rw,freezer"]
        {
            assert!(hierarchy(other, &own).is_none(), "{other}");
        }
    }

    #[test]
    fn a_group_of_version_2_is_made_as_near_as_it_can_be() {
        let top = PathBuf::from("/c");
        let own = PathBuf::from("/c/a/b");
        let two = Hierarchy { version: Version::Two, controllers: Vec::new(), top, own };
        assert_eq!(two.parents(), ["/c/a/b", "/c/a", "/c"].map(PathBuf::from));
    }
}
