//! `cart external list`.

use super::places;
use crate::cli::app::App;
use crate::db::{Db, ExternalRow, ExternalState};
use crate::error::{Exit, Failure};
use crate::plan::requests::Place;
use crate::sys::clock::Moment;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart external list
  cart external list --waiting --json";

/// The arguments of `cart external list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// Those alone that wait for a tool
    #[arg(long, conflicts_with = "all")]
    pub waiting: bool,
    /// Those, too, that were taken back
    #[arg(long)]
    pub all: bool,
}

#[derive(Serialize)]
struct Answer {
    requests: Vec<Shown>,
}

/// One request, in JSON.
#[derive(Serialize)]
pub(super) struct Shown {
    key: String,
    external: String,
    /// What is wanted: `install`, or `remove` of what was taken back.
    action: &'static str,
    /// What the external gets as its first argument.
    package: String,
    asked_by: By,
    gear: Option<String>,
    site: Option<String>,
    tpkg_home: String,
    /// The data, where they are text.
    data: Option<String>,
    /// The data, where they are not.
    data_bytes: Option<Vec<u8>>,
    mode: String,
    strict: bool,
    state: &'static str,
    detail: Option<String>,
    asked: String,
    answered: Option<String>,
    transaction: i64,
    withdrawn_by: Option<i64>,
}

#[derive(Serialize)]
struct By {
    format: &'static str,
    vendor: String,
    name: String,
    version: String,
}

impl Shown {
    fn new(row: ExternalRow, place: Option<&Place>) -> Self {
        let (data, data_bytes) = match String::from_utf8(row.data) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(error.into_bytes())),
        };
        Self {
            key: row.key,
            external: row.name.as_str().to_owned(),
            action: if row.withdrawn_by.is_some() { "remove" } else { "install" },
            package: row.asker.file,
            asked_by: By {
                format: row.asker.format.as_str(),
                vendor: row.asker.vendor,
                name: row.asker.name,
                version: row.holder,
            },
            gear: place.and_then(Place::gear),
            site: place.and_then(Place::site),
            tpkg_home: row.asker.home,
            data,
            data_bytes,
            mode: row.mode,
            strict: row.strict,
            state: row.answer.state.as_str(),
            detail: row.answer.detail,
            asked: Moment(row.asked).rfc3339(),
            answered: row.answered.map(|when| Moment(when).rfc3339()),
            transaction: row.txn,
            withdrawn_by: row.withdrawn_by,
        }
    }
}

/// Lists the requests, the oldest first.
pub fn run(args: &ListArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = app.reading()?;
    let read = if args.all { Db::all_externals } else { Db::externals };
    let mut rows = db.as_ref().map_or(Ok(Vec::new()), read)?;
    rows.retain(|row| !args.waiting || row.answer.state == ExternalState::Waiting);
    let places = db.as_ref().map_or(Ok(std::collections::BTreeMap::new()), places)?;
    let shown = rows.into_iter().map(|row| {
        let place = row.asker.gear.as_ref().and_then(|id| places.get(id));
        Shown::new(row, place)
    });
    let requests: Vec<Shown> = shown.collect();
    if app.form() == Form::Json {
        app.printer().json(&Answer { requests });
        return Ok(Exit::Done);
    }
    let mut table =
        Table::new(["KEY", "EXTERNAL", "WANTED", "DATA", "FOR", "WHERE", "ASKED", "STATE"]);
    for one in &requests {
        let data = one.data.as_deref().unwrap_or("(bytes)").trim_end();
        let short: String = data.chars().take(32).collect();
        let more = if short.len() < data.len() { "…" } else { "" };
        table.row([
            one.key.as_str(),
            &one.external,
            one.action,
            &format!("{}{more}", short.escape_debug()),
            &one.package,
            one.gear.as_deref().or(one.site.as_deref()).unwrap_or_default(),
            &one.asked,
            one.state,
        ]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}
