//! Puts trees that were built in staging into their places: one rename each.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::sys::checkpoint::checkpoint;
use crate::sys::path::RelPath;
use crate::sys::tree;

/// Trees that wait in staging (or in a stash), and where they belong.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PlaceTrees {
    /// The trees.
    pub trees: Vec<Placing>,
}

/// One tree, both paths relative to the state directory.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Placing {
    /// Where it waits.
    pub from: RelPath,
    /// Where it belongs; nothing may be there.
    pub to: RelPath,
}

impl Step for PlaceTrees {
    type Undo = ();

    fn describe(&self) -> String {
        match self.trees.as_slice() {
            [tree] => format!("put the tree `{}` into place", tree.to),
            trees => format!("put {} trees into place", trees.len()),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        for Placing { from, to } in &self.trees {
            if cx.state.has(to)? {
                let path = cx.state.path_of(to);
                let taken = format!("`{}` exists already", path.display());
                return Err(Failure::new(Exit::Conflict, taken)
                    .hint("it belongs to no package; look at it, then move it away"));
            }
            if !cx.state.has(from)? {
                let path = cx.state.path_of(from);
                let gone = format!("the tree `{}` is gone", path.display());
                return Err(Failure::new(Exit::Failed, gone).hint("try again"));
            }
        }
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        for Placing { from, to } in &self.trees {
            if !cx.state.has(to)? {
                if let Some(parent) = to.parent() {
                    cx.state.make_dirs(&parent, 0o755)?;
                }
                checkpoint("place_trees: before a rename");
                tree::move_to(cx.state, from, cx.state, to)?;
            }
            checkpoint("place_trees: after a rename");
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        for Placing { from, to } in self.trees.iter().rev() {
            if !cx.state.has(to)? {
                tree::settle(cx.state, from)?;
                remove_empty_parents(cx, to)?;
                continue;
            }
            if cx.state.has(from)? {
                // Cut off between the copy and the end of a move across filesystems.
                tree::remove(cx.state, to)?;
            } else {
                // The staging directory may have been swept with the process that made it.
                if let Some(parent) = from.parent() {
                    cx.state.make_dirs(&parent, 0o700)?;
                }
                tree::move_to(cx.state, to, cx.state, from)?;
                tree::settle(cx.state, from)?;
            }
            checkpoint("place_trees: put back");
            remove_empty_parents(cx, to)?;
        }
        Ok(())
    }
}

/// Removes the directories that lead to `path`, down from the state's own ones, where they are
/// empty: `library/cartridge/vendor-name`, never `library`.
pub(super) fn remove_empty_parents(cx: &Cx<'_>, path: &RelPath) -> Result<(), Failure> {
    let mut next = path.parent();
    while let Some(parent) = next {
        next = parent.parent();
        if next.is_none() || !cx.state.remove_dir_if_empty(&parent)? {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> PlaceTrees {
    world.tree("staging/1/a");
    world.tree("staging/1/b");
    // As the home of a gear that is locked by its mode.
    world.state.set_mode("staging/1/b", 0o550).unwrap();
    let placing = |from: &str, to: &str| Placing {
        from: RelPath::parse(from).unwrap(),
        to: RelPath::parse(to).unwrap(),
    };
    PlaceTrees {
        trees: vec![
            placing("staging/1/a", "library/cartridge/v-a/1-000000000000"),
            placing("staging/1/b", "library/cartridge/v-b/1-000000000000"),
        ],
    }
}
