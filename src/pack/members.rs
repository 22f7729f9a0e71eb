//! The members of a tar archive that is written: whatever differs from host to host is left out.

use super::PackError;
use crate::error::FsError;
use crate::package::digest::Sha256;
use crate::package::file_table::{Content, Entry};
use crate::progress::Watch;
use crate::sys::fs::Dir;
use sha2::Digest;
use std::io::{self, Read, Write};
use tar::{Builder, EntryType, Header};

/// An archive that is being written.
pub(super) struct Members<W: Write> {
    builder: Builder<W>,
    time: u64,
}

impl<W: Write> Members<W> {
    /// Begins an archive whose members have the time `time`.
    pub(super) fn new(to: W, time: u64) -> Self {
        Self { builder: Builder::new(to), time }
    }

    fn header(&self, kind: EntryType, (mode, size): (u32, u64)) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_mtime(self.time);
        header.set_uid(0);
        header.set_gid(0);
        header
    }

    /// Adds a directory.
    pub(super) fn directory(&mut self, path: &str, mode: u32) -> Result<(), PackError> {
        let mut header = self.header(EntryType::Directory, (mode, 0));
        self.builder
            .append_data(&mut header, format!("{path}/"), io::empty())
            .map_err(PackError::Write)
    }

    /// Adds a file of these bytes.
    pub(super) fn bytes(&mut self, path: &str, bytes: &[u8]) -> Result<(), PackError> {
        self.stream(path, (0o644, bytes.len() as u64), &mut &*bytes)
    }

    /// Adds a file of `size` bytes.
    pub(super) fn stream(
        &mut self,
        path: &str,
        (mode, size): (u32, u64),
        from: &mut dyn Read,
    ) -> Result<(), PackError> {
        let mut header = self.header(EntryType::Regular, (mode, size));
        let mut counted = Counted { from: from.take(size), left: size };
        self.builder.append_data(&mut header, path, &mut counted).map_err(PackError::Write)?;
        if counted.left > 0 { Err(PackError::Changes(path.to_owned())) } else { Ok(()) }
    }

    /// Adds `entry` of the directory `from` at `path`; a file has to be what was seen of it.
    pub(super) fn entry(
        &mut self,
        path: &str,
        entry: &Entry,
        (from, watch): (&Dir, &dyn Watch),
    ) -> Result<(), PackError> {
        match &entry.content {
            Content::Directory => self.directory(path, entry.mode),
            Content::Link(target) => {
                let mut header = self.header(EntryType::Symlink, (0o777, 0));
                self.builder.append_link(&mut header, path, target).map_err(PackError::Write)
            }
            Content::File { size, sha256 } => {
                let file = from.open_file(&entry.path)?;
                let mut checked = Checked::new(file);
                self.stream(path, (entry.mode, *size), &mut checked)?;
                watch.advance(*size);
                checked.is(*sha256, entry.path.as_str(), from)
            }
        }
    }

    /// Ends the archive.
    pub(super) fn finish(self) -> Result<W, PackError> {
        self.builder.into_inner().map_err(PackError::Write)
    }
}

/// Counts what is read: the library would fill up a file that is too short in silence.
struct Counted<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(room)?;
        self.left = self.left.saturating_sub(length as u64);
        Ok(length)
    }
}

/// A file of the source directory, hashed while it is read.
pub(super) struct Checked {
    file: std::fs::File,
    hash: sha2::Sha256,
}

impl Checked {
    pub(super) fn new(file: std::fs::File) -> Self {
        Self { file, hash: sha2::Sha256::new() }
    }

    /// Fails unless all that was read has the digest `seen`, and nothing is left.
    pub(super) fn is(mut self, seen: Sha256, path: &str, from: &Dir) -> Result<(), PackError> {
        let mut rest = [0; 1];
        let more = self.file.read(&mut rest);
        let more = more.map_err(|error| FsError::new("read", from.path_of(path), error))?;
        if more > 0 || Sha256(self.hash.finalize().into()) != seen {
            return Err(PackError::Changes(from.path_of(path).display().to_string()));
        }
        Ok(())
    }
}

impl Read for Checked {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(room)?;
        self.hash.update(room.get(..length).unwrap_or_default());
        Ok(length)
    }
}
