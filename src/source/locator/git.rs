//! Addresses of git repositories.

use super::{LocatorError, file_path, scheme, split_fragment, wrong};
use crate::source::redact;
use reqwest::Url;
use std::fmt;
use std::path::PathBuf;

/// A git repository, and what of it.
#[derive(Clone, PartialEq, Eq)]
pub struct GitSource {
    /// Where it is.
    pub place: GitPlace,
    /// A branch, tag or commit (the part after `#`); nothing means the repository's default.
    pub commit: Option<String>,
}

/// Where a git repository is.
#[derive(Clone, PartialEq, Eq)]
pub enum GitPlace {
    /// At another host: an address that git understands (`https:`, `ssh:`, `git:`, `user@host:`).
    Remote(String),
    /// On this host.
    Local(PathBuf),
}

impl GitSource {
    /// Reads an address that is known to mean a git repository.
    pub(super) fn parse(text: &str) -> Result<Self, LocatorError> {
        let (address, commit) = split_fragment(text);
        let commit = commit.filter(|commit| !commit.is_empty());
        if let Some(commit) = commit {
            check_commit(text, commit)?;
        }
        let place = match scheme(address) {
            Some("file") => GitPlace::Local(file_path(address)?),
            Some("http" | "https" | "ssh" | "git") => remote(address)?,
            _ if is_scp(address) => scp(address)?,
            Some(scheme) => {
                let scheme = scheme.escape_debug().to_string();
                return Err(LocatorError::Scheme { text: redact::text(text), scheme });
            }
            None if address.is_empty() => return Err(LocatorError::Unreadable(text.to_owned())),
            None => GitPlace::Local(address.into()),
        };
        Ok(Self { place, commit: commit.map(str::to_owned) })
    }
}

/// Tells whether `text` is `user@host:path`, or `host:path` that ends in `.git`.
pub(super) fn is_scp(text: &str) -> bool {
    let Some((host, path)) = text.split_once(':') else { return false };
    let marked = host.contains('@') || is_git_name(split_fragment(path).0);
    marked && !host.contains('/') && !path.starts_with("//") && !path.is_empty()
}

pub(super) fn is_git_name(path: &str) -> bool {
    path.trim_end_matches('/').strip_suffix(".git").is_some()
}

/// A branch, tag or commit, with the characters that such names have; never an option.
fn check_commit(text: &str, commit: &str) -> Result<(), LocatorError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/-_.^~+@".contains(c);
    let fine = commit.chars().all(allowed)
        && commit.len() <= 255
        && !commit.starts_with(['-', '/', '.', '^', '~', '+'])
        && !commit.contains("..");
    if fine {
        return Ok(());
    }
    Err(wrong(text, &format!("`{}` is no branch, tag or commit", commit.escape_debug())))
}

fn remote(address: &str) -> Result<GitPlace, LocatorError> {
    let url = Url::parse(address).map_err(|error| wrong(address, &error))?;
    match url.host_str() {
        None | Some("") => return Err(wrong(address, "it has no host")),
        Some(host) if host.starts_with('-') => return Err(wrong(address, "a host with a dash")),
        Some(_) => {}
    }
    if redact::decode(url.username()).starts_with(b"-") {
        return Err(wrong(address, "a user that begins with a dash"));
    }
    Ok(GitPlace::Remote(address.to_owned()))
}

fn scp(address: &str) -> Result<GitPlace, LocatorError> {
    let (host, path) = address.split_once(':').unwrap_or((address, ""));
    let name = host.rsplit('@').next().unwrap_or(host);
    if name.is_empty() || [host, name, path].iter().any(|part| part.starts_with('-')) {
        return Err(wrong(address, "host and path may not be empty or begin with a dash"));
    }
    Ok(GitPlace::Remote(address.to_owned()))
}

impl fmt::Display for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match &self.place {
            GitPlace::Remote(address) => redact::text(address),
            GitPlace::Local(path) => redact::path(path),
        };
        // What does not say by itself that it is git has to be marked, to be read again.
        let says = address.starts_with("git:") || address.starts_with("ssh:");
        let mark = if says || is_git_name(&address) || is_scp(&address) { "" } else { "git+" };
        write!(f, "{mark}{address}")?;
        self.commit.as_ref().map_or(Ok(()), |commit| write!(f, "#{commit}"))
    }
}

impl fmt::Debug for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitSource({self})")
    }
}

impl fmt::Debug for GitPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(address) => write!(f, "Remote({})", redact::text(address)),
            Self::Local(path) => write!(f, "Local({})", path.display()),
        }
    }
}
