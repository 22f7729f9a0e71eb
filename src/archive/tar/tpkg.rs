//! The tar archive around a tpkg package: one folder with `checksum.xml` and `tpkg.tar`, which may
//! be compressed, in either order.
//!
//! Everything happens in one pass: the inner archive is unpacked into staging and hashed while it
//! arrives, and judged when both members have come. Stricter than the original: a list of no
//! checksums is none, nothing else may lie in the folder, and no second folder beside it.

mod checksum;
mod fault;

pub use fault::TpkgFault;

use super::extended::Pending;
use super::header::{BLOCK, Header, Type};
use super::{Member, Stop, TarFault, skip_padding};
use crate::archive::Options;
use crate::archive::bzip2::Bunzip;
use crate::archive::clock::Clock;
use crate::archive::digests::{Algorithm, Digests};
use crate::archive::error::{ArchiveError, shown};
use crate::archive::gzip::Gunzip;
use crate::archive::pipe::{self, Input, Producer, Stream};
use crate::archive::session::Session;
use crate::progress::Nobody;
use crate::sys::path::RelPath;
use std::io::{self, Read};

/// The folder in the inner archive that is the package.
const INNER: &str = "tpkg";
/// The longest `checksum.xml`.
const LONGEST_CHECKSUMS: u64 = 64 << 10;

/// How the inner archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Bzip2,
}

impl Packing {
    fn of(name: &str) -> Option<Self> {
        match name {
            "tpkg.tar" => Some(Self::Plain),
            "tpkg.tar.gz" => Some(Self::Gzip),
            "tpkg.tar.bz2" => Some(Self::Bzip2),
            _ => None,
        }
    }
}

/// Tells whether `head` begins like the archive of a tpkg package: its first file is one of the two.
pub(in crate::archive) fn looks_like_tpkg(head: &[u8]) -> bool {
    let mut pending = Pending::default();
    let mut rest = head;
    loop {
        let Some((block, after)) = rest.split_first_chunk::<BLOCK>() else { return false };
        let Ok(header) = Header::parse(block) else { return false };
        let size = usize::try_from(header.size).unwrap_or(usize::MAX);
        if header.kind.is_extension() {
            let Some((body, after)) = after.split_at_checked(size) else { return false };
            if pending.add(header.kind, body).is_err() {
                return false;
            }
            rest = after.get(size.wrapping_neg() % BLOCK..).unwrap_or_default();
            continue;
        }
        let Ok(Member { name, kind, .. }) = pending.take().apply(header) else { return false };
        match (kind, name.path) {
            (Type::Directory, _) => rest = after,
            (_, Some(path)) if path.components().count() == 2 => {
                // Anybody's archive may have a file of that name.
                let begins = String::from_utf8_lossy(after.get(..BLOCK).unwrap_or(after));
                let checksums = path.name() == "checksum.xml" && begins.contains("<tpkg_checksums");
                return checksums || Packing::of(path.name()).is_some();
            }
            _ => return false,
        }
    }
}

/// Unpacks the package in `stream`.
pub(in crate::archive) fn unpack(
    stream: &mut Stream,
    session: &mut Session<'_>,
    options: &Options<'_>,
) -> Result<(), ArchiveError> {
    let mut outer = Outer { max_ratio: options.limits.max_ratio, ..Outer::default() };
    super::walk(stream, session, &mut |stream, session, member| {
        outer.member(stream, session, member)
    })?;
    outer.judge()
}

/// What has come of the outer archive.
#[derive(Default)]
struct Outer {
    max_ratio: u64,
    top: Option<String>,
    expected: Option<Vec<(Algorithm, String)>>,
    seen: Option<Vec<(Algorithm, String)>>,
}

impl Outer {
    fn member(
        &mut self,
        stream: &mut Stream,
        session: &mut Session<'_>,
        member: &Member,
    ) -> Result<(), Stop> {
        let Some(path) = &member.name.path else { return Ok(()) };
        let name = self.name_in_top(path, member.kind)?;
        match (member.kind, name) {
            (Type::Directory, None) if member.size == 0 => Ok(()),
            (Type::File | Type::Old, Some("checksum.xml")) => {
                self.checksums(stream, member.size)?;
                skip_padding(stream, member.size)
            }
            (Type::File | Type::Old, Some(name)) => {
                match Packing::of(name) {
                    Some(packing) => self.inner(stream, session, (member.size, packing))?,
                    // What the archivers of some systems add.
                    None if name.starts_with('.') => pass_over(stream, session, member.size)?,
                    None => return Err(TpkgFault::Unexpected(shown(&member.raw)).into()),
                }
                skip_padding(stream, member.size)
            }
            _ => Err(TpkgFault::Unexpected(shown(&member.raw)).into()),
        }
    }

    /// The name of `path` in the one top folder; nothing for the folder itself.
    fn name_in_top<'p>(
        &mut self,
        path: &'p RelPath,
        kind: Type,
    ) -> Result<Option<&'p str>, TpkgFault> {
        let top = self.top.get_or_insert_with(|| path.top().to_owned());
        if path.top() != top {
            return Err(TpkgFault::SecondTop(shown(path.as_str().as_bytes())));
        }
        let mut below = path.components().skip(1);
        match (below.next(), below.next()) {
            (None, _) if kind == Type::Directory => Ok(None),
            (Some(name), None) if kind != Type::Directory => Ok(Some(name)),
            _ => Err(TpkgFault::TopLevel(shown(path.as_str().as_bytes()))),
        }
    }

    fn checksums(&mut self, stream: &mut Stream, size: u64) -> Result<(), Stop> {
        if size > LONGEST_CHECKSUMS {
            return Err(TpkgFault::Checksums("is too long".into()).into());
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        if stream.read(&mut bytes)? < bytes.len() {
            return Err(TarFault::Truncated.into());
        }
        if self.expected.replace(checksum::read(&bytes)?).is_some() {
            return Err(TpkgFault::Twice("checksum.xml").into());
        }
        Ok(())
    }

    /// Unpacks the inner archive of `size` packed bytes.
    fn inner(
        &mut self,
        stream: &mut Stream,
        session: &mut Session<'_>,
        (size, packing): (u64, Packing),
    ) -> Result<(), Stop> {
        if self.seen.is_some() {
            return Err(TpkgFault::Twice("tpkg.tar").into());
        }
        let wanted: Option<Vec<Algorithm>> =
            self.expected.as_ref().map(|list| list.iter().map(|(one, _)| *one).collect());
        let mut digests = Digests::begin(wanted.as_deref());
        let mut part = Part { stream, left: size, failure: None };
        // Time spent waiting is counted where the bytes come from.
        let clock = Clock::start(u64::MAX);
        let input = Input::new(&mut part, &clock, &Nobody);
        let producer = match packing {
            Packing::Plain => Producer::Plain(input),
            Packing::Gzip => Producer::Gzip(Box::new(Gunzip::new(input, self.max_ratio))),
            Packing::Bzip2 => Producer::Bzip2(Box::new(Bunzip::new(input, self.max_ratio))),
        };
        let producer = Producer::Hashed(Box::new(producer), &mut digests);
        let unpacked = pipe::run(producer, |inner| super::unpack(inner, session));
        if let Some(failure) = part.failure {
            return Err(failure.into());
        }
        unpacked?;
        if part.left > 0 {
            return Err(TarFault::Truncated.into());
        }
        if !session.ledger.lies_in(INNER) {
            return Err(TpkgFault::InnerTop.into());
        }
        self.seen = Some(digests.finish());
        Ok(())
    }

    /// Compares what was said with what came.
    fn judge(self) -> Result<(), ArchiveError> {
        let expected = self.expected.ok_or(TpkgFault::Missing("checksum.xml"))?;
        let seen = self.seen.ok_or(TpkgFault::Missing("tpkg.tar"))?;
        for (algorithm, expected) in expected {
            let found = seen.iter().find(|(one, _)| *one == algorithm);
            let found = found.map_or("", |(_, digest)| digest.as_str());
            if found != expected {
                let (algorithm, found) = (algorithm.name(), found.to_owned());
                return Err(TpkgFault::Mismatch { algorithm, expected, found }.into());
            }
        }
        Ok(())
    }
}

fn pass_over(stream: &mut Stream, session: &mut Session<'_>, size: u64) -> Result<(), Stop> {
    session.ledger.charge(size)?;
    let mut left = size;
    while left > 0 {
        let length = stream.take(left)?.len() as u64;
        if length == 0 {
            return Err(TarFault::Truncated.into());
        }
        left -= length;
        session.clock.check()?;
    }
    Ok(())
}

/// The content of one member of the outer archive.
struct Part<'a> {
    stream: &'a mut Stream,
    left: u64,
    /// Why no more can be read; kept, because a reader's own error cannot say it.
    failure: Option<ArchiveError>,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(buffer.len() as u64);
        let piece = match self.stream.take(most) {
            Ok(piece) => piece,
            Err(error) => {
                self.failure = Some(error);
                return Err(io::Error::other("the archive around it cannot be read"));
            }
        };
        if let Some(room) = buffer.get_mut(..piece.len()) {
            room.copy_from_slice(piece);
        }
        self.left -= piece.len() as u64;
        Ok(piece.len())
    }
}

#[cfg(test)]
mod tests;
