//! `cart gear boot`.

use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear boot blog
  cart gear boot --all -j 8";

/// The arguments of `cart gear boot`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BootArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Starts the gears that ran when the host went down.
pub fn run(args: &BootArgs, app: &mut App) -> Result<Exit, Failure> {
    let deed = Deed { words: &["boot"], plan: &|gear| Ok(gear::boot(gear)) };
    many::run(app, &args.gears, &args.change, &deed)
}
