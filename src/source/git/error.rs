//! Why git could not bring a tree.

use super::super::stop::Stopped;
use crate::error::{Exit, Explain, FsError};

/// A repository that could not be fetched or checked out.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git`.
    #[error("cannot run `git`")]
    NoGit(#[source] std::io::Error),
    /// A path where nothing is.
    #[error("`{0}` does not exist")]
    NoSuchPath(String),
    /// A file operation beside git.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The work was asked to end.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// Git ended with an error.
    #[error("git cannot {verb} `{place}`: {said}")]
    Failed {
        /// What was tried.
        verb: &'static str,
        /// The repository.
        place: String,
        /// The last lines that git printed, escaped.
        said: String,
    },
    /// The repository has nothing of that name.
    #[error("`{place}` has no branch, tag or commit `{commit}`")]
    NoCommit {
        /// The repository.
        place: String,
        /// What was asked for.
        commit: String,
    },
    /// The repository has no commit at all.
    #[error("`{0}` is empty")]
    Empty(String),
    /// It took too long.
    #[error("git was not done with `{place}` after {seconds} seconds")]
    TooSlow {
        /// The repository.
        place: String,
        /// The limit.
        seconds: u64,
    },
    /// The tree is larger than an archive may be.
    #[error("the tree of `{place}` has more than {limit} {what}")]
    TooLarge {
        /// The repository.
        place: String,
        /// The limit.
        limit: u64,
        /// Bytes or entries.
        what: &'static str,
    },
    /// A submodule that the rules forbid.
    #[error("the submodule `{name}` of `{place}` is refused: {why}")]
    Submodule {
        /// The repository that names it.
        place: String,
        /// Its name.
        name: String,
        /// The reason.
        why: String,
    },
}

impl Explain for GitError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoGit(_) => Exit::Failed,
            Self::NoSuchPath(_) => Exit::NotFound,
            Self::Fs(error) => error.exit(),
            Self::Stopped(error) => error.exit(),
            Self::TooLarge { .. } | Self::Submodule { .. } => Exit::Integrity,
            _ => Exit::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoGit(_) => "install git",
            Self::NoSuchPath(_) => "check the spelling; a path is taken from the current directory",
            Self::Fs(error) => return error.hint(),
            Self::Stopped(error) => return error.hint(),
            Self::Failed { said, .. } => return remedy(said).map(str::to_owned),
            Self::NoCommit { .. } => "`git ls-remote` lists its branches and tags",
            Self::Empty(_) => "commit and push something first",
            Self::TooSlow { .. } => "`download.total_timeout` sets the limit",
            Self::TooLarge { .. } => "`archive.max_entries` and `archive.max_total` set the limits",
            Self::Submodule { .. } => "look into the repository's `.gitmodules`",
        };
        Some(hint.to_owned())
    }
}

/// The remedy for the failures that people meet, by git's own words (in the C locale).
fn remedy(said: &str) -> Option<&'static str> {
    let known = [
        ("Host key verification failed", "connect to that host once with `ssh` and check its key"),
        ("Permission denied", "check that this user's ssh key is known there"),
        ("could not read Username", "put user and password for that host into `~/.netrc`"),
        ("Authentication failed", "check user and password for that host in `~/.netrc`"),
        ("dubious ownership", "the repository belongs to another user; run as that user"),
        ("does not appear to be a git repository", "check the address; a bare path needs `git+`"),
        ("Could not resolve host", "check the host's spelling and this machine's resolver"),
        ("not found", "check the address; a private repository also looks like that"),
        ("not allowed", "only http, https, git, ssh (and file for local sources) are allowed"),
        ("unable to write", "a pack may be at most `download.max_length` bytes long"),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map(|(_, remedy)| *remedy)
}
