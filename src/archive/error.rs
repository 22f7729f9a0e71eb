//! Why an archive or a tree is not taken: the entry, the reason, the remedy.
//!
//! Names of entries come from strangers, so they are escaped before they reach a message.

use super::tar::{TarFault, TpkgFault};
use super::zip::ZipFault;
use crate::error::{Exit, Explain, FsError};
use crate::sys::interrupt::Interrupted;
use crate::sys::path::PathError;
use std::io;

/// The longest part of an entry's name that a message shows, in characters.
const SHOWN: usize = 200;

/// Nothing was unpacked; the directory that was to be filled is empty.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// An entry breaks a rule that holds for every kind of archive and for directories.
    #[error("entry `{entry}` {reason}")]
    Refused {
        /// The entry's name, escaped.
        entry: String,
        /// The rule.
        reason: Reason,
    },
    /// The whole holds more than the settings allow.
    #[error(transparent)]
    Limit(#[from] Limit),
    /// The frame of a tar archive is damaged or ambiguous.
    #[error("entry `{entry}` at byte {at} {fault}")]
    Tar {
        /// The entry's name as far as it is known, escaped.
        entry: String,
        /// Where its header begins in the (inflated) archive.
        at: u64,
        /// What is wrong.
        fault: TarFault,
    },
    /// The gzip frame is damaged.
    #[error("the gzip stream {0}")]
    Gzip(#[from] GzipFault),
    /// The bzip2 frame is damaged.
    #[error("the bzip2 stream {0}")]
    Bzip2(#[from] Bzip2Fault),
    /// What is around a tpkg package is not as it has to be.
    #[error(transparent)]
    Tpkg(#[from] TpkgFault),
    /// The frame of a zip archive is damaged or ambiguous.
    #[error("{} {fault}", place(entry))]
    Zip {
        /// The entry's name, escaped; empty where the whole archive is meant.
        entry: String,
        /// What is wrong.
        fault: ZipFault,
    },
    /// The archive's bytes cannot be had; the source's own error is inside.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// A local file operation failed.
    #[error(transparent)]
    File(#[from] FsError),
    /// Somebody asked this process to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The system gives no further thread.
    #[error("cannot start a thread for unpacking")]
    Thread(#[source] io::Error),
    /// After a failure the directory could not be emptied again.
    #[error("cannot empty `{into}` after this failure: {first}")]
    Leftovers {
        /// The directory that still holds something.
        into: String,
        /// The failure that came first.
        first: Box<ArchiveError>,
        /// Why emptying failed.
        #[source]
        source: FsError,
    },
}

fn place(entry: &str) -> String {
    if entry.is_empty() { "the zip archive".into() } else { format!("entry `{entry}`") }
}

/// A rule that every entry obeys, whatever it is packed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Its name is not UTF-8.
    #[error("has a name that is not UTF-8")]
    NotUtf8,
    /// Its name is no path inside a tree.
    #[error("has a name that {0}")]
    Name(#[from] PathError),
    /// Its name has two slashes in a row.
    #[error("has a name with an empty component")]
    EmptyComponent,
    /// Its name has a backslash, which some programs take for a slash.
    #[error("has a backslash in its name")]
    Backslash,
    /// It is called like a directory and is none, or the other way round.
    #[error("has a name and a type of which only one says that it is a directory")]
    NameOrType,
    /// It is neither file, directory, symbolic link nor hard link.
    #[error("is {0}, which no package may hold")]
    Type(&'static str),
    /// Another entry has the same path.
    #[error("is there twice")]
    Duplicate,
    /// Its path is a directory for one entry and something else for another.
    #[error("is a directory and something else at once")]
    Conflict,
    /// Without the top folder, two entries would share this path.
    #[error("has the same path as another once the top folder is taken away")]
    StripConflict,
    /// A hard link to nothing that came before it.
    #[error("is a hard link to `{0}`, which is no earlier file of the archive")]
    HardLink(String),
    /// A symbolic link without a usable target.
    #[error("is a symbolic link whose target is empty, too long or no printable UTF-8")]
    LinkTarget,
    /// A symbolic link that leads out of the tree.
    #[error("is a symbolic link to `{0}`, outside the package")]
    LinkEscapes(String),
    /// Following the links of this tree takes more steps than any honest tree needs.
    #[error("is one of too many symbolic links that lead through each other")]
    LinkMaze,
    /// It is longer than one file may be.
    #[error("is longer than {0} bytes")]
    TooLarge(u64),
}

/// A limit on the whole, from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// `archive.max_entries`
    #[error("there are more than {0} entries, directories included")]
    Entries(u64),
    /// `archive.max_total`
    #[error("the files are longer than {0} bytes together")]
    Total(u64),
    /// `archive.max_ratio`
    #[error("the archive unpacks to more than {0} times its length")]
    Ratio(u64),
    /// `archive.max_seconds`
    #[error("unpacking took longer than {0} s")]
    Seconds(u64),
}

impl Limit {
    fn setting(self) -> &'static str {
        match self {
            Self::Entries(_) => "archive.max_entries",
            Self::Total(_) => "archive.max_total",
            Self::Ratio(_) => "archive.max_ratio",
            Self::Seconds(_) => "archive.max_seconds",
        }
    }
}

/// What is wrong with a gzip frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GzipFault {
    /// The header is not one.
    #[error("has a damaged header")]
    Header,
    /// The compressed data makes no sense.
    #[error("is damaged")]
    Data,
    /// The bytes end too early.
    #[error("is cut off")]
    Truncated,
    /// Checksum or length at its end are wrong.
    #[error("does not have the checksum or length that its end records")]
    Checksum,
    /// Something follows it.
    #[error("is followed by further bytes")]
    Trailing,
}

/// What is wrong with a bzip2 frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bzip2Fault {
    /// The data makes no sense.
    #[error("is damaged or followed by something else")]
    Data,
    /// The bytes end too early.
    #[error("is cut off")]
    Truncated,
}

/// Makes a name from an archive fit for a message: escaped, and not endless.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

impl ArchiveError {
    pub(super) fn refused(name: impl AsRef<[u8]>, reason: Reason) -> Self {
        Self::Refused { entry: shown(name.as_ref()), reason }
    }

    pub(super) fn zip(name: impl AsRef<[u8]>, fault: ZipFault) -> Self {
        Self::Zip { entry: shown(name.as_ref()), fault }
    }
}

const AGAIN: &str = "fetch it again; if it stays so, ask its author for an undamaged archive";
const REBUILD: &str = "ask its author to build it again, with `cart build` or `tpkg --make`";
const REPACK: &str = "ask its author to pack it again: plain relative names, each once, and only \
                      files, directories and links";

impl Explain for ArchiveError {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. }
            | Self::Limit(_)
            | Self::Tar { .. }
            | Self::Gzip(_)
            | Self::Bzip2(_)
            | Self::Tpkg(_)
            | Self::Zip { .. } => Exit::Integrity,
            Self::Interrupted(caught) => caught.exit(),
            Self::File(error) => error.exit(),
            Self::Read(_) | Self::Thread(_) | Self::Leftovers { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { reason: Reason::LinkEscapes(_), .. } => Some(
                "if you trust its author, allow such links with `--allow-external-links`".into(),
            ),
            Self::Refused { reason: Reason::TooLarge(_), .. } => {
                Some("if you trust its author, raise `archive.max_file` in the settings".into())
            }
            Self::Limit(limit) => Some(format!(
                "if you trust its author, raise `{}` in the settings",
                limit.setting()
            )),
            Self::Refused { .. } => Some(REPACK.into()),
            Self::Tpkg(TpkgFault::Mismatch { .. }) => Some(AGAIN.into()),
            Self::Tpkg(_) => Some(REBUILD.into()),
            Self::Tar { .. } | Self::Gzip(_) | Self::Bzip2(_) | Self::Zip { .. } => {
                Some(AGAIN.into())
            }
            Self::Read(_) => Some("check that the source can still be reached".into()),
            Self::Thread(_) => Some("check the limit on processes (`ulimit -u`)".into()),
            Self::File(error) => error.hint(),
            Self::Interrupted(caught) => caught.hint(),
            Self::Leftovers { into, .. } => Some(format!("remove `{into}` by hand")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_entries_are_escaped_and_cut() {
        assert_eq!(shown(b"a\x1b[2Jb\n\xff"), "a\\u{1b}[2Jb\\n\u{fffd}");
        let long = shown(&[b'x'; 5000]);
        assert_eq!(long.chars().count(), SHOWN + 1);
    }

    #[test]
    fn content_is_a_matter_of_integrity_and_a_full_disk_is_not() {
        let refused = ArchiveError::refused("x", Reason::Duplicate);
        assert_eq!(refused.exit(), Exit::Integrity);
        assert_eq!(refused.to_string(), "entry `x` is there twice");
        assert_eq!(ArchiveError::from(Limit::Ratio(200)).exit(), Exit::Integrity);
        let full = FsError::new("write", "/x", io::Error::from_raw_os_error(28));
        let full = ArchiveError::from(full);
        assert_eq!(full.exit(), Exit::Failed);
        assert!(full.hint().is_some_and(|hint| hint.contains("free some space")));
    }
}
