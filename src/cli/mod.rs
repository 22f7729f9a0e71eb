//! The command line: one file per verb, each with its arguments and its call. No logic.

pub mod app;
pub mod cache;
pub mod change;
pub mod completions;
pub mod doctor;
pub mod fetch;
pub mod files;
pub mod gear;
pub mod globals;
pub mod history;
pub mod info;
pub mod install;
pub mod lint;
pub mod list;
pub mod owns;
pub mod recover;
pub mod remove;
pub mod undo;
mod usage;
pub mod verify;

use crate::error::{Exit, Failure};
use crate::ui::printer::Printer;
use crate::ui::report::{self, Form};
use app::App;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use globals::Globals;
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  cart install https://example.org/diy.tar.gz
  cart gear create blog static-web --start
  cart history";

/// What the command line says.
#[derive(Debug, Parser)]
#[command(name = "cart", version, about, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    globals: Globals,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install packages from the index, URLs, git, archives or directories
    Install(install::InstallArgs),
    /// Remove packages that no gear uses
    #[command(visible_aliases = ["rm", "uninstall"])]
    Remove(remove::RemoveArgs),
    /// List the installed packages
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show what is known about a package
    #[command(visible_alias = "show")]
    Info(info::InfoArgs),
    /// List the files of a package
    Files(files::FilesArgs),
    /// Tell which package or gear a file belongs to
    Owns(owns::OwnsArgs),
    /// Compare what is on the disk with what was recorded
    Verify(verify::VerifyArgs),
    /// Download, verify and unpack a source into a new directory
    Fetch(fetch::FetchArgs),
    /// Check a package for its author
    Lint(lint::LintArgs),
    /// Look after the downloads that are kept
    Cache(cache::CacheArgs),
    /// Make running applications out of packages
    Gear(gear::GearArgs),
    /// List what was done, or show one transaction
    History(history::HistoryArgs),
    /// Undo a transaction
    Undo(undo::UndoArgs),
    /// Bring unfinished transactions to an end
    Recover(recover::RecoverArgs),
    /// Look for trouble on this host
    Doctor(doctor::DoctorArgs),
    /// Print the completions for a shell
    Completions(completions::CompletionsArgs),
}

/// Runs the command that `arguments`, the program's name included, ask for; tells its failure;
/// returns the exit code.
pub fn run(arguments: &[OsString]) -> Exit {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => {
            let (wishes, form) = usage::asked(&cli.globals);
            let printer = Printer::new(wishes);
            let line = usage::command_line(arguments);
            let outcome = App::new(cli.globals, printer.clone(), line)
                .and_then(|mut app| dispatch(&cli.command, &mut app));
            report::end(&printer, form, outcome)
        }
        Err(error) => {
            let (wishes, form) = usage::glance(arguments);
            let printer = Printer::new(wishes);
            report::end(&printer, form, answer(&printer, form, &error))
        }
    }
}

/// The definition of the whole command line, for completions and man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

fn dispatch(command: &Command, app: &mut App) -> Result<Exit, Failure> {
    match command {
        Command::Install(args) => install::run(args, app),
        Command::Remove(args) => remove::run(args, app),
        Command::List(args) => list::run(args, app),
        Command::Info(args) => info::run(args, app),
        Command::Files(args) => files::run(args, app),
        Command::Owns(args) => owns::run(args, app),
        Command::Verify(args) => verify::run(args, app),
        Command::Fetch(args) => fetch::run(args, app),
        Command::Lint(args) => lint::run(args, app),
        Command::Cache(args) => cache::run(args, app),
        Command::Gear(args) => gear::run(args, app),
        Command::History(args) => history::run(args, app),
        Command::Undo(args) => undo::run(args, app),
        Command::Recover(args) => recover::run(args, app),
        Command::Doctor(args) => doctor::run(args, app),
        Command::Completions(args) => completions::run(args, app),
    }
}

/// Answers a command line that names no command to run: help and version are answers too.
fn answer(printer: &Printer, form: Form, error: &clap::Error) -> Result<Exit, Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            printer.help(&error.render(), Exit::Done);
            Ok(Exit::Done)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if form == Form::Text => {
            printer.help(&error.render(), Exit::Usage);
            Ok(Exit::Usage)
        }
        // The same, where the environment (`CART_ROOT`) has given an option.
        ErrorKind::MissingSubcommand if form == Form::Text => {
            printer.help(&usage::help(error, &mut command()), Exit::Usage);
            Ok(Exit::Usage)
        }
        _ => Err(usage::failure(error)),
    }
}

/// The verbs whose engine is merged later.
fn pending() -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Failed, "this command is not connected yet"))
}
