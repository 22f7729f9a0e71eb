//! What the templates of a gear may know about files: whatever the gear's own account could see.

use crate::sys::fs::{self, Dir, Kind};
use crate::template::{Files, Links};
use std::path::{Path, PathBuf};

/// The files of a host as the account of a gear sees them, from its home.
pub(super) struct GearFiles<'a> {
    /// The gear's home.
    pub(super) home: &'a Path,
    /// The gear's account; our own where there is none.
    pub(super) owner: Option<(u32, u32)>,
}

impl GearFiles<'_> {
    /// Tells whether the account may look at the file at the absolute path `real`, which has no
    /// links in it: in the gear's home, and wherever everybody may go.
    fn may_see(&self, real: &Path) -> bool {
        if self.owner.is_none() || fs::resolve(self.home).is_ok_and(|home| real.starts_with(home)) {
            return true;
        }
        let Ok(root) = Dir::open(Path::new("/")) else { return false };
        let above = real.ancestors().skip(1).filter_map(|path| path.strip_prefix("/").ok());
        above.filter(|path| !path.as_os_str().is_empty()).all(|path| {
            root.meta(path).is_ok_and(|meta| meta.is_some_and(|meta| meta.mode & 0o001 != 0))
        })
    }

    fn resolved(&self, path: &str, links: Links) -> Option<PathBuf> {
        let path = self.home.join(path);
        match links {
            Links::Followed => fs::resolve(&path).ok(),
            Links::Themselves => Some(fs::resolve(path.parent()?).ok()?.join(path.file_name()?)),
        }
    }
}

impl Files for GearFiles<'_> {
    fn kind(&self, path: &str, links: Links) -> Option<Kind> {
        let real = self.resolved(path, links)?;
        if !self.may_see(&real) {
            return None;
        }
        let Some(name) = real.file_name() else { return fs::kind_of(&real) };
        Some(Dir::open(real.parent()?).ok()?.meta(name).ok()??.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gear_sees_its_home_and_what_everybody_sees() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dirs("home/in", 0o700).unwrap();
        dir.make_dirs("closed", 0o700).unwrap();
        dir.write_new("home/in/file", b"", 0o600).unwrap();
        dir.write_new("closed/secret", b"", 0o644).unwrap();
        let home = dir.dir("home").unwrap();
        home.make_link("here", "in").unwrap();
        home.make_link("out", "../closed/secret").unwrap();
        let files = GearFiles { home: home.path(), owner: Some((7777, 7777)) };
        let kind = |path: &str| files.kind(path, Links::Followed);
        assert_eq!(kind("in/file"), Some(Kind::File));
        assert_eq!(kind("here"), Some(Kind::Directory));
        assert_eq!(kind("here/file"), Some(Kind::File));
        assert_eq!(kind(&home.path_of("in").display().to_string()), Some(Kind::Directory));
        assert_eq!(kind("out"), None, "a link does not lead to what the gear cannot see");
        assert_eq!(kind(&dir.path_of("closed/secret").display().to_string()), None);
        assert_eq!(kind("/etc/passwd"), Some(Kind::File));
        assert_eq!(files.kind("out", Links::Themselves), Some(Kind::Link));
        assert_eq!(kind("nothing"), None);
        let own = GearFiles { home: home.path(), owner: None };
        assert_eq!(own.kind("out", Links::Followed), Some(Kind::File), "our own rights");
    }
}
