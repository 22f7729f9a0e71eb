//! `cart service start`, `stop`, `restart` and `reload`.

use super::Which;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, OnFailure, carry_out};
use crate::cli::request::database;
use crate::error::{Context, Exit, Failure};
use crate::plan::tpkg::services::tell;
use crate::step::call_init::Command;
use clap::Args;

/// The arguments of `cart service start` and its like.
#[derive(Args, Debug)]
pub struct TellArgs {
    #[command(flatten)]
    which: Which,
    /// Show what would be done, and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Tells services what to do, all in one transaction.
pub fn run(args: &TellArgs, app: &mut App, command: Command) -> Result<Exit, Failure> {
    let told = || {
        // Where nothing was ever installed, nothing is made.
        let dry_run = args.dry_run || !app.has_database();
        let db = database(app, dry_run)?;
        // One that fails is told, and no reason to put the others back.
        let options = ChangeArgs { dry_run, on_failure: OnFailure::default() };
        carry_out(app, &db, &options, &|| Ok(tell(&args.which.find(app, Some(&db))?, command)))
    };
    told().doing(|| format!("cannot {} services", command.as_str()))
}
