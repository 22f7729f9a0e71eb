//! `cart gear reload`.

use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear reload blog
  cart gear reload --all -j 8";

/// The arguments of `cart gear reload`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ReloadArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Lets gears read their configuration again.
pub fn run(args: &ReloadArgs, app: &mut App) -> Result<Exit, Failure> {
    let deed = Deed { words: &["reload"], plan: &|gear| Ok(gear::reload(gear)) };
    many::run(app, &args.gears, &args.change, &deed)
}
