//! `cart env`: the variables of all gears, those that are made later included.

pub mod list;
pub mod set;
pub mod unset;

use super::app::App;
use super::change::{ChangeArgs, carry_out};
use super::request::database;
use crate::error::{Context, Exit, Failure};
use crate::facts;
use crate::plan::domain::{DomainRequest, domain};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cart env set http_proxy=http://proxy.example.org:3128
  cart env list
  cart env unset http_proxy";

/// The arguments of `cart env`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct EnvArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the variables of all gears, with who published them
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Set variables of all gears
    ///
    /// The last value wins, whoever has set it: the administrator here, or a cartridge that says
    /// `ENV_VAR_ADD`. A gear's own platform variables are never replaced.
    Set(set::SetArgs),
    /// Remove variables of all gears, whoever has set them
    Unset(unset::UnsetArgs),
}

/// Runs the command on variables of all gears that was asked for.
pub fn run(args: &EnvArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::List(args) => list::run(args, app),
        Command::Set(args) => set::run(args, app),
        Command::Unset(args) => unset::run(args, app),
    }
}

fn change(app: &App, ask: &DomainRequest, options: &ChangeArgs) -> Result<Exit, Failure> {
    let db = database(app, options.dry_run)?;
    carry_out(app, &db, options, &|| Ok(domain(ask, &facts::shared(&db)?)?))
        .doing(|| "cannot change variables of all gears".into())
}
