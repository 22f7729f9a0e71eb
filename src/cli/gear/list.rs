//! `cart gear list`.

use super::show::Shown;
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::facts::Gear;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart gear list
  cart gear list --json";

/// The arguments of `cart gear list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {}

#[derive(Serialize)]
struct Answer {
    gears: Vec<Shown>,
}

/// Lists the gears.
pub fn run(_args: &ListArgs, app: &mut App) -> Result<Exit, Failure> {
    let mut gears = Vec::new();
    if let Some(db) = app.reading()? {
        for row in db.gears()? {
            let told = db.told_by_gear(&row.uuid)?;
            gears.push(Shown::new(app, Gear::of_row(&db, app.layout(), row)?, &told));
        }
    }
    if app.form() == Form::Json {
        app.printer().json(&Answer { gears });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["GEAR", "STATE", "CARTRIDGES", "ADDRESS"]);
    for gear in &gears {
        table.row([gear.name.as_str(), gear.state, &gear.titles(), &gear.addresses()]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}
