//! Facts for deploying: what a gear keeps, what it sees, how it wants to be deployed.

use super::gears::Gear;
use super::upgrades::answering;
use crate::db::Db;
use crate::error::Failure;
use crate::gear::deployment::{self, DeploySettings, Deployment};
use crate::gear::git::{Git, Look, Submodule};
use crate::layout::Layout;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// Where applications say what they want of a deployment.
const MARKERS: &str = ".openshift/markers";

/// Everything that a deployment may know.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployFacts {
    /// The gear.
    pub gear: Gear,
    /// What it keeps, the oldest first.
    pub deployments: Vec<Deployment>,
    /// The name of the one that it sees.
    pub live: Option<String>,
    /// How it is to be deployed.
    pub settings: DeploySettings,
    /// Where it listens right now.
    pub answering: Vec<(Ipv4Addr, u16)>,
    /// Whether it has a repository.
    pub has_repository: bool,
    /// The same of the other gears of a scaled application, the oldest first.
    pub children: Vec<Self>,
}

/// A commit of a gear's repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The name by which it was asked for.
    pub name: String,
    /// Its identifier.
    pub commit: String,
    /// The markers that it has.
    pub markers: Vec<String>,
    /// The other repositories of which it has commits.
    pub submodules: Vec<Submodule>,
}

impl DeployFacts {
    /// Reads them.
    pub fn of(layout: &Layout, gear: Gear) -> Result<Self, Failure> {
        let home = Dir::open(&layout.gears().join(gear.identity.name.as_str()))?;
        let repository = home.meta(repository(&gear))?;
        Ok(Self {
            deployments: deployment::all(&home)?,
            live: deployment::live_name(&home, "repo").ok(),
            settings: DeploySettings::read(&home),
            answering: answering(&gear),
            has_repository: repository.is_some_and(|meta| meta.kind == Kind::Directory),
            gear,
            children: Vec::new(),
        })
    }

    /// The same, of a scaled application's other gears too, which are deployed to as their head is.
    pub fn of_app(db: &Db, layout: &Layout, gear: Gear) -> Result<Self, Failure> {
        let mut children = Vec::new();
        for child in gear.children(db, layout)? {
            children.push(Self::of(layout, child)?);
        }
        let mut facts = Self::of(layout, gear)?;
        for child in &mut children {
            child.settings = facts.settings.clone();
        }
        facts.children = children;
        Ok(facts)
    }

    /// The deployment that was in use before the present one.
    pub fn previous(&self) -> Option<&Deployment> {
        let others = self.deployments.iter().filter(|one| self.live.as_ref() != Some(&one.name));
        let age = |one: &Deployment| one.last_activation().unwrap_or(0.0);
        others.max_by(|one, other| {
            age(one).total_cmp(&age(other)).then_with(|| one.name.cmp(&other.name))
        })
    }

    /// The deployment with that identifier, or the beginning of it.
    pub fn deployment(&self, id: &str) -> Option<&Deployment> {
        let mut fitting = self.deployments.iter().filter(|one| {
            !one.metadata.id.is_empty() && !id.is_empty() && one.metadata.id.starts_with(id)
        });
        let first = fitting.next();
        if fitting.next().is_some() { None } else { first }
    }
}

fn repository(gear: &Gear) -> String {
    format!("git/{}.git", gear.identity.name)
}

/// Looks for the commit that `name` means in the repository of `gear`; `incoming` is where a push
/// keeps its objects, below the repository's own. Nothing when there is none.
pub fn revision(
    layout: &Layout,
    gear: &Gear,
    (name, incoming): (&str, Option<&RelPath>),
) -> Result<Option<Revision>, Failure> {
    let bare = layout.gears().join(gear.identity.name.as_str()).join(repository(gear));
    let incoming = incoming.map(|folder| bare.join("objects").join(folder.as_path()));
    revision_in(&bare, (name, incoming))
}

/// The same in the repository `bare`; `incoming` is a whole path.
pub fn revision_in(
    bare: &Path,
    (name, incoming): (&str, Option<PathBuf>),
) -> Result<Option<Revision>, Failure> {
    let git = Git::find(None)?.with_incoming(incoming);
    let Some(Look { commit, has_folder, has_submodules }) = git.look(bare, name, MARKERS)? else {
        return Ok(None);
    };
    let markers = if has_folder { git.names_in(bare, &commit, MARKERS)? } else { Vec::new() };
    let submodules = if has_submodules { git.submodules(bare, &commit)? } else { Vec::new() };
    Ok(Some(Revision { name: name.to_owned(), commit, markers, submodules }))
}
