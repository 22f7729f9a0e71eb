//! Runs a plan: journal before effect, one commit point, unwinding in reverse.

use super::run::{Broken, Rest, Run, new_step};
use super::{ballast, locks, logs, stash};
use crate::config::Config;
use crate::db::{Beginning, Db, DbError, StepRow, StepState, TxnRow, TxnState, WrittenStep};
use crate::error::{Exit, Explain, Failure};
use crate::facts;
use crate::layout::Layout;
use crate::plan::{CutOff, Plan, Resource};
use crate::progress::Listen;
use crate::step::{AnyStep, Cx, Said};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use crate::sys::interrupt;
use crate::sys::lock::Lock;
use serde_json::Value;
use std::time::Duration;

/// In one of how many transactions the logs are looked after: looking costs time, too.
const LOGS_EVERY: i64 = 16;

/// The folders of the state. They are there before the first transaction, which so never has to
/// put them back; gears' users pass through those that lead to what they may read.
const FOLDERS: [(&str, u32); 14] = [
    ("library", 0o755),
    ("templates", 0o755),
    ("gears", 0o755),
    ("sites", 0o700),
    ("stash", 0o700),
    ("staging", 0o700),
    ("locks", 0o700),
    ("log", 0o700),
    ("spool", 0o700),
    ("frontend", 0o755),
    ("frontend/nginx", 0o755),
    ("frontend/nginx/stream", 0o755),
    ("frontend/apache", 0o755),
    ("frontend/tls", 0o700),
];

/// What runs plans on one host.
#[derive(Debug)]
pub struct Engine<'a> {
    /// The package database.
    pub db: &'a Db,
    /// Every path.
    pub layout: &'a Layout,
    /// Every setting.
    pub config: &'a Config,
    /// The state directory.
    pub state: Dir,
}

/// Somebody who watches a transaction; the engine itself prints nothing.
pub trait Witness {
    /// A step begins.
    fn step(&self, number: &str, title: &str);
    /// A script has something to say to the user.
    fn message(&self, text: &str);
    /// A script, though it succeeded, calls something an error.
    fn error(&self, text: &str);
    /// A script has something to say to whoever looks for a fault.
    fn debug(&self, text: &str);
    /// Something went not quite as it should.
    fn warning(&self, text: &str);
    /// What was done is being put back.
    fn unwinding(&self, title: &str);
    /// Who hears what scripts print while they run, where somebody does.
    fn listener(&self) -> Option<&dyn Listen> {
        None
    }
}

/// What to do when a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Put everything back.
    #[default]
    Unwind,
    /// Leave it as it is, for inspection, until `undo` or `recover`.
    Hold,
}

/// What a finished transaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Its number.
    pub txn: i64,
    /// What scripts had to say.
    pub messages: Vec<String>,
    /// What they have brought about, in their words.
    pub results: Vec<String>,
    /// What they call errors, though they succeeded.
    pub errors: Vec<String>,
    /// What went not quite as it should.
    pub warnings: Vec<String>,
    /// The exit status of an original for it; see [`Said::status`].
    pub status: u8,
}

impl<'a> Engine<'a> {
    /// Makes an engine for the host of `layout`.
    pub fn new(db: &'a Db, layout: &'a Layout, config: &'a Config) -> Result<Self, Failure> {
        let state = Dir::create(layout.state(), 0o711)?;
        for (folder, mode) in FOLDERS {
            state.make_dirs(folder, mode)?;
        }
        Ok(Self { db, layout, config, state })
    }

    /// Writes `plan` down, and takes the scarce things that it needs; nothing where somebody else has
    /// taken one since it was planned. The caller holds the locks.
    pub fn begin(&self, plan: &Plan, view: &Value, command: &str) -> Result<Option<i64>, Failure> {
        ballast::ensure(&self.state)?;
        checkpoint("before the plan is written down");
        match self.db.begin(&beginning(plan, view, command)?) {
            Err(DbError::Taken(_)) => Ok(None),
            begun => Ok(Some(begun?)),
        }
    }

    /// Runs `plan`, written down as `txn`, to its end, or puts everything back. The caller holds the
    /// locks.
    pub fn run(
        &self,
        (plan, txn): (&Plan, i64),
        command: &str,
        (on_failure, witness): (OnFailure, &dyn Witness),
    ) -> Result<Receipt, Failure> {
        let own = locks::of_transaction(&self.state, txn, (Duration::ZERO, command))?;
        checkpoint("the plan is written down");
        let run = Run::of_plan((self, txn, witness), plan);
        self.carry(run, (&plan.after, own), on_failure)
    }

    /// Goes on with a transaction that was cut off or held, from where it was. The caller holds its
    /// locks, `own` among them.
    pub(super) fn resume(
        &self,
        row: &TxnRow,
        own: Lock,
        (on_failure, witness): (OnFailure, &dyn Witness),
    ) -> Result<Receipt, Failure> {
        let after: Vec<AnyStep> = read_json("list of steps", &row.after)?;
        let run = Run::of_journal((self, row.id, witness), row)?;
        self.db.mark_resumed(row.id)?;
        checkpoint("a transaction goes on");
        self.carry(run, (&after, Some(own)), on_failure)
    }

    /// Runs to the end what is begun, or puts everything back.
    fn carry(
        &self,
        mut run: Run<'_>,
        (after, own): (&[AnyStep], Option<Lock>),
        on_failure: OnFailure,
    ) -> Result<Receipt, Failure> {
        let (txn, witness) = (run.txn, run.witness);
        match run.forward() {
            Ok(()) => {
                self.finish(txn, after, witness).map_err(|mut failure| {
                    // Any other status would say that the host is as it was before.
                    failure.exit = Exit::Stuck;
                    let state = format!("transaction {txn} has happened; cleaning up is left");
                    failure.state(state).hint("`cart recover` does the rest")
                })?;
                drop(own);
                locks::forget_transaction(&self.state, txn)?;
                if let Err(error) = self.db.fold_log() {
                    // A longer log costs time alone; the next transaction folds it.
                    let failure = Failure::from(error);
                    witness
                        .warning(&format!("the database's log stays long: {}", failure.one_line()));
                }
                Ok(run.receipt())
            }
            Err(broken) => {
                let failure = self.fail(txn, broken, on_failure, witness);
                drop(own);
                Err(failure)
            }
        }
    }

    /// Keeps the logs in their bounds; a failure is told, and changes nothing of what has happened.
    fn keep_logs(&self, witness: &dyn Witness) {
        let busy = self.db.unfinished().map(|rows| rows.into_iter().map(|row| row.id).collect());
        let done =
            busy.map_err(Failure::from).and_then(|busy| logs::keep_quota(&self.state, &busy));
        if let Err(failure) = done {
            witness.warning(&format!("cannot clean up the logs: {}", failure.one_line()));
        }
    }

    /// Everything after the commit: runs forward only, and may be repeated by a recovery.
    pub(super) fn finish(
        &self,
        txn: i64,
        after: &[AnyStep],
        witness: &dyn Witness,
    ) -> Result<(), Failure> {
        for (index, step) in after.iter().enumerate() {
            checkpoint("before a step after the commit");
            let number = format!("after-{}", index + 1);
            let cx = self.cx(txn, &number, 1)?;
            let done = step.prepare(&cx).and_then(|undo| step.apply(&undo, &cx));
            if let Err(failure) = done {
                // It has happened; what could not be cleaned is said, and does not undo it.
                witness.warning(&format!("cannot {}: {}", step.describe(), failure.one_line()));
            }
        }
        checkpoint("before the transaction is marked finished");
        let row = self.db.transaction(txn)?;
        if txn % LOGS_EVERY == 0 {
            self.keep_logs(witness);
        }
        let keeps = row.as_ref().is_some_and(|row| row.keeps.is_some());
        let undone = row.and_then(|row| row.undoes);
        self.patiently(|| self.db.mark_txn(txn, TxnState::Finished, None))?;
        checkpoint("the transaction is marked finished");
        if let Some(undone) = undone
            && self.db.transaction(undone)?.is_some_and(|row| row.keeps.is_none())
        {
            // What it had taken away has come back.
            stash::discard(&self.state, undone)?;
        }
        if keeps {
            stash::keep_quota(self.db, &self.state, self.config.stash_limit)
        } else {
            stash::discard(&self.state, txn)
        }
    }

    fn fail(
        &self,
        txn: i64,
        broken: Broken,
        on_failure: OnFailure,
        witness: &dyn Witness,
    ) -> Failure {
        let Broken { mut failure, after_scripts } = broken;
        // However deep a step hid the signal that ended it (`git archive` sees an error of its
        // pipe), the exit code tells of the signal.
        if let Err(interrupted) = interrupt::check() {
            failure.exit = interrupted.exit();
        }
        let log = format!("`cart history {txn} --log` shows everything that was printed");
        let signalled = matches!(failure.exit, Exit::Interrupted | Exit::Terminated);
        if on_failure == OnFailure::Hold && !signalled {
            let why = failure_json(&failure);
            if let Err(error) = self.db.mark_txn(txn, TxnState::Held, Some(&why)) {
                return stuck(failure, txn, &error.into());
            }
            let state = format!("left as it is, for inspection, as transaction {txn}");
            return failure.state(state).hint(format!("`cart undo {txn}` puts it back")).hint(log);
        }
        let count = self.db.steps(txn).map_or(0, |steps| begun(&steps));
        match self.unwind(txn, Some(&failure), witness) {
            Ok(missed) => {
                if after_scripts {
                    failure.exit = match failure.exit {
                        signal @ (Exit::Interrupted | Exit::Terminated) => signal,
                        _ => Exit::PutBack,
                    };
                    failure = failure.hint(log);
                }
                failure.state(match count {
                    0 => "nothing had been done".to_owned(),
                    _ if !missed.is_empty() => {
                        let missed = missed.join("; ");
                        format!("the {count} steps that had begun were put back; but {missed}")
                    }
                    1 => "the 1 step that had begun was put back; nothing changed".to_owned(),
                    _ => format!("all {count} steps that had begun were put back; nothing changed"),
                })
            }
            Err(why) => stuck(failure, txn, &why),
        }
    }

    /// Puts back what transaction `txn` did, the last step first; gives what could not be brought
    /// about all the same. Repeatable, and not to be
    /// interrupted: the signal that may have brought us here is answered by it.
    pub(super) fn unwind(
        &self,
        txn: i64,
        why: Option<&Failure>,
        witness: &dyn Witness,
    ) -> Result<Vec<String>, Failure> {
        interrupt::shielded(|| self.put_back(txn, why, witness))
    }

    fn put_back(
        &self,
        txn: i64,
        why: Option<&Failure>,
        witness: &dyn Witness,
    ) -> Result<Vec<String>, Failure> {
        let mut missed = Vec::new();
        let why = why.map(failure_json);
        self.patiently(|| self.db.mark_txn(txn, TxnState::Unwinding, why.as_deref()))?;
        checkpoint("unwinding begins");
        let mut steps = self.db.steps(txn)?;
        steps.retain(|row| !matches!(row.state, StepState::Planned | StepState::Undone));
        for row in steps.iter().rev() {
            witness.unwinding(&row.title);
            let put_back = self.revert(txn, row).map(|more| missed.extend(more));
            let state = if put_back.is_ok() { StepState::Undone } else { StepState::Stuck };
            let mark = WrittenStep { txn, position: row.position, state, said: None };
            self.patiently(|| self.db.mark_step(&mark, &[]))?;
            if let Err(failure) = put_back {
                self.patiently(|| self.db.mark_txn(txn, TxnState::Stuck, None))?;
                return Err(failure.while_doing(format!("cannot put back: {}", row.title)));
            }
            checkpoint("a step is marked as put back");
        }
        self.sync()?;
        self.patiently(|| self.db.mark_txn(txn, TxnState::Undone, None))?;
        checkpoint("the transaction is marked undone");
        stash::discard(&self.state, txn)?;
        locks::forget_transaction(&self.state, txn)?;
        Ok(missed)
    }

    /// Gives what could not be brought about.
    fn revert(&self, txn: i64, row: &StepRow) -> Result<Vec<String>, Failure> {
        let step: AnyStep = read_json("step", &row.step)?;
        let undo: Value = read_json("undo record", row.undo.as_deref().unwrap_or("null"))?;
        let cx = self.cx(txn, &row.number, row.attempt)?;
        checkpoint("before a step is put back");
        match step.revert(&undo, &cx) {
            Err(failure) if is_full(&failure) && ballast::release(&self.state) => {
                step.revert(&undo, &cx)?;
            }
            other => other?,
        }
        Ok(cx.shortcomings())
    }

    /// Tries a database write again, once, after giving up the ballast, when the disk is full.
    fn patiently(&self, write: impl Fn() -> Result<(), DbError>) -> Result<(), DbError> {
        match write() {
            Err(error) if error.is_full() && ballast::release(&self.state) => write(),
            other => other,
        }
    }

    /// Makes every filesystem durable that steps may have touched.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        let mut synced = vec![self.state.device()?];
        self.state.sync_filesystem()?;
        for folder in ["library", "gears", "templates"] {
            if !self.state.has(folder)? {
                continue;
            }
            let dir = self.state.dir(folder)?;
            let device = dir.device()?;
            if !synced.contains(&device) {
                dir.sync_filesystem()?;
                synced.push(device);
            }
        }
        Ok(())
    }

    fn cx<'b>(&'b self, txn: i64, number: &'b str, attempt: u32) -> Result<Cx<'b>, Failure> {
        let cx = Cx::new((self.layout, self.config, &self.state), txn, (number, attempt));
        Ok(cx.with_shared(facts::shared(self.db)?))
    }

    /// The same, with what the transaction has been told of the domain so far.
    pub(super) fn cx_after<'b>(
        &'b self,
        txn: i64,
        (number, attempt): (&'b str, u32),
        said: &[Said],
    ) -> Result<Cx<'b>, Failure> {
        let mut shared = facts::shared(self.db)?;
        facts::add_pending(&mut shared, said.iter().flat_map(|said| &said.records));
        let cx = Cx::new((self.layout, self.config, &self.state), txn, (number, attempt));
        Ok(cx.with_shared(shared))
    }
}

fn beginning<'b>(plan: &'b Plan, view: &Value, command: &'b str) -> Result<Beginning<'b>, Failure> {
    let numbered = (1..).zip(&plan.steps);
    let steps = numbered.map(|(number, step): (u32, _)| new_step(&number.to_string(), step));
    let resources: std::collections::BTreeSet<String> =
        plan.resources.iter().map(Resource::journaled).collect();
    Ok(Beginning {
        title: &plan.title,
        command,
        undoes: plan.undoes,
        view: view.to_string(),
        inverse: write_json("inverse", &plan.inverse)?,
        after: write_json("list of steps", &plan.after)?,
        resources: resources.into_iter().collect(),
        reservations: plan.reservations.clone(),
        steps: steps.collect::<Result<Vec<_>, _>>()?,
        resume: match plan.cut_off {
            CutOff::PutBack => None,
            CutOff::GoOn => {
                let rest = Rest { records: plan.records.clone(), keeps: plan.keeps };
                Some(write_json("list of changes", &rest)?)
            }
        },
    })
}

fn begun(steps: &[StepRow]) -> usize {
    steps.iter().filter(|row| row.state != StepState::Planned).count()
}

fn stuck(mut failure: Failure, txn: i64, why: &Failure) -> Failure {
    failure.exit = Exit::Stuck;
    let state = format!("transaction {txn} is stuck, half put back: {}", why.one_line());
    failure.state(state).hint("mend what is named there, then run `cart recover`")
}

fn failure_json(failure: &Failure) -> String {
    serde_json::json!({ "summary": failure.summary, "causes": failure.causes }).to_string()
}

fn is_full(failure: &Failure) -> bool {
    let full = std::io::Error::from_raw_os_error(28).to_string();
    failure.causes.contains(&full)
}

pub(super) fn write_json(what: &str, value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot write a {what}: {error}")))
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(
    what: &str,
    text: &str,
) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("the journal holds a {what} that cannot be read: {error}"),
        )
        .hint("it may have been written by another version of cartwright")
    })
}
