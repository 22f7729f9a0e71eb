//! What a failure says to the person who meets it.
//!
//! Every module has its own small `thiserror` enum. [`Explain`] adds the two things that only the
//! place of the failure knows: which exit code it means, and what to do about it. [`Failure`] is
//! what travels up to the one renderer (`ui::report`). Nothing here prints.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// The exit codes of `cart`, fixed for ever: scripts depend on them (cart(1), EXIT STATUS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed; the host is as it was before.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A name, path or version that does not exist.
    NotFound = 3,
    /// The request contradicts itself or what is installed.
    Conflict = 4,
    /// Held, not confirmed, or against a policy.
    Refused = 5,
    /// Wrong digest or signature, or an unsafe archive.
    Integrity = 6,
    /// The network, or the source at its other end.
    Source = 7,
    /// Another process holds a lock.
    Busy = 8,
    /// Failed after scripts had run; everything was put back.
    PutBack = 9,
    /// Undoing failed: `cart recover`, or a person, is needed.
    Stuck = 10,
    /// Changes are pending (`outdated`, `--detailed-exitcode`).
    Pending = 20,
    /// Interrupted by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

/// An error that knows its exit code and, where there is one, the remedy.
pub trait Explain: Error {
    /// Returns the exit code that this error means.
    fn exit(&self) -> Exit {
        Exit::Failed
    }
    /// Returns what the user can do about it, as a sentence without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// A failed file operation: what was tried, where, and what the system said.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} `{}`", path.display())]
pub struct FsError {
    /// The operation, as the infinitive that follows "cannot".
    pub verb: &'static str,
    /// The path as the user would name it.
    pub path: PathBuf,
    /// The system's answer.
    #[source]
    pub source: io::Error,
}

impl FsError {
    /// Makes the error for `verb` tried on `path`.
    pub fn new(verb: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self { verb, path: path.into(), source: source.into() }
    }

    /// Tells whether the path did not exist.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Tells whether the path existed already.
    pub fn is_already_there(&self) -> bool {
        self.source.kind() == io::ErrorKind::AlreadyExists
    }
}

impl Explain for FsError {
    fn hint(&self) -> Option<String> {
        use io::ErrorKind as Kind;
        match self.source.kind() {
            Kind::StorageFull => Some("free some space on that filesystem, then try again".into()),
            Kind::QuotaExceeded => Some("the quota of this user is used up".into()),
            Kind::ReadOnlyFilesystem => {
                Some("that filesystem is mounted read-only; choose another with `--root`".into())
            }
            Kind::PermissionDenied => {
                Some(format!("check who owns {}", owner_of_interest(&self.path).display()))
            }
            _ => None,
        }
    }
}

fn owner_of_interest(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// A failure on its way to the user: what was asked, why it failed, how the host stands, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was asked, from the user's point of view: "cannot install `x`".
    pub summary: String,
    /// The chain of causes, the nearest first.
    pub causes: Vec<String>,
    /// How the host was left, when a transaction had begun.
    pub state: Option<String>,
    /// What to do about it.
    pub hints: Vec<String>,
    /// The exit code.
    pub exit: Exit,
}

impl Failure {
    /// Makes a failure without a deeper cause.
    pub fn new(exit: Exit, summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), causes: Vec::new(), state: None, hints: Vec::new(), exit }
    }

    /// The failure and its causes in one line.
    pub fn one_line(&self) -> String {
        let texts = std::iter::once(&self.summary).chain(&self.causes);
        texts.map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    /// Adds a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds how the host was left.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Puts what the user had asked for in front: the old summary becomes the nearest cause.
    #[must_use]
    pub fn while_doing(mut self, summary: impl Into<String>) -> Self {
        let cause = std::mem::replace(&mut self.summary, summary.into());
        self.causes.insert(0, cause);
        self
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        Self {
            summary: error.to_string(),
            causes,
            state: None,
            hints: error.hint().into_iter().collect(),
            exit: error.exit(),
        }
    }
}

/// Adds to any error what the user had asked for.
pub trait Context<T> {
    /// Turns the error into a [`Failure`] whose summary is `what`.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| error.into().while_doing(what()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_of_causes_reads_from_the_request_to_the_system() {
        let error = FsError::new("write", "/x/y", io::Error::from_raw_os_error(28));
        let failure = Err::<(), _>(error).doing(|| "cannot install `a`".into()).unwrap_err();
        assert_eq!(failure.summary, "cannot install `a`");
        assert_eq!(failure.causes[0], "cannot write `/x/y`");
        assert!(failure.causes[1].contains("No space left"), "{:?}", failure.causes);
        assert_eq!(failure.hints.len(), 1, "a full disk has a remedy");
        assert_eq!(failure.exit, Exit::Failed);
    }
}
