//! `cart gear tidy`.

use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear tidy blog
  cart gear tidy --all -j 8";

/// The arguments of `cart gear tidy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TidyArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Throws away what gears do not need any more.
pub fn run(args: &TidyArgs, app: &mut App) -> Result<Exit, Failure> {
    let deed = Deed { words: &["tidy"], plan: &|gear| Ok(gear::tidy(gear)) };
    many::run(app, &args.gears, &args.change, &deed)
}
