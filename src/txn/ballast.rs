//! A file of 1 MiB beside the database, given up when unwinding meets a full disk.

use crate::error::FsError;
use crate::sys::fs::Dir;
use std::io::Write;

const NAME: &str = "ballast";
const SIZE: usize = 1 << 20;

/// Makes the ballast where it is missing. A disk too full for it is found out by the real work.
pub(super) fn ensure(state: &Dir) -> Result<(), FsError> {
    if state.has(NAME)? {
        return Ok(());
    }
    let mut file = state.create_file(NAME, 0o600)?;
    // Written, not only allocated: a filesystem that compresses or copies on write must have
    // given the room for good.
    if let Err(error) = file.write_all(&vec![0x5a; SIZE]) {
        state.remove_file(NAME)?;
        return Err(FsError::new("write", state.path_of(NAME), error));
    }
    Ok(())
}

/// Gives the room up. Tells whether there was any.
pub(super) fn release(state: &Dir) -> bool {
    let was_there = state.has(NAME).unwrap_or(false);
    was_there && state.remove_file(NAME).is_ok()
}
