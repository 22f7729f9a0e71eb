//! Removing: what is in the folders first, on two threads, then the folders.

use crate::sys::fs::{Dir, Kind, Result};
use crate::sys::lanes;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Removes the tree (or file, or link) `name` of `dir`; nothing happens when it is not there.
pub fn remove(dir: &Dir, name: impl AsRef<Path>) -> Result<()> {
    let name = name.as_ref();
    match dir.meta(name)? {
        None => Ok(()),
        Some(meta) if meta.kind == Kind::Directory => tree(dir, name),
        Some(_) => dir.remove_file(name),
    }
}

/// A folder that is to go, and what in it has to go before it, but for folders that are such ones
/// themselves.
struct Folder {
    path: PathBuf,
    names: Vec<(OsString, Kind)>,
}

fn tree(dir: &Dir, name: &Path) -> Result<()> {
    let folders = folders(dir, name)?;
    let jobs: Vec<_> = folders
        .iter()
        .flat_map(|folder| folder.names.chunks(super::PIECE).map(move |names| (folder, names)))
        .collect();
    lanes::run(&jobs, [(), ()], |(), (folder, names)| several(&dir.dir(&folder.path)?, names))?;
    folders.iter().rev().try_for_each(|folder| dir.remove_dir(&folder.path))
}

fn folders(dir: &Dir, name: &Path) -> Result<Vec<Folder>> {
    let mut folders = Vec::new();
    let mut next = vec![(name.to_owned(), 1)];
    while let Some((path, level)) = next.pop() {
        let mut names = opened(dir, &path)?.entries()?;
        if level < super::LEVELS {
            names.retain(|(name, kind)| {
                let is_folder = *kind == Kind::Directory;
                if is_folder {
                    next.push((path.join(name), level + 1));
                }
                !is_folder
            });
        }
        folders.push(Folder { path, names });
    }
    Ok(folders)
}

fn several(folder: &Dir, names: &[(OsString, Kind)]) -> Result<()> {
    for (name, kind) in names {
        if *kind == Kind::Directory {
            let inner = opened(folder, Path::new(name))?;
            several(&inner, &inner.entries()?)?;
            folder.remove_dir(name)?;
        } else {
            folder.remove_file(name)?;
        }
    }
    Ok(())
}

/// Opens a folder that is to be emptied. A library tree has no write bits, and its owner needs them.
fn opened(dir: &Dir, path: &Path) -> Result<Dir> {
    let is_ours = dir.meta(path)?.is_none_or(|meta| meta.mode & 0o700 == 0o700);
    if !is_ours {
        dir.set_mode(path, 0o700)?;
    }
    dir.dir(path)
}
