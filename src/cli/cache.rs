//! `cart cache`: the downloads that are kept.

use super::app::App;
use crate::error::{Exit, Failure};
use crate::source::cache::{Cache, Kept};
use crate::sys::fs::Dir;
use crate::txn;
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
        /// Forget what is kept for `cart undo` and `cart gear rollback`, instead
        #[arg(long)]
        kept: bool,
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
  cart cache clean
  cart cache clean --kept";
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

/// Looks after the downloads that are kept, and what is kept for undoing.
pub fn run(args: &CacheArgs, app: &mut App) -> Result<Exit, Failure> {
    if let Command::Clean { kept: true, dry_run } = args.command {
        return forget_kept(app, dry_run);
    }
    if crate::sys::fs::kind_of(app.layout().cache()).is_none() {
        show(app, &[]);
        return Ok(Exit::Done);
    }
    let cache = Cache::open(app.layout())?;
    match args.command {
        Command::List | Command::Clean { dry_run: true, .. } => show(app, &cache.list()?),
        Command::Clean { dry_run: false, .. } => {
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

#[derive(Serialize)]
struct Forgotten<'a> {
    kept: Vec<ShownKept<'a>>,
    bytes: u64,
}

#[derive(Serialize)]
struct ShownKept<'a> {
    transaction: i64,
    title: &'a str,
    size: u64,
}

/// Forgets what finished transactions keep: they cannot be undone any more.
fn forget_kept(app: &App, dry_run: bool) -> Result<Exit, Failure> {
    let Some(reading) = app.reading()? else {
        show_kept(app, &[]);
        return Ok(Exit::Done);
    };
    let all = txn::kept(&reading)?;
    drop(reading);
    if !dry_run {
        let db = app.changing()?;
        let state = Dir::open(app.layout().state())?;
        for one in &all {
            txn::forget(&db, &state, one.txn)?;
        }
        let bytes = format::size(all.iter().map(|one| one.bytes).sum());
        let count = all.len();
        app.printer().talk(&format!("{count} transactions cannot be undone any more, {bytes}"));
    }
    show_kept(app, &all);
    Ok(Exit::Done)
}

fn show_kept(app: &App, all: &[txn::Kept]) {
    if app.form() == Form::Json {
        let shown = all.iter().map(|one| ShownKept {
            transaction: one.txn,
            title: &one.title,
            size: one.bytes,
        });
        let bytes = all.iter().map(|one| one.bytes).sum();
        app.printer().json(&Forgotten { kept: shown.collect(), bytes });
        return;
    }
    let mut table = Table::new(["TRANSACTION", "SIZE", "WHAT"]);
    for one in all {
        table.row([one.txn.to_string(), format::size(one.bytes), one.title.clone()]);
    }
    app.printer().table(&table);
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
