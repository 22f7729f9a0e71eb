//! Where a package came from, and how far that can be trusted: what the database records.

use crate::package::digest::{Md5, Sha256};
use crate::source::digest::Checks;
use crate::source::locator::Source;

/// The way a package came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Over HTTP.
    Http,
    /// From a git repository.
    Git,
    /// From this host.
    File,
    /// From the index in the binary.
    Index,
}

/// On what the trust in a package's bytes stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// An expected SHA-256 held.
    Sha256,
    /// An expected MD5 held, and nothing better: `list` and `info` say so.
    Md5Only,
    /// A commit of a git repository.
    Git,
    /// It lay on this host.
    Local,
    /// It is a part of `cart`.
    Index,
    /// Nobody said which bytes to expect.
    Unverified,
}

/// Where a package came from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Provenance {
    /// What the user asked for, without secrets.
    pub source: String,
    /// The way it came.
    pub kind: Origin,
    /// Where the bytes came from in the end (after redirects, or as a manifest said), without
    /// secrets; nothing where that is the source itself.
    pub final_url: Option<String>,
    /// The MD5 of the archive, where there was one.
    pub md5: Option<Md5>,
    /// The SHA-256 of the archive, where there was one.
    pub sha256: Option<Sha256>,
    /// The commit of a git source.
    pub commit: Option<String>,
    /// The length of the archive in bytes, where there was one.
    pub length: Option<u64>,
    /// On what the trust stands.
    pub trust: Trust,
}

impl Provenance {
    /// What is true of every source before its bytes are known.
    pub(super) fn bare(source: &Source, kind: Origin, trust: Trust) -> Self {
        Self {
            source: source.to_string(),
            kind,
            final_url: None,
            md5: None,
            sha256: None,
            commit: None,
            length: None,
            trust,
        }
    }
}

impl Trust {
    /// The trust in bytes of which all `checks` held.
    pub(super) fn of_bytes(origin: Origin, checks: &[Checks]) -> Self {
        if checks.iter().any(|check| check.sha256.is_some()) {
            Self::Sha256
        } else if checks.iter().any(|check| check.md5.is_some()) {
            Self::Md5Only
        } else if origin == Origin::File {
            Self::Local
        } else {
            Self::Unverified
        }
    }
}
