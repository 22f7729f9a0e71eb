//! `cart gear create`.

use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear create blog static-web --start
  cart gear create app perl-httpd https://example.org/diy.tar.gz
  cart gear create blog static-web --dry-run";

/// The arguments of `cart gear create`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// The gear's name: lower-case letters, digits and `-`
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The cartridges: `name` or `name-version` in the library or the index, paths, URLs
    #[arg(required = true, value_name = "CARTRIDGE")]
    pub cartridges: Vec<String>,
    /// Start it, too
    #[arg(long)]
    pub start: bool,
    /// Make accounts on the host although `--root` is given
    #[arg(long)]
    pub host_users: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Makes a gear, all in one transaction.
pub fn run(_args: &CreateArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
