//! `cart gear show`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear show blog
  cart gear show blog --json";

/// The arguments of `cart gear show`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
}

/// Shows what a gear is made of.
pub fn run(_args: &ShowArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
