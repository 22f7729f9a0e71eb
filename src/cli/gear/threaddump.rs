//! `cart gear threaddump`.

use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear threaddump blog
  cart gear threaddump --all -j 8";

/// The arguments of `cart gear threaddump`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ThreaddumpArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Lets gears tell what their threads do.
pub fn run(args: &ThreaddumpArgs, app: &mut App) -> Result<Exit, Failure> {
    let deed = Deed { words: &["threaddump"], plan: &|gear| Ok(gear::threaddump(gear)?) };
    many::run(app, &args.gears, &args.change, &deed)
}
