//! The options that every command has.

use crate::ui::colour::Colour;
use crate::ui::printer::{Verbosity, Wishes};
use crate::ui::report::Form;
use clap::Args;
use std::path::PathBuf;

/// The options that every command has, before or after its name.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Globals {
    /// Work below DIR instead of on this host
    #[arg(long, global = true, value_name = "DIR", env = "CART_ROOT", hide_env_values = true)]
    pub root: Option<PathBuf>,
    /// Answer in JSON, failures included
    #[arg(long, global = true)]
    pub json: bool,
    /// Agree to everything that would be asked
    #[arg(short = 'y', long, global = true)]
    pub yes: bool,
    /// Say nothing but failures
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more; twice, everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Colour,
    /// Wait as long as this for another process's lock
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 0)]
    pub wait: u64,
    /// Put everything back when an external does not succeed
    #[arg(long, global = true)]
    pub strict_externals: bool,
    /// Do without externals that are missing
    #[arg(long, global = true)]
    pub allow_missing_externals: bool,
}

impl Globals {
    /// What they ask of the output.
    pub fn wishes(&self) -> Wishes {
        let verbosity = match self.verbose {
            _ if self.quiet => Verbosity::Quiet,
            0 => Verbosity::Normal,
            1 => Verbosity::Verbose,
            _ => Verbosity::Debug,
        };
        Wishes { colour: self.color, verbosity }
    }

    /// The form in which the command is to answer.
    pub fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Text }
    }
}
