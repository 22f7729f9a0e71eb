//! `cart cache`: the downloads that are kept.

use super::app::App;
use crate::error::{Exit, Failure};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cart cache list
  cart cache clean
  cart cache verify";

/// The arguments of `cart cache`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CacheArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with the downloads that are kept.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the downloads that are kept
    #[command(visible_alias = "ls", after_help = LIST_EXAMPLES)]
    List,
    /// Remove the downloads that are kept
    #[command(after_help = CLEAN_EXAMPLES)]
    Clean {
        /// Show what would be removed, and change nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Compare the downloads that are kept with their digests
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify,
}

const LIST_EXAMPLES: &str = "\
Examples:
  cart cache list
  cart cache list --json";
const CLEAN_EXAMPLES: &str = "\
Examples:
  cart cache clean --dry-run
  cart cache clean";
const VERIFY_EXAMPLES: &str = "\
Examples:
  cart cache verify
  cart cache verify --json";

/// Looks after the downloads that are kept.
pub fn run(_args: &CacheArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
