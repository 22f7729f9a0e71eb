//! `cart gear env list`.

use super::{PlaceArgs, gears_of};
use crate::cli::app::App;
use crate::cli::gear::found;
use crate::error::{Exit, Failure};
use crate::gear::variables::{self, Place};
use crate::package::ident::GearName;
use crate::sys::fs::Dir;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;

const EXAMPLES: &str = "\
Examples:
  cart gear env list blog
  cart gear env list --app blog
  cart gear env list blog --platform --json";

/// The arguments of `cart gear env list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// The gear
    #[arg(value_name = "GEAR", value_parser = GearName::parse, required_unless_present = "app")]
    pub gear: Option<GearName>,
    /// Every gear of this application, instead of one
    #[arg(long, value_name = "APP", value_parser = GearName::parse, conflicts_with = "gear")]
    pub app: Option<GearName>,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Serialize)]
struct Answer {
    gear: GearName,
    variables: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct AnswerOfApp<'a> {
    app: &'a GearName,
    gears: Vec<Answer>,
}

/// Lists the variables of users, or of the platform, in one gear or in all of an application.
pub fn run(args: &ListArgs, app: &mut App) -> Result<Exit, Failure> {
    let place = Place::from(args.place);
    if let Some(name) = &args.app {
        let db = app.reading()?;
        let gears = gears_of(app, db.as_ref(), name)?;
        let names = gears.into_iter().map(|gear| gear.identity.name);
        let gears = names.map(|name| answer(app, name, place)).collect::<Result<Vec<_>, _>>()?;
        if app.form() == Form::Json {
            app.printer().json(&AnswerOfApp { app: name, gears });
            return Ok(Exit::Done);
        }
        let mut table = Table::new(["GEAR", "VARIABLE"]);
        for Answer { gear, variables } in &gears {
            for (name, value) in variables {
                table.row([gear.as_str(), &format!("{name}={value}")]);
            }
        }
        app.printer().table(&table);
        return Ok(Exit::Done);
    }
    let Some(name) = &args.gear else { return Ok(Exit::Usage) };
    found::reading(app, name)?;
    let answer = answer(app, name.clone(), place)?;
    if app.form() == Form::Json {
        app.printer().json(&answer);
    } else {
        let lines = answer.variables.iter();
        lines.for_each(|(name, value)| app.printer().data(&format!("{name}={value}")));
    }
    Ok(Exit::Done)
}

fn answer(app: &App, gear: GearName, place: Place) -> Result<Answer, Failure> {
    let home = Dir::open(&app.layout().gears().join(gear.as_str()))?;
    let found = variables::list(&home, place)?.into_iter();
    let text = |value: std::ffi::OsString| {
        let text = value.to_string_lossy();
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    };
    let variables = found.map(|(name, value)| (name.to_string(), text(value))).collect();
    Ok(Answer { gear, variables })
}
