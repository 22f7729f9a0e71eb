//! Directories that live with a deployment and are seen in a cartridge through a link (the entries
//! `dependency_dirs` and `build_dependency_dirs` of managed files; node specification, 5).

use super::deployment;
use super::globs::normalised;
use super::owner::Account;
use crate::error::FsError;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree;
use std::path::Path;

/// The mode of directories that are made.
const MODE: u32 = 0o755;

/// One directory and the link to it, and what is missing of both.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Pair {
    /// The directory below the gear's home, in the deployment that is in use.
    place: String,
    /// The link below the gear's home.
    link: String,
    /// What the link says.
    target: String,
    /// The first component of either path that is missing, and what is made goes with.
    tops: Vec<String>,
}

/// What is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Survey {
    pairs: Vec<Pair>,
    /// Entries that are left out, and why.
    pub notes: Vec<String>,
}

/// Looks at what the entries of the cartridge in `folder` ask for: `entries` are pairs of a link and
/// a directory's name, `part` is `dependencies` or `build-dependencies`. Changes nothing.
pub fn survey(
    home: &Dir,
    folder: &str,
    part: &str,
    entries: &[(String, String)],
) -> Result<Survey, FsError> {
    let mut found = Survey::default();
    if entries.is_empty() {
        return Ok(found);
    }
    let live = deployment::live(home, part)?;
    for (link, name) in entries {
        let text = link.escape_debug();
        let (Some(link), Some(name)) = (inside(folder, link), inside(folder, name)) else {
            found.notes.push(format!("`{text}` lies outside the gear and is dropped"));
            continue;
        };
        let place = format!("{}/{name}", live.display());
        match home.meta(&link) {
            Ok(None) => {}
            // Made by an earlier run: the link stays, the directory may have been cleaned away.
            Ok(Some(meta)) if meta.kind == Kind::Link => {}
            Ok(Some(_)) => {
                found.notes.push(format!("`~/{}` is no link, and stays", link.escape_debug()));
                continue;
            }
            Err(error) => {
                found.notes.push(format!("`{text}` is left out: {error}"));
                continue;
            }
        }
        let up = "../".repeat(link.matches('/').count());
        let target = format!("{up}app-root/runtime/{part}/{name}");
        let mut tops = Vec::new();
        for path in [&place, &link] {
            tops.extend(first_missing(home, path));
        }
        found.pairs.push(Pair { place, link, target, tops });
    }
    Ok(found)
}

/// The path below the gear's home; nothing when the entry leaves it.
fn inside(folder: &str, entry: &str) -> Option<String> {
    match entry.strip_prefix("~/") {
        Some(rest) => normalised(rest),
        None => normalised(&format!("{folder}/{entry}")),
    }
}

/// The first component on the way to `path` that does not exist; nothing when all of it does or
/// cannot be reached.
fn first_missing(home: &Dir, path: &str) -> Option<String> {
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    let mut parts = ends.filter_map(|end| path.get(..end));
    parts.find(|part| matches!(home.meta(part), Ok(None))).map(str::to_owned)
}

impl Survey {
    /// Makes the directories, and the links where nothing stands in their places.
    pub fn make(&self, home: &Dir, account: Option<Account>) -> Result<(), FsError> {
        for pair in &self.pairs {
            checkpoint("dependencies: before a directory is made");
            make_dirs(home, &pair.place, account)?;
            if home.has(&pair.link)? {
                continue;
            }
            if let Some((parent, _)) = pair.link.rsplit_once('/') {
                make_dirs(home, parent, account)?;
            }
            checkpoint("dependencies: before a link is made");
            home.make_link(&pair.link, &pair.target)?;
            own(home, &pair.link, account)?;
        }
        Ok(())
    }

    /// Takes away what was made.
    pub fn unmake(&self, home: &Dir) -> Result<(), FsError> {
        for top in self.pairs.iter().flat_map(|pair| &pair.tops) {
            checkpoint("dependencies: before something goes");
            tree::remove(home, top)?;
        }
        Ok(())
    }
}

/// Makes `path` and what leads to it; what is new belongs to the gear.
fn make_dirs(home: &Dir, path: &str, account: Option<Account>) -> Result<(), FsError> {
    for end in path.match_indices('/').map(|(end, _)| end).chain([path.len()]) {
        let part = path.get(..end).unwrap_or(path);
        match home.make_dir(part, MODE) {
            Ok(()) => {
                home.set_mode(part, MODE)?;
                own(home, part, account)?;
            }
            Err(error) if error.is_already_there() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn own(home: &Dir, path: &str, account: Option<Account>) -> Result<(), FsError> {
    match (account, home.pin(Path::new(path))?) {
        // Something else that came to stand there since is not ours to give away.
        (Some(account), Some(pinned)) if pinned.meta.uid == 0 && !pinned.has_second_name() => {
            pinned.set_owner(account.uid, account.gid)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::home;
    use super::*;

    fn gear() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let gear = Dir::open(temp.path()).unwrap();
        home::build(&gear, &home::tests::sample(temp.path())).unwrap();
        gear.make_dir("php", 0o755).unwrap();
        (temp, gear)
    }

    fn entries(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(link, name)| ((*link).into(), (*name).into())).collect()
    }

    #[test]
    fn links_lead_to_directories_of_the_deployment_in_use() {
        let (temp, gear) = gear();
        let asked = entries(&[
            ("phplib", "phplib"),
            ("standalone/deployments", "deployments"),
            ("~/.npm", "~/.npm"),
        ]);
        let found = survey(&gear, "php", "dependencies", &asked).unwrap();
        assert!(found.notes.is_empty(), "{:?}", found.notes);
        found.make(&gear, None).unwrap();
        found.make(&gear, None).unwrap();
        for (link, place) in [
            ("php/phplib", "php/phplib"),
            ("php/standalone/deployments", "php/deployments"),
            (".npm", ".npm"),
        ] {
            assert_eq!(gear.meta(link).unwrap().unwrap().kind, Kind::Link, "{link}");
            let shown = temp.path().join("app-root/dependencies").join(place);
            Dir::open(&shown).unwrap().write_new("seen", b"", 0o600).unwrap();
            assert!(temp.path().join(link).join("seen").is_file(), "{link}");
        }
        found.unmake(&gear).unwrap();
        found.unmake(&gear).unwrap();
        assert!(gear.dir("php").unwrap().names().unwrap().is_empty());
        assert!(!gear.has(".npm").unwrap());
        let live = gear.dir(deployment::live(&gear, "dependencies").unwrap()).unwrap();
        assert!(live.names().unwrap().is_empty());
    }

    #[test]
    fn what_stands_in_a_links_place_stays_and_what_climbs_out_is_dropped() {
        let (_temp, gear) = gear();
        gear.make_dir("php/lib", 0o755).unwrap();
        let asked = entries(&[("lib", "lib"), ("~/../x", "x"), ("y", "../../../y")]);
        let found = survey(&gear, "php", "build-dependencies", &asked).unwrap();
        assert_eq!(found.notes.len(), 3, "{:?}", found.notes);
        found.make(&gear, None).unwrap();
        assert_eq!(gear.meta("php/lib").unwrap().unwrap().kind, Kind::Directory);
        found.unmake(&gear).unwrap();
        assert!(gear.has("php/lib").unwrap());
    }

    #[test]
    fn a_link_of_before_stays_and_its_directory_comes_back() {
        let (_temp, gear) = gear();
        let asked = entries(&[("lib", "lib")]);
        let first = survey(&gear, "php", "dependencies", &asked).unwrap();
        first.make(&gear, None).unwrap();
        let live = deployment::live(&gear, "dependencies").unwrap();
        tree::remove(&gear, live.join("php")).unwrap();
        let second = survey(&gear, "php", "dependencies", &asked).unwrap();
        second.make(&gear, None).unwrap();
        assert!(gear.has(live.join("php/lib")).unwrap());
        second.unmake(&gear).unwrap();
        assert!(!gear.has(live.join("php")).unwrap());
        assert!(gear.has("php/lib").unwrap(), "the link was there before");
    }
}
