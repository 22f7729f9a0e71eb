//! The journal: which transactions there are, and how far each has come.
//!
//! Order is everything here: a plan is durable before its first step prepares, an undo record
//! before its step acts, and what is installed changes in the same commit that marks the
//! transaction as committed.

use super::{Change, Db, DbError, Keep, Result};
use crate::sys::clock::Moment;
use rusqlite::{OptionalExtension, Row, params};

/// How far a transaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TxnState {
    /// Its steps are being made.
    Running,
    /// It has happened; some cleaning may be left.
    Committed,
    /// It has happened, and all is clean.
    Finished,
    /// It is being put back.
    Unwinding,
    /// It has not happened.
    Undone,
    /// Putting it back failed.
    Stuck,
    /// It failed and was left as it was, for inspection.
    Held,
}

impl TxnState {
    /// The name as it stands in the database, in JSON and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Committed => "committed",
            Self::Finished => "finished",
            Self::Unwinding => "unwinding",
            Self::Undone => "undone",
            Self::Stuck => "stuck",
            Self::Held => "held",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Running,
            Self::Committed,
            Self::Finished,
            Self::Unwinding,
            Self::Undone,
            Self::Stuck,
            Self::Held,
        ];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Not begun.
    Planned,
    /// Its undo record is durable; whether it has acted is not known.
    Prepared,
    /// It has acted.
    Done,
    /// It was put back.
    Undone,
    /// Putting it back failed.
    Stuck,
}

impl StepState {
    /// The name as it stands in the database, in JSON and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Prepared => "prepared",
            Self::Done => "done",
            Self::Undone => "undone",
            Self::Stuck => "stuck",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Planned, Self::Prepared, Self::Done, Self::Undone, Self::Stuck];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// A scarce thing that a gear takes: a slot, an address, a port, an account.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reservation {
    /// `slot`, `address` or `public-port`.
    pub kind: String,
    /// Which one.
    pub value: String,
    /// The gear that takes it.
    pub gear: String,
}

/// What a step is when the plan is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStep {
    /// Its number: `7`, or `7.1` for what a step asked for.
    pub number: String,
    /// What it does, in words.
    pub title: String,
    /// The step, JSON.
    pub step: String,
}

/// What is written down when a transaction begins.
#[derive(Clone, Debug)]
pub struct Beginning<'a> {
    /// What it does, in words.
    pub title: &'a str,
    /// The command line that asked for it.
    pub command: &'a str,
    /// The transaction that it undoes.
    pub undoes: Option<i64>,
    /// The plan as the user saw it, JSON.
    pub view: String,
    /// What `undo` would ask for, JSON.
    pub inverse: String,
    /// The steps that only run forward, JSON.
    pub after: String,
    /// What it locks.
    pub resources: Vec<String>,
    /// What it takes.
    pub reservations: Vec<Reservation>,
    /// Its steps.
    pub steps: Vec<NewStep>,
    /// What going on after a crash needs, JSON; a transaction without it is put back instead.
    pub resume: Option<String>,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnRow {
    /// Its number.
    pub id: i64,
    /// What it does, in words.
    pub title: String,
    /// The command line that asked for it.
    pub command: String,
    /// How far it has come.
    pub state: TxnState,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// The user who asked for it.
    pub user: u32,
    /// The process that ran it.
    pub process: u32,
    /// The transaction that it undoes.
    pub undoes: Option<i64>,
    /// The plan as the user saw it, JSON.
    pub view: String,
    /// What `undo` would ask for, JSON.
    pub inverse: String,
    /// The steps that only run forward, JSON.
    pub after: String,
    /// Why it was unwound, JSON.
    pub failure: Option<String>,
    /// The bytes in its stash, while that is kept for `undo`.
    pub keeps: Option<u64>,
    /// What going on after a crash needs, JSON, where it may go on.
    pub resume: Option<String>,
}

/// How many transactions there are in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The state.
    pub state: TxnState,
    /// How many.
    pub count: u64,
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// The transaction.
    pub txn: i64,
    /// The order in which steps began.
    pub position: i64,
    /// Its number.
    pub number: String,
    /// What it does, in words.
    pub title: String,
    /// The step, JSON.
    pub step: String,
    /// The undo record, JSON.
    pub undo: Option<String>,
    /// What it learned, JSON.
    pub said: Option<String>,
    /// How far it has come.
    pub state: StepState,
    /// How often it was begun.
    pub attempt: u32,
    /// When it began.
    pub began: Option<Moment>,
    /// When it ended.
    pub ended: Option<Moment>,
}

/// A step's mark, written when it changes.
#[derive(Clone, Debug)]
pub struct WrittenStep<'a> {
    /// The transaction.
    pub txn: i64,
    /// The step's position in it.
    pub position: i64,
    /// Its new state.
    pub state: StepState,
    /// What it learned, JSON.
    pub said: Option<&'a str>,
}

const TXN_COLUMNS: &str = "id, title, command, state, started, ended, user, process, undoes, view, \
                           inverse, after, failure, keeps, resume";

impl Db {
    /// Writes a plan down, with what it locks and takes: from here on a crash is recovered.
    pub fn begin(&self, beginning: &Beginning<'_>) -> Result<i64> {
        self.write(|db| {
            let sql = "INSERT INTO txn (title, command, state, started, user, process, boot, undoes, \
                       view, inverse, after, resume) \
                       VALUES (?1, ?2, 'running', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
            let values = params![
                beginning.title,
                beginning.command,
                Moment::now().0,
                crate::sys::host::user_id(),
                std::process::id(),
                crate::sys::host::boot_id(),
                beginning.undoes,
                beginning.view,
                beginning.inverse,
                beginning.after,
                beginning.resume,
            ];
            db.answer(db.connection.execute(sql, values))?;
            let txn = db.connection.last_insert_rowid();
            for resource in &beginning.resources {
                let sql = "INSERT INTO txn_resource (txn, resource) VALUES (?1, ?2)";
                db.answer(db.connection.execute(sql, params![txn, resource]))?;
            }
            for reservation in &beginning.reservations {
                db.reserve(txn, reservation)?;
            }
            for (position, step) in (0i64..).zip(&beginning.steps) {
                db.insert_step(txn, position, step)?;
            }
            Ok(txn)
        })
    }

    fn reserve(&self, txn: i64, reservation: &Reservation) -> Result<()> {
        let Reservation { kind, value, gear } = reservation;
        let sql = "INSERT INTO reservation (kind, value, gear, txn) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO NOTHING";
        match self.answer(self.connection.execute(sql, params![kind, value, gear, txn]))? {
            1 => Ok(()),
            _ => Err(DbError::Taken(format!("{kind} {value}"))),
        }
    }

    fn insert_step(&self, txn: i64, position: i64, step: &NewStep) -> Result<()> {
        let sql = "INSERT INTO step (txn, position, number, title, step, state) \
                   VALUES (?1, ?2, ?3, ?4, ?5, 'planned')";
        let NewStep { number, title, step } = step;
        let added = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut insert| insert.execute(params![txn, position, number, title, step]));
        self.answer(added).map(drop)
    }

    /// Makes a step's undo record durable; only after this may the step act.
    pub fn mark_prepared(&self, (txn, position): (i64, i64), undo: &str, keep: Keep) -> Result<()> {
        self.write_to_keep(keep, |db| {
            let sql = "UPDATE step SET state = 'prepared', undo = ?3, attempt = attempt + 1, \
                       began = ?4 WHERE txn = ?1 AND position = ?2";
            let values = params![txn, position, undo, Moment::now().0];
            let done = db.connection.prepare_cached(sql).and_then(|mut s| s.execute(values));
            db.answer(done).map(drop)
        })
    }

    /// Writes a step's new state, with what it learned and the steps that it asked for, which are
    /// put in directly behind it.
    ///
    /// It does not wait for the disk: a lost mark reads as a step that was half done, or half put
    /// back, which `revert` accepts.
    pub fn mark_step(&self, mark: &WrittenStep<'_>, then: &[NewStep]) -> Result<()> {
        self.write_lazily(|db| {
            let WrittenStep { txn, position, state, said } = *mark;
            if !then.is_empty() {
                db.make_room(txn, position, then.len())?;
                for (offset, step) in (1i64..).zip(then) {
                    db.insert_step(txn, position + offset, step)?;
                }
            }
            let sql = "UPDATE step SET state = ?3, said = coalesce(?4, said), ended = ?5 \
                       WHERE txn = ?1 AND position = ?2";
            let values = params![txn, position, state.as_str(), said, Moment::now().0];
            let done = db.connection.prepare_cached(sql).and_then(|mut s| s.execute(values));
            db.answer(done).map(drop)
        })
    }

    /// Moves the steps behind `position` by `count`; in two moves, since a primary key is checked
    /// row by row.
    fn make_room(&self, txn: i64, position: i64, count: usize) -> Result<()> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        for sql in [
            "UPDATE step SET position = -(position + ?3) WHERE txn = ?1 AND position > ?2",
            "UPDATE step SET position = -position WHERE txn = ?1 AND position < 0 \
             AND ?2 IS NOT NULL AND ?3 IS NOT NULL",
        ] {
            self.answer(self.connection.execute(sql, params![txn, position, count]))?;
        }
        Ok(())
    }

    /// The one commit: what is installed changes, and the transaction has happened.
    pub fn commit(&self, txn: i64, changes: &[Change], keeps: Option<u64>) -> Result<()> {
        self.write(|db| {
            db.apply(changes, txn)?;
            let keeps = keeps.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
            let sql = "UPDATE txn SET state = 'committed', keeps = ?2 WHERE id = ?1";
            db.answer(db.connection.execute(sql, params![txn, keeps])).map(drop)
        })
    }

    /// Writes a transaction's new state. What an undone transaction had taken is free again.
    pub fn mark_txn(&self, txn: i64, state: TxnState, failure: Option<&str>) -> Result<()> {
        let work = |db: &Self| {
            let over = matches!(state, TxnState::Finished | TxnState::Undone | TxnState::Held);
            let ended = over.then(|| Moment::now().0);
            let sql = "UPDATE txn SET state = ?2, failure = coalesce(?3, failure), \
                       ended = coalesce(?4, ended) WHERE id = ?1";
            let values = params![txn, state.as_str(), failure, ended];
            db.answer(db.connection.execute(sql, values))?;
            if state == TxnState::Undone {
                let sql = "DELETE FROM reservation WHERE txn = ?1";
                db.answer(db.connection.execute(sql, [txn]))?;
            }
            Ok(())
        };
        // What comes after a commit may come again: a mark of its end may be lost.
        if state == TxnState::Finished { self.write_lazily(work) } else { self.write(work) }
    }

    /// Says that this process goes on with a transaction that was cut off or held.
    pub fn mark_resumed(&self, txn: i64) -> Result<()> {
        let sql = "UPDATE txn SET state = 'running', process = ?2, boot = ?3, ended = NULL \
                   WHERE id = ?1 AND state IN ('running', 'held') AND resume IS NOT NULL";
        let values = params![txn, std::process::id(), crate::sys::host::boot_id()];
        match self.answer(self.connection.execute(sql, values))? {
            1 => Ok(()),
            _ => Err(DbError::Changed(format!("transaction {txn} cannot go on any more"))),
        }
    }

    fn txn_rows(&self, rest: &str, values: impl rusqlite::Params) -> Result<Vec<TxnRow>> {
        let sql = format!("SELECT {TXN_COLUMNS} FROM txn {rest}");
        let rows = self.connection.prepare_cached(&sql).and_then(|mut select| {
            let rows = select.query_map(values, read_txn)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// Every transaction, the newest first, at most `limit`.
    pub fn transactions(&self, limit: u32) -> Result<Vec<TxnRow>> {
        self.txn_rows("ORDER BY id DESC LIMIT ?1", [limit])
    }

    /// The transaction with this number.
    pub fn transaction(&self, txn: i64) -> Result<Option<TxnRow>> {
        Ok(self.txn_rows("WHERE id = ?1", [txn])?.into_iter().next())
    }

    /// The transactions that are not over: running, cut off, stuck or held; the oldest first.
    pub fn unfinished(&self) -> Result<Vec<TxnRow>> {
        let states = "state IN ('running', 'committed', 'unwinding', 'stuck', 'held')";
        self.txn_rows(&format!("WHERE {states} ORDER BY id"), [])
    }

    /// The transactions whose stash is kept for `undo`, the oldest first: id, title and bytes. Every
    /// transaction asks, and there may be thousands: their plans are not read.
    pub fn keeping(&self) -> Result<Vec<(i64, String, u64)>> {
        let sql = "SELECT id, title, keeps FROM txn WHERE keeps IS NOT NULL ORDER BY id";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs()))
            })?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// How the transactions are undone whose stash is kept for it, the oldest first.
    pub fn kept_inverses(&self) -> Result<Vec<String>> {
        let sql = "SELECT inverse FROM txn WHERE keeps IS NOT NULL ORDER BY id";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([], |row| row.get(0))?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// The transaction that has undone `txn`, where one has.
    pub fn undone_by(&self, txn: i64) -> Result<Option<i64>> {
        let sql = "SELECT id FROM txn WHERE undoes = ?1 AND state IN ('committed', 'finished')";
        self.answer(self.connection.query_row(sql, [txn], |row| row.get(0)).optional())
    }

    /// What the transaction locks.
    pub fn resources(&self, txn: i64) -> Result<Vec<String>> {
        let sql = "SELECT resource FROM txn_resource WHERE txn = ?1 ORDER BY resource";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([txn], |row| row.get(0))?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// The transaction's steps, in the order in which they begin.
    pub fn steps(&self, txn: i64) -> Result<Vec<StepRow>> {
        let sql = "SELECT txn, position, number, title, step, undo, said, state, attempt, began, ended \
                   FROM step WHERE txn = ?1 ORDER BY position";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([txn], read_step)?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// The values of one kind that are taken.
    pub fn reserved(&self, kind: &str) -> Result<Vec<String>> {
        let sql = "SELECT value FROM reservation WHERE kind = ?1";
        let rows = self.connection.prepare_cached(sql).and_then(|mut select| {
            let rows = select.query_map([kind], |row| row.get(0))?;
            rows.collect()
        });
        self.answer(rows)
    }

    /// Forgets what waits in the stash of `txn`: `undo` is not possible any more, and the names,
    /// slots and ports of destroyed gears are free.
    pub fn forget_stash(&self, txn: i64) -> Result<()> {
        self.write(|db| {
            for sql in [
                "DELETE FROM reservation WHERE gear IN \
                 (SELECT uuid FROM gear WHERE destroyed_by = ?1)",
                "DELETE FROM told WHERE scope <> 'domain' AND gear IN \
                 (SELECT uuid FROM gear WHERE destroyed_by = ?1)",
                "DELETE FROM gear WHERE destroyed_by = ?1",
                "DELETE FROM package WHERE removed_by = ?1 \
                 AND NOT EXISTS (SELECT 1 FROM gear_cartridge WHERE package = package.id)",
                "UPDATE txn SET keeps = NULL WHERE id = ?1",
            ] {
                db.answer(db.connection.execute(sql, [txn]))?;
            }
            Ok(())
        })
    }

    /// How many transactions there are in each state.
    pub fn transaction_counts(&self) -> Result<Vec<Summary>> {
        let sql = "SELECT state, count(*) FROM txn GROUP BY state ORDER BY state";
        let rows = self.connection.prepare(sql).and_then(|mut select| {
            let rows = select.query_map([], |row| {
                Ok(Summary {
                    state: txn_state(row, 0)?,
                    count: row.get::<_, i64>(1)?.unsigned_abs(),
                })
            })?;
            rows.collect()
        });
        self.answer(rows)
    }
}

fn txn_state(row: &Row<'_>, column: usize) -> rusqlite::Result<TxnState> {
    let text: String = row.get(column)?;
    TxnState::parse(&text).ok_or_else(|| unknown(column, &text))
}

fn unknown(column: usize, text: &str) -> rusqlite::Error {
    let error = std::io::Error::other(format!("unknown state {text:?}"));
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
}

fn read_txn(row: &Row<'_>) -> rusqlite::Result<TxnRow> {
    Ok(TxnRow {
        id: row.get(0)?,
        title: row.get(1)?,
        command: row.get(2)?,
        state: txn_state(row, 3)?,
        started: Moment(row.get(4)?),
        ended: row.get::<_, Option<i64>>(5)?.map(Moment),
        user: row.get(6)?,
        process: row.get(7)?,
        undoes: row.get(8)?,
        view: row.get(9)?,
        inverse: row.get(10)?,
        after: row.get(11)?,
        failure: row.get(12)?,
        keeps: row.get::<_, Option<i64>>(13)?.map(i64::unsigned_abs),
        resume: row.get(14)?,
    })
}

fn read_step(row: &Row<'_>) -> rusqlite::Result<StepRow> {
    let state: String = row.get(7)?;
    Ok(StepRow {
        txn: row.get(0)?,
        position: row.get(1)?,
        number: row.get(2)?,
        title: row.get(3)?,
        step: row.get(4)?,
        undo: row.get(5)?,
        said: row.get(6)?,
        state: StepState::parse(&state).ok_or_else(|| unknown(7, &state))?,
        attempt: row.get(8)?,
        began: row.get::<_, Option<i64>>(9)?.map(Moment),
        ended: row.get::<_, Option<i64>>(10)?.map(Moment),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: &str) -> NewStep {
        NewStep { number: number.into(), title: number.into(), step: "{}".into() }
    }

    fn sample() -> (tempfile::TempDir, Db) {
        let temp = tempfile::tempdir().unwrap();
        let db = Db::open(&temp.path().join("cart.db")).unwrap();
        (temp, db)
    }

    fn beginning(reservations: Vec<Reservation>) -> Beginning<'static> {
        Beginning {
            title: "test",
            command: "cart test",
            undoes: None,
            view: "{}".into(),
            inverse: "{}".into(),
            after: "[]".into(),
            resources: vec!["gear blog".into()],
            reservations,
            steps: vec![step("1"), step("2")],
            resume: None,
        }
    }

    #[test]
    fn what_a_step_asks_for_comes_directly_behind_it() {
        let (_temp, db) = sample();
        let txn = db.begin(&beginning(Vec::new())).unwrap();
        db.mark_prepared((txn, 0), "null", Keep::OverPowerCuts).unwrap();
        let mark = WrittenStep { txn, position: 0, state: StepState::Done, said: Some("{}") };
        db.mark_step(&mark, &[step("1.1"), step("1.2")]).unwrap();
        let numbers: Vec<_> = db.steps(txn).unwrap().into_iter().map(|s| s.number).collect();
        assert_eq!(numbers, ["1", "1.1", "1.2", "2"]);
    }

    #[test]
    fn a_scarce_thing_is_given_once_and_free_again_after_an_undoing() {
        let (_temp, db) = sample();
        let port = Reservation { kind: "port".into(), value: "1".into(), gear: "g".into() };
        let first = db.begin(&beginning(vec![port.clone()])).unwrap();
        let second = db.begin(&beginning(vec![port.clone()]));
        assert!(matches!(second, Err(DbError::Taken(_))));
        assert_eq!(db.unfinished().unwrap().len(), 1, "a refused plan leaves no trace");
        db.mark_txn(first, TxnState::Undone, None).unwrap();
        db.begin(&beginning(vec![port])).unwrap();
    }
}
