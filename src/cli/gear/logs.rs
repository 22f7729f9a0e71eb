//! `cart gear logs`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear logs blog
  cart gear logs blog -f -n 100";

/// The arguments of `cart gear logs`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct LogsArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// Go on showing what is written
    #[arg(short, long)]
    pub follow: bool,
    /// How many of the last lines to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub lines: usize,
}

/// Shows what a gear's logs say.
pub fn run(_args: &LogsArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
