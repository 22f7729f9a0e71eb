//! `cart gear create`.

use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out, write_sdk};
use crate::cli::request::{Demands, database, gather, request};
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::facts::{self, GearFacts, Host, MOST_PORTS, Occupied, Outside};
use crate::gather::{Arrival, Request};
use crate::package::ident::{GearName, HostName};
use crate::package::version::Version;
use crate::plan::gear::{CreateRequest, Exposure, Wanted, create};
use crate::sys::clock::Moment;
use crate::sys::host;
use clap::Args;
use std::collections::BTreeSet;

const EXAMPLES: &str = "\
Examples:
  cart gear create blog static-web --start
  cart gear create app perl-app https://example.org/diy.tar.gz
  cart gear create blog static-web --dry-run";

/// The arguments of `cart gear create`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// The gear's name: lower-case letters, digits and `-`
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The cartridges: `name` or `name-version` in the library or the index, paths, URLs
    #[arg(required = true, value_name = "CARTRIDGE")]
    pub cartridges: Vec<String>,
    /// Start it, too
    #[arg(long)]
    pub start: bool,
    /// The host name under which it is asked for, instead of NAME-namespace.domain
    #[arg(long, value_name = "HOST", value_parser = HostName::parse)]
    pub dns: Option<HostName>,
    /// Give its endpoints public ports, which nginx passes on
    #[arg(long)]
    pub expose: bool,
    /// Make accounts on the host although `--root` is given
    #[arg(long)]
    pub host_users: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Makes a gear, all in one transaction.
pub fn run(args: &CreateArgs, app: &mut App) -> Result<Exit, Failure> {
    create_gear(args, app).doing(|| format!("cannot create the gear `{}`", args.name))
}

fn create_gear(args: &CreateArgs, app: &App) -> Result<Exit, Failure> {
    refuse_unreachable(app)?;
    crate::sys::interrupt::watch_or_fail()?;
    let db = database(app, args.change.dry_run)?;
    let (wanted, arrived) = resolve(app, &db, &args.cartridges)?;
    let ports = wanted.iter().flat_map(|one| &one.package.software);
    let ports: BTreeSet<u16> = ports
        .flat_map(|one| &one.endpoints)
        .flat_map(|one| std::iter::once(one.port).chain(one.websocket_port))
        .collect();
    let names: BTreeSet<String> =
        arrived.iter().map(|one| one.new.package.name.to_string()).collect();
    let ask = CreateRequest {
        name: args.name.clone(),
        uuid: facts::new_uuid()?,
        made: Moment::now(),
        cartridges: wanted,
        arrived,
        start: args.start,
        dns: args.dns.clone(),
        exposure: if args.expose { Exposure::Public } else { Exposure::Private },
    };
    if !args.change.dry_run {
        // Before the host is looked at: whether its view can have the commands is tried with them.
        write_sdk(app)?;
    }
    let config = app.config()?;
    carry_out(app, &db, &args.change, &|| {
        let occupied = Occupied::look(Some(&db), app.layout(), &args.name, &ports)?;
        let wanted = if args.expose { MOST_PORTS } else { 0 };
        let facts = GearFacts {
            host: Host::look(app.layout(), args.host_users),
            outside: Outside::look(&db, config, occupied.slot, wanted)?,
            occupied,
            installed: facts::library(&db, &names)?,
        };
        Ok(create(&ask, &facts, &config.gears)?)
    })
}

/// As root, gears have users of their own, who must be able to pass to their homes.
fn refuse_unreachable(app: &App) -> Result<(), Failure> {
    match facts::obstacle(app.layout()).filter(|_| host::is_root()) {
        None => Ok(()),
        Some(path) => {
            let path = path.display();
            let text = format!("the users of gears cannot pass through `{path}`");
            Err(Failure::new(Exit::Refused, text).hint(format!("`chmod o+x {path}`")))
        }
    }
}

/// The packages that the words mean: of the library where one has that name, else gathered.
fn resolve(app: &App, db: &Db, words: &[String]) -> Result<(Vec<Wanted>, Vec<Arrival>), Failure> {
    let mut slots: Vec<Option<Wanted>> = Vec::new();
    let mut requests: Vec<Request> = Vec::new();
    for word in words {
        let found = facts::newest(db, word)?;
        if found.is_none() {
            requests.push(request(word, Demands::default())?);
        }
        slots.push(found.map(|found| Wanted {
            package: found.package,
            place: found.place,
            software: found.software,
        }));
    }
    let arrived = if requests.is_empty() { Vec::new() } else { gather(app, &requests)? };
    let mut next = arrived.iter();
    let mut wanted = Vec::new();
    for (slot, word) in slots.into_iter().zip(words) {
        match slot {
            Some(one) => wanted.push(one),
            None => wanted.extend(next.next().map(|one| Wanted {
                package: one.new.package.clone(),
                place: one.new.place.clone(),
                software: asked_version(word, &one.new.package.name.to_string()),
            })),
        }
    }
    Ok((wanted, arrived))
}

/// The version in `name-version`, of a package that came from the index.
fn asked_version(word: &str, name: &str) -> Option<Version> {
    let (_, version) = word.split_once(&format!("{name}-"))?;
    Version::parse(version).ok()
}
