//! `cart verify`.

use super::package::{missing, the_one};
use crate::cli::app::App;
use crate::db::{Db, PackageRow};
use crate::error::{Exit, Failure};
use crate::facts::tpkg::{check_placed, is_tpkg};
use crate::facts::{Finding, check_gear, check_package, strays};
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart verify
  cart verify static-web blog";

/// The arguments of `cart verify`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// Packages and gears; all of them when none is named
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    checked: usize,
    findings: Vec<Finding>,
}

/// Compares what is on the disk with what was recorded.
pub fn run(args: &VerifyArgs, app: &mut App) -> Result<Exit, Failure> {
    let answer = match (app.reading()?, args.names.first()) {
        (Some(db), None) => everything(app, &db)?,
        (Some(db), Some(_)) => named(app, &db, &args.names)?,
        (None, None) => Answer { checked: 0, findings: Vec::new() },
        (None, Some(name)) => return Err(missing(name, &[])),
    };
    let exit = if answer.findings.is_empty() { Exit::Done } else { Exit::Integrity };
    if app.form() == Form::Json {
        app.printer().json(&answer);
        return Ok(exit);
    }
    let mut table = Table::new(["WHAT", "OWNER", "PATH"]);
    for Finding { owner, path, what } in &answer.findings {
        table.row([*what, owner, path]);
    }
    app.printer().table(&table);
    let (count, found) = (answer.checked, answer.findings.len());
    app.printer().talk(&format!("{count} checked, {found} different"));
    Ok(exit)
}

fn everything(app: &App, db: &Db) -> Result<Answer, Failure> {
    let mut answer = Answer { checked: 0, findings: strays(db, app.layout())? };
    for row in db.packages()? {
        answer.findings.extend(package(app, db, &row)?);
        answer.checked += 1;
    }
    for row in db.gears()? {
        answer.findings.extend(check_gear(db, app.layout(), &row)?);
        answer.checked += 1;
    }
    Ok(answer)
}

/// A package's tree, and what it has put on the host.
fn package(app: &App, db: &Db, row: &PackageRow) -> Result<Vec<Finding>, Failure> {
    let mut found = check_package(db, app.layout(), row)?;
    if is_tpkg(row) {
        found.extend(check_placed(db, app.layout(), row)?);
    }
    Ok(found)
}

fn named(app: &App, db: &Db, names: &[String]) -> Result<Answer, Failure> {
    let mut answer = Answer { checked: 0, findings: Vec::new() };
    for name in names {
        answer.findings.extend(match db.gear(name)? {
            Some(gear) => check_gear(db, app.layout(), &gear)?,
            None => package(app, db, &the_one(Some(db), name)?)?,
        });
        answer.checked += 1;
    }
    Ok(answer)
}
