//! Takes a stopped cartridge out of a gear: its `teardown` runs, its folder goes. A copy of the
//! folder from before the script waits in the stash, for unwinding and for `undo`.

use super::run_script::{self, Script};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::layout::Layout;
use crate::sys::checkpoint::checkpoint;
use crate::sys::tree::{self, Modes};

/// A cartridge that leaves a gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RemoveCartridge {
    /// The gear, the cartridge still among its own.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// Whether it has a `teardown`.
    pub teardown: bool,
}

/// Whether there is a copy of the folder as it was before the script.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    copied: bool,
}

/// The name of the copy in the step's stash: that of its first tree.
const COPY: &str = "0";

impl RemoveCartridge {
    /// The folder, relative to the state directory.
    fn path(&self) -> String {
        format!("{}/{}", self.gear.home(), self.dir)
    }
}

impl Step for RemoveCartridge {
    type Undo = Kept;

    fn describe(&self) -> String {
        format!("take the cartridge `{}` out of the gear `{}`", self.dir, self.gear.name)
    }

    /// A folder without `teardown` needs no copy: it moves as it is. One that is larger than
    /// `stash_limit`, or than half of what is free, gets none either.
    fn prepare(&self, cx: &Cx<'_>) -> Result<Kept, Failure> {
        let stash = cx.stash()?;
        tree::remove(&stash, COPY)?;
        if !self.teardown || !cx.state.has(self.path())? {
            return Ok(Kept { copied: false });
        }
        let size = tree::size(cx.state, self.path())?;
        let copied = size <= cx.config.stash_limit && size <= stash.free_bytes()? / 2;
        if copied {
            tree::copy(cx.state, self.path(), &stash, COPY, Modes::Kept)?;
        }
        Ok(Kept { copied })
    }

    fn apply(&self, kept: &Kept, cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut said = Said::default();
        if !cx.state.has(self.path())? {
            return Ok(said);
        }
        let stash = cx.stash()?;
        if kept.copied && !stash.has(COPY)? {
            // It went back into the gear when the step was reverted.
            tree::copy(cx.state, self.path(), &stash, COPY, Modes::Kept)?;
        }
        if self.teardown {
            checkpoint("remove_cartridge: before the script");
            match run_script::run(cx, (&self.gear, &self.dir), Script::Teardown) {
                Ok(more) => said.merge(more),
                // The cartridge goes in any case; what its script could not clean is said.
                Err(failure) => {
                    crate::sys::interrupt::check()?;
                    said.warnings.push(failure.one_line());
                }
            }
            if !kept.copied {
                said.warnings.push(format!(
                    "`{}` is too large to be copied: what its `teardown` did cannot be undone",
                    self.dir
                ));
            }
        }
        checkpoint("remove_cartridge: before the rename");
        let to = if kept.copied { "gone" } else { COPY };
        tree::remove(&stash, to)?;
        tree::move_to(cx.state, self.path(), &stash, to)?;
        checkpoint("remove_cartridge: after the rename");
        if kept.copied {
            tree::remove(&stash, "gone")?;
        }
        Ok(said)
    }

    fn revert(&self, _kept: &Kept, cx: &Cx<'_>) -> Result<(), Failure> {
        let stashed = Layout::stashed_tree(cx.transaction, cx.number, 0);
        if !cx.state.has(&stashed)? || !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let stash = cx.stash()?;
        if cx.state.has(self.path())? {
            tree::remove(&stash, "gone")?;
            tree::move_to(cx.state, self.path(), &stash, "gone")?;
        }
        checkpoint("remove_cartridge: between away and back");
        Ok(tree::move_to(cx.state, &stashed, cx.state, self.path())?)
    }

    fn runs_scripts(&self) -> bool {
        self.teardown
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RemoveCartridge {
    let gear = world.gear();
    world.script(
        "gears/blog/mock/bin/teardown",
        "#!/bin/bash\nrm -rf \"$OPENSHIFT_MOCK_DIR\"/env\n",
    );
    let path = world.state.path_of("gears/blog/mock");
    let path = format!("{}/", path.display());
    world
        .state
        .write_new("gears/blog/mock/env/OPENSHIFT_MOCK_DIR", path.as_bytes(), 0o644)
        .unwrap();
    RemoveCartridge { gear, dir: "mock".into(), teardown: true }
}
