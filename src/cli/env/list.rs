//! `cart env list`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::facts;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart env list
  cart env list --json";

/// The arguments of `cart env list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {}

#[derive(Serialize)]
struct Answer {
    variables: Vec<Variable>,
}

#[derive(Serialize)]
struct Variable {
    name: String,
    value: String,
    publisher: String,
}

/// Lists the variables of all gears.
pub fn run(_args: &ListArgs, app: &mut App) -> Result<Exit, Failure> {
    let shared = app.reading()?.map(|db| facts::shared(&db)).transpose()?.unwrap_or_default();
    let variables = shared.0.into_iter().map(|(name, one)| Variable {
        name,
        value: one.value,
        publisher: one.publisher,
    });
    let answer = Answer { variables: variables.collect() };
    if app.form() == Form::Json {
        app.printer().json(&answer);
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["NAME", "PUBLISHER", "VALUE"]);
    for Variable { name, value, publisher } in &answer.variables {
        table.row([name, publisher, value]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}
