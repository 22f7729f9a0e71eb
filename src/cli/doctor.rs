//! `cart doctor`.

use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::cli::request::database;
use crate::db::{Db, TxnState};
use crate::error::{Exit, Failure};
use crate::facts;
use crate::gear::unit;
use crate::plan;
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::host;
use crate::ui::report::Form;
use clap::Args;
use serde::Serialize;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  cart doctor
  cart doctor --install-shims --dry-run
  cart doctor --install-unit";

/// The programs that packages and gears need.
const PROGRAMS: [(&str, &str); 3] = [
    ("/bin/bash", "every cartridge script runs through it"),
    ("/usr/bin/git", "git sources and the repositories of gears need it"),
    ("/usr/bin/perl", "the cartridges of the default index need it"),
];

/// The arguments of `cart doctor`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "independent options of a command line")]
pub struct DoctorArgs {
    /// Link the commands that cartridges call by absolute paths into /usr/bin and /usr/sbin
    #[arg(long, conflicts_with = "remove_shims")]
    pub install_shims: bool,
    /// Remove those links
    #[arg(long)]
    pub remove_shims: bool,
    /// Write a systemd unit that starts the gears with the host
    #[arg(long, conflicts_with_all = ["install_shims", "remove_shims", "remove_unit"])]
    pub install_unit: bool,
    /// Remove that unit
    #[arg(long, conflicts_with_all = ["install_shims", "remove_shims"])]
    pub remove_unit: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

#[derive(Serialize)]
struct Answer {
    findings: Vec<Finding>,
}

/// Something that is not well, and the remedy.
#[derive(Serialize)]
struct Finding {
    what: String,
    remedy: String,
}

/// Looks for trouble on this host, and changes nothing; or links the commands of cartridges.
pub fn run(args: &DoctorArgs, app: &mut App) -> Result<Exit, Failure> {
    if args.install_shims || args.remove_shims {
        return shims(args, app);
    }
    if args.install_unit || args.remove_unit {
        return the_unit(args, app);
    }
    let mut findings = programs();
    findings.extend(settings(app));
    match app.reading() {
        Ok(Some(db)) => {
            findings.extend(transactions(&db)?);
            findings.extend(disk(app, &db)?);
        }
        Ok(None) => {}
        Err(failure) => findings.push(Finding {
            what: failure.summary,
            remedy: failure.hints.into_iter().next().unwrap_or_default(),
        }),
    }
    let exit = if findings.is_empty() { Exit::Done } else { Exit::Failed };
    if app.form() == Form::Json {
        app.printer().json(&Answer { findings });
        return Ok(exit);
    }
    for Finding { what, remedy } in &findings {
        app.printer().data(&format!("{what}\n  remedy: {remedy}"));
    }
    if findings.is_empty() {
        app.printer().talk("all is well");
    }
    Ok(exit)
}

/// Writes the unit, or removes it.
fn the_unit(args: &DoctorArgs, app: &App) -> Result<Exit, Failure> {
    let db = database(app, args.change.dry_run)?;
    let text = unit::text(&host::this_program(), app.layout().root());
    carry_out(app, &db, &args.change, &|| {
        let now = fs::read_text(&app.layout().units().join(unit::NAME)).ok();
        Ok(if args.install_unit {
            plan::unit::install(text.clone(), now)
        } else {
            plan::unit::remove(now)
        })
    })
}

/// Makes the links, or removes them.
fn shims(args: &DoctorArgs, app: &App) -> Result<Exit, Failure> {
    if !host::is_root() && app.layout().root().is_none() {
        let text = "the folders of the host's commands belong to root";
        return Err(Failure::new(Exit::Refused, text).hint("run it as root"));
    }
    let db = database(app, args.change.dry_run)?;
    let program = host::this_program();
    carry_out(app, &db, &args.change, &|| {
        let found = facts::shims::shims(app.layout(), &program)?;
        Ok(if args.install_shims {
            plan::shims::install(&found, &program.display().to_string())?
        } else {
            plan::shims::remove(&found)
        })
    })
}

fn programs() -> Vec<Finding> {
    let missing = PROGRAMS.iter().filter(|(path, _)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let places = ["/usr/local/bin", "/usr/bin", "/bin"];
        !places.iter().any(|place| fs::kind_of(&Path::new(place).join(name)) == Some(Kind::File))
    });
    missing
        .map(|(path, why)| Finding {
            what: format!("`{path}` is missing: {why}"),
            remedy: format!("apt-get install {}", path.rsplit('/').next().unwrap_or(path)),
        })
        .collect()
}

fn settings(app: &App) -> Option<Finding> {
    let failure = app.config().err()?;
    let what = std::iter::once(failure.summary).chain(failure.causes);
    Some(Finding {
        what: what.collect::<Vec<_>>().join(": "),
        remedy: "correct that line; cart-config(5) lists every setting".into(),
    })
}

fn transactions(db: &Db) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for row in db.unfinished()? {
        let (id, title) = (row.id, row.title);
        let state = row.state.as_str();
        let remedy = match row.state {
            TxnState::Held => format!("`cart undo {id}` puts it back"),
            TxnState::Stuck => format!("`cart history {id}` says why; then `cart recover`"),
            _ if crate::sys::process::is_alive(row.process) => "wait until it is over".into(),
            _ => "`cart recover` brings it to an end".into(),
        };
        findings.push(Finding { what: format!("transaction {id} ({title}) is {state}"), remedy });
    }
    Ok(findings)
}

fn disk(app: &App, db: &Db) -> Result<Vec<Finding>, Failure> {
    /// Below this, the next installation is likely to fail.
    const LITTLE: u64 = 64 << 20;
    let mut findings = Vec::new();
    if let Ok(state) = Dir::open(app.layout().state())
        && state.free_bytes()? < LITTLE
    {
        findings.push(Finding {
            what: format!("less than 64 MiB are free below `{}`", state.path().display()),
            remedy: "free some space; `cart cache clean` gives some".into(),
        });
    }
    for stray in facts::strays(db, app.layout())? {
        findings.push(Finding {
            what: format!("{}: {}", stray.what, stray.path),
            remedy: match stray.what {
                "database" => "restore the database from a backup".into(),
                _ => "`cart recover` sweeps what it knows; look at the rest, then move it away"
                    .into(),
            },
        });
    }
    Ok(findings)
}
