//! The externals that the binary brings: `externals/` of the sources, embedded, and written out once
//! for each version.
//!
//! An external is an executable file at the top; what lies in folders is what they share.

use crate::error::FsError;
use crate::sys::fs::{Dir, Kind};
use crate::sys::random;

/// One embedded file: its path, its mode and its content.
type Embedded = (&'static str, u32, &'static [u8]);

static FILES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/externals.rs"));

/// The names of the externals that the binary brings.
pub fn shipped_externals() -> impl Iterator<Item = &'static str> {
    FILES.iter().filter(|(path, mode, _)| is_external(path, *mode)).map(|(path, ..)| *path)
}

fn is_external(path: &str, mode: u32) -> bool {
    !path.contains('/') && mode & 0o100 != 0
}

/// Writes them into `folder` where they are not there yet as they should be. Two processes may do this
/// at once.
pub fn write_externals(folder: &Dir) -> Result<(), FsError> {
    for (path, mode, bytes) in FILES {
        if let Some((above, _)) = path.rsplit_once('/') {
            folder.make_dirs(above, 0o755)?;
        }
        let size = bytes.len() as u64;
        let is_there = folder
            .meta(path)?
            .is_some_and(|meta| (meta.kind, meta.size, meta.mode) == (Kind::File, size, *mode))
            && folder.read(path, size)? == *bytes;
        if is_there {
            continue;
        }
        let beside = format!("{path}.{}", random::hex(8)?);
        let made = folder
            .write_new(&beside, bytes, *mode)
            .and_then(|()| folder.set_mode(&beside, *mode))
            .and_then(|()| folder.rename(&beside, folder, path));
        if made.is_err() {
            // The first error is the one to tell of.
            let _ = folder.remove_file(&beside);
        }
        made?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_written_out_once_and_mended() {
        assert!(is_external("user", 0o755) && !is_external("lib/a.pm", 0o644));
        assert!(!is_external("README.md", 0o644));
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        write_externals(&dir).unwrap();
        let Some((path, _, bytes)) = FILES.first() else { return };
        dir.replace_file(path, b"changed", 0o644).unwrap();
        write_externals(&dir).unwrap();
        assert_eq!(dir.read(path, 1 << 20).unwrap(), *bytes);
    }
}
