//! The links by which a gear sees one of its deployments.

use super::{FOLDER, PARTS, link_to};
use crate::error::FsError;
use crate::gear::owner::Account;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use std::path::{Path, PathBuf};

/// Where the links lead, as texts; nothing for one that is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Links(Vec<(String, Option<PathBuf>)>);

/// Tells whether `name` can be that of a deployment's directory.
pub fn is_name(name: &str) -> bool {
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    // These two lie beside them.
    is_plain && name != "by-id" && name != "current"
}

/// The links to the deployment `name`. What the application is made of comes last.
fn to(name: &str) -> Links {
    let parts = PARTS.iter().rev();
    let parts = parts.map(|part| (runtime(part), Some(PathBuf::from(link_to(name, part)))));
    let current = (format!("{FOLDER}/current"), Some(PathBuf::from(name)));
    Links(std::iter::once(current).chain(parts).collect())
}

fn runtime(part: &str) -> String {
    format!("app-root/runtime/{part}")
}

/// Where the links lead now.
pub fn shown(home: &Dir) -> Result<Links, FsError> {
    let link = |path: String| {
        let target = match home.meta(&path)?.map(|meta| meta.kind) {
            Some(Kind::Link) => Some(home.link_target(&path)?),
            _ => None,
        };
        Ok((path, target))
    };
    to("").0.into_iter().map(|(path, _)| link(path)).collect::<Result<_, _>>().map(Links)
}

/// Lets the gear see the deployment `name`.
pub fn show(home: &Dir, name: &str, account: Option<Account>) -> Result<(), FsError> {
    to(name).put(home, account)
}

impl Links {
    /// Tells whether every link would lead to something that is there.
    pub fn lead_somewhere(&self, home: &Dir) -> bool {
        let leads = |(path, target): &(String, Option<PathBuf>)| {
            let Some(name) = target.as_deref().and_then(|target| deployment_of(path, target))
            else {
                return false;
            };
            is_name(&name) && home.has(format!("{FOLDER}/{name}")).is_ok_and(|has| has)
        };
        self.0.iter().all(leads)
    }

    /// Lets the links lead where these do; each changes by one rename.
    pub fn put(&self, home: &Dir, account: Option<Account>) -> Result<(), FsError> {
        for (path, target) in &self.0 {
            let beside = beside(path);
            home.remove_file(&beside)?;
            checkpoint("deployment: before a link is flipped");
            let Some(target) = target else {
                home.remove_file(path)?;
                continue;
            };
            if home.meta(path)?.is_some_and(|meta| meta.kind == Kind::Link)
                && home.link_target(path)? == *target
            {
                continue;
            }
            home.make_link(&beside, target)?;
            if let (Some(account), Some(pinned)) = (account, home.pin(Path::new(&beside))?) {
                pinned.set_owner(account.uid, account.gid)?;
            }
            checkpoint("deployment: between making a link and flipping it");
            home.rename(&beside, home, path)?;
        }
        Ok(())
    }
}

/// The deployment to which the link at `path` leads with `target`.
fn deployment_of(path: &str, target: &Path) -> Option<String> {
    let target = target.to_str()?;
    if path.starts_with(FOLDER) {
        return Some(target.to_owned());
    }
    let (name, _) = target.strip_prefix("../../app-deployments/")?.split_once('/')?;
    Some(name.to_owned())
}

fn beside(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/.{name}.cart-new"),
        None => format!(".{path}.cart-new"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::home;
    use super::super::live_name;
    use super::*;

    #[test]
    fn links_lead_there_and_back_and_leave_nothing_beside_them() {
        let temp = tempfile::tempdir().unwrap();
        let gear = Dir::open(temp.path()).unwrap();
        home::build(&gear, &home::tests::sample(temp.path())).unwrap();
        let before = shown(&gear).unwrap();
        let first = live_name(&gear, "repo").unwrap();
        show(&gear, "2027-01-01_00-00-00.000", None).unwrap();
        for part in PARTS {
            assert_eq!(live_name(&gear, part).unwrap(), "2027-01-01_00-00-00.000");
        }
        let current = gear.link_target("app-deployments/current").unwrap();
        assert_eq!(current, Path::new("2027-01-01_00-00-00.000"));
        before.put(&gear, None).unwrap();
        assert_eq!(shown(&gear).unwrap(), before);
        assert_eq!(live_name(&gear, "repo").unwrap(), first);
        let left = gear.dir("app-root/runtime").unwrap().names().unwrap();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("cart")), "{left:?}");
    }

    #[test]
    fn names_of_deployments_lead_nowhere_else() {
        assert!(is_name("2026-11-21_07-05-00.042"));
        for bad in ["", ".", "..", "by-id", "current", "2026/x"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
