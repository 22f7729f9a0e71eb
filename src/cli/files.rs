//! `cart files`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart files static-web
  cart files static-web --json";

/// The arguments of `cart files`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct FilesArgs {
    /// The package: a name, `name-version`, `vendor-name` or `vendor-name-version`
    #[arg(value_name = "PACKAGE")]
    pub package: String,
}

/// Lists the files of a package.
pub fn run(_args: &FilesArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
