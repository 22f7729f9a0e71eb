//! `cart gear restart`.

use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear restart blog
  cart gear restart --all -j 8";

/// The arguments of `cart gear restart`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RestartArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Stops gears and starts them again.
pub fn run(args: &RestartArgs, app: &mut App) -> Result<Exit, Failure> {
    let deed = Deed { words: &["restart"], plan: &|gear| Ok(gear::restart(gear)) };
    many::run(app, &args.gears, &args.change, &deed)
}
