//! Takes platform variables out of a gear.

use super::files::{self, Before, NewFile};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;

/// Variables that a gear shall not have any more.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DropVariables {
    /// The gear.
    pub gear: Identity,
    /// Their names.
    pub names: Vec<String>,
}

impl DropVariables {
    fn files(&self) -> Vec<NewFile> {
        let file = |name: &String| NewFile {
            path: format!("{}/.env/{name}", self.gear.home()),
            bytes: Vec::new(),
            mode: 0o644,
            owner: None,
        };
        self.names.iter().map(file).collect()
    }
}

impl Step for DropVariables {
    type Undo = Vec<Before>;

    fn describe(&self) -> String {
        format!("take {} out of the gear `{}`", self.names.join(", "), self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Vec<Before>, Failure> {
        files::look(cx, &self.files())
    }

    fn apply(&self, _before: &Vec<Before>, cx: &Cx<'_>) -> Result<Said, Failure> {
        for file in self.files() {
            checkpoint("drop_variables: before a variable goes");
            cx.state.remove_file(&file.path)?;
        }
        Ok(Said::default())
    }

    fn revert(&self, before: &Vec<Before>, cx: &Cx<'_>) -> Result<(), Failure> {
        files::put_back(cx, &self.files(), before)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> DropVariables {
    let gear = world.gear();
    world.state.write_new("gears/blog/.env/OPENSHIFT_MOCK_OUT", b"35531", 0o640).unwrap();
    DropVariables { gear, names: vec!["OPENSHIFT_MOCK_OUT".into()] }
}
