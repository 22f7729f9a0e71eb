//! Puts a cartridge into a gear: a copy of the package's tree, with `usr` as a link to it.

use super::instance::Instance;
use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::tree;

/// A cartridge that comes into a gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PlaceCartridge {
    /// The gear.
    pub gear: Identity,
    /// Its folder in the gear.
    pub dir: String,
    /// Whether the package has a `usr`.
    pub usr: bool,
}

/// The mode that the home had, where its owner's write bit locks it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct HomeMode(Option<u32>);

impl Step for PlaceCartridge {
    type Undo = HomeMode;

    fn describe(&self) -> String {
        format!("put the cartridge `{}` into the gear `{}`", self.dir, self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<HomeMode, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        if home.has(&self.dir)? {
            let path = home.path_of(&self.dir);
            let text = format!("`{}` exists already", path.display());
            return Err(Failure::new(Exit::Conflict, text));
        }
        let locks_by_mode = self.gear.owner.is_none();
        let mode = if locks_by_mode { home.meta("")?.map(|meta| meta.mode) } else { None };
        cx.room()?;
        Ok(HomeMode(mode))
    }

    /// Leaves the home unlocked: what follows needs it so, and locks it at its end.
    fn apply(&self, HomeMode(mode): &HomeMode, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        if home.has(&self.dir)? {
            return Ok(Said::default());
        }
        let stash = cx.stash()?;
        checkpoint("place_cartridge: before the copy");
        let instance = Instance { gear: &self.gear, dir: &self.dir, usr: self.usr };
        let (base, _) = instance.build_in(cx, &stash, None)?;
        checkpoint("place_cartridge: before the rename");
        if let Some(mode) = mode {
            home.set_mode("", mode | 0o200)?;
        }
        tree::move_to(&base, &self.dir, &home, &self.dir)?;
        Ok(Said::default())
    }

    fn revert(&self, HomeMode(mode): &HomeMode, cx: &Cx<'_>) -> Result<(), Failure> {
        if cx.state.has(self.gear.home())? {
            let home = cx.state.dir(self.gear.home())?;
            if home.has(&self.dir)? {
                let stash = cx.stash()?;
                tree::remove(&stash, "gone")?;
                tree::move_to(&home, &self.dir, &stash, "gone")?;
            }
            checkpoint("place_cartridge: before the home is locked again");
            if let Some(mode) = mode {
                home.set_mode("", *mode)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> PlaceCartridge {
    let gear = world.gear();
    tree::remove(&world.state, format!("{}/mock", gear.home())).unwrap();
    world.state.set_mode(gear.home(), 0o550).unwrap();
    PlaceCartridge { gear, dir: "mock".into(), usr: true }
}
