//! `cart recover`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::gather;
use crate::txn::{Engine, Recovered, recover_all};
use crate::ui::report::Form;
use crate::ui::teller::Teller;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart recover
  cart recover --json";

/// The arguments of `cart recover`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RecoverArgs {
    /// Show what would be brought to an end, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    transactions: &'a [Shown],
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    title: String,
    became: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Brings unfinished transactions to an end: goes on with upgrades, puts back what else was cut off,
/// finishes what had happened, and sweeps what dead processes left.
pub fn run(args: &RecoverArgs, app: &mut App) -> Result<Exit, Failure> {
    let Some(reading) = app.reading()? else { return Ok(tell(app, &[])) };
    if args.dry_run {
        let rows = reading.unfinished()?.into_iter();
        let shown = rows.map(|row| Shown {
            id: row.id,
            title: row.title,
            became: row.state.as_str(),
            why: None,
        });
        return Ok(tell(app, &shown.collect::<Vec<_>>()));
    }
    drop(reading);
    let db = app.changing()?;
    let engine = Engine::new(&db, app.layout(), app.config()?)?;
    let teller = Teller::new(app.printer(), app.form(), app.agrees());
    let recovered = recover_all(&engine, &teller)?;
    gather::sweep(app.layout())?;
    Ok(tell(app, &recovered.into_iter().map(shown).collect::<Vec<_>>()))
}

fn shown(one: Recovered) -> Shown {
    let (id, title, became, why) = match one {
        Recovered::PutBack { txn, title } => (txn, title, "put back", None),
        Recovered::Finished { txn, title } => (txn, title, "finished", None),
        Recovered::Running { txn, title } => (txn, title, "running", None),
        Recovered::GoneOn { txn, title, .. } => (txn, title, "gone on", None),
        Recovered::Failed { txn, title, failure } if failure.exit == Exit::Stuck => {
            (txn, title, "stuck", Some(failure.summary))
        }
        Recovered::Failed { txn, title, failure } => {
            (txn, title, "put back", Some(failure.summary))
        }
        Recovered::Stuck { txn, title, why } => (txn, title, "stuck", Some(why)),
    };
    Shown { id, title, became, why }
}

fn tell(app: &App, transactions: &[Shown]) -> Exit {
    let stuck = transactions.iter().filter(|one| one.became == "stuck").count();
    match app.form() {
        Form::Json => app.printer().json(&Answer { transactions }),
        Form::Text if transactions.is_empty() => app.printer().talk("nothing to recover"),
        Form::Text => {
            for Shown { id, title, became, why } in transactions {
                let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                app.printer().talk(&format!("transaction {id} ({title}): {became}{why}"));
            }
        }
    }
    if stuck == 0 { Exit::Done } else { Exit::Stuck }
}
