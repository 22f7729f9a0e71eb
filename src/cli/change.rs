//! Changing commands: their options, and the way from a request to its receipt.

use super::app::App;
use crate::db::{Db, TxnRow};
use crate::error::{Exit, Failure};
use crate::gear::sdk;
use crate::plan::Plan;
use crate::sandbox;
use crate::sys::fs::Dir;
use crate::sys::{host, interrupt};
use crate::txn::{self, Done, Engine, How, Locks, Recovered, Unfinished};
use crate::ui::report::Form;
use crate::ui::teller::Teller;
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;

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

impl ChangeArgs {
    /// The words that say the same, for a `cart` that does a part of the work.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.dry_run {
            words.push("--dry-run".into());
        }
        if self.on_failure == OnFailure::Hold {
            words.push("--on-failure=hold".into());
        }
        words
    }
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
    carry_out_in((app, app.form()), db, options, make)
}

/// The same, told in this form: of a command that does two things, one alone is answered as data.
pub(super) fn carry_out_in(
    (app, form): (&App, Form),
    db: &Db,
    options: &ChangeArgs,
    make: &dyn Fn() -> Result<Plan, Failure>,
) -> Result<Exit, Failure> {
    carry_out_with(app, db, (options, &Teller::new(app.printer(), form, app.agrees())), make)
}

/// The same, while what scripts print is told as they print it.
pub(super) fn carry_out_aloud(
    app: &App,
    db: &Db,
    options: &ChangeArgs,
    make: &dyn Fn() -> Result<Plan, Failure>,
) -> Result<Exit, Failure> {
    let teller = Teller::new(app.printer(), app.form(), app.agrees()).with_output();
    carry_out_with(app, db, (options, &teller), make)
}

/// The same, told by `teller`.
pub(super) fn carry_out_with(
    app: &App,
    db: &Db,
    (options, teller): (&ChangeArgs, &Teller<'_>),
    make: &dyn Fn() -> Result<Plan, Failure>,
) -> Result<Exit, Failure> {
    if options.dry_run {
        teller.planned(&make()?);
        return Ok(Exit::Done);
    }
    let how = How {
        command: app.command_line().to_owned(),
        wait: app.wait(),
        on_failure: options.on_failure.into(),
    };
    interrupt::watch_or_fail()?;
    write_sdk(app)?;
    let engine = Engine::new(db, app.layout(), app.config()?)?;
    let done = txn::perform(&engine, make, &how, teller)?;
    match &done {
        Done::Nothing(plan) => teller.nothing(plan),
        Done::Ran(plan, receipt) => {
            teller.done(plan, receipt);
            if receipt.status != 0 {
                app.answer_with(receipt.status);
            }
        }
    }
    Ok(Exit::Done)
}

/// The file that says which build has written everything out.
const STAMP: &str = "written-by";

/// Writes out what gears find of this very version, where it is not there yet: a gear may have been
/// made by another. Comparing all of it each time would cost more than most commands, so the last to
/// be written is a file that names the build.
pub(super) fn write_sdk(app: &App) -> Result<(), Failure> {
    let lib = Dir::create(&app.layout().lib(), 0o755)?;
    let stamp = host::stamp_of_this_program();
    if lib.read(STAMP, 1 << 16).is_ok_and(|found| found == stamp.as_bytes()) {
        return Ok(());
    }
    sdk::materialise(&lib, &host::this_program())?;
    let externals = Dir::create(&app.layout().shipped_externals(), 0o755)?;
    sandbox::write_externals(&externals)?;
    Ok(lib.replace_file(STAMP, stamp.as_bytes(), 0o644)?)
}

/// Puts back a transaction that was held for inspection.
pub(super) fn put_back(
    app: &App,
    db: &Db,
    row: &TxnRow,
    options: &ChangeArgs,
) -> Result<Exit, Failure> {
    let text = format!("transaction {} ({}) is put back", row.id, row.title);
    if options.dry_run {
        app.printer().talk(&text);
        return Ok(Exit::Done);
    }
    let engine = Engine::new(db, app.layout(), app.config()?)?;
    let teller = Teller::new(app.printer(), app.form(), app.agrees());
    let mut locks = Locks::take(&engine.state, &BTreeSet::new(), app.wait(), app.command_line())?;
    match engine.recover_one(row, &mut locks, (Unfinished::PutBack, &teller))? {
        Recovered::Stuck { why, .. } => {
            let text = format!("transaction {} is stuck: {why}", row.id);
            Err(Failure::new(Exit::Stuck, text).hint("mend what is named there, then try again"))
        }
        Recovered::Failed { failure, .. } => Err(*failure),
        Recovered::PutBack { .. }
        | Recovered::Finished { .. }
        | Recovered::GoneOn { .. }
        | Recovered::Running { .. } => {
            app.printer().talk(&text);
            Ok(Exit::Done)
        }
    }
}
