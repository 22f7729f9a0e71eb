//! Why a source could not be brought.
//!
//! Addresses in these messages are redacted when the error is made: no variant holds a password.

use super::git::GitError;
use super::locator::LocatorError;
use super::stop::Stopped;
use crate::error::{Exit, Explain, FsError};
use std::time::Duration;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A source that could not be brought.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It makes no sense as an address.
    #[error(transparent)]
    Locator(#[from] LocatorError),
    /// A local file or directory.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A path that is neither a file nor a directory, or does not exist.
    #[error("`{0}` does not exist")]
    NoSuchPath(String),
    /// The work was asked to end.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The client cannot be set up.
    #[error("cannot prepare for downloads: {what}")]
    Client {
        /// What was tried.
        what: &'static str,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// There is nothing at that address (404, 410).
    #[error("there is nothing at `{url}` (status {status})")]
    Missing {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// The server wants to know who asks (401, 403, 407).
    #[error("`{url}` is not for everybody (status {status})")]
    Denied {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// Another answer than the file.
    #[error("`{url}` answered with status {status}")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// How long the server wants to be left alone (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The host's name is not known.
    #[error("cannot find the host of `{url}`")]
    UnknownHost {
        /// The address.
        url: String,
        /// The resolver's answer.
        #[source]
        source: Cause,
    },
    /// Nobody answers there.
    #[error("cannot connect to the host of `{url}`")]
    Connect {
        /// The address.
        url: String,
        /// The system's answer.
        #[source]
        source: Cause,
    },
    /// The host cannot prove who it is, or speaks no usable TLS.
    #[error("cannot make a secure connection to the host of `{url}`")]
    Tls {
        /// The address.
        url: String,
        /// What is wrong.
        #[source]
        source: Cause,
    },
    /// Connected, then silence.
    #[error("`{url}` sent nothing for {seconds} seconds")]
    Stalled {
        /// The address.
        url: String,
        /// The limit.
        seconds: u64,
    },
    /// It took too long in all.
    #[error("`{url}` was not complete after {seconds} seconds")]
    TooSlow {
        /// The address.
        url: String,
        /// The limit.
        seconds: u64,
    },
    /// The connection ended before the announced length.
    #[error("`{url}` broke off after {got} of {expected} bytes")]
    Short {
        /// The address.
        url: String,
        /// How much came.
        got: u64,
        /// How much was announced.
        expected: u64,
    },
    /// It is longer than the settings allow.
    #[error("`{url}` is longer than {limit} bytes")]
    TooLong {
        /// The address.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// What came after a resumption belongs to another file.
    #[error("`{url}` changed while it was downloaded")]
    Changed {
        /// The address.
        url: String,
    },
    /// A redirect that is not followed.
    #[error("`{url}` redirects {why}")]
    Redirect {
        /// The address that redirects.
        url: String,
        /// Where to, and why not.
        why: String,
    },
    /// Any other failure of the connection.
    #[error("the download of `{url}` failed")]
    Broken {
        /// The address.
        url: String,
        /// The cause.
        #[source]
        source: Cause,
    },
}

impl SourceError {
    /// Tells whether the same request may succeed a little later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Connect { .. }
            | Self::Stalled { .. }
            | Self::Short { .. }
            | Self::Broken { .. } => true,
            _ => false,
        }
    }
}

impl Explain for SourceError {
    fn exit(&self) -> Exit {
        match self {
            Self::Locator(error) => error.exit(),
            Self::Fs(error) => error.exit(),
            Self::NoSuchPath(_) => Exit::NotFound,
            Self::Stopped(error) => error.exit(),
            Self::Git(error) => error.exit(),
            Self::Client { .. } => Exit::Failed,
            _ => Exit::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Locator(error) => return error.hint(),
            Self::Fs(error) => return error.hint(),
            Self::Stopped(error) => return error.hint(),
            Self::Git(error) => return error.hint(),
            Self::NoSuchPath(_) => "check the spelling; a path is taken from the current directory",
            Self::Client { .. } => "check `download.ca_file` and the proxy variables",
            Self::Missing { .. } => "check the address in a browser; the file may have moved",
            Self::Denied { .. } => {
                "put user and password for that host into `~/.netrc`, or check your rights there"
            }
            Self::Status { retry_after: Some(wait), .. } => {
                return Some(format!("the server asks to wait {} seconds", wait.as_secs()));
            }
            Self::Status { .. } => "the server has a problem; try again later",
            Self::UnknownHost { .. } => "check the host's spelling and this machine's resolver",
            Self::Connect { .. } => "check the port, a firewall, and the proxy variables",
            Self::Tls { .. } => {
                "check this machine's clock; for a private authority set `download.ca_file`"
            }
            Self::Stalled { .. } => "`download.stall_timeout` sets the limit",
            Self::TooSlow { .. } => "`download.total_timeout` sets the limit",
            Self::TooLong { .. } => "`download.max_length` sets the limit",
            Self::Short { .. } | Self::Changed { .. } | Self::Broken { .. } => "try again",
            Self::Redirect { .. } => "name the final address itself, if you trust it",
        };
        Some(hint.to_owned())
    }
}
