//! `cart gear expose` and `cart gear unexpose`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::facts::{MOST_PORTS, Outside};
use crate::package::ident::GearName;
use crate::plan::gear;
use clap::Args;

/// What `--help` of `cart gear expose` ends with.
pub const EXPOSE_EXAMPLES: &str = "\
Examples:
  cart gear expose db
  cart gear expose db --dry-run";

/// What `--help` of `cart gear unexpose` ends with.
pub const UNEXPOSE_EXAMPLES: &str = "\
Examples:
  cart gear unexpose db
  cart gear unexpose db --dry-run";

/// The arguments of `cart gear expose` and `cart gear unexpose`.
#[derive(Args, Debug)]
pub struct ExposeArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Gives a gear public ports.
pub fn expose(args: &ExposeArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    let config = app.config()?;
    carry_out(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, &args.name)?;
        let outside = Outside::look(&db, config, gear.row.slot, MOST_PORTS)?;
        Ok(gear::expose(&gear, outside.as_ref())?)
    })
    .doing(|| format!("cannot expose the gear `{}`", args.name))
}

/// Takes a gear's public ports away.
pub fn unexpose(args: &ExposeArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    carry_out(app, &db, &args.change, &|| Ok(gear::unexpose(&found::gear(app, &db, &args.name)?)?))
        .doing(|| format!("cannot unexpose the gear `{}`", args.name))
}
