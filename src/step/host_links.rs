//! Makes and removes symbolic links of the host: the commands that cartridges call by absolute
//! paths, where a gear has no view of its own.
//!
//! Only links are touched that are as the plan found them: what somebody else has put there
//! meanwhile stays, and the step fails.

use super::{Cx, Said, Step};
use crate::db::HostLink;
use crate::error::{Exit, Failure};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use std::path::Path;

/// Links that change together.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HostLinks {
    /// The links, relative to the root directory.
    pub links: Vec<HostLink>,
}

impl Step for HostLinks {
    type Undo = ();

    fn describe(&self) -> String {
        let making = self.links.iter().any(|link| link.becomes.is_some());
        let names: Vec<&str> = self.links.iter().map(|link| link.path.name()).collect();
        format!("{} {}", if making { "link" } else { "remove the links" }, names.join(", "))
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let root = root(cx)?;
        for link in &self.links {
            if now(&root, link)? != Now::Link(link.was.clone()) {
                return Err(changed(&root, link));
            }
        }
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let root = root(cx)?;
        for link in &self.links {
            set(&root, link, (link.was.as_ref(), link.becomes.as_ref()))?;
            checkpoint("host_links: one link");
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        let root = root(cx)?;
        for link in &self.links {
            set(&root, link, (link.becomes.as_ref(), link.was.as_ref()))?;
        }
        Ok(())
    }
}

/// What stands at a link's place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Now {
    /// A link to there, or nothing.
    Link(Option<String>),
    /// Anything else.
    Other,
}

fn root(cx: &Cx<'_>) -> Result<Dir, Failure> {
    Ok(Dir::open(cx.layout.root().unwrap_or(Path::new("/")))?)
}

fn now(root: &Dir, link: &HostLink) -> Result<Now, Failure> {
    let path = link.path.as_path();
    Ok(match root.meta(path)? {
        None => Now::Link(None),
        Some(meta) if meta.kind == Kind::Link => {
            Now::Link(Some(root.link_target(path)?.display().to_string()))
        }
        Some(_) => Now::Other,
    })
}

/// Brings a link from one target to another; it may be there already.
fn set(
    root: &Dir,
    link: &HostLink,
    (from, to): (Option<&String>, Option<&String>),
) -> Result<(), Failure> {
    let path = link.path.as_path();
    match now(root, link)? {
        Now::Link(target) if target.as_ref() == to => return Ok(()),
        Now::Link(None) => {}
        Now::Link(target) if target.as_ref() == from => root.remove_file(path)?,
        _ => return Err(changed(root, link)),
    }
    match to {
        Some(target) => Ok(root.make_link(path, target)?),
        None => Ok(()),
    }
}

fn changed(root: &Dir, link: &HostLink) -> Failure {
    let path = root.path_of(link.path.as_path());
    let text = format!("`{}` is not what it was; it stays as it is", path.display());
    Failure::new(Exit::Conflict, text).hint("look at it, then try again")
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> HostLinks {
    let place = world.state.path().strip_prefix(world.layout.root().unwrap()).unwrap();
    let path = |name: &str| {
        let path = format!("{}/{name}", place.display());
        crate::sys::path::RelPath::parse(&path).unwrap()
    };
    world.state.make_link("moved", "/old/cart").unwrap();
    world.state.make_link("gone", "/old/cart").unwrap();
    let link = |name, was: Option<&str>, becomes: Option<&str>| HostLink {
        path: path(name),
        was: was.map(str::to_owned),
        becomes: becomes.map(str::to_owned),
    };
    let links = vec![
        link("new", None, Some("/usr/bin/cart")),
        link("moved", Some("/old/cart"), Some("/usr/bin/cart")),
        link("gone", Some("/old/cart"), None),
    ];
    HostLinks { links }
}
