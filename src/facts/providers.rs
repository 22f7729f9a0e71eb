//! Who provides a feature: packages of the library, entries of the index.

use super::packages::{Chosen, newest, place_of};
use crate::db::Db;
use crate::error::{Exit, Failure, FsError};
use crate::format::{self, Tree};
use crate::index::{self, Entry};
use crate::package::digest::Sha256;
use crate::package::file_table::{self, Content, FileTable};
use crate::package::note::Notes;
use crate::package::version::Version;
use crate::package::{Package, Software};
use crate::sys::path::RelPath;

/// What a word means, or who provides it.
#[derive(Clone, Debug)]
pub enum Provider {
    /// A package of the library.
    Installed(Box<Chosen>),
    /// An entry of the index, and the software version that provides it, where that was asked for
    /// by a feature and not by a name.
    Indexed(&'static Entry, Option<Version>),
}

impl Provider {
    fn title(&self) -> String {
        match self {
            Self::Installed(chosen) => format!("{}-{}", chosen.package.vendor, chosen.package.name),
            Self::Indexed(entry, _) => format!("{}-{}", entry.vendor, entry.name),
        }
    }
}

/// What `word` means: a package of the library or the index of that name; else the only one that
/// provides it. Several that do are a conflict; nothing when nobody does.
pub fn provider(db: &Db, word: &str) -> Result<Option<Provider>, Failure> {
    if let Some(chosen) = newest(db, word)? {
        return Ok(Some(Provider::Installed(Box::new(chosen))));
    }
    if let Some(entry) = index::find(word) {
        return Ok(Some(Provider::Indexed(entry, None)));
    }
    let mut found = installed(db, word)?;
    for entry in index::entries() {
        if let Some(software) = package_of(entry).and_then(|package| providing(&package, word)) {
            let one = Provider::Indexed(entry, Some(software.version));
            // What is in the library is taken from there.
            if !found.iter().any(|other| other.title() == one.title()) {
                found.push(one);
            }
        }
    }
    if found.len() > 1 {
        let mut names: Vec<_> = found.iter().map(|one| format!("`{}`", one.title())).collect();
        names.sort();
        let text = format!("`{word}` is provided by {}", names.join(", "));
        return Err(Failure::new(Exit::Conflict, text).hint("name the one that you mean"));
    }
    Ok(found.pop())
}

/// The newest package of each name in the library that provides `feature`.
fn installed(db: &Db, feature: &str) -> Result<Vec<Provider>, Failure> {
    let mut found: Vec<Chosen> = Vec::new();
    for row in db.packages_mentioning(feature)? {
        let package = db.manifest(row.id)?;
        let Some(software) = providing(&package, feature) else { continue };
        let place = place_of(&row)?;
        let one = Chosen { package, place, software: Some(software.version) };
        let same = |other: &&mut Chosen| {
            (&other.package.vendor, &other.package.name) == (&one.package.vendor, &one.package.name)
        };
        match found.iter_mut().find(same) {
            Some(other) if other.package.package_version <= one.package.package_version => {
                *other = one;
            }
            Some(_) => {}
            None => found.push(one),
        }
    }
    Ok(found.into_iter().map(|one| Provider::Installed(Box::new(one))).collect())
}

/// The software version of `package` that provides `feature`; the default one where it does.
fn providing(package: &Package, feature: &str) -> Option<Software> {
    let all = std::iter::once(package.default_software()).chain(&package.software);
    let mut all = all.filter(|software| package.has_feature(software, feature));
    all.next().cloned()
}

/// What the manifest of an entry says; nothing when it cannot be read, which an installation will
/// tell more of.
pub(super) fn package_of(entry: &'static Entry) -> Option<Package> {
    let file = |file: &index::File| {
        let content = Content::File { size: file.bytes.len() as u64, sha256: Sha256([0; 32]) };
        let path = RelPath::parse(file.path).ok()?;
        Some(file_table::Entry { path, mode: file.mode, content })
    };
    let table = FileTable::new(entry.files.iter().filter_map(file).collect());
    format::read(&Embedded { entry, table }, &mut Notes::default()).ok()
}

/// The files of an entry, as formats read them.
struct Embedded {
    entry: &'static Entry,
    table: FileTable,
}

impl Embedded {
    fn bytes(&self, path: &str) -> Option<&'static [u8]> {
        self.entry.files.iter().find(|file| file.path == path).map(|file| file.bytes)
    }
}

impl Tree for Embedded {
    fn table(&self) -> &FileTable {
        &self.table
    }

    fn read(&self, path: &str, _limit: u64) -> Result<Option<Vec<u8>>, FsError> {
        Ok(self.bytes(path).map(<[u8]>::to_vec))
    }

    fn head(&self, path: &str, length: u64) -> Result<Option<Vec<u8>>, FsError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(self.bytes(path).map(|bytes| bytes.iter().copied().take(length).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_index_says_what_it_provides() {
        for entry in index::entries() {
            let package = package_of(entry).unwrap();
            assert_eq!(package.name.as_str(), entry.name);
            assert!(providing(&package, entry.name).is_some(), "its own name is a feature");
            assert!(providing(&package, "nonsense").is_none());
        }
    }

    #[test]
    fn names_come_before_features() {
        let db = Db::empty().unwrap();
        let found = provider(&db, "static-web").unwrap().unwrap();
        assert!(matches!(found, Provider::Indexed(entry, None) if entry.name == "static-web"));
        assert!(provider(&db, "nonsense").unwrap().is_none());
    }
}
