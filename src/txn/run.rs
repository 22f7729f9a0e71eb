//! One run of a plan: each step is journaled before it acts, and all of them have one commit. What a
//! crash or a failure has cut off goes on from its journal.

use super::engine::{Engine, Receipt, Witness, read_json, write_json};
use crate::db::{Change, DbError, Keep, NewStep, StepRow, StepState, TxnRow, WrittenStep};
use crate::error::{Exit, Failure};
use crate::plan::Plan;
use crate::step::{AnyStep, Said};
use crate::sys::checkpoint::checkpoint;
use crate::sys::interrupt;
use serde_json::Value;

/// The most steps that scripts may ask for in one transaction, and how deep they may nest.
const MOST_THEN: usize = 1000;
const DEEPEST_THEN: usize = 3;

/// A failed step, and whether scripts had run by then.
pub(super) struct Broken {
    pub(super) failure: Failure,
    pub(super) after_scripts: bool,
}

impl From<DbError> for Broken {
    fn from(error: DbError) -> Self {
        Self { failure: error.into(), after_scripts: false }
    }
}

/// One run of a plan, as far as its commit.
pub(super) struct Run<'a> {
    engine: &'a Engine<'a>,
    pub(super) txn: i64,
    pub(super) witness: &'a dyn Witness,
    steps: Vec<Todo>,
    rest: Rest,
    said: Vec<Said>,
    scripts: bool,
}

/// What is committed when all steps are made; kept in the journal where a transaction may go on
/// after a crash.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Rest {
    pub(super) records: Vec<Change>,
    pub(super) keeps: Option<u64>,
}

/// A step, and how far it has come.
#[derive(Clone)]
struct Todo {
    number: String,
    step: AnyStep,
    progress: Progress,
}

#[derive(Clone)]
enum Progress {
    /// It has not begun.
    Planned,
    /// It may have acted; its undo record, and how often it was begun.
    Prepared(Value, u32),
    /// It has acted, and said this.
    Done(Box<Said>),
}

impl Todo {
    fn planned((number, step): (String, AnyStep)) -> Self {
        Self { number, step, progress: Progress::Planned }
    }

    fn of_row(row: StepRow) -> Result<Self, Failure> {
        let read = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".into());
        let progress = match row.state {
            StepState::Done => Progress::Done(Box::new(read_json("report", &read(&row.said))?)),
            StepState::Prepared => {
                Progress::Prepared(read_json("undo record", &read(&row.undo))?, row.attempt)
            }
            StepState::Planned | StepState::Undone | StepState::Stuck => Progress::Planned,
        };
        Ok(Self { number: row.number, step: read_json("step", &row.step)?, progress })
    }
}

impl<'a> Run<'a> {
    /// The run of a plan that was just written down.
    pub(super) fn of_plan(
        (engine, txn, witness): (&'a Engine<'a>, i64, &'a dyn Witness),
        plan: &Plan,
    ) -> Self {
        let numbered = (1..).zip(plan.steps.iter().cloned());
        let numbered = numbered.map(|(number, step): (u32, _)| (number.to_string(), step));
        let rest = Rest { records: plan.records.clone(), keeps: plan.keeps };
        let steps = numbered.map(Todo::planned).collect();
        Self { engine, txn, witness, steps, rest, said: Vec::new(), scripts: false }
    }

    /// The rest of a run that was cut off, or held.
    pub(super) fn of_journal(
        (engine, txn, witness): (&'a Engine<'a>, i64, &'a dyn Witness),
        row: &TxnRow,
    ) -> Result<Self, Failure> {
        let rest = read_json("list of changes", row.resume.as_deref().unwrap_or("null"))?;
        let steps = engine.db.steps(txn)?.into_iter().map(Todo::of_row);
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { engine, txn, witness, steps, rest, said: Vec::new(), scripts: false })
    }

    /// Makes every step that is not made yet, and commits.
    pub(super) fn forward(&mut self) -> Result<(), Broken> {
        let mut position = 0;
        let mut asked = 0;
        while let Some(todo) = self.steps.get(position).cloned() {
            let then = self.step(position, &todo).map_err(|failure| {
                let failure = failure.while_doing(format!("cannot {}", todo.step.describe()));
                Broken { failure, after_scripts: self.scripts }
            })?;
            asked += then.len();
            if asked > MOST_THEN {
                let many = format!("the scripts asked for more than {MOST_THEN} further steps");
                let failure = Failure::new(Exit::Failed, many);
                return Err(Broken { failure, after_scripts: self.scripts });
            }
            position += 1;
            self.steps.splice(position..position, then.into_iter().map(Todo::planned));
        }
        self.commit().map_err(|failure| Broken { failure, after_scripts: self.scripts })
    }

    fn step(
        &mut self,
        position: usize,
        Todo { number, step, progress }: &Todo,
    ) -> Result<Vec<(String, AnyStep)>, Failure> {
        let engine = self.engine;
        if let Progress::Done(said) = progress {
            self.scripts |= step.runs_scripts();
            self.said.push(said.as_ref().clone());
            return Ok(Vec::new());
        }
        interrupt::check()?;
        self.witness.step(number, &step.describe());
        let attempt = if let Progress::Prepared(_, attempts) = progress { attempts + 1 } else { 1 };
        let cx = engine.cx_after(self.txn, (number, attempt), &self.said)?;
        let cx = cx.with_listener(self.witness.listener());
        checkpoint("before a step prepares");
        let undo = match progress {
            // What it looked like before it acted is known already.
            Progress::Prepared(undo, _) => undo.clone(),
            _ => step.prepare(&cx)?,
        };
        if cx.has_stashed() {
            engine.state.sync_filesystem()?;
        }
        checkpoint("a step is prepared");
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        let dies = step.is_undone_by_a_power_cut();
        let keep = if dies { Keep::OverCrashes } else { Keep::OverPowerCuts };
        engine.db.mark_prepared((self.txn, position), &undo.to_string(), keep)?;
        checkpoint("the undo record is durable");
        self.scripts |= step.runs_scripts();
        let mut said = step.apply(&undo, &cx)?;
        checkpoint("a step has acted");
        let then = numbered(number, std::mem::take(&mut said.then))?;
        self.tell(&said);
        let mark = WrittenStep {
            txn: self.txn,
            position,
            state: StepState::Done,
            said: Some(&write_json("report", &said)?),
        };
        let rows = then.iter().map(|(number, step)| new_step(number, step));
        engine.db.mark_step(&mark, &rows.collect::<Result<Vec<_>, _>>()?)?;
        checkpoint("a step is marked done");
        self.said.push(said);
        Ok(then)
    }

    fn tell(&self, said: &Said) {
        said.messages.iter().for_each(|text| self.witness.message(text));
        said.errors.iter().for_each(|text| self.witness.error(text));
        said.debug.iter().for_each(|text| self.witness.debug(text));
        said.warnings.iter().for_each(|text| self.witness.warning(text));
    }

    fn commit(&self) -> Result<(), Failure> {
        interrupt::check()?;
        self.engine.sync()?;
        checkpoint("everything is durable but the commit");
        let learned = self.said.iter().flat_map(|said| &said.records);
        let changes: Vec<Change> = self.rest.records.iter().chain(learned).cloned().collect();
        self.engine.db.commit(self.txn, &changes, self.rest.keeps)?;
        checkpoint("committed");
        Ok(())
    }

    pub(super) fn receipt(self) -> Receipt {
        let mut receipt = Receipt { txn: self.txn, ..Receipt::default() };
        for said in self.said {
            receipt.messages.extend(said.messages);
            receipt.results.extend(said.results);
            receipt.errors.extend(said.errors);
            receipt.warnings.extend(said.warnings);
            receipt.status |= said.status;
        }
        receipt
    }
}

pub(super) fn new_step(number: &str, step: &AnyStep) -> Result<NewStep, Failure> {
    let text = write_json("step", step)?;
    Ok(NewStep { number: number.to_owned(), title: step.describe(), step: text })
}

fn numbered(parent: &str, then: Vec<AnyStep>) -> Result<Vec<(String, AnyStep)>, Failure> {
    if !then.is_empty() && parent.matches('.').count() >= DEEPEST_THEN {
        let deep = format!("scripts asked for steps more than {DEEPEST_THEN} deep");
        return Err(Failure::new(Exit::Failed, deep));
    }
    let number = |(index, step)| (format!("{parent}.{index}"), step);
    Ok((1..).zip(then).map(|(index, step): (u32, _)| number((index, step))).collect())
}
