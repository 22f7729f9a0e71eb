//! `cart external run`.

use super::meant;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::db::ExternalState;
use crate::error::{Context, Exit, Failure};
use crate::facts::Externals;
use crate::plan::requests::again;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart external run --failed
  cart external run sysctl
  cart external run 41-3 --strict-externals";

/// The arguments of `cart external run`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// The requests, by their keys, or all of an external's, by its name
    #[arg(value_name = "KEY|EXTERNAL", required_unless_present = "failed")]
    pub requests: Vec<String>,
    /// Those alone that have not succeeded
    #[arg(long)]
    pub failed: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Makes requests once more.
pub fn run(args: &RunArgs, app: &mut App) -> Result<Exit, Failure> {
    let unknown = || super::missing(args.requests.first().map_or("", String::as_str));
    if !app.has_database() {
        return if args.requests.is_empty() { Ok(Exit::Done) } else { Err(unknown()) };
    }
    let db = app.changing()?;
    let config = app.config()?;
    carry_out(app, &db, &args.change, &|| {
        let mut requests = meant(&db, &args.requests, |row| row.withdrawn_by.is_none())?;
        let fine = |state| matches!(state, ExternalState::Done | ExternalState::Waiting);
        requests.retain(|one| !args.failed || !fine(one.row.answer.state));
        Ok(again(&requests, &Externals::look(app.layout(), config))?)
    })
    .doing(|| "cannot ask externals once more".into())
}
