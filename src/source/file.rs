//! Directories and files on this host.

use super::digest::Hasher;
use super::error::SourceError;
use super::feed::{Feed, Opened};
use super::redact;
use super::stream::{Stream, Watched};
use crate::error::FsError;
use crate::sys::fs::{self, Dir, Kind};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Up to this length a file is read without a thread.
const SMALL: u64 = 256 << 10;

/// What a path turned out to be.
pub enum Found {
    /// A directory, opened.
    Directory(Dir),
    /// A regular file.
    File,
}

/// Looks at the path that the user named; links in it are the user's own and are followed.
pub fn look(path: &Path) -> Result<Found, SourceError> {
    match fs::kind_of(path) {
        Some(Kind::Directory) => Ok(Found::Directory(Dir::open(path)?)),
        Some(Kind::File) => Ok(Found::File),
        _ => Err(SourceError::NoSuchPath(redact::path(path))),
    }
}

/// Opens the file at `path` as a stream of at most `max_length` bytes.
pub fn open<'a>(
    path: &Path,
    max_length: u64,
    watched: Watched<'a>,
) -> Result<Stream<'a>, SourceError> {
    let file = fs::open_for_reading(path)?;
    let meta = file.metadata().map_err(|error| FsError::new("look at", path, error))?;
    if meta.len() > max_length {
        let url = redact::path(path);
        return Err(SourceError::TooLong { url, limit: max_length });
    }
    let opened = Opened { length: Some(meta.len()), ..Opened::default() };
    let reader = Reader { file, path: path.to_owned(), max_length };
    if meta.len() <= SMALL {
        return Ok(Stream::direct(watched, opened, Box::new(reader)));
    }
    Stream::start(watched, None, move |_| Ok((opened, Box::new(reader) as Box<dyn Feed>)))
}

struct Reader {
    file: File,
    path: PathBuf,
    max_length: u64,
}

impl Feed for Reader {
    fn next(&mut self, buffer: &mut [u8], so_far: &Hasher) -> Result<usize, SourceError> {
        loop {
            match self.file.read(buffer) {
                // A file that grows while it is read.
                Ok(length) if so_far.length() + length as u64 > self.max_length => {
                    let url = redact::path(&self.path);
                    return Err(SourceError::TooLong { url, limit: self.max_length });
                }
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(FsError::new("read", &self.path, error).into()),
            }
        }
    }
}
