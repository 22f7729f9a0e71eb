//! `cart gear logs`.

use super::found;
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use crate::sys::fs::{Dir, Kind};
use crate::sys::interrupt;
use clap::Args;
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

const EXAMPLES: &str = "\
Examples:
  cart gear logs blog
  cart gear logs blog -f -n 100";

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
    /// How many of the last lines to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub lines: usize,
}

/// The most of one log that is read back for its last lines.
const TAIL: u64 = 4 << 20;
/// How often a followed log is looked at.
const GLANCE: std::time::Duration = std::time::Duration::from_millis(200);

/// Shows what a gear's logs say.
pub fn run(args: &LogsArgs, app: &mut App) -> Result<Exit, Failure> {
    found::reading(app, &args.name)?;
    let home = Dir::open(&app.layout().gears().join(args.name.as_str()))?;
    let logs = home.dir("app-root/logs")?;
    let mut seen = BTreeMap::new();
    for name in names(&logs)? {
        let (text, end) = read(&logs, &name, None)?;
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(args.lines)..).unwrap_or_default();
        if !tail.is_empty() {
            app.printer().data(&format!("==> {name} <==\n{}", tail.join("\n")));
        }
        seen.insert(name, end);
    }
    if args.follow { follow(app, &logs, seen) } else { Ok(Exit::Done) }
}

fn follow(app: &App, logs: &Dir, mut seen: BTreeMap<String, u64>) -> Result<Exit, Failure> {
    interrupt::watch_or_fail()?;
    // Ctrl-C is how following ends.
    while interrupt::check().is_ok() {
        for name in names(logs)? {
            let from = seen.get(&name).copied().unwrap_or_default();
            let (text, end) = read(logs, &name, Some(from))?;
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

/// The logs, without the rolled ones.
fn names(logs: &Dir) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for name in logs.names()? {
        let is_file = logs.meta(&name)?.is_some_and(|meta| meta.kind == Kind::File);
        let name = name.to_string_lossy().into_owned();
        let rolled = name.rsplit('.').next().is_some_and(|end| end.parse::<u32>().is_ok());
        if is_file && !rolled {
            names.push(name);
        }
    }
    Ok(names)
}

/// What stands in a log from `from` on (its end, when nothing is given), and where it ends. A log
/// that has become shorter was rolled, and is read from its beginning.
fn read(logs: &Dir, name: &str, from: Option<u64>) -> Result<(String, u64), Failure> {
    let mut file = logs.open_file(name)?;
    let length = file.metadata().map_or(0, |meta| meta.len());
    let start = match from {
        Some(from) if from <= length => from,
        Some(_) => 0,
        None => length.saturating_sub(TAIL),
    };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.take(length - start).read_to_end(&mut bytes))
        .map_err(|error| crate::error::FsError::new("read", logs.path_of(name), error))?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), length))
}
