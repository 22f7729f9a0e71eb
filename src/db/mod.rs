//! The package database: what is installed, which gears there are, and the journal.
//!
//! `SQLite` in WAL mode with `synchronous=FULL`: when a commit returns, it survives a power cut. All
//! changes of what is *installed* go through [`Change`] inside the one commit of a transaction;
//! nothing else writes those tables. No write transaction is ever open across a script, a prompt
//! or a download.

mod change;
mod externals;
mod gears;
mod holds;
mod inverse;
mod journal;
mod packages;
mod placed;
mod sites;
mod snapshot;
mod told;

pub use change::{Change, NewCartridge, NewEndpoint, NewGear, NewPackage};
pub use externals::{Answer, ExternalRow, ExternalState, NewExternal};
pub use gears::{GearCartridgeRow, GearEndpointRow, GearRole, GearRow};
pub use holds::{Hold, HoldsOf};
pub use inverse::{ChangedVariable, HostLink, Inverse, InversePart, ServiceCall, ServiceTurn};
pub use journal::{
    Beginning, NewStep, Reservation, StepRow, StepState, Summary, TxnRow, TxnState, WrittenStep,
};
pub use packages::{FileRow, ListedPackage, PackageRow, PackageUse};
pub use placed::{Holder, Home, NewPlaced, Placed, PlacedKind, Role};
pub use sites::{DeployedSite, NewSite, ResourceKind, SITE_PORT, SitePackage, SiteResource};
pub use snapshot::Snapshot;
pub use told::{Publisher, Saying, Scope, Telling, ToldRow};

use crate::error::{Exit, Explain, FsError};
use crate::sys::{fs, host};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The migrations, in order; the database's `user_version` counts those that were made.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
    include_str!("schema/004.sql"),
    include_str!("schema/005.sql"),
    include_str!("schema/006.sql"),
    include_str!("schema/007.sql"),
    include_str!("schema/008.sql"),
    include_str!("schema/009.sql"),
    include_str!("schema/010.sql"),
    include_str!("schema/011.sql"),
];

/// Pages of 4 KiB that a reader keeps in memory.
const READER_PAGES: i64 = 64;

/// How long another process's write is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// From how many bytes on the log is folded in.
const LONG_LOG: u64 = 400 << 10;

/// An open package database. Every thread has its own.
#[derive(Debug)]
pub struct Db {
    connection: Connection,
    path: PathBuf,
}

/// The database cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// `SQLite` refused.
    #[error("the database `{path}` cannot be used")]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` said.
        #[source]
        source: rusqlite::Error,
    },
    /// It was made by a newer cartwright.
    #[error("the database `{path}` was written by a newer cartwright (version {version})")]
    TooNew {
        /// The database file.
        path: PathBuf,
        /// Its version.
        version: usize,
    },
    /// A stored record cannot be read.
    #[error("the database `{path}` holds a {what} that cannot be read")]
    Record {
        /// The database file.
        path: PathBuf,
        /// What kind of record.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// What a commit depended on is no longer so.
    #[error("{0}")]
    Changed(String),
    /// Somebody else took a scarce thing since it was found free.
    #[error("the {0} was taken meanwhile")]
    Taken(String),
    /// The directory cannot be made.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl DbError {
    /// Tells whether the disk is full.
    pub fn is_full(&self) -> bool {
        let full = |source: &rusqlite::Error| {
            matches!(source.sqlite_error_code(), Some(ErrorCode::DiskFull))
        };
        matches!(self, Self::Sqlite { source, .. } if full(source))
    }
}

impl Explain for DbError {
    fn exit(&self) -> Exit {
        match self {
            Self::Sqlite { source, .. }
                if source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) =>
            {
                Exit::Busy
            }
            Self::Changed(_) | Self::Taken(_) => Exit::Conflict,
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Sqlite { source, .. } => match source.sqlite_error_code() {
                Some(ErrorCode::CannotOpen) if host::variable("CART_TRANSACTION").is_some() => Some(
                    "this `cart` was called from inside a transaction, by a script that may not \
                     reach the database: do it after the transaction"
                        .into(),
                ),
                Some(ErrorCode::DiskFull) => Some("free some space, then try again".into()),
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                    Some("check that this user may write there, or choose another `--root`".into())
                }
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Some(
                    "move the file away and restore it from a backup, with its `-wal` beside it"
                        .into(),
                ),
                _ => None,
            },
            Self::TooNew { .. } => Some("use that newer cartwright".into()),
            Self::Fs(error) => error.hint(),
            Self::Record { .. } | Self::Changed(_) | Self::Taken(_) => None,
        }
    }
}

/// What a record has to outlive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// A power cut: the disk is waited for.
    OverPowerCuts,
    /// The end of this process, however sudden.
    OverCrashes,
}

/// Result of a question to the database.
pub type Result<T> = std::result::Result<T, DbError>;

impl Db {
    /// Opens the database for changing it, after making it and bringing it up to date.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            // 0711: gears' users pass through to their homes, and see nothing on the way.
            fs::Dir::create(parent, 0o711)?;
        }
        let is_new = fs::kind_of(path).is_none();
        let connection = Connection::open(path).map_err(|error| fail(path, error))?;
        let db = Self { connection, path: path.to_owned() };
        if is_new {
            set_private(path)?;
        }
        db.configure().map_err(|error| fail(path, error))?;
        db.migrate()?;
        Ok(db)
    }

    /// Opens the database for reading; nothing when there is none yet. Takes no lock, and works on
    /// a read-only filesystem.
    pub fn open_reading(path: &Path) -> Result<Option<Self>> {
        if fs::kind_of(path).is_none() {
            return Ok(None);
        }
        let (db, version) = Self::read_only(path, "").or_else(|error| match &error {
            // Without write permission there can be no shared memory file for the WAL; on a
            // read-only filesystem nobody can be writing either, so the file may be taken as is.
            DbError::Sqlite { source, .. }
                if matches!(
                    source.sqlite_error_code(),
                    Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
                ) =>
            {
                Self::read_only(path, "?immutable=1")
            }
            _ => Err(error),
        })?;
        match version.cmp(&MIGRATIONS.len()) {
            std::cmp::Ordering::Equal => Ok(Some(db)),
            std::cmp::Ordering::Greater => Err(DbError::TooNew { path: path.to_owned(), version }),
            // An old database is brought up to date by whoever may write it.
            std::cmp::Ordering::Less => Self::open(path).map(Some),
        }
    }

    /// An empty database that lives nowhere: for plans on a host that has none yet.
    pub fn empty() -> Result<Self> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| fail(&path, error))?;
        let db = Self { connection, path };
        db.migrate()?;
        Ok(db)
    }

    fn read_only(path: &Path, query: &str) -> Result<(Self, usize)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(path, query), flags)
            .map_err(|error| fail(path, error))?;
        let db = Self { connection, path: path.to_owned() };
        db.connection.busy_timeout(PATIENCE).map_err(|error| fail(path, error))?;
        // Most answers look at each page once: keeping them costs more than it brings.
        db.answer(db.connection.pragma_update(None, "cache_size", READER_PAGES))?;
        let version = db.version()?;
        Ok((db, version))
    }

    fn configure(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: a commit is the point where a transaction has happened; NORMAL loses it (measured).
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        // The log is folded in by `fold_log`, not at every end of a short command.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // A question with a new value is not planned anew: with partial indexes SQLite would look
        // at each value for what it says of them, a thousand times for a thousand packages.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(())
    }

    fn version(&self) -> Result<usize> {
        let read = self.connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
        self.answer(read).map(|version| usize::try_from(version).unwrap_or(usize::MAX))
    }

    fn migrate(&self) -> Result<()> {
        if self.version()? == MIGRATIONS.len() {
            return Ok(());
        }
        self.write(|db| {
            // Read again inside the write transaction: another process may have been faster.
            let version = db.version()?;
            if version > MIGRATIONS.len() {
                return Err(DbError::TooNew { path: db.path.clone(), version });
            }
            for (number, migration) in (1i64..).zip(MIGRATIONS).skip(version) {
                db.answer(db.connection.execute_batch(migration))?;
                let done = db.connection.pragma_update(None, "user_version", number);
                db.answer(done)?;
            }
            Ok(())
        })
    }

    /// Runs `work` in one write transaction: all of it is committed, or none.
    fn write<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.answer(self.connection.execute_batch("BEGIN IMMEDIATE"))?;
        let result = work(self).and_then(|value| {
            self.answer(self.connection.execute_batch("COMMIT"))?;
            Ok(value)
        });
        if result.is_err() && !self.connection.is_autocommit() {
            // The first error is the one that matters; SQLite rolls back by itself at the latest
            // when the connection closes.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        result
    }

    /// The same, without waiting for the disk: a power cut may lose it, a crash of the program does
    /// not. Whatever is written durably later carries it along, so nothing is lost out of order.
    fn write_lazily<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let set =
            |level: &str| self.answer(self.connection.pragma_update(None, "synchronous", level));
        set("NORMAL")?;
        let result = self.write(work);
        set("FULL")?;
        result
    }

    /// Writes what has to outlive what `keep` says.
    fn write_to_keep<T>(&self, keep: Keep, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        match keep {
            Keep::OverPowerCuts => self.write(work),
            Keep::OverCrashes => self.write_lazily(work),
        }
    }

    /// Folds the log into the database when it has grown. Whoever opens it first reads the log
    /// whole, so it stays short, a few transactions; and folding costs two syncs, so it is done
    /// once, when a transaction is over.
    pub fn fold_log(&self) -> Result<()> {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        if fs::length(Path::new(&log)).is_none_or(|length| length < LONG_LOG) {
            return Ok(());
        }
        // A reader may be using it: then somebody else folds it, later.
        self.answer(self.connection.busy_timeout(Duration::ZERO))?;
        let folded = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.answer(self.connection.busy_timeout(PATIENCE))?;
        self.answer(folded)
    }

    fn answer<T>(&self, result: rusqlite::Result<T>) -> Result<T> {
        result.map_err(|error| fail(&self.path, error))
    }

    fn parse_json<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        text: &str,
    ) -> Result<T> {
        serde_json::from_str(text).map_err(|source| self.unreadable(what, source))
    }

    fn to_json<T: serde::Serialize>(&self, what: &'static str, value: &T) -> Result<String> {
        serde_json::to_string(value).map_err(|source| self.unreadable(what, source))
    }

    fn unreadable(&self, what: &'static str, source: serde_json::Error) -> DbError {
        DbError::Record { path: self.path.clone(), what, source }
    }

    /// Asks `SQLite` whether the file is sound; gives its complaints.
    pub fn complaints(&self) -> Result<Vec<String>> {
        let rows = |sql: &str| -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.collect()
        };
        let mut found = self.answer(rows("PRAGMA integrity_check"))?;
        found.retain(|line| line != "ok");
        let dangling = "SELECT \"table\" || ' row ' || rowid || ' points at nothing in ' || parent \
                        FROM pragma_foreign_key_check";
        found.extend(self.answer(rows(dangling))?);
        Ok(found)
    }
}

fn fail(path: &Path, source: rusqlite::Error) -> DbError {
    DbError::Sqlite { path: path.to_owned(), source }
}

fn set_private(path: &Path) -> Result<()> {
    if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
        fs::Dir::open(parent)?.set_mode(name, 0o600)?;
    }
    Ok(())
}

/// A file name as an `SQLite` URI, with the characters escaped that mean something there.
fn uri(path: &Path, query: &str) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(*byte));
            }
            _ => uri.extend(format!("%{byte:02x}").chars()),
        }
    }
    uri + query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_made_once_and_refused_when_newer() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("state of ?things#/cart.db");
        assert!(Db::open_reading(&path).unwrap().is_none());
        drop(Db::open(&path).unwrap());
        let db = Db::open(&path).unwrap();
        assert!(db.complaints().unwrap().is_empty());
        assert!(Db::open_reading(&path).unwrap().is_some());
        db.connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Db::open(&path), Err(DbError::TooNew { version: 99, .. })));
        assert!(matches!(Db::open_reading(&path), Err(DbError::TooNew { version: 99, .. })));
    }

    #[test]
    fn a_commit_is_all_or_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let db = Db::open(&temp.path().join("cart.db")).unwrap();
        let failed: Result<()> = db.write(|db| {
            db.answer(db.connection.execute_batch("CREATE TABLE half (x)"))?;
            Err(DbError::Changed("no".into()))
        });
        assert!(failed.is_err());
        assert!(db.connection.execute_batch("SELECT * FROM half").is_err());
    }
}
