//! From a request to its end: plan, show, agree, lock, plan again, run.

use super::engine::{Engine, OnFailure, Receipt, Witness};
use super::locks::Locks;
use crate::error::{Exit, Failure};
use crate::plan::Plan;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often a plan is made anew because somebody else was faster.
const TRIES: u32 = 50;
/// For how long a plan need not be made anew under the locks, where nobody has committed anything
/// since: planning thousands of files takes as long as placing them.
const FRESH: Duration = Duration::from_secs(1);

/// The person who asked, as far as a transaction needs them.
pub trait Person: Witness {
    /// Shows the plan where it needs consent, and asks. A no is a failure.
    fn agree(&self, plan: &Plan) -> Result<(), Failure>;
    /// The host has changed while the person was thinking: shows what is different, and asks.
    fn agree_again(&self, before: &Plan, now: &Plan) -> Result<(), Failure>;
    /// The plan as it is kept in the history.
    fn view(&self, plan: &Plan) -> Value;
}

/// How a request is carried out.
#[derive(Clone, Debug)]
pub struct How {
    /// The command line, for the history and for whoever meets the locks.
    pub command: String,
    /// How long to wait for a lock.
    pub wait: Duration,
    /// What becomes of what was done when a step fails.
    pub on_failure: OnFailure,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// There was nothing to do.
    Nothing(Plan),
    /// It has happened.
    Ran(Plan, Receipt),
}

/// Carries out what `make` plans. It is called again once the locks are held, unless nobody can have
/// changed anything since: what it gives then is what runs, and a difference needs the person's
/// consent.
pub fn perform(
    engine: &Engine<'_>,
    make: &dyn Fn() -> Result<Plan, Failure>,
    how: &How,
    person: &dyn Person,
) -> Result<Done, Failure> {
    let (began, seen) = (Instant::now(), engine.db.commits_of_others()?);
    let mut known = match make() {
        // What is in the way may be the half of a transaction whose process is dead.
        Err(refusal) if !engine.recover_dead(person)? => {
            return Err(engine.in_the_way()?.into_iter().fold(refusal, Failure::hint));
        }
        Err(_) => make()?,
        Ok(plan) => plan,
    };
    if !known.is_empty() {
        person.agree(&known)?;
    }
    let mut locks = Locks::take(&engine.state, &known.resources, how.wait, &how.command)?;
    let is_quiet = engine.db.unfinished()?.is_empty();
    engine.recover_overlapping(&known.resources, &mut locks, person)?;
    let same = engine.db.commits_of_others()? == seen;
    let mut is_new = is_quiet && same && began.elapsed() < FRESH;
    // Gears that are made at the same time find the same places free: who comes second looks again.
    for _ in 0..TRIES {
        if !std::mem::take(&mut is_new) {
            known = plan_again(make, &known, person)?;
        }
        if known.is_empty() {
            return Ok(Done::Nothing(known));
        }
        if let Some(txn) = engine.begin(&known, &person.view(&known), &how.command)? {
            let receipt = engine.run((&known, txn), &how.command, (how.on_failure, person))?;
            drop(locks);
            return Ok(Done::Ran(known, receipt));
        }
    }
    let text = "what was found free is taken again and again by other commands";
    Err(Failure::new(Exit::Conflict, text).hint("try again when they have ended"))
}

/// Makes the plan anew, under its locks.
fn plan_again(
    make: &dyn Fn() -> Result<Plan, Failure>,
    known: &Plan,
    person: &dyn Person,
) -> Result<Plan, Failure> {
    let now = make()?;
    if now.resources != known.resources {
        let text = "what is installed was changed by somebody else meanwhile";
        return Err(Failure::new(Exit::Conflict, text).hint("try again"));
    }
    if !now.is_empty() && !now.does_the_same_as(known) {
        person.agree_again(known, &now)?;
    }
    Ok(now)
}
