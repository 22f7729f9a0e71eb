//! What is written down of gears that run: their level, their supervisor, their control groups.
//!
//! A file `<gear>` of a gear that is meant to run beyond this command, and a file
//! `<gear>.<process>` of what lives as long as that `cart`. What a file says of another run of the
//! host, or of processes that have gone, is void.

use super::Level;
use crate::error::FsError;
use crate::sys::fs::Dir;
use crate::sys::process::Stamp;
use crate::sys::{cgroup, host};
use std::path::{Path, PathBuf};

/// The longest record, in bytes.
const LONGEST: u64 = 1 << 16;

/// What is written down of one gear.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// The gear's identifier.
    pub gear: String,
    /// How far its processes are kept apart.
    pub level: Level,
    /// The first process of its namespaces.
    pub first: Option<Stamp>,
    /// Its control groups; some may not be there.
    pub groups: Vec<PathBuf>,
    /// The most processes, where the kernel counts them for the gear without a control group.
    pub processes: Option<u64>,
    /// The `cart` that began it.
    keeper: Option<Stamp>,
    /// The run of the host.
    boot: String,
}

impl Record {
    pub(super) fn new(gear: &str, level: Level) -> Self {
        Self {
            gear: gear.to_owned(),
            level,
            first: None,
            groups: Vec::new(),
            processes: None,
            keeper: Stamp::of(std::process::id()),
            boot: host::boot_id(),
        }
    }

    /// The name of its file while it lives only as long as this process.
    pub(super) fn passing_name(gear: &str) -> String {
        format!("{gear}.{}", std::process::id())
    }

    /// The supervisor, where it is of this run of the host and lives.
    fn supervisor(&self) -> Option<Stamp> {
        self.first.filter(|first| self.boot == host::boot_id() && first.is_alive())
    }

    /// Tells whether what it speaks of is still so.
    fn holds(&self, name: &str) -> bool {
        let of_keeper = || self.keeper.is_some_and(Stamp::is_alive);
        self.boot == host::boot_id()
            && self.first.is_none_or(Stamp::is_alive)
            && match (self.level, name.contains('.')) {
                (_, true) => of_keeper(),
                (Level::Namespaces, false) => self.first.is_some(),
                (Level::Plain, false) => true,
            }
    }

    pub(super) fn write(&self, folder: &Dir, name: &str) -> Result<(), FsError> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        // No process that it speaks of outlives a power cut.
        folder.put_file(name, &text, 0o600)
    }

    fn read(folder: &Dir, name: &str) -> Option<Self> {
        serde_json::from_slice(&folder.read(name, LONGEST).ok()?).ok()
    }

    /// The processes in its control groups.
    pub fn members(&self) -> Vec<u32> {
        // Those of namespaces are all found by descent.
        if self.level == Level::Plain { cgroup::members(&self.groups) } else { Vec::new() }
    }
}

/// What is written down of the gear, if it still holds.
pub fn of(folder: &Path, gear: &str) -> Option<Record> {
    let folder = Dir::open(folder).ok()?;
    Record::read(&folder, gear).filter(|record| record.holds(gear))
}

/// Everything that is written down of the gear and still holds, what lives only as long as one
/// `cart` included.
pub fn all(folder: &Path, gear: &str) -> Vec<Record> {
    let Ok(folder) = Dir::open(folder) else { return Vec::new() };
    let names = folder.names().unwrap_or_default();
    let names = names.iter().filter_map(|name| name.to_str());
    let of_gear = names.filter(|name| name.split('.').next() == Some(gear));
    of_gear.filter_map(|name| Record::read(&folder, name).filter(|one| one.holds(name))).collect()
}

/// The supervisors that live: first those that were to go with a `cart` that is dead, then those that
/// stay. Those of a `cart` that lives are its own.
pub(super) fn supervisors(folder: &Path) -> (Vec<Stamp>, Vec<Stamp>) {
    let (mut going, mut staying) = (Vec::new(), Vec::new());
    let Ok(folder) = Dir::open(folder) else { return (going, staying) };
    for name in folder.names().unwrap_or_default() {
        let Some(name) = name.to_str() else { continue };
        let Some(record) = Record::read(&folder, name) else { continue };
        match (record.holds(name), name.contains('.')) {
            (true, true) => {}
            (true, false) => staying.extend(record.supervisor()),
            (false, _) => going.extend(record.supervisor()),
        }
    }
    (going, staying)
}

/// Removes what is written down and holds no more, with its control groups; of one gear, or of all.
pub fn sweep(folder: &Path, gear: Option<&str>) -> Result<(), FsError> {
    let Ok(dir) = Dir::open(folder) else { return Ok(()) };
    for name in dir.names()? {
        let Some(name) = name.to_str() else { continue };
        let is_asked = gear.is_none_or(|gear| name.split('.').next() == Some(gear));
        if !is_asked || name == super::ability::FILE {
            continue;
        }
        let record = Record::read(&dir, name);
        if record.as_ref().is_some_and(|one| one.holds(name)) {
            continue;
        }
        cgroup::remove(&record.map(|one| one.groups).unwrap_or_default());
        dir.remove_file(name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_void_without_its_process_or_in_another_run_of_the_host() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let mut record = Record::new("g1", Level::Namespaces);
        record.first = Stamp::of(std::process::id());
        record.write(&dir, "g1").unwrap();
        assert_eq!(of(temp.path(), "g1"), Some(record.clone()));
        record.boot = "another".into();
        record.write(&dir, "g1").unwrap();
        assert_eq!(of(temp.path(), "g1"), None);
        record.boot = host::boot_id();
        record.first = record.first.map(|one| Stamp { began: one.began + 1, ..one });
        record.write(&dir, "g1").unwrap();
        dir.write_new("g2", b"{ damaged", 0o600).unwrap();
        assert!(all(temp.path(), "g1").is_empty());
        sweep(temp.path(), Some("g2")).unwrap();
        assert!(dir.has("g1").unwrap() && !dir.has("g2").unwrap());
        sweep(temp.path(), None).unwrap();
        assert!(dir.names().unwrap().is_empty());
    }
}
