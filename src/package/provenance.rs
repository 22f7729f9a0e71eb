//! Where a package came from, and how far that can be trusted: what the database records.

use super::digest::{Md5, Sha256};

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

impl Origin {
    /// The word that stands in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Git => "git",
            Self::File => "file",
            Self::Index => "index",
        }
    }
}

impl Trust {
    /// The word that stands in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Md5Only => "md5-only",
            Self::Git => "git",
            Self::Local => "local",
            Self::Index => "index",
            Self::Unverified => "unverified",
        }
    }
}
