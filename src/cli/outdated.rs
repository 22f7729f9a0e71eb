//! `cart outdated`.

use super::outdated_tpkg::{self, OutdatedTpkg};
use super::upstream::{AskArgs, Silence, ask};
use crate::cli::app::App;
use crate::db::Hold;
use crate::error::{Context, Exit, Failure};
use crate::facts::{self, OldCartridge, Standing, Verdict};
use crate::package::version::Version;
use crate::sys::interrupt;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart outdated
  cart outdated --offline
  cart outdated --all --json";

/// The arguments of `cart outdated`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct OutdatedArgs {
    /// List also what is up to date
    #[arg(short, long)]
    pub all: bool,
    /// Look for tpkg packages there as well, a directory or URL with `metadata.yml`; repeatable
    #[arg(long = "source", value_name = "PLACE")]
    pub tpkg_sources: Vec<String>,
    /// How sources are asked.
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Serialize)]
struct Answer<'a> {
    packages: Vec<Shown<'a>>,
    gears: Vec<ShownCartridge<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    vendor: &'a str,
    name: &'a str,
    installed: &'a Version,
    compatible: Option<&'a Version>,
    newest: &'a Version,
    outdated: bool,
    verdict: &'static str,
    from: Option<&'static str>,
    offered: Option<&'a Version>,
    held: Option<&'a str>,
    source: &'a str,
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct ShownCartridge<'a> {
    gear: &'a str,
    cartridge: &'a str,
    vendor: &'a str,
    name: &'a str,
    software: &'a str,
    installed: &'a Version,
    compatible: Option<&'a Version>,
    newest: &'a Version,
    from: &'static str,
    held: Option<&'a str>,
}

/// Tells which packages, and which cartridges in gears, there are newer versions of.
pub fn run(args: &OutdatedArgs, app: &mut App) -> Result<Exit, Failure> {
    outdated(args, app).doing(|| "cannot tell what is outdated".into())
}

fn outdated(args: &OutdatedArgs, app: &App) -> Result<Exit, Failure> {
    let db = app.reading()?;
    let mut standings = db.as_ref().map_or(Ok(Vec::new()), facts::standings)?;
    let old = db.as_ref().map_or(Ok(Vec::new()), facts::old_cartridges)?;
    interrupt::watch_or_fail()?;
    let silent = ask(app, db.as_ref(), (&mut standings, &args.ask))?;
    let rows: Vec<_> =
        standings.iter().zip(&silent).map(|(one, why)| shown(one, why.as_ref())).collect();
    let tpkgs = match &db {
        Some(db) if !args.ask.offline => outdated_tpkg::look(app, db, &args.tpkg_sources)?,
        _ => Vec::new(),
    };
    let mut rows = rows;
    rows.extend(tpkgs.iter().map(of_tpkg));
    let pending = rows.iter().any(|row| row.outdated) || !old.is_empty();
    if app.form() == Form::Json {
        let gears = old.iter().map(shown_cartridge).collect();
        app.printer().json(&Answer { packages: rows, gears });
    } else {
        tell(app, args, (&rows, &silent), &old);
    }
    Ok(if pending { Exit::Pending } else { Exit::Done })
}

fn shown<'a>(one: &'a Standing, silent: Option<&'a Silence>) -> Shown<'a> {
    let verdict = one.verdict();
    let (word, offer) = match verdict {
        Verdict::Current => ("current", None),
        Verdict::Newer(offer) => ("newer", Some(offer)),
        Verdict::Rebuilt(offer) => ("rebuilt", Some(offer)),
        Verdict::Older(offer) => ("older", Some(offer)),
    };
    Shown {
        vendor: &one.row.vendor,
        name: &one.row.name,
        installed: &one.installed,
        compatible: one.compatible(),
        newest: one.newest(),
        outdated: matches!(verdict, Verdict::Newer(_) | Verdict::Rebuilt(_)),
        verdict: word,
        from: offer.map(|offer| offer.from.as_str()),
        offered: offer.map(|offer| &offer.version),
        held: reason(one.hold.as_ref()),
        source: &one.row.source,
        note: silent.map(Silence::text),
    }
}

fn of_tpkg(one: &OutdatedTpkg) -> Shown<'_> {
    let is_newer = one.newest != one.installed;
    Shown {
        vendor: &one.row.vendor,
        name: &one.row.name,
        installed: &one.installed,
        compatible: None,
        newest: &one.newest,
        outdated: is_newer,
        verdict: if is_newer { "newer" } else { "current" },
        from: is_newer.then_some("source"),
        offered: is_newer.then_some(&one.newest),
        held: reason(one.hold.as_ref()),
        source: &one.source,
        note: None,
    }
}

fn shown_cartridge(one: &OldCartridge) -> ShownCartridge<'_> {
    ShownCartridge {
        gear: &one.gear,
        cartridge: &one.dir,
        vendor: &one.vendor,
        name: &one.name,
        software: &one.software,
        installed: &one.installed,
        compatible: one.compatible.as_ref(),
        newest: &one.newest,
        from: facts::Whence::Library.as_str(),
        held: reason(one.hold.as_ref()),
    }
}

fn reason(hold: Option<&Hold>) -> Option<&str> {
    hold.map(|hold| hold.reason.as_str())
}

fn tell(
    app: &App,
    args: &OutdatedArgs,
    (rows, silent): (&[Shown<'_>], &[Option<Silence>]),
    old: &[OldCartridge],
) {
    let printer = app.printer();
    let mut table = Table::new(["PACKAGE", "INSTALLED", "COMPATIBLE", "NEWEST", "FROM", "HELD"]);
    for row in rows.iter().filter(|row| row.outdated || args.all) {
        let title = match row.from {
            Some("source") => row.name.to_owned(),
            _ => format!("{}-{}", row.vendor, row.name),
        };
        let newest = match row.verdict {
            "rebuilt" => format!("{} (built anew)", row.newest),
            _ => row.newest.to_string(),
        };
        let from = row.from.filter(|_| row.outdated).unwrap_or("-");
        let held = row.held.unwrap_or_default();
        table.row([&*title, row.installed.as_str(), or_none(row.compatible), &newest, from, held]);
    }
    if !table.is_empty() {
        printer.table(&table);
    }
    let mut table = Table::new(["GEAR", "CARTRIDGE", "INSTALLED", "COMPATIBLE", "NEWEST", "HELD"]);
    for one in old {
        let compatible = or_none(one.compatible.as_ref());
        let held = reason(one.hold.as_ref()).unwrap_or_default();
        table.row([
            &*one.gear,
            &one.dir,
            one.installed.as_str(),
            compatible,
            one.newest.as_str(),
            held,
        ]);
    }
    if !table.is_empty() {
        printer.table(&table);
    }
    for (row, silent) in rows.iter().zip(silent) {
        let title = format!("{}-{}", row.vendor, row.name);
        match silent {
            Some(Silence::Failed { text, .. }) => printer.warn(&format!("{title}: {text}")),
            Some(Silence::Mute(text)) => printer.detail(&format!("{title}: {text}")),
            None => {}
        }
        if let ("older", Some(offered)) = (row.verdict, row.offered) {
            printer.warn(&format!("{title}: its source offers {offered} now, which is older"));
        }
    }
}

fn or_none(version: Option<&Version>) -> &str {
    version.map_or("-", Version::as_str)
}
