//! Changing commands: their options, and the way from a request to its receipt.

use super::app::App;
use crate::db::Db;
use crate::error::{Exit, Failure};
use crate::plan::Plan;
use crate::sys::interrupt;
use crate::txn::{self, Done, Engine, How};
use crate::ui::teller::Teller;
use clap::{Args, ValueEnum};

/// The options that every changing command has.
#[derive(Args, Clone, Debug)]
pub struct ChangeArgs {
    /// Show what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// What becomes of what was done when a step fails
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_failure: OnFailure,
}

/// What becomes of what was done when a step fails (`--on-failure`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// Put everything back
    #[default]
    Unwind,
    /// Keep the failing state to look at; `cart undo` puts it back
    Hold,
}

impl From<OnFailure> for txn::OnFailure {
    fn from(chosen: OnFailure) -> Self {
        match chosen {
            OnFailure::Unwind => Self::Unwind,
            OnFailure::Hold => Self::Hold,
        }
    }
}

/// Carries out what `make` plans, and tells what became of it.
pub(super) fn carry_out(
    app: &App,
    db: &Db,
    options: &ChangeArgs,
    make: &dyn Fn() -> Result<Plan, Failure>,
) -> Result<Exit, Failure> {
    let how = How {
        command: app.command_line().to_owned(),
        wait: app.wait(),
        on_failure: options.on_failure.into(),
        dry_run: options.dry_run,
    };
    let teller = Teller::new(app.printer(), app.form(), app.agrees());
    let watching = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("cannot watch for signals: {error}"))
    };
    interrupt::watch().map_err(watching)?;
    let engine = Engine::new(db, app.layout(), app.config()?)?;
    let done = txn::perform(&engine, make, &how, &teller)?;
    match &done {
        Done::Nothing(plan) => teller.nothing(plan),
        Done::Planned(plan) => teller.planned(plan),
        Done::Ran(plan, receipt) => teller.done(plan, receipt),
    }
    Ok(Exit::Done)
}
