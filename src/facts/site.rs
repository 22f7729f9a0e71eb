//! Facts about sites of UBOS apps: what is deployed, what could be, and the host around it.

mod by_heart;
mod look;

pub use look::{Looked, Spot, look};

use super::Externals;
use super::packages::place_of;
use super::table;
use crate::config::Config;
use crate::db::{Db, DbError, DeployedSite, ExternalRow, SITE_PORT, SitePackage};
use crate::error::Failure;
use crate::format::ubos::MANIFEST;
use crate::gear::frontend::modules::look_for_php;
use crate::layout::Layout;
use crate::package::file_table::{Content, Entry, FileTable};
use crate::package::ident::FormatName;
use crate::package::ubos::item::{ItemKind, Language, Protocol, Run, Source};
use crate::package::ubos::name::{PackageName, SiteId};
use crate::package::ubos::role::WellKnown;
use crate::package::ubos::site::Site;
use crate::package::ubos::{Installable, Kind, Manifest};
use crate::package::version::Version;
use crate::sys::clock::Moment;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use crate::sys::{accounts, fs, host, sockets};
use crate::template::ubos::{Accounts, Places};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The longest template that is looked at before a deployment.
const LONGEST: u64 = 16 << 20;

/// What there is to know for planning what becomes of a site.
#[derive(Debug)]
pub struct SiteFacts {
    /// The state's folder.
    pub state: PathBuf,
    /// The library's folder.
    pub library: PathBuf,
    /// Whether `cart` may give things away.
    pub is_root: bool,
    /// Names and places of the host.
    pub places: Places,
    /// The first port that apps get.
    pub first_port: u16,
    /// Variables of the host that its owner has set.
    pub variables: BTreeMap<String, String>,
    /// What is deployed there.
    pub old: Option<DeployedSite>,
    /// All other sites of the host.
    pub others: Vec<Site>,
    /// The newest release of each package that is asked for, and of what those require.
    pub available: BTreeMap<PackageName, Available>,
    /// The trees of packages, by their places below the library.
    pub trees: BTreeMap<RelPath, Tree>,
    /// The accounts of the host.
    pub accounts: HostAccounts,
    /// Whether a web server is told of sites.
    pub has_web_server: bool,
    /// Extensions of PHP that packages want and the host lacks, with what has them.
    pub missing_php: Vec<(String, String)>,
    /// Ports that are taken.
    pub ports: BTreeSet<(Protocol, u16)>,
    /// The folders that other sites have made to hold others.
    pub folders: BTreeSet<String>,
    /// Which externals there are.
    pub externals: Externals,
    /// What packages at the site have asked them for.
    pub asked: Vec<ExternalRow>,
}

impl SiteFacts {
    /// The manifest of a package as its author wrote it, relative to the state.
    pub fn manifest_of(&self, place: &RelPath, name: &PackageName) -> String {
        let tree = self.trees.get(place);
        let has = |path: &&str| tree.is_some_and(|tree| tree.table.get(path).is_some());
        let built = format!("ubos/lib/ubos/manifests/{name}.json");
        let path = [MANIFEST, &built].into_iter().find(has).unwrap_or(MANIFEST);
        format!("library/{place}/{path}")
    }
}

/// A release in the library.
#[derive(Clone, Debug)]
pub struct Available {
    /// Its directory below the library.
    pub place: RelPath,
    /// Its version.
    pub version: Version,
    /// What it is.
    pub installable: Installable,
}

/// What is in the tree of a package.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its files.
    pub table: FileTable,
    /// Those of its texts that have variables, by their paths in the tree.
    pub texts: BTreeMap<String, Vec<u8>>,
    /// Scripts that know the web server's account by the name that the original gives it.
    pub by_heart: Vec<String>,
    /// Packages whose code scripts look for where the original has it, and where nothing is here.
    pub looked_for: BTreeSet<String>,
}

/// Users and groups of the host, by name.
#[derive(Clone, Debug, Default)]
pub struct HostAccounts {
    /// Users.
    pub users: HashMap<String, u32>,
    /// Groups.
    pub groups: HashMap<String, u32>,
}

impl Accounts for HostAccounts {
    fn uid(&self, name: &str) -> Option<u32> {
        self.users.get(name).copied()
    }
    fn gid(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied()
    }
}

/// The root directory of the host.
pub fn root_of(layout: &Layout) -> Result<Dir, Failure> {
    Ok(Dir::open(layout.root().unwrap_or(Path::new("/")))?)
}

/// Reads what planning for the site `id` needs. `wanted` is what it is to become, where it stays;
/// `now` is when the command was begun: a plan that is made again is the same.
pub fn site_facts(
    db: &Db,
    (layout, config): (&Layout, &Config),
    (id, wanted): (&SiteId, Option<&Site>),
    now: Moment,
) -> Result<SiteFacts, Failure> {
    let root = root_of(layout)?;
    let accounts = HostAccounts { users: known(&root, "passwd")?, groups: known(&root, "group")? };
    let old = db.site(id)?;
    let others: Vec<Site> = db.sites()?.into_iter().filter(|site| site.id != *id).collect();
    let available = wanted.map(|site| available(db, site)).transpose()?.unwrap_or_default();
    let deployed = old.iter().flat_map(|old| &old.new.packages);
    let mut trees = BTreeMap::new();
    let new = available.values().map(|one| (&one.place, &one.installable));
    for (place, installable) in deployed.map(in_use).chain(new) {
        if !trees.contains_key(place) {
            trees.insert(place.clone(), tree(db, layout, (place, installable))?);
        }
    }
    let folders = db.site_folders(id)?;
    let mut asked = Vec::new();
    for app in old.iter().flat_map(|old| &old.new.site.apps) {
        asked.extend(db.externals_of_gear(app.id.as_str())?);
    }
    let has_web_server = config.frontend.apache.enabled;
    let missing_php = if has_web_server { missing_php(&available)? } else { Vec::new() };
    Ok(SiteFacts {
        state: layout.state().to_owned(),
        library: layout.library(),
        is_root: host::is_root(),
        places: places(layout, config, (&accounts, now)),
        has_web_server,
        missing_php,
        first_port: config.sites.first_port,
        variables: config.sites.variables.clone(),
        ports: taken_ports(db)?,
        old,
        others,
        available,
        trees,
        accounts,
        folders,
        externals: Externals::look(layout, config),
        asked,
    })
}

fn in_use(package: &SitePackage) -> (&RelPath, &Installable) {
    (&package.place, &package.installable)
}

/// What runs below a root directory still runs as an account of the host.
fn known(root: &Dir, database: &str) -> Result<HashMap<String, u32>, Failure> {
    let mut all = accounts::all(&Dir::open(Path::new("/"))?, database)?;
    all.extend(accounts::all(root, database)?);
    Ok(all)
}

/// The newest release of a package of this format.
pub fn newest_app(db: &Db, name: &PackageName) -> Result<Option<Available>, DbError> {
    let mut newest: Option<Available> = None;
    for row in db.packages_named(name.as_str())? {
        if row.format != FormatName::Ubos.as_str() {
            continue;
        }
        let package = db.manifest(row.id)?;
        let Some(installable) = package.ubos else { continue };
        let version = package.package_version;
        if newest.as_ref().is_none_or(|best| version >= best.version) {
            newest = Some(Available { place: place_of(&row)?, version, installable: *installable });
        }
    }
    Ok(newest)
}

/// What a site names, and what that requires.
fn available(db: &Db, site: &Site) -> Result<BTreeMap<PackageName, Available>, DbError> {
    let names = site.apps.iter().flat_map(|app| app.accessories.iter().chain([&app.app]));
    let mut open: Vec<PackageName> = names.cloned().collect();
    let mut found = BTreeMap::new();
    while let Some(name) = open.pop() {
        if found.contains_key(&name) {
            continue;
        }
        let Some(one) = newest_app(db, &name)? else { continue };
        if let Kind::Accessory(accessory) = &one.installable.manifest.kind {
            open.extend(accessory.requires.iter().cloned());
        }
        found.insert(name, one);
    }
    Ok(found)
}

fn tree(
    db: &Db,
    layout: &Layout,
    (place, installable): (&RelPath, &Installable),
) -> Result<Tree, Failure> {
    let row = db.package_at(place.as_str())?;
    let table = match row {
        Some(row) => table(db, row.id)?,
        None => FileTable::new(Vec::new()),
    };
    let (mut texts, mut by_heart, mut looked_for) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    let Ok(dir) = Dir::open(&layout.library().join(place)) else {
        return Ok(Tree { table, texts, by_heart, looked_for });
    };
    let in_tree = |path: &str| {
        let path = path.strip_prefix("${package.codedir}/").unwrap_or(path);
        let code = &installable.code;
        if code.is_empty() { path.to_owned() } else { format!("{code}/{path}") }
    };
    for path in rendered(&installable.manifest) {
        let path = in_tree(&path);
        if table.get(&path).is_some() {
            texts.insert(path.clone(), dir.read(&path, LONGEST)?);
        }
    }
    for path in by_heart::scripts(&installable.manifest) {
        let is_short =
            |entry: &Entry| matches!(entry.content, Content::File { size, .. } if size <= LONGEST);
        if !table.get(&in_tree(&path)).is_some_and(is_short) {
            continue;
        }
        let text = dir.read(in_tree(&path), LONGEST)?;
        let text = String::from_utf8_lossy(&text);
        looked_for.extend(by_heart::named_code(&text, layout));
        by_heart.extend(by_heart::knows_http(&text).then_some(path));
    }
    Ok(Tree { table, texts, by_heart, looked_for })
}

/// The files of a package whose variables are replaced.
fn rendered(manifest: &Manifest) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |names: &[String], content: &Source| {
        if let Source::Template(path, Language::Varsubst) = content {
            found.extend(names.iter().map(|name| path.of(name)));
        }
    };
    for role in &manifest.roles {
        for item in &role.items {
            match &item.kind {
                ItemKind::File { names, content, .. } => add(names.as_slice(), content),
                ItemKind::Sql(sql) => add(&[sql.database.to_string()], &sql.content),
                _ => {}
            }
        }
        for task in role.installers.iter().chain(&role.upgraders).chain(&role.uninstallers) {
            if let Run::Sql(sql) = &task.run {
                add(&[sql.database.to_string()], &sql.content);
            }
        }
        for (name, entry) in &role.well_known {
            if let WellKnown::Template(content) = entry {
                add(&[name.to_string()], content);
            }
        }
    }
    found
}

fn places(layout: &Layout, config: &Config, (known, now): (&HostAccounts, Moment)) -> Places {
    let root = layout.root().filter(|root| *root != Path::new("/"));
    let web = |given: &Option<String>, known: &HashMap<String, u32>| {
        // Arch's name, where somebody has made it, since many scripts know no other.
        let there = ["http", "www-data"].into_iter().find(|name| known.contains_key(*name));
        given.clone().unwrap_or_else(|| there.unwrap_or("www-data").to_owned())
    };
    let name = fs::read_text(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    let seconds = now.0.div_euclid(1000).unsigned_abs();
    let stamp: String = now.rfc3339().chars().filter(|c| !matches!(c, '-' | ':' | 'Z')).collect();
    Places {
        hostname: name.trim().to_owned(),
        // Without an ending slash: paths are put behind it.
        root: root
            .map(|root| root.components().collect::<PathBuf>().display().to_string())
            .unwrap_or_default(),
        web: (
            web(&config.sites.web_user, &known.users),
            web(&config.sites.web_group, &known.groups),
        ),
        now: (seconds, stamp.replace('T', "-")),
    }
}

fn missing_php(all: &BTreeMap<PackageName, Available>) -> Result<Vec<(String, String)>, Failure> {
    let roles = all.values().flat_map(|one| &one.installable.manifest.roles);
    let names: Vec<_> = roles.flat_map(|role| role.php_modules.iter().cloned()).collect();
    let missing = look_for_php(Path::new("/etc/php"), &names)?;
    Ok(missing.into_iter().map(|one| (one.name.to_string(), one.package)).collect())
}

fn taken_ports(db: &Db) -> Result<BTreeSet<(Protocol, u16)>, DbError> {
    let mut taken = BTreeSet::new();
    for value in db.reserved(SITE_PORT)? {
        let Some((protocol, port)) = value.split_once('/') else { continue };
        let protocol = if protocol == "udp" { Protocol::Udp } else { Protocol::Tcp };
        taken.extend(port.parse().ok().map(|port| (protocol, port)));
    }
    for socket in sockets::all() {
        let is_open = socket.remote.port() == 0;
        let protocol = match socket.protocol {
            sockets::Protocol::Tcp => Protocol::Tcp,
            sockets::Protocol::Udp => Protocol::Udp,
        };
        if is_open {
            taken.insert((protocol, socket.local.port()));
        }
    }
    Ok(taken)
}
