//! `cart gear`: gears, from their making to their end.

pub mod create;
pub mod destroy;
pub mod env;
pub mod exec;
pub mod expose;
mod found;
pub mod list;
pub mod logs;
pub mod show;
pub mod start;
pub mod status;
pub mod stop;
mod told;

use super::app::App;
use crate::error::{Exit, Failure};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cart gear create blog static-web --start
  cart gear status blog
  cart gear destroy blog";

/// The arguments of `cart gear`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct GearArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a gear out of cartridges
    ///
    /// Cartridges that are not installed yet are installed in the same transaction. When a script
    /// of a cartridge fails, everything is put back.
    Create(create::CreateArgs),
    /// List the gears
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show what a gear is made of
    ///
    /// Shows its home, cartridges, state and endpoints.
    Show(show::ShowArgs),
    /// Start a gear
    Start(start::StartArgs),
    /// Stop a gear
    Stop(stop::StopArgs),
    /// Tell how a gear is doing
    ///
    /// Asks each cartridge, shows what it says, and ends with the exit status that it gave.
    Status(status::StatusArgs),
    /// Destroy a gear with everything in it
    ///
    /// The gear is stopped first. Its data goes too, so without `--yes` this is asked.
    Destroy(destroy::DestroyArgs),
    /// Give a gear public ports
    ///
    /// Endpoints that ask for a public port get one, which nginx passes on to them.
    Expose(expose::ExposeArgs),
    /// Take a gear's public ports away
    Unexpose(expose::ExposeArgs),
    /// Look after the variables of a gear
    Env(env::EnvArgs),
    /// Run a command in a gear's environment
    ///
    /// The command runs as the gear: as its user, with its environment, in its home. Its exit
    /// status becomes that of cart.
    Exec(exec::ExecArgs),
    /// Show what a gear's logs say
    ///
    /// Shows the last lines of each of its log files.
    Logs(logs::LogsArgs),
}

/// Runs the command on gears that was asked for.
pub fn run(args: &GearArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::Create(args) => create::run(args, app),
        Command::List(args) => list::run(args, app),
        Command::Show(args) => show::run(args, app),
        Command::Start(args) => start::run(args, app),
        Command::Stop(args) => stop::run(args, app),
        Command::Status(args) => status::run(args, app),
        Command::Destroy(args) => destroy::run(args, app),
        Command::Expose(args) => expose::expose(args, app),
        Command::Unexpose(args) => expose::unexpose(args, app),
        Command::Env(args) => env::run(args, app),
        Command::Exec(args) => exec::run(args, app),
        Command::Logs(args) => logs::run(args, app),
    }
}
