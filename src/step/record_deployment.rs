//! Writes down what became of a deployment: that it is prepared, or that it was put to use.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::deployment::{self, FOLDER, Metadata};
use crate::gear::identity::Identity;
use crate::gear::owner::Account;
use crate::sys::checkpoint::checkpoint;
use crate::sys::clock::Moment;
use std::path::Path;

/// What is to be written down of a deployment.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RecordDeployment {
    /// The gear.
    pub gear: Identity,
    /// The name of the deployment's directory.
    pub deployment: String,
    /// What became of it.
    pub event: Event,
}

/// What became of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It is prepared: it has a checksum, and can be found by its identifier.
    Prepared,
    /// It was put to use.
    Activated(Moment),
}

/// What it said of itself before, and whether it could be found by its identifier.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    metadata: Option<Metadata>,
    linked: bool,
}

impl Step for RecordDeployment {
    type Undo = Before;

    fn describe(&self) -> String {
        let what = match self.event {
            Event::Prepared => "write down the checksum of",
            Event::Activated(_) => "write down the activation of",
        };
        format!("{what} {} in the gear `{}`", self.deployment, self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let path = format!("{FOLDER}/{}/metadata.json", self.deployment);
        let is_there = home.has(path)?;
        let metadata = deployment::read_metadata(&home, &self.deployment);
        let linked = !metadata.id.is_empty() && home.has(deployment::link_by_id(&metadata.id))?;
        Ok(Before { metadata: is_there.then_some(metadata), linked })
    }

    fn apply(&self, before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let mut metadata = before.metadata.clone().unwrap_or_default();
        match self.event {
            Event::Activated(Moment(milliseconds)) => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "milliseconds of the next 285,000 years are exact"
                )]
                let seconds = milliseconds as f64 / 1000.0;
                metadata.activations.push(seconds);
            }
            Event::Prepared => {
                metadata.checksum = Some(deployment::checksum(&home, &self.deployment)?);
            }
        }
        deployment::write_metadata(&home, &self.deployment, &metadata)?;
        checkpoint("record_deployment: before the link");
        let link = deployment::link_by_id(&metadata.id);
        if !metadata.id.is_empty() && !home.has(&link)? {
            home.make_link(&link, format!("../{}", self.deployment))?;
            let account = self.gear.owner.map(|(uid, gid)| Account { uid, gid });
            if let (Some(account), Some(pinned)) = (account, home.pin(Path::new(&link))?) {
                pinned.set_owner(account.uid, account.gid)?;
            }
        }
        Ok(Said::default())
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        if !home.has(format!("{FOLDER}/{}", self.deployment))? {
            return Ok(());
        }
        let Some(metadata) = &before.metadata else {
            let path = format!("{FOLDER}/{}/metadata.json", self.deployment);
            return Ok(home.remove_file(path)?);
        };
        if !before.linked && !metadata.id.is_empty() {
            home.remove_file(deployment::link_by_id(&metadata.id))?;
        }
        checkpoint("record_deployment: the link is gone");
        Ok(deployment::write_metadata(&home, &self.deployment, metadata)?)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RecordDeployment {
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    let deployment = deployment::live_name(&home, "repo").unwrap();
    let id = deployment::read_metadata(&home, &deployment).id;
    home.remove_file(format!("{FOLDER}/by-id/{id}")).unwrap();
    RecordDeployment { gear, deployment, event: Event::Prepared }
}
