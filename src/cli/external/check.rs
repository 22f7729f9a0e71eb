//! `cart external check`.

use super::meant;
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::facts::{Externals, checked};
use crate::plan::requests::{Place, Request};
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart external check
  cart external check sysctl --json";

/// The arguments of `cart external check`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// The requests, by their keys, or all of an external's, by its name
    #[arg(value_name = "KEY|EXTERNAL")]
    pub requests: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    requests: Vec<Shown>,
    as_asked_for: bool,
}

#[derive(Serialize)]
struct Shown {
    key: String,
    external: String,
    gear: Option<String>,
    site: Option<String>,
    finding: &'static str,
    says: Vec<String>,
}

/// Looks at each request.
pub fn run(args: &CheckArgs, app: &mut App) -> Result<Exit, Failure> {
    let requests = match app.reading()? {
        Some(db) => meant(&db, &args.requests, |_| true)?,
        None => match args.requests.first() {
            Some(word) => return Err(super::missing(word)),
            None => Vec::new(),
        },
    };
    let config = app.config()?;
    let known = Externals::look(app.layout(), config);
    let mut shown = Vec::with_capacity(requests.len());
    let mut as_asked_for = true;
    for Request { row, place } in requests {
        let found = checked((app.layout(), config), &known, &row)?;
        as_asked_for &= found.is_fine;
        shown.push(Shown {
            key: row.key,
            external: row.name.as_str().to_owned(),
            gear: place.as_ref().and_then(Place::gear),
            site: place.as_ref().and_then(Place::site),
            finding: found.finding,
            says: found.says,
        });
    }
    let exit = if as_asked_for { Exit::Done } else { Exit::Pending };
    if app.form() == Form::Json {
        app.printer().json(&Answer { requests: shown, as_asked_for });
        return Ok(exit);
    }
    let mut table = Table::new(["KEY", "EXTERNAL", "WHERE", "FINDING", "SAYS"]);
    for one in &shown {
        let place = one.gear.as_deref().or(one.site.as_deref()).unwrap_or_default();
        table.row([one.key.as_str(), &one.external, place, one.finding, &one.says.join("; ")]);
    }
    app.printer().table(&table);
    Ok(exit)
}
