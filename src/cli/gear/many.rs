//! One gear or all of them: what `start`, `stop` and their kin have in common.
//!
//! Each gear is a transaction of its own, so that one that fails puts back nothing of the others;
//! for `--all` each is a `cart` of its own, some of them side by side.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::db::{Db, GearRole};
use crate::error::{Context, Exit, Failure};
use crate::facts::Gear;
use crate::package::ident::GearName;
use crate::plan::Plan;
use crate::sys::{host, interrupt, process};
use crate::ui::report::Form;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::process::{Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which gears are meant.
#[derive(Args, Debug)]
pub struct GearsArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse, required_unless_present = "all")]
    pub name: Option<GearName>,
    /// Every gear, each in a transaction of its own
    #[arg(long, conflicts_with = "name")]
    pub all: bool,
    /// With `--all`: how many gears at a time
    #[arg(short, long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
}

/// What is to be done with each: the words of the command line, without the gear's name.
pub(super) struct Deed<'a> {
    /// As in `cart gear start`.
    pub(super) words: &'a [&'a str],
    /// Makes the plan.
    pub(super) plan: &'a dyn Fn(&Gear) -> Result<Plan, Failure>,
}

#[derive(Serialize)]
struct Told {
    gears: Vec<One>,
}

#[derive(Serialize)]
struct One {
    gear: String,
    exit: u8,
    answer: Value,
}

/// Does it with the gears that are meant.
pub(super) fn run(
    app: &mut App,
    gears: &GearsArgs,
    change: &ChangeArgs,
    deed: &Deed<'_>,
) -> Result<Exit, Failure> {
    let plan = |app: &App, db: &Db, name: &GearName| of_application(app, db, name, deed);
    run_by(app, gears, change, (deed.words, &plan))
}

/// What plans a change for the gear of a name, and for what belongs to that.
pub(super) type Planning<'a> = dyn Fn(&App, &Db, &GearName) -> Result<Plan, Failure> + 'a;

/// The same with a planning of one's own.
pub(super) fn run_by(
    app: &mut App,
    gears: &GearsArgs,
    change: &ChangeArgs,
    (words, plan): (&[&str], &Planning<'_>),
) -> Result<Exit, Failure> {
    let Some(name) = &gears.name else { return all(app, gears, change, words) };
    let db = found::changing(app, name)?;
    carry_out(app, &db, change, &|| plan(app, &db, name))
        .doing(|| format!("cannot {} the gear `{name}`", words.first().unwrap_or(&"change")))
}

/// The plan for a gear; that of a scaled application's head does it with all of its gears. What is
/// started is there before requests come, what is stopped goes after they have ceased to.
pub(super) fn of_application(
    app: &App,
    db: &Db,
    name: &GearName,
    deed: &Deed<'_>,
) -> Result<Plan, Failure> {
    let head = found::gear(app, db, name)?;
    let children = head.children(db, app.layout())?;
    let mut plan = (deed.plan)(&head)?;
    if children.is_empty() {
        return Ok(plan);
    }
    let of_head = std::mem::take(&mut plan.steps);
    let is_start = matches!(deed.words, ["start" | "boot" | "restart", ..]);
    if !is_start {
        plan.steps.clone_from(&of_head);
    }
    for child in &children {
        plan.merge((deed.plan)(child)?);
    }
    if is_start {
        plan.steps.extend(of_head);
    }
    Ok(plan)
}

/// Does it with every gear. The answer is the first failure's exit status.
fn all(
    app: &mut App,
    gears: &GearsArgs,
    change: &ChangeArgs,
    words: &[&str],
) -> Result<Exit, Failure> {
    interrupt::watch_or_fail()?;
    let db = app.reading()?;
    let rows = db.map_or(Ok(Vec::new()), |db| db.gears())?;
    // The gears of a scaled application go with its head.
    let rows = rows.into_iter().filter(|row| row.role != Some(GearRole::Web));
    let names: Vec<String> = rows.map(|row| row.name).collect();
    let mut line: Vec<String> = app.handed_down();
    line.push("gear".into());
    line.extend(words.iter().map(|word| (*word).to_owned()));
    line.extend(change.words());
    let outcomes = side_by_side(&names, usize::from(gears.jobs), &|name| call(&line, name));
    let mut told = Told { gears: Vec::new() };
    for (gear, outcome) in names.into_iter().zip(outcomes) {
        let Some(outcome) = outcome else { continue };
        told.gears.push(tell(app, gear, &outcome?));
    }
    interrupt::check()?;
    let bad = told.gears.iter().find(|one| one.exit != 0).map(|one| one.exit);
    if app.form() == Form::Json {
        app.printer().json(&told);
    }
    if let Some(status) = bad {
        app.answer_with(status);
    }
    Ok(Exit::Done)
}

/// Shows what the `cart` for one gear has said.
fn tell(app: &App, gear: String, output: &Output) -> One {
    let exit = output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
    if app.form() == Form::Json {
        let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
        let answer = serde_json::from_slice(text).unwrap_or(Value::Null);
        return One { gear, exit, answer };
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let printer = app.printer();
    if exit == 0 {
        said.lines().for_each(|line| printer.talk(line));
    } else {
        printer.failed(&said);
    }
    if !output.stdout.is_empty() {
        printer.data(String::from_utf8_lossy(&output.stdout).trim_end());
    }
    One { gear, exit, answer: Value::Null }
}

pub(super) fn call(line: &[String], name: &str) -> Result<Output, Failure> {
    let mut command = process::command(&host::this_program());
    command.envs(host::variables()).args(line).arg(name).stdin(Stdio::null());
    command.output().map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot run cart for the gear `{name}`: {error}"))
    })
}

/// Calls `work` for each name, `jobs` at a time; gives the outcomes in the order of the names, and
/// nothing for those that an interruption kept from beginning.
pub(in crate::cli) fn side_by_side<T: Send>(
    names: &[String],
    jobs: usize,
    work: &(dyn Fn(&str) -> T + Sync),
) -> Vec<Option<T>> {
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<T>>> = names.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, names.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(name), Some(slot)) = (names.get(index), done.get(index)) else {
                        return;
                    };
                    if interrupt::check().is_err() {
                        return;
                    }
                    let outcome = work(name);
                    *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(outcome);
                }
            });
        }
    });
    let inner = |slot: Mutex<Option<T>>| {
        slot.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    done.into_iter().map(inner).collect()
}

#[cfg(test)]
mod tests {
    use super::side_by_side;

    #[test]
    fn each_name_is_worked_on_once_and_answers_keep_the_order() {
        let names: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        for jobs in [1, 3, 64] {
            let lengths = side_by_side(&names, jobs, &|name| name.to_owned());
            let expected: Vec<_> = names.iter().cloned().map(Some).collect();
            assert_eq!(lengths, expected);
        }
        assert!(side_by_side(&[], 4, &|_| ()).is_empty());
    }
}
