//! Facts about packages: what is installed, who uses it, and what a name means.

use crate::db::{Db, DbError, Hold, Inverse, InversePart, PackageRow};
use crate::error::{Exit, Failure};
use crate::package::Package;
use crate::package::file_table::{Content, Entry, FileTable};
use crate::package::ident::FormatName;
use crate::package::version::Version;
use crate::sys::path::RelPath;
use std::collections::BTreeSet;

/// An installed package.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// Its row.
    pub row: PackageRow,
    /// Its directory below the library.
    pub place: RelPath,
    /// What its manifest says.
    pub package: Package,
    /// The gears that use it.
    pub used_by: Vec<String>,
    /// Why it has to stay as it is, where somebody holds it.
    pub hold: Option<Hold>,
}

/// A package that a name means, and the software version that the name asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The package's row.
    pub row: PackageRow,
    /// The software version, where the name has one.
    pub software: Option<Version>,
}

/// Every installed package called one of `names`, with its manifest and its users.
pub fn library(db: &Db, names: &BTreeSet<String>) -> Result<Vec<Installed>, DbError> {
    let uses = if names.is_empty() { Vec::new() } else { db.package_uses()? };
    let mut installed = Vec::new();
    for name in names {
        for row in db.packages_named(name)? {
            let used_by = uses.iter().filter(|used| used.package == row.id);
            let used_by = used_by.map(|used| used.gear.clone()).collect();
            let package = db.manifest(row.id)?;
            let place = place_of(&row)?;
            let hold = db.hold_on(&row.vendor, &row.name)?;
            installed.push(Installed { row, place, package, used_by, hold });
        }
    }
    Ok(installed)
}

/// The places of packages to which a gear can still be rolled back: an upgrade that is kept for undoing
/// has taken them out of it.
pub fn ways_back(db: &Db) -> Result<BTreeSet<RelPath>, DbError> {
    let mut places = BTreeSet::new();
    for text in db.kept_inverses()? {
        // What an older version wrote and nobody can read leads nowhere.
        let Ok(inverse) = serde_json::from_str::<Inverse>(&text) else { continue };
        for part in inverse.parts {
            if let InversePart::RollBackGear { cartridges, .. } = part {
                places.extend(cartridges.into_iter().map(|one| one.place));
            }
        }
    }
    Ok(places)
}

pub(super) fn place_of(row: &PackageRow) -> Result<RelPath, DbError> {
    let unsafe_place = |error| DbError::Changed(format!("the place of `{}` {error}", row.name));
    RelPath::parse(&row.place).map_err(unsafe_place)
}

/// The installed packages that `text` means: `name`, `vendor-name`, and either with `-version`,
/// where the version is a software version or the package's own.
pub fn find(db: &Db, text: &str) -> Result<Vec<Found>, DbError> {
    let mut found: Vec<Found> = Vec::new();
    // A package of tpkg may be named by its file, which may also name systems and hardware.
    let stem = text.strip_suffix(".tpkg");
    if stem.is_some() {
        let rows = db.packages_of_file(text)?;
        if !rows.is_empty() {
            return Ok(rows.into_iter().map(|row| Found { row, software: None }).collect());
        }
    }
    let text = stem.unwrap_or(text);
    for (vendor, name, version) in readings(text) {
        for row in db.packages_named(name)? {
            if vendor.is_some_and(|vendor| vendor != row.vendor) {
                continue;
            }
            let software = match software_asked(db, &row, version)? {
                Asked::Any => None,
                Asked::Software(version) => Some(version),
                Asked::Other => continue,
            };
            if !found.iter().any(|other| other.row.id == row.id) {
                found.push(Found { row, software });
            }
        }
    }
    Ok(found)
}

/// What the version part of a name asks of a package.
enum Asked {
    /// No software version in particular.
    Any,
    /// This one.
    Software(Version),
    /// One that the package does not have.
    Other,
}

fn software_asked(db: &Db, row: &PackageRow, version: Option<&str>) -> Result<Asked, DbError> {
    let Some(version) = version else { return Ok(Asked::Any) };
    if version == row.package_version && version != row.version {
        return Ok(Asked::Any);
    }
    let package = db.manifest(row.id)?;
    let software = package.software.iter().find(|one| one.version.as_str() == version);
    Ok(software.map_or(Asked::Other, |one| Asked::Software(one.version.clone())))
}

/// An installed package that was chosen for a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// What its manifest says.
    pub package: Package,
    /// Its directory below the library.
    pub place: RelPath,
    /// The software version that the name asks for.
    pub software: Option<Version>,
}

/// The newest installed package that `text` means: of several releases the newest one that still
/// has the software version that is asked for (node specification, 2). Packages of different
/// vendors are a conflict; nothing when no package has that name.
pub fn newest(db: &Db, text: &str) -> Result<Option<Chosen>, Failure> {
    let mut found = find(db, text)?;
    // Gears are made of cartridges alone.
    found.retain(|one| one.row.format == FormatName::Cartridge.as_str());
    let vendors: BTreeSet<_> = found.iter().map(|one| (&one.row.vendor, &one.row.name)).collect();
    if vendors.len() > 1 {
        let names: Vec<_> =
            vendors.iter().map(|(vendor, name)| format!("`{vendor}-{name}`")).collect();
        let text = format!("`{text}` could be any of {}", names.join(", "));
        return Err(Failure::new(Exit::Conflict, text).hint("name the vendor, too"));
    }
    let mut chosen: Option<Chosen> = None;
    for Found { row, software } in found {
        let package = db.manifest(row.id)?;
        let is_newer = chosen
            .as_ref()
            .is_none_or(|best| package.package_version >= best.package.package_version);
        if is_newer {
            chosen = Some(Chosen { package, place: place_of(&row)?, software });
        }
    }
    Ok(chosen)
}

/// The ways to read `a-b-c` as `[vendor-]name[-version]`. A vendor has no `-` in it.
fn readings(text: &str) -> Vec<(Option<&str>, &str, Option<&str>)> {
    let mut readings = Vec::new();
    for (vendor, rest) in [(None, Some(text)), (vendor_of(text), name_of(text))] {
        let Some(rest) = rest else { continue };
        readings.push((vendor, rest, None));
        for (at, _) in rest.match_indices('-') {
            if let (Some(name), Some(version)) = (rest.get(..at), rest.get(at + 1..)) {
                readings.push((vendor, name, Some(version)));
            }
        }
    }
    readings
}

fn vendor_of(text: &str) -> Option<&str> {
    text.split_once('-').map(|(vendor, _)| vendor)
}

fn name_of(text: &str) -> Option<&str> {
    text.split_once('-').map(|(_, name)| name)
}

/// The file table of an installed package, as it was recorded.
pub fn table(db: &Db, package: i64) -> Result<FileTable, DbError> {
    let mut entries = Vec::new();
    for row in db.files(package)? {
        let wrong = |what: &str| DbError::Changed(format!("the file `{}` has {what}", row.path));
        let path = RelPath::parse(&row.path).map_err(|_| wrong("an unsafe path"))?;
        let content = match (row.kind.as_str(), row.size, row.sha256, &row.target) {
            ("directory", ..) => Content::Directory,
            ("file", Some(size), Some(sha256), _) => Content::File { size, sha256 },
            ("link", _, _, Some(target)) => Content::Link(target.clone()),
            _ => return Err(wrong("an incomplete record")),
        };
        entries.push(Entry { path, mode: row.mode, content });
    }
    Ok(FileTable::new(entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_every_way_it_can_mean() {
        let expected = vec![
            (None, "redhat-php-5.4", None),
            (None, "redhat", Some("php-5.4")),
            (None, "redhat-php", Some("5.4")),
            (Some("redhat"), "php-5.4", None),
            (Some("redhat"), "php", Some("5.4")),
        ];
        assert_eq!(readings("redhat-php-5.4"), expected);
        assert_eq!(readings("php"), vec![(None, "php", None)]);
    }
}
