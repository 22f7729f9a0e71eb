//! `cart gear logs`.

use super::found;
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::gear::logs::{self, Age};
use crate::package::ident::GearName;
use crate::sys::fs::Dir;
use crate::sys::interrupt;
use clap::Args;
use std::collections::BTreeMap;

const EXAMPLES: &str = "\
Examples:
  cart gear logs blog
  cart gear logs blog -f -n 100
  cart gear logs blog --previous";

/// The arguments of `cart gear logs`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct LogsArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// Go on showing what is written
    #[arg(short, long)]
    pub follow: bool,
    /// Show the logs before these: those that were rolled last
    #[arg(short, long, conflicts_with = "follow")]
    pub previous: bool,
    /// How many of the last lines to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub lines: usize,
}

/// How often a followed log is looked at.
const GLANCE: std::time::Duration = std::time::Duration::from_millis(200);

/// Shows what a gear's logs say.
pub fn run(args: &LogsArgs, app: &mut App) -> Result<Exit, Failure> {
    found::reading(app, &args.name)?;
    let home = Dir::open(&app.layout().gears().join(args.name.as_str()))?;
    let logs = logs::folder(&home)?;
    let age = if args.previous { Age::Previous } else { Age::Current };
    let mut seen = BTreeMap::new();
    for name in logs::names(&logs, age)? {
        let (text, end) = logs::read(&logs, &name, None)?;
        let tail = logs::tail(&text, args.lines);
        if !tail.is_empty() {
            app.printer().data(&format!("==> {name} <==\n{}", tail.join("\n")));
        }
        seen.insert(name, end);
    }
    if args.follow { follow(app, &logs, seen) } else { Ok(Exit::Done) }
}

fn follow(app: &App, folder: &Dir, mut seen: BTreeMap<String, u64>) -> Result<Exit, Failure> {
    interrupt::watch_or_fail()?;
    // Ctrl-C is how following ends.
    while interrupt::check().is_ok() {
        for name in logs::names(folder, Age::Current)? {
            let from = seen.get(&name).copied().unwrap_or_default();
            let (text, end) = logs::read(folder, &name, Some(from))?;
            if !text.is_empty() {
                let lines: Vec<_> = text.lines().map(|line| format!("{name}: {line}")).collect();
                app.printer().data(&lines.join("\n"));
            }
            seen.insert(name, end);
        }
        std::thread::sleep(GLANCE);
    }
    Ok(Exit::Done)
}
