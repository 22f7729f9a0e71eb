//! After a crash: transactions whose process is dead are put back, or finished.

use super::engine::{Engine, OnFailure, Receipt, Witness, read_json};
use super::{Locks, locks, stash};
use crate::db::{StepState, TxnRow, TxnState};
use crate::error::{Exit, Failure};
use crate::plan::Resource;
use crate::sandbox;
use crate::step::AnyStep;
use crate::sys::lock::{Lock, Sharing};
use crate::sys::process;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a recovery may be cut off before other commands do not begin it any more by themselves: a
/// script may be what ends it, and would end each of them.
const MOST_RECOVERIES: usize = 3;
/// How long the last child of a killed process is waited for.
const LAST_CHILD: Duration = Duration::from_secs(3);

/// What became of an unfinished transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It had not happened, and was put back.
    PutBack {
        /// Its number.
        txn: i64,
        /// What it was to do.
        title: String,
    },
    /// It had happened, and its cleaning was done.
    Finished {
        /// Its number.
        txn: i64,
        /// What it did.
        title: String,
    },
    /// It had been cut off, went on, and has happened.
    GoneOn {
        /// Its number.
        txn: i64,
        /// What it did.
        title: String,
        /// What it did, in full.
        receipt: Receipt,
    },
    /// It went on, and failed; the failure says what became of it.
    Failed {
        /// Its number.
        txn: i64,
        /// What it was to do.
        title: String,
        /// Why.
        failure: Box<Failure>,
    },
    /// Putting it back failed.
    Stuck {
        /// Its number.
        txn: i64,
        /// What it was to do.
        title: String,
        /// Why.
        why: String,
    },
    /// Its process is alive, or another one is recovering it.
    Running {
        /// Its number.
        txn: i64,
        /// What it does.
        title: String,
    },
}

/// Whose processes are ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    /// Those of every step that has begun.
    EveryStep,
    /// Those of steps that were cut off.
    OpenSteps,
}

/// What is done with a transaction that may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// It is put back, as any other.
    PutBack,
    /// It goes on.
    GoOn(OnFailure),
}

impl Engine<'_> {
    /// Recovers the dead transactions whose locks overlap those held, and refuses to go on where
    /// one of them stays stuck or is held for inspection.
    pub fn recover_overlapping(
        &self,
        resources: &BTreeSet<Resource>,
        locks: &mut Locks,
        witness: &dyn Witness,
    ) -> Result<(), Failure> {
        let ours: Vec<String> = resources.iter().map(Resource::journaled).collect();
        for row in self.db.unfinished()? {
            let theirs = self.db.resources(row.id)?;
            if !theirs.iter().any(|their| ours.iter().any(|our| conflict(their, our))) {
                continue;
            }
            if row.state == TxnState::Held {
                return Err(held(&row));
            }
            if stash::recoveries(&self.state, row.id)? >= MOST_RECOVERIES {
                return Err(given_up(&row));
            }
            match self.recover_one(&row, locks, (Unfinished::PutBack, witness))? {
                Recovered::Stuck { txn, title, why } => {
                    let text = format!("transaction {txn} ({title}) is stuck: {why}");
                    return Err(Failure::new(Exit::Stuck, text)
                        .hint("mend what is named there, then run `cart recover`"));
                }
                Recovered::PutBack { txn, title } => witness.warning(&format!(
                    "transaction {txn} ({title}) had been cut off; it was put back"
                )),
                Recovered::Failed { failure, .. } => return Err(*failure),
                Recovered::Finished { .. }
                | Recovered::GoneOn { .. }
                | Recovered::Running { .. } => {}
            }
        }
        Ok(())
    }

    /// What stands in the way of a command that was refused, if that is a transaction whose recovery was
    /// cut off too often.
    pub(super) fn in_the_way(&self) -> Result<Vec<String>, Failure> {
        let mut told = Vec::new();
        for row in self.db.unfinished()? {
            if stash::recoveries(&self.state, row.id)? >= MOST_RECOVERIES {
                let Failure { summary, hints, .. } = given_up(&row);
                told.push(format!("it may be in the way that {summary}"));
                told.extend(hints);
            }
        }
        Ok(told)
    }

    /// Recovers every transaction whose process is dead and whose locks are free, those excepted that
    /// are held for inspection or may go on; tells whether there was any.
    pub(super) fn recover_dead(&self, witness: &dyn Witness) -> Result<bool, Failure> {
        let mut any = false;
        for row in self.db.unfinished()? {
            if row.state == TxnState::Held || may_go_on(&row) {
                continue;
            }
            if stash::recoveries(&self.state, row.id)? >= MOST_RECOVERIES {
                continue;
            }
            let mut locks =
                Locks::take(&self.state, &BTreeSet::new(), Duration::ZERO, "cart recover")?;
            match self.recover_one(&row, &mut locks, (Unfinished::PutBack, witness)) {
                Ok(Recovered::PutBack { txn, title }) => {
                    any = true;
                    witness.warning(&format!(
                        "transaction {txn} ({title}) had been cut off; it was put back"
                    ));
                }
                Ok(Recovered::Finished { .. }) => any = true,
                Ok(
                    Recovered::Stuck { .. }
                    | Recovered::Running { .. }
                    | Recovered::GoneOn { .. }
                    | Recovered::Failed { .. },
                ) => {}
                // Somebody works with what it locks; it has to wait.
                Err(failure) if failure.exit == Exit::Busy => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(any)
    }

    /// Brings one transaction to an end: finishes what was committed, goes on with what may, and puts
    /// back everything else, what was held for inspection included.
    pub fn recover_one(
        &self,
        row: &TxnRow,
        locks: &mut Locks,
        (unfinished, witness): (Unfinished, &dyn Witness),
    ) -> Result<Recovered, Failure> {
        let (txn, title) = (row.id, row.title.clone());
        // A killed process may have left a child that has not become another program yet, and so
        // holds its locks for a moment more.
        let wait = if process::is_alive(row.process) { Duration::ZERO } else { LAST_CHILD };
        let Some(own) = locks::of_transaction(&self.state, txn, (wait, "cart recover"))? else {
            return Ok(Recovered::Running { txn, title });
        };
        // Read again under its lock: it may have been finished while we came here.
        let row = match self.db.transaction(txn)? {
            Some(row) if !matches!(row.state, TxnState::Finished | TxnState::Undone) => row,
            _ => {
                drop(own);
                locks::forget_transaction(&self.state, txn)?;
                return Ok(Recovered::Finished { txn, title });
            }
        };
        for resource in self.db.resources(txn)? {
            locks.also(&resource)?;
        }
        // A disk that is full must not keep it from being put back.
        let _ = stash::count_recovery(&self.state, txn);
        let recovered = self.end(&row, own, (unfinished, witness));
        stash::forget_recoveries(&self.state, txn)?;
        recovered
    }

    /// The same, under all of its locks.
    fn end(
        &self,
        row: &TxnRow,
        own: Lock,
        (unfinished, witness): (Unfinished, &dyn Witness),
    ) -> Result<Recovered, Failure> {
        let (txn, title) = (row.id, row.title.clone());
        let goes_on = match unfinished {
            Unfinished::GoOn(on_failure)
                if matches!(row.state, TxnState::Running | TxnState::Held)
                    && row.resume.is_some() =>
            {
                Some(on_failure)
            }
            _ => None,
        };
        let whose = if goes_on.is_some() { Own::OpenSteps } else { Own::EveryStep };
        self.end_scripts(row, whose)?;
        if let Some(on_failure) = goes_on {
            return Ok(match self.resume(row, own, (on_failure, witness)) {
                Ok(receipt) => Recovered::GoneOn { txn, title, receipt },
                Err(failure) => Recovered::Failed { txn, title, failure: Box::new(failure) },
            });
        }
        if row.state == TxnState::Committed {
            let after: Vec<AnyStep> = read_json("list of steps", &row.after)?;
            self.finish(txn, &after, witness)?;
            drop(own);
            locks::forget_transaction(&self.state, txn)?;
            return Ok(Recovered::Finished { txn, title });
        }
        Ok(match self.unwind(txn, None, witness) {
            Ok(missed) => {
                for text in &missed {
                    witness.warning(text);
                }
                Recovered::PutBack { txn, title }
            }
            Err(why) => Recovered::Stuck { txn, title, why: why.one_line() },
        })
    }

    /// Ends what scripts of a dead transaction still run; they would work against the unwinding.
    /// What a step that is put back already has started again is meant to live, and so is all that
    /// a committed transaction started, or a finished step of one that goes on.
    fn end_scripts(&self, row: &TxnRow, whose: Own) -> Result<(), Failure> {
        if row.state == TxnState::Committed {
            return Ok(());
        }
        sandbox::settle(&self.layout.running());
        let mut open = self.db.steps(row.id)?;
        open.retain(|step| match step.state {
            StepState::Planned | StepState::Undone => false,
            StepState::Done => whose == Own::EveryStep,
            StepState::Prepared | StepState::Stuck => true,
        });
        let marks = open.into_iter().map(|step| {
            [
                format!("CART_TRANSACTION={}", row.id),
                format!("CART_STATE={}", self.layout.state().display()),
                format!("CART_STEP={}", step.number),
            ]
        });
        let marks: Vec<_> = marks.collect();
        process::end_all(
            || {
                let mut found = Vec::new();
                for marks in &marks {
                    found.extend(process::marked(marks)?);
                }
                Ok(found)
            },
            Duration::from_secs(2),
        )?;
        Ok(())
    }
}

/// Two users of one thing are in each other's way unless both only use it.
fn conflict(one: &str, other: &str) -> bool {
    let ((one, first), (other, second)) = (Resource::lock_of(one), Resource::lock_of(other));
    one == other && (first, second) != (Sharing::Shared, Sharing::Shared)
}

fn held(row: &TxnRow) -> Failure {
    let TxnRow { id, title, .. } = row;
    let text = format!("transaction {id} ({title}) failed and is held for inspection");
    Failure::new(Exit::Refused, text).hint(format!("`cart undo {id}` puts it back"))
}

fn given_up(row: &TxnRow) -> Failure {
    let TxnRow { id, title, .. } = row;
    let text = format!(
        "transaction {id} ({title}) was cut off, and so was each of {MOST_RECOVERIES} attempts to bring \
         it to an end"
    );
    Failure::new(Exit::Stuck, text).hint(format!(
        "`cart history {id} --log` shows which script was running; mend what ends it, then run \
         `cart recover`"
    ))
}

/// Tells whether a transaction goes on when it is asked for again, or recovered.
fn may_go_on(row: &TxnRow) -> bool {
    row.state == TxnState::Running && row.resume.is_some()
}

/// Recovers every dead transaction, held ones excepted, and sweeps what no transaction needs.
pub fn recover_all(engine: &Engine<'_>, witness: &dyn Witness) -> Result<Vec<Recovered>, Failure> {
    let mut recovered = Vec::new();
    for row in engine.db.unfinished()? {
        if row.state == TxnState::Held {
            continue;
        }
        let mut locks =
            Locks::take(&engine.state, &BTreeSet::new(), Duration::ZERO, "cart recover")?;
        let unfinished = Unfinished::GoOn(OnFailure::Unwind);
        recovered.push(engine.recover_one(&row, &mut locks, (unfinished, witness))?);
    }
    stash::sweep(engine.db, &engine.state)?;
    sandbox::sweep(&engine.layout.running(), None)?;
    Ok(recovered)
}
