//! Moves trees out of their places into the stash, from where they can come back.

use super::place_trees::remove_empty_parents;
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::layout::Layout;
use crate::sys::checkpoint::checkpoint;
use crate::sys::path::RelPath;
use crate::sys::tree;

/// Trees that leave: packages of the library, homes of gears.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StashTrees {
    /// Their paths, relative to the state directory.
    pub trees: Vec<RelPath>,
}

impl Step for StashTrees {
    type Undo = ();

    fn describe(&self) -> String {
        match self.trees.as_slice() {
            [tree] => format!("take `{tree}` away"),
            trees => format!("take {} trees away", trees.len()),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        cx.stash().map(drop)
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        for (index, path) in self.trees.iter().enumerate() {
            // A tree that somebody has removed by hand is gone already, which is what was asked.
            if cx.state.has(path)? {
                let stashed = Layout::stashed_tree(cx.transaction, cx.number, index);
                tree::remove(cx.state, &stashed)?;
                checkpoint("stash_trees: before a rename");
                tree::move_to(cx.state, path, cx.state, &stashed)?;
            }
            checkpoint("stash_trees: after a rename");
            remove_empty_parents(cx, path)?;
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        for (index, path) in self.trees.iter().enumerate().rev() {
            let stashed = Layout::stashed_tree(cx.transaction, cx.number, index);
            if !cx.state.has(&stashed)? {
                tree::settle(cx.state, path)?;
                continue;
            }
            if cx.state.has(path)? {
                tree::remove(cx.state, &stashed)?;
                continue;
            }
            if let Some(parent) = path.parent() {
                cx.state.make_dirs(&parent, 0o755)?;
            }
            tree::move_to(cx.state, &stashed, cx.state, path)?;
            tree::settle(cx.state, path)?;
            checkpoint("stash_trees: put back");
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> StashTrees {
    world.tree("library/cartridge/v-a/1-000000000000");
    world.tree("library/cartridge/v-a/2-000000000000");
    world.tree("gears/blog");
    // Locked by its mode, as the homes of one user's gears are.
    world.state.set_mode("gears/blog", 0o550).unwrap();
    let trees = [
        "library/cartridge/v-a/1-000000000000",
        "library/cartridge/v-a/2-000000000000",
        "gears/blog",
    ];
    StashTrees { trees: trees.map(|path| RelPath::parse(path).unwrap()).to_vec() }
}
