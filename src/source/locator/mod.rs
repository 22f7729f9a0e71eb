//! What the user wrote, understood: the web, git, or a path.
//!
//! Only the text decides here, never the disk or the network. What a web address or a file holds
//! (an archive, a manifest) is found out later, from its content. `Display` and `Debug` show an
//! address without its secrets.

mod called;
mod git;

pub use git::{GitPlace, GitSource};

use super::redact;
use crate::error::{Exit, Explain};
use git::{is_git_name, is_scp};
use reqwest::Url;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Where a package comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file on the web; user and password may be in the address.
    Http(Url),
    /// A git repository.
    Git(GitSource),
    /// A directory, an archive or a manifest on this host.
    File(PathBuf),
}

/// A text that is no source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocatorError {
    /// Nothing, or control characters.
    #[error("`{0}` is no source: it is empty or has control characters")]
    Unreadable(String),
    /// A scheme that is not supported.
    #[error("`{text}` has the unknown scheme `{scheme}`")]
    Scheme {
        /// What was written.
        text: String,
        /// Its scheme.
        scheme: String,
    },
    /// A malformed address.
    #[error("`{text}` is no valid address: {why}")]
    Address {
        /// What was written.
        text: String,
        /// What is wrong.
        why: String,
    },
    /// A `#…` part on something that is no git repository.
    #[error("`{0}` has a `#…` part, which only git repositories can have")]
    Fragment(String),
    /// A manifest from the web that names something on this host.
    #[error("a manifest from the web names `{0}`, which lies on this host")]
    Local(String),
}

impl Explain for LocatorError {
    fn exit(&self) -> Exit {
        match self {
            Self::Local(_) => Exit::Refused,
            _ => Exit::Usage,
        }
    }
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Scheme { .. } => "http, https, git, git+ssh, git+https, ssh, user@host:path, \
                                    file and paths are understood; begin a path that has a colon \
                                    with `./`"
                .to_owned(),
            Self::Fragment(_) => {
                "for a git repository begin the address with `git+`; for a digest use `--sha256`"
                    .to_owned()
            }
            Self::Local(_) => "download what it names and install that".to_owned(),
            Self::Unreadable(_) | Self::Address { .. } => {
                "name a path, a web address or a git repository".to_owned()
            }
        })
    }
}

impl Source {
    /// Reads what the user wrote. Paths stay as they are, relative to the current directory.
    pub fn parse(text: &str) -> Result<Self, LocatorError> {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(LocatorError::Unreadable(redact::text(text)));
        }
        let text = &lower_scheme(text.trim());
        if let Some(marked) = text.strip_prefix("git+") {
            return GitSource::parse(marked).map(Self::Git);
        }
        match scheme(text) {
            Some("http" | "https") => Self::web(text),
            Some("git" | "ssh") => GitSource::parse(text).map(Self::Git),
            Some("file") => Self::file_address(text),
            _ if is_scp(text) => GitSource::parse(text).map(Self::Git),
            Some(scheme) => Err(LocatorError::Scheme {
                text: redact::text(text),
                scheme: scheme.escape_debug().to_string(),
            }),
            None => Self::path(text),
        }
    }

    /// Reads what a manifest that came from `self` names: relative to the manifest, and from the
    /// web never something on this host.
    pub fn parse_named_here(&self, text: &str) -> Result<Self, LocatorError> {
        let named = match (self, scheme(text)) {
            (Self::Http(base), None) if !is_scp(text) && !text.starts_with("git+") => {
                let joined = base.join(text).map_err(|error| wrong(text, &error))?;
                Self::parse(joined.as_str())?
            }
            _ => Self::parse(text)?,
        };
        match (self, named) {
            (Self::Http(_), named) if named.is_local() => {
                Err(LocatorError::Local(redact::text(text)))
            }
            (Self::File(manifest), Self::File(path)) => Ok(Self::File(beside(manifest, &path))),
            (
                Self::File(manifest),
                Self::Git(GitSource { place: GitPlace::Local(path), commit }),
            ) => {
                let place = GitPlace::Local(beside(manifest, &path));
                Ok(Self::Git(GitSource { place, commit }))
            }
            (_, named) => Ok(named),
        }
    }

    /// The same source, to be named from any directory: what is recorded.
    #[must_use]
    pub fn absolute(&self) -> Self {
        // It fails for an empty path only, which is no source.
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match self {
            Self::File(path) => Self::File(whole(path)),
            Self::Git(GitSource { place: GitPlace::Local(path), commit }) => {
                let place = GitPlace::Local(whole(path));
                Self::Git(GitSource { place, commit: commit.clone() })
            }
            other => other.clone(),
        }
    }

    /// Tells whether nothing has to come over a network.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::File(_) | Self::Git(GitSource { place: GitPlace::Local(_), .. }))
    }

    fn web(text: &str) -> Result<Self, LocatorError> {
        let mut url = Url::parse(text).map_err(|error| wrong(text, &error))?;
        if is_git_name(url.path()) {
            return GitSource::parse(text).map(Self::Git);
        }
        match url.fragment() {
            None => Ok(Self::Http(url)),
            Some("") => {
                url.set_fragment(None);
                Ok(Self::Http(url))
            }
            Some(_) => Err(LocatorError::Fragment(redact::text(text))),
        }
    }

    fn file_address(text: &str) -> Result<Self, LocatorError> {
        let (address, fragment) = split_fragment(text);
        if is_git_name(address) {
            return GitSource::parse(text).map(Self::Git);
        }
        match fragment {
            None => Ok(Self::File(file_path(address)?)),
            Some(_) => Err(LocatorError::Fragment(text.to_owned())),
        }
    }

    fn path(text: &str) -> Result<Self, LocatorError> {
        let marked = is_git_name(text) || is_git_name(split_fragment(text).0);
        if marked { GitSource::parse(text).map(Self::Git) } else { Ok(Self::File(text.into())) }
    }
}

/// The text with its scheme in lower case, where it has one.
fn lower_scheme(text: &str) -> String {
    match (scheme(text), text.split_once("://")) {
        (Some(scheme), Some((_, rest))) => format!("{}://{rest}", scheme.to_ascii_lowercase()),
        _ => text.to_owned(),
    }
}

/// The scheme before the first colon; nothing for a path.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let fine = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    fine.then_some(scheme)
}

fn split_fragment(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (text, None),
    }
}

/// The path of a `file:` address, with or without an (empty) host, percent signs decoded.
fn file_path(address: &str) -> Result<PathBuf, LocatorError> {
    let rest = address.strip_prefix("file:").unwrap_or(address);
    let path = match rest.strip_prefix("//") {
        Some(with_host) => {
            let at = with_host.find('/').unwrap_or(with_host.len());
            let (host, path) = with_host.split_at(at);
            if !matches!(host, "" | "localhost") {
                return Err(wrong(address, "a `file:` address names no other host"));
            }
            path
        }
        None => rest,
    };
    let path = redact::decode(path);
    if path.is_empty() || path.contains(&0) {
        return Err(wrong(address, "it has no path"));
    }
    Ok(OsString::from_vec(path).into())
}

fn beside(manifest: &Path, path: &Path) -> PathBuf {
    manifest.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

fn wrong(text: &str, why: &(impl fmt::Display + ?Sized)) -> LocatorError {
    LocatorError::Address { text: redact::text(text), why: why.to_string() }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => f.write_str(&redact::url(url)),
            Self::Git(git) => git.fmt(f),
            Self::File(path) => f.write_str(&redact::path(path)),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match Source::parse(text) {
            Ok(Source::Http(url)) => format!("http {}", redact::url(&url)),
            Ok(Source::Git(GitSource { place, commit })) => {
                format!("{place:?} at {}", commit.as_deref().unwrap_or("-"))
            }
            Ok(Source::File(path)) => format!("file {}", path.display()),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn every_form_is_understood() {
        for (text, meaning) in [
            ("http://h/a.zip", "http http://h/a.zip"),
            ("https://h/a.tar.gz?v=1", "http https://h/a.tar.gz?v=1"),
            ("https://h/get", "http https://h/get"),
            ("HTTPS://H/A.zip", "http https://h/A.zip"),
            ("git://h/a", "Remote(git://h/a) at -"),
            ("git://h/a#v1.0", "Remote(git://h/a) at v1.0"),
            ("ssh://u@h:2222/a.git", "Remote(ssh://u@h:2222/a.git) at -"),
            ("git+ssh://h/a#feature/x", "Remote(ssh://h/a) at feature/x"),
            ("git+https://h/a", "Remote(https://h/a) at -"),
            ("https://h/a.git#main~2", "Remote(https://h/a.git) at main~2"),
            ("http://h/a.git/", "Remote(http://h/a.git/) at -"),
            ("git@h:a/b", "Remote(git@h:a/b) at -"),
            ("git@h:a/b.git#1234abc", "Remote(git@h:a/b.git) at 1234abc"),
            ("h:a/b.git", "Remote(h:a/b.git) at -"),
            ("file:///srv/a.git#v1", "Local(/srv/a.git) at v1"),
            ("git+file:///srv/a", "Local(/srv/a) at -"),
            ("git+/srv/a", "Local(/srv/a) at -"),
            ("git+./a#x", "Local(./a) at x"),
            ("../a.git", "Local(../a.git) at -"),
            ("a.git#v1", "Local(a.git) at v1"),
            ("file:///srv/a%20b.zip", "file /srv/a b.zip"),
            ("file:/srv/a", "file /srv/a"),
            ("file:a/b", "file a/b"),
            ("file://localhost/srv", "file /srv"),
            ("./odd:name.zip", "file ./odd:name.zip"),
            ("a#b", "file a#b"),
        ] {
            assert_eq!(show(text), meaning, "{text}");
        }
    }

    #[test]
    fn what_is_no_source_says_why() {
        for (text, part) in [
            ("", "empty"),
            ("a\nb", "control"),
            ("ftp://h/a.zip", "unknown scheme `ftp`"),
            ("git+ext::sh -c x", "unknown scheme `ext`"),
            ("git+ftp://h/a", "unknown scheme `ftp`"),
            ("https://h/a.git#-x", "no branch"),
            ("https://h/a.git#--upload-pack=x", "no branch"),
            ("https://h/a.git#a b", "no branch"),
            ("ssh://-oProxyCommand=x/a", "no valid address"),
            ("ssh://%2dx@h/a", "dash"),
            ("git@-oProxyCommand=x:a", "dash"),
            ("git@h:-a", "dash"),
            ("https://h/a.zip#sha256=12", "only git"),
            ("file://h/a", "no other host"),
            ("file:", "no path"),
            ("http://", "no valid address"),
        ] {
            let shown = show(text);
            assert!(shown.starts_with("error") && shown.contains(part), "{text}: {shown}");
        }
    }

    #[test]
    fn secrets_are_never_shown_and_the_rest_reads_back() {
        for text in [
            "https://user:secret@h/a.zip",
            "https://secret@h/a.zip",
            "git+https://user:secret@h/a#v1",
            "ssh://git:secret@h/a.git",
            "https://h/a.zip?token=secret&v=1",
            "ftp://u:secret@h/a",
        ] {
            let source = Source::parse(text);
            assert!(!format!("{source:?}").contains("secret"), "{source:?}");
            if let Ok(source) = source {
                assert!(!source.to_string().contains("secret"));
                let again = Source::parse(&source.to_string()).unwrap();
                assert_eq!(again.to_string(), source.to_string());
            }
        }
        for text in ["git+https://h/a#v1", "git+/srv/a", "git@h:a", "ssh://git@h/a", "a.git#v1"] {
            assert_eq!(Source::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_manifest_names_things_relative_to_itself_and_none_here_from_the_web() {
        let web = Source::parse("https://h/x/manifest.yml").unwrap();
        let named = |text: &str| web.parse_named_here(text).map(|source| source.to_string());
        assert_eq!(named("a.zip").unwrap(), "https://h/x/a.zip");
        assert_eq!(named("/a.git#v1").unwrap(), "https://h/a.git#v1");
        assert_eq!(named("http://other/a.zip").unwrap(), "http://other/a.zip");
        for local in ["file:///etc/x", "git+/srv/x", "git+file:///srv/x", "file:x.git"] {
            assert!(matches!(named(local), Err(LocatorError::Local(_))), "{local}");
        }
        let here = Source::parse("/srv/x/manifest.yml").unwrap();
        assert_eq!(here.parse_named_here("a.zip").unwrap().to_string(), "/srv/x/a.zip");
        assert_eq!(here.parse_named_here("/a.zip").unwrap().to_string(), "/a.zip");
        assert_eq!(here.parse_named_here("a.git").unwrap().to_string(), "/srv/x/a.git");
    }
}
