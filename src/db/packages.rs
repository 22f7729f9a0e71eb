//! Questions about packages.

use super::{Db, Result};
use crate::package::Package;
use crate::package::digest::Sha256;
use crate::package::note::Note;
use rusqlite::{OptionalExtension, Row, params};

/// One installed package, as `list` needs it; the manifest is read only when it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    /// Its id.
    pub id: i64,
    /// Its format.
    pub format: String,
    /// Its vendor.
    pub vendor: String,
    /// Its name.
    pub name: String,
    /// Its default software version.
    pub version: String,
    /// Its own version.
    pub package_version: String,
    /// The digest of its tree.
    pub tree: String,
    /// Its directory below the library.
    pub place: String,
    /// Bytes in its files.
    pub size: u64,
    /// Entries in its tree.
    pub files: u64,
    /// Where it came from.
    pub source: String,
    /// `http`, `git`, `file` or `index`.
    pub source_kind: String,
    /// The MD5 of its archive.
    pub md5: Option<String>,
    /// The SHA-256 of its archive.
    pub sha256: Option<String>,
    /// Its commit.
    pub commit: Option<String>,
    /// How its bytes were vouched for.
    pub trust: String,
    /// When it was installed.
    pub installed: i64,
    /// The transaction that installed it.
    pub txn: i64,
}

/// A file of an installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRow {
    /// Its path in the tree.
    pub path: String,
    /// `file`, `directory` or `link`.
    pub kind: String,
    /// The permission bits in a gear.
    pub mode: u32,
    /// Its length, of a file.
    pub size: Option<u64>,
    /// Its digest, of a file.
    pub sha256: Option<Sha256>,
    /// Its target, of a link.
    pub target: Option<String>,
}

/// A gear that uses a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageUse {
    /// The package's id.
    pub package: i64,
    /// The gear's name.
    pub gear: String,
}

const COLUMNS: &str = "id, format, vendor, name, version, package_version, tree, place, size, files, \
                       source, source_kind, md5, sha256, commit_id, trust, installed, txn";

impl PackageRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            format: row.get(1)?,
            vendor: row.get(2)?,
            name: row.get(3)?,
            version: row.get(4)?,
            package_version: row.get(5)?,
            tree: row.get(6)?,
            place: row.get(7)?,
            size: row.get::<_, i64>(8)?.unsigned_abs(),
            files: row.get::<_, i64>(9)?.unsigned_abs(),
            source: row.get(10)?,
            source_kind: row.get(11)?,
            md5: row.get(12)?,
            sha256: row.get(13)?,
            commit: row.get(14)?,
            trust: row.get(15)?,
            installed: row.get(16)?,
            txn: row.get(17)?,
        })
    }
}

impl Db {
    fn package_rows(&self, rest: &str, values: impl rusqlite::Params) -> Result<Vec<PackageRow>> {
        let sql = format!("SELECT {COLUMNS} FROM package {rest}");
        let rows = self.connection.prepare_cached(&sql).and_then(|mut select| {
            let rows = select.query_map(values, PackageRow::read)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// Every installed package, by name, vendor and age.
    pub fn packages(&self) -> Result<Vec<PackageRow>> {
        self.package_rows("WHERE removed_by IS NULL ORDER BY name, vendor, id", [])
    }

    /// The installed packages called `name`, the oldest first.
    pub fn packages_named(&self, name: &str) -> Result<Vec<PackageRow>> {
        self.package_rows("WHERE removed_by IS NULL AND name = ?1 ORDER BY id", [name])
    }

    /// The package whose directory below the library is `place`.
    pub fn package_at(&self, place: &str) -> Result<Option<PackageRow>> {
        let rows = self.package_rows("WHERE removed_by IS NULL AND place = ?1", [place])?;
        Ok(rows.into_iter().next())
    }

    /// The package with this id, installed or in a stash.
    pub fn package(&self, id: i64) -> Result<Option<PackageRow>> {
        Ok(self.package_rows("WHERE id = ?1", [id])?.into_iter().next())
    }

    /// The packages whose trees wait in the stash of transaction `txn`.
    pub fn packages_removed_by(&self, txn: i64) -> Result<Vec<PackageRow>> {
        self.package_rows("WHERE removed_by = ?1 ORDER BY id", [txn])
    }

    /// The packages that transaction `txn` installed and that are still there.
    pub fn packages_installed_by(&self, txn: i64) -> Result<Vec<PackageRow>> {
        self.package_rows("WHERE txn = ?1 AND removed_by IS NULL ORDER BY id", [txn])
    }

    /// The names of all installed packages, for suggestions.
    pub fn package_names(&self) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT name FROM package WHERE removed_by IS NULL";
        let names = self.connection.prepare(sql).and_then(|mut select| {
            let rows = select.query_map([], |row| row.get(0))?;
            rows.collect()
        });
        self.answer(names)
    }

    /// What the package's manifest says.
    pub fn manifest(&self, id: i64) -> Result<Package> {
        let sql = "SELECT manifest FROM package WHERE id = ?1";
        let text: String = self.answer(self.connection.query_row(sql, [id], |row| row.get(0)))?;
        self.parse_json("manifest", &text)
    }

    /// What the reader had to say when the package was installed.
    pub fn notes(&self, id: i64) -> Result<Vec<Note>> {
        let sql = "SELECT notes FROM package WHERE id = ?1";
        let text: String = self.answer(self.connection.query_row(sql, [id], |row| row.get(0)))?;
        self.parse_json("list of notes", &text)
    }

    /// The package's files, by path.
    pub fn files(&self, id: i64) -> Result<Vec<FileRow>> {
        let sql = "SELECT path, kind, mode, size, sha256, target FROM file WHERE package = ?1 \
                   ORDER BY path";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([id], read_file)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// The package's file at `path`.
    pub fn file(&self, id: i64, path: &str) -> Result<Option<FileRow>> {
        let sql = "SELECT path, kind, mode, size, sha256, target FROM file \
                   WHERE package = ?1 AND path = ?2";
        let row = self.connection.query_row(sql, params![id, path], read_file);
        self.answer(row.optional())
    }

    /// Which living gears use which packages.
    pub fn package_uses(&self) -> Result<Vec<PackageUse>> {
        let sql = "SELECT package, name FROM gear_cartridge JOIN gear ON gear.id = gear \
                   WHERE destroyed_by IS NULL ORDER BY package, name";
        let rows = self.connection.prepare(sql).and_then(|mut select| {
            let rows = select
                .query_map([], |row| Ok(PackageUse { package: row.get(0)?, gear: row.get(1)? }))?;
            rows.collect()
        });
        self.answer(rows)
    }
}

fn read_file(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    Ok(FileRow {
        path: row.get(0)?,
        kind: row.get(1)?,
        mode: row.get(2)?,
        size: row.get::<_, Option<i64>>(3)?.map(i64::unsigned_abs),
        sha256: row.get::<_, Option<[u8; 32]>>(4)?.map(Sha256),
        target: row.get(5)?,
    })
}
