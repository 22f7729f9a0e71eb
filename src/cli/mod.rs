//! The command line: one file per verb, each with its arguments and its call. No logic.

pub mod app;
pub mod build;
pub mod cache;
pub mod change;
pub mod completions;
pub mod doctor;
pub mod env;
pub mod external;
pub mod fetch;
pub mod files;
pub mod gear;
pub mod globals;
pub mod history;
pub mod hold;
pub mod import;
pub mod info;
pub mod install;
pub mod lint;
pub mod list;
mod not_installed;
pub mod oo_env_var;
pub mod outdated;
mod outdated_tpkg;
pub mod owns;
mod package;
pub mod passphrase;
pub mod recover;
pub mod remove;
mod request;
pub mod service;
pub mod site;
pub mod status;
mod tpkg;
mod tpkg_choice;
pub mod undo;
pub mod unhold;
pub mod upgrade;
mod upstream;
mod usage;
pub mod verify;

use crate::error::{Exit, Failure};
use crate::inside::Refused;
use crate::ui::printer::{Printer, Wishes};
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
    ///
    /// All sources are downloaded and checked before anything is changed, and installed in one
    /// transaction: all of them or none. Several versions of a package can be installed side by
    /// side. A source is a name in the index, a URL of a .zip, .tar, .tar.gz, .tgz or .tpkg, a git
    /// repository with an optional `#commit`, a directory, or a manifest whose `Source-Url` is
    /// then followed.
    Install(install::InstallArgs),
    /// Remove packages that no gear uses
    ///
    /// All of them are removed in one transaction, or none. A package that a gear uses is never
    /// removed; destroy the gear first.
    #[command(visible_aliases = ["rm", "uninstall"])]
    Remove(remove::RemoveArgs),
    /// Tell what there are newer versions of
    ///
    /// Of each installed package: what is installed, the newest version that takes over from it
    /// without a restart (`Compatible-Versions`), and the newest one, from the index and from where
    /// the package came: the branch or tag of a git repository, a manifest that names an archive, a
    /// directory. A source that does not answer in time is a warning. Then the cartridges in gears
    /// that are older than what the library has. The exit status is 20 when something is outdated,
    /// held or not, and 0 otherwise.
    Outdated(outdated::OutdatedArgs),
    /// Bring the newest versions of packages into the library
    ///
    /// They come in beside the old ones, all in one transaction; gears go on using what they use.
    /// Old versions that no gear uses stay until `cart remove`: they share their unchanged files
    /// with the new ones. Held packages are left alone. A source that offers an older version now is
    /// refused, status 5, unless `--allow-downgrade`: then newer versions that no gear uses make
    /// room, and `cart undo` brings them back.
    Upgrade(upgrade::UpgradeArgs),
    /// Keep packages as they are
    ///
    /// No other version of a held package is installed or brought by an upgrade, no version of it is
    /// removed, and upgrades of gears leave its cartridges alone. `cart list`, `cart info` and `cart
    /// outdated` show it with the reason. `cart unhold` lets it go.
    #[command(visible_alias = "pin")]
    Hold(hold::HoldArgs),
    /// Let go packages that were held
    #[command(visible_alias = "unpin")]
    Unhold(unhold::UnholdArgs),
    /// List the installed packages
    ///
    /// A package that was verified by MD5 alone, or by nothing, is marked so. With `--available` lists
    /// what the sources of tpkg packages (`tpkg.sources`, `--source`) have that runs on this host.
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show what is known about a package
    ///
    /// Shows its manifest, where it came from, what was verified, and which gears use it. Of a source
    /// that is not installed (a file, a directory, a URL) shows what its manifest says.
    #[command(visible_alias = "show")]
    Info(info::InfoArgs),
    /// List the files of a package
    ///
    /// Shows each file with its mode and size, as they were recorded when the package was
    /// installed; of a source that is not installed, the files that are in it.
    Files(files::FilesArgs),
    /// Tell which package or gear a file belongs to
    ///
    /// Symbolic links in the path are followed first.
    Owns(owns::OwnsArgs),
    /// Compare what is on the disk with what was recorded
    ///
    /// Every file is compared by content, mode and kind. Nothing is changed; a difference is
    /// reported and makes the exit status 6.
    Verify(verify::VerifyArgs),
    /// Download, verify and unpack a source into a new directory
    ///
    /// The same path as for an installation, with the same checks and limits, but nothing is
    /// installed. With `--raw` the source need not be a package.
    Fetch(fetch::FetchArgs),
    /// Check a package for its author
    ///
    /// Reports what keeps the package from being installed, what is probably a mistake, and what
    /// the cartridge guide advises. Nothing is installed or run. The exit status is 1 when there
    /// is an error among the notes, and 0 with warnings and advice alone.
    Lint(lint::LintArgs),
    /// Pack a directory into a package that can be installed elsewhere
    ///
    /// A directory with `tpkg.yml` or `tpkg.xml` becomes a `.tpkg`, which tpkg itself takes as well; a
    /// cartridge becomes an archive. A UBOS package with a `PKGBUILD` is built first, by the functions in
    /// there, without a network. The file's name is made of what the metadata say; a file of
    /// that name is replaced. The same directory always gives the same bytes: members have the time
    /// of `SOURCE_DATE_EPOCH`, or a fixed one. Files that the metadata want encrypted need a
    /// passphrase.
    Build(build::BuildArgs),
    /// Take over what another program has installed
    Import(import::ImportArgs),
    /// Look after the downloads that are kept
    Cache(cache::CacheArgs),
    /// Make running applications out of packages
    Gear(gear::GearArgs),
    /// Deploy apps of UBOS at sites
    Site(site::SiteArgs),
    /// Show how all gears are doing
    ///
    /// Asks the cartridges of each gear that is meant to run, and probes its endpoints: `running`,
    /// `silent` where nothing listens, `failing` where a cartridge says so. The others are shown as
    /// they were left.
    Status(status::StatusArgs),
    /// Look after the variables of all gears
    ///
    /// Gears that are made later get them, too.
    Env(env::EnvArgs),
    /// Start and stop the services of tpkg packages
    Service(service::ServiceArgs),
    /// See to what packages ask the host's configuration management for
    External(external::ExternalArgs),
    /// Put a variable into the .env of one gear, as the original's command does
    ///
    /// The program also goes by this name: `ln -s cart oo-env-var-add`.
    #[command(name = "oo-env-var-add")]
    OoEnvVarAdd(oo_env_var::AddArgs),
    /// Remove a variable from the .env of one gear, as the original's command does
    ///
    /// The program also goes by this name: `ln -s cart oo-env-var-remove`.
    #[command(name = "oo-env-var-remove")]
    OoEnvVarRemove(oo_env_var::RemoveArgs),
    /// List what was done, or show one transaction
    ///
    /// Without a number, lists all transactions, the latest first. With one, shows its steps with
    /// their times and outcomes.
    History(history::HistoryArgs),
    /// Undo a transaction
    ///
    /// Makes the opposite of a finished transaction and runs it as a transaction of its own.
    /// Where that is not possible, says why and changes nothing.
    Undo(undo::UndoArgs),
    /// Bring unfinished transactions to an end
    ///
    /// Undoes what a crash has left unfinished, finishes what had counted already, and tries
    /// again what is stuck. Commands that change something do so by themselves for whatever
    /// concerns them.
    Recover(recover::RecoverArgs),
    /// Look for trouble on this host
    ///
    /// Every finding comes with its remedy. Nothing is changed, but on demand: `--install-shims`
    /// links the commands that cartridges call by absolute paths (`/usr/bin/logshifter`,
    /// `/usr/bin/oo-erb`, `/usr/bin/facter`, ...) for gears that have no view of the host of their
    /// own. A file of another program is never replaced. See cart-inside(7).
    Doctor(doctor::DoctorArgs),
    /// Print the completions for a shell
    ///
    /// Write them to where the shell looks for them, and start a new shell.
    Completions(completions::CompletionsArgs),
}

/// Runs the command that `arguments`, the program's name included, ask for; tells its failure;
/// returns the exit code.
pub fn run(arguments: &[OsString]) -> u8 {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => run_command(cli, usage::command_line(arguments)),
        Err(error) => {
            let (wishes, form) = usage::glance(arguments);
            let printer = Printer::new(wishes);
            report::end(&printer, form, answer(&printer, form, &error)) as u8
        }
    }
}

fn run_command(cli: Cli, line: String) -> u8 {
    let form = cli.globals.form();
    let printer = Printer::new(cli.globals.wishes());
    let mut foreign = None;
    let outcome = App::new(cli.globals, printer.clone(), line).and_then(|mut app| {
        let outcome = dispatch(&cli.command, &mut app);
        foreign = app.status();
        outcome
    });
    // What was begun for this command's scripts ends before it does.
    crate::sandbox::release();
    let exit = report::end(&printer, form, outcome);
    foreign.filter(|_| exit == Exit::Done).unwrap_or(exit as u8)
}

/// Runs the hook `name` of a gear's repository, which git has started there.
pub fn run_hook(name: &str) -> u8 {
    match gear::receive::line_of_hook(name) {
        Ok(line) => run(&line),
        Err(failure) => end_command::<Failure>(Err(failure)),
    }
}

/// Ends a command that gears call under a name of its own: tells its failure, returns the exit code.
pub fn end_command<E: Into<Failure>>(outcome: Result<(), E>) -> u8 {
    let printer = Printer::new(Wishes::default());
    report::end(&printer, Form::Text, outcome.map(|()| Exit::Done).map_err(Into::into)) as u8
}

/// Ends a command that imitates an original: tells its failure, returns the original's exit status.
pub fn end_inside(outcome: Result<u8, Refused>) -> u8 {
    let printer = Printer::new(Wishes::default());
    let (status, outcome) = match outcome {
        Ok(status) => (status, Ok(Exit::Done)),
        Err(Refused { status, failure }) => (status, Err(failure)),
    };
    report::end(&printer, Form::Text, outcome);
    status
}

/// The definition of the whole command line, for completions and man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

fn dispatch(command: &Command, app: &mut App) -> Result<Exit, Failure> {
    match command {
        Command::Install(args) => install::run(args, app),
        Command::Remove(args) => remove::run(args, app),
        Command::Outdated(args) => outdated::run(args, app),
        Command::Upgrade(args) => upgrade::run(args, app),
        Command::Hold(args) => hold::run(args, app),
        Command::Unhold(args) => unhold::run(args, app),
        Command::List(args) => list::run(args, app),
        Command::Info(args) => info::run(args, app),
        Command::Files(args) => files::run(args, app),
        Command::Owns(args) => owns::run(args, app),
        Command::Verify(args) => verify::run(args, app),
        Command::Fetch(args) => fetch::run(args, app),
        Command::Lint(args) => lint::run(args, app),
        Command::Build(args) => build::run(args, app),
        Command::Import(args) => import::run(args, app),
        Command::Cache(args) => cache::run(args, app),
        Command::Gear(args) => gear::run(args, app),
        Command::Site(args) => site::run(args, app),
        Command::Status(args) => status::run(args, app),
        Command::Env(args) => env::run(args, app),
        Command::Service(args) => service::run(args, app),
        Command::External(args) => external::run(args, app),
        Command::OoEnvVarAdd(args) => oo_env_var::add(args, app),
        Command::OoEnvVarRemove(args) => oo_env_var::remove(args, app),
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
