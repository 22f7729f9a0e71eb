//! `cart gear list`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear list
  cart gear list --json";

/// The arguments of `cart gear list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {}

/// Lists the gears.
pub fn run(_args: &ListArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
