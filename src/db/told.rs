//! What cartridges and the administrator have said: variables of the domain, data of cartridges.
//!
//! Rows are added and withdrawn, never changed: the newest living row of a name wins, and a row
//! without a value says that there is none any more.

use super::{Db, Result};
use rusqlite::{OptionalExtension, params};

/// What something that was told is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A variable of all gears, whoever told it.
    Domain,
    /// `CART_DATA` of a cartridge.
    CartData,
    /// `CART_PROPERTIES` of a cartridge.
    CartProperties,
    /// `ATTR` of a cartridge.
    Attributes,
    /// `APP_INFO` of a cartridge; it has no name.
    AppInfo,
    /// A variable that a cartridge publishes for the others of its application.
    Event,
}

impl Scope {
    const ALL: [Self; 6] = [
        Self::Domain,
        Self::CartData,
        Self::CartProperties,
        Self::Attributes,
        Self::AppInfo,
        Self::Event,
    ];

    /// The word that stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::CartData => "cart_data",
            Self::CartProperties => "cart_properties",
            Self::Attributes => "attributes",
            Self::AppInfo => "app_info",
            Self::Event => "event",
        }
    }
}

/// Who tells something.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Publisher {
    /// The gear's identifier.
    pub gear: String,
    /// The folder of the cartridge in it.
    pub dir: String,
}

/// What happens to a name that is told of.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saying {
    /// It has this value from now on.
    Is(String),
    /// It has this value, unless it has one.
    IsUnlessThere(String),
    /// It is none any more.
    IsGone,
}

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Telling {
    /// What it is about.
    pub scope: Scope,
    /// Who tells it; nobody in particular is the administrator.
    pub publisher: Option<Publisher>,
    /// The name.
    pub name: String,
    /// What becomes of it.
    pub saying: Saying,
}

/// What holds now of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldRow {
    /// What it is about.
    pub scope: Scope,
    /// The name of the gear whose cartridge told it, or its identifier when it is there no more.
    pub gear: Option<String>,
    /// The folder of that cartridge.
    pub dir: Option<String>,
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// The newest living row of each name; of data, of each cartridge.
const NEWEST: &str = "SELECT scope, coalesce(gear.name, told.gear), dir, told.name, value FROM told \
    LEFT JOIN gear ON gear.uuid = told.gear WHERE told.id IN (SELECT max(id) FROM told \
    WHERE withdrawn_by IS NULL AND WHICH) AND value IS NOT NULL ORDER BY scope, dir, told.name";

impl Db {
    /// The variables of the domain, by name.
    pub fn domain_variables(&self) -> Result<Vec<ToldRow>> {
        self.newest("scope = 'domain' AND ?1 IS NULL GROUP BY told.name", None)
    }

    /// What the cartridges of the gear with this identifier have told of themselves.
    pub fn told_by_gear(&self, uuid: &str) -> Result<Vec<ToldRow>> {
        self.newest("scope <> 'domain' AND told.gear = ?1 GROUP BY scope, dir, name", Some(uuid))
    }

    fn newest(&self, which: &str, gear: Option<&str>) -> Result<Vec<ToldRow>> {
        let sql = NEWEST.replace("WHICH", which);
        let rows = self.connection.prepare_cached(&sql).and_then(|mut select| {
            let rows = select.query_map([gear], read)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// Tells whether transaction `txn` has told something that still holds.
    pub fn has_told(&self, txn: i64) -> Result<bool> {
        let sql = "SELECT 1 FROM told WHERE txn = ?1 AND withdrawn_by IS NULL LIMIT 1";
        let row = self.connection.query_row(sql, [txn], |_| Ok(()));
        self.answer(row.optional()).map(|row| row.is_some())
    }

    /// Adds what `telling` says, where it makes a difference.
    pub(super) fn tell(&self, telling: &Telling, txn: i64) -> Result<()> {
        let before = self.last_told(telling)?;
        let value = match (&telling.saying, &before) {
            (Saying::IsUnlessThere(_), Some((Some(_), _))) | (Saying::IsGone, None) => {
                return Ok(());
            }
            (Saying::Is(value) | Saying::IsUnlessThere(value), _) => Some(value),
            (Saying::IsGone, Some(_)) => None,
        };
        let publisher = telling.publisher.as_ref();
        let gear = publisher.map(|publisher| publisher.gear.as_str());
        // The same again by the same one says nothing new.
        if before.is_some_and(|(was, by)| (was.as_ref(), by.as_deref()) == (value, gear)) {
            return Ok(());
        }
        let sql = "INSERT INTO told (scope, gear, dir, name, value, txn) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let dir = publisher.map(|publisher| publisher.dir.as_str());
        let values = params![telling.scope.as_str(), gear, dir, telling.name, value, txn];
        self.answer(self.connection.execute(sql, values)).map(drop)
    }

    /// The value and the publisher of the newest living row that `telling` would cover.
    fn last_told(&self, telling: &Telling) -> Result<Option<(Option<String>, Option<String>)>> {
        let Telling { scope, publisher, name, .. } = telling;
        let publisher = publisher.as_ref();
        let sql = "SELECT value, gear FROM told WHERE withdrawn_by IS NULL AND scope = ?1 AND name = ?2 \
                   AND (scope = 'domain' OR (gear IS ?3 AND dir IS ?4)) ORDER BY id DESC LIMIT 1";
        let values = params![
            scope.as_str(),
            name,
            publisher.map(|publisher| &publisher.gear),
            publisher.map(|publisher| &publisher.dir)
        ];
        let row = self.connection.query_row(sql, values, |row| Ok((row.get(0)?, row.get(1)?)));
        self.answer(row.optional())
    }

    /// Withdraws what transaction `told` has told; `txn` is the one that undoes it.
    pub(super) fn withdraw(&self, told: i64, txn: i64) -> Result<()> {
        let sql = "UPDATE told SET withdrawn_by = ?2 WHERE txn = ?1 AND withdrawn_by IS NULL";
        self.answer(self.connection.execute(sql, [told, txn])).map(drop)
    }

    /// Lets hold again what transaction `by` has withdrawn. It counts as told by `txn`, for an undo
    /// of the undo.
    pub(super) fn restore_told(&self, by: i64, txn: i64) -> Result<()> {
        let sql = "UPDATE told SET withdrawn_by = NULL, txn = ?2 WHERE withdrawn_by = ?1";
        self.answer(self.connection.execute(sql, [by, txn])).map(drop)
    }
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<ToldRow> {
    let scope: String = row.get(0)?;
    let known = Scope::ALL.into_iter().find(|known| known.as_str() == scope);
    Ok(ToldRow {
        scope: known.ok_or(rusqlite::Error::InvalidQuery)?,
        gear: row.get(1)?,
        dir: row.get(2)?,
        name: row.get(3)?,
        value: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Publisher, Saying, Scope, Telling};
    use crate::db::{Beginning, Change, Db};

    fn begin(db: &Db) -> i64 {
        db.begin(&Beginning {
            title: "test",
            command: "cart test",
            undoes: None,
            view: "{}".into(),
            inverse: "{}".into(),
            after: "[]".into(),
            resources: Vec::new(),
            reservations: Vec::new(),
            resume: None,
            steps: Vec::new(),
        })
        .unwrap()
    }

    fn telling(scope: Scope, gear: Option<&str>, name: &str, saying: Saying) -> Change {
        let publisher = gear.map(|gear| Publisher { gear: gear.into(), dir: "mock".into() });
        Change::Tell(Telling { scope, publisher, name: name.into(), saying })
    }

    /// Commits `changes` as a transaction.
    fn commit(db: &Db, changes: &[Change]) -> i64 {
        let txn = begin(db);
        db.commit(txn, changes, None).unwrap();
        txn
    }

    fn is(value: &str) -> Saying {
        Saying::Is(value.into())
    }

    fn domain(db: &Db) -> Vec<(String, String)> {
        let rows = db.domain_variables().unwrap();
        rows.into_iter().map(|row| (row.name, row.value)).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn the_newest_living_row_wins_and_undoing_shows_what_it_had_covered() {
        let db = Db::empty().unwrap();
        let by = |gear, saying| telling(Scope::Domain, gear, "URL", saying);
        commit(&db, &[by(Some("g1"), is("http://x/?a=b=c"))]);
        let second = commit(&db, &[by(Some("g2"), is("two"))]);
        assert_eq!(domain(&db), [pair("URL", "two")]);
        let gone = commit(&db, &[by(None, Saying::IsGone)]);
        assert!(domain(&db).is_empty());
        let undone = commit(&db, &[Change::Withdraw { txn: gone }]);
        assert_eq!(domain(&db), [pair("URL", "two")]);
        commit(&db, &[Change::Withdraw { txn: second }]);
        assert_eq!(domain(&db), [pair("URL", "http://x/?a=b=c")]);
        let again = commit(&db, &[Change::RestoreTold { by: undone }]);
        assert!(domain(&db).is_empty(), "the undoing was undone");
        assert!(db.has_told(again).unwrap(), "and can be undone, too");
    }

    #[test]
    fn a_unique_variable_is_added_once_and_nothing_is_said_twice() {
        let db = Db::empty().unwrap();
        let unless = |value: &str| {
            let saying = Saying::IsUnlessThere(value.into());
            telling(Scope::Domain, Some("g1"), "KEY", saying)
        };
        commit(&db, &[unless("one"), unless("two")]);
        assert_eq!(domain(&db), [pair("KEY", "one")]);
        let again = commit(&db, &[telling(Scope::Domain, Some("g1"), "KEY", is("one"))]);
        assert!(!db.has_told(again).unwrap());
        let other = commit(&db, &[telling(Scope::Domain, Some("g2"), "KEY", is("one"))]);
        assert!(db.has_told(other).unwrap(), "it holds although the first one takes its own back");
        let gone = commit(&db, &[telling(Scope::Domain, None, "NONE", Saying::IsGone)]);
        assert!(!db.has_told(gone).unwrap());
        commit(&db, &[telling(Scope::Domain, None, "KEY", Saying::IsGone), unless("three")]);
        assert_eq!(domain(&db), [pair("KEY", "three")]);
    }

    #[test]
    fn each_cartridge_has_data_of_its_own() {
        let db = Db::empty().unwrap();
        let told = |gear, value: &str| telling(Scope::CartData, Some(gear), "user", is(value));
        commit(&db, &[told("g1", "a"), told("g2", "b"), told("g1", "c")]);
        let rows = db.told_by_gear("g1").unwrap();
        let rows: Vec<_> = rows.iter().map(|row| (&*row.name, &*row.value)).collect();
        assert_eq!(rows, [("user", "c")]);
        assert!(domain(&db).is_empty());
    }
}
