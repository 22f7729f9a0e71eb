//! Lets a gear see another of its deployments, by flipping links.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::deployment::{self, Links};
use crate::gear::identity::Identity;
use crate::gear::owner::Account;

/// The deployment that a gear is to see.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ShowDeployment {
    /// The gear.
    pub gear: Identity,
    /// The name of the deployment's directory.
    pub deployment: String,
}

impl ShowDeployment {
    fn account(&self) -> Option<Account> {
        self.gear.owner.map(|(uid, gid)| Account { uid, gid })
    }
}

impl Step for ShowDeployment {
    type Undo = Links;

    fn describe(&self) -> String {
        let Self { gear, deployment } = self;
        format!("let `app-root/runtime` of the gear `{}` show {deployment}", gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Links, Failure> {
        Ok(deployment::shown(&cx.state.dir(self.gear.home())?)?)
    }

    fn apply(&self, _before: &Links, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        deployment::show(&home, &self.deployment, self.account())?;
        Ok(Said::default())
    }

    fn revert(&self, before: &Links, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        Ok(before.put(&cx.state.dir(self.gear.home())?, self.account())?)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> ShowDeployment {
    let gear = world.gear();
    ShowDeployment { gear, deployment: "2027-01-01_00-00-00.000".into() }
}
