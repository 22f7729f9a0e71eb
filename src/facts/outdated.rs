//! Facts about newer versions: of installed packages, and of the cartridges in gears.

use super::holds::VendorAndName;
use super::packages::place_of;
use super::providers::package_of;
use super::tpkg::is_tpkg;
use crate::db::{Db, DbError, Hold, PackageRow};
use crate::index;
use crate::package::version::Version;
use crate::sys::path::RelPath;
use std::collections::BTreeMap;

/// A version, and those that it takes over from without a restart.
type Release = (Version, Vec<Version>);

/// Where a version can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Whence {
    /// The library of this host.
    Library,
    /// The index that the binary brings.
    Index,
    /// The source that the package came from.
    Upstream,
}

impl Whence {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Index => "index",
            Self::Upstream => "upstream",
        }
    }
}

/// A version of a package that can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The version.
    pub version: Version,
    /// The versions from which an upgrade to it needs no restart.
    pub compatible: Vec<Version>,
    /// Where it can be had.
    pub from: Whence,
    /// Whether the installed package came from there.
    pub is_source: bool,
}

/// One package of the library, in all its versions.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The newest version that is installed.
    pub row: PackageRow,
    /// Its number.
    pub installed: Version,
    /// The directories of all installed versions, below the library.
    pub places: Vec<RelPath>,
    /// Why it has to stay as it is, where somebody holds it.
    pub hold: Option<Hold>,
    /// What can be had.
    pub offers: Vec<Offer>,
}

/// What a package's offers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// The newest version is installed.
    Current,
    /// A newer one can be had.
    Newer(&'a Offer),
    /// The same version with other contents can be had from where it came.
    Rebuilt(&'a Offer),
    /// Its source offers an older one now.
    Older(&'a Offer),
}

impl Standing {
    /// `vendor-name`.
    pub fn title(&self) -> String {
        format!("{}-{}", self.row.vendor, self.row.name)
    }

    /// What the offers mean. A source that has an older version now is listened to only where
    /// nobody has a newer one.
    pub fn verdict(&self) -> Verdict<'_> {
        // Of equal ones the source's own.
        let best = self.offers.iter().max_by_key(|offer| (&offer.version, offer.is_source));
        let Some(best) = best else { return Verdict::Current };
        let own = self.offers.iter().find(|offer| offer.is_source);
        match (best.version > self.installed, own) {
            (true, _) => Verdict::Newer(best),
            (false, Some(own)) if own.version < self.installed => Verdict::Older(own),
            (false, Some(own)) => Verdict::Rebuilt(own),
            (false, None) => Verdict::Current,
        }
    }

    /// The newest version that can be had, the installed one among them.
    pub fn newest(&self) -> &Version {
        self.offers
            .iter()
            .map(|offer| &offer.version)
            .max()
            .map_or(&self.installed, |offered| offered.max(&self.installed))
    }

    /// The newest one to which the installed one can be upgraded without a restart.
    pub fn compatible(&self) -> Option<&Version> {
        newest_compatible(
            &self.installed,
            self.offers.iter().map(|one| (&one.version, &one.compatible)),
        )
    }
}

/// A cartridge in a gear whose package the library has in a newer version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldCartridge {
    /// The gear.
    pub gear: String,
    /// The cartridge's folder.
    pub dir: String,
    /// The vendor of its package.
    pub vendor: String,
    /// The name of its package.
    pub name: String,
    /// The software version that it runs.
    pub software: String,
    /// The version of the package.
    pub installed: Version,
    /// The newest version in the library that takes over from it without a restart.
    pub compatible: Option<Version>,
    /// The newest version in the library.
    pub newest: Version,
    /// Why it has to stay as it is, where somebody holds it.
    pub hold: Option<Hold>,
}

/// How every package of the library stands, by name and vendor, with what the index offers.
pub fn standings(db: &Db) -> Result<Vec<Standing>, DbError> {
    let mut lines: BTreeMap<(String, String), Vec<PackageRow>> = BTreeMap::new();
    // Packages of tpkg have sources of their own.
    for row in db.packages()?.into_iter().filter(|row| !is_tpkg(row)) {
        lines.entry((row.name.clone(), row.vendor.clone())).or_default().push(row);
    }
    lines.into_values().filter_map(|rows| standing(db, rows).transpose()).collect()
}

fn standing(db: &Db, rows: Vec<PackageRow>) -> Result<Option<Standing>, DbError> {
    let places = rows.iter().map(place_of).collect::<Result<Vec<_>, _>>()?;
    let mut newest: Option<(Version, PackageRow)> = None;
    for row in rows {
        let version = version_of(&row)?;
        // Of two builds of one version, the later.
        if newest.as_ref().is_none_or(|(best, _)| version >= *best) {
            newest = Some((version, row));
        }
    }
    let Some((installed, row)) = newest else { return Ok(None) };
    let hold = db.hold_on(&row.vendor, &row.name)?;
    let offers = indexed(&row, &installed);
    Ok(Some(Standing { row, installed, places, hold, offers }))
}

/// What the index offers beside an installed package; an older one counts only where the package
/// came from there.
fn indexed(row: &PackageRow, installed: &Version) -> Vec<Offer> {
    let is_source = row.source_kind == "index";
    let same = |entry: &&index::Entry| entry.vendor == row.vendor && entry.name == row.name;
    let found = index::entries().iter().filter(same).filter_map(package_of);
    let offers = found.map(|package| Offer {
        version: package.package_version,
        compatible: package.compatible_versions,
        from: Whence::Index,
        is_source,
    });
    offers
        .filter(|offer| offer.version > *installed || is_source && offer.version != *installed)
        .collect()
}

/// The cartridges in gears whose packages the library has in newer versions.
pub fn old_cartridges(db: &Db) -> Result<Vec<OldCartridge>, DbError> {
    let mut lines: BTreeMap<VendorAndName, Vec<Release>> = BTreeMap::new();
    let mut old = Vec::new();
    for gear in db.gears()? {
        for cartridge in db.gear_cartridges(gear.id)? {
            let Some(row) = db.package(cartridge.package)? else { continue };
            let installed = version_of(&row)?;
            let key = (row.vendor.clone(), row.name.clone());
            if !lines.contains_key(&key) {
                lines.insert(key.clone(), releases(db, &row)?);
            }
            let releases = lines.get(&key).map(Vec::as_slice).unwrap_or_default();
            let newest = releases.iter().map(|(version, _)| version).max();
            let Some(newest) = newest.filter(|newest| **newest > installed) else { continue };
            let pairs = releases.iter().map(|(version, compatible)| (version, compatible));
            old.push(OldCartridge {
                gear: gear.name.clone(),
                dir: cartridge.dir,
                software: cartridge.software,
                compatible: newest_compatible(&installed, pairs).cloned(),
                newest: newest.clone(),
                hold: db.hold_on(&row.vendor, &row.name)?,
                vendor: row.vendor,
                name: row.name,
                installed,
            });
        }
    }
    Ok(old)
}

/// The versions of the package of `row` that are installed, each with those that it takes over from.
fn releases(db: &Db, row: &PackageRow) -> Result<Vec<Release>, DbError> {
    let rows = db.packages_named(&row.name)?.into_iter().filter(|one| one.vendor == row.vendor);
    let releases = rows.map(|one| {
        let package = db.manifest(one.id)?;
        Ok((package.package_version, package.compatible_versions))
    });
    releases.collect()
}

/// The newest of `releases` that is newer than `from` and names it as compatible.
fn newest_compatible<'a>(
    from: &Version,
    releases: impl Iterator<Item = (&'a Version, &'a Vec<Version>)>,
) -> Option<&'a Version> {
    let fits = |(version, compatible): &(&Version, &Vec<Version>)| {
        *version > from && compatible.contains(from)
    };
    releases.filter(fits).map(|(version, _)| version).max()
}

fn version_of(row: &PackageRow) -> Result<Version, DbError> {
    Version::parse(&row.package_version)
        .map_err(|error| DbError::Changed(format!("the package `{}`: {error}", row.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    fn offer(text: &str, compatible: &[&str], is_source: bool) -> Offer {
        let compatible = compatible.iter().map(|text| version(text)).collect();
        let from = if is_source { Whence::Upstream } else { Whence::Index };
        Offer { version: version(text), compatible, from, is_source }
    }

    fn standing(offers: Vec<Offer>) -> Standing {
        let row = PackageRow {
            id: 1,
            format: "cartridge".into(),
            vendor: "v".into(),
            name: "n".into(),
            version: "1".into(),
            package_version: "1.9".into(),
            tree: String::new(),
            place: "cartridge/v-n/1.9-aa".into(),
            size: 0,
            files: 0,
            source: String::new(),
            source_kind: "git".into(),
            md5: None,
            sha256: None,
            commit: None,
            trust: String::new(),
            installed: 0,
            txn: 1,
        };
        Standing { row, installed: version("1.9"), places: Vec::new(), hold: None, offers }
    }

    #[test]
    fn the_newest_and_the_newest_compatible_are_told_apart() {
        let one = standing(vec![offer("1.10", &["1.9"], true), offer("2.0", &["1.10"], false)]);
        assert_eq!((one.newest(), one.compatible()), (&version("2.0"), Some(&version("1.10"))));
        assert_eq!(one.verdict(), Verdict::Newer(&one.offers[1]));
        let none = standing(Vec::new());
        assert_eq!((none.newest(), none.compatible()), (&version("1.9"), None));
        assert_eq!(none.verdict(), Verdict::Current);
    }

    #[test]
    fn an_older_version_counts_only_from_the_source_and_without_a_newer_one() {
        let older = standing(vec![offer("1.8", &["1.9"], true)]);
        assert_eq!(older.verdict(), Verdict::Older(&older.offers[0]));
        assert_eq!((older.newest(), older.compatible()), (&version("1.9"), None));
        let both = standing(vec![offer("1.8", &[], true), offer("2", &[], false)]);
        assert_eq!(both.verdict(), Verdict::Newer(&both.offers[1]));
        let rebuilt = standing(vec![offer("1.9", &[], true)]);
        assert_eq!(rebuilt.verdict(), Verdict::Rebuilt(&rebuilt.offers[0]));
    }
}
