//! `cart service`: the init scripts of tpkg packages.

pub mod status;
pub mod tell;

use super::app::App;
use super::package::the_one;
use crate::db::{Db, PackageRow};
use crate::error::{Exit, Failure};
use crate::facts::tpkg::{InitScript, Services, is_tpkg, services};
use crate::step::call_init;
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cart service start web-app
  cart service stop --all
  cart service status --all --json";

const START: &str = "\
Examples:
  cart service start web-app
  cart service start --all";
const STOP: &str = "\
Examples:
  cart service stop web-app database
  cart service stop --all --dry-run";
const RESTART: &str = "\
Examples:
  cart service restart web-app
  cart service restart web-app --script daemon";
const RELOAD: &str = "\
Examples:
  cart service reload web-app
  cart service reload --all";

/// The arguments of `cart service`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ServiceArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start services
    ///
    /// Runs the init scripts of the packages with `start`, those with lower numbers first. Where
    /// systemd has started the host and a script has a unit, systemd is told to start that. When one
    /// fails, the others are run all the same, and the exit status is 4. What a crash cuts off is put
    /// back: what did not run before is stopped.
    #[command(after_help = START)]
    Start(tell::TellArgs),
    /// Stop services
    ///
    /// Runs the init scripts of the packages with `stop`, those with higher numbers first. When one
    /// fails, the others are run all the same, and the exit status is 4.
    #[command(after_help = STOP)]
    Stop(tell::TellArgs),
    /// Stop services, and start them again
    ///
    /// Runs the init scripts of the packages with `restart`, those with lower numbers first. When one
    /// fails, the others are run all the same, and the exit status is 4.
    #[command(after_help = RESTART)]
    Restart(tell::TellArgs),
    /// Let services read their settings again
    ///
    /// Runs the init scripts of the packages with `reload`, those with lower numbers first. When one
    /// fails, the others are run all the same, and the exit status is 4.
    #[command(after_help = RELOAD)]
    Reload(tell::TellArgs),
    /// Ask services how they are
    ///
    /// Runs the init scripts of the packages with `status`, those with lower numbers first, and tells
    /// what they answer: 0 means that the service runs, 3 that it does not. The exit status is 4 where
    /// one answers anything but 0.
    Status(status::StatusArgs),
}

/// Runs the command on services that was asked for.
pub fn run(args: &ServiceArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::Start(args) => tell::run(args, app, call_init::Command::Start),
        Command::Stop(args) => tell::run(args, app, call_init::Command::Stop),
        Command::Restart(args) => tell::run(args, app, call_init::Command::Restart),
        Command::Reload(args) => tell::run(args, app, call_init::Command::Reload),
        Command::Status(args) => status::run(args, app),
    }
}

/// Which services are meant.
#[derive(Args, Clone, Debug)]
struct Which {
    /// The packages
    #[arg(value_name = "PACKAGE", required_unless_present = "all", conflicts_with = "all")]
    packages: Vec<String>,
    /// All packages that have init scripts
    #[arg(long)]
    all: bool,
    /// This init script alone, by its name or path; repeatable
    #[arg(long = "script", value_name = "NAME")]
    scripts: Vec<String>,
}

impl Which {
    /// The services that are meant. A package that is named and has none is told of.
    fn find(&self, app: &App, db: Option<&Db>) -> Result<Vec<Services>, Failure> {
        let mut found = Vec::new();
        for row in self.rows(db)? {
            let Some(db) = db else { continue };
            let one = services((db, app.layout()), &row)?;
            if !one.scripts.is_empty() {
                found.push(one);
            } else if !self.all {
                let text = format!("`{}` has no init script", one.package);
                return Err(Failure::new(Exit::Conflict, text)
                    .hint("`cart list` shows what else is installed"));
            }
        }
        self.refuse_unknown_scripts(&found)?;
        for one in &mut found {
            one.scripts.retain(|script| self.means(script));
        }
        found.retain(|one| !one.scripts.is_empty());
        Ok(found)
    }

    fn rows(&self, db: Option<&Db>) -> Result<Vec<PackageRow>, Failure> {
        if self.all {
            let rows = db.map(Db::packages).transpose()?.unwrap_or_default();
            return Ok(rows.into_iter().filter(is_tpkg).collect());
        }
        let mut rows: Vec<PackageRow> = Vec::new();
        for word in &self.packages {
            let row = the_one(db, word)?;
            if !is_tpkg(&row) {
                let text = format!("`{word}` is no package of tpkg");
                return Err(Failure::new(Exit::Conflict, text)
                    .hint("`cart gear start` and its like are for gears made of cartridges"));
            }
            if !rows.iter().any(|known| known.id == row.id) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Tells whether a script is meant, where not all are.
    fn means(&self, script: &InitScript) -> bool {
        self.scripts.is_empty()
            || self.scripts.iter().any(|name| name == script.name() || *name == script.path)
    }

    fn refuse_unknown_scripts(&self, found: &[Services]) -> Result<(), Failure> {
        let scripts = || found.iter().flat_map(|one| &one.scripts);
        let unknown = self.scripts.iter().find(|name| {
            !scripts().any(|script| script.name() == name.as_str() || script.path == **name)
        });
        let Some(name) = unknown else { return Ok(()) };
        let there: Vec<_> = scripts().map(|script| format!("`{}`", script.name())).collect();
        let text = format!("no init script of these packages is called `{name}`");
        Err(Failure::new(Exit::NotFound, text).hint(format!("there is {}", there.join(", "))))
    }
}
