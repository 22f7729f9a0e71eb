//! `cart status`.

use super::app::App;
use super::gear::{memory, side_by_side};
use crate::error::{Exit, Failure};
use crate::facts::{self, Gear};
use crate::gear::environment::Host;
use crate::gear::state::State;
use crate::step::status::{self, Answer};
use crate::sys::clock::Moment;
use crate::sys::net;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart status
  cart status --json";

/// How many gears are asked at a time: their scripts wait more than they work.
const JOBS: usize = 8;

/// The arguments of `cart status`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {}

#[derive(Serialize)]
struct Told {
    gears: Vec<One>,
}

#[derive(Serialize)]
struct One {
    gear: String,
    /// `running`, `failing`, or the state of one that is not meant to run.
    found: &'static str,
    /// What it was last told to be.
    expected: &'static str,
    since: Option<String>,
    processes: usize,
    process_limit: Option<u64>,
    memory: u64,
    memory_limit: Option<u64>,
    sandbox: String,
    cartridges: Vec<String>,
    endpoints: Vec<Endpoint>,
    answers: Vec<Answer>,
}

#[derive(Serialize)]
struct Endpoint {
    name: String,
    address: String,
    port: u16,
    listens: bool,
}

/// Shows how all gears are doing, as found by asking them.
pub fn run(_args: &StatusArgs, app: &mut App) -> Result<Exit, Failure> {
    crate::sys::interrupt::watch_or_fail()?;
    let (mut gears, shared) = match app.reading()? {
        Some(db) => (Gear::all(&db, app.layout())?, facts::shared(&db)?),
        None => Default::default(),
    };
    gears.sort_by(|one, other| one.row.name.cmp(&other.row.name));
    let host = Host { layout: app.layout(), config: app.config()?, shared: &shared };
    let names: Vec<String> = gears.iter().map(|gear| gear.row.name.clone()).collect();
    let answers = side_by_side(&names, JOBS, &|name| {
        let gear = gears.iter().find(|gear| gear.row.name == name && is_asked(gear));
        gear.map_or(Ok(Vec::new()), |gear| status::ask(host, &gear.identity))
    });
    crate::sys::interrupt::check()?;
    let mut told = Told { gears: Vec::new() };
    for (gear, answers) in gears.iter().zip(answers) {
        told.gears.push(one(app, gear, answers.unwrap_or_else(|| Ok(Vec::new()))?));
    }
    if app.form() == Form::Json {
        app.printer().json(&told);
    } else {
        show(app, &gears, &told);
    }
    Ok(Exit::Done)
}

/// A gear that is not meant to run, and does not, is not asked: its scripts might start something.
fn is_asked(gear: &Gear) -> bool {
    gear.processes > 0 || matches!(gear.state, Some(State::Started) | None)
}

fn one(app: &App, gear: &Gear, answers: Vec<Answer>) -> One {
    let expected = gear.state.map_or("unknown", State::as_str);
    let endpoints = gear.endpoints.iter().map(|row| Endpoint {
        name: row.name.clone(),
        listens: row.address.parse().is_ok_and(|at| net::listens(at, row.port)),
        address: row.address.clone(),
        port: row.port,
    });
    let endpoints: Vec<Endpoint> = endpoints.collect();
    let all_well = answers.iter().all(|answer| answer.status.unwrap_or_default() == 0);
    let is_silent = !endpoints.is_empty() && !endpoints.iter().any(|one| one.listens);
    let found = match gear.state {
        _ if !is_asked(gear) => expected,
        _ if all_well && !is_silent => "running",
        _ if all_well && gear.processes > 0 => "silent",
        _ => "failing",
    };
    let titles = gear.identity.cartridges.iter();
    One {
        gear: gear.row.name.clone(),
        found,
        expected,
        since: gear.since.map(|seconds| app_moment(app, seconds)),
        processes: gear.processes,
        process_limit: gear.limits.processes,
        memory: gear.memory,
        memory_limit: gear.limits.memory,
        sandbox: gear.identity.sandbox.as_str().into(),
        cartridges: titles.map(|one| format!("{}-{}", one.dir, one.software)).collect(),
        endpoints,
        answers,
    }
}

fn app_moment(app: &App, seconds: i64) -> String {
    let moment = Moment(seconds.saturating_mul(1000));
    if app.form() == Form::Json { moment.rfc3339() } else { app.printer().moment(moment) }
}

fn show(app: &App, gears: &[Gear], told: &Told) {
    let header = ["GEAR", "STATE", "CARTRIDGES", "ADDRESS", "SINCE", "PROCESSES", "MEMORY"];
    let mut table = Table::new(header);
    for one in &told.gears {
        let addresses: Vec<_> = one
            .endpoints
            .iter()
            .map(|at| {
                let mark = if at.listens || one.processes == 0 { "" } else { " (silent)" };
                format!("{}:{}{mark}", at.address, at.port)
            })
            .collect();
        table.row([
            one.gear.as_str(),
            one.found,
            &one.cartridges.join(", "),
            &addresses.join(", "),
            one.since.as_deref().unwrap_or("-"),
            &one.processes.to_string(),
            &memory(one.memory, one.memory_limit),
        ]);
    }
    app.printer().table(&table);
    if gears.is_empty() {
        app.printer().talk("there are no gears: `cart gear create` makes one");
    }
}
