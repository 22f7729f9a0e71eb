//! Puts the data of an unpacked backup where a deployment takes kept data from.

use super::take_items::kept_folder;
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::sys::checkpoint::checkpoint;
use crate::sys::path::RelPath;
use crate::sys::tree;

/// Data of a backup.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UseBackup {
    /// What is used.
    pub data: Vec<Datum>,
}

/// A file or tree.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Datum {
    /// Where it lies, relative to the state.
    pub from: RelPath,
    /// Where it is wanted.
    pub to: Wanted,
}

/// Where data are wanted.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Among what items take, under this number.
    Kept(u32),
    /// As a dump, at this path relative to the state.
    Dump(RelPath),
}

impl Datum {
    fn goal(&self, cx: &Cx<'_>) -> String {
        match &self.to {
            Wanted::Kept(number) => format!("{}/{number}", kept_folder(cx)),
            Wanted::Dump(path) => path.to_string(),
        }
    }
}

impl Step for UseBackup {
    type Undo = ();

    fn describe(&self) -> String {
        match self.data.len() {
            1 => "take 1 file or folder from the backup".into(),
            many => format!("take {many} files and folders from the backup"),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        for datum in &self.data {
            cx.state.make_dirs(kept_folder(cx), 0o700)?;
            cx.state.meta(&datum.from)?;
        }
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        for datum in &self.data {
            let goal = datum.goal(cx);
            if cx.state.has(&datum.from)? && !cx.state.has(&goal)? {
                if let Some((folder, _)) = goal.rsplit_once('/') {
                    cx.state.make_dirs(folder, 0o700)?;
                }
                checkpoint("use_backup: before a move");
                tree::move_to(cx.state, &datum.from, cx.state, &goal)?;
            }
        }
        checkpoint("use_backup: everything is there");
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        for datum in self.data.iter().rev() {
            let goal = datum.goal(cx);
            if cx.state.has(&goal)? && !cx.state.has(&datum.from)? {
                // The staging directory may have been swept with the process that made it.
                if let Some(parent) = datum.from.parent() {
                    cx.state.make_dirs(&parent, 0o700)?;
                }
                tree::move_to(cx.state, &goal, cx.state, &datum.from)?;
            }
            if let Wanted::Dump(path) = &datum.to {
                super::place_trees::remove_empty_parents(cx, path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> UseBackup {
    world.tree("staging/x/tree");
    world.state.set_mode("staging/x/tree", 0o755).unwrap();
    world.state.write_new("staging/x/dump", b"x", 0o600).unwrap();
    world.state.make_dir("sites", 0o700).unwrap();
    let from = |path: &str| RelPath::parse(path).unwrap();
    UseBackup {
        data: vec![
            Datum { from: from("staging/x/tree"), to: Wanted::Kept(3) },
            Datum { from: from("staging/x/dump"), to: Wanted::Dump(from("sites/s1/old/4.dump")) },
        ],
    }
}
