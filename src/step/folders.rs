//! Folders that a step makes on the way to a place of its own, and that go with it.

use crate::error::Failure;
use crate::sys::fs::{self, Dir};
use std::path::{Path, PathBuf};

/// The folders on the way to `path`, and it itself, that are not there: the innermost first.
pub(super) fn missing(path: &Path) -> Vec<PathBuf> {
    let missing = path.ancestors().take_while(|folder| fs::kind_of(folder).is_none());
    missing.map(Path::to_owned).collect()
}

/// Removes those that a step has made, unless somebody else uses them by now.
pub(super) fn remove_empty(made: &[PathBuf]) -> Result<(), Failure> {
    for folder in made {
        let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else { continue };
        if fs::kind_of(folder).is_some() {
            Dir::open(parent)?.remove_dir_if_empty(name)?;
        }
    }
    Ok(())
}
