//! Puts what comes out of a snapshot into a stopped gear: its data, its deployments and its repository,
//! each whole, in the place of what was there.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::deployment::FOLDER;
use crate::gear::identity::Identity;
use crate::gear::owner::{self, Account};
use crate::gear::snapshot::Part;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use crate::sys::tree;
use std::path::Path;

/// What a gear gets of a snapshot.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RestoreHome {
    /// The gear.
    pub gear: Identity,
    /// Where the parts lie as in a home, relative to the state directory.
    pub from: RelPath,
    /// The parts.
    pub parts: Vec<Part>,
}

/// The paths below the home that go, and those that come.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Paths {
    old: Vec<String>,
    new: Vec<String>,
}

/// The folder of the stash with what was there.
const OLD: &str = "old";

impl RestoreHome {
    /// The paths below `base` of the parts that it has. Deployments come one by one: the gear's home
    /// itself is locked.
    fn paths(&self, base: &Dir) -> Result<Vec<String>, Failure> {
        let mut paths = Vec::new();
        for part in &self.parts {
            match part {
                Part::Data => paths.push("app-root/data".to_owned()),
                Part::Repository => paths.push(format!("git/{}.git", self.gear.name)),
                Part::Deployments => {
                    let mut names = base.dir(FOLDER)?.names()?;
                    names.sort();
                    let names = names.iter().filter_map(|name| name.to_str());
                    paths.extend(names.map(|name| format!("{FOLDER}/{name}")));
                }
            }
        }
        let mut there = Vec::new();
        for path in paths {
            if base.has(&path)? {
                there.push(path);
            }
        }
        Ok(there)
    }

    fn own(&self, from: &Dir, path: &str) -> Result<(), Failure> {
        if let Some((uid, gid)) = self.gear.owner {
            owner::own_part(from, Path::new(path), Account { uid, gid })?;
        }
        Ok(())
    }
}

impl Step for RestoreHome {
    type Undo = Paths;

    fn describe(&self) -> String {
        let what: Vec<_> = self.parts.iter().map(|part| part.as_str()).collect();
        format!("put back into the gear `{}`: {}", self.gear.name, what.join(", "))
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Paths, Failure> {
        cx.stash()?;
        let (home, from) = (cx.state.dir(self.gear.home())?, cx.state.dir(&self.from)?);
        Ok(Paths { old: self.paths(&home)?, new: self.paths(&from)? })
    }

    fn apply(&self, paths: &Paths, cx: &Cx<'_>) -> Result<Said, Failure> {
        let (home, from) = (cx.state.dir(self.gear.home())?, cx.state.dir(&self.from)?);
        let stash = cx.stash()?;
        stash.make_dirs(OLD, 0o700)?;
        for path in &paths.new {
            if from.has(path)? {
                self.own(&from, path)?;
            }
        }
        for (index, path) in paths.old.iter().enumerate() {
            let kept = format!("{OLD}/{index}");
            if !stash.has(&kept)? && home.has(path)? {
                checkpoint("restore_home: before something goes");
                tree::move_to(&home, path, &stash, kept)?;
            }
        }
        for path in &paths.new {
            if from.has(path)? {
                checkpoint("restore_home: before something comes");
                tree::move_to(&from, path, &home, path)?;
            }
        }
        checkpoint("restore_home: everything is there");
        Ok(Said::default())
    }

    /// What is new lies in the one place or in the other; what was there waits in the stash.
    fn revert(&self, paths: &Paths, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        let stash = cx.stash()?;
        // The staging of who asked may be gone.
        for path in paths.new.iter().rev() {
            let source = format!("{}/{path}", self.from);
            if !cx.state.has(&source)? && home.has(path)? && !is_still_old(paths, path, &stash)? {
                if let Some((folder, _)) = source.rsplit_once('/') {
                    cx.state.make_dirs(folder, 0o700)?;
                }
                checkpoint("restore_home: before something new goes back");
                tree::move_to(&home, path, cx.state, &source)?;
            }
        }
        for (index, path) in paths.old.iter().enumerate() {
            let kept = format!("{OLD}/{index}");
            if stash.has(&kept)? && !home.has(path)? {
                checkpoint("restore_home: before something old comes back");
                tree::move_to(&stash, kept, &home, path)?;
            }
        }
        Ok(())
    }
}

/// Tells whether what lies at `path` of the home is what was there before: it never left.
fn is_still_old(paths: &Paths, path: &str, stash: &Dir) -> Result<bool, Failure> {
    match paths.old.iter().position(|old| old == path) {
        Some(index) => Ok(!stash.has(format!("{OLD}/{index}"))?),
        None => Ok(false),
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RestoreHome {
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    home.write_new("app-root/data/page", b"old", 0o640).unwrap();
    home.make_dirs("git/blog.git/refs", 0o755).unwrap();
    world.state.make_dirs("staging/x/home/app-root/data/inner", 0o750).unwrap();
    let from = world.state.dir("staging/x/home").unwrap();
    from.write_new("app-root/data/inner/page", b"new", 0o600).unwrap();
    let live = crate::gear::deployment::live_name(&home, "repo").unwrap();
    for name in [live.as_str(), "2027-01-01_00-00-00.000", "by-id"] {
        from.make_dirs(format!("{FOLDER}/{name}/repo"), 0o750).unwrap();
    }
    from.make_dirs("git/blog.git/objects", 0o755).unwrap();
    let parts = vec![Part::Data, Part::Deployments, Part::Repository];
    RestoreHome { gear, from: RelPath::parse("staging/x/home").unwrap(), parts }
}
