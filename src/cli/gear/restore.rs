//! `cart gear restore`.

use super::create::{Needs, refuse_unreachable, scaled};
use super::found;
use super::resolve::{Resolved, resolve};
use crate::archive::HEAD;
use crate::archive::sealed::{self, Key};
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out_aloud, write_sdk};
use crate::cli::passphrase::{PassphraseArgs, Purpose, passphrase};
use crate::cli::request::database;
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::facts::{self, DeployFacts, Gear, home_size, revision_in};
use crate::gather::{Contents, Snapshot};
use crate::gear::environ::Shared;
use crate::gear::environment::{self, Host};
use crate::gear::snapshot::{Origin, Shape, Transform};
use crate::package::Package;
use crate::package::ident::GearName;
use crate::plan::gear::{
    CreateRequest, DeployRequest, Exposure, Growth, Origin as Source, Restored, Rotation, User,
    create, restore, restore_as, scalable,
};
use crate::sys::clock::Moment;
use crate::sys::fs::{self, Dir};
use crate::sys::{interrupt, random};
use clap::Args;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cart gear restore blog < blog.tar.gz
  cart gear restore --as copy --from blog.tar.gz
  cart gear restore blog --from blog.tar.gz.age --identity key.txt";

/// The branch of a repository whose gear has said no other.
const BRANCH: &str = "master";

/// The arguments of `cart gear restore`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RestoreArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse, required_unless_present = "new")]
    pub name: Option<GearName>,
    /// Make a new gear of it instead, of the same cartridges, and start it
    #[arg(long = "as", id = "new", value_name = "NEWNAME", value_parser = GearName::parse, conflicts_with = "name")]
    pub new: Option<GearName>,
    /// Read FILE instead of standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Make the new gear of this cartridge instead of those of the snapshot; may come again
    #[arg(long = "cartridge", value_name = "CARTRIDGE", requires = "new")]
    pub cartridges: Vec<String>,
    /// Decrypt the archive with the secret keys in FILE
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// The passphrase.
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Restores a gear, or makes one, from a snapshot.
pub fn run(args: &RestoreArgs, app: &mut App) -> Result<Exit, Failure> {
    match (&args.name, &args.new) {
        (_, Some(name)) => restore_new(args, name, app)
            .doing(|| format!("cannot make the gear `{name}` of a snapshot")),
        (Some(name), None) => {
            restore_one(args, name, app).doing(|| format!("cannot restore the gear `{name}`"))
        }
        (None, None) => Err(Failure::new(Exit::Usage, "which gear is to be restored?")),
    }
}

/// Unpacks what is given, in staging.
fn opened(args: &RestoreArgs, app: &App) -> Result<Snapshot, Failure> {
    interrupt::watch_or_fail()?;
    let mut packed: Box<dyn Read + Send> = match &args.from {
        Some(file) => Box::new(fs::open_for_reading(file)?),
        None if io::stdin().is_terminal() => {
            let text = "no snapshot comes from a terminal";
            return Err(
                Failure::new(Exit::Usage, text).hint("name the file: `--from FILE`, or `< FILE`")
            );
        }
        None => Box::new(io::stdin()),
    };
    let name = args.from.as_ref().map_or("snapshot".into(), |file| file.display().to_string());
    let mut packed = BufReader::with_capacity(HEAD, &mut *packed);
    let head = packed.fill_buf().map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot read the snapshot: {error}"))
    })?;
    let is_sealed = sealed::is_sealed(head);
    let (layout, limits) = (app.layout(), &app.config()?.archive);
    if is_sealed {
        let mut plain =
            sealed::open(packed, |by_passphrase| key(args, app, (&name, by_passphrase)))?;
        let watch = app.progress().watch(&name);
        let snapshot = Snapshot::unpack(&mut plain, layout, limits, &*watch);
        watch.finish();
        return snapshot;
    }
    let watch = app.progress().watch(&name);
    let snapshot = Snapshot::unpack(&mut packed, layout, limits, &*watch);
    watch.finish();
    snapshot
}

fn key(args: &RestoreArgs, app: &App, (name, by_passphrase): (&str, bool)) -> Result<Key, Failure> {
    if by_passphrase {
        let found = passphrase(app, &args.passphrase, (name, Purpose::Decrypt))?;
        return Ok(Key::Passphrase(found.reveal().into()));
    }
    let Some(file) = &args.identity else {
        let text = "the archive is encrypted for whoever has a key";
        return Err(Failure::new(Exit::Usage, text).hint("name its file: `--identity FILE`"));
    };
    Ok(Key::of_keys(&fs::read_text(file)?)?)
}

fn restore_one(args: &RestoreArgs, name: &GearName, app: &App) -> Result<Exit, Failure> {
    let db = found::changing(app, name)?;
    let snapshot = opened(args, app)?;
    let gear = found::gear(app, &db, name)?;
    let home = Dir::open(&app.layout().gears().join(name.as_str()))?;
    let host = Host { layout: app.layout(), config: app.config()?, shared: &Shared::default() };
    let variables = environment::of(host, &home, &gear.identity, None).as_text();
    let packages: Vec<&Package> = gear.packages.iter().collect();
    let contents = arranged(app, (&snapshot, name), (&packages, &variables))?;
    let branch = DeployFacts::of(app.layout(), gear.clone())?.settings.branch;
    let mut restored = restored(contents, &branch)?;
    restored.warnings = missing(&gear, snapshot.origin());
    carry_out_aloud(app, &db, &args.change, &|| {
        let facts = DeployFacts::of_app(&db, app.layout(), found::gear(app, &db, name)?)?;
        Ok(restore(&facts, &restored, home_size(app.layout(), name))?)
    })
}

/// What the snapshot was made with that the gear has not.
fn missing(gear: &Gear, origin: &Origin) -> Vec<String> {
    let others = origin.cartridges.iter().filter(|one| gear.identity.cartridge(&one.dir).is_none());
    let warning = |dir: &str| {
        let dir = dir.escape_debug();
        format!("the snapshot was made with the cartridge `{dir}`, which the gear has not")
    };
    others.map(|one| warning(&one.dir)).collect()
}

fn arranged(
    app: &App,
    (snapshot, gear): (&Snapshot, &GearName),
    (packages, variables): (&[&Package], &BTreeMap<String, String>),
) -> Result<Contents, Failure> {
    let of =
        |package: &Package| (package.name.to_string(), package.managed.snapshot_exclusions.clone());
    let exclusions: Vec<_> = packages.iter().map(|package| of(package)).collect();
    let mut transforms = Vec::new();
    for script in packages.iter().flat_map(|package| &package.managed.restore_transforms) {
        let all = Transform::parse(script, &|name| variables.get(name).cloned());
        transforms.extend(all.map_err(|error| Failure::new(Exit::Conflict, error.to_string()))?);
    }
    let shape = Shape { exclusions: &exclusions, transforms: &transforms };
    snapshot.arrange(gear, &shape, app.layout())
}

fn restored(contents: Contents, branch: &str) -> Result<Restored, Failure> {
    let made = Moment::now();
    let mut restored = Restored {
        from: contents.from,
        parts: contents.parts,
        deployment: contents
            .current
            .and_then(|name| contents.deployments.iter().find(|one| one.name == name).cloned()),
        build: None,
        made,
        warnings: Vec::new(),
    };
    let Some(bare) = contents.repository.filter(|_| contents.deployments.is_empty()) else {
        return Ok(restored);
    };
    let Some(revision) = revision_in(&bare, (branch, None))? else { return Ok(restored) };
    if !revision.submodules.is_empty() {
        let text =
            "the repository in the snapshot has submodules, and nothing that was built of it";
        return Err(Failure::new(Exit::Conflict, text)
            .hint("push the repository to a gear, which fetches them"));
    }
    let origin = Source::Commit { revision, incoming: None, submodules: Vec::new() };
    restored.build =
        Some(DeployRequest { origin, made, id: random::hex(4)?, rotation: Rotation::Told });
    Ok(restored)
}

fn restore_new(args: &RestoreArgs, name: &GearName, app: &App) -> Result<Exit, Failure> {
    refuse_unreachable(app)?;
    let snapshot = opened(args, app)?;
    let db = database(app, args.change.dry_run)?;
    let words = match args.cartridges.as_slice() {
        [] => cartridges(&db, snapshot.origin())?,
        given => given.to_vec(),
    };
    let resolved = resolve(app, &db, &words, &[])?;
    let packages: Vec<&Package> = resolved.wanted.iter().map(|one| &one.package).collect();
    let uuid = facts::new_uuid()?;
    let namespace = &app.config()?.gears.namespace;
    let variables = [
        ("GEAR_NAME", name.as_str()),
        ("APP_NAME", name.as_str()),
        ("GEAR_UUID", &uuid),
        ("APP_UUID", &uuid),
        ("NAMESPACE", namespace),
    ];
    let variables = variables.map(|(name, value)| (format!("OPENSHIFT_{name}"), value.to_owned()));
    let contents = arranged(app, (&snapshot, name), (&packages, &variables.into()))?;
    let mut settings = snapshot.origin().settings.iter();
    let branch = settings.find(|(name, _)| name.as_str() == "OPENSHIFT_DEPLOYMENT_BRANCH");
    let branch = branch.and_then(|(_, value)| value.to_str()).unwrap_or(BRANCH);
    let restored = restored(contents, branch)?;
    let needs = Needs::of(&resolved);
    // A head is known by its cartridges.
    let is_head = scalable(&resolved.wanted).is_ok();
    let growth = if is_head { scaled(&resolved)? } else { Growth::Single };
    let Resolved { wanted, arrived } = resolved;
    let ask = CreateRequest {
        name: name.clone(),
        uuid,
        made: restored.made,
        app: None,
        cartridges: wanted,
        arrived,
        start: false,
        dns: None,
        exposure: Exposure::Private,
        growth,
    };
    if !args.change.dry_run {
        write_sdk(app)?;
    }
    let config = app.config()?;
    let user = User { origin: snapshot.origin(), limit: config.gears.max_user_variables };
    carry_out_aloud(app, &db, &args.change, &|| {
        let facts = needs.look_for(&ask, (app, &db), false)?;
        let plan = create(&ask, &facts, &config.gears)?;
        Ok(restore_as(plan, (&ask.cartridges, &restored), user)?)
    })
}

/// The words for the cartridges that a snapshot was made with, as this host has them.
fn cartridges(db: &Db, origin: &Origin) -> Result<Vec<String>, Failure> {
    let (mut words, mut missing) = (Vec::new(), Vec::new());
    for one in &origin.cartridges {
        let mut names = vec![one.dir.clone()];
        if let Some((vendor, name, version)) = &one.ident {
            names.insert(0, format!("{name}-{version}"));
            names.insert(0, format!("{vendor}-{name}-{version}"));
        }
        let mut known = None;
        for name in names.iter().filter(|name| !name.contains(['/', ':'])) {
            if known.is_none() && facts::provider(db, name)?.is_some() {
                known = Some(name.clone());
            }
        }
        match known {
            Some(word) => words.push(word),
            None => missing.push(names.swap_remove(0).escape_debug().to_string()),
        }
    }
    if !missing.is_empty() {
        let text = format!(
            "the snapshot was made with `{}`, which is not installed",
            missing.join("`, `")
        );
        return Err(Failure::new(Exit::NotFound, text).hint(
            "install it first: `cart install SOURCE`, or name others: `--cartridge SOURCE`",
        ));
    }
    if words.is_empty() {
        let text = "the snapshot does not say of which cartridges its gear was made";
        return Err(Failure::new(Exit::Conflict, text).hint("name them: `--cartridge SOURCE`"));
    }
    Ok(words)
}
