//! Takes away what `setup` makes anew (`setup_rewritten` of the old release), before an upgrade that
//! runs `setup` again (the guide, Incompatible Upgrades).

use super::times::Times;
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::globs;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use crate::sys::tree;

/// The rewritten files of a cartridge.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ClearRewritten {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// The patterns of its `setup_rewritten`.
    pub patterns: Vec<String>,
}

/// What was found, below the gear's home, and what putting it back needs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Found {
    paths: Vec<String>,
    times: Times,
}

impl ClearRewritten {
    fn find(&self, home: &Dir) -> Result<Vec<String>, Failure> {
        let mut found: Vec<String> = Vec::new();
        for path in globs::expand(home, &self.dir, &self.patterns).paths {
            let path = path.trim_end_matches('/').to_owned();
            // What lies in a folder that goes goes with it; paths come sorted, folders first.
            let goes = found.iter().any(|folder| path.starts_with(&format!("{folder}/")));
            // The cartridge as a whole, or what is beyond it, is nothing that `setup` makes anew.
            let is_inside = path.starts_with(&format!("{}/", self.dir));
            if !goes && is_inside && !found.contains(&path) && home.has(&path)? {
                found.push(path);
            }
        }
        Ok(found)
    }
}

impl Step for ClearRewritten {
    type Undo = Found;

    fn describe(&self) -> String {
        format!("take away what `setup` of `{}` makes anew", self.dir)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Found, Failure> {
        cx.stash()?;
        let home = cx.state.dir(self.gear.home())?;
        let paths = self.find(&home)?;
        let folders = paths.iter().filter_map(|path| path.rsplit_once('/'));
        let times = Times::of(&home, folders.map(|(folder, _)| folder.to_owned()))?;
        Ok(Found { paths, times })
    }

    fn apply(&self, found: &Found, cx: &Cx<'_>) -> Result<Said, Failure> {
        let (home, stash) = (cx.state.dir(self.gear.home())?, cx.stash()?);
        for (index, path) in found.paths.iter().enumerate() {
            checkpoint("clear_rewritten: before something goes");
            // What is kept is whole: an earlier attempt took this one away.
            if home.has(path)? && !stash.has(index.to_string())? {
                tree::move_to(&home, path, &stash, index.to_string())?;
            }
        }
        Ok(Said::default())
    }

    fn revert(&self, found: &Found, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let (home, stash) = (cx.state.dir(self.gear.home())?, cx.stash()?);
        for (index, path) in found.paths.iter().enumerate().rev() {
            checkpoint("clear_rewritten: before something comes back");
            if stash.has(index.to_string())? {
                tree::remove(&home, path)?;
                tree::move_to(&stash, index.to_string(), &home, path)?;
            }
        }
        found.times.put_back(&home)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> ClearRewritten {
    let gear = world.gear();
    let mock = world.state.dir("gears/blog/mock").unwrap();
    mock.make_dirs("conf/inner", 0o755).unwrap();
    for path in ["conf/inner/a", "conf/b", "conf/c", "kept"] {
        mock.write_new(path, path.as_bytes(), 0o640).unwrap();
    }
    let patterns = ["conf/inner/", "conf/*", "never-was"].map(str::to_owned).to_vec();
    ClearRewritten { gear, dir: "mock".into(), patterns }
}
