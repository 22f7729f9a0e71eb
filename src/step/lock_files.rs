//! Unlocks a cartridge's locked files and the gear's home for a script, and locks them afterwards.
//!
//! As root, locked means that root owns it and the gear's group may read it: owners change, never
//! modes, as in the original. Where everything belongs to one user, an entry is locked by taking
//! its write bits, and the home stays open (a directory without them could not even be moved away).

use super::{Cx, Said, Step};
use crate::error::{Failure, FsError};
use crate::gear::globs;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::path::RelPath;

/// Bits that let somebody write.
const WRITE: u32 = 0o222;
/// The owner's.
const OWNERS_WRITE: u32 = 0o200;

/// Which way the key turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// The gear may write; what is named and missing is made.
    Unlock,
    /// It may not; the list is looked at anew.
    Lock,
}

/// The `locked_files` of one cartridge in a gear, and the gear's home.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LockFiles {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// The patterns of its `locked_files`.
    pub patterns: Vec<String>,
    /// Which way.
    pub turn: Turn,
}

/// What was there before.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Before {
    home: Option<Owned>,
    entries: Vec<Entry>,
    /// Directories that lead to missing entries, and were missing themselves, from the top.
    parents: Vec<String>,
    warnings: Vec<String>,
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Owned {
    uid: u32,
    gid: u32,
    mode: u32,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Entry {
    path: String,
    is_directory: bool,
    /// Nothing for an entry that is made.
    was: Option<Owned>,
}

impl From<&Meta> for Owned {
    fn from(meta: &Meta) -> Self {
        Self { uid: meta.uid, gid: meta.gid, mode: meta.mode }
    }
}

impl LockFiles {
    fn look(&self, home: &Dir) -> Result<Before, Failure> {
        let named = globs::expand(home, &self.dir, &self.patterns);
        let mut before = Before { warnings: named.notes, ..Before::default() };
        before.home = home.meta("")?.as_ref().map(Owned::from);
        for path in globs::lockable(&named.paths, &self.dir) {
            let is_directory = path.ends_with('/');
            let path = path.trim_end_matches('/').to_owned();
            match home.meta(&path)? {
                None if self.turn == Turn::Lock => {}
                None => {
                    before.add_parents(home, &path)?;
                    before.entries.push(Entry { path, is_directory, was: None });
                }
                Some(meta) => {
                    if let Some(why) = obstacle(&meta, is_directory) {
                        before.warnings.push(format!("locked file `{path}` {why}"));
                        continue;
                    }
                    let was = Some(Owned::from(&meta));
                    before.entries.push(Entry { path, is_directory, was });
                }
            }
        }
        Ok(before)
    }

    fn turn(&self, home: &Dir, path: &str, now: Owned) -> Result<(), FsError> {
        match (self.gear.owner, self.turn) {
            (Some((uid, gid)), Turn::Unlock) => home.set_owner(path, uid, gid),
            (Some((_, gid)), Turn::Lock) => home.set_owner(path, 0, gid),
            (None, Turn::Unlock) => home.set_mode(path, now.mode | OWNERS_WRITE),
            (None, Turn::Lock) => home.set_mode(path, now.mode & !WRITE),
        }
    }

    /// Makes what is missing; it belongs to the gear like everything that its scripts make.
    fn make(&self, home: &Dir, path: &str, is_directory: bool) -> Result<(), FsError> {
        if home.has(path)? {
            return Ok(());
        }
        if is_directory {
            home.make_dir(path, 0o755)?;
        } else {
            home.write_new(path, b"", 0o644)?;
        }
        match self.gear.owner {
            Some((uid, gid)) => home.set_owner(path, uid, gid),
            None => Ok(()),
        }
    }
}

impl Before {
    fn add_parents(&mut self, home: &Dir, path: &str) -> Result<(), FsError> {
        let mut missing = Vec::new();
        let mut next = RelPath::parse(path).ok().and_then(|path| path.parent());
        while let Some(parent) = next {
            if home.has(&parent)? || self.parents.iter().any(|one| one == parent.as_str()) {
                break;
            }
            next = parent.parent();
            missing.push(parent.to_string());
        }
        self.parents.extend(missing.into_iter().rev());
        Ok(())
    }
}

/// Why an entry is left as it is. A file is never turned into a directory or back; a link is not
/// what it points at; and a file with a second name may be somebody else's.
fn obstacle(meta: &Meta, is_directory: bool) -> Option<&'static str> {
    match meta.kind {
        Kind::Directory => None,
        Kind::File if is_directory => {
            Some("is a file where a directory is meant; it is left as it is")
        }
        Kind::File if meta.links > 1 => Some("has a second name; it is left as it is"),
        Kind::File => None,
        _ => Some("is no plain file or directory; it is left as it is"),
    }
}

impl Step for LockFiles {
    type Undo = Before;

    fn describe(&self) -> String {
        let verb = if self.turn == Turn::Lock { "lock" } else { "unlock" };
        format!("{verb} the files of `{}`", self.dir)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        self.look(&cx.state.dir(self.gear.home())?)
    }

    fn apply(&self, before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        for parent in &before.parents {
            self.make(&home, parent, true)?;
        }
        for Entry { path, is_directory, was } in &before.entries {
            checkpoint("lock_files: before an entry");
            match was {
                Some(was) => self.turn(&home, path, *was)?,
                None => self.make(&home, path, *is_directory)?,
            }
        }
        checkpoint("lock_files: before the home");
        if let (Some(home_was), Some(_)) = (before.home, self.gear.owner) {
            self.turn(&home, "", home_was)?;
        }
        Ok(Said { warnings: before.warnings.clone(), ..Said::default() })
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        // The gear must not write any more before what it owns is looked at.
        if let (Some(was), Some(_)) = (before.home, self.gear.owner) {
            home.set_owner("", was.uid, was.gid)?;
        }
        for Entry { path, is_directory, was } in before.entries.iter().rev() {
            checkpoint("lock_files: before an entry is put back");
            let Some(meta) = home.meta(path)? else { continue };
            match was {
                Some(_) if obstacle(&meta, *is_directory).is_some() => {}
                Some(was) if self.gear.owner.is_some() => home.set_owner(path, was.uid, was.gid)?,
                Some(was) => home.set_mode(path, was.mode)?,
                None if *is_directory => drop(home.remove_dir_if_empty(path)?),
                None if meta.kind == Kind::Directory => {}
                None => home.remove_file(path)?,
            }
        }
        for parent in before.parents.iter().rev() {
            home.remove_dir_if_empty(parent)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> LockFiles {
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    home.write_new("mock/kept", b"", 0o600).unwrap();
    home.write_new("mock/file", b"", 0o644).unwrap();
    home.make_link("mock/link", "file").unwrap();
    let patterns = ["kept", "conf/deep/new", "run/", "file/", "link", "~/.mockrc", "~/visible"];
    let patterns = patterns.map(str::to_owned).to_vec();
    LockFiles { gear, dir: "mock".into(), patterns, turn: Turn::Unlock }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::laws::World;

    #[test]
    fn what_is_named_is_made_and_locked_and_nothing_else() {
        let world = World::new();
        let unlock = sample(&world);
        let home = world.state.dir("gears/blog").unwrap();
        let turn = |step: &LockFiles| {
            let cx = world.cx(1);
            let before = step.prepare(&cx).unwrap();
            (step.apply(&before, &cx).unwrap(), before)
        };
        let (said, _) = turn(&unlock);
        assert_eq!(said.warnings.len(), 2, "{:?}", said.warnings);
        assert_eq!(home.read("mock/conf/deep/new", 9).unwrap(), b"");
        assert_eq!(home.meta("mock/run").unwrap().unwrap().kind, Kind::Directory);
        assert!(home.has(".mockrc").unwrap() && !home.has("visible").unwrap());
        let lock = LockFiles { turn: Turn::Lock, ..unlock };
        let (_, before) = turn(&lock);
        let mode = |path: &str| home.meta(path).unwrap().unwrap().mode;
        assert_eq!((mode("mock/kept"), mode("mock/run"), mode(".mockrc")), (0o400, 0o555, 0o444));
        assert_eq!(mode("mock/file"), 0o644, "a file is no directory");
        lock.revert(&before, &world.cx(1)).unwrap();
        assert_eq!((mode("mock/kept"), mode("mock/run")), (0o600, 0o755));
    }
}
