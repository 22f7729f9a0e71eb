//! What is known of an installed package beyond what every package says: where it is, whom it needs,
//! and who needs it.

use super::needs::{Candidate, tpkg_title};
use crate::db::{Db, PackageRow, PlacedKind};
use crate::error::Failure;
use crate::package::Package;
use serde::Serialize;

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TpkgInfo {
    /// Its base, as scripts see it.
    pub base: String,
    /// The name of its file, as externals know it.
    pub file_name: String,
    /// Who maintains it.
    pub maintainer: String,
    /// On which systems it runs; empty for all.
    pub operating_systems: Vec<String>,
    /// On which hardware it runs; empty for all.
    pub architectures: Vec<String>,
    /// Whom it needs, in words.
    pub needs: Vec<String>,
    /// Who must not be there, in words.
    pub conflicts: Vec<String>,
    /// The installed packages that need it.
    pub needed_by: Vec<String>,
    /// The externals that it asks.
    pub externals: Vec<String>,
    /// Its init scripts, relative to their place.
    pub services: Vec<String>,
    /// How many files it has put on the host.
    pub placed: usize,
    /// Their bytes.
    pub placed_size: u64,
}

/// What is known of the package of `row`.
pub fn tpkg_info(db: &Db, row: &PackageRow, package: &Package) -> Result<TpkgInfo, Failure> {
    let tpkg = package.tpkg.as_deref().cloned().unwrap_or_default();
    let home = db.home(row.id)?;
    let mut needed_by = Vec::new();
    let own = Candidate::of_row(row);
    for (id, clash, requirement) in db.needing(&row.name)? {
        if !clash
            && own.meets(&requirement)
            && let Some(other) = db.package(id)?
        {
            needed_by.push(tpkg_title(&other));
        }
    }
    let placed = db.placed(row.id)?.into_iter();
    let placed: Vec<_> = placed.filter(|one| one.kind != PlacedKind::Directory).collect();
    let services = tpkg.files.iter().filter(|file| file.init.is_some());
    Ok(TpkgInfo {
        base: home.as_ref().map(|home| home.base.clone()).unwrap_or_default(),
        file_name: home.map_or(tpkg.file_name, |home| home.file_name),
        maintainer: tpkg.maintainer,
        operating_systems: tpkg.operating_systems,
        architectures: tpkg.architectures,
        needs: tpkg.dependencies.iter().map(ToString::to_string).collect(),
        conflicts: tpkg.conflicts.iter().map(ToString::to_string).collect(),
        needed_by,
        externals: package.externals.iter().map(|one| one.name.to_string()).collect(),
        services: services.map(|file| file.path.to_string()).collect(),
        placed: placed.len(),
        placed_size: placed.iter().filter_map(|one| one.size).sum(),
    })
}
