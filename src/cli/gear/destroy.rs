//! `cart gear destroy`.

use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear destroy blog
  cart gear destroy blog --yes --teardown";

/// The arguments of `cart gear destroy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DestroyArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// Run the cartridges' `teardown` first
    #[arg(long)]
    pub teardown: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Destroys a gear with everything in it.
pub fn run(_args: &DestroyArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
