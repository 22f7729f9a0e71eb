//! `cart lint`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart lint .
  cart lint https://example.org/diy.tar.gz --json";

/// The arguments of `cart lint`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct LintArgs {
    /// What to check: a directory, an archive, a URL or a git repository
    #[arg(value_name = "SOURCE")]
    pub source: String,
}

/// Checks a package for its author.
pub fn run(_args: &LintArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
