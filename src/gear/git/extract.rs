//! Unpacking what `git archive` writes, below a descriptor.

use super::super::owner::Account;
use super::GitError;
use crate::config;
use crate::sys::fs::Dir;
use crate::sys::interrupt;
use crate::sys::path::RelPath;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes are read and written at a time.
const PIECE: usize = 256 << 10;

/// What may be unpacked, and how much of it was, by all who unpack one commit.
pub(super) struct Tally<'a> {
    limits: &'a config::Archive,
    entries: AtomicU64,
    bytes: AtomicU64,
    files: AtomicU64,
}

impl<'a> Tally<'a> {
    pub(super) fn new(limits: &'a config::Archive) -> Self {
        let [entries, bytes, files] = [0; 3].map(AtomicU64::new);
        Self { limits, entries, bytes, files }
    }

    /// How many files and links there were.
    pub(super) fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Adds an entry of `size` bytes; gives the reason where it is one too many.
    fn count(&self, size: u64) -> Result<(), &'static str> {
        let entries = self.entries.fetch_add(1, Ordering::Relaxed) + 1;
        // Git has all these bytes: their sum is far from what 64 bits hold.
        let is_large = size > self.limits.max_file
            || self.bytes.fetch_add(size, Ordering::Relaxed).saturating_add(size)
                > self.limits.max_total;
        if is_large {
            return Err("it is larger than `archive.max_file` or `max_total`");
        }
        if entries > self.limits.max_entries {
            return Err("it has more files than `archive.max_entries`");
        }
        Ok(())
    }
}

/// Unpacks the tar stream `stream` into `into`, for the owner that is named.
pub(super) fn extract(
    stream: impl Read,
    (into, owner): (&Dir, Option<Account>),
    tally: &Tally<'_>,
    place: &Path,
) -> Result<(), GitError> {
    let mut unpacking =
        Unpacking { into, owner, tally, place, known: HashSet::new(), buffer: vec![0; PIECE] };
    // Headers come in small pieces, and are no system calls of their own.
    let mut archive = tar::Archive::new(BufReader::with_capacity(PIECE, stream));
    for entry in archive.entries().map_err(read_error)? {
        unpacking.take(entry.map_err(read_error)?)?;
    }
    // Git pads its archive; it must be able to write all of it, or it ends by a signal.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(read_error)?;
    Ok(())
}

fn read_error(source: io::Error) -> GitError {
    GitError::Run { action: "archive".into(), source }
}

struct Unpacking<'a> {
    into: &'a Dir,
    owner: Option<Account>,
    tally: &'a Tally<'a>,
    place: &'a Path,
    /// The directories that are there.
    known: HashSet<RelPath>,
    buffer: Vec<u8>,
}

impl Unpacking<'_> {
    fn take<R: Read>(&mut self, mut entry: tar::Entry<'_, R>) -> Result<(), GitError> {
        interrupt::check()
            .map_err(|error| read_error(io::Error::new(io::ErrorKind::Interrupted, error)))?;
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(()); // The commit's name, as a comment.
        }
        self.tally.count(entry.size()).map_err(|why| self.content(why))?;
        let path = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| self.content("a name is not UTF-8"))?;
        let path = RelPath::parse(&path).map_err(|error| {
            self.content(&format!("the path `{}` {error}", path.escape_debug()))
        })?;
        if kind.is_dir() {
            return self.make_dirs(path);
        }
        if let Some(parent) = path.parent() {
            self.make_dirs(parent)?;
        }
        self.tally.files.fetch_add(1, Ordering::Relaxed);
        if kind.is_symlink() {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            self.into.make_link(&path, OsStr::from_bytes(&target))?;
            return self.own(&path);
        }
        if !kind.is_file() {
            return Err(self.content(&format!("`{path}` is neither file, directory nor link")));
        }
        let runs = entry.header().mode().unwrap_or(0) & 0o100 != 0;
        let mode = if runs { 0o755 } else { 0o644 };
        let mut file = self.into.create_file(&path, mode)?;
        self.copy(&mut entry, &mut file).map_err(read_error)?;
        if let Some(Account { uid, gid }) = self.owner {
            fchown(&file, Some(uid), Some(gid)).map_err(read_error)?;
        }
        // Whatever the mask of this process, and the defaults of the directory.
        file.set_permissions(Permissions::from_mode(mode)).map_err(read_error)
    }

    /// Makes the directory `path` and those that lead to it, where nobody has.
    fn make_dirs(&mut self, path: RelPath) -> Result<(), GitError> {
        if self.known.contains(&path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_dirs(parent)?;
        }
        match self.into.make_dir(&path, 0o755) {
            Ok(()) => self.own(&path)?,
            // By who unpacks the other half.
            Err(error) if error.is_already_there() => {}
            Err(error) => return Err(error.into()),
        }
        self.known.insert(path);
        Ok(())
    }

    fn own(&self, path: &RelPath) -> Result<(), GitError> {
        match self.owner {
            Some(Account { uid, gid }) => Ok(self.into.set_owner(path, uid, gid)?),
            None => Ok(()),
        }
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

    fn content(&self, why: &str) -> GitError {
        GitError::Content { place: self.place.to_owned(), why: why.to_owned() }
    }
}
