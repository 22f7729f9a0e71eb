//! Whole trees below a root descriptor: copying and removing, never following a link.

mod copy;
mod remove;

pub use copy::{Modes, copy, copy_inside};
pub use remove::remove;

use super::checkpoint::checkpoint;
use super::fs::{Dir, Kind, Result};
use crate::error::FsError;
use std::ffi::OsStr;
use std::path::Path;

/// As many levels of a tree are gone through by their paths, of which the kernel takes 4,096 bytes.
/// What lies deeper is done folder by folder, each held open.
const LEVELS: usize = 8;
/// How many names are one job for a thread.
const PIECE: usize = 64;

/// Moves the tree (or file, or link) `name` of `from` to `to_name` in `to`, where nothing may be
/// yet. Across filesystems it is copied, made durable and renamed into place, then removed: nobody
/// ever sees half of it under its new name.
pub fn move_to(
    from: &Dir,
    name: impl AsRef<Path>,
    to: &Dir,
    to_name: impl AsRef<Path>,
) -> Result<()> {
    let (name, to_name) = (name.as_ref(), to_name.as_ref());
    match from.rename_new(name, to, to_name) {
        Err(error) if is_crossing(&error) => {}
        Err(error) if needs_write_bit(&error) => {
            return move_without_write_bit(from, name, to, to_name);
        }
        other => return other,
    }
    let mut beside = to_name.file_name().unwrap_or_default().to_owned();
    beside.push(".cart-new");
    let beside = to_name.with_file_name(beside);
    remove(to, &beside)?;
    copy(from, name, to, &beside, Modes::Kept)?;
    to.sync_filesystem()?;
    to.rename_new(&beside, to, to_name)?;
    to.sync_filesystem()?;
    remove(from, name)
}

/// Moves the file or link `name` of `from` over `to_name` in `to`, in one step: at every moment
/// there is the one or the other.
pub fn replace(
    from: &Dir,
    name: impl AsRef<Path>,
    to: &Dir,
    to_name: impl AsRef<Path>,
) -> Result<()> {
    let (name, to_name) = (name.as_ref(), to_name.as_ref());
    match from.rename(name, to, to_name) {
        Err(error) if is_crossing(&error) => {}
        other => return other,
    }
    let mut beside = to_name.file_name().unwrap_or_default().to_owned();
    beside.push(".cart-old");
    let beside = to_name.with_file_name(beside);
    remove(to, &beside)?;
    copy(from, name, to, &beside, Modes::Kept)?;
    to.sync_filesystem()?;
    to.rename(&beside, to, to_name)?;
    remove(from, name)
}

fn is_crossing(error: &FsError) -> bool {
    error.source.kind() == std::io::ErrorKind::CrossesDevices
}

fn needs_write_bit(error: &FsError) -> bool {
    error.source.kind() == std::io::ErrorKind::PermissionDenied
}

/// What a directory has besides its own mode while it moves: the owner's write bit, which it needs,
/// and the sticky bit, by which one whose move was cut off is known. Trees of ours never have both.
const MOVING: u32 = 0o1200;

/// Gives the tree `name` its own mode back, where a move of it was cut off. For trees that cart has
/// made itself: a gear may set both bits on what it makes.
pub fn settle(dir: &Dir, name: impl AsRef<Path>) -> Result<()> {
    let name = name.as_ref();
    match dir.meta(name)? {
        Some(meta) if meta.kind == Kind::Directory && meta.mode & MOVING == MOVING => {
            dir.set_mode(name, meta.mode & !MOVING)
        }
        _ => Ok(()),
    }
}

/// A directory that moves to another parent has its `..` rewritten, for which its owner needs the
/// write bit that a locked home lacks. Whoever puts back a move that was cut off must [`settle`].
fn move_without_write_bit(from: &Dir, name: &Path, to: &Dir, to_name: &Path) -> Result<()> {
    let Some(meta) = from.meta(name)?.filter(|meta| meta.kind == Kind::Directory) else {
        return from.rename_new(name, to, to_name);
    };
    from.set_mode(name, meta.mode | MOVING)?;
    checkpoint("move_to: the directory may be moved");
    let moved = from.rename_new(name, to, to_name);
    checkpoint("move_to: the directory was moved");
    match &moved {
        Ok(()) => to.set_mode(to_name, meta.mode)?,
        Err(_) => from.set_mode(name, meta.mode)?,
    }
    moved
}

/// The total length of the files in the tree `name` of `dir`, in bytes.
pub fn size(dir: &Dir, name: impl AsRef<Path>) -> Result<u64> {
    let name = name.as_ref();
    match dir.meta(name)? {
        Some(meta) if meta.kind == Kind::Directory => {
            let inner = dir.dir(name)?;
            inner.names()?.iter().try_fold(0, |sum, entry: &_| {
                let entry: &OsStr = entry;
                Ok(sum + size(&inner, entry)?)
            })
        }
        Some(meta) if meta.kind == Kind::File => Ok(meta.size),
        _ => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::checkpoint::in_process::cut_at;

    #[test]
    fn a_copy_equals_its_original_and_a_removed_tree_is_gone() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dirs("a/b", 0o755).unwrap();
        dir.write_new("a/b/file", b"text", 0o444).unwrap();
        dir.make_link("a/link", "/nowhere").unwrap();
        dir.set_mode("a/b", 0o555).unwrap();
        copy(&dir, "a", &dir, "kept", Modes::Kept).unwrap();
        copy(&dir, "a", &dir, "open", Modes::Writable).unwrap();
        assert_eq!(dir.meta("kept/b").unwrap().unwrap().mode, 0o555);
        assert_eq!(dir.meta("kept/b/file").unwrap().unwrap().mode, 0o444);
        assert_eq!(dir.meta("open/b/file").unwrap().unwrap().mode, 0o644);
        assert_eq!(dir.link_target("open/link").unwrap(), Path::new("/nowhere"));
        for name in ["", "/b", "/b/file", "/link"] {
            let (original, copy) = (format!("a{name}"), format!("kept{name}"));
            assert_eq!(dir.changed(original).unwrap(), dir.changed(copy).unwrap(), "{name}");
        }
        assert_eq!(size(&dir, "open").unwrap(), 4);
        for name in ["a", "kept", "open", "never-was"] {
            remove(&dir, name).unwrap();
        }
        assert!(dir.names().unwrap().is_empty());
    }

    #[test]
    fn a_tree_that_is_wide_and_deeper_than_a_path_can_say_is_copied_and_removed() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let name = "x".repeat(250);
        dir.make_dir("old", 0o755).unwrap();
        for number in 0..200 {
            let bytes = format!("{number}").into_bytes();
            dir.write_new(format!("old/{number}"), &bytes, 0o640).unwrap();
        }
        let mut inner = dir.dir("old").unwrap();
        for level in 0..20 {
            inner.make_dir(&name, 0o750).unwrap();
            inner = inner.dir(&name).unwrap();
            inner.write_new("level", format!("{level}").as_bytes(), 0o600).unwrap();
        }
        for (modes, links) in [(Modes::Kept, 1), (Modes::Linked, 2)] {
            copy(&dir, "old", &dir, "new", modes).unwrap();
            for number in 0..200 {
                let bytes = format!("{number}").into_bytes();
                assert_eq!(dir.read(format!("new/{number}"), 99).unwrap(), bytes);
            }
            let mut inner = dir.dir("new").unwrap();
            for level in 0..20 {
                assert_eq!(inner.meta(&name).unwrap().unwrap().mode, 0o750);
                inner = inner.dir(&name).unwrap();
                assert_eq!(inner.read("level", 99).unwrap(), format!("{level}").as_bytes());
                assert_eq!(inner.meta("level").unwrap().unwrap().links, links);
            }
            remove(&dir, "new").unwrap();
        }
        remove(&dir, "old").unwrap();
        assert!(dir.names().unwrap().is_empty());
    }

    #[test]
    fn a_directory_whose_move_was_cut_off_gets_its_mode_back() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        for cut in 1.. {
            dir.make_dir("old", 0o700).unwrap();
            dir.set_mode("old", 0o550).unwrap();
            let work = || move_without_write_bit(&dir, Path::new("old"), &dir, Path::new("new"));
            let whole = cut_at(cut, || work().unwrap()).is_some();
            for name in ["old", "new"] {
                settle(&dir, name).unwrap();
            }
            let left = dir.names().unwrap();
            assert_eq!(left.len(), 1, "cut at {cut}: {left:?}");
            assert_eq!(dir.meta(&left[0]).unwrap().unwrap().mode, 0o550, "cut at {cut}");
            remove(&dir, &left[0]).unwrap();
            if whole {
                assert!(cut > 2, "it can be cut before and after the rename");
                break;
            }
        }
    }

    #[test]
    fn what_has_one_of_the_bits_by_itself_keeps_it() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        for mode in [0o755, 0o1555, 0o555] {
            dir.make_dir("one", 0o700).unwrap();
            dir.set_mode("one", mode).unwrap();
            settle(&dir, "one").unwrap();
            assert_eq!(dir.meta("one").unwrap().unwrap().mode, mode);
            remove(&dir, "one").unwrap();
        }
    }
}
