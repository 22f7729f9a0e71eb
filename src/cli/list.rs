//! `cart list`.

use super::package::Shown;
use crate::cli::app::App;
use crate::db::{Db, ListedPackage, PackageRow};
use crate::error::{Exit, Failure};
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart list
  cart list --json";

/// The arguments of `cart list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {}

#[derive(Serialize)]
struct Answer<'a> {
    packages: Vec<Shown<'a>>,
    unfinished: Vec<Unfinished>,
}

#[derive(Serialize)]
struct Unfinished {
    transaction: i64,
    title: String,
    state: &'static str,
}

/// Lists the installed packages, and says which transactions are not over.
pub fn run(_args: &ListArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = app.reading()?;
    let unfinished = db.as_ref().map_or(Ok(Vec::new()), Db::unfinished)?;
    let unfinished: Vec<_> = unfinished
        .into_iter()
        .map(|row| Unfinished { transaction: row.id, title: row.title, state: row.state.as_str() })
        .collect();
    let holds = db.as_ref().map_or(Ok(Vec::new()), Db::holds)?;
    if app.form() == Form::Json {
        let packages = db.as_ref().map_or(Ok(Vec::new()), Db::packages)?;
        let hold = |row: &PackageRow| {
            holds.iter().find(|one| (&one.vendor, &one.name) == (&row.vendor, &row.name))
        };
        let packages = packages.iter().map(|row| Shown::new(row, hold(row))).collect();
        app.printer().json(&Answer { packages, unfinished });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["PACKAGE", "RELEASE", "FORMAT", "TRUST", "SOURCE", "HELD"]);
    let show = |row: ListedPackage<'_>| {
        let held = holds.iter().any(|one| one.name == row.name && one.vendor == row.vendor);
        let held = if held { "held" } else { "" };
        table.row([row.title, row.package_version, row.format, row.trust, row.source, held]);
    };
    db.as_ref().map_or(Ok(()), |db| db.list_packages(show))?;
    app.printer().table(&table);
    for Unfinished { transaction, title, state } in unfinished {
        app.printer()
            .warn(&format!("transaction {transaction} ({title}) is {state}: `cart doctor`"));
    }
    Ok(Exit::Done)
}
