//! What packages have asked externals for, and what came of it.

use super::{Db, Result};
use crate::package::external::{Asker, ExternalName};
use crate::package::ident::FormatName;
use crate::sys::clock::Moment;
use rusqlite::types::{Type, Value};
use rusqlite::{Row, params, params_from_iter};

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExternalState {
    /// The external succeeded, or the tool has acknowledged it.
    Done,
    /// It did not succeed; what it has done nobody knows.
    Failed,
    /// A tool has not acknowledged it yet.
    Waiting,
    /// There was nobody to ask.
    Missing,
}

impl ExternalState {
    const ALL: [Self; 4] = [Self::Done, Self::Failed, Self::Waiting, Self::Missing];

    /// The word in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Missing => "missing",
        }
    }
}

/// What came of a call or a request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Answer {
    /// How it stands.
    pub state: ExternalState,
    /// Why it failed, where it did.
    pub detail: Option<String>,
}

/// A request to be recorded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewExternal {
    /// The transaction and the step that ask.
    pub key: String,
    /// Who asks.
    pub asker: Asker,
    /// Its place in the package's list.
    pub ordinal: u32,
    /// Which external.
    pub name: ExternalName,
    /// What it was given.
    #[serde(with = "crate::package::external::bytes")]
    pub data: Vec<u8>,
    /// `exec`, `request` or `missing`.
    pub mode: String,
    /// Whether success was demanded.
    pub strict: bool,
    /// What came of it.
    pub answer: Answer,
}

/// A request that was made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExternalRow {
    /// The transaction and the step that asked.
    pub key: String,
    /// Who asks; `file` is the name that the external knows.
    pub asker: Asker,
    /// The version that asks for it now: the file name that a new request would have.
    pub holder: String,
    /// Its place in the package's list.
    pub ordinal: u32,
    /// Which external.
    pub name: ExternalName,
    /// What it was given.
    #[serde(with = "crate::package::external::bytes")]
    pub data: Vec<u8>,
    /// `exec`, `request` or `missing`.
    pub mode: String,
    /// Whether success was demanded.
    pub strict: bool,
    /// When it was asked for.
    pub asked: i64,
    /// How it stands.
    pub answer: Answer,
    /// Since when.
    pub answered: Option<i64>,
    /// The transaction that asked.
    pub txn: i64,
    /// The transaction that took it back.
    pub withdrawn_by: Option<i64>,
}

const SELECT: &str = "SELECT key, format, vendor, package, gear, home, file, holder, ordinal, name, \
                      data, mode, strict, asked, state, detail, answered, txn, withdrawn_by \
                      FROM external";

/// A column whose text has to mean something.
fn meaning<T>(
    row: &Row<'_>,
    column: usize,
    read: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    let odd =
        || rusqlite::Error::InvalidColumnType(column, text.escape_debug().to_string(), Type::Text);
    read(text).ok_or_else(odd)
}

fn read(row: &Row<'_>) -> rusqlite::Result<ExternalRow> {
    let state = |text: &str| ExternalState::ALL.into_iter().find(|state| state.as_str() == text);
    Ok(ExternalRow {
        key: row.get(0)?,
        asker: Asker {
            format: meaning(row, 1, |text| serde_json::from_value(text.into()).ok())?,
            vendor: row.get(2)?,
            name: row.get(3)?,
            gear: row.get(4)?,
            home: row.get(5)?,
            file: row.get(6)?,
        },
        holder: row.get(7)?,
        ordinal: row.get(8)?,
        name: meaning(row, 9, |text| ExternalName::parse(text).ok())?,
        data: row.get(10)?,
        mode: row.get(11)?,
        strict: row.get(12)?,
        asked: row.get(13)?,
        answer: Answer { state: meaning(row, 14, state)?, detail: row.get(15)? },
        answered: row.get(16)?,
        txn: row.get(17)?,
        withdrawn_by: row.get(18)?,
    })
}

impl Db {
    fn external_rows(&self, rest: &str, values: Vec<Value>) -> Result<Vec<ExternalRow>> {
        let sql = format!("{SELECT} {rest}");
        let rows = self.connection.prepare_cached(&sql).and_then(|mut select| {
            let rows = select.query_map(params_from_iter(values), read)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// What the packages in the gear with this identifier ask for, in the order of asking.
    pub fn externals_of_gear(&self, gear: &str) -> Result<Vec<ExternalRow>> {
        let rest = "WHERE withdrawn_by IS NULL AND gear = ?1 ORDER BY package, ordinal, id";
        self.external_rows(rest, vec![gear.to_owned().into()])
    }

    /// What the package `name` of `vendor` asks for that is installed below `home` on the host itself,
    /// all its versions.
    pub fn externals_of_package(
        &self,
        (format, vendor, name): (FormatName, &str, &str),
        home: &str,
    ) -> Result<Vec<ExternalRow>> {
        let rest = "WHERE withdrawn_by IS NULL AND gear IS NULL AND format = ?1 AND vendor = ?2 \
                    AND package = ?3 AND home = ?4 ORDER BY ordinal, id";
        let values = [format.as_str(), vendor, name, home].map(|text| text.to_owned().into());
        self.external_rows(rest, values.to_vec())
    }

    /// What transaction `txn` has asked for and still holds.
    pub fn externals_asked_by(&self, txn: i64) -> Result<Vec<ExternalRow>> {
        let rest = "WHERE txn = ?1 AND withdrawn_by IS NULL ORDER BY package, ordinal, id";
        self.external_rows(rest, vec![txn.into()])
    }

    /// What transaction `txn` has taken back.
    pub fn externals_withdrawn_by(&self, txn: i64) -> Result<Vec<ExternalRow>> {
        let rest = "WHERE withdrawn_by = ?1 ORDER BY package, ordinal, id";
        self.external_rows(rest, vec![txn.into()])
    }

    /// Everything that holds, and everything that a tool has still to take back.
    pub fn externals(&self) -> Result<Vec<ExternalRow>> {
        let rest = "WHERE withdrawn_by IS NULL OR state = 'waiting' ORDER BY id";
        self.external_rows(rest, Vec::new())
    }

    /// Everything that was ever asked for.
    pub fn all_externals(&self) -> Result<Vec<ExternalRow>> {
        self.external_rows("ORDER BY id", Vec::new())
    }

    pub(super) fn ask_external(&self, new: &NewExternal, txn: i64) -> Result<()> {
        let sql = "INSERT INTO external (key, format, vendor, package, gear, home, file, holder, \
                   ordinal, name, data, mode, strict, asked, state, detail, answered, txn) VALUES \
                   (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
        let NewExternal { asker, answer, .. } = new;
        let now = Moment::now().0;
        let answered = (answer.state != ExternalState::Waiting).then_some(now);
        let done = self.connection.execute(
            sql,
            params![
                new.key,
                asker.format.as_str(),
                asker.vendor,
                asker.name,
                asker.gear,
                asker.home,
                asker.file,
                new.ordinal,
                new.name.as_str(),
                new.data,
                new.mode,
                new.strict,
                now,
                answer.state.as_str(),
                answer.detail,
                answered,
                txn
            ],
        );
        self.answer(done).map(drop)
    }

    pub(super) fn withdraw_external(&self, key: &str, answer: &Answer, txn: i64) -> Result<()> {
        let sql = "UPDATE external SET withdrawn_by = ?2, state = ?3, detail = ?4, answered = ?5 \
                   WHERE key = ?1 AND withdrawn_by IS NULL";
        let values = params![key, txn, answer.state.as_str(), answer.detail, when(answer)];
        let done = self.connection.execute(sql, values);
        self.expect_one(done, "a request to an external was taken back meanwhile")
    }

    pub(super) fn answer_external(&self, key: &str, answer: &Answer) -> Result<()> {
        let sql = "UPDATE external SET state = ?2, detail = ?3, answered = ?4 WHERE key = ?1";
        let values = params![key, answer.state.as_str(), answer.detail, when(answer)];
        let done = self.connection.execute(sql, values);
        self.expect_one(done, "a request to an external is not there any more")
    }

    pub(super) fn keep_external(&self, key: &str, holder: &str, ordinal: u32) -> Result<()> {
        let sql = "UPDATE external SET holder = ?2, ordinal = ?3 \
                   WHERE key = ?1 AND withdrawn_by IS NULL";
        let done = self.connection.execute(sql, params![key, holder, ordinal]);
        self.expect_one(done, "a request to an external was taken back meanwhile")
    }
}

fn when(answer: &Answer) -> Option<i64> {
    (answer.state != ExternalState::Waiting).then(|| Moment::now().0)
}
