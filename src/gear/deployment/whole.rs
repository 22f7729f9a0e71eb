//! Keeping the application of a deployment whole while a script may take things out of it: further names
//! of the same files, so that it costs no room and little time. What is written into a file is not kept.

use super::FOLDER;
use crate::error::FsError;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree::{self, Modes};

/// The application of the deployment `name`, below the gear's home.
fn place(name: &str) -> String {
    format!("{FOLDER}/{name}/repo")
}

/// Keeps the application of the deployment `name` as `kept` in `room`.
pub fn keep_whole(home: &Dir, name: &str, (room, kept): (&Dir, &str)) -> Result<(), FsError> {
    tree::remove(room, kept)?;
    if home.has(place(name))? {
        tree::copy(home, place(name), room, kept, Modes::Linked)?;
    }
    Ok(())
}

/// Brings back what the application lacks of what was kept, and what is another thing there. What else
/// was added to it stays. Nothing when nothing was kept.
pub fn make_whole(home: &Dir, name: &str, (room, kept): (&Dir, &str)) -> Result<(), FsError> {
    if !room.has(kept)? || !home.has(place(name))? {
        return Ok(());
    }
    mend(&room.dir(kept)?, &home.dir(place(name))?)
}

fn mend(kept: &Dir, now: &Dir) -> Result<(), FsError> {
    for name in kept.names()? {
        let Some(was) = kept.meta(&name)? else { continue };
        checkpoint("deployment: before something of the application comes back");
        match now.meta(&name)? {
            None => tree::move_to(kept, &name, now, &name)?,
            Some(is) if (was.kind, is.kind) == (Kind::Directory, Kind::Directory) => {
                mend(&kept.dir(&name)?, &now.dir(&name)?)?;
            }
            Some(is) => {
                let is_same = (was.kind, was.mode, was.size) == (is.kind, is.mode, is.size)
                    && kept.changed(&name)? == now.changed(&name)?;
                if !is_same {
                    tree::remove(now, &name)?;
                    tree::move_to(kept, &name, now, &name)?;
                }
            }
        }
    }
    Ok(())
}
