//! Packages that stay as they are until somebody says otherwise.

use super::{Db, Result};
use crate::sys::clock::Moment;
use rusqlite::{Row, params};

/// A package that is held: all versions of one name and vendor.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hold {
    /// Its id.
    pub id: i64,
    /// The package's vendor.
    pub vendor: String,
    /// The package's name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: i64,
    /// Who holds it: the number of the user.
    pub user: u32,
    /// The transaction that holds it.
    pub txn: i64,
}

/// What a transaction did to holds, for undoing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldsOf {
    /// Those that it made and that still hold.
    pub made: Vec<Hold>,
    /// Those that it released.
    pub released: Vec<Hold>,
}

const SELECT: &str = "SELECT hold.id, vendor, name, reason, since, user, hold.txn FROM hold \
                      JOIN txn ON txn.id = hold.txn";

fn read(row: &Row<'_>) -> rusqlite::Result<Hold> {
    Ok(Hold {
        id: row.get(0)?,
        vendor: row.get(1)?,
        name: row.get(2)?,
        reason: row.get(3)?,
        since: row.get(4)?,
        user: row.get(5)?,
        txn: row.get(6)?,
    })
}

impl Db {
    fn hold_rows(&self, rest: &str, values: impl rusqlite::Params) -> Result<Vec<Hold>> {
        let sql = format!("{SELECT} WHERE {rest} ORDER BY name, vendor, hold.id");
        let rows = self.connection.prepare_cached(&sql).and_then(|mut select| {
            let rows = select.query_map(values, read)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// Every package that is held, by name and vendor.
    pub fn holds(&self) -> Result<Vec<Hold>> {
        self.hold_rows("released_by IS NULL", [])
    }

    /// The hold on the package `name` of `vendor`, where there is one.
    pub fn hold_on(&self, vendor: &str, name: &str) -> Result<Option<Hold>> {
        let found =
            self.hold_rows("released_by IS NULL AND vendor = ?1 AND name = ?2", [vendor, name])?;
        Ok(found.into_iter().next())
    }

    /// What transaction `txn` did to holds.
    pub fn holds_of(&self, txn: i64) -> Result<HoldsOf> {
        Ok(HoldsOf {
            made: self.hold_rows("hold.txn = ?1 AND released_by IS NULL", [txn])?,
            released: self.hold_rows("released_by = ?1", [txn])?,
        })
    }

    /// Holds a package.
    pub(super) fn hold(&self, (vendor, name): (&str, &str), reason: &str, txn: i64) -> Result<()> {
        let sql = "INSERT INTO hold (vendor, name, reason, since, txn) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![vendor, name, reason, Moment::now().0, txn];
        self.answer(self.connection.execute(sql, values)).map(drop)
    }

    /// Lets a package go.
    pub(super) fn release(&self, id: i64, txn: i64) -> Result<()> {
        let sql = "UPDATE hold SET released_by = ?2 WHERE id = ?1 AND released_by IS NULL";
        let done = self.connection.execute(sql, params![id, txn]);
        self.expect_one(done, "the package was let go meanwhile")
    }

    /// Holds again what was let go; it counts as held by `txn`, for an undo of the undo.
    pub(super) fn hold_again(&self, id: i64, txn: i64) -> Result<()> {
        let sql = "UPDATE hold SET released_by = NULL, txn = ?2 WHERE id = ?1 \
                   AND released_by IS NOT NULL";
        let done = self.connection.execute(sql, params![id, txn]);
        self.expect_one(done, "the package is held again already")
    }
}
