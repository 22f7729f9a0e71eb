//! `cart history`.

use crate::cli::app::App;
use crate::db::{Db, StepRow, TxnRow};
use crate::error::{Exit, Failure};
use crate::step::Said;
use crate::sys::fs::Dir;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  cart history
  cart history 41
  cart history 41 --log";

/// How many transactions are listed.
const SHOWN: u32 = 1000;
/// The longest output of a script that is shown.
const LONGEST_LOG: u64 = 64 << 20;

/// The arguments of `cart history`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArgs {
    /// The transaction to show; all of them are listed when none is named
    #[arg(value_name = "ID")]
    pub id: Option<i64>,
    /// Show what its scripts printed
    #[arg(long, requires = "id")]
    pub log: bool,
}

#[derive(Serialize)]
struct List {
    transactions: Vec<Shown>,
}

#[derive(Serialize)]
struct One {
    transaction: Shown,
    plan: Value,
    steps: Vec<ShownStep>,
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    title: String,
    state: &'static str,
    started: String,
    ended: Option<String>,
    user: u32,
    command: String,
    undoes: Option<i64>,
    failure: Option<Value>,
}

#[derive(Serialize)]
struct ShownStep {
    number: String,
    title: String,
    state: &'static str,
    attempt: u32,
    began: Option<String>,
    ended: Option<String>,
    said: Option<Said>,
}

/// Lists what was done, or shows one transaction.
pub fn run(args: &HistoryArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = app.reading()?;
    match args.id {
        None => list(app, db.as_ref()),
        Some(id) => {
            let unknown = || {
                Failure::new(Exit::NotFound, format!("there is no transaction {id}"))
                    .hint("`cart history` lists them")
            };
            let db = db.ok_or_else(unknown)?;
            let row = db.transaction(id)?.ok_or_else(unknown)?;
            let steps = db.steps(id)?;
            if args.log {
                log(app, &steps)
            } else {
                show(app, row, steps);
                Ok(Exit::Done)
            }
        }
    }
}

fn list(app: &App, db: Option<&Db>) -> Result<Exit, Failure> {
    let rows = db.map_or(Ok(Vec::new()), |db| db.transactions(SHOWN))?;
    if app.form() == Form::Json {
        app.printer().json(&List { transactions: rows.into_iter().map(shown).collect() });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["ID", "WHEN", "STATE", "WHAT"]);
    for row in rows {
        let when = app.printer().moment(row.started);
        table.row([&row.id.to_string(), &when, row.state.as_str(), &row.title]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}

fn shown(row: TxnRow) -> Shown {
    Shown {
        id: row.id,
        title: row.title,
        state: row.state.as_str(),
        started: row.started.rfc3339(),
        ended: row.ended.map(super::super::sys::clock::Moment::rfc3339),
        user: row.user,
        command: row.command,
        undoes: row.undoes,
        failure: row.failure.and_then(|text| serde_json::from_str(&text).ok()),
    }
}

fn show(app: &App, row: TxnRow, steps: Vec<StepRow>) {
    let plan = serde_json::from_str(&row.view).unwrap_or_default();
    let steps: Vec<_> = steps.into_iter().map(shown_step).collect();
    let transaction = shown(row);
    if app.form() == Form::Json {
        app.printer().json(&One { transaction, plan, steps });
        return;
    }
    let printer = app.printer();
    let Shown { id, title, state, started, command, .. } = &transaction;
    printer.data(&format!("transaction {id}: {title}\n{state}, begun {started}\n$ {command}"));
    if let Some(failure) = &transaction.failure {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        printer.data(&format!("failed: {}", text(&failure["summary"])));
        for cause in failure["causes"].as_array().into_iter().flatten() {
            printer.data(&format!("  caused by: {}", text(cause)));
        }
    }
    let mut table = Table::new(["STEP", "STATE", "WHAT"]);
    for step in &steps {
        table.row([step.number.as_str(), step.state, &step.title]);
    }
    printer.table(&table);
    for said in steps.iter().filter_map(|step| step.said.as_ref()) {
        said.messages.iter().for_each(|text| printer.data(text));
        said.results.iter().for_each(|text| printer.data(text));
        said.errors.iter().for_each(|text| printer.data(&format!("error: {text}")));
        said.warnings.iter().for_each(|text| printer.data(&format!("warning: {text}")));
    }
}

fn shown_step(row: StepRow) -> ShownStep {
    ShownStep {
        number: row.number,
        title: row.title,
        state: row.state.as_str(),
        attempt: row.attempt,
        began: row.began.map(super::super::sys::clock::Moment::rfc3339),
        ended: row.ended.map(super::super::sys::clock::Moment::rfc3339),
        said: row.said.and_then(|text| serde_json::from_str(&text).ok()),
    }
}

/// Shows everything that scripts printed, also those that failed or were cut off: it is all in the
/// transaction's folder of the log.
fn log(app: &App, steps: &[StepRow]) -> Result<Exit, Failure> {
    let Some(txn) = steps.first().map(|step| step.txn) else { return Ok(Exit::Done) };
    let Ok(folder) = Dir::open(&app.layout().log().join(txn.to_string())) else {
        app.printer().talk("no script ran");
        return Ok(Exit::Done);
    };
    for name in folder.names()? {
        let text = folder.read(&name, LONGEST_LOG)?;
        if !text.is_empty() {
            app.printer().data(&format!("==> {} <==", name.to_string_lossy()));
            app.printer().data(String::from_utf8_lossy(&text).trim_end());
        }
    }
    Ok(Exit::Done)
}
