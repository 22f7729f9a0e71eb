//! A gathered package, made ready for the library.

use super::Gathered;
use super::staging::Corner;
use crate::db::NewPackage;
use crate::error::{Exit, Failure};
use crate::gear::git::{self, Git};
use crate::layout::Layout;
use crate::library;
use crate::package::{Package, Template};
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use std::path::Path;

/// A package that waits in staging; all paths are relative to the state directory.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What will be recorded of it.
    pub new: NewPackage,
    /// Its tree in staging.
    pub from: RelPath,
    /// The bare repository made of its template, and where that belongs.
    pub template: Option<(RelPath, RelPath)>,
    /// Its part of the staging directory, which goes when nobody needs a package in it any more.
    staging: Corner,
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        (&self.new, &self.from, &self.template) == (&other.new, &other.from, &other.template)
            && self.staging.is(&other.staging)
    }
}

/// Makes `gathered` ready: its template becomes a bare repository once, for all gears to come.
pub fn arrive(layout: &Layout, gathered: Gathered) -> Result<Arrival, Failure> {
    let Gathered { staging, tree, table, package, notes, provenance } = gathered;
    let Some(package) = package else {
        return Err(Failure::new(Exit::Failed, "what was gathered is no package"));
    };
    let place = library::place(&package, &table).map_err(|error| odd(&error))?;
    let folder = staging.dir().path().strip_prefix(layout.state()).map_err(|error| odd(&error))?;
    let below = |name: &str| below(folder, name);
    let repository_name = staging.name("template.git");
    let template = match package.parts.template {
        None => None,
        Some(template) => {
            repository(staging.dir(), (&tree, &repository_name), template)?;
            let to = format!("templates/{}", library::template_repository(place.as_str()));
            Some((below(&repository_name)?, RelPath::parse(&to).map_err(|error| odd(&error))?))
        }
    };
    let from = below(&tree)?;
    let notes = notes.into_vec();
    let package: Package = package;
    let new = NewPackage { package, place, table, provenance, notes };
    Ok(Arrival { new, from, template, staging })
}

/// Makes the bare repository `name` in staging of the template in `tree`.
fn repository(
    staging: &Dir,
    (tree, name): (&str, &str),
    template: Template,
) -> Result<(), Failure> {
    let git = Git::find(None)?;
    let path = Path::new(tree).join(template.path());
    match template {
        Template::Directory | Template::UsrDirectory => {
            git.from_template(&staging.path_of(path), &staging.path_of(name))?;
        }
        Template::Repository | Template::UsrRepository => {
            let holder = staging.dir(path.parent().unwrap_or(Path::new(tree)))?;
            git::import(&git, (&holder, "template.git"), (staging, name))?;
        }
    }
    Ok(())
}

fn below(folder: &Path, name: &str) -> Result<RelPath, Failure> {
    RelPath::parse(&folder.join(name).to_string_lossy()).map_err(|error| odd(&error))
}

fn odd(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Failed, format!("the staging directory cannot be used: {error}"))
}

/// `new`, come from nowhere, for tests of plans; below `state`.
#[cfg(test)]
pub(crate) fn sample(state: &Path, new: NewPackage) -> Arrival {
    let staging = super::Staging::in_state(&Layout::below(state)).unwrap();
    let staging = Corner::new(&std::sync::Arc::new(staging), 0);
    Arrival { new, from: RelPath::parse("staging/fetch/0-tree").unwrap(), template: None, staging }
}
