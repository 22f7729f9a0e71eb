//! Lays another release of a cartridge over the one in a gear, file by file: each new file appears
//! whole, in one rename, and the old one waits in the stash. Nothing else of the folder is touched,
//! so that daemons keep their directories, logs and data.
//!
//! What neither the package nor its scripts wrote last is the user's and stays; the new file comes
//! to lie beside it. The cartridge's code is no place for that: there the new one wins.

mod survey;

use super::instance::{HOME, Instance};
use super::times::Times;
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::globs;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::clock::Moment;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use crate::sys::tree::{self, Modes};
use std::collections::BTreeSet;
use survey::{Survey, Taste};

/// A cartridge of a gear that gets another release.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OverlayCartridge {
    /// The gear, as it will be: its cartridge names the release that comes.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// The release that goes: its directory below the library.
    pub leaving: RelPath,
    /// Where the files come from.
    pub source: Source,
    /// When the cartridge was set up last; what was changed later is the user's.
    pub configured: Moment,
}

/// Where the files of a release come from.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The package in the library.
    Package {
        /// Whether it has a `usr`.
        usr: bool,
        /// Patterns of files that are left out: a compatible upgrade keeps what was rendered.
        without: Vec<String>,
    },
    /// The folder as an upgrade has kept it, relative to the state directory; of it only what
    /// belongs to either release, never data.
    Kept(RelPath),
}

/// What is to be done, in order; paths below the gear's home.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    /// A file or link comes where none was.
    Create(String),
    /// A file or link takes the place of another.
    Replace(String),
    /// A file or link goes.
    Remove(String),
    /// A folder comes.
    MakeFolder(String),
    /// A folder goes, where nothing is left in it; its mode, owner and group.
    DropFolder(String, u32, u32, u32),
    /// The new file comes to lie beside the one that the user has changed.
    Beside(String),
}

/// What is to be done, and what putting it back needs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Acts {
    all: Vec<Act>,
    notes: Vec<String>,
    times: Times,
}

/// What the new file is called that lies beside a changed one.
fn beside(path: &str) -> String {
    format!("{path}.cart-new")
}

impl OverlayCartridge {
    /// Builds the release as the gear would get it, in the step's stash; gives the folder that
    /// stands for the home, and the files that are in the gear already and so not in there.
    fn stage(&self, cx: &Cx<'_>, stash: &Dir) -> Result<(Dir, BTreeSet<String>), Failure> {
        let (usr, without) = match &self.source {
            Source::Package { usr, without } => (*usr, without),
            Source::Kept(kept) => {
                let releases = self.releases(cx)?;
                let base = survey::stage_kept(&cx.state.dir(kept)?, stash, &self.dir, &releases)?;
                return Ok((base, BTreeSet::new()));
            }
        };
        let instance = Instance { gear: &self.gear, dir: &self.dir, usr };
        let there = cx.state.dir(self.gear.home())?.dir(&self.dir)?;
        let (base, same) = instance.build_in(cx, stash, Some(&there))?;
        let same = same.into_iter().map(|path| format!("{}/{path}", self.dir)).collect();
        for path in globs::expand(&base, &self.dir, without).paths {
            if base.meta(&path)?.is_some_and(|meta| meta.kind == Kind::File) {
                base.remove_file(&path)?;
            }
        }
        Ok((base, same))
    }

    /// The trees of the release that comes and of the one that goes.
    fn releases(&self, cx: &Cx<'_>) -> Result<[Dir; 2], Failure> {
        let library = cx.state.dir("library")?;
        let comes =
            self.gear.cartridge(&self.dir).map(|one| library.dir(&one.place)).transpose()?;
        let goes = library.dir(&self.leaving)?;
        Ok([comes.map_or_else(|| goes.again(), Ok)?, goes])
    }
}

impl Act {
    /// Does it; `kept` is the name of the old thing in the stash.
    fn make(&self, kept: &str, (base, home, old): (&Dir, &Dir, &Dir)) -> Result<(), Failure> {
        match self {
            Self::Create(path) => {
                if base.has(path)? && !home.has(path)? {
                    tree::move_to(base, path, home, path)?;
                }
            }
            Self::Replace(path) => {
                if !old.has(kept)? {
                    keep(home, path, old, kept)?;
                    checkpoint("overlay_cartridge: the old file has a second name");
                }
                if base.has(path)? {
                    tree::replace(base, path, home, path)?;
                }
            }
            Self::Remove(path) => {
                if home.has(path)? && !old.has(kept)? {
                    tree::move_to(home, path, old, kept)?;
                }
            }
            Self::MakeFolder(path) => {
                if let (Some(meta), false) = (base.meta(path)?, home.has(path)?) {
                    home.make_dir(path, 0o700)?;
                    if crate::sys::host::is_root() {
                        home.set_owner(path, meta.uid, meta.gid)?;
                    }
                    home.set_mode(path, meta.mode)?;
                }
            }
            Self::DropFolder(path, ..) => {
                home.remove_dir_if_empty(path)?;
            }
            Self::Beside(path) => {
                if base.has(path)? {
                    tree::replace(base, path, home, beside(path))?;
                }
            }
        }
        Ok(())
    }

    /// Takes it back, whether it was done or not.
    fn take_back(&self, kept: &str, (base, home, old): (&Dir, &Dir, &Dir)) -> Result<(), Failure> {
        match self {
            // What is not in the base any more is what lies in the gear.
            Self::Create(path) | Self::MakeFolder(path) => {
                let ours = matches!(self, Self::MakeFolder(_)) || !base.has(path)?;
                if ours && home.has(path)? {
                    tree::remove(home, path)?;
                }
            }
            Self::Replace(path) | Self::Remove(path) => {
                if old.has(kept)? {
                    tree::replace(old, kept, home, path)?;
                }
            }
            Self::DropFolder(path, mode, uid, gid) => {
                if !home.has(path)? {
                    home.make_dir(path, 0o700)?;
                    if crate::sys::host::is_root() {
                        home.set_owner(path, *uid, *gid)?;
                    }
                    home.set_mode(path, *mode)?;
                }
            }
            Self::Beside(path) => {
                if !base.has(path)? {
                    tree::remove(home, beside(path))?;
                }
            }
        }
        Ok(())
    }
}

/// Gives the file or link `path` of a gear a second name in the stash, or a copy where that lies on
/// another filesystem.
fn keep(home: &Dir, path: &str, old: &Dir, name: &str) -> Result<(), Failure> {
    match home.make_hard_link(path, old, name) {
        Ok(()) => Ok(()),
        Err(_) => Ok(tree::copy(home, path, old, name, Modes::Kept)?),
    }
}

impl Step for OverlayCartridge {
    type Undo = Acts;

    fn describe(&self) -> String {
        let version = self.gear.cartridge(&self.dir).map(|one| one.ident.clone());
        let version = version.unwrap_or_default();
        match &self.source {
            Source::Package { .. } => format!("lay `{version}` over `{}`", self.dir),
            Source::Kept(_) => format!("bring the files of `{version}` back"),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Acts, Failure> {
        let stash = cx.stash()?;
        let (base, same) = self.stage(cx, &stash)?;
        tree::remove(&stash, "old")?;
        stash.make_dir("old", 0o700)?;
        let home = cx.state.dir(self.gear.home())?;
        let [_, goes] = self.releases(cx)?;
        let taste = match &self.source {
            Source::Package { .. } => Taste::Careful(self.configured),
            Source::Kept(_) => Taste::AsKept,
        };
        let survey = Survey { home: &home, base: &base, same, goes: &goes, dir: &self.dir, taste };
        let (all, notes) = survey.make()?;
        let times = Times::of(&home, survey::touched(&all))?;
        Ok(Acts { all, notes, times })
    }

    fn apply(&self, before: &Acts, cx: &Cx<'_>) -> Result<Said, Failure> {
        let (home, stash) = (cx.state.dir(self.gear.home())?, cx.stash()?);
        let (base, old) = (stash.dir(HOME)?, stash.dir("old")?);
        for (index, act) in before.all.iter().enumerate() {
            checkpoint("overlay_cartridge: before a file changes");
            act.make(&index.to_string(), (&base, &home, &old))?;
        }
        checkpoint("overlay_cartridge: every file has changed");
        Ok(Said { messages: before.notes.clone(), ..Said::default() })
    }

    fn revert(&self, before: &Acts, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let (home, stash) = (cx.state.dir(self.gear.home())?, cx.stash()?);
        let (base, old) = (stash.dir(HOME)?, stash.dir("old")?);
        for (index, act) in before.all.iter().enumerate().rev() {
            checkpoint("overlay_cartridge: before a file is put back");
            act.take_back(&index.to_string(), (&base, &home, &old))?;
        }
        before.times.put_back(&home)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> OverlayCartridge {
    let mut gear = world.gear();
    let (library, home) = (world.state.dir("library").unwrap(), "gears/blog/mock");
    let file = |dir: &Dir, path: &str, text: &str| {
        dir.make_dirs(path.rsplit_once('/').unwrap().0, 0o755).unwrap();
        dir.write_new(path, text.as_bytes(), 0o644).unwrap();
    };
    let leaving = gear.cartridges[0].place.clone();
    let old = library.dir(&leaving).unwrap();
    for (path, text) in
        [("conf/same", "1"), ("conf/new", "1"), ("conf/mine", "1"), ("gone/file", "1")]
    {
        file(&old, path, text);
        file(&world.state, &format!("{home}/{path}"), text);
    }
    world.state.replace_file(format!("{home}/conf/mine"), b"mine", 0o640).unwrap();
    let place = RelPath::parse("cartridge/test-mock/2-000000000000").unwrap();
    for (path, text) in [("conf/same", "1"), ("conf/new", "2"), ("conf/mine", "2"), ("more/x", "2")]
    {
        file(&library, &format!("{place}/{path}"), text);
    }
    library.make_dirs(format!("{place}/metadata"), 0o755).unwrap();
    gear.cartridges[0].place = place;
    let source = Source::Package { usr: false, without: vec!["conf/none*".into()] };
    OverlayCartridge { gear, dir: "mock".into(), leaving, source, configured: Moment(0) }
}
