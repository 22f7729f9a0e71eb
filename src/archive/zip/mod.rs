//! Zip: the directory is scanned first, and every member's own header with it; then the members are
//! extracted from the same descriptor, two at a time.
//!
//! A zip says most things twice or three times, and programs differ over which of them they
//! believe. So all of them must agree, and every byte must belong to exactly one member.

mod central;
mod end;
mod extra;
mod extract;
mod local;

use super::Options;
use super::clock::Clock;
use super::error::{ArchiveError, Limit, Reason};
use super::gzip::RATIO_FREE;
use super::session::{self, Session};
use crate::config;
use crate::package::file_table::FileTable;
use crate::progress::Watch;
use crate::sys::fs::Dir;
use crate::sys::lanes;
use crate::sys::path::RelPath;
use extract::Scratch;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

/// What is wrong with the frame of a zip archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZipFault {
    /// Zip archives need to be read from a file.
    #[error("cannot be unpacked from a stream")]
    Stream,
    /// There is no end record where it has to be.
    #[error("has no end record at its very end: it is cut off, or no zip archive")]
    NoEnd,
    /// The end record contradicts what is there.
    #[error("has an end record that contradicts the archive")]
    End,
    /// A part of an archive over several disks.
    #[error("is one part of several")]
    Parts,
    /// A zip64 record or field is wrong or out of place.
    #[error("has a wrong zip64 record")]
    Zip64,
    /// The central directory makes no sense.
    #[error("has a damaged central directory")]
    Directory,
    /// It needs a password.
    #[error("is encrypted")]
    Encrypted,
    /// It has flags that change the format.
    #[error("has flags that are not supported")]
    Flags,
    /// It is compressed by something else than deflate.
    #[error("is neither stored nor deflated")]
    Method,
    /// Its extra fields make no sense.
    #[error("has malformed extra fields")]
    Extra,
    /// Its second, Unicode name is another one.
    #[error("has two different names")]
    UnicodePath,
    /// Bytes belong to no member.
    #[error("has bytes before, between or after its entries that belong to none")]
    Gap,
    /// Bytes belong to two members.
    #[error("shares bytes with another entry")]
    Overlap,
    /// Its own header is not as the central directory says.
    #[error("has a header that contradicts the central directory")]
    Local,
    /// The record after its data is not as the central directory says.
    #[error("has a data descriptor that contradicts the central directory")]
    Descriptor,
    /// Its data cannot be inflated, or not to the recorded length.
    #[error("has damaged data")]
    Data,
    /// Its data does not have the recorded checksum.
    #[error("has a wrong checksum")]
    Checksum,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Directory,
    File { executable: bool },
    Link,
}

/// A member whose frame has been found right.
#[derive(Debug)]
struct Member {
    path: RelPath,
    what: What,
    /// Where its data begins.
    data_at: u64,
    packed: u64,
    size: u64,
    crc: u32,
    deflated: bool,
    modified: i64,
}

/// Unpacks the zip archive `packed` into the empty directory `into`.
pub fn unpack_zip(
    packed: &File,
    into: &Dir,
    options: &Options<'_>,
    watch: &dyn Watch,
) -> Result<FileTable, ArchiveError> {
    let clock = Clock::start(options.limits.max_seconds);
    session::fill(into, options, &clock, |session| {
        let scan = Scan { packed, session, scratch: Scratch::new() };
        let members = scan.run(options.limits)?;
        extract(packed, &members, session, watch)
    })
}

/// Reads `room` from `at` on; the archive ends too early otherwise.
fn read_at(packed: &File, room: &mut [u8], at: u64) -> Result<(), ArchiveError> {
    packed.read_exact_at(room, at).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => ArchiveError::zip("", ZipFault::Directory),
        _ => ArchiveError::Read(error),
    })
}

/// What the scan has at hand.
struct Scan<'s, 'a> {
    packed: &'s File,
    session: &'s mut Session<'a>,
    scratch: Scratch,
}

impl Scan<'_, '_> {
    /// Reads and judges everything but the data of files; makes the directories.
    fn run(mut self, limits: &config::Archive) -> Result<Vec<Member>, ArchiveError> {
        let length = self.packed.metadata().map_err(ArchiveError::Read)?.len();
        let end = end::find(self.packed, length)?;
        if end.entries > limits.max_entries {
            return Err(Limit::Entries(limits.max_entries).into());
        }
        let mut records = central::read(self.packed, &end)?;
        records.sort_by_key(|record| record.offset);
        let mut starts: Vec<u64> = records.iter().map(|record| record.offset).collect();
        starts.push(end.directory_at);
        let mut members = Vec::with_capacity(records.len());
        let mut total = 0_u64;
        if starts.first().is_some_and(|first| *first != 0) {
            return Err(ArchiveError::zip("", ZipFault::Gap));
        }
        // Each member ends where the next one begins, so neither gaps nor overlaps are possible.
        for (record, next) in records.iter().zip(starts.into_iter().skip(1)) {
            self.session.ledger.begin_entry()?;
            let data_at = local::check(self.packed, record, next)?;
            total = total.saturating_add(record.size);
            if total > RATIO_FREE && total > length.saturating_mul(limits.max_ratio) {
                return Err(Limit::Ratio(limits.max_ratio).into());
            }
            members.extend(self.admit(record, data_at)?);
        }
        Ok(members)
    }

    /// Enters a member into the ledger and makes its directories; nothing for the root itself.
    fn admit(
        &mut self,
        record: &central::Record,
        data_at: u64,
    ) -> Result<Option<Member>, ArchiveError> {
        let (path, what) = record.judge()?;
        let &central::Record { packed, size, crc, deflated, modified, .. } = record;
        if what == What::Directory && size > 0 {
            return Err(ArchiveError::refused(&record.name, Reason::NameOrType));
        }
        let Some(path) = path else { return Ok(None) };
        let member = Member { path, what, data_at, packed, size, crc, deflated, modified };
        let (path, ledger) = (&member.path, &mut self.session.ledger);
        let made = match what {
            What::Directory => ledger.add_directory(path)?,
            What::File { executable } => ledger.add_file(path, size, mode(executable))?,
            What::Link => {
                let target = self.scratch.link_target(self.packed, &member)?;
                ledger.add_link(path, &target)?
            }
        };
        self.session.place.make_dirs(&made)?;
        if what != What::Directory {
            self.session.place.meet(&member.path)?;
        }
        Ok(Some(member))
    }
}

/// The permission bits of a file.
fn mode(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

fn extract(
    packed: &File,
    members: &[Member],
    session: &mut Session<'_>,
    watch: &dyn Watch,
) -> Result<(), ArchiveError> {
    let scratch = [(); 2].map(|()| (session.place.again(), Scratch::new()));
    let clock = session.clock;
    let digests = lanes::run(members, scratch, |(place, scratch), member| {
        clock.check()?;
        watch.advance(member.packed);
        match member.what {
            What::File { executable } => {
                let mut output = place.create(&member.path, mode(executable), member.size)?;
                scratch.data(packed, member, |piece| {
                    clock.check()?;
                    Ok(output.write(piece)?)
                })?;
                output.finish(member.modified).map(Some)
            }
            What::Directory => scratch.data(packed, member, |_| Ok(())).map(|()| None),
            What::Link => Ok(None),
        }
    })?;
    for (member, digest) in members.iter().zip(digests) {
        if let Some(digest) = digest {
            session.ledger.set_digest(&member.path, digest);
        }
    }
    Ok(())
}
