//! `cart gear status`.

use super::found;
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::facts;
use crate::gear::environment::Host;
use crate::gear::state::State;
use crate::package::ident::GearName;
use crate::step::status::{self, Answer};
use crate::ui::report::Form;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart gear status blog
  cart gear status blog --json";

/// The arguments of `cart gear status`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
}

#[derive(Serialize)]
struct Told {
    gear: String,
    state: &'static str,
    sandbox: String,
    processes: usize,
    process_limit: Option<u64>,
    memory: u64,
    memory_limit: Option<u64>,
    cartridges: Vec<Answer>,
    /// The other gears of the scaled application whose head it is.
    gears: Vec<Child>,
}

#[derive(Serialize)]
struct Child {
    gear: String,
    state: &'static str,
    processes: usize,
}

/// Memory in use and, where the kernel sees to it, the most of it.
pub(in crate::cli) fn memory(used: u64, limit: Option<u64>) -> String {
    let used = used.div_ceil(1 << 20);
    match limit {
        Some(limit) => format!("{used} of {} MiB", limit >> 20),
        None => format!("{used} MiB"),
    }
}

/// Tells how a gear is doing, by its exit status too: that of the first cartridge that does not
/// run.
pub fn run(args: &StatusArgs, app: &mut App) -> Result<Exit, Failure> {
    let (db, gear) = found::reading(app, &args.name)?;
    let shared = facts::shared(&db)?;
    let host = Host { layout: app.layout(), config: app.config()?, shared: &shared };
    let cartridges = status::ask(host, &gear.identity)?;
    let bad = cartridges.iter().filter_map(|one| one.status).find(|status| *status != 0);
    let children = gear.children(&db, app.layout())?.into_iter().map(|one| Child {
        gear: one.row.name,
        state: one.state.map_or("unknown", State::as_str),
        processes: one.processes,
    });
    let told = Told {
        gears: children.collect(),
        gear: gear.row.name,
        state: gear.state.map_or("unknown", State::as_str),
        sandbox: gear.identity.sandbox.as_str().into(),
        processes: gear.processes,
        process_limit: gear.limits.processes,
        memory: gear.memory,
        memory_limit: gear.limits.memory,
        cartridges,
    };
    if app.form() == Form::Json {
        app.printer().json(&told);
    } else {
        let Told { gear, state, processes, sandbox, .. } = &told;
        let printer = app.printer();
        let most = told.process_limit.map(|most| format!(" of {most}")).unwrap_or_default();
        let memory = memory(told.memory, told.memory_limit);
        printer.data(&format!(
            "{gear}: {state}, {processes}{most} processes, {memory} of memory, sandbox {sandbox}"
        ));
        for Answer { cartridge, status, output } in &told.cartridges {
            let how = match status {
                Some(0) => "runs".to_owned(),
                Some(status) => format!("status {status}"),
                None => "unknown".to_owned(),
            };
            printer.data(&format!("{cartridge}: {how}"));
            output.lines().for_each(|line| printer.data(&format!("  {line}")));
        }
        for Child { gear, state, processes } in &told.gears {
            printer.data(&format!("{gear}: {state}, {processes} processes"));
        }
    }
    if let Some(status) = bad {
        app.answer_with(status);
    }
    Ok(Exit::Done)
}
