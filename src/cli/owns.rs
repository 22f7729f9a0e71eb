//! `cart owns`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cart owns /usr/bin/something
  cart owns ~/.local/share/cartwright/gears/blog/.env/HOME";

/// The arguments of `cart owns`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct OwnsArgs {
    /// The file
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

/// Tells which package or gear a file belongs to.
pub fn run(_args: &OwnsArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
