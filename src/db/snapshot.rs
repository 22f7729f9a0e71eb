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
}

#[cfg(test)]
mod tests {
    use crate::db::Db;

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
