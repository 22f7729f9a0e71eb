//! Copying: the folders first, then what is in them on two threads, then what the folders are
//! to be known by.

use crate::error::FsError;
use crate::sys::fs::{self, Dir, Kind, Meta, Result};
use crate::sys::{host, lanes};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// How the modes of a copy come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modes {
    /// As in the original.
    Kept,
    /// As in the original, and writable by the owner: what is copied out of the library.
    Writable,
    /// As in the original, files being further names of the same ones, where that can be.
    Linked,
}

/// Copies the tree (or file, or link) `name` of `from` to `to_name` in `to`, where nothing may be
/// yet. Contents are shared where the filesystem can (reflink), else copied; times of change are
/// kept; owners are kept when this process is root. Devices, pipes and sockets are left out, and so
/// is what goes while it is copied.
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
    let copying = Copying { modes, may_share: AtomicBool::new(true) };
    match meta.kind {
        Kind::Directory => copying.tree((from, name), (to, to_name)),
        kind => copying.one((from, name), (to, to_name), kind),
    }
}

/// Copies everything inside `from` into `to`.
pub fn copy_inside(from: &Dir, to: &Dir, modes: Modes) -> Result<()> {
    for name in from.names()? {
        copy(from, &name, to, &name, modes)?;
    }
    Ok(())
}

struct Copying {
    modes: Modes,
    /// Whether the filesystem has not yet refused to share contents.
    may_share: AtomicBool,
}

/// A folder whose copy is made and empty.
struct Folder {
    old: PathBuf,
    new: PathBuf,
    meta: Meta,
    /// What is to be copied into it, but for folders that are such ones themselves.
    names: Vec<(OsString, Kind)>,
}

impl Copying {
    fn tree(&self, from: (&Dir, &Path), to: (&Dir, &Path)) -> Result<()> {
        let mut folders = Vec::new();
        make_folders(from, to, &mut folders)?;
        let jobs: Vec<_> = folders
            .iter()
            .flat_map(|folder| folder.names.chunks(super::PIECE).map(move |names| (folder, names)))
            .collect();
        lanes::run(&jobs, [(), ()], |(), (folder, names)| {
            self.several(&from.0.dir(&folder.old)?, &to.0.dir(&folder.new)?, names)
        })?;
        for folder in folders.iter().rev() {
            self.dress(&to.0.dir(&folder.new)?, folder.meta)?;
        }
        Ok(())
    }

    fn several(&self, from: &Dir, to: &Dir, names: &[(OsString, Kind)]) -> Result<()> {
        for (name, kind) in names {
            match self.one((from, Path::new(name)), (to, Path::new(name)), *kind) {
                // It went while its folder was copied, as it may in a gear that runs.
                Err(error) if error.is_not_found() && !from.has(name)? => {}
                copied => copied?,
            }
        }
        Ok(())
    }

    fn one(
        &self,
        (from, name): (&Dir, &Path),
        (to, to_name): (&Dir, &Path),
        kind: Kind,
    ) -> Result<()> {
        match kind {
            Kind::Directory => {
                let inner = from.dir(name)?;
                to.make_dir(to_name, 0o700)?;
                let into = to.dir(to_name)?;
                self.several(&inner, &into, &inner.entries()?)?;
                let meta = fs::meta_of_file(&inner)
                    .map_err(|error| FsError::new("look at", inner.path(), error))?;
                self.dress(&into, meta)
            }
            Kind::File if self.modes == Modes::Linked => from
                .make_hard_link(name, to, to_name)
                .or_else(|_| self.file((from, name), (to, to_name))),
            Kind::File => self.file((from, name), (to, to_name)),
            Kind::Link => {
                to.make_link(to_name, from.link_target(name)?)?;
                let Some(meta) = from.meta(name)? else { return Ok(()) };
                if has_owner(meta) {
                    to.set_owner(to_name, meta.uid, meta.gid)?;
                }
                to.set_changed(to_name, meta.changed)
            }
            Kind::Other => Ok(()),
        }
    }

    fn file(&self, (from, name): (&Dir, &Path), (to, to_name): (&Dir, &Path)) -> Result<()> {
        let source = from.open_file(name)?;
        let fail = |error: std::io::Error| FsError::new("copy", to.path_of(to_name), error);
        let meta = fs::meta_of_file(&source).map_err(fail)?;
        if meta.kind != Kind::File {
            return Ok(()); // A pipe took its place.
        }
        let mut copy = to.create_file(to_name, 0o600)?;
        let shares = self.may_share.load(Ordering::Relaxed)
            && rustix::fs::ioctl_ficlone(&copy, &source).is_ok();
        if !shares {
            self.may_share.store(false, Ordering::Relaxed);
            // std copies with copy_file_range where the kernel can.
            std::io::copy(&mut source.take(meta.size), &mut copy).map_err(fail)?;
        }
        if has_owner(meta) {
            fchown(&copy, Some(meta.uid), Some(meta.gid)).map_err(fail)?;
        }
        copy.set_permissions(Permissions::from_mode(self.mode(meta))).map_err(fail)?;
        fs::set_changed(&copy, meta.changed).map_err(fail)
    }

    /// Gives a copied folder owner, mode and time of the original.
    fn dress(&self, folder: &Dir, meta: Meta) -> Result<()> {
        if has_owner(meta) {
            folder.set_owner("", meta.uid, meta.gid)?;
        }
        folder.set_mode("", self.mode(meta))?;
        folder.set_changed("", meta.changed)
    }

    fn mode(&self, meta: Meta) -> u32 {
        match self.modes {
            Modes::Kept | Modes::Linked => meta.mode,
            Modes::Writable => meta.mode | 0o200,
        }
    }
}

/// Makes the folders of the copy, and notes what is to be copied into each.
fn make_folders(
    (from, name): (&Dir, &Path),
    (to, to_name): (&Dir, &Path),
    folders: &mut Vec<Folder>,
) -> Result<()> {
    let mut next = vec![(name.to_owned(), to_name.to_owned(), 1)];
    while let Some((old, new, level)) = next.pop() {
        let inner = match from.dir(&old) {
            Err(error) if error.is_not_found() && level > 1 => continue,
            inner => inner?,
        };
        to.make_dir(&new, 0o700)?;
        let meta = fs::meta_of_file(&inner)
            .map_err(|error| FsError::new("look at", inner.path(), error))?;
        let mut names = inner.entries()?;
        if level < super::LEVELS {
            names.retain(|(name, kind)| {
                let is_folder = *kind == Kind::Directory;
                if is_folder {
                    next.push((old.join(name), new.join(name), level + 1));
                }
                !is_folder
            });
        }
        folders.push(Folder { old, new, meta, names });
    }
    Ok(())
}

/// Tells whether a copy has to be given to the owner of the original.
fn has_owner(meta: Meta) -> bool {
    (meta.uid, meta.gid) != (0, 0) && host::is_root()
}
