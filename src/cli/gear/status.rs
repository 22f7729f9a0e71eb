//! `cart gear status`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear status blog
  cart gear status blog --json";

/// The arguments of `cart gear status`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
}

/// Tells how a gear is doing, by its exit status too.
pub fn run(_args: &StatusArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
