//! Whole trees below a root descriptor: copying and removing, never following a link.

use super::fs::{Dir, Kind, Meta, Result};
use crate::error::FsError;
use rustix::io::Errno;
use std::ffi::OsStr;
use std::path::Path;

/// How the modes of a copy come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modes {
    /// As in the original.
    Kept,
    /// As in the original, and writable by the owner: what is copied out of the library.
    Writable,
}

/// Copies the tree (or file, or link) `name` of `from` to `to_name` in `to`, where nothing may be
/// yet. Contents are shared where the filesystem can (reflink), else copied; times of change are
/// kept; owners are kept when this process is root. Devices, pipes and sockets are left out.
pub fn copy(
    from: &Dir,
    name: impl AsRef<Path>,
    to: &Dir,
    to_name: impl AsRef<Path>,
    modes: Modes,
) -> Result<()> {
    let (name, to_name) = (name.as_ref(), to_name.as_ref());
    let meta =
        from.meta(name)?.ok_or_else(|| FsError::new("copy", from.path_of(name), Errno::NOENT))?;
    copy_known(from, name, meta, to, to_name, modes)
}

/// Copies everything inside `from` into `to`.
pub fn copy_inside(from: &Dir, to: &Dir, modes: Modes) -> Result<()> {
    for name in from.names()? {
        copy(from, &name, to, &name, modes)?;
    }
    Ok(())
}

fn copy_known(
    from: &Dir,
    name: &Path,
    meta: Meta,
    to: &Dir,
    to_name: &Path,
    modes: Modes,
) -> Result<()> {
    let mode = match modes {
        Modes::Kept => meta.mode,
        Modes::Writable => meta.mode | 0o200,
    };
    match meta.kind {
        Kind::Directory => {
            to.make_dir(to_name, 0o700)?;
            let (inner, into) = (from.dir(name)?, to.dir(to_name)?);
            copy_inside(&inner, &into, modes)?;
            keep_owner(to, to_name, meta)?;
            to.set_mode(to_name, mode)?;
        }
        Kind::File => {
            copy_file(from, name, to, to_name)?;
            keep_owner(to, to_name, meta)?;
            to.set_mode(to_name, mode)?;
        }
        Kind::Link => {
            to.make_link(to_name, from.link_target(name)?)?;
            keep_owner(to, to_name, meta)?;
        }
        Kind::Other => return Ok(()),
    }
    match from.changed(name)? {
        Some(time) => to.set_changed(to_name, time),
        None => Ok(()),
    }
}

fn keep_owner(to: &Dir, name: &Path, meta: Meta) -> Result<()> {
    if super::host::is_root() && (meta.uid, meta.gid) != (0, 0) {
        to.set_owner(name, meta.uid, meta.gid)?;
    }
    Ok(())
}

fn copy_file(from: &Dir, name: &Path, to: &Dir, to_name: &Path) -> Result<()> {
    let mut source = from.open_file(name)?;
    let mut copy = to.create_file(to_name, 0o600)?;
    let fail = |error: std::io::Error| FsError::new("copy", to.path_of(to_name), error);
    if rustix::fs::ioctl_ficlone(&copy, &source).is_err() {
        // std copies with copy_file_range where the kernel can.
        std::io::copy(&mut source, &mut copy).map_err(fail)?;
    }
    Ok(())
}

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

/// A directory that moves to another parent has its `..` rewritten, for which its owner needs the
/// write bit that a library tree lacks.
fn move_without_write_bit(from: &Dir, name: &Path, to: &Dir, to_name: &Path) -> Result<()> {
    let Some(meta) = from.meta(name)?.filter(|meta| meta.kind == Kind::Directory) else {
        return from.rename_new(name, to, to_name);
    };
    from.set_mode(name, meta.mode | 0o200)?;
    let moved = from.rename_new(name, to, to_name);
    match &moved {
        Ok(()) => to.set_mode(to_name, meta.mode)?,
        Err(_) => from.set_mode(name, meta.mode)?,
    }
    moved
}

/// Removes the tree (or file, or link) `name` of `dir`; nothing happens when it is not there.
pub fn remove(dir: &Dir, name: impl AsRef<Path>) -> Result<()> {
    let name = name.as_ref();
    match dir.meta(name)? {
        None => Ok(()),
        Some(meta) if meta.kind == Kind::Directory => {
            if meta.mode & 0o700 != 0o700 {
                // A library tree has no write bits, and its owner needs them to empty it.
                dir.set_mode(name, 0o700)?;
            }
            let inner = dir.dir(name)?;
            for entry in inner.names()? {
                remove(&inner, &entry)?;
            }
            dir.remove_dir(name)
        }
        Some(_) => dir.remove_file(name),
    }
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
}
