//! Who owns what in a gear's home, when `cart` runs as root.
//!
//! Everything belongs to the gear's own account, but what the platform says (variables, keys,
//! the repository, a cartridge's identity), which belongs to root and the gear's group: the gear
//! reads it and cannot change it. Who pushes runs `git` there with their own rights, and git heeds
//! what a repository's settings and hooks say. To be called while no process of the gear runs.

use crate::error::FsError;
use crate::sys::fs::{Dir, Kind, Meta};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Component, Path};

/// A gear's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
}

/// Gives everything in `home`, and the home itself, to whom it should belong.
pub fn own(home: &Dir, account: Account) -> Result<(), FsError> {
    own_inside(home, Path::new(""), account)?;
    home.set_owner("", 0, account.gid)
}

/// Gives `part` of a home to whom it should belong; `base` stands for the home, where the part is
/// built before it is moved there.
pub fn own_part(base: &Dir, part: &Path, account: Account) -> Result<(), FsError> {
    own_inside(base, part, account)?;
    let uid = if is_the_platforms(part, &HashSet::new()) { 0 } else { account.uid };
    base.set_owner(part, uid, account.gid)
}

/// Gives everything in `part`, which is none of the platform's, to `account`.
pub fn own_all(part: &Dir, account: Account) -> Result<(), FsError> {
    for name in part.names()? {
        let Some(meta) = part.meta(&name)? else { continue };
        if meta.kind == Kind::Directory {
            own_all(&part.dir(&name)?, account)?;
        }
        if (meta.uid, meta.gid) != (account.uid, account.gid) {
            refuse_second_names(part, Path::new(&name), meta)?;
            part.set_owner(&name, account.uid, account.gid)?;
        }
    }
    Ok(())
}

fn own_inside(home: &Dir, folder: &Path, account: Account) -> Result<(), FsError> {
    let dir = if folder.as_os_str().is_empty() { home.again()? } else { home.dir(folder)? };
    let names: HashSet<OsString> = dir.names()?.into_iter().collect();
    for name in &names {
        let path = folder.join(name);
        let Some(meta) = dir.meta(name)? else { continue };
        if meta.kind == Kind::Directory {
            own_inside(home, &path, account)?;
        }
        let uid = if is_the_platforms(&path, &names) { 0 } else { account.uid };
        if (meta.uid, meta.gid) != (uid, account.gid) {
            refuse_second_names(home, &path, meta)?;
            dir.set_owner(name, uid, account.gid)?;
        }
    }
    Ok(())
}

/// A file with a second name may be somebody else's file that the gear has linked to.
fn refuse_second_names(home: &Dir, path: &Path, meta: Meta) -> Result<(), FsError> {
    if meta.kind == Kind::File && meta.links > 1 {
        return Err(FsError::new("set the owner of", home.path_of(path), Errno::MLINK));
    }
    Ok(())
}

/// Tells whether `path` in a gear's home belongs to root; `siblings` are the names beside it.
fn is_the_platforms(path: &Path, siblings: &HashSet<OsString>) -> bool {
    let parts: Vec<&str> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    match parts.as_slice() {
        ["app-root" | ".gitconfig"] | [".env" | ".ssh" | "git" | "gear-registry", ..] => true,
        [_, rest @ ..] => is_immutable(rest, siblings),
        [] => false,
    }
}

/// Tells whether the path in a cartridge's folder is one of the four files that no managed-files
/// pattern reaches: manifest, managed files, identity, folder; `siblings` are the names beside it.
pub(super) fn is_immutable(path: &[&str], siblings: &HashSet<OsString>) -> bool {
    match path {
        ["metadata", "manifest.yml" | "managed_files.yml"] => true,
        ["env", name] => says_identity(name, siblings),
        _ => false,
    }
}

/// `OPENSHIFT_X_IDENT`, and the `OPENSHIFT_X_DIR` beside it.
fn says_identity(name: &str, siblings: &HashSet<OsString>) -> bool {
    let Some(rest) = name.strip_prefix("OPENSHIFT_") else { return false };
    match rest.strip_suffix("_DIR") {
        Some(short) => siblings.contains(&OsString::from(format!("OPENSHIFT_{short}_IDENT"))),
        None => rest.ends_with("_IDENT"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::home;
    use super::*;

    #[test]
    fn the_platforms_files_are_roots_and_all_others_the_gears() {
        let siblings = ["OPENSHIFT_PHP_IDENT"].map(OsString::from).into();
        for (path, platform) in [
            (".env", true),
            (".env/HOME", true),
            ("app-root", true),
            ("app-root/data", false),
            ("git", true),
            ("git/blog.git", true),
            ("git/blog.git/objects", true),
            ("git/blog.git/hooks/post-receive", true),
            ("php/metadata/manifest.yml", true),
            ("php/metadata/other.yml", false),
            ("php/env/OPENSHIFT_PHP_IDENT", true),
            ("php/env/OPENSHIFT_PHP_DIR", true),
            ("php/env/OPENSHIFT_PHP_LOG_DIR", false),
            (".envrc", false),
        ] {
            assert_eq!(is_the_platforms(Path::new(path), &siblings), platform, "{path}");
        }
    }

    #[test]
    fn ownership_follows_no_link_and_refuses_a_file_with_a_second_name() {
        if !crate::sys::host::is_root() {
            return; // Changing owners needs root; the rule itself is tested above.
        }
        let temp = tempfile::tempdir().unwrap();
        let outside = Dir::open(temp.path()).unwrap();
        outside.make_dir("home", 0o755).unwrap();
        outside.write_new("secret", b"", 0o600).unwrap();
        let gear = outside.dir("home").unwrap();
        home::build(&gear, &home::tests::sample(gear.path())).unwrap();
        gear.make_link("app-root/data/link", outside.path_of("secret")).unwrap();
        let account = Account { uid: 12_345, gid: 12_346 };
        own(&gear, account).unwrap();
        own(&gear, account).unwrap();
        let owner = |dir: &Dir, name: &str| {
            let meta = dir.meta(name).unwrap().unwrap();
            (meta.uid, meta.gid)
        };
        assert_eq!(owner(&gear, ""), (0, 12_346));
        assert_eq!(owner(&gear, ".env/HOME"), (0, 12_346));
        assert_eq!(owner(&gear, "app-root/data"), (12_345, 12_346));
        assert_eq!(owner(&gear, "app-root/data/link"), (12_345, 12_346));
        assert_eq!(owner(&outside, "secret"), (0, 0));
        outside.make_hard_link("secret", &gear, "app-root/data/second").unwrap();
        assert!(own(&gear, account).is_err());
        assert_eq!(owner(&outside, "secret"), (0, 0));
    }
}
