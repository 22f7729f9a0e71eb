//! Tar: one pass over the members, every rule applied as they come.
//!
//! The frame is read here and not by the `tar` crate's reader, because programs differ over exactly
//! the things that such a reader hides: which of several sizes counts, what belongs to which name,
//! what follows the end. The crate's header layout is used.

mod extended;
mod header;
mod tpkg;

pub(super) use header::looks_like_tar;
pub use tpkg::TpkgFault;
pub(super) use tpkg::{looks_like_tpkg, unpack as unpack_tpkg};

use super::error::{ArchiveError, Reason, shown};
use super::ledger::Node;
use super::name;
use super::pipe::Stream;
use super::place::Place;
use super::session::Session;
use crate::sys::path::RelPath;
use extended::Pending;
use header::{BLOCK, Header, Type};

/// What is wrong with the frame of a tar archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TarFault {
    /// The very first header makes no sense.
    #[error("is no tar header: this is no tar archive")]
    NotTar,
    /// The header's checksum is wrong.
    #[error("has a header with a wrong checksum")]
    Checksum,
    /// A number in a header is none.
    #[error("has a header whose {0} is no valid number")]
    Number(&'static str),
    /// A header of the old form with what only the newer forms have.
    #[error("has a header that programs read differently")]
    AmbiguousHeader,
    /// Something that has no content claims some.
    #[error("has no content by its type but claims some")]
    SizeWithoutContent,
    /// The archive ends inside an entry.
    #[error("is cut off")]
    Truncated,
    /// Something else than zeros follows the end.
    #[error("lies after the end of the archive")]
    AfterEnd,
    /// A PAX record makes no sense.
    #[error("has a malformed PAX header")]
    Pax,
    /// A PAX or long-name record is over 64 KiB.
    #[error("has a PAX or long-name header over 64 KiB")]
    ExtensionTooLong,
    /// A global PAX header would change every entry.
    #[error("is a global PAX header that sets `{0}`")]
    Global(&'static str),
    /// One member has two headers of a kind.
    #[error("has two extended headers of one kind")]
    Repeated,
    /// Extended headers disagree.
    #[error("has extended headers that contradict each other")]
    Contradiction,
    /// An extended header without a member after it.
    #[error("has extended headers but no member follows them")]
    Pending,
    /// A sparse file: what it holds depends on the program.
    #[error("is a sparse file")]
    Sparse,
}

/// One member, with all that its headers say together.
struct Member {
    /// Its name as stored, for messages.
    raw: Vec<u8>,
    /// Its judged name.
    name: name::Name,
    kind: Type,
    link: Vec<u8>,
    size: u64,
    mode: u32,
    modified: i64,
}

/// Unpacks the archive in `stream`.
pub(super) fn unpack(stream: &mut Stream, session: &mut Session<'_>) -> Result<(), ArchiveError> {
    walk(stream, session, &mut place)
}

/// What is done with each member; it has to take its content and the padding from the stream.
type Each<'e> = &'e mut dyn FnMut(&mut Stream, &mut Session<'_>, &Member) -> Result<(), Stop>;

/// Calls `each` for the members of the archive in `stream`, up to its very last byte.
fn walk(
    stream: &mut Stream,
    session: &mut Session<'_>,
    each: Each<'_>,
) -> Result<(), ArchiveError> {
    let mut pending = Pending::default();
    let mut first = true;
    loop {
        let at = stream.position();
        let fail = |entry: &[u8], fault| ArchiveError::Tar { entry: shown(entry), at, fault };
        let mut block = [0; BLOCK];
        let got = stream.read(&mut block)?;
        if got == 0 && !first {
            // No end marker: every program takes that, and gzip or the source count the bytes.
            return pending.none_left().map_err(|fault| fail(b"", fault));
        }
        if got < BLOCK {
            let fault = if first { TarFault::NotTar } else { TarFault::Truncated };
            return Err(fail(b"", fault));
        }
        if block.iter().all(|byte| *byte == 0) {
            pending.none_left().map_err(|fault| fail(b"", fault))?;
            return only_zeros(stream, session);
        }
        let header = Header::parse(&block).map_err(|fault| match fault {
            _ if first => fail(b"", TarFault::NotTar),
            fault => fail(header::name_of(&block), fault),
        })?;
        first = false;
        if header.kind.is_extension() {
            extension(stream, session, &mut pending, &header).map_err(|stop| match stop {
                Stop::Fault(fault) => fail(&header.name, fault),
                Stop::Error(error) => error,
            })?;
            continue;
        }
        let raw = header.name.clone();
        let done = pending.take().apply(header);
        done.and_then(|member| each(stream, session, &member)).map_err(|stop| match stop {
            Stop::Fault(fault) => fail(&raw, fault),
            Stop::Error(error) => error,
        })?;
    }
}

/// Why work on an entry stops: a fault of the frame, which still has to learn its place, or an
/// error that knows it.
enum Stop {
    Fault(TarFault),
    Error(ArchiveError),
}

impl From<TarFault> for Stop {
    fn from(fault: TarFault) -> Self {
        Self::Fault(fault)
    }
}

impl<E: Into<ArchiveError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

fn only_zeros(stream: &mut Stream, session: &mut Session<'_>) -> Result<(), ArchiveError> {
    loop {
        let at = stream.position();
        let piece = stream.take(u64::MAX)?;
        if piece.is_empty() {
            return Ok(());
        }
        if piece.iter().any(|byte| *byte != 0) {
            return Err(ArchiveError::Tar { entry: String::new(), at, fault: TarFault::AfterEnd });
        }
        let length = piece.len() as u64;
        session.ledger.charge(length)?;
        session.clock.check()?;
    }
}

/// Reads the body of an extended header into `pending`.
fn extension(
    stream: &mut Stream,
    session: &mut Session<'_>,
    pending: &mut Pending,
    header: &Header,
) -> Result<(), Stop> {
    let size = usize::try_from(header.size).unwrap_or(usize::MAX);
    if size > extended::LONGEST {
        return Err(TarFault::ExtensionTooLong.into());
    }
    if header.kind == Type::PaxGlobal {
        session.ledger.begin_entry()?;
    }
    session.ledger.charge(header.size)?;
    let mut body = vec![0; size];
    if stream.read(&mut body)? < size {
        return Err(TarFault::Truncated.into());
    }
    skip_padding(stream, header.size)?;
    Ok(pending.add(header.kind, &body)?)
}

/// Skips what fills the last block of `size` bytes.
fn skip_padding(stream: &mut Stream, size: u64) -> Result<(), Stop> {
    let mut block = [0; BLOCK];
    let length = usize::try_from(size.wrapping_neg() % BLOCK as u64).unwrap_or(0);
    let padding = block.get_mut(..length).unwrap_or_default();
    if stream.read(padding)? < length { Err(TarFault::Truncated.into()) } else { Ok(()) }
}

fn place(stream: &mut Stream, session: &mut Session<'_>, member: &Member) -> Result<(), Stop> {
    session.ledger.begin_entry()?;
    let refuse = |reason| Stop::Error(ArchiveError::refused(&member.raw, reason));
    if member.name.slash && member.kind != Type::Directory {
        return Err(refuse(Reason::NameOrType));
    }
    if member.kind != Type::File && member.size != 0 {
        return Err(TarFault::SizeWithoutContent.into());
    }
    let Some(path) = &member.name.path else {
        return match member.kind {
            Type::Directory => Ok(()),
            _ => Err(refuse(Reason::NameOrType)),
        };
    };
    match member.kind {
        Type::Directory => {
            let made = session.ledger.add_directory(path)?;
            session.ledger.note_folder(path, member.mode);
            Ok(session.place.make_dirs(&made)?)
        }
        Type::File | Type::Old => file(stream, session, member, path),
        Type::Link => {
            let made = session.ledger.add_link(path, &member.link)?;
            Ok(session.place.make_dirs(&made)?)
        }
        Type::HardLink => hard_link(session, member, path),
        Type::Other(what) => Err(refuse(Reason::Type(what))),
        // `unpack` has dealt with them.
        Type::Pax | Type::PaxGlobal | Type::LongName | Type::LongLink => Ok(()),
    }
}

fn file(
    stream: &mut Stream,
    session: &mut Session<'_>,
    member: &Member,
    path: &RelPath,
) -> Result<(), Stop> {
    let made = session.ledger.add_file(path, member.size, member.mode)?;
    session.place.make_dirs(&made)?;
    let mut output = session.place.create(path, member.mode, member.size)?;
    let mut left = member.size;
    while left > 0 {
        let piece = stream.take(left)?;
        if piece.is_empty() {
            return Err(TarFault::Truncated.into());
        }
        output.write(piece)?;
        left -= piece.len() as u64;
        session.clock.check()?;
    }
    session.ledger.set_digest(path, output.finish(member.modified)?);
    skip_padding(stream, member.size)
}

/// A hard link becomes one more file of its own: shared inodes would let a change of one file
/// change another, and root refuse to hand over its owner.
fn hard_link(session: &mut Session<'_>, member: &Member, path: &RelPath) -> Result<(), Stop> {
    let nothing = || {
        let reason = Reason::HardLink(shown(&member.link));
        Stop::Error(ArchiveError::refused(&member.raw, reason))
    };
    let target = name::parse(&member.link).map_err(|_| nothing())?;
    let target = target.path.filter(|_| !target.slash).ok_or_else(nothing)?;
    match session.ledger.get(&target).cloned() {
        Some(Node::File { size, mode, sha256 }) => {
            let made = session.ledger.add_file(path, size, mode)?;
            let place: &mut Place<'_> = &mut session.place;
            place.make_dirs(&made)?;
            place.copy(&target, path, mode)?;
            session.ledger.set_digest(path, sha256);
            Ok(())
        }
        Some(Node::Link(text)) => {
            let made = session.ledger.add_link(path, text.as_bytes())?;
            Ok(session.place.make_dirs(&made)?)
        }
        Some(Node::Directory) | None => Err(nothing()),
    }
}
