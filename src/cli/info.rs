//! `cart info`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart info static-web
  cart info redhat-diy-0.1 --json";

/// The arguments of `cart info`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct InfoArgs {
    /// The package: a name, `name-version`, `vendor-name` or `vendor-name-version`
    #[arg(value_name = "PACKAGE")]
    pub package: String,
}

/// Shows what is known about a package.
pub fn run(_args: &InfoArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
