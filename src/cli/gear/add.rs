//! `cart gear add`.

use super::found;
use super::resolve::resolve;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::facts::MemberFacts;
use crate::package::ident::GearName;
use crate::plan::gear::{AddRequest, add, present};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear add blog cron-worker
  cart gear add blog ./mysql --dry-run";

/// The arguments of `cart gear add`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct AddArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The cartridges: names or features of the library or the index, paths, URLs
    #[arg(required = true, value_name = "CARTRIDGE")]
    pub cartridges: Vec<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Adds cartridges to a gear, with what they require, all in one transaction.
pub fn run(args: &AddArgs, app: &mut App) -> Result<Exit, Failure> {
    add_cartridges(args, app).doing(|| format!("cannot add to the gear `{}`", args.name))
}

fn add_cartridges(args: &AddArgs, app: &App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    crate::sys::interrupt::watch_or_fail()?;
    let gear = found::gear(app, &db, &args.name)?;
    let resolved = resolve(app, &db, &args.cartridges, &present(&gear))?;
    let (ports, names) = (resolved.ports(), resolved.names());
    let ask = AddRequest { cartridges: resolved.wanted, arrived: resolved.arrived };
    let config = app.config()?;
    carry_out(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, &args.name)?;
        let facts = MemberFacts::of(&db, (app.layout(), config), gear, (&ports, &names))?;
        Ok(add(&ask, &facts)?)
    })
}
