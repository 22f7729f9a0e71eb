//! Empties a gear's own temporary folder. What was in it waits in the stash until the transaction
//! is over: a cartridge that keeps a socket or a lock there gets it back when something fails.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
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

/// What the folder was like; nothing where there was none.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    folder: Option<(u32, u32, u32)>,
}

impl EmptyTemporary {
    fn home(&self, cx: &Cx<'_>) -> Result<Dir, Failure> {
        Ok(cx.state.dir(self.gear.home())?)
    }
}

impl Step for EmptyTemporary {
    type Undo = Before;

    fn describe(&self) -> String {
        format!("empty the temporary folder of the gear `{}`", self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        cx.stash()?;
        let meta = self.home(cx)?.meta(FOLDER)?;
        Ok(Before { folder: meta.map(|meta| (meta.mode, meta.uid, meta.gid)) })
    }

    fn apply(&self, before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        let Some((mode, uid, gid)) = before.folder else { return Ok(Said::default()) };
        let home = self.home(cx)?;
        let stash = cx.stash()?;
        if !stash.has(KEPT)? {
            tree::move_to(&home, FOLDER, &stash, KEPT)?;
        }
        checkpoint("empty_temporary: between away and anew");
        home.make_dirs(FOLDER, mode)?;
        home.set_mode(FOLDER, mode)?;
        if home.meta(FOLDER)?.is_some_and(|meta| (meta.uid, meta.gid) != (uid, gid)) {
            home.set_owner(FOLDER, uid, gid)?;
        }
        Ok(Said::default())
    }

    fn revert(&self, _before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        let stash = cx.stash()?;
        if !stash.has(KEPT)? || !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = self.home(cx)?;
        tree::remove(&home, FOLDER)?;
        checkpoint("empty_temporary: between away and back");
        Ok(tree::move_to(&stash, KEPT, &home, FOLDER)?)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> EmptyTemporary {
    let gear = world.gear();
    world.script("gears/blog/.tmp/session", "left over\n");
    EmptyTemporary { gear }
}
