//! Why something could not be gathered.

use crate::archive::ArchiveError;
use crate::error::{Exit, Explain, FsError};
use crate::format::ManifestError;
use crate::source::digest::WrongDigest;
use crate::source::error::SourceError;
use crate::source::git::GitError;
use crate::source::locator::LocatorError;
use crate::source::stop::Stopped;

/// One request that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot get `{what}`")]
pub struct GatherFailure {
    /// What was asked for, without secrets.
    pub what: String,
    /// Why.
    #[source]
    pub why: GatherError,
}

impl Explain for GatherFailure {
    fn exit(&self) -> Exit {
        self.why.exit()
    }
    fn hint(&self) -> Option<String> {
        self.why.hint()
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// The bytes did not come.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The archive is broken or breaks the rules.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The tree is no package, or the manifest makes no sense.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The bytes are not the expected ones.
    #[error(transparent)]
    Digest(#[from] WrongDigest),
    /// A file operation.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A web page where an archive should be.
    #[error("`{0}` is a web page, not an archive")]
    WebPage(String),
    /// Nothing at all.
    #[error("`{0}` is empty")]
    Empty(String),
    /// Neither an archive nor a manifest.
    #[error("`{0}` is neither an archive (zip, tar, tar.gz) nor a manifest")]
    Unknown(String),
    /// Digests for something that has no bytes of its own.
    #[error("`{what}` is {kind}, of which no digest can be checked")]
    NoBytes {
        /// The source.
        what: String,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// Manifests that name manifests.
    #[error("`{0}` is one more manifest in a chain of them")]
    Chain(String),
    /// Staging lies in the directory that is to be copied.
    #[error("`{inner}` lies inside `{outer}`, which would be copied into itself")]
    Inside {
        /// Where the copy would be made.
        inner: String,
        /// The source.
        outer: String,
    },
    /// The target of `fetch` exists.
    #[error("`{0}` is already there and not an empty directory")]
    Occupied(String),
    /// The target of `fetch` has no name or no folder to lie in.
    #[error("`{0}` cannot be made: name a new directory in an existing one")]
    Target(String),
}

impl GatherError {
    /// Tells whether this is only the echo of another request's failure.
    pub(super) fn is_echo(&self) -> bool {
        let Self::Source(
            SourceError::Stopped(stopped) | SourceError::Git(GitError::Stopped(stopped)),
        ) = self
        else {
            return false;
        };
        *stopped == Stopped::Cancelled
    }
}

impl From<GitError> for GatherError {
    fn from(error: GitError) -> Self {
        Self::Source(error.into())
    }
}

impl From<LocatorError> for GatherError {
    fn from(error: LocatorError) -> Self {
        Self::Source(error.into())
    }
}

impl From<Stopped> for GatherError {
    fn from(error: Stopped) -> Self {
        Self::Source(error.into())
    }
}

impl Explain for GatherError {
    fn exit(&self) -> Exit {
        match self {
            Self::Source(error) => error.exit(),
            Self::Archive(error) => error.exit(),
            Self::Manifest(error) => error.exit(),
            Self::Digest(error) => error.exit(),
            Self::Fs(error) => error.exit(),
            Self::WebPage(_) | Self::Empty(_) | Self::Unknown(_) | Self::Chain(_) => Exit::Source,
            Self::NoBytes { .. } | Self::Inside { .. } | Self::Target(_) => Exit::Usage,
            Self::Occupied(_) => Exit::Conflict,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Source(error) => return error.hint(),
            Self::Archive(error) => return error.hint(),
            Self::Manifest(error) => return error.hint(),
            Self::Digest(error) => return error.hint(),
            Self::Fs(error) => return error.hint(),
            Self::WebPage(_) => {
                "use the address of the file itself (often called raw or download); for a git \
                 repository begin the address with `git+`"
            }
            Self::Empty(_) => "check the address; the upload may have failed",
            Self::Unknown(_) => "check the address in a browser or the file with `file`",
            Self::NoBytes { .. } => "for a git repository name a commit with `#…` instead",
            Self::Chain(_) => "let the manifest's `Source-Url` name the archive itself",
            Self::Inside { .. } => "choose another directory",
            Self::Occupied(_) | Self::Target(_) => "choose another directory with `--into`",
        };
        Some(hint.to_owned())
    }
}
