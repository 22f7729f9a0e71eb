//! `cart cache`: the downloads that are kept.

use super::app::App;
use crate::error::{Exit, Failure};
use crate::source::cache::{Cache, Kept};
use crate::ui::format;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::{Args, Subcommand};
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart cache list
  cart cache clean
  cart cache verify";

/// The arguments of `cart cache`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CacheArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with the downloads that are kept.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the downloads that are kept
    #[command(visible_alias = "ls", after_help = LIST_EXAMPLES)]
    List,
    /// Remove the downloads that are kept
    #[command(after_help = CLEAN_EXAMPLES)]
    Clean {
        /// Show what would be removed, and change nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Compare the downloads that are kept with their digests
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify,
}

const LIST_EXAMPLES: &str = "\
Examples:
  cart cache list
  cart cache list --json";
const CLEAN_EXAMPLES: &str = "\
Examples:
  cart cache clean --dry-run
  cart cache clean";
const VERIFY_EXAMPLES: &str = "\
Examples:
  cart cache verify
  cart cache verify --json";

#[derive(Serialize)]
struct Answer {
    downloads: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    sha256: String,
    md5: String,
    size: u64,
}

/// Looks after the downloads that are kept.
pub fn run(args: &CacheArgs, app: &mut App) -> Result<Exit, Failure> {
    if crate::sys::fs::kind_of(app.layout().cache()).is_none() {
        show(app, &[]);
        return Ok(Exit::Done);
    }
    let cache = Cache::open(app.layout())?;
    match args.command {
        Command::List | Command::Clean { dry_run: true } => show(app, &cache.list()?),
        Command::Clean { dry_run: false } => {
            let kept = cache.list()?;
            let cleaned = cache.clean()?;
            let (files, bytes) = (cleaned.files, format::size(cleaned.bytes));
            app.printer().talk(&format!("{files} downloads removed, {bytes}"));
            if app.form() == Form::Json {
                show(app, &kept);
            }
        }
        Command::Verify => {
            let damaged = cache.verify()?;
            app.printer().talk(&format!("{} damaged", damaged.len()));
            show(app, &damaged);
            if !damaged.is_empty() {
                return Ok(Exit::Integrity);
            }
        }
    }
    Ok(Exit::Done)
}

fn show(app: &App, kept: &[Kept]) {
    let shown = kept.iter().map(|one| Shown {
        sha256: one.sha256.to_string(),
        md5: one.md5.to_string(),
        size: one.size,
    });
    if app.form() == Form::Json {
        app.printer().json(&Answer { downloads: shown.collect() });
        return;
    }
    let mut table = Table::new(["SHA-256", "MD5", "SIZE"]);
    for one in shown {
        table.row([one.sha256, one.md5, format::size(one.size)]);
    }
    app.printer().table(&table);
}
