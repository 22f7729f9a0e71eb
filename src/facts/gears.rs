//! Facts about gears: what lives where, what runs, what is taken.

use super::externals::Externals;
use super::packages::Installed;
use crate::config::{Config, Gears};
use crate::db::{Db, DbError, ExternalRow, GearEndpointRow, GearRole, GearRow, ToldRow};
use crate::error::{Exit, Failure};
use crate::gear::endpoints;
use crate::gear::identity::{Cartridge, Identity, Sandbox};
use crate::gear::processes::{self, Census, Fence};
use crate::gear::sdk;
use crate::gear::state::{self, State};
use crate::layout::Layout;
use crate::package::Package;
use crate::package::ident::{GearName, HostName};
use crate::package::version::Version;
use crate::sandbox::{self, Level, Record};
use crate::sys::cgroup::{self, Bounds};
use crate::sys::fs::{self, Dir};
use crate::sys::path::RelPath;
use crate::sys::{host, tree};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The first slot of an ordinary user's gears; the original's formula makes 127.0.1.1 of it.
const FIRST_SLOT: u32 = 2;

/// The most public ports that one gear gets: no real cartridge has more than seven endpoints.
pub const MOST_PORTS: usize = 64;

/// A gear that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Gear {
    /// Its row.
    pub row: GearRow,
    /// Who it is.
    pub identity: Identity,
    /// The packages of its cartridges, in the same order.
    pub packages: Vec<Package>,
    /// Where it listens.
    pub endpoints: Vec<GearEndpointRow>,
    /// The expected state, from its home.
    pub state: Option<State>,
    /// Whether its user has stopped it, so that the system must not start it.
    pub stop_locked: bool,
    /// Since when it is in that state, in seconds since 1970.
    pub since: Option<i64>,
    /// How many of its processes are alive.
    pub processes: usize,
    /// The bytes of memory that they hold.
    pub memory: u64,
    /// Whether what its processes run in is kept for it.
    pub is_kept: bool,
    /// What its processes may use together, where the kernel sees to that.
    pub limits: Bounds,
    /// Whether the front end has files of it.
    pub connected: bool,
    /// What its cartridges have asked externals for.
    pub externals: Vec<ExternalRow>,
}

/// What can be had of the front end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Public ports that nobody has, those of the gear's own block first.
    pub free_ports: Vec<u16>,
    /// The first and the last public port.
    pub range: (u16, u16),
    /// The web servers that files are written for.
    pub servers: Servers,
}

/// The web servers of a front end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Servers {
    /// Nginx, which alone passes public ports on.
    pub nginx: bool,
    /// Apache, which alone serves what cartridges bring in `httpd.d`.
    pub apache: bool,
}

/// What this host is, for gears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Whether `cart` runs as root, so that gears can have users of their own.
    pub is_root: bool,
    /// Whether gears get accounts of the host.
    pub accounts: bool,
    /// How their processes can be kept apart.
    pub sandbox: Sandbox,
}

/// What a new gear needs to know of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupied {
    /// Whether a gear of that name exists, or something stands where its home would be.
    pub name_taken: bool,
    /// How many gears there are.
    pub gears: usize,
    /// A slot that nobody has.
    pub slot: u32,
    /// The names under which gears are asked for.
    pub hosts: BTreeSet<String>,
    /// The numbers of the addresses of that slot that cannot be had: on which not all of the ports
    /// that are asked for can be bound right now.
    pub taken_hosts: BTreeSet<u8>,
}

/// Everything that the creation of a gear may know.
#[derive(Clone, Debug, PartialEq)]
pub struct GearFacts {
    /// The host.
    pub host: Host,
    /// The other gears.
    pub occupied: Occupied,
    /// The installed packages that are asked for.
    pub installed: Vec<Installed>,
    /// The gears of its application, the oldest first.
    pub application: Vec<Gear>,
    /// What their cartridges have told.
    pub told: Vec<ToldRow>,
    /// The front end, where there is one.
    pub outside: Option<Outside>,
    /// The externals of this host.
    pub externals: Externals,
    /// Places for the further gears of a scaled application.
    pub seats: Vec<Seat>,
}

impl Gear {
    /// Reads what there is to know of the gear called `name`; nothing when there is none.
    pub fn read(db: &Db, layout: &Layout, name: &str) -> Result<Option<Self>, Failure> {
        db.gear(name)?.map(|row| Self::of_row(db, layout, row)).transpose()
    }

    /// Reads what there is to know of every gear; the host's processes are looked at once.
    pub fn all(db: &Db, layout: &Layout) -> Result<Vec<Self>, Failure> {
        let census = Census::take()?;
        let rows = db.gears()?.into_iter();
        rows.map(|row| Self::counted(db, layout, (row, &census))).collect()
    }

    /// Reads what there is to know of the gears of the application `app`, the oldest first.
    pub fn of_app(db: &Db, layout: &Layout, app: &str) -> Result<Vec<Self>, Failure> {
        let rows = db.gears_of_app(app)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        Self::of_rows(db, layout, rows)
    }

    /// Reads what there is to know of the gears of this one's application, the oldest first.
    pub fn application(&self, db: &Db, layout: &Layout) -> Result<Vec<Self>, Failure> {
        let rows = db.gears_of_app(&self.row.app)?;
        // Mostly a gear is an application of its own, and known already.
        if rows.as_slice() == std::slice::from_ref(&self.row) {
            return Ok(vec![self.clone()]);
        }
        Self::of_rows(db, layout, rows)
    }

    /// Reads what there is to know of the other gears of the scaled application whose head this is,
    /// the oldest first; nothing of any other gear.
    pub fn children(&self, db: &Db, layout: &Layout) -> Result<Vec<Self>, Failure> {
        if self.row.role != Some(GearRole::Head) {
            return Ok(Vec::new());
        }
        let mut all = self.application(db, layout)?;
        all.retain(|one| one.row.role == Some(GearRole::Web));
        Ok(all)
    }

    fn of_rows(db: &Db, layout: &Layout, rows: Vec<GearRow>) -> Result<Vec<Self>, Failure> {
        let owners: Vec<_> = rows.iter().map(|row| row.uid.zip(row.gid)).collect();
        let census = Census::of_gears(&owners)?;
        rows.into_iter().map(|row| Self::counted(db, layout, (row, &census))).collect()
    }

    /// Reads what there is to know of the gear of `row`, living or in a stash.
    pub fn of_row(db: &Db, layout: &Layout, row: GearRow) -> Result<Self, Failure> {
        let census = Census::of_gears(&[row.uid.zip(row.gid)])?;
        Self::counted(db, layout, (row, &census))
    }

    fn counted(
        db: &Db,
        layout: &Layout,
        (row, census): (GearRow, &Census),
    ) -> Result<Self, Failure> {
        let mut packages = Vec::new();
        let mut cartridges = Vec::new();
        for one in db.gear_cartridges(row.id)? {
            let package = db.manifest(one.package)?;
            let place = db.package(one.package)?.map(|row| row.place).unwrap_or_default();
            let software = Version::parse(&one.software).map_err(|error| odd(&row.name, &error))?;
            cartridges.push(Cartridge {
                ident: package.ident(&software),
                dir: one.dir,
                short_name: package.short_name.clone(),
                software,
                place: RelPath::parse(&place).map_err(|error| odd(&row.name, &error))?,
                is_primary: one.is_primary,
            });
            packages.push(package);
        }
        let running = sandbox::running(&layout.running(), &row.uuid);
        let identity = Identity {
            name: GearName::parse(&row.name).map_err(|error| odd(&row.name, &error))?,
            uuid: row.uuid.clone(),
            owner: row.uid.zip(row.gid),
            account: row.account,
            sandbox: level(layout, &row, running.as_ref()),
            cartridges,
        };
        let home = Dir::open(&layout.gears().join(&row.name)).ok();
        let state = home.as_ref().and_then(state::read);
        let since = home.as_ref().and_then(state::since);
        let stop_locked = home.as_ref().is_some_and(|home| {
            // What cannot be looked at is left alone.
            state::is_stop_locked(home).unwrap_or(true)
        });
        let fence = running.as_ref().map(|record| Fence {
            firsts: record.first.iter().map(|first| first.id).collect(),
            members: record.members(),
        });
        let living = census.of(&identity, &fence.unwrap_or_default());
        let processes = living.len();
        let memory = processes::memory(&living);
        let endpoints = db.gear_endpoints(row.id)?;
        let externals = db.externals_of_gear(&row.uuid)?;
        let file = |folder: &str| layout.frontend().join(folder).join(format!("{}.conf", row.name));
        let connected = ["nginx", "nginx/stream", "apache"]
            .iter()
            .any(|folder| fs::kind_of(&file(folder)).is_some());
        Ok(Self {
            row,
            identity,
            packages,
            endpoints,
            state,
            stop_locked,
            since,
            processes,
            memory,
            is_kept: running.is_some(),
            limits: running.as_ref().map(limits).unwrap_or_default(),
            connected,
            externals,
        })
    }

    /// The name under which it is asked for.
    pub fn host(&self) -> Option<HostName> {
        self.row.dns.as_ref().and_then(|dns| HostName::parse(dns).ok())
    }
}

/// What the kernel holds a running gear to.
fn limits(record: &Record) -> Bounds {
    let usage = cgroup::usage(&record.groups);
    Bounds { memory: usage.memory_limit, processes: usage.process_limit.or(record.processes) }
}

/// How far the gear is kept apart: as it runs, or else as it would now.
fn level(layout: &Layout, row: &GearRow, running: Option<&Record>) -> Sandbox {
    let known = || sandbox::known_namespaces(&layout.running());
    match running.map(|record| record.level) {
        Some(Level::Namespaces) => Sandbox::Namespaces,
        Some(Level::Plain) => Sandbox::Plain,
        None => match known() {
            Some(true) => Sandbox::Namespaces,
            Some(false) => Sandbox::Plain,
            None => Sandbox::parse(&row.sandbox),
        },
    }
}

fn odd(name: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Failed, format!("the record of the gear `{name}` is damaged: {error}"))
        .hint("`cart doctor` says more")
}

/// The bytes in the home of a gear; unreadable parts count as nothing.
pub fn home_size(layout: &Layout, name: &GearName) -> u64 {
    let home = Dir::open(&layout.gears());
    home.and_then(|gears| tree::size(&gears, name.as_str())).unwrap_or_default()
}

impl Host {
    /// Looks at this host; `accounts` are made for root alone, and below `--root` only on demand.
    pub fn look(layout: &Layout, wants_accounts: bool) -> Self {
        let is_root = host::is_root();
        let accounts = is_root && (layout.root().is_none() || wants_accounts);
        let shims = sdk::commands(&layout.lib());
        let sandbox = if sandbox::has_namespaces(&layout.running(), &shims) {
            Sandbox::Namespaces
        } else {
            Sandbox::Plain
        };
        Self { is_root, accounts, sandbox }
    }
}

impl Occupied {
    /// Looks for a free slot, as root within the settings' user ids, and among its addresses for up
    /// to `wanted` on which `ports` can be bound.
    pub fn look(
        db: Option<&Db>,
        (layout, settings): (&Layout, &Gears),
        name: &GearName,
        (ports, wanted): (&BTreeSet<u16>, usize),
    ) -> Result<Self, Failure> {
        let gears = db.map_or(Ok(Vec::new()), Db::gears)?;
        let home = layout.gears().join(name.as_str());
        let slot = free_slot(db, (layout, settings))?;
        Ok(Self {
            name_taken: gears.iter().any(|gear| gear.name == name.as_str())
                || fs::kind_of(&home).is_some(),
            gears: gears.len(),
            hosts: gears.iter().filter_map(|gear| gear.dns.clone()).collect(),
            slot,
            taken_hosts: unbindable(slot, ports, wanted),
        })
    }
}

/// The numbers of the addresses on which not all of `ports` can be bound, below the first `wanted` on
/// which they can: trying all of a slot would cost more than everything else that a plan asks.
fn unbindable(slot: u32, ports: &BTreeSet<u16>, wanted: usize) -> BTreeSet<u8> {
    let mut taken = BTreeSet::new();
    let mut free = 0;
    for host in 1..=endpoints::LAST_HOST {
        if free >= wanted {
            break;
        }
        if endpoints::check_bindable(endpoints::address(slot, host), ports).is_ok() {
            free += 1;
        } else {
            taken.insert(host);
        }
    }
    taken
}

/// The numbers of the gear's addresses that it has given to its cartridges, or on which not all of
/// `ports` can be bound right now.
pub fn taken_hosts(gear: &Gear, ports: &BTreeSet<u16>) -> BTreeSet<u8> {
    let is_taken = |host: &u8| {
        let address = endpoints::address(gear.row.slot, *host);
        gear.endpoints.iter().any(|row| row.address == address.to_string())
            || endpoints::check_bindable(address, ports).is_err()
    };
    (1..=endpoints::LAST_HOST).filter(is_taken).collect()
}

/// What the cartridges of these gears have told.
pub fn told(db: &Db, gears: &[Gear]) -> Result<Vec<ToldRow>, DbError> {
    let mut all = Vec::new();
    for gear in gears {
        all.extend(db.told_by_gear(&gear.row.uuid)?);
    }
    Ok(all)
}

impl Outside {
    /// Looks at the front end of the settings, for up to `wanted` public ports of the gear with the
    /// number `slot`.
    pub fn look(
        db: &Db,
        config: &Config,
        slot: u32,
        wanted: usize,
    ) -> Result<Option<Self>, Failure> {
        let settings = &config.frontend;
        let servers = Servers { nginx: settings.nginx.enabled, apache: settings.apache.enabled };
        if !(servers.nginx || servers.apache) {
            return Ok(None);
        }
        let range = (config.gears.first_public_port, config.gears.last_public_port);
        let reserved = db.reserved("public-port")?;
        let mut taken: BTreeSet<u16> =
            reserved.iter().filter_map(|text| text.parse().ok()).collect();
        let mut free_ports = Vec::new();
        while servers.nginx && free_ports.len() < wanted {
            let Ok(port) = endpoints::public_port(slot, range, &taken) else { break };
            taken.insert(port);
            // Somebody else on this host may listen there.
            if endpoints::check_bindable(Ipv4Addr::UNSPECIFIED, &[port].into()).is_ok() {
                free_ports.push(port);
            }
        }
        Ok(Some(Self { free_ports, range, servers }))
    }
}

/// A place for a gear that does not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// A name that no gear has.
    pub name: String,
    /// A slot that nobody has.
    pub slot: u32,
    /// The numbers of the addresses of that slot that cannot be had.
    pub taken_hosts: BTreeSet<u8>,
}

/// Looks for places for `count` more gears of the application of `head`, beside a gear with the slot
/// `besides`, where that does not exist yet either.
pub fn seats(
    db: Option<&Db>,
    (layout, settings): (&Layout, &Gears),
    (head, besides, count): (&GearName, Option<u32>, usize),
    (ports, wanted): (&BTreeSet<u16>, usize),
) -> Result<Vec<Seat>, Failure> {
    let gears = db.map_or(Ok(Vec::new()), Db::gears)?;
    let is_free = |name: &String| {
        gears.iter().all(|gear| gear.name != *name)
            && fs::kind_of(&layout.gears().join(name)).is_none()
    };
    let mut names = (1u32..).map(|number| format!("{head}-{number}")).filter(is_free);
    let mut taken: BTreeSet<u32> = besides.into_iter().collect();
    let mut found = Vec::new();
    while found.len() < count {
        let slot = free_slot_but(db, (layout, settings), &taken)?;
        taken.insert(slot);
        let Some(name) = names.next() else { break };
        found.push(Seat { name, slot, taken_hosts: unbindable(slot, ports, wanted) });
    }
    Ok(found)
}

/// The lowest number that no gear has, nor, for root, any user of this host. Below another root than
/// `/` it is looked for from elsewhere on: accounts and addresses are those of one host, and another
/// `cart` may be choosing from them, too.
fn free_slot(db: Option<&Db>, places: (&Layout, &Gears)) -> Result<u32, Failure> {
    free_slot_but(db, places, &BTreeSet::new())
}

/// The same, and none of `given`.
fn free_slot_but(
    db: Option<&Db>,
    (layout, settings): (&Layout, &Gears),
    given: &BTreeSet<u32>,
) -> Result<u32, Failure> {
    let reserved = db.map_or(Ok(Vec::new()), |db| db.reserved("slot"))?;
    let mut taken: BTreeSet<u32> = reserved.iter().filter_map(|text| text.parse().ok()).collect();
    taken.extend(given);
    let (first, last) = if host::is_root() {
        taken.extend(user_ids()?);
        (settings.first_uid, settings.last_uid)
    } else {
        (FIRST_SLOT, u32::from(u16::MAX))
    };
    let begin = first + layout.root().map_or(0, |root| scatter(root, last - first));
    let mut slots = (begin..=last).chain(first..begin);
    slots.find(|slot| !taken.contains(slot)).ok_or_else(|| {
        Failure::new(Exit::Conflict, format!("every gear number from {first} to {last} is taken"))
            .hint("destroy gears that nobody needs")
    })
}

/// A number below `limit`, always the same for a path (FNV-1a).
fn scatter(path: &std::path::Path, limit: u32) -> u32 {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let hash = bytes
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash % limit.max(1)
}

fn user_ids() -> Result<Vec<u32>, DbError> {
    let users = fs::read_text("/etc/passwd".as_ref())?;
    let groups = fs::read_text("/etc/group".as_ref())?;
    let third = |line: &str| line.split(':').nth(2)?.parse().ok();
    Ok(users.lines().chain(groups.lines()).filter_map(third).collect())
}

/// A new gear's identifier: `g` and 12 hexadecimal digits, also fit for an account's name.
pub fn new_uuid() -> Result<String, Failure> {
    Ok(format!("g{}", crate::sys::random::hex(6)?))
}

/// Tells whether the users of gears can reach their homes, and names the directory in their way.
pub fn obstacle(layout: &Layout) -> Option<std::path::PathBuf> {
    let state = layout.state();
    let mut on_the_way: Vec<_> = state.ancestors().collect();
    on_the_way.reverse();
    let closed = |path: &&std::path::Path| {
        let meta = Dir::open(path).and_then(|dir| dir.meta(""));
        matches!(meta, Ok(Some(meta)) if meta.mode & 0o001 == 0)
    };
    on_the_way.into_iter().find(closed).map(std::path::Path::to_owned)
}
