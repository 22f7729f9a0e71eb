//! What waits in the stash after a transaction: kept for `undo`, up to a quota.

use crate::db::Db;
use crate::error::Failure;
use crate::step::make_user::MakeUser;
use crate::sys::fs::Dir;
use crate::sys::tree;

/// A stash that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The transaction.
    pub txn: i64,
    /// What it did.
    pub title: String,
    /// Bytes.
    pub bytes: u64,
}

/// Lists what is kept, the oldest first.
pub fn kept(db: &Db) -> Result<Vec<Kept>, Failure> {
    let rows = db.keeping()?.into_iter();
    Ok(rows.map(|(txn, title, bytes)| Kept { txn, title, bytes }).collect())
}

/// Forgets what transaction `txn` keeps: it cannot be undone any more.
pub fn forget(db: &Db, state: &Dir, txn: i64) -> Result<(), Failure> {
    // Accounts last as long as files of theirs do: a number given anew would inherit them.
    let accounts: Vec<_> = db.gears_destroyed_by(txn)?;
    // The rows first: a stash without rows is swept, rows without a stash would promise an undo.
    db.forget_stash(txn)?;
    discard(state, txn)?;
    for gear in accounts.iter().filter(|gear| gear.account) {
        if let Some(uid) = gear.uid {
            MakeUser::remove(&gear.uuid, uid)?;
        }
    }
    Ok(())
}

/// Where the recoveries of a transaction are counted, a folder for each.
fn counted(txn: i64) -> String {
    format!("stash/{txn}/recoveries")
}

/// How many recoveries of transaction `txn` have begun and were cut off.
pub(super) fn recoveries(state: &Dir, txn: i64) -> Result<usize, Failure> {
    let place = counted(txn);
    Ok(if state.has(&place)? { state.dir(place)?.names()?.len() } else { 0 })
}

/// Notes that a recovery of transaction `txn` begins.
pub(super) fn count_recovery(state: &Dir, txn: i64) -> Result<(), Failure> {
    let number = recoveries(state, txn)? + 1;
    Ok(state.make_dirs(format!("{}/{number}", counted(txn)), 0o700)?)
}

/// Forgets them: one has come to its end, whatever that was.
pub(super) fn forget_recoveries(state: &Dir, txn: i64) -> Result<(), Failure> {
    Ok(tree::remove(state, counted(txn))?)
}

/// Deletes the stash directory of a transaction.
pub(super) fn discard(state: &Dir, txn: i64) -> Result<(), Failure> {
    Ok(tree::remove(state, format!("stash/{txn}"))?)
}

/// Forgets the oldest stashes until the rest fits into `limit` bytes.
pub(super) fn keep_quota(db: &Db, state: &Dir, limit: u64) -> Result<(), Failure> {
    let kept = kept(db)?;
    let mut total: u64 = kept.iter().map(|kept| kept.bytes).sum();
    for old in kept {
        if total <= limit {
            break;
        }
        forget(db, state, old.txn)?;
        total -= old.bytes;
    }
    Ok(())
}

/// Deletes stash directories that no transaction needs any more: what a crash left behind between
/// a commit and its cleaning.
pub(super) fn sweep(db: &Db, state: &Dir) -> Result<(), Failure> {
    if !state.has("stash")? {
        return Ok(());
    }
    let kept = db.keeping()?.into_iter().map(|(id, ..)| id);
    let needed: Vec<i64> = kept.chain(db.unfinished()?.into_iter().map(|row| row.id)).collect();
    for name in state.dir("stash")?.names()? {
        let txn = name.to_str().and_then(|name| name.parse::<i64>().ok());
        if txn.is_some_and(|txn| !needed.contains(&txn)) {
            tree::remove(&state.dir("stash")?, &name)?;
        }
    }
    Ok(())
}
