//! Directories instead of archives: taking one in under the same rules, and reading what lies
//! there already.

use super::clock::Clock;
use super::error::{ArchiveError, Reason};
use super::ledger::Ledger;
use super::session::{self, Session};
use super::{Options, links, name};
use crate::error::FsError;
use crate::package::digest::Sha256;
use crate::package::file_table::FileTable;
use crate::progress::Watch;
use crate::sys::fs::{Dir, Kind};
use crate::sys::lanes;
use crate::sys::path::RelPath;
use sha2::Digest;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

/// How many bytes of a file are read at a time.
const PIECE: usize = 256 << 10;

/// Copies the directory `from` into the empty directory `into`, under the rules for archives.
/// Files with several names become files of their own.
pub fn import(
    from: &Dir,
    into: &Dir,
    options: &Options<'_>,
    watch: &dyn Watch,
) -> Result<FileTable, ArchiveError> {
    let clock = Clock::start(options.limits.max_seconds);
    session::fill(into, options, &clock, |session| {
        let (files, dirs) = list(from, &mut session.ledger)?;
        session.place.make_dirs(&dirs)?;
        let mut buffer = vec![0; PIECE];
        for file in &files {
            copy(from, file, session, &mut buffer)?;
            watch.advance(file.size);
        }
        Ok(())
    })
}

/// Reads the tree `tree`: what is there, and the digest of each file. The rules for archives hold,
/// but for modes, which may be any.
pub fn survey(
    tree: &Dir,
    options: &Options<'_>,
    watch: &dyn Watch,
) -> Result<FileTable, ArchiveError> {
    let clock = Clock::start(options.limits.max_seconds);
    let mut ledger = Ledger::new(options, &clock);
    let (files, _) = list(tree, &mut ledger)?;
    let digests = lanes::run(&files, [vec![0; PIECE], vec![0; PIECE]], |buffer, file| {
        let mut hash = sha2::Sha256::new();
        read(tree, file, (&clock, buffer), |piece| {
            hash.update(piece);
            Ok(())
        })?;
        watch.advance(file.size);
        Ok::<_, ArchiveError>(Sha256(hash.finalize().into()))
    })?;
    for (file, digest) in files.iter().zip(digests) {
        ledger.set_digest(&file.path, digest);
    }
    let table = FileTable::new(ledger.into_entries());
    links::check(&table, options.links, &clock)?;
    Ok(table)
}

/// A file that was met.
struct Found {
    path: RelPath,
    size: u64,
    mode: u32,
}

/// What a tree holds, while it is walked.
struct Walk<'w, 'a> {
    ledger: &'w mut Ledger<'a>,
    files: Vec<Found>,
    /// Each after the one that holds it.
    dirs: Vec<RelPath>,
}

/// Enters what is in `tree` into `ledger`; returns its files, and its directories.
fn list(tree: &Dir, ledger: &mut Ledger<'_>) -> Result<(Vec<Found>, Vec<RelPath>), ArchiveError> {
    let mut walk = Walk { ledger, files: Vec::new(), dirs: Vec::new() };
    walk.enter(tree, None)?;
    Ok((walk.files, walk.dirs))
}

impl Walk<'_, '_> {
    // Ends with the depth that `RelPath` allows.
    fn enter(&mut self, dir: &Dir, above: Option<&RelPath>) -> Result<(), ArchiveError> {
        for entry in dir.names()? {
            self.ledger.begin_entry()?;
            let raw = match above {
                Some(above) => [above.as_str().as_bytes(), b"/", entry.as_bytes()].concat(),
                None => entry.as_bytes().to_vec(),
            };
            let refuse = |reason| ArchiveError::refused(&raw, reason);
            let Some(path) = name::parse(&raw).map_err(refuse)?.path else { continue };
            let gone = || FsError::new("look at", dir.path_of(&entry), ErrorKind::NotFound);
            let meta = dir.meta(&entry)?.ok_or_else(gone)?;
            match meta.kind {
                Kind::Directory => {
                    self.ledger.add_directory(&path)?;
                    self.dirs.push(path.clone());
                    self.enter(&dir.dir(&entry)?, Some(&path))?;
                }
                Kind::File => {
                    self.ledger.add_file(&path, meta.size, meta.mode)?;
                    self.files.push(Found { path, size: meta.size, mode: meta.mode });
                }
                Kind::Link => {
                    let target = dir.link_target(&entry)?;
                    self.ledger.add_link(&path, target.as_os_str().as_bytes())?;
                }
                Kind::Other => return Err(refuse(Reason::Type("a device, pipe or socket"))),
            }
        }
        Ok(())
    }
}

/// Opens the file `found` of `tree` and gives its bytes to `sink`, piece by piece.
fn read(
    tree: &Dir,
    found: &Found,
    (clock, buffer): (&Clock, &mut [u8]),
    mut sink: impl FnMut(&[u8]) -> Result<(), FsError>,
) -> Result<File, ArchiveError> {
    let fail = |error: std::io::Error| FsError::new("read", tree.path_of(&found.path), error);
    let mut file = tree.open_file(&found.path)?;
    let mut left = found.size;
    loop {
        clock.check()?;
        let piece = match file.read(buffer) {
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(fail(error).into()),
        };
        let count = piece.len() as u64;
        // A longer file would also get past the limits.
        if count > left || count == 0 && left > 0 {
            return Err(fail(std::io::Error::other("it changes while it is read")).into());
        }
        if count == 0 {
            return Ok(file);
        }
        sink(piece)?;
        left -= count;
    }
}

fn copy(
    from: &Dir,
    found: &Found,
    session: &mut Session<'_>,
    buffer: &mut [u8],
) -> Result<(), ArchiveError> {
    let mut output = session.place.create(&found.path, found.mode, found.size)?;
    let file = read(from, found, (session.clock, buffer), |piece| output.write(piece))?;
    let fail = |error| FsError::new("look at", from.path_of(&found.path), error);
    let modified = file.metadata().map_err(fail)?.mtime();
    session.ledger.set_digest(&found.path, output.finish(modified)?);
    Ok(())
}
