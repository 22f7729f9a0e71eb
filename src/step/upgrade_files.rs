//! The files by which the original tells of an upgrade that is going on, in `app-root/runtime`: for
//! cartridges' scripts and extensions that look for them. They are written, never read back, and
//! gone when the upgrade is over; its truth is the journal (node specification, 12).

use super::times::Times;
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;

/// Where they lie, below the home.
const FOLDER: &str = "app-root/runtime";

/// What is to be told.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The upgrade begins: the itinerary, JSON, and the state before it.
    Begins {
        /// `.upgrade_itinerary`.
        itinerary: String,
        /// `.preupgrade_state`.
        state: String,
    },
    /// A part of it is done.
    Done(String),
    /// It is over.
    Over,
}

/// The files that tell of an upgrade.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UpgradeFiles {
    /// The gear.
    pub gear: Identity,
    /// What is to be told.
    pub phase: Phase,
}

/// The files that were there, with their texts.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    files: Vec<(String, String)>,
    times: Times,
}

fn is_ours(name: &str) -> bool {
    name == ".preupgrade_state"
        || name == ".upgrade_itinerary"
        || name.starts_with(".upgrade_complete_")
}

fn files(home: &Dir) -> Result<Vec<(String, String)>, Failure> {
    let folder = home.dir(FOLDER)?;
    let mut found = Vec::new();
    for name in folder.names()? {
        let Some(name) = name.to_str().filter(|name| is_ours(name)) else { continue };
        let text = folder.read(name, 1 << 20).unwrap_or_default();
        found.push((name.to_owned(), String::from_utf8_lossy(&text).into_owned()));
    }
    found.sort();
    Ok(found)
}

impl UpgradeFiles {
    fn write(&self, home: &Dir, name: &str, text: &str) -> Result<(), Failure> {
        checkpoint("upgrade_files: before a file");
        let path = format!("{FOLDER}/{name}");
        home.replace_file(&path, text.as_bytes(), 0o644)?;
        if let Some((uid, gid)) = self.gear.owner {
            home.set_owner(&path, uid, gid)?;
        }
        Ok(())
    }
}

impl Step for UpgradeFiles {
    type Undo = Before;

    fn describe(&self) -> String {
        let name = &self.gear.name;
        match &self.phase {
            Phase::Begins { .. } => format!("tell the gear `{name}` of its upgrade"),
            Phase::Done(part) => format!("tell the gear `{name}` that `{part}` is upgraded"),
            Phase::Over => format!("tell the gear `{name}` that its upgrade is over"),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        Ok(Before { files: files(&home)?, times: Times::of(&home, [FOLDER.to_owned()])? })
    }

    fn apply(&self, _before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        match &self.phase {
            Phase::Begins { itinerary, state } => {
                self.write(&home, ".upgrade_itinerary", itinerary)?;
                self.write(&home, ".preupgrade_state", state)?;
            }
            Phase::Done(part) => self.write(&home, &format!(".upgrade_complete_{part}"), "")?,
            Phase::Over => {
                for (name, _) in files(&home)? {
                    checkpoint("upgrade_files: before a file goes");
                    home.remove_file(format!("{FOLDER}/{name}"))?;
                }
            }
        }
        Ok(Said::default())
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        for name in [".upgrade_itinerary", ".preupgrade_state"] {
            home.remove_file(format!("{FOLDER}/{name}.cart-new"))?;
        }
        for (name, _) in files(&home)? {
            home.remove_file(format!("{FOLDER}/{name}"))?;
        }
        for (name, text) in &before.files {
            self.write(&home, name, text)?;
        }
        before.times.put_back(&home)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> UpgradeFiles {
    let phase = Phase::Begins { itinerary: "{}".into(), state: "started".into() };
    UpgradeFiles { gear: world.gear(), phase }
}
