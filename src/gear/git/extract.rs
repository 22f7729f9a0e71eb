//! Unpacking what `git archive` writes, below a descriptor.

use super::GitError;
use crate::config;
use crate::sys::fs::Dir;
use crate::sys::interrupt;
use crate::sys::path::RelPath;
use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// How many bytes are read and written at a time.
const PIECE: usize = 256 << 10;

/// Unpacks the tar stream `stream` into `into`; gives the number of files and links.
pub(super) fn extract(
    stream: impl Read,
    into: &Dir,
    limits: &config::Archive,
    place: &Path,
) -> Result<u64, GitError> {
    let mut unpacking = Unpacking {
        into,
        limits,
        place,
        parent: None,
        buffer: vec![0; PIECE],
        entries: 0,
        bytes: 0,
        files: 0,
    };
    // Headers come in small pieces, and are no system calls of their own.
    let mut archive = tar::Archive::new(BufReader::with_capacity(PIECE, stream));
    for entry in archive.entries().map_err(read_error)? {
        unpacking.take(entry.map_err(read_error)?)?;
    }
    // Git pads its archive; it must be able to write all of it, or it ends by a signal.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(read_error)?;
    Ok(unpacking.files)
}

fn read_error(source: io::Error) -> GitError {
    GitError::Run { action: "archive".into(), source }
}

struct Unpacking<'a> {
    into: &'a Dir,
    limits: &'a config::Archive,
    place: &'a Path,
    /// The directory of the file before, which is there.
    parent: Option<RelPath>,
    buffer: Vec<u8>,
    entries: u64,
    bytes: u64,
    files: u64,
}

impl Unpacking<'_> {
    fn take<R: Read>(&mut self, mut entry: tar::Entry<'_, R>) -> Result<(), GitError> {
        interrupt::check()
            .map_err(|error| read_error(io::Error::new(io::ErrorKind::Interrupted, error)))?;
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(()); // The commit's name, as a comment.
        }
        self.count(entry.size())?;
        let path = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| self.content("a name is not UTF-8"))?;
        let path = RelPath::parse(&path).map_err(|error| {
            self.content(&format!("the path `{}` {error}", path.escape_debug()))
        })?;
        if kind.is_dir() {
            return Ok(self.into.make_dirs(&path, 0o755)?);
        }
        if let Some(parent) = path.parent().filter(|parent| self.parent.as_ref() != Some(parent)) {
            self.into.make_dirs(&parent, 0o755)?;
            self.parent = Some(parent);
        }
        self.files += 1;
        if kind.is_symlink() {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            return Ok(self.into.make_link(&path, OsStr::from_bytes(&target))?);
        }
        if !kind.is_file() {
            return Err(self.content(&format!("`{path}` is neither file, directory nor link")));
        }
        let runs = entry.header().mode().unwrap_or(0) & 0o100 != 0;
        let mode = if runs { 0o755 } else { 0o644 };
        let mut file = self.into.create_file(&path, mode)?;
        self.copy(&mut entry, &mut file).map_err(read_error)?;
        // Whatever the mask of this process, and the defaults of the directory.
        file.set_permissions(Permissions::from_mode(mode)).map_err(read_error)
    }

    fn copy(&mut self, from: &mut impl Read, to: &mut File) -> io::Result<()> {
        loop {
            match from.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => to.write_all(self.buffer.get(..length).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn count(&mut self, size: u64) -> Result<(), GitError> {
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(size);
        if size > self.limits.max_file || self.bytes > self.limits.max_total {
            return Err(self.content("it is larger than `archive.max_file` or `max_total`"));
        }
        if self.entries > self.limits.max_entries {
            return Err(self.content("it has more files than `archive.max_entries`"));
        }
        Ok(())
    }

    fn content(&self, why: &str) -> GitError {
        GitError::Content { place: self.place.to_owned(), why: why.to_owned() }
    }
}
