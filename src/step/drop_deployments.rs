//! Takes old deployments away; they wait in the stash until the transaction is over.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::deployment::{self, FOLDER};
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree;
use std::path::{Path, PathBuf};

/// Deployments that go.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DropDeployments {
    /// The gear.
    pub gear: Identity,
    /// The names of their directories.
    pub deployments: Vec<String>,
}

/// The links in `by-id` that led to them: name and target.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Found(Vec<(String, PathBuf)>);

impl DropDeployments {
    fn links(&self, home: &Dir) -> Result<Found, Failure> {
        let mut found = Found::default();
        for name in &self.deployments {
            let id = deployment::read_metadata(home, name).id;
            let link = format!("{FOLDER}/by-id/{id}");
            if id.is_empty() || home.meta(&link)?.is_none_or(|meta| meta.kind != Kind::Link) {
                continue;
            }
            let target = home.link_target(&link)?;
            if target == Path::new(&format!("../{name}")) {
                found.0.push((link, target));
            }
        }
        Ok(found)
    }
}

impl Step for DropDeployments {
    type Undo = Found;

    fn describe(&self) -> String {
        let (names, gear) = (self.deployments.join(", "), &self.gear.name);
        format!("remove what the gear `{gear}` does not keep any more: {names}")
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Found, Failure> {
        // Nothing is put there yet.
        cx.room()?;
        self.links(&cx.state.dir(self.gear.home())?)
    }

    fn apply(&self, found: &Found, cx: &Cx<'_>) -> Result<Said, Failure> {
        let (home, stash) = (cx.state.dir(self.gear.home())?, cx.stash()?);
        for (link, _) in &found.0 {
            home.remove_file(link)?;
        }
        for name in &self.deployments {
            let path = format!("{FOLDER}/{name}");
            if home.has(&path)? {
                checkpoint("drop_deployments: before one goes");
                tree::move_to(&home, path, &stash, name)?;
            }
        }
        Ok(Said::default())
    }

    fn revert(&self, found: &Found, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let (home, stash) = (cx.state.dir(self.gear.home())?, cx.stash()?);
        for name in &self.deployments {
            let path = format!("{FOLDER}/{name}");
            if stash.has(name)? && !home.has(&path)? {
                checkpoint("drop_deployments: before one comes back");
                tree::move_to(&stash, name, &home, path)?;
            }
        }
        for (link, target) in &found.0 {
            if !home.has(link)? {
                home.make_link(link, target)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> DropDeployments {
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    let name = deployment::live_name(&home, "repo").unwrap();
    home.write_new(format!("{FOLDER}/{name}/repo/page"), b"old", 0o644).unwrap();
    DropDeployments { gear, deployments: vec![name] }
}
