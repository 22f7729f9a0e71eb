//! `cart site restore`.

use super::named::{Becoming, become_of, teller};
use crate::archive::Links;
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::cli::request::database;
use crate::error::{Context, Exit, Failure};
use crate::format::ubos::{Fill, sites};
use crate::gather::{Staging, open_backup};
use crate::package::ident::HostName;
use crate::package::note::Notes;
use crate::package::ubos::name::{AppConfigId, SiteId};
use crate::package::ubos::site::{Host, Site};
use crate::plan::site::Restored;
use crate::site::backup::{Backup, Text};
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use crate::sys::random;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The longest site file in a backup.
const LONGEST: u64 = 64 << 20;
/// The folder of staging in which the archive is unpacked.
const TREE: &str = "backup";

const EXAMPLES: &str = "\
Examples:
  cart site restore blog.ubos-backup --dry-run
  cart site restore blog.ubos-backup --new --hostname copy.example.org";

/// The arguments of `cart site restore`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RestoreArgs {
    /// The archive
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Which site of the archive, by its identifier [default: the only one]
    #[arg(long, value_name = "ID", value_parser = SiteId::parse)]
    pub site: Option<SiteId>,
    /// Make a new site of it, beside the one that it was
    #[arg(long)]
    pub new: bool,
    /// Let it answer to this host name
    #[arg(long, value_name = "NAME", value_parser = HostName::parse)]
    pub hostname: Option<HostName>,
    /// Accept symbolic links in data that lead out of the archive
    #[arg(long)]
    pub allow_external_links: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Deploys a site with the data of a backup.
pub fn run(args: &RestoreArgs, app: &mut App) -> Result<Exit, Failure> {
    let what = || format!("cannot restore from `{}`", args.file.display());
    restore(args, app).doing(what)
}

fn restore(args: &RestoreArgs, app: &App) -> Result<Exit, Failure> {
    crate::sys::interrupt::watch_or_fail()?;
    let staging = Staging::in_state(app.layout())?;
    staging.dir().make_dir(TREE, 0o700)?;
    let tree = staging.dir().dir(TREE)?;
    let links = if args.allow_external_links { Links::External } else { Links::Contained };
    let watch = app.progress().watch(&args.file.display().to_string());
    let opened = open_backup((&args.file, links), &tree, &app.config()?.archive, &*watch);
    watch.finish();
    let backup = opened?;
    for name in &backup.unknown {
        app.printer().warn(&format!("`{name}` in the archive is nothing that is known"));
    }
    let id = chosen(args, &backup)?;
    let mut site = site_of(&tree, id)?;
    let ids = if args.new { renamed(&mut site)? } else { BTreeMap::new() };
    if let Some(host) = &args.hostname {
        site.host = Host::Name(host.clone());
    }
    let folder = tree.path().strip_prefix(app.layout().state());
    let folder = folder.map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    let restored = restored(&backup, (&site, &ids), &folder)?;
    let db = database(app, args.change.dry_run)?;
    let becoming = Becoming { restored: Some(&restored), ..Becoming::site(&site) };
    become_of((app, &db), (&site.id, becoming), (&args.change, &teller(app)))
        .doing(|| format!("cannot restore the site `{}`", site.called()))
}

fn chosen<'a>(args: &'a RestoreArgs, backup: &'a Backup) -> Result<&'a SiteId, Failure> {
    let ids: Vec<&str> = backup.sites.iter().map(SiteId::as_str).collect();
    match (&args.site, backup.sites.as_slice()) {
        (Some(id), _) if backup.sites.contains(id) => Ok(id),
        (None, [only]) => Ok(only),
        (_, []) => {
            let text = "the archive has apps without their site";
            Err(Failure::new(Exit::Conflict, text).hint("back up the whole site"))
        }
        (Some(id), _) => {
            let text = format!("the archive has no site `{id}`");
            Err(Failure::new(Exit::NotFound, text).hint(format!("it has {}", ids.join(", "))))
        }
        (None, _) => {
            let text = "the archive has several sites";
            Err(Failure::new(Exit::Usage, text)
                .hint(format!("say `--site {}`", ids.join("` or `--site "))))
        }
    }
}

fn site_of(tree: &Dir, id: &SiteId) -> Result<Site, Failure> {
    let name = Text::Site(id.clone()).path()?;
    let bytes = tree.read(&name, LONGEST)?;
    // A value that begins with `@` is that value: the archive names no files of this host.
    let include = |name: &str| Ok(format!("@{name}"));
    let file = name.to_string();
    let read = sites((&file, &bytes), Fill::Nothing, &include, &mut Notes::default())?;
    read.into_iter().find(|site| site.id == *id).ok_or_else(|| {
        Failure::new(Exit::Failed, format!("`{file}` in the archive is about another site"))
    })
}

/// Gives a site and its apps new identifiers; gives those that apps had.
fn renamed(site: &mut Site) -> Result<BTreeMap<AppConfigId, AppConfigId>, Failure> {
    let odd =
        |error: crate::package::ident::IdentError| Failure::new(Exit::Failed, error.to_string());
    let mut ids = BTreeMap::new();
    site.id = SiteId::parse(&format!("s{}", random::hex(20)?)).map_err(odd)?;
    for app in &mut site.apps {
        let new = AppConfigId::parse(&format!("a{}", random::hex(20)?)).map_err(odd)?;
        ids.insert(std::mem::replace(&mut app.id, new.clone()), new);
    }
    Ok(ids)
}

fn restored(
    backup: &Backup,
    (site, ids): (&Site, &BTreeMap<AppConfigId, AppConfigId>),
    folder: &str,
) -> Result<Restored, Failure> {
    let mut restored = Restored::default();
    for (place, _) in &backup.kept {
        let from = format!("{folder}/{}", place.path()?);
        let from = RelPath::parse(&from)
            .map_err(|error| Failure::new(Exit::Failed, format!("the path `{from}` {error}")))?;
        let mut place = place.clone();
        if let Some(new) = ids.get(&place.app) {
            place.app = new.clone();
        }
        restored.data.insert(place, from);
    }
    for app in &site.apps {
        for name in app.accessories.iter().chain([&app.app]) {
            if backup.installables.contains(name) {
                restored.packages.insert((app.id.clone(), name.clone()));
            }
        }
    }
    Ok(restored)
}
