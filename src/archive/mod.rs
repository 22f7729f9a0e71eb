//! From an archive or a directory to a staged tree, safely and fast.
//!
//! Invariant: what is unpacked lies below the directory that was given, is nothing but files,
//! directories and symbolic links, and is exactly what the returned [`FileTable`] says; whatever is
//! refused leaves that directory empty. Where programs would read an archive differently, it is
//! refused. This module never calls `tar::Archive::unpack` or `zip::ZipArchive::extract`, makes
//! every file anew through [`crate::sys::fs::Dir`], and knows nothing of sources and formats. The way
//! back is [`Zipper`].
//!
//! Times of change are kept for files. Progress counts bytes of the archive (of files, for a
//! directory); the caller opens and ends the phase.

mod bzip2;
mod clock;
mod digests;
mod error;
mod gzip;
mod inflate;
mod ledger;
mod links;
mod name;
mod older;
mod pipe;
mod place;
pub mod sealed;
mod session;
mod tar;
mod top;
mod walk;
mod zip;
mod zipper;

pub use error::{ArchiveError, Bzip2Fault, GzipFault, Limit, Reason};
pub use older::Older;
pub use tar::{TarFault, TpkgFault};
pub use walk::{import, survey};
pub use zip::{ZipFault, unpack_zip};
pub use zipper::Zipper;

use crate::config;
use crate::package::file_table::FileTable;
use crate::progress::Watch;
use crate::sys::fs::Dir;
use clock::Clock;
use gzip::Gunzip;
use pipe::{Input, Producer};
use std::io::Read;

/// The kinds of archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.zip`
    Zip,
    /// `.tpkg`: a tar archive of a checksum and one more tar archive.
    Tpkg,
}

/// Which symbolic links are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Those that stay inside the tree, also by way of others.
    Contained,
    /// Those that stay inside the tree, and all that lie in these folders at the top: what is in
    /// them belongs to another place, where they may lead wherever they like.
    ContainedBut(&'static [&'static str]),
    /// All.
    External,
}

/// Which modes the files get on disk. The [`FileTable`] has 0755 and 0644, but for the exact
/// ones: there it has what the archive says, without setuid, setgid and sticky bits, and always
/// with the owner's read bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modes {
    /// 0755 and 0644.
    AsPacked,
    /// The same without write bits, directories included; only the top keeps its mode.
    ReadOnly,
    /// The same, but the owner's write bit stays in the folder of that name at the top: what is
    /// copied from there with `cp` gets the modes that it finds, and has to be writable.
    ReadOnlyBut(&'static str),
    /// What the table says.
    Exact,
    /// The same, and directories get theirs of the archive, with all of their owner's bits: the way
    /// back of what is nobody's package but somebody's data.
    Kept,
    /// The same without write bits. Directories keep that of their owner: what is in them will be
    /// moved out, which everybody but root needs it for.
    ExactReadOnly,
}

/// Whether a single top folder is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// Exactly one top entry that is not hidden, and it is a directory: what it holds moves up one
    /// level; hidden entries beside it stay (node specification, 2.1).
    SingleTop,
    /// Nothing is.
    Nothing,
}

/// How an archive is to be unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// What it may hold.
    pub limits: &'a config::Archive,
    /// Which symbolic links are taken.
    pub links: Links,
    /// Which modes the files get on disk.
    pub modes: Modes,
    /// Whether a single top folder is taken away.
    pub strip: Strip,
    /// Where files may lie already that are linked then, not written.
    pub older: Option<&'a Older<'a>>,
}

/// How many bytes [`detect`] wants to see.
pub const HEAD: usize = 8 << 10;

/// Tells the kind of an archive by its first bytes: [`HEAD`] of them, or all there are.
pub fn detect(head: &[u8]) -> Option<Kind> {
    // A zip begins with a member; an empty one with its end record.
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        Some(Kind::Zip)
    } else if head.starts_with(&[0x1f, 0x8b]) {
        Some(Kind::TarGz)
    } else if tar::looks_like_tpkg(head) {
        Some(Kind::Tpkg)
    } else if tar::looks_like_tar(head) {
        Some(Kind::Tar)
    } else {
        None
    }
}

/// Unpacks the `.tar`, `.tar.gz` or `.tpkg` that `packed` gives into the empty directory `into`, in one
/// pass. On success `packed` has been read to its end; what it fails with is found in
/// [`ArchiveError::Read`].
pub fn unpack_stream(
    kind: Kind,
    packed: &mut (dyn Read + Send),
    into: &Dir,
    options: &Options<'_>,
    watch: &dyn Watch,
) -> Result<FileTable, ArchiveError> {
    let clock = Clock::start(options.limits.max_seconds);
    let input = Input::new(packed, &clock, watch);
    let producer = match kind {
        Kind::Tar | Kind::Tpkg => Producer::Plain(input),
        Kind::TarGz => Producer::Gzip(Box::new(Gunzip::new(input, options.limits.max_ratio))),
        Kind::Zip => return Err(ArchiveError::zip("", ZipFault::Stream)),
    };
    let options = if kind == Kind::Tpkg { options.for_tpkg() } else { *options };
    session::fill(into, &options, &clock, |session| {
        pipe::run(producer, |stream| match kind {
            Kind::Tpkg => tar::unpack_tpkg(stream, session, &options),
            _ => tar::unpack(stream, session),
        })
    })
}

impl Options<'_> {
    /// The same for the tree of a tpkg package: what lies in `reloc` and `root` will be put
    /// elsewhere, so its modes stay exact and its links free.
    #[must_use]
    pub fn for_tpkg(&self) -> Self {
        let links = match self.links {
            Links::External => Links::External,
            Links::Contained | Links::ContainedBut(_) => Links::ContainedBut(&["reloc", "root"]),
        };
        let modes = match self.modes {
            Modes::AsPacked | Modes::Exact | Modes::Kept => Modes::Exact,
            Modes::ReadOnly | Modes::ReadOnlyBut(_) | Modes::ExactReadOnly => Modes::ExactReadOnly,
        };
        Self { links, modes, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_by_content() {
        let mut header = ::tar::Header::new_old();
        header.set_cksum();
        assert_eq!(detect(header.as_bytes()), Some(Kind::Tar), "by its checksum");
        assert_eq!(detect(&[0; 1024]), Some(Kind::Tar), "an empty archive");
        assert_eq!(detect(&[0; 511]), None);
        assert_eq!(detect(&[0x1f, 0x8b, 8]), Some(Kind::TarGz));
        assert_eq!(detect(b"PK\x03\x04"), Some(Kind::Zip));
        assert_eq!(detect(b"PK\x05\x06"), Some(Kind::Zip));
        for other in [&b""[..], b"PK", b"<!DOCTYPE html>", &[b'x'; 600]] {
            assert_eq!(detect(other), None);
        }
    }
}
