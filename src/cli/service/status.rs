//! `cart service status`.

use super::Which;
use crate::cli::app::App;
use crate::error::{Context, Exit, Failure};
use crate::step::call_init::FAILED;
use crate::step::init_status::{Answer, ask};
use crate::sys::interrupt;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart service status web-app
  cart service status --all --json";

/// The arguments of `cart service status`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Serialize)]
struct Told {
    services: Vec<One>,
}

#[derive(Serialize)]
struct One {
    package: String,
    script: String,
    start: u32,
    unit: Option<String>,
    #[serde(flatten)]
    answer: Answer,
}

/// Asks the init scripts, and tells what they answer.
pub fn run(args: &StatusArgs, app: &mut App) -> Result<Exit, Failure> {
    interrupt::watch_or_fail()?;
    let told = asked(args, app).doing(|| "cannot ask services".into())?;
    if told.services.iter().any(|one| one.answer.status != 0) {
        app.answer_with(FAILED);
    }
    if app.form() == Form::Json {
        app.printer().json(&told);
    } else {
        show(app, &told);
    }
    Ok(Exit::Done)
}

fn asked(args: &StatusArgs, app: &App) -> Result<Told, Failure> {
    let mut services = Vec::new();
    let found = args.which.find(app, app.reading()?.as_ref())?;
    let mut scripts: Vec<_> =
        found.iter().flat_map(|one| one.scripts.iter().map(move |script| (one, script))).collect();
    scripts.sort_by_key(|(_, script)| script.start);
    for (one, script) in scripts {
        let answer = ask((app.layout(), app.config()?), (&script.path, &one.base))?;
        interrupt::check()?;
        services.push(One {
            package: one.package.clone(),
            script: script.path.clone(),
            start: script.start,
            unit: script.unit.clone(),
            answer,
        });
    }
    Ok(Told { services })
}

fn show(app: &App, told: &Told) {
    let mut table = Table::new(["PACKAGE", "SCRIPT", "STATUS", "OUTPUT"]);
    for one in &told.services {
        let name = one.script.rsplit('/').next().unwrap_or_default();
        let output = one.answer.output.lines().next().unwrap_or_default();
        table.row([one.package.as_str(), name, &one.answer.status.to_string(), output]);
    }
    app.printer().table(&table);
}
