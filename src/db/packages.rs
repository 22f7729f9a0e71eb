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

/// One line of `list`: what is shown of every package, borrowed from the database.
#[derive(Clone, Copy, Debug)]
pub struct ListedPackage<'a> {
    /// `vendor-name-version`, with its default software version.
    pub title: &'a str,
    /// Its own version.
    pub package_version: &'a str,
    /// Its format.
    pub format: &'a str,
    /// How its bytes were vouched for.
    pub trust: &'a str,
    /// Where it came from.
    pub source: &'a str,
    /// Its vendor.
    pub vendor: &'a str,
    /// Its name.
    pub name: &'a str,
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

/// A gear that uses a package, or a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageUse {
    /// The package's id.
    pub package: i64,
    /// The gear's name; of a site `site` and its host name.
    pub gear: String,
}

const COLUMNS: &str = "id, format, vendor, name, version, package_version, tree, place, size, files, \
                       source, source_kind, md5, sha256, commit_id, trust, installed, txn";

const LISTED: &str =
    "SELECT listed, vendor, name FROM package WHERE removed_by IS NULL ORDER BY name, vendor, id";

impl<'a> ListedPackage<'a> {
    /// Takes apart what the column `listed` has put together.
    fn read(listed: &'a str, (vendor, name): (&'a str, &'a str)) -> Self {
        let mut parts = listed.splitn(5, '\u{1f}');
        let mut part = || parts.next().unwrap_or_default();
        let (title, package_version, format) = (part(), part(), part());
        Self { title, package_version, format, trust: part(), source: part(), vendor, name }
    }
}

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

    /// Shows every installed package to `show`, by name, vendor and age. The index
    /// `package_listed` has all that is shown: tens of thousands are read in milliseconds.
    pub fn list_packages(&self, mut show: impl FnMut(ListedPackage<'_>)) -> Result<()> {
        let listed = self.connection.prepare(LISTED).and_then(|mut select| {
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let text = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str()?);
                show(ListedPackage::read(text(0)?, (text(1)?, text(2)?)));
            }
            Ok(())
        });
        self.answer(listed)
    }

    /// The installed packages whose manifest has `feature` as a text, wherever that stands.
    pub fn packages_mentioning(&self, feature: &str) -> Result<Vec<PackageRow>> {
        let text = self.to_json("feature", &feature)?;
        self.package_rows(
            "WHERE removed_by IS NULL AND instr(manifest, ?1) > 0 ORDER BY name, vendor, id",
            [text],
        )
    }

    /// The installed packages called `name`, the oldest first.
    pub fn packages_named(&self, name: &str) -> Result<Vec<PackageRow>> {
        self.package_rows("WHERE removed_by IS NULL AND name = ?1 ORDER BY id", [name])
    }

    /// The installed packages of tpkg whose file was called so.
    pub fn packages_of_file(&self, file_name: &str) -> Result<Vec<PackageRow>> {
        self.package_rows("WHERE removed_by IS NULL AND file_name = ?1 ORDER BY id", [file_name])
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

    /// The packages that transaction `txn` installed and that are gone meanwhile.
    pub fn packages_lost_of(&self, txn: i64) -> Result<Vec<PackageRow>> {
        self.package_rows("WHERE txn = ?1 AND removed_by IS NOT NULL ORDER BY id", [txn])
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

    /// Which living gears and sites use which packages.
    pub fn package_uses(&self) -> Result<Vec<PackageUse>> {
        let sql = "SELECT package, name FROM gear_cartridge JOIN gear ON gear.id = gear \
                   WHERE destroyed_by IS NULL UNION \
                   SELECT package, 'site ' || coalesce(hostname, id) FROM site_package \
                   JOIN site ON site.id = site ORDER BY package, name";
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

#[cfg(test)]
mod tests {
    use super::{COLUMNS, LISTED, ListedPackage};
    use crate::db::Db;

    /// The cursors that instructions called `opcode` use when `sql` runs.
    fn cursors(db: &Db, sql: &str, opcode: &str) -> Vec<i64> {
        let mut explain = db.connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
        let rows =
            explain.query_map([], |row| Ok((row.get::<_, String>(1)?, row.get(2)?))).unwrap();
        let used = rows.map(Result::unwrap).filter(|(name, _)| name == opcode);
        used.map(|(_, cursor)| cursor).collect()
    }

    /// What `list` and names cost must not grow with manifests, nor with other packages.
    #[test]
    fn listing_reads_no_package_and_a_name_reads_no_other() {
        let db = Db::empty().unwrap();
        let index = cursors(&db, LISTED, "SeekGE");
        assert!(
            index.len() == 1 && cursors(&db, LISTED, "Column").iter().all(|one| *one == index[0])
        );
        let named = format!(
            "EXPLAIN QUERY PLAN SELECT {COLUMNS} FROM package WHERE removed_by IS NULL AND name = ''"
        );
        let plan: String = db.connection.query_row(&named, [], |row| row.get(3)).unwrap();
        assert!(plan.ends_with("INDEX package_listed (removed_by=? AND name=?)"), "{plan}");
    }

    #[test]
    fn a_line_of_the_list_is_taken_apart_as_it_was_put_together() {
        let listed = "v-n-1\u{1f}2\u{1f}cartridge\u{1f}md5-only\u{1f}/odd\u{1f}path";
        let row = ListedPackage::read(listed, ("v", "n"));
        let parts = [row.title, row.package_version, row.format, row.trust, row.source];
        assert_eq!(parts, ["v-n-1", "2", "cartridge", "md5-only", "/odd\u{1f}path"]);
    }
}
