//! The init scripts of installed packages, and who starts them on this host.

use super::all::{inside, root};
use super::needs::tpkg_title;
use crate::db::{Db, PackageRow, PlacedKind, Role};
use crate::error::Failure;
use crate::layout::Layout;
use crate::package::tpkg::{Place, TpkgFile};
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::host;
use crate::sys::in_root::InRoot;
use std::path::Path;

/// Where it can be seen that systemd runs this host.
const SYSTEMD: &str = "/run/systemd/system";

/// The init scripts of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// What messages call the package.
    pub package: String,
    /// Its name.
    pub name: String,
    /// Its base, as scripts see it.
    pub base: String,
    /// Its init scripts, in the order of its list.
    pub scripts: Vec<InitScript>,
}

/// One init script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitScript {
    /// Its absolute path.
    pub path: String,
    /// When it is its turn; 0 where the package says nothing, as in the original.
    pub start: u32,
    /// The unit by which systemd starts it here.
    pub unit: Option<String>,
    /// Whether it is there.
    pub is_there: bool,
}

impl InitScript {
    /// Its name.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The init scripts of the package of `row`.
pub fn services((db, layout): (&Db, &Layout), row: &PackageRow) -> Result<Services, Failure> {
    let root = root(layout)?;
    let base = db.home(row.id)?.map(|home| home.base).unwrap_or_default();
    let mut found = Services {
        package: tpkg_title(row),
        name: row.name.clone(),
        base: base.clone(),
        scripts: Vec::new(),
    };
    let manifest = db.manifest(row.id)?;
    let files = manifest.tpkg.iter().flat_map(|tpkg| &tpkg.files);
    let inits: Vec<&TpkgFile> = files.filter(|file| file.init.is_some()).collect();
    if inits.is_empty() {
        return Ok(found);
    }
    let units: Vec<_> = if runs_systemd(layout) {
        let placed = db.placed(row.id)?.into_iter();
        placed.filter(|one| one.role == Role::Unit && one.kind == PlacedKind::File).collect()
    } else {
        Vec::new()
    };
    for file in inits {
        let (path, is_there) = place((layout, &root), file, &base)?;
        let unit = units.iter().find(|unit| unit.target.as_deref() == Some(path.as_str()));
        let number = file.init.as_ref().and_then(|init| init.start.as_deref());
        found.scripts.push(InitScript {
            unit: unit.map(|unit| unit.path.name().to_owned()),
            start: number.and_then(|number| number.parse().ok()).unwrap_or_default(),
            is_there,
            path,
        });
    }
    Ok(found)
}

/// The absolute path of a file of a package, through no links, and whether it is there.
fn place(
    (layout, root): (&Layout, &Dir),
    file: &TpkgFile,
    base: &str,
) -> Result<(String, bool), Failure> {
    let wanted = match file.place {
        Place::Reloc => inside(layout, Path::new(base))?.join(&file.path),
        Place::Root => file.path.clone(),
    };
    let path = InRoot::new(root).place(&wanted)?;
    let is_there = root.meta(path.as_path())?.is_some_and(|meta| meta.kind != Kind::Directory);
    Ok((root.path_of(path.as_path()).display().to_string(), is_there))
}

/// Tells whether systemd runs this host, and we may tell it what to do.
fn runs_systemd(layout: &Layout) -> bool {
    let is_folder = |path| fs::kind_of(Path::new(path)) == Some(Kind::Directory);
    layout.root().is_none() && host::is_root() && is_folder(SYSTEMD)
}
