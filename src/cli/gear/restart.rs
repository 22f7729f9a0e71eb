//! `cart gear restart`.

use super::deploy::rotation;
use super::found;
use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::db::{Db, GearRole};
use crate::error::{Exit, Failure};
use crate::facts::DeployFacts;
use crate::package::ident::GearName;
use crate::plan::Plan;
use crate::plan::gear::{self, restart_by_turns};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear restart blog
  cart gear restart shop --no-rotation
  cart gear restart --all -j 8";

/// The arguments of `cart gear restart`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RestartArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// Do not tell the web proxy of a scaled application of gears that are restarted
    #[arg(long)]
    pub no_rotation: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Stops gears and starts them again.
pub fn run(args: &RestartArgs, app: &mut App) -> Result<Exit, Failure> {
    let words: &[&str] =
        if args.no_rotation { &["restart", "--no-rotation"] } else { &["restart"] };
    let plan = |app: &App, db: &Db, name: &GearName| planned(args, app, (db, name));
    many::run_by(app, &args.gears, &args.change, (words, &plan))
}

/// The plan for one gear, or for all of a scaled application that is named by its head.
fn planned(args: &RestartArgs, app: &App, (db, name): (&Db, &GearName)) -> Result<Plan, Failure> {
    let head = found::gear(app, db, name)?;
    if head.row.role == Some(GearRole::Head) {
        let facts = DeployFacts::of_app(db, app.layout(), head)?;
        if let Some(plan) = restart_by_turns(&facts, rotation(args.no_rotation))? {
            return Ok(plan);
        }
    }
    let deed = Deed { words: &["restart"], plan: &|gear| Ok(gear::restart(gear)) };
    many::of_application(app, db, name, &deed)
}
