//! The options that every changing command has.

use clap::{Args, ValueEnum};

/// The options that every changing command has.
#[derive(Args, Clone, Debug)]
pub struct ChangeArgs {
    /// Show what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// What becomes of what was done when a step fails
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_failure: OnFailure,
}

/// What becomes of what was done when a step fails (`--on-failure`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// Put everything back
    #[default]
    Unwind,
    /// Keep the failing state to look at; `cart recover` puts it back
    Hold,
}
