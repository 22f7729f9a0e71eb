//! Installed packages of this format, with what they have put on the host.

use super::spots::{There, look};
use crate::db::{Db, Hold, Holder, Home, PackageRow, Placed, PlacedKind, Role};
use crate::error::Failure;
use crate::facts::packages::place_of;
use crate::package::Package;
use crate::package::ident::FormatName;
use crate::sys::folders::Folders;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;

/// Something that a package has put on the host, and what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDisk {
    /// What was put there.
    pub placed: Placed,
    /// What is there.
    pub there: Option<There>,
    /// The other packages to which it belongs.
    pub others: Vec<Holder>,
}

/// An installed package of this format.
#[derive(Clone, Debug, PartialEq)]
pub struct InstalledTpkg {
    /// Its row.
    pub row: PackageRow,
    /// Its directory below the library.
    pub place: RelPath,
    /// What its metadata says, without its files.
    pub package: Package,
    /// Its base and its file's name.
    pub home: Home,
    /// What it has put on the host, by path.
    pub files: Vec<OnDisk>,
    /// Why it has to stay as it is, where somebody holds it.
    pub hold: Option<Hold>,
}

/// The installed packages of this format called `name`.
pub fn tpkg_packages_named(db: &Db, name: &str) -> Result<Vec<PackageRow>, Failure> {
    let mut rows = db.packages_named(name)?;
    rows.retain(|row| row.format == FormatName::Tpkg.as_str());
    Ok(rows)
}

/// Reads what there is to know of the package of `row`.
pub fn installed_tpkg(db: &Db, root: &Dir, row: &PackageRow) -> Result<InstalledTpkg, Failure> {
    let mut folders = Folders::new(root);
    let home = db.home(row.id)?.unwrap_or(Home { base: String::new(), file_name: String::new() });
    let mut files = Vec::new();
    let mut beside = db.holders_beside(row.id)?;
    for placed in db.placed(row.id)? {
        let reads = placed.role == Role::Config && placed.kind == PlacedKind::File;
        let there = look(&mut folders, &placed.path, reads)?;
        let others = beside.remove(placed.path.as_str()).unwrap_or_default();
        files.push(OnDisk { placed, there, others });
    }
    Ok(InstalledTpkg {
        row: row.clone(),
        place: place_of(row)?,
        package: db.manifest(row.id)?,
        home,
        files,
        hold: db.hold_on(&row.vendor, &row.name)?,
    })
}
