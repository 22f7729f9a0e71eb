//! `cart doctor`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart doctor
  cart doctor --json";

/// The arguments of `cart doctor`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {}

/// Looks for trouble on this host, and changes nothing.
pub fn run(_args: &DoctorArgs, _app: &mut App) -> Result<Exit, Failure> {
    super::pending()
}
