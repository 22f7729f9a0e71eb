//! Empties a gear's own temporary folder. What was in it waits in the stash until the transaction
//! is over: a cartridge that keeps a socket or a lock there gets it back when something fails.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree;

/// The folder's name in a gear's home.
const FOLDER: &str = ".tmp";
/// Its name in the stash.
const KEPT: &str = "tmp";

/// The temporary folder of a gear whose processes do not run.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EmptyTemporary {
    /// The gear.
    pub gear: Identity,
}

impl EmptyTemporary {
    /// The folder; nothing where there is none. Its contents move and it stays itself: the home
    /// around it may be locked.
    fn folder(&self, cx: &Cx<'_>) -> Result<Option<Dir>, Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(None);
        }
        let home = cx.state.dir(self.gear.home())?;
        match home.meta(FOLDER)? {
            Some(meta) if meta.kind == Kind::Directory => Ok(Some(home.dir(FOLDER)?)),
            _ => Ok(None),
        }
    }
}

impl Step for EmptyTemporary {
    type Undo = ();

    fn describe(&self) -> String {
        format!("empty the temporary folder of the gear `{}`", self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        cx.room().map(drop)
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let Some(folder) = self.folder(cx)? else { return Ok(Said::default()) };
        let stash = cx.stash()?;
        stash.make_dirs(KEPT, 0o700)?;
        let kept = stash.dir(KEPT)?;
        for name in folder.names()? {
            checkpoint("empty_temporary: before something goes");
            // What is kept is whole; beside it there can only be the rest of an earlier attempt.
            if kept.has(&name)? {
                tree::remove(&folder, &name)?;
            } else {
                tree::move_to(&folder, &name, &kept, &name)?;
            }
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        let (stash, folder) = (cx.stash()?, self.folder(cx)?);
        let (Some(folder), true) = (folder, stash.has(KEPT)?) else { return Ok(()) };
        let kept = stash.dir(KEPT)?;
        for name in kept.names()? {
            checkpoint("empty_temporary: before something comes back");
            tree::remove(&folder, &name)?;
            tree::move_to(&kept, &name, &folder, &name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> EmptyTemporary {
    let gear = world.gear();
    world.script("gears/blog/.tmp/session", "left over\n");
    world.tree("gears/blog/.tmp/tree");
    world.state.set_mode("gears/blog", 0o550).unwrap();
    EmptyTemporary { gear }
}
