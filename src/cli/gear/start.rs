//! `cart gear start`.

use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear start blog
  cart gear start blog --on-failure hold";

/// The arguments of `cart gear start`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StartArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Starts a gear.
pub fn run(_args: &StartArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
