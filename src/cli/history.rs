//! `cart history`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart history
  cart history 41
  cart history 41 --log";

/// The arguments of `cart history`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArgs {
    /// The transaction to show; all of them are listed when none is named
    #[arg(value_name = "ID")]
    pub id: Option<i64>,
    /// Show what its scripts printed
    #[arg(long, requires = "id")]
    pub log: bool,
}

/// Lists what was done, or shows one transaction.
pub fn run(_args: &HistoryArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
