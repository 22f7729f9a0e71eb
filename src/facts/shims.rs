//! What stands where cartridges look for commands by absolute paths.

use crate::error::Failure;
use crate::gear::sdk;
use crate::layout::Layout;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use std::path::Path;

/// A place for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shim {
    /// The path below the root directory.
    pub path: RelPath,
    /// What stands there.
    pub found: Found,
}

/// What stands at the place of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A link of ours, to there.
    Ours(String),
    /// Somebody else's.
    Foreign,
}

/// Looks at all places; those whose folder is missing, or is a link to another, are left out.
/// A link is ours when it leads to a file that is called as `program` is.
pub fn shims(layout: &Layout, program: &Path) -> Result<Vec<Shim>, Failure> {
    let root = Dir::open(layout.root().unwrap_or(Path::new("/")))?;
    let mut found = Vec::new();
    for (folder, name) in sdk::ABSOLUTE {
        let Ok(dir) = root.dir(folder) else { continue };
        let Ok(path) = RelPath::parse(&format!("{folder}/{name}")) else { continue };
        let what = match dir.meta(name)? {
            None => Found::Nothing,
            Some(meta) if meta.kind == Kind::Link => {
                let target = dir.link_target(name)?;
                if target.file_name() == program.file_name() {
                    Found::Ours(target.display().to_string())
                } else {
                    Found::Foreign
                }
            }
            Some(_) => Found::Foreign,
        };
        found.push(Shim { path, found: what });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Found, shims};
    use crate::layout::Layout;
    use crate::sys::fs::Dir;
    use std::path::Path;

    #[test]
    fn links_of_ours_are_told_from_all_else() {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open(temp.path()).unwrap();
        let layout = Layout::below(temp.path());
        let program = Path::new("/opt/new/cart");
        assert_eq!(shims(&layout, program).unwrap(), []);
        root.make_dirs("usr/bin", 0o755).unwrap();
        root.make_link("usr/sbin", "bin").unwrap();
        root.make_link("usr/bin/gear", "/opt/old/cart").unwrap();
        root.make_link("usr/bin/facter", "/opt/puppet/facter").unwrap();
        root.write_new("usr/bin/scl", b"", 0o755).unwrap();
        let found = shims(&layout, program).unwrap();
        let at = |name: &str| {
            let one = found.iter().find(|one| one.path.as_str() == name);
            one.map(|one| one.found.clone())
        };
        assert_eq!(at("usr/bin/gear"), Some(Found::Ours("/opt/old/cart".into())));
        assert_eq!(at("usr/bin/facter"), Some(Found::Foreign));
        assert_eq!(at("usr/bin/scl"), Some(Found::Foreign));
        assert_eq!(at("usr/bin/logshifter"), Some(Found::Nothing));
        assert_eq!(at("usr/sbin/lsof"), None, "a link is the same folder twice");
    }
}
