//! Many questions, answered of one state of the database.

use super::{Db, Result};
use rusqlite::Transaction;

/// As long as it lives, what other processes commit is not seen. A question by itself locks and
/// unlocks the database, which costs more than most answers.
#[derive(Debug)]
pub struct Snapshot<'a> {
    _reading: Option<Transaction<'a>>,
}

impl Db {
    /// Answers of one state of things from here on; within another snapshot, of that.
    pub fn snapshot(&self) -> Result<Snapshot<'_>> {
        if !self.connection.is_autocommit() {
            return Ok(Snapshot { _reading: None });
        }
        Ok(Snapshot { _reading: Some(self.answer(self.connection.unchecked_transaction())?) })
    }

    /// A number that is another as soon as another process has committed something.
    pub fn commits_of_others(&self) -> Result<i64> {
        self.answer(self.connection.query_row("PRAGMA data_version", [], |row| row.get(0)))
    }
}

#[cfg(test)]
mod tests {
    use crate::db::Db;

    #[test]
    fn what_others_commit_is_noticed_and_what_oneself_does_is_not() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("cart.db");
        let (one, other) = (Db::open(&path).unwrap(), Db::open(&path).unwrap());
        let before = one.commits_of_others().unwrap();
        let write =
            |db: &Db| db.connection.execute_batch("CREATE TABLE a (b); DROP TABLE a").unwrap();
        write(&one);
        assert_eq!(one.commits_of_others().unwrap(), before);
        write(&other);
        assert_ne!(one.commits_of_others().unwrap(), before);
    }

    #[test]
    fn it_may_stand_within_another_and_ends_with_the_outer_one() {
        let db = Db::empty().unwrap();
        let outer = db.snapshot().unwrap();
        drop(db.snapshot().unwrap());
        assert!(!db.connection.is_autocommit());
        drop(outer);
        assert!(db.connection.is_autocommit());
    }
}
