//! `cart upgrade`.

use super::change::{ChangeArgs, carry_out, carry_out_in};
use super::hold::lines;
use super::package::existing;
use super::request::{self, database, gather, is_source};
use super::tpkg::{self, Job, TpkgArgs};
use super::upstream::{AskArgs, Silence, ask};
use crate::cli::app::App;
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::facts::tpkg::{Turn, is_tpkg};
use crate::facts::{self, Offer, Standing, Verdict, Whence};
use crate::format::Line;
use crate::gather::{Arrival, Request, What};
use crate::index;
use crate::package::ident::{FormatName, Name, Vendor};
use crate::package::version::Version;
use crate::plan::hold;
use crate::plan::old_releases::Keeping;
use crate::plan::tpkg::Liberties;
use crate::plan::tpkg::wish::Wish;
use crate::plan::upgrade::{Asked, Downgrade, UpgradeAsk, upgrade};
use crate::source::locator::Source;
use crate::sys::interrupt;
use crate::ui::report::Form;
use clap::Args;
use std::collections::BTreeSet;

const EXAMPLES: &str = "\
Examples:
  cart upgrade
  cart upgrade static-web --dry-run
  cart upgrade redhat-php --include-held";

/// The arguments of `cart upgrade`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UpgradeArgs {
    /// The packages, `name` or `vendor-name`, or the sources of tpkg packages; all that are installed
    /// when none is named
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Take an older version where the source of a package offers one now
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Upgrade the named packages even where they are held
    #[arg(long, requires = "names")]
    pub include_held: bool,
    /// Where packages of tpkg go.
    #[command(flatten)]
    pub tpkg: TpkgArgs,
    /// How sources are asked.
    #[command(flatten)]
    pub ask: AskArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Brings the newest versions of packages into the library, all in one transaction.
pub fn run(args: &UpgradeArgs, app: &mut App) -> Result<Exit, Failure> {
    upgrade_all(args, app).doing(|| match args.names.as_slice() {
        [] => "cannot upgrade".into(),
        [one] => format!("cannot upgrade `{one}`"),
        many => format!("cannot upgrade {} packages", many.len()),
    })
}

/// The same for the packages called so, by vendor and name; of those that are held, or whose source is
/// silent, what the library has is all there is.
pub(super) fn upgrade_packages(
    app: &App,
    packages: &BTreeSet<(String, String)>,
    change: &ChangeArgs,
) -> Result<(), Failure> {
    let db = database(app, change.dry_run)?;
    let mut wanted = facts::standings(&db)?;
    wanted.retain(|one| {
        let is_meant =
            |(vendor, name): &(String, String)| (vendor, name) == (&one.row.vendor, &one.row.name);
        packages.iter().any(is_meant)
    });
    let args = UpgradeArgs {
        names: Vec::new(),
        allow_downgrade: false,
        include_held: false,
        tpkg: TpkgArgs::default(),
        ask: AskArgs { offline: false, timeout: 20 },
        change: change.clone(),
    };
    // The answer is that of the command of which this is the first half.
    upgrade_these(&args, (app, Form::Text), (&db, wanted), &[]).map(drop)
}

fn upgrade_all(args: &UpgradeArgs, app: &App) -> Result<Exit, Failure> {
    interrupt::watch_or_fail()?;
    let of_tpkg = !args.tpkg.sources(app)?.is_empty() && !args.names.is_empty();
    if of_tpkg || args.names.iter().any(|word| is_source(word)) {
        return upgrade_tpkgs(args, app);
    }
    let db = match args.names.first() {
        Some(first) if !args.change.dry_run => existing(app, first)?,
        _ => database(app, args.change.dry_run)?,
    };
    let wanted = wanted(args, &db)?;
    let tpkgs = tpkgs_of_sources(args, app, &db)?;
    upgrade_these(args, (app, app.form()), (&db, wanted), &tpkgs)
}

/// The packages of tpkg that sources have in newer releases, where everything is to be upgraded; held
/// ones stay as they are.
fn tpkgs_of_sources(
    args: &UpgradeArgs,
    app: &App,
    db: &Db,
) -> Result<Vec<(Arrival, Turn)>, Failure> {
    let sources = !args.tpkg.sources(app)?.is_empty();
    if !sources || !args.names.is_empty() || args.ask.offline {
        return Ok(Vec::new());
    }
    let mut wishes: Vec<Wish> = Vec::new();
    for row in db.packages()?.iter().filter(|row| is_tpkg(row)) {
        let wish = Wish::of_name(&row.name);
        if db.hold_on(&row.vendor, &row.name)?.is_none() && !wishes.contains(&wish) {
            wishes.push(wish);
        }
    }
    if wishes.is_empty() {
        return Ok(Vec::new());
    }
    tpkg::complete(app, db, (Vec::new(), Turn::InPlace), (&wishes, &args.tpkg))
}

fn upgrade_these(
    args: &UpgradeArgs,
    (app, form): (&App, Form),
    (db, mut wanted): (&Db, Vec<Standing>),
    tpkgs: &[(Arrival, Turn)],
) -> Result<Exit, Failure> {
    let names: BTreeSet<String> = wanted.iter().map(|one| one.row.name.clone()).collect();
    let titles: BTreeSet<String> = wanted.iter().map(Standing::title).collect();
    // What is held is not even asked after; it is said when the plan is made.
    wanted.retain(|one| one.hold.is_none() || args.include_held);
    let silent = ask(app, Some(db), (&mut wanted, &args.ask))?;
    let warnings = warnings(args, &wanted, &silent)?;
    let arrived = bring(args, app, &wanted)?;
    let asked = if args.names.is_empty() { Asked::All } else { Asked::Named };
    let downgrade = if args.allow_downgrade { Downgrade::Allowed } else { Downgrade::Refused };
    let older = older(&wanted);
    let limit = app.config()?.old_releases_limit;
    carry_out_in((app, form), db, &args.change, &|| {
        let mut installed = facts::library(db, &names)?;
        installed.retain(|one| titles.contains(&format!("{}-{}", one.row.vendor, one.row.name)));
        if args.include_held {
            for one in &mut installed {
                one.hold = None;
            }
        }
        let ways_back = facts::ways_back(db)?;
        let keeping = Keeping { limit, ways_back: &ways_back };
        let ask = UpgradeAsk {
            arrived: &arrived,
            older: &older,
            asked,
            downgrade,
            keeping,
            warnings: &warnings,
        };
        let plan = upgrade(&ask, &installed)?;
        if tpkgs.is_empty() {
            return Ok(plan);
        }
        let job = Job {
            coming: tpkgs,
            leaving: &[],
            base: args.tpkg.base(app)?,
            liberties: args.tpkg.liberties(),
        };
        let mut all = tpkg::plan(app, db, &job)?;
        if plan.is_empty() {
            all.summary.extend(plan.summary);
            all.warnings.extend(plan.warnings);
            return Ok(all);
        }
        let mut both = plan;
        both.merge(all);
        Ok(both)
    })
}

/// Packages of tpkg, each in the place of what is installed under its name.
fn upgrade_tpkgs(args: &UpgradeArgs, app: &App) -> Result<Exit, Failure> {
    let (files, names): (Vec<_>, Vec<_>) = args.names.iter().partition(|word| is_source(word));
    let wishes: Vec<Wish> = names.iter().map(|word| Wish::parse(word)).collect();
    let requests = files.iter().map(|word| request::source(word));
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    let db = database(app, args.change.dry_run)?;
    let (tpkgs, others) = tpkg::split(gather(app, &requests)?);
    if let Some(other) = others.first() {
        let text = format!("`{}` is no package of tpkg", other.new.package.title());
        return Err(Failure::new(Exit::Usage, text)
            .hint("name it: cartridges are upgraded from where they came; or `cart install`"));
    }
    let tpkgs = tpkg::complete(app, &db, (tpkgs, Turn::InPlace), (&wishes, &args.tpkg))?;
    let downgrade = if args.allow_downgrade { Downgrade::Allowed } else { Downgrade::Refused };
    let liberties = Liberties { downgrade, ..args.tpkg.liberties() };
    let base = args.tpkg.base(app)?;
    carry_out(app, &db, &args.change, &|| {
        let job = Job { coming: &tpkgs, leaving: &[], base: base.clone(), liberties };
        tpkg::plan(app, &db, &job)
    })
}

/// How the packages stand that are meant.
fn wanted(args: &UpgradeArgs, db: &Db) -> Result<Vec<Standing>, Failure> {
    let mut standings = facts::standings(db)?;
    if !args.names.is_empty() {
        let lines = lines(db, &args.names)?;
        let is_meant = |one: &Standing| {
            lines.iter().any(|line| (&line.vendor, &line.name) == (&one.row.vendor, &one.row.name))
        };
        standings.retain(is_meant);
    }
    Ok(standings)
}

/// What keeps sources from being heard: a failure where a package was named that nobody else has
/// anything newer of, else something to be told.
fn warnings(
    args: &UpgradeArgs,
    wanted: &[Standing],
    silent: &[Option<Silence>],
) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    for (standing, silent) in wanted.iter().zip(silent) {
        let title = standing.title();
        match silent {
            Some(Silence::Failed { text, exit })
                if !args.names.is_empty() && standing.verdict() == Verdict::Current =>
            {
                return Err(Failure::new(*exit, format!("`{title}`: {text}"))
                    .hint("`--offline` asks nobody but the index"));
            }
            Some(Silence::Failed { text, .. }) => warnings.push(format!("{title}: {text}")),
            Some(Silence::Mute(text)) if !args.names.is_empty() => {
                warnings.push(format!("{title}: {text}; `cart install` takes it"));
            }
            _ => {}
        }
    }
    Ok(warnings)
}

/// Gathers what is to come in, side by side.
fn bring(
    args: &UpgradeArgs,
    app: &App,
    wanted: &[Standing],
) -> Result<Vec<(hold::Line, Arrival)>, Failure> {
    let mut lines = Vec::new();
    let mut requests = Vec::new();
    for standing in wanted {
        let offer = match standing.verdict() {
            Verdict::Current => continue,
            Verdict::Older(_) if !args.allow_downgrade => continue,
            Verdict::Older(offer) | Verdict::Newer(offer) | Verdict::Rebuilt(offer) => offer,
        };
        if let Some(request) = request_of(standing, offer)? {
            lines.push(line(standing));
            requests.push(request);
        }
    }
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    Ok(lines.into_iter().zip(gather(app, &requests)?).collect())
}

fn request_of(standing: &Standing, offer: &Offer) -> Result<Option<Request>, Failure> {
    let row = &standing.row;
    let what = match offer.from {
        Whence::Library => return Ok(None),
        Whence::Upstream => What::Source(Source::parse(&row.source)?),
        Whence::Index => {
            let same = |entry: &&index::Entry| entry.vendor == row.vendor && entry.name == row.name;
            let Some(entry) = index::entries().iter().find(same) else { return Ok(None) };
            What::Entry(entry)
        }
    };
    let mut request = Request::new(what);
    request.name = Some(row.name.clone());
    // What the names in the database are like was seen to when they came in.
    if let (Ok(vendor), Ok(name)) = (Vendor::parse(&row.vendor), Name::parse(&row.name)) {
        let is_ubos = row.format == FormatName::Ubos.as_str();
        let format = if is_ubos { FormatName::Ubos } else { FormatName::Cartridge };
        request.line = Some(Line { format, vendor, name });
    }
    Ok(Some(request))
}

/// What the sources offer that is older than what is installed.
fn older(wanted: &[Standing]) -> Vec<(hold::Line, Version)> {
    let older = wanted.iter().filter_map(|one| match one.verdict() {
        Verdict::Older(offer) => Some((line(one), offer.version.clone())),
        _ => None,
    });
    older.collect()
}

fn line(standing: &Standing) -> hold::Line {
    hold::Line { vendor: standing.row.vendor.clone(), name: standing.row.name.clone() }
}
