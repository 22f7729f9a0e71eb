//! The names of entries: which are paths inside a tree, and which are refused.

use super::error::Reason;
use crate::sys::path::{PathError, RelPath};

/// The name of one entry, judged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Its path; nothing for the root of the tree itself (`./`).
    pub(super) path: Option<RelPath>,
    /// Whether it ends with a slash, as directories do.
    pub(super) slash: bool,
}

/// Judges the name `raw`. `.` components are cleaned away (`tar c dir/.` writes them); an empty
/// component, `..` or a leading `/` is not, since programs differ over what they mean.
pub(super) fn parse(raw: &[u8]) -> Result<Name, Reason> {
    let text = std::str::from_utf8(raw).map_err(|_| Reason::NotUtf8)?;
    if text.starts_with('/') {
        return Err(PathError::Absolute.into());
    }
    let (stem, slash) = match text.strip_suffix('/') {
        Some(stem) => (stem, true),
        None => (text, false),
    };
    if stem.is_empty() {
        return Err(PathError::Empty.into());
    }
    if stem.split('/').any(str::is_empty) {
        return Err(Reason::EmptyComponent);
    }
    match RelPath::parse(stem) {
        Ok(path) => Ok(Name { path: Some(path), slash }),
        // Nothing but `.` components is left of what was not empty.
        Err(PathError::Empty) => Ok(Name { path: None, slash }),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_ways_in_which_tar_writes_one_path() {
        for (raw, path, slash) in [
            ("a/b", Some("a/b"), false),
            ("./a/b/", Some("a/b"), true),
            ("a/./b", Some("a/b"), false),
            ("./", None, true),
            (".", None, false),
            ("a\\b", Some("a\\b"), false),
        ] {
            let name = parse(raw.as_bytes()).unwrap();
            assert_eq!(name.path.as_ref().map(RelPath::as_str), path, "{raw}");
            assert_eq!(name.slash, slash, "{raw}");
        }
    }

    #[test]
    fn refuses_what_programs_read_differently() {
        for (raw, reason) in [
            (&b""[..], Reason::Name(PathError::Empty)),
            (b"/", Reason::Name(PathError::Absolute)),
            (b"//a", Reason::Name(PathError::Absolute)),
            (b"a//b", Reason::EmptyComponent),
            (b"a//", Reason::EmptyComponent),
            (b"../a", Reason::Name(PathError::Climbs)),
            (b"a/..", Reason::Name(PathError::Climbs)),
            (b"a\0b", Reason::Name(PathError::Control)),
            (b"a\xff", Reason::NotUtf8),
        ] {
            assert_eq!(parse(raw), Err(reason), "{raw:?}");
        }
    }
}
