//! Makes the directory of a new deployment, with the dependencies that the last one has gathered.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::deployment::{self, FOLDER, Metadata, PARTS};
use crate::gear::identity::Identity;
use crate::gear::owner::{self, Account};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree::{self, Modes};
use std::path::Path;

/// A new deployment.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MakeDeployment {
    /// The gear.
    pub gear: Identity,
    /// The name of its directory.
    pub name: String,
    /// The deployment whose dependencies it begins with; nothing for a clean build.
    pub from: Option<String>,
    /// What it says of itself.
    pub metadata: Metadata,
}

impl MakeDeployment {
    fn place(&self) -> String {
        format!("{FOLDER}/{}", self.name)
    }

    /// Builds it in `base`, which stands for the home. The source is not copied: it comes anew.
    fn build(&self, home: &Dir, base: &Dir) -> Result<(), Failure> {
        let place = self.place();
        base.make_dirs(FOLDER, 0o750)?;
        base.make_dir(&place, 0o750)?;
        base.set_mode(&place, 0o750)?;
        for part in PARTS {
            let (old, new) = (self.old(part), format!("{place}/{part}"));
            match &old {
                Some(old) if is_directory(home, old)? => {
                    tree::copy(home, old, base, &new, Modes::Kept)?;
                }
                _ => base.make_dir(&new, 0o750)?,
            }
        }
        deployment::write_metadata(base, &self.name, &self.metadata)?;
        if let Some((uid, gid)) = self.gear.owner {
            owner::own_part(base, Path::new(&place), Account { uid, gid })?;
        }
        Ok(())
    }

    fn old(&self, part: &str) -> Option<String> {
        let from = self.from.as_ref().filter(|_| part != "repo")?;
        Some(format!("{FOLDER}/{from}/{part}"))
    }
}

fn is_directory(home: &Dir, path: &str) -> Result<bool, Failure> {
    Ok(home.meta(path)?.is_some_and(|meta| meta.kind == Kind::Directory))
}

impl Step for MakeDeployment {
    type Undo = ();

    fn describe(&self) -> String {
        format!("make the deployment {} of the gear `{}`", self.metadata.id, self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        cx.room().map(drop)
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        if home.has(self.place())? {
            return Ok(Said::default());
        }
        let room = cx.room()?;
        tree::remove(&room, "home")?;
        room.make_dir("home", 0o755)?;
        let base = room.dir("home")?;
        self.build(&home, &base)?;
        checkpoint("make_deployment: before it comes into its place");
        tree::move_to(&base, self.place(), &home, self.place())?;
        checkpoint("make_deployment: it is in its place");
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        if home.has(self.place())? {
            let room = cx.room()?;
            tree::remove(&room, "gone")?;
            checkpoint("make_deployment: before it goes");
            tree::move_to(&home, self.place(), &room, "gone")?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> MakeDeployment {
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    let from = deployment::live_name(&home, "repo").unwrap();
    home.make_dirs(format!("{FOLDER}/{from}/dependencies/lib"), 0o755).unwrap();
    home.write_new(format!("{FOLDER}/{from}/dependencies/lib/one"), b"1", 0o644).unwrap();
    let metadata = Metadata { id: "0123abcd".into(), ..Metadata::default() };
    MakeDeployment { gear, name: "2027-01-01_00-00-00.000".into(), from: Some(from), metadata }
}
