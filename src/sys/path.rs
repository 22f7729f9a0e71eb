//! Paths inside a tree: relative, clean, and never climbing out.

use std::fmt;
use std::path::Path;

/// The longest component of a path, in bytes (Linux's own limit).
const LONGEST_NAME: usize = 255;
/// The longest path, in bytes (`PATH_MAX`).
const LONGEST_PATH: usize = 4096;
/// The deepest nesting that is accepted; real cartridges stay below 30.
const DEEPEST: usize = 128;

/// A relative path of clean components: UTF-8, no `..`, no `.`, no empty part, no control character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct RelPath(String);

/// Why a text is no [`RelPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing left after cleaning.
    #[error("is empty")]
    Empty,
    /// Begins with `/`.
    #[error("is absolute")]
    Absolute,
    /// Has a `..` component.
    #[error("climbs out with `..`")]
    Climbs,
    /// Has a NUL, a newline or another control character.
    #[error("has a control character")]
    Control,
    /// A component is over 255 bytes, the whole over 4,096, or it is nested over 128 deep.
    #[error("is too long")]
    TooLong,
}

impl RelPath {
    /// Reads `text`; `.` components and repeated or trailing slashes are cleaned away.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.starts_with('/') {
            return Err(PathError::Absolute);
        }
        if text.chars().any(char::is_control) {
            return Err(PathError::Control);
        }
        let mut clean = String::with_capacity(text.len());
        let mut depth = 0;
        for part in text.split('/') {
            match part {
                "" | "." => continue,
                ".." => return Err(PathError::Climbs),
                _ if part.len() > LONGEST_NAME => return Err(PathError::TooLong),
                _ => {}
            }
            if depth > 0 {
                clean.push('/');
            }
            clean.push_str(part);
            depth += 1;
        }
        if clean.is_empty() {
            return Err(PathError::Empty);
        }
        if clean.len() > LONGEST_PATH || depth > DEEPEST {
            return Err(PathError::TooLong);
        }
        Ok(Self(clean))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path for the file calls.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The components, from the top.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The first component.
    pub fn top(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// The last component.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path without its last component; nothing for a path of one component.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The path without its first component; nothing for a path of one component.
    pub fn without_top(&self) -> Option<Self> {
        self.0.split_once('/').map(|(_, rest)| Self(rest.to_owned()))
    }

    /// The path `self/name`.
    #[must_use]
    pub fn join(&self, name: &Self) -> Self {
        Self(format!("{}/{}", self.0, name.0))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<Path> for RelPath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl<'de> serde::Deserialize<'de> for RelPath {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text)
            .map_err(|error| serde::de::Error::custom(format!("path {text:?} {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_and_refuses() {
        assert_eq!(RelPath::parse("./a//b/./c/").map(|p| p.to_string()), Ok("a/b/c".into()));
        for (text, error) in [
            ("", PathError::Empty),
            ("./", PathError::Empty),
            ("/etc/passwd", PathError::Absolute),
            ("a/../b", PathError::Climbs),
            ("a\0b", PathError::Control),
            ("a\nb", PathError::Control),
        ] {
            assert_eq!(RelPath::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(RelPath::parse(&"x".repeat(256)), Err(PathError::TooLong));
        assert_eq!(RelPath::parse(&"x/".repeat(129)), Err(PathError::TooLong));
    }

    #[test]
    fn takes_paths_apart() {
        let path = RelPath::parse("a/b/c").unwrap();
        assert_eq!(path.top(), "a");
        assert_eq!(path.name(), "c");
        assert_eq!(path.parent().unwrap().as_str(), "a/b");
        assert_eq!(path.without_top().unwrap().as_str(), "b/c");
        assert_eq!(RelPath::parse("a").unwrap().parent(), None);
    }
}
