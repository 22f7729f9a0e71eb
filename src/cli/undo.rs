//! `cart undo`.

use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart undo 41
  cart undo 41 --dry-run";

/// The arguments of `cart undo`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UndoArgs {
    /// The transaction, by its number in `cart history`
    #[arg(value_name = "ID")]
    pub id: i64,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Undoes a transaction: makes the inverse plan and runs it.
pub fn run(_args: &UndoArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
