//! Writes the variables that a cartridge publishes into a gear that subscribes to them: the files of
//! `.env/<publisher>/`, all of them; or takes them away.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use std::collections::BTreeMap;

/// The longest file that is kept for going back.
const LONGEST: u64 = 1 << 20;

/// The variables of one publisher in one gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct WriteEvents {
    /// The gear that gets them.
    pub gear: Identity,
    /// The folder of the cartridge that publishes them.
    pub publisher: String,
    /// Names and values, all that there are; none take the directory away.
    pub variables: BTreeMap<String, String>,
}

/// What was in the directory before; nothing stands for no directory.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before(Option<Vec<Old>>);

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Old {
    name: String,
    bytes: Vec<u8>,
}

impl WriteEvents {
    fn folder(&self) -> String {
        format!("{}/.env/{}", self.gear.home(), self.publisher)
    }

    /// Makes the directory hold exactly `files`.
    fn put(&self, cx: &Cx<'_>, files: &[(&str, &[u8])]) -> Result<(), Failure> {
        let folder = self.folder();
        // The platform's: root's where the gear has a user of its own, readable by its group.
        let owner = self.gear.owner.map(|(_, gid)| (0, gid));
        if !cx.state.has(&folder)? {
            cx.state.make_dir(&folder, 0o750)?;
        }
        cx.state.set_mode(&folder, 0o750)?;
        let dir = cx.state.dir(&folder)?;
        if let Some((uid, gid)) = owner {
            dir.set_owner("", uid, gid)?;
        }
        for (name, bytes) in files {
            checkpoint("write_events: before a file");
            dir.replace_file(name, bytes, 0o644)?;
            if let Some((uid, gid)) = owner {
                dir.set_owner(name, uid, gid)?;
            }
        }
        for name in names(&dir)? {
            if !files.iter().any(|(wanted, _)| *wanted == name) {
                checkpoint("write_events: before a file goes");
                dir.remove_file(&name)?;
            }
        }
        Ok(())
    }

    fn remove(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let folder = self.folder();
        if !cx.state.has(&folder)? {
            return Ok(());
        }
        let dir = cx.state.dir(&folder)?;
        for name in names(&dir)? {
            checkpoint("write_events: before a file goes");
            dir.remove_file(&name)?;
        }
        Ok(cx.state.remove_dir(&folder)?)
    }
}

fn names(dir: &Dir) -> Result<Vec<String>, Failure> {
    Ok(dir.names()?.iter().map(|name| name.to_string_lossy().into_owned()).collect())
}

impl Step for WriteEvents {
    type Undo = Before;

    fn describe(&self) -> String {
        let Self { gear, publisher, variables } = self;
        match variables.len() {
            0 => format!("take what `{publisher}` published out of the gear `{}`", gear.name),
            count => format!("give {count} variables of `{publisher}` to the gear `{}`", gear.name),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let folder = self.folder();
        if !cx.state.has(&folder)? {
            return Ok(Before(None));
        }
        let dir = cx.state.dir(&folder)?;
        let mut old = Vec::new();
        for name in names(&dir)? {
            let is_file = dir.meta(&name)?.is_some_and(|meta| meta.kind == Kind::File);
            if !is_file {
                let text = format!("`{}` is no file", dir.path_of(&name).display());
                return Err(Failure::new(Exit::Conflict, text).hint("move it away"));
            }
            let bytes = dir.read(&name, LONGEST)?;
            old.push(Old { name, bytes });
        }
        Ok(Before(Some(old)))
    }

    fn apply(&self, _before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        if self.variables.is_empty() {
            self.remove(cx)?;
        } else {
            let files = self.variables.iter();
            let files: Vec<_> =
                files.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            self.put(cx, &files)?;
        }
        Ok(Said::default())
    }

    fn revert(&self, Before(old): &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(format!("{}/.env", self.gear.home()))? {
            return Ok(());
        }
        match old {
            None => self.remove(cx),
            Some(old) => {
                let files = old.iter().map(|old| (old.name.as_str(), old.bytes.as_slice()));
                self.put(cx, &files.collect::<Vec<_>>())
            }
        }
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> WriteEvents {
    let gear = world.gear();
    world.state.make_dir("gears/blog/.env/mysql", 0o750).unwrap();
    world.state.write_new("gears/blog/.env/mysql/HOST", b"old", 0o644).unwrap();
    world.state.write_new("gears/blog/.env/mysql/OLD", b"old", 0o644).unwrap();
    let variables = [("HOST", "127.0.1.1"), ("PORT", "3306")];
    let variables = variables.map(|(name, value)| (name.into(), value.into())).into();
    WriteEvents { gear, publisher: "mysql".into(), variables }
}
