//! Removes the files of variables that a deployment has needed, when it is over.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::sys::path::RelPath;
use crate::sys::tree;

/// A folder of such files; it runs after the commit alone.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ForgetVariables {
    /// The folder, relative to the state.
    pub folder: RelPath,
}

impl Step for ForgetVariables {
    type Undo = ();

    fn describe(&self) -> String {
        "forget the variables".into()
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        tree::remove(cx.state, &self.folder)?;
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(_world: &super::laws::World) -> ForgetVariables {
    ForgetVariables { folder: RelPath::parse("sites/none").unwrap() }
}
