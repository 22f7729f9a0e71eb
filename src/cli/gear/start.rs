//! `cart gear start`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::package::ident::GearName;
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear start blog
  cart gear start blog --on-failure hold";

/// The arguments of `cart gear start`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StartArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Starts a gear.
pub fn run(args: &StartArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    carry_out(app, &db, &args.change, &|| Ok(gear::start(&found::gear(app, &db, &args.name)?)))
        .doing(|| format!("cannot start the gear `{}`", args.name))
}
