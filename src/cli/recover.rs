//! `cart recover`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart recover
  cart recover --dry-run";

/// The arguments of `cart recover`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RecoverArgs {
    /// Show what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Brings unfinished transactions to an end.
pub fn run(_args: &RecoverArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
