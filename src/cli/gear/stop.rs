//! `cart gear stop`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::package::ident::GearName;
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear stop blog
  cart gear stop blog --dry-run";

/// The arguments of `cart gear stop`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StopArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Stops a gear.
pub fn run(args: &StopArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    carry_out(app, &db, &args.change, &|| Ok(gear::stop(&found::gear(app, &db, &args.name)?)))
        .doing(|| format!("cannot stop the gear `{}`", args.name))
}
