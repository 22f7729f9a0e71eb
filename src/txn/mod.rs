//! Transactions: a plan is run, or unwound, or recovered after a crash.
//!
//! `running → committed → finished`, or `running → unwinding → undone | stuck`. The undo record of
//! a step is durable before the step acts; what is installed changes in the commit that marks the
//! transaction; the stash is deleted only when nothing can need it any more.

mod ballast;
mod engine;
mod locks;
mod logs;
mod perform;
mod recover;
mod run;
mod stash;

pub use engine::{Engine, OnFailure, Receipt, Witness};
pub use locks::Locks;
pub use perform::{Done, How, Person, perform};
pub use recover::{Recovered, Unfinished, recover_all};
pub use stash::{Kept, forget, kept};
