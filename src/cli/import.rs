//! `cart import`.

use super::change::{ChangeArgs, carry_out};
use super::request::{database, gather};
use crate::cli::app::App;
use crate::error::{Context, Exit, Failure};
use crate::facts::tpkg::{Fit, OldEntry, old_base, root, settled, tpkg_host};
use crate::gather::{Arrival, Request, What};
use crate::package::Package;
use crate::package::ident::FormatName;
use crate::plan::Plan;
use crate::plan::tpkg::import::{Known, TakeOver, take_over};
use crate::source::locator::Source;
use crate::sys::{interrupt, random};
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cart import tpkg /opt/tpkg --dry-run
  cart import tpkg /opt/tpkg";

/// The arguments of `cart import`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ImportArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take over what tpkg has installed below a base
    ///
    /// Reads the database of tpkg, `var/tpkg` below the base: the copies of the packages, and what it
    /// has recorded of their files and of externals. No file is installed, changed or removed, and no
    /// script or external is called; from then on `cart` upgrades, verifies and removes these
    /// packages, and its externals are told what tpkg's were. An entry that is damaged, whose files
    /// are all gone, or whose files belong to a package of `cart`, is left out with a warning. What
    /// is known already stays as it is. The database of tpkg is left as it is: do not use both
    /// programs on one base.
    Tpkg(ImportTpkgArgs),
}

/// The arguments of `cart import tpkg`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ImportTpkgArgs {
    /// The base, such as `/opt/tpkg`
    #[arg(value_name = "BASE")]
    pub base: PathBuf,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Takes over what another program has installed, all in one transaction.
pub fn run(args: &ImportArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::Tpkg(args) => {
            tpkg(args, app).doing(|| format!("cannot import `{}`", args.base.display()))
        }
    }
}

fn tpkg(args: &ImportTpkgArgs, app: &App) -> Result<Exit, Failure> {
    if !args.base.is_absolute() {
        return Err(Failure::new(Exit::Usage, "the base is not absolute")
            .hint("say `cart import tpkg /opt/tpkg`, for example"));
    }
    interrupt::watch_or_fail()?;
    let old = old_base(app.layout(), &args.base)?;
    let db = database(app, args.change.dry_run)?;
    let (mut warnings, mut arrived) = (old.odd.clone(), Vec::new());
    for entry in &old.entries {
        match bring(app, entry) {
            Ok(arrival) => arrived.push((entry, arrival)),
            Err(failure) if matches!(failure.exit, Exit::Interrupted | Exit::Terminated) => {
                return Err(failure);
            }
            Err(failure) => warnings.push(left_out(entry, &words(&failure))),
        }
    }
    let tag = random::hex(8)?;
    carry_out(app, &db, &args.change, &|| {
        let coming: Vec<(&OldEntry, &Package)> =
            arrived.iter().map(|(entry, arrival)| (*entry, &arrival.new.package)).collect();
        let fits = settled((&db, app.layout()), &old, &coming)?;
        let (mut packages, mut known, mut warnings) = (Vec::new(), Vec::new(), warnings.clone());
        let mut places = BTreeSet::new();
        for ((entry, arrival), fit) in arrived.iter().zip(&fits) {
            let place = arrival.new.place.as_str();
            match fit {
                Fit::Known => known.push(format!("`{}` is known already", entry.file_name)),
                Fit::Refused(why) => warnings.push(left_out(entry, why)),
                Fit::New(_) if !places.insert(place) || db.package_at(place)?.is_some() => {
                    warnings.push(left_out(entry, "the same package is there under another name"));
                }
                Fit::New(settled) => {
                    packages.push(Known { arrival, file_name: &entry.file_name, settled });
                }
            }
        }
        let host = tpkg_host(&root(app.layout())?, &users(&coming))?;
        let mut plan = if packages.is_empty() {
            Plan::new("take over nothing")
        } else {
            take_over(&TakeOver { base: &old.shown, packages, host: &host, tag: &tag })?
        };
        plan.summary.extend(known);
        plan.warnings.splice(0..0, warnings);
        Ok(plan)
    })
}

/// Reads the copy of a package as any other package.
fn bring(app: &App, entry: &OldEntry) -> Result<Arrival, Failure> {
    let request = Request::new(What::Source(Source::File(entry.archive.clone())));
    let arrival = gather(app, &[request])?.into_iter().next();
    let arrival = arrival.filter(|one| one.new.package.format == FormatName::Tpkg);
    arrival.ok_or_else(|| Failure::new(Exit::Integrity, "it is no package of tpkg"))
}

fn left_out(entry: &OldEntry, why: &str) -> String {
    format!("`{}` is left out: {why}", entry.file_name.escape_debug())
}

fn words(failure: &Failure) -> String {
    std::iter::once(&failure.summary).chain(&failure.causes).cloned().collect::<Vec<_>>().join(": ")
}

/// The users of whose crontabs the packages speak.
fn users(coming: &[(&OldEntry, &Package)]) -> BTreeSet<String> {
    let tpkgs = coming.iter().filter_map(|(_, package)| package.tpkg.as_ref());
    let files = tpkgs.flat_map(|tpkg| &tpkg.files);
    files.filter_map(|file| file.crontab.as_ref()?.user.clone()).collect()
}
