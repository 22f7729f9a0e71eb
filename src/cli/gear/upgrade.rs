//! `cart gear upgrade`.

use super::found;
use super::many::{call, side_by_side};
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out, write_sdk};
use crate::cli::upgrade::upgrade_packages;
use crate::db::{Db, TxnRow, TxnState};
use crate::error::{Context, Exit, Failure};
use crate::facts::UpgradeFacts;
use crate::package::ident::GearName;
use crate::plan::Resource;
use crate::plan::gear::{Refresh, upgrade};
use crate::sys::interrupt;
use crate::txn::{Engine, Locks, Receipt, Recovered, Unfinished};
use crate::ui::report::Form;
use crate::ui::table::Table;
use crate::ui::teller::Teller;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

const EXAMPLES: &str = "\
Examples:
  cart gear upgrade blog --dry-run
  cart gear upgrade --all -j 4 --max-failures 3
  cart gear upgrade blog --resume";

/// The arguments of `cart gear upgrade`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct UpgradeArgs {
    /// The gears
    #[arg(value_name = "NAME", value_parser = GearName::parse, required_unless_present = "all")]
    pub names: Vec<GearName>,
    /// Every gear, each in a transaction of its own
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// With several gears: how many at a time
    #[arg(short, long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// With several gears: begin no further one after so many have failed
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub max_failures: Option<u32>,
    /// Renew cartridges that have the newest release, too, as by an incompatible upgrade
    #[arg(long)]
    pub force: bool,
    /// First bring the newest releases of their cartridges into the library, from the index and from
    /// where they came, as `cart upgrade` does
    #[arg(long, conflicts_with = "resume")]
    pub fetch: bool,
    /// Go on with an upgrade that failed and was held
    #[arg(long)]
    pub resume: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Upgrades gears to the newest releases in the library.
pub fn run(args: &UpgradeArgs, app: &mut App) -> Result<Exit, Failure> {
    if args.fetch {
        fetch(args, app).doing(|| "cannot bring newer releases into the library".into())?;
    }
    match args.names.as_slice() {
        [name] => one(args, app, name).doing(|| format!("cannot upgrade the gear `{name}`")),
        _ => many(args, app),
    }
}

/// Brings newer releases of the gears' cartridges into the library, in a transaction of its own: it
/// stays, whatever becomes of the gears. What is held stays as it is.
fn fetch(args: &UpgradeArgs, app: &App) -> Result<(), Failure> {
    if args.change.dry_run && app.form() == Form::Json {
        let text = "`--fetch --dry-run --json` would answer with two plans";
        return Err(Failure::new(Exit::Usage, text)
            .hint("`cart upgrade --dry-run --json` tells what would come into the library"));
    }
    let mut packages = BTreeSet::new();
    for name in names(args, app)? {
        let Some(db) = app.reading()? else { continue };
        let Some(row) = db.gear(&name)? else { continue };
        for cartridge in db.gear_cartridges(row.id)? {
            let package = db.package(cartridge.package)?;
            packages.extend(package.map(|row| (row.vendor, row.name)));
        }
    }
    upgrade_packages(app, &packages, &args.change)?;
    if args.change.dry_run {
        app.printer().talk("what becomes of the gears is planned with what the library has now:");
    }
    Ok(())
}

fn one(args: &UpgradeArgs, app: &App, name: &GearName) -> Result<Exit, Failure> {
    let db = found::changing(app, name)?;
    let refresh = if args.force { Refresh::All } else { Refresh::Outdated };
    if let Some(row) = open_upgrade(&db, name)?
        && !args.change.dry_run
    {
        return go_on(args, app, (&db, &row));
    }
    if args.resume {
        let text = format!("no upgrade of the gear `{name}` is held or was cut off");
        return Err(Failure::new(Exit::NotFound, text).hint("leave `--resume` out"));
    }
    let config = app.config()?;
    carry_out(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, name)?;
        Ok(upgrade(&UpgradeFacts::of(&db, (app.layout(), config), gear)?, refresh)?)
    })
}

/// The upgrade of the gear that is not over.
fn open_upgrade(db: &Db, name: &GearName) -> Result<Option<TxnRow>, Failure> {
    let lock = Resource::Gear(name.clone()).journaled();
    for row in db.unfinished()? {
        let is_open = matches!(row.state, TxnState::Running | TxnState::Held);
        if is_open && row.resume.is_some() && db.resources(row.id)?.contains(&lock) {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

#[derive(Serialize)]
struct GoneOn<'a> {
    resumed: bool,
    changed: bool,
    transaction: i64,
    title: &'a str,
    messages: &'a [String],
    results: &'a [String],
    errors: &'a [String],
    warnings: &'a [String],
}

/// Goes on with an upgrade from where it was cut off or held.
fn go_on(args: &UpgradeArgs, app: &App, (db, row): (&Db, &TxnRow)) -> Result<Exit, Failure> {
    let TxnRow { id, title, state, .. } = row;
    if *state == TxnState::Held && !args.resume {
        let text = format!("transaction {id} ({title}) failed and is held for inspection");
        return Err(Failure::new(Exit::Refused, text)
            .hint(format!("`--resume` goes on with it, `cart undo {id}` puts it back")));
    }
    interrupt::watch_or_fail()?;
    write_sdk(app)?;
    let engine = Engine::new(db, app.layout(), app.config()?)?;
    let teller = Teller::new(app.printer(), app.form(), app.agrees());
    let mut locks = Locks::take(&engine.state, &BTreeSet::new(), app.wait(), app.command_line())?;
    app.printer().talk(&format!("going on with transaction {id} ({title})"));
    let unfinished = Unfinished::GoOn(args.change.on_failure.into());
    match engine.recover_one(row, &mut locks, (unfinished, &teller))? {
        Recovered::GoneOn { txn, title, receipt } => {
            told(app, (txn, &title), &receipt);
            Ok(Exit::Done)
        }
        Recovered::Failed { failure, .. } => Err(*failure),
        Recovered::Running { txn, .. } => {
            Err(Failure::new(Exit::Busy, format!("transaction {txn} is running"))
                .hint("wait until it is over"))
        }
        Recovered::Stuck { txn, why, .. } => {
            Err(Failure::new(Exit::Stuck, format!("transaction {txn} is stuck: {why}"))
                .hint("mend what is named there, then run `cart recover`"))
        }
        Recovered::PutBack { txn, .. } | Recovered::Finished { txn, .. } => {
            app.printer().talk(&format!("transaction {txn} was over already"));
            Ok(Exit::Done)
        }
    }
}

fn told(app: &App, (transaction, title): (i64, &str), receipt: &Receipt) {
    let Receipt { messages, results, errors, warnings, .. } = receipt;
    match app.form() {
        Form::Json => app.printer().json(&GoneOn {
            resumed: true,
            changed: true,
            transaction,
            title,
            messages,
            results,
            errors,
            warnings,
        }),
        Form::Text => {
            app.printer().talk(&format!("done: {title} (transaction {transaction})"));
            for line in results {
                app.printer().talk(line);
            }
        }
    }
}

#[derive(Serialize)]
struct Told {
    gears: Vec<One>,
    upgraded: usize,
    unchanged: usize,
    failed: usize,
    not_begun: usize,
}

#[derive(Serialize)]
struct One {
    gear: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
    #[serde(skip_serializing_if = "Value::is_null")]
    answer: Value,
}

/// What became of one of several gears.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Upgraded,
    Unchanged,
    Failed,
    NotBegun,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Upgraded => "upgraded",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::NotBegun => "not begun",
        }
    }
}

/// Upgrades several gears side by side; one that fails is put back and keeps no other one from its
/// upgrade.
fn many(args: &UpgradeArgs, app: &mut App) -> Result<Exit, Failure> {
    interrupt::watch_or_fail()?;
    let names = names(args, app)?;
    let mut line: Vec<String> = app.handed_down();
    // What each has to say is read here.
    if app.form() == Form::Text {
        line.push("--json".into());
    }
    line.extend(["gear", "upgrade"].map(str::to_owned));
    line.extend(args.force.then(|| "--force".to_owned()));
    line.extend(args.resume.then(|| "--resume".to_owned()));
    line.extend(args.change.words());
    let (failures, most) =
        (AtomicUsize::new(0), args.max_failures.map_or(usize::MAX, |most| most as usize));
    let (printer, form) = (app.printer(), app.form());
    let outcomes = side_by_side(&names, usize::from(args.jobs), &|name| {
        if failures.load(Ordering::Relaxed) >= most {
            return None;
        }
        let output = call(&line, name);
        let one = output.as_ref().ok().map(|output| read(name, output));
        if one.as_ref().is_none_or(|one| one.outcome == Outcome::Failed) {
            failures.fetch_add(1, Ordering::Relaxed);
        }
        if let (Some(one), Form::Text) = (&one, form) {
            printer.talk(&format!("{name}: {}", one.outcome.as_str()));
        }
        Some(output.map(|_| one))
    });
    let mut gears = Vec::new();
    for (name, outcome) in names.iter().zip(outcomes) {
        let one = outcome.flatten().transpose()?.flatten();
        gears.push(one.unwrap_or_else(|| One {
            gear: name.clone(),
            outcome: Outcome::NotBegun,
            exit: None,
            answer: Value::Null,
        }));
    }
    let told = summed(gears);
    show(app, &told);
    interrupt::check()?;
    let mut bad = told.gears.iter().filter(|one| one.outcome == Outcome::Failed);
    if let Some(status) = bad.find_map(|one| one.exit) {
        app.answer_with(status);
    }
    Ok(Exit::Done)
}

fn names(args: &UpgradeArgs, app: &App) -> Result<Vec<String>, Failure> {
    if !args.all {
        for name in &args.names {
            found::reading(app, name)?;
        }
        return Ok(args.names.iter().map(GearName::to_string).collect());
    }
    let db = app.reading()?;
    let rows = db.map_or(Ok(Vec::new()), |db| db.gears())?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// What the `cart` for one gear has answered.
fn read(name: &str, output: &Output) -> One {
    let exit = output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    let changed = answer.get("changed").and_then(Value::as_bool).unwrap_or(false);
    let outcome = match (exit, changed) {
        (0, true) => Outcome::Upgraded,
        (0, false) => Outcome::Unchanged,
        _ => Outcome::Failed,
    };
    One { gear: name.to_owned(), outcome, exit: Some(exit), answer }
}

fn summed(gears: Vec<One>) -> Told {
    let count = |outcome| gears.iter().filter(|one| one.outcome == outcome).count();
    Told {
        upgraded: count(Outcome::Upgraded),
        unchanged: count(Outcome::Unchanged),
        failed: count(Outcome::Failed),
        not_begun: count(Outcome::NotBegun),
        gears,
    }
}

fn show(app: &App, told: &Told) {
    if app.form() == Form::Json {
        app.printer().json(told);
        return;
    }
    let mut table = Table::new(["GEAR", "OUTCOME", "WHY"]);
    for one in told.gears.iter().filter(|one| one.outcome != Outcome::Unchanged) {
        table.row([one.gear.as_str(), one.outcome.as_str(), &why(&one.answer)]);
    }
    if !table.is_empty() {
        app.printer().table(&table);
    }
    let Told { upgraded, unchanged, failed, not_begun, .. } = told;
    app.printer().talk(&format!(
        "{upgraded} upgraded, {unchanged} unchanged, {failed} failed, {not_begun} not begun"
    ));
}

/// Why a gear's upgrade failed, in a line.
fn why(answer: &Value) -> String {
    let Some(error) = answer.get("error") else { return String::new() };
    let causes = error.get("causes").and_then(Value::as_array);
    let cause = causes.and_then(|causes| causes.first());
    let cause = cause.or(error.get("summary")).and_then(Value::as_str);
    cause.unwrap_or_default().to_owned()
}
