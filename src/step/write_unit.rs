//! Writes or removes the unit by which systemd starts the gears with the host.
//!
//! A unit of that name that somebody else has written stays, and the step fails.

use super::{Cx, Said, Step, folders};
use crate::error::{Exit, Failure};
use crate::gear::unit;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{self, Dir};
use std::path::PathBuf;

/// The unit.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct WriteUnit {
    /// What it is to say; nothing: it goes.
    pub text: Option<String>,
}

/// What it said before, and the folders on its way that were not there, the innermost first.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    text: Option<String>,
    missing: Vec<PathBuf>,
}

/// The most that a unit may say.
const MOST: u64 = 1 << 16;

impl WriteUnit {
    fn put(folder: &Dir, text: Option<&String>) -> Result<(), Failure> {
        match text {
            Some(text) => folder.replace_file(unit::NAME, text.as_bytes(), 0o644)?,
            None => folder.remove_file(unit::NAME)?,
        }
        Ok(())
    }
}

impl Step for WriteUnit {
    type Undo = Before;

    fn describe(&self) -> String {
        let what = if self.text.is_some() { "write" } else { "remove" };
        format!("{what} the unit `{}`", unit::NAME)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let path = cx.layout.units();
        let missing = folders::missing(&path);
        if !missing.is_empty() {
            return Ok(Before { text: None, missing });
        }
        let folder = Dir::open(&path)?;
        if !folder.has(unit::NAME)? {
            return Ok(Before { text: None, missing });
        }
        let text = String::from_utf8_lossy(&folder.read(unit::NAME, MOST)?).into_owned();
        if !unit::is_ours(&text) {
            let place = folder.path_of(unit::NAME);
            let text = format!("`{}` was not written by cart, and stays", place.display());
            return Err(Failure::new(Exit::Conflict, text).hint("move it away, then try again"));
        }
        Ok(Before { text: Some(text), missing })
    }

    fn apply(&self, before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        if self.text.is_none() && !before.missing.is_empty() {
            return Ok(Said::default());
        }
        // Folders of systemd stay when the unit goes: they are the host's.
        let folder = Dir::create(&cx.layout.units(), 0o755)?;
        checkpoint("write_unit: before the file");
        Self::put(&folder, self.text.as_ref())?;
        checkpoint("write_unit: after the file");
        Ok(Said::default())
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        let path = cx.layout.units();
        if fs::kind_of(&path).is_some() {
            Self::put(&Dir::open(&path)?, before.text.as_ref())?;
        }
        checkpoint("write_unit: the file is put back");
        folders::remove_empty(&before.missing)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> WriteUnit {
    let folder = Dir::create(&world.layout.units(), 0o755).unwrap();
    let text = unit::text("/usr/bin/cart".as_ref(), None);
    folder.write_new(unit::NAME, text.as_bytes(), 0o644).unwrap();
    WriteUnit { text: Some(unit::text("/usr/local/bin/cart".as_ref(), None)) }
}
