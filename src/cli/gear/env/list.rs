//! `cart gear env list`.

use super::PlaceArgs;
use crate::cli::app::App;
use crate::cli::gear::found;
use crate::error::{Exit, Failure};
use crate::gear::variables;
use crate::package::ident::GearName;
use crate::sys::fs::Dir;
use crate::ui::report::Form;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;

const EXAMPLES: &str = "\
Examples:
  cart gear env list blog
  cart gear env list blog --platform --json";

/// The arguments of `cart gear env list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// The gear
    #[arg(value_name = "GEAR", value_parser = GearName::parse)]
    pub gear: GearName,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Serialize)]
struct Answer<'a> {
    gear: &'a GearName,
    variables: BTreeMap<String, String>,
}

/// Lists the variables of a gear's users, or of the platform.
pub fn run(args: &ListArgs, app: &mut App) -> Result<Exit, Failure> {
    found::reading(app, &args.gear)?;
    let home = Dir::open(&app.layout().gears().join(args.gear.as_str()))?;
    let found = variables::list(&home, args.place.into())?.into_iter();
    let text = |value: std::ffi::OsString| {
        let text = value.to_string_lossy();
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    };
    let variables = found.map(|(name, value)| (name.to_string(), text(value))).collect();
    let answer = Answer { gear: &args.gear, variables };
    if app.form() == Form::Json {
        app.printer().json(&answer);
    } else {
        let lines = answer.variables.iter();
        lines.for_each(|(name, value)| app.printer().data(&format!("{name}={value}")));
    }
    Ok(Exit::Done)
}
