//! Copies a deployment of a scaled application's first gear into another of its gears.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::deployment::FOLDER;
use crate::gear::identity::Identity;
use crate::gear::owner::{self, Account};
use crate::sys::checkpoint::checkpoint;
use crate::sys::tree::{self, Modes};
use std::path::Path;

/// A deployment that another gear gets.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CopyDeployment {
    /// The gear that has it.
    pub from: Identity,
    /// The gear that gets it.
    pub gear: Identity,
    /// The name of its directory.
    pub name: String,
}

impl CopyDeployment {
    fn place(&self) -> String {
        format!("{FOLDER}/{}", self.name)
    }
}

impl Step for CopyDeployment {
    /// Whether the gear had it already.
    type Undo = bool;

    fn describe(&self) -> String {
        let Self { from, gear, name } = self;
        format!("copy the deployment {name} of the gear `{}` to `{}`", from.name, gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<bool, Failure> {
        cx.room()?;
        Ok(cx.state.dir(self.gear.home())?.has(self.place())?)
    }

    fn apply(&self, had: &bool, cx: &Cx<'_>) -> Result<Said, Failure> {
        let (from, home) = (cx.state.dir(self.from.home())?, cx.state.dir(self.gear.home())?);
        if *had || home.has(self.place())? {
            return Ok(Said::default());
        }
        if !from.has(self.place())? {
            let text = format!("the gear `{}` has no deployment {}", self.from.name, self.name);
            return Err(Failure::new(Exit::Conflict, text));
        }
        let room = cx.room()?;
        tree::remove(&room, "home")?;
        room.make_dir("home", 0o755)?;
        let base = room.dir("home")?;
        base.make_dirs(FOLDER, 0o750)?;
        tree::copy(&from, self.place(), &base, self.place(), Modes::Kept)?;
        if let Some((uid, gid)) = self.gear.owner {
            owner::own_part(&base, Path::new(&self.place()), Account { uid, gid })?;
        }
        checkpoint("copy_deployment: before it comes into its place");
        tree::move_to(&base, self.place(), &home, self.place())?;
        checkpoint("copy_deployment: it is in its place");
        Ok(Said::default())
    }

    fn revert(&self, had: &bool, cx: &Cx<'_>) -> Result<(), Failure> {
        if *had || !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        if home.has(self.place())? {
            let room = cx.room()?;
            tree::remove(&room, "gone")?;
            checkpoint("copy_deployment: before it goes");
            tree::move_to(&home, self.place(), &room, "gone")?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> CopyDeployment {
    let from = world.gear();
    let name = "2027-01-01_00-00-00.000".to_owned();
    let head = world.state.dir("gears/blog").unwrap();
    head.make_dirs(format!("{FOLDER}/{name}/repo"), 0o755).unwrap();
    head.write_new(format!("{FOLDER}/{name}/repo/page"), b"new", 0o644).unwrap();
    let mut gear = from.clone();
    gear.name = crate::package::ident::GearName::parse("blog-1").unwrap();
    world.state.make_dirs(format!("gears/blog-1/{FOLDER}"), 0o755).unwrap();
    CopyDeployment { from, gear, name }
}
