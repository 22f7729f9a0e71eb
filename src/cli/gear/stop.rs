//! `cart gear stop`.

use super::many::{self, Deed, GearsArgs};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear stop blog
  cart gear stop blog --force
  cart gear stop --all -j 8";

/// The arguments of `cart gear stop`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StopArgs {
    /// Which gears.
    #[command(flatten)]
    pub gears: GearsArgs,
    /// Kill what runs, without asking the cartridges
    #[arg(short, long)]
    pub force: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Stops gears.
pub fn run(args: &StopArgs, app: &mut App) -> Result<Exit, Failure> {
    let deed = if args.force {
        Deed { words: &["stop", "--force"], plan: &|gear| Ok(gear::force_stop(gear)) }
    } else {
        Deed { words: &["stop"], plan: &|gear| Ok(gear::stop(gear)) }
    };
    many::run(app, &args.gears, &args.change, &deed)
}
