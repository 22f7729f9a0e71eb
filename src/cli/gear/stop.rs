//! `cart gear stop`.

use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear stop blog
  cart gear stop blog --dry-run";

/// The arguments of `cart gear stop`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StopArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Stops a gear.
pub fn run(_args: &StopArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
