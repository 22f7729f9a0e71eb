//! What sources of tpkg packages have that is newer than what is installed.

use super::app::App;
use super::tpkg_choice::listed;
use crate::db::{Db, Hold, PackageRow};
use crate::error::Failure;
use crate::facts::tpkg::{Candidate, is_tpkg};
use crate::gather::OfSource;
use crate::package::tpkg::version;
use crate::package::version::Version;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// An installed package of tpkg, and the newest of its name that there is.
pub(super) struct OutdatedTpkg {
    pub(super) row: PackageRow,
    /// Version and package version.
    pub(super) installed: Version,
    /// The same of the newest; it equals `installed` where nobody has a newer one.
    pub(super) newest: Version,
    /// Who has the newest.
    pub(super) source: String,
    pub(super) hold: Option<Hold>,
}

/// Asks the sources of the settings and `more`. Without any of them nothing is known.
pub(super) fn look(app: &App, db: &Db, more: &[String]) -> Result<Vec<OutdatedTpkg>, Failure> {
    let sources: Vec<String> = more.iter().chain(&app.config()?.tpkg.sources).cloned().collect();
    let mut newest_here: BTreeMap<String, PackageRow> = BTreeMap::new();
    for row in db.packages()?.into_iter().filter(is_tpkg) {
        let is_newer = |other: &PackageRow| {
            compare(&Candidate::of_row(&row), &Candidate::of_row(other)) == Ordering::Greater
        };
        if newest_here.get(&row.name).is_none_or(is_newer) {
            newest_here.insert(row.name.clone(), row);
        }
    }
    if sources.is_empty() || newest_here.is_empty() {
        return Ok(Vec::new());
    }
    let offered = listed(app, &sources)?;
    newest_here.into_values().map(|row| standing(db, row, &offered)).collect()
}

fn standing(db: &Db, row: PackageRow, offered: &[OfSource]) -> Result<OutdatedTpkg, Failure> {
    let own = Candidate::of_row(&row);
    let of_its_name = offered.iter().filter(|one| one.listed.name == row.name);
    let best = of_its_name
        .map(|one| (candidate(one), one))
        .max_by(|(a, _), (b, _)| compare(a, b))
        .filter(|(best, _)| compare(best, &own) == Ordering::Greater);
    let parse = |text: &str| Version::parse(text).map_err(|error| odd(&row, &error));
    let installed = parse(&row.package_version)?;
    let (newest, source) = match best {
        Some((best, from)) => (parse(&full(&best))?, from.from.to_string()),
        None => (installed.clone(), row.source.clone()),
    };
    Ok(OutdatedTpkg { hold: db.hold_on(&row.vendor, &row.name)?, row, installed, newest, source })
}

fn odd(row: &PackageRow, error: &dyn std::error::Error) -> Failure {
    Failure::new(crate::error::Exit::Source, format!("a version of `{}`: {error}", row.name))
}

fn candidate(one: &OfSource) -> Candidate {
    Candidate {
        id: None,
        name: one.listed.name.clone(),
        kind: crate::package::tpkg::RequirementKind::Tpkg,
        version: one.listed.version.clone(),
        package_version: one.listed.package_version.clone(),
    }
}

fn full(one: &Candidate) -> String {
    match &one.package_version {
        Some(packaging) => format!("{}-{packaging}", one.version),
        None => one.version.clone(),
    }
}

fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    let packaging = |one: &Candidate| one.package_version.clone().unwrap_or_default();
    version::compare(&a.version, &b.version)
        .then_with(|| version::compare(&packaging(a), &packaging(b)))
}
