//! Where the finished file goes: it appears whole or not at all.

use super::{Order, PackError, Packed};
use crate::error::FsError;
use crate::package::digest::Sha256;
use crate::package::note::Notes;
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::random;
use sha2::Digest;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// The directory in which the file is made.
pub(super) struct Target {
    dir: Dir,
}

/// A file that is there.
pub(super) struct Finished {
    path: PathBuf,
    sha256: Sha256,
    length: u64,
}

impl Finished {
    pub(super) fn packed(self, title: String, entries: usize, notes: Notes) -> Packed {
        let Self { path, sha256, length } = self;
        Packed { path, title, sha256, length, entries, notes }
    }
}

impl Target {
    /// Opens the directory; it may not lie in the source.
    pub(super) fn open(order: &Order<'_>, from: &Dir) -> Result<Self, PackError> {
        let beside = || from.path().parent().unwrap_or(Path::new("/")).to_owned();
        let path = match order.into {
            Some(path) => fs::resolve(path)?,
            None => beside(),
        };
        if path.starts_with(from.path()) {
            let (inner, outer) = (path.display().to_string(), from.path().display().to_string());
            return Err(PackError::Inside { inner, outer });
        }
        Ok(Self { dir: Dir::open(&path)? })
    }

    /// The directory.
    pub(super) fn folder(&self) -> &Dir {
        &self.dir
    }

    /// A file without a name, for what is on its way.
    pub(super) fn scratch(&self) -> Result<File, PackError> {
        Ok(self.dir.scratch_file(unique()?)?)
    }

    /// Makes the content of `file` the file `name`.
    pub(super) fn place(&self, mut file: File, name: &str) -> Result<Finished, PackError> {
        let occupied = self.dir.meta(name)?.is_some_and(|there| there.kind != Kind::File);
        let path = self.dir.path_of(name);
        if occupied {
            return Err(PackError::Occupied(path.display().to_string()));
        }
        let fail = |error| FsError::new("write", &path, error);
        file.rewind().map_err(fail)?;
        let waiting = unique()?;
        let mut to = self.dir.create_file(&waiting, 0o644)?;
        let mut hash = sha2::Sha256::new();
        let mut hashed = Hashed { from: &mut file, hash: &mut hash };
        let copied = std::io::copy(&mut hashed, &mut to).and_then(|length| {
            to.sync_all()?;
            Ok(length)
        });
        let placed = copied
            .map_err(|error| PackError::from(fail(error)))
            .and_then(|length| Ok((length, self.dir.rename(&waiting, &self.dir, name)?)));
        let (length, ()) = match placed {
            Ok(done) => done,
            Err(error) => {
                // The first failure is the one to tell.
                let _gone = self.dir.remove_file(&waiting);
                return Err(error);
            }
        };
        self.dir.sync()?;
        Ok(Finished { path, sha256: Sha256(hash.finalize().into()), length })
    }
}

fn unique() -> Result<String, FsError> {
    Ok(format!(".cart-build-{}", random::hex(8)?))
}

struct Hashed<'a> {
    from: &'a mut File,
    hash: &'a mut sha2::Sha256,
}

impl Read for Hashed<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let length = self.from.read(room)?;
        self.hash.update(room.get(..length).unwrap_or_default());
        Ok(length)
    }
}
