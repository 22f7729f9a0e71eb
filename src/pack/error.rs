//! Why nothing could be packed.

use crate::archive::ArchiveError;
use crate::error::{Exit, Explain, Failure, FsError};
use crate::format::ManifestError;
use crate::format::tpkg::crypt::CryptError;
use std::io;

/// Why nothing could be packed; no file was made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The directory is no package, or its metadata make no sense.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What lies in the directory cannot be packed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file operation.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
    /// A file is no longer what it was a moment ago.
    #[error("`{0}` changes while it is packed")]
    Changes(String),
    /// A file cannot be encrypted.
    #[error("cannot encrypt `{file}`: {why}")]
    Crypt {
        /// The file, in the package.
        file: String,
        /// Why.
        why: CryptError,
    },
    /// A file that should have been encrypted before is not.
    #[error("`{0}` says that it is encrypted already (`precrypt`), but it is not")]
    NotPrecrypted(String),
    /// No passphrase was to be had.
    #[error("{}", .0.summary)]
    Passphrase(Failure),
    /// The file would be packed into itself.
    #[error("`{inner}` lies inside `{outer}`, so that the package would become a part of itself")]
    Inside {
        /// Where the file would be made.
        inner: String,
        /// The source directory.
        outer: String,
    },
    /// Something that is no file has the name.
    #[error("`{0}` is there and no regular file")]
    Occupied(String),
    /// What a package says about building it cannot be done.
    #[error("the package cannot be built: {0}")]
    Build(String),
    /// A cartridge that nobody could install.
    #[error("an archive of a cartridge cannot be compressed with bzip2")]
    NoBzip2,
}

impl Explain for PackError {
    fn exit(&self) -> Exit {
        match self {
            Self::Manifest(error) => error.exit(),
            Self::Archive(error) => error.exit(),
            Self::Fs(error) => error.exit(),
            Self::Crypt { why, .. } => why.exit(),
            Self::Passphrase(failure) => failure.exit,
            Self::Write(_) | Self::Changes(_) | Self::NotPrecrypted(_) | Self::Build(_) => {
                Exit::Failed
            }
            Self::Inside { .. } | Self::NoBzip2 => Exit::Usage,
            Self::Occupied(_) => Exit::Conflict,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Manifest(error) => return error.hint(),
            Self::Archive(error) => return error.hint(),
            Self::Fs(error) => return error.hint(),
            Self::Crypt { why, .. } => return why.hint(),
            Self::Passphrase(failure) => return failure.hints.first().cloned(),
            Self::Write(_) => return None,
            Self::Build(_) => {
                "functions of `PKGBUILD` run without a network and write to their own copy alone; \
                 a tree that lies as its package would installs without building"
            }
            Self::Changes(_) => "build again when nobody writes to the directory",
            Self::NotPrecrypted(_) => {
                "encrypt it with `openssl enc -aes-256-cbc -md md5 -salt`, or take `precrypt` out"
            }
            Self::Inside { .. } => "choose another directory with `--out`",
            Self::Occupied(_) => "move it away, or choose another directory with `--out`",
            Self::NoBzip2 => "take `--compress gzip` or `--compress no`",
        };
        Some(hint.to_owned())
    }
}
