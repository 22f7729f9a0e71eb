//! What packages of the format tpkg have put on the host, and whom they need.

use super::{Db, DbError, Result};
use crate::package::digest::Sha256;
use crate::package::tpkg::Requirement;
use crate::sys::path::RelPath;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, params};
use std::collections::BTreeMap;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$item])* $variant),+ }

        impl $name {
            /// The word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_str()? { $($word => Ok(Self::$variant),)+ _ => Err(FromSqlError::InvalidType) }
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }
    };
}

words! {
    /// What a placed thing is.
    PlacedKind {
        /// A regular file.
        File = "file",
        /// A folder, which other packages may share.
        Directory = "directory",
        /// A symbolic link.
        Link = "link",
        /// Lines in a file that is somebody else's: a user's crontab.
        Lines = "lines",
    }
}

words! {
    /// What a placed thing is for.
    Role {
        /// A file of the package.
        Own = "own",
        /// A file that is the administrator's once it is there.
        Config = "config",
        /// The new release of such a file, beside one that was changed.
        Beside = "beside",
        /// A link by which an init script is started.
        Init = "init",
        /// What makes cron read a crontab.
        Cron = "cron",
        /// A unit of systemd.
        Unit = "unit",
    }
}

/// Something that a package has put on the host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Placed {
    /// Where, below the root directory.
    pub path: RelPath,
    /// What.
    pub kind: PlacedKind,
    /// What for.
    pub role: Role,
    /// The owner: a name, or digits.
    pub owner: String,
    /// The group: a name, or digits.
    pub group: String,
    /// The mode.
    pub mode: u32,
    /// The length of a file.
    pub size: Option<u64>,
    /// The digest of a file as the package has it.
    pub sha256: Option<Sha256>,
    /// The target of a link.
    pub target: Option<String>,
}

impl Placed {
    /// A link of root's, which leads to `target`.
    pub fn link(path: RelPath, role: Role, target: String) -> Self {
        Self {
            path,
            kind: PlacedKind::Link,
            role,
            owner: "0".into(),
            group: "0".into(),
            mode: 0o777,
            size: None,
            sha256: None,
            target: Some(target),
        }
    }
}

/// What is recorded of a package of this format beside its row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewPlaced {
    /// The package's directory below the library.
    pub place: RelPath,
    /// The base, as scripts see it.
    pub base: String,
    /// Its file's name.
    pub file_name: String,
    /// What it has put on the host.
    pub files: Vec<Placed>,
    /// Whom it needs.
    pub needs: Vec<Requirement>,
    /// Who must not be there.
    pub clashes: Vec<Requirement>,
}

/// Where a package of this format has its home, and what its file is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The base, as scripts see it.
    pub base: String,
    /// Its file's name.
    pub file_name: String,
}

/// Somebody to whom a path belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The package.
    pub package: i64,
    /// What it has put there.
    pub kind: PlacedKind,
    /// What for.
    pub role: Role,
}

const COLUMNS: &str = "path, kind, role, owner, grp, mode, size, sha256, target";

fn read(row: &Row<'_>) -> rusqlite::Result<Placed> {
    let path: String = row.get(0)?;
    let path = RelPath::parse(&path).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(Placed {
        path,
        kind: row.get(1)?,
        role: row.get(2)?,
        owner: row.get(3)?,
        group: row.get(4)?,
        mode: row.get(5)?,
        size: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
        sha256: row.get::<_, Option<[u8; 32]>>(7)?.map(Sha256),
        target: row.get(8)?,
    })
}

impl Db {
    /// Records what a package that came in the same commit has put on the host.
    pub(super) fn place(&self, new: &NewPlaced) -> Result<()> {
        let sql = "UPDATE package SET base = ?2, file_name = ?3 \
                   WHERE place = ?1 AND removed_by IS NULL RETURNING id";
        let values = params![new.place.as_str(), new.base, new.file_name];
        let id = self.connection.query_row(sql, values, |row| row.get::<_, i64>(0)).optional();
        let Some(id) = self.answer(id)? else {
            return Err(DbError::Changed("the package is not there any more".into()));
        };
        self.answer(self.add_placed(id, &new.files))?;
        for (clash, requirements) in [(false, &new.needs), (true, &new.clashes)] {
            for one in requirements {
                let sql =
                    "INSERT INTO needed (package, name, clash, bounds) VALUES (?1, ?2, ?3, ?4)";
                let bounds = self.to_json("requirement", one)?;
                let added = self.connection.execute(sql, params![id, one.name, clash, bounds]);
                self.answer(added)?;
            }
        }
        Ok(())
    }

    fn add_placed(&self, id: i64, files: &[Placed]) -> rusqlite::Result<()> {
        let sql = format!(
            "INSERT INTO placed (package, {COLUMNS}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"
        );
        let mut insert = self.connection.prepare_cached(&sql)?;
        for one in files {
            insert.execute(params![
                id,
                one.path.as_str(),
                one.kind,
                one.role,
                one.owner,
                one.group,
                one.mode,
                one.size.map(|size| i64::try_from(size).unwrap_or(i64::MAX)),
                one.sha256.map(|digest| digest.0),
                one.target,
            ])?;
        }
        Ok(())
    }

    /// What a package has put on the host, by path.
    pub fn placed(&self, package: i64) -> Result<Vec<Placed>> {
        let sql = format!("SELECT {COLUMNS} FROM placed WHERE package = ?1 ORDER BY path");
        let rows = self.connection.prepare_cached(&sql).and_then(|mut select| {
            let rows = select.query_map([package], read)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// What a package has put at `path`.
    pub fn placed_at(&self, package: i64, path: &RelPath) -> Result<Option<Placed>> {
        let sql = format!("SELECT {COLUMNS} FROM placed WHERE package = ?1 AND path = ?2");
        let row = self.connection.prepare_cached(&sql).and_then(|mut select| {
            select.query_row(params![package, path.as_str()], read).optional()
        });
        self.answer(row)
    }

    /// To which installed packages a path belongs.
    pub fn holders(&self, path: &RelPath) -> Result<Vec<Holder>> {
        let sql = "SELECT package, kind, role FROM placed JOIN package ON package.id = package \
                   WHERE path = ?1 AND removed_by IS NULL";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([path.as_str()], |row| {
                Ok(Holder { package: row.get(0)?, kind: row.get(1)?, role: row.get(2)? })
            })?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// The other installed packages to which paths of `package` belong, by path.
    pub fn holders_beside(&self, package: i64) -> Result<BTreeMap<String, Vec<Holder>>> {
        let sql = "SELECT own.path, other.package, other.kind, other.role FROM placed AS own \
                   JOIN placed AS other ON other.path = own.path AND other.package <> own.package \
                   JOIN package ON package.id = other.package \
                   WHERE own.package = ?1 AND removed_by IS NULL";
        let rows: rusqlite::Result<Vec<(String, Holder)>> =
            self.connection.prepare_cached(sql).and_then(|mut select| {
                let rows = select.query_map([package], |row| {
                    let (package, kind, role) = (row.get(1)?, row.get(2)?, row.get(3)?);
                    Ok((row.get(0)?, Holder { package, kind, role }))
                })?;
                rows.collect()
            });
        let mut found: BTreeMap<String, Vec<Holder>> = BTreeMap::new();
        for (path, holder) in self.answer(rows)? {
            found.entry(path).or_default().push(holder);
        }
        Ok(found)
    }

    /// Home and file name of a package; nothing for other formats.
    pub fn home(&self, package: i64) -> Result<Option<Home>> {
        let sql = "SELECT base, file_name FROM package WHERE id = ?1 AND base IS NOT NULL";
        let row = self.connection.prepare_cached(sql).and_then(|mut select| {
            select
                .query_row([package], |row| Ok(Home { base: row.get(0)?, file_name: row.get(1)? }))
                .optional()
        });
        self.answer(row)
    }

    /// What a package needs, and what is in its way.
    pub fn needs_of(&self, package: i64) -> Result<(Vec<Requirement>, Vec<Requirement>)> {
        let sql = "SELECT clash, bounds FROM needed WHERE package = ?1";
        let rows: rusqlite::Result<Vec<(bool, String)>> =
            self.connection.prepare_cached(sql).and_then(|mut select| {
                let rows = select.query_map([package], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            });
        let (mut needs, mut clashes) = (Vec::new(), Vec::new());
        for (clash, bounds) in self.answer(rows)? {
            let one = self.parse_json("requirement", &bounds)?;
            if clash { clashes.push(one) } else { needs.push(one) }
        }
        Ok((needs, clashes))
    }

    /// The installed packages that speak of `name`: whether it is in their way, and how.
    pub fn needing(&self, name: &str) -> Result<Vec<(i64, bool, Requirement)>> {
        let sql = "SELECT package, clash, bounds FROM needed JOIN package ON package.id = package \
                   WHERE needed.name = ?1 AND removed_by IS NULL";
        let rows: rusqlite::Result<Vec<(i64, bool, String)>> =
            self.connection.prepare_cached(sql).and_then(|mut select| {
                let rows =
                    select.query_map([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                rows.collect()
            });
        let rows = self.answer(rows)?.into_iter();
        rows.map(|(package, clash, bounds)| {
            Ok((package, clash, self.parse_json("requirement", &bounds)?))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::db::Db;

    /// A conflict check costs the same with a thousand installed packages as with one.
    #[test]
    fn a_path_is_found_by_an_index() {
        let db = Db::empty().unwrap();
        let sql = "EXPLAIN QUERY PLAN SELECT package, kind FROM placed JOIN package ON \
                   package.id = package WHERE path = '' AND removed_by IS NULL";
        let mut explain = db.connection.prepare(sql).unwrap();
        let plan: Vec<String> =
            explain.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(plan.iter().any(|line| line.contains("INDEX placed_path")), "{plan:?}");
        assert!(plan.iter().all(|line| line.starts_with("SEARCH")), "{plan:?}");
    }
}
