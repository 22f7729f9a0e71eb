//! `cart gear start`.

use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear start blog
  cart gear start --all -j 8";

/// The arguments of `cart gear start`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StartArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Starts gears.
pub fn run(args: &StartArgs, app: &mut App) -> Result<Exit, Failure> {
    let deed = Deed { words: &["start"], plan: &|gear| Ok(gear::start(gear)) };
    many::run(app, &args.gears, &args.change, &deed)
}
