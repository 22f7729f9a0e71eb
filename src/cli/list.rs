//! `cart list`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart list
  cart list --json";

/// The arguments of `cart list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {}

/// Lists the installed packages.
pub fn run(_args: &ListArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
