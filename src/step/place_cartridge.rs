//! Puts a cartridge into a gear: a copy of the package's tree, with `usr` as a link to it.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure, FsError};
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::owner::{self, Account};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree::{self, Modes};
use std::path::Path;

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

impl PlaceCartridge {
    fn cartridge(&self) -> Result<&Cartridge, Failure> {
        self.gear.cartridge(&self.dir).ok_or_else(|| {
            let text = format!("the gear `{}` has no cartridge `{}`", self.gear.name, self.dir);
            Failure::new(Exit::NotFound, text)
        })
    }

    /// Builds the instance in `into`: everything but `usr` is copied, and may be written.
    fn build(&self, cx: &Cx<'_>, into: &Dir) -> Result<(), Failure> {
        let cartridge = self.cartridge()?;
        let library = cx.state.dir("library")?;
        let package = library.dir(&cartridge.place)?;
        for name in package.names()? {
            if name != "usr" {
                tree::copy(&package, &name, into, &name, Modes::Writable)?;
            }
        }
        make_executable(into)?;
        if self.usr {
            into.make_link("usr", package.path_of("usr"))?;
        }
        into.make_dirs("env", 0o755)?;
        let short = &cartridge.short_name;
        // Directories end in a slash: real scripts and templates count on it.
        let path = format!("{}/", cx.state.path_of(self.gear.home()).join(&self.dir).display());
        for (name, value) in [("DIR", path), ("IDENT", cartridge.ident.clone())] {
            let file = format!("env/OPENSHIFT_{short}_{name}");
            into.put_file(&file, value.as_bytes(), 0o644)?;
        }
        // The gear reads what it is, whatever modes the package came with; as root it cannot
        // change it either, for then these files are not its own.
        for file in ["metadata/manifest.yml", "metadata/managed_files.yml"] {
            if into.meta(file)?.is_some_and(|meta| meta.kind == Kind::File) {
                into.set_mode(file, 0o644)?;
            }
        }
        Ok(())
    }
}

/// Lets the cartridge's programs be executed: many packages have lost the bits on their way, as
/// other platforms set them when installing (specification of the corpus, 0.6).
fn make_executable(cartridge: &Dir) -> Result<(), FsError> {
    for folder in ["bin", "hooks"] {
        if cartridge.meta(folder)?.is_none_or(|meta| meta.kind != Kind::Directory) {
            continue;
        }
        let dir = cartridge.dir(folder)?;
        for name in dir.names()? {
            let meta = dir.meta(&name)?;
            let Some(mode) = meta.filter(|it| it.kind == Kind::File).map(|it| it.mode) else {
                continue;
            };
            if mode & 0o111 == 0 {
                // Whoever may read it may run it.
                dir.set_mode(&name, mode | ((mode & 0o444) >> 2))?;
            }
        }
    }
    Ok(())
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
        // Built in a folder that stands for the home: who owns what goes by the path there.
        tree::remove(&stash, "home")?;
        stash.make_dirs(format!("home/{}", self.dir), 0o755)?;
        let base = stash.dir("home")?;
        checkpoint("place_cartridge: before the copy");
        self.build(cx, &base.dir(&self.dir)?)?;
        if let Some((uid, gid)) = self.gear.owner {
            owner::own_part(&base, Path::new(&self.dir), Account { uid, gid })?;
        }
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
