//! Locks and unlocks the files that a cartridge names in `locked_files`, and the gear's home with
//! them. Unlocking makes what is missing. The list is made anew each time: patterns find what the
//! scripts have made.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::gear::locking::{self, Means, Survey};
use crate::sys::checkpoint::checkpoint;

/// Which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// The cartridge's scripts may write.
    Unlock,
    /// Nothing of the gear may write.
    Lock,
}

/// The locked files of a cartridge.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LockFiles {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// The patterns of its `locked_files`.
    pub patterns: Vec<String>,
    /// Which way it goes.
    pub turn: Turn,
}

impl Step for LockFiles {
    type Undo = Survey;

    fn describe(&self) -> String {
        match self.turn {
            Turn::Unlock => format!("unlock the files of `{}`", self.dir),
            Turn::Lock => format!("lock the files of `{}`", self.dir),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Survey, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        Ok(locking::survey(&home, &self.dir, &self.patterns)?)
    }

    fn apply(&self, found: &Survey, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let means = Means::of(self.gear.owner);
        checkpoint("lock_files: before anything changes");
        let late = match self.turn {
            Turn::Unlock => found.unlock(&home, means)?,
            Turn::Lock => found.lock(&home, means)?,
        };
        checkpoint("lock_files: everything has changed");
        let mut said = Said::default();
        // Told once, when the files are unlocked: locking would repeat it.
        if self.turn == Turn::Unlock {
            said.warnings.extend(found.about_list.iter().cloned());
        }
        said.warnings.extend(found.notes.iter().cloned().chain(late));
        for warning in &mut said.warnings {
            warning.insert_str(0, &format!("`{}`: ", self.dir));
        }
        Ok(said)
    }

    fn revert(&self, found: &Survey, cx: &Cx<'_>) -> Result<(), Failure> {
        if cx.state.has(self.gear.home())? {
            let home = cx.state.dir(self.gear.home())?;
            found.restore(&home, Means::of(self.gear.owner))?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> LockFiles {
    let gear = world.gear();
    let mock = world.state.dir("gears/blog/mock").unwrap();
    mock.write_new("env/A", b"a", 0o664).unwrap();
    mock.write_new("env/B", b"b", 0o600).unwrap();
    // Locked by an earlier transaction, and everything below it with it.
    mock.set_mode("env/B", 0o400).unwrap();
    mock.set_mode("env", 0o555).unwrap();
    world.state.set_mode("gears/blog", 0o550).unwrap();
    let lines =
        ["env/", "env/*", "env/C", "new/dir/", "new/dir/file", "~/.rc", "~/app-root/data/x"];
    let patterns = lines.map(str::to_owned).to_vec();
    LockFiles { gear, dir: "mock".into(), patterns, turn: Turn::Unlock }
}
