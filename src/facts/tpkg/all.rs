//! Everything that planning needs to know before packages of this format come or go.

use super::host::{TpkgHost, tpkg_host};
use super::installed::{InstalledTpkg, installed_tpkg, tpkg_packages_named};
use super::needs::{Needs, needs, tpkg_title};
use super::services::{Services, services};
use super::spots::{Arriving, arriving};
use crate::db::{Db, ExternalRow, PackageRow, PlacedKind};
use crate::error::{Exit, Failure};
use crate::layout::Layout;
use crate::package::Package;
use crate::package::ident::FormatName;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A package that is to come.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What its metadata says.
    pub package: &'a Package,
    /// Its tree in staging, relative to the state directory.
    pub tree: &'a RelPath,
    /// Whether it takes the place of what is installed under its name.
    pub turn: Turn,
}

/// How a package comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Beside whatever is installed.
    Beside,
    /// In the place of what is installed under its name.
    InPlace,
}

/// What there is to know.
#[derive(Clone, Debug, PartialEq)]
pub struct TpkgFacts {
    /// Of each package that comes: the places that it wants.
    pub arriving: Vec<Arriving>,
    /// Of each: what it takes the place of.
    pub replaced: Vec<Vec<InstalledTpkg>>,
    /// What goes.
    pub leaving: Vec<InstalledTpkg>,
    /// The host.
    pub host: TpkgHost,
    /// The names of packages that hold places.
    pub holders: BTreeMap<i64, String>,
    /// Who needs whom.
    pub needs: Needs,
    /// What each package that goes has asked externals for.
    pub asked: BTreeMap<i64, Vec<ExternalRow>>,
    /// The init scripts of what goes for good.
    pub services: Vec<Services>,
    /// The root directory, where it is not the host's own.
    pub root: Option<PathBuf>,
}

/// Finds out what there is to know. `base` is an absolute path below the root directory.
pub fn tpkg_facts(
    (db, layout): (&Db, &Layout),
    base: &Path,
    coming: &[Wanted<'_>],
    leaving: &[PackageRow],
) -> Result<TpkgFacts, Failure> {
    // Thousands of questions, of one state of things.
    let _snapshot = db.snapshot()?;
    let (root, state) = (root(layout)?, Dir::create(layout.state(), 0o711)?);
    let mut replaced = Vec::new();
    let mut arrived = Vec::new();
    for one in coming {
        let mut old = Vec::new();
        if one.turn == Turn::InPlace {
            for row in tpkg_packages_named(db, one.package.name.as_str())? {
                old.push(installed_tpkg(db, &root, &row)?);
            }
        }
        // A package stays where it is.
        let home = old.first().map(|old| PathBuf::from(&old.home.base));
        let shown = home.unwrap_or_else(|| below(layout, base));
        let inside = inside(layout, &shown)?;
        let tree = state.dir(one.tree)?;
        let shown = shown.display().to_string();
        arrived.push(arriving((db, &root), (one.package, &tree), (shown, &inside))?);
        replaced.push(old);
    }
    let leaving = leaving.iter().map(|row| installed_tpkg(db, &root, row));
    let leaving = leaving.collect::<Result<Vec<_>, _>>()?;
    let going = || replaced.iter().flatten().chain(&leaving);
    let mut changing: BTreeSet<String> = going().map(|one| one.row.name.clone()).collect();
    changing.extend(coming.iter().map(|one| one.package.name.to_string()));
    let tpkgs = coming.iter().filter_map(|one| one.package.tpkg.as_deref());
    let requirements: Vec<_> =
        tpkgs.flat_map(|tpkg| tpkg.dependencies.iter().chain(&tpkg.conflicts)).collect();
    let needs = needs((db, layout.root()), &requirements, &changing)?;
    let host = tpkg_host(&root, &crontabs(coming, going()))?;
    let holders = holders(db, &arrived)?;
    let asked = going().map(|one| Ok((one.row.id, asked(db, one)?)));
    let asked = asked.collect::<Result<BTreeMap<_, _>, Failure>>()?;
    let root = layout.root().map(Path::to_path_buf);
    let services = leaving.iter().map(|one| services((db, layout), &one.row));
    let services = services.collect::<Result<Vec<_>, _>>()?;
    let arriving = arrived;
    Ok(TpkgFacts { arriving, replaced, leaving, host, holders, needs, asked, services, root })
}

/// What a package has asked for; another release of it beside has its own requests.
pub(super) fn asked(db: &Db, one: &InstalledTpkg) -> Result<Vec<ExternalRow>, Failure> {
    let called = (FormatName::Tpkg, "", one.row.name.as_str());
    let mut rows = db.externals_of_package(called, &one.home.base)?;
    rows.retain(|row| row.holder == one.home.file_name);
    Ok(rows)
}

/// The root directory of the host.
pub fn root(layout: &Layout) -> Result<Dir, Failure> {
    Ok(Dir::open(layout.root().unwrap_or(Path::new("/")))?)
}

/// A path of the host as scripts see it.
pub(super) fn below(layout: &Layout, path: &Path) -> PathBuf {
    match layout.root() {
        Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
        None => path.to_owned(),
    }
}

/// The same, relative to the root directory.
pub(super) fn inside(layout: &Layout, shown: &Path) -> Result<RelPath, Failure> {
    let root = layout.root().unwrap_or(Path::new("/"));
    let inside = shown.strip_prefix(root).unwrap_or(shown);
    let text = inside.to_str().unwrap_or_default();
    RelPath::parse(text.trim_start_matches('/')).map_err(|error| {
        Failure::new(Exit::Usage, format!("the base `{}` {error}", shown.display()))
            .hint("give `--base` an absolute path such as `/opt/tpkg`")
    })
}

/// The users of whose crontabs somebody speaks.
fn crontabs<'a>(
    coming: &[Wanted<'_>],
    going: impl Iterator<Item = &'a InstalledTpkg>,
) -> BTreeSet<String> {
    let files = coming.iter().filter_map(|one| one.package.tpkg.as_ref());
    let files = files.flat_map(|tpkg| &tpkg.files);
    let named = files.filter_map(|file| file.crontab.as_ref()?.user.clone());
    let lines = going.flat_map(|one| &one.files);
    let lines = lines.filter(|file| file.placed.kind == PlacedKind::Lines);
    named.chain(lines.map(|file| file.placed.path.name().to_owned())).collect()
}

fn holders(db: &Db, arrived: &[Arriving]) -> Result<BTreeMap<i64, String>, Failure> {
    let mut names = BTreeMap::new();
    let beside = arrived.iter().flat_map(|one| one.beside.iter().flatten());
    for spot in arrived.iter().flat_map(|one| &one.spots).chain(beside) {
        for holder in &spot.holders {
            if !names.contains_key(&holder.package)
                && let Some(row) = db.package(holder.package)?
            {
                names.insert(holder.package, tpkg_title(&row));
            }
        }
    }
    Ok(names)
}
