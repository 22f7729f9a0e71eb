//! Keeps a copy of a stopped gear's home, data included, before scripts change it for good: scripts
//! have no image of before, so the tree around them must have one.

use super::end_processes::EndProcesses;
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::tree::{self, Modes};

/// The home of a stopped gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StashGear {
    /// The gear.
    pub gear: Identity,
}

/// Whether there is a copy.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    copied: bool,
}

impl Step for StashGear {
    type Undo = Kept;

    fn describe(&self) -> String {
        format!("keep a copy of the gear `{}` until all is done", self.gear.name)
    }

    /// A home that is larger than `stash_limit`, or than half of what is free, is not copied.
    fn prepare(&self, cx: &Cx<'_>) -> Result<Kept, Failure> {
        let stash = cx.stash()?;
        let size = tree::size(cx.state, self.gear.home())?;
        let copied = size <= cx.config.stash_limit && size <= stash.free_bytes()? / 2;
        if copied {
            tree::remove(&stash, "home")?;
            tree::copy(cx.state, self.gear.home(), &stash, "home", Modes::Kept)?;
        }
        Ok(Kept { copied })
    }

    fn apply(&self, kept: &Kept, _cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut said = Said::default();
        if !kept.copied {
            said.warnings.push(format!(
                "the gear `{}` is too large to be copied: what its scripts do to its files cannot \
                 be undone",
                self.gear.name
            ));
        }
        Ok(said)
    }

    fn revert(&self, kept: &Kept, cx: &Cx<'_>) -> Result<(), Failure> {
        let stash = cx.stash()?;
        if !kept.copied {
            return Ok(());
        }
        if !stash.has("home")? {
            // It is back already; an earlier attempt may have been cut off as it moved.
            return Ok(tree::settle(cx.state, self.gear.home())?);
        }
        EndProcesses::now(cx.layout, &self.gear)?;
        if cx.state.has(self.gear.home())? {
            tree::remove(&stash, "gone")?;
            tree::move_to(cx.state, self.gear.home(), &stash, "gone")?;
        }
        checkpoint("stash_gear: between away and back");
        tree::move_to(&stash, "home", cx.state, self.gear.home())?;
        Ok(tree::settle(cx.state, self.gear.home())?)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> StashGear {
    StashGear { gear: world.gear() }
}
