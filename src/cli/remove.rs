//! `cart remove`.

use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart remove static-web
  cart remove --dry-run redhat-diy-0.1 perl-httpd";

/// The arguments of `cart remove`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RemoveArgs {
    /// The packages: `name`, `name-version`, `vendor-name` or `vendor-name-version`
    #[arg(required = true, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Removes packages, all in one transaction.
pub fn run(_args: &RemoveArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
