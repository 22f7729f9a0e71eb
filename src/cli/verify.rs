//! `cart verify`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart verify
  cart verify static-web blog";

/// The arguments of `cart verify`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// Packages and gears; all of them when none is named
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// Compares what is on the disk with what was recorded.
pub fn run(_args: &VerifyArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
