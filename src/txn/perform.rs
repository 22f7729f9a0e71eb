//! From a request to its end: plan, show, agree, lock, plan again, run.

use super::engine::{Engine, OnFailure, Receipt, Witness};
use super::locks::Locks;
use crate::error::{Exit, Failure};
use crate::plan::Plan;
use serde_json::Value;
use std::time::Duration;

/// How often a plan is made anew because somebody else was faster.
const TRIES: u32 = 50;

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

/// Carries out what `make` plans. It is called again once the locks are held: what it gives then
/// is what runs, and a difference needs the person's consent.
pub fn perform(
    engine: &Engine<'_>,
    make: &dyn Fn() -> Result<Plan, Failure>,
    how: &How,
    person: &dyn Person,
) -> Result<Done, Failure> {
    let plan = match make() {
        // What is in the way may be the half of a transaction whose process is dead.
        Err(refusal) if !engine.recover_dead(person)? => return Err(refusal),
        Err(_) => make()?,
        Ok(plan) => plan,
    };
    if !plan.is_empty() {
        person.agree(&plan)?;
    }
    let mut locks = Locks::take(&engine.state, &plan.resources, how.wait, &how.command)?;
    engine.recover_overlapping(&plan.resources, &mut locks, person)?;
    let mut known = plan;
    // Gears that are made at the same time find the same places free: who comes second looks again.
    for _ in 0..TRIES {
        let now = make()?;
        if now.resources != known.resources {
            let text = "what is installed was changed by somebody else meanwhile";
            return Err(Failure::new(Exit::Conflict, text).hint("try again"));
        }
        if now.is_empty() {
            return Ok(Done::Nothing(now));
        }
        if !now.does_the_same_as(&known) {
            person.agree_again(&known, &now)?;
        }
        if let Some(txn) = engine.begin(&now, &person.view(&now), &how.command)? {
            let receipt = engine.run((&now, txn), &how.command, (how.on_failure, person))?;
            drop(locks);
            return Ok(Done::Ran(now, receipt));
        }
        known = now;
    }
    let text = "what was found free is taken again and again by other commands";
    Err(Failure::new(Exit::Conflict, text).hint("try again when they have ended"))
}
