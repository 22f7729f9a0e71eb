//! `cart gear destroy`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::facts::{self, Externals, Gear};
use crate::package::ident::GearName;
use crate::plan::gear::{Farewell, destroy, refuse_child};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear destroy blog
  cart gear destroy blog --yes --teardown";

/// The arguments of `cart gear destroy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DestroyArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// Run the cartridges' `teardown` first
    #[arg(long)]
    pub teardown: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Destroys a gear with everything in it; its data waits in the stash, for `cart undo`.
pub fn run(args: &DestroyArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    let farewell = if args.teardown { Farewell::Teardown } else { Farewell::Silent };
    carry_out(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, &args.name)?;
        refuse_child(&gear)?;
        let externals = Externals::look(app.layout(), app.config()?);
        let size = |gear: &Gear| facts::home_size(app.layout(), &gear.identity.name);
        let mut plan = destroy(&gear, farewell, size(&gear), &externals)?;
        for child in gear.children(&db, app.layout())? {
            plan.merge(destroy(&child, farewell, size(&child), &externals)?);
        }
        Ok(plan)
    })
    .doing(|| format!("cannot destroy the gear `{}`", args.name))
}
