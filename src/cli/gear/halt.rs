//! `cart gear halt`.

use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear halt blog
  cart gear halt --all -j 8";

/// The arguments of `cart gear halt`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct HaltArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Stops gears for as long as the host is down.
pub fn run(args: &HaltArgs, app: &mut App) -> Result<Exit, Failure> {
    let deed = Deed { words: &["halt"], plan: &|gear| Ok(gear::halt(gear)) };
    many::run(app, &args.gears, &args.change, &deed)
}
