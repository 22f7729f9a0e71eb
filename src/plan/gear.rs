//! Gears: created, started, stopped, destroyed; each as one transaction.

use super::install::{add_packages, below};
use super::{Consent, Plan, Refusal, Resource};
use crate::config::Gears as Settings;
use crate::db::{Change, InversePart, NewCartridge, NewEndpoint, NewGear, Reservation};
use crate::error::Exit;
use crate::facts::{Gear, GearFacts};
use crate::gather::Arrival;
use crate::gear::endpoints::{self, Assigned};
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::ident::GearName;
use crate::package::version::Version;
use crate::package::{Package, Software};
use crate::step::await_endpoints::AwaitEndpoints;
use crate::step::check_cartridge::CheckCartridge;
use crate::step::control::{Action, Control, Strictness};
use crate::step::end_processes::EndProcesses;
use crate::step::endpoints::{Claim, ClaimEndpoints};
use crate::step::git_repo::GitRepo;
use crate::step::make_gear::MakeGear;
use crate::step::make_user::MakeUser;
use crate::step::place_cartridge::PlaceCartridge;
use crate::step::render_templates::{Pass, RenderTemplates};
use crate::step::run_script::{RunScript, Script};
use crate::step::set_state::SetState;
use crate::step::stash_gear::StashGear;
use crate::step::stash_trees::StashTrees;
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;
use std::net::Ipv4Addr;

/// What is asked for: a new gear.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateRequest {
    /// Its name.
    pub name: GearName,
    /// Its identifier, drawn once: planning again must give the same plan.
    pub uuid: String,
    /// When it was asked for.
    pub made: Moment,
    /// Its cartridges, as they were named.
    pub cartridges: Vec<Wanted>,
    /// The packages that come into the library with it.
    pub arrived: Vec<Arrival>,
    /// Whether it is started.
    pub start: bool,
}

/// A cartridge that a new gear gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What its manifest says.
    pub package: Package,
    /// Its directory below the library.
    pub place: RelPath,
    /// The software version that is asked for; the default one otherwise.
    pub software: Option<Version>,
}

impl Wanted {
    fn version(&self) -> &Version {
        self.software.as_ref().unwrap_or(&self.package.version)
    }

    fn software(&self) -> &Software {
        self.package.software(self.version()).unwrap_or_else(|| self.package.default_software())
    }
}

/// Plans a new gear.
pub fn create(
    ask: &CreateRequest,
    facts: &GearFacts,
    settings: &Settings,
) -> Result<Plan, Refusal> {
    refuse_name(&ask.name, facts, settings)?;
    let wanted = in_configuring_order(&ask.cartridges)?;
    let identity = identity(ask, facts, &wanted);
    let mut plan = Plan::new(format!("create the gear `{}`", ask.name));
    plan.inverse.parts.push(InversePart::DestroyGear { name: ask.name.clone() });
    plan.resources.insert(Resource::Gear(ask.name.clone()));
    for one in &wanted {
        let name = format!("{}-{}", one.package.vendor, one.package.name);
        plan.resources.insert(Resource::PackageInUse(name));
    }
    add_packages(&mut plan, &ask.arrived, &facts.installed)?;
    plan.reservations.push(Reservation {
        kind: "slot".into(),
        value: facts.occupied.slot.to_string(),
        gear: identity.uuid.clone(),
    });
    if identity.owner.is_none() && facts.occupied.gears > 0 {
        plan.warnings
            .push("gears of one user share it: their scripts can see and signal each other".into());
    }
    add_home(&mut plan, &identity, (facts, ask.made), settings);
    let assigned = assign(&wanted, facts)?;
    for (one, given) in &assigned {
        add_cartridge(&mut plan, one, &identity, claims(one, given))?;
    }
    if ask.start {
        let listening =
            new_endpoints(&assigned).iter().map(|row| (row.address, row.port)).collect();
        add_start(&mut plan, &identity, listening, &packages(&wanted));
    }
    plan.records.push(Change::AddGear(Box::new(NewGear {
        name: ask.name.clone(),
        uuid: identity.uuid.clone(),
        slot: facts.occupied.slot,
        owner: identity.owner,
        account: facts.host.accounts,
        sandbox: identity.sandbox.as_str().into(),
        cartridges: wanted.iter().map(|one| new_cartridge(one, &identity)).collect(),
        endpoints: new_endpoints(&assigned),
    })));
    describe(&mut plan, &identity, &assigned);
    Ok(plan)
}

fn refuse_name(name: &GearName, facts: &GearFacts, settings: &Settings) -> Result<(), Refusal> {
    if settings.forbidden_names.iter().any(|forbidden| forbidden == name.as_str()) {
        let text = format!("no gear may be called `{name}` on this host");
        return Err(Refusal::new(Exit::Refused, text)
            .hint("choose another name; `forbidden_names` in cart-config(5) lists them"));
    }
    if facts.occupied.name_taken {
        let text = format!("the gear `{name}` exists already");
        return Err(Refusal::new(Exit::Conflict, text)
            .hint("choose another name, or destroy it first: `cart gear destroy NAME`"));
    }
    Ok(())
}

/// Web frameworks first, then services, then the rest (node specification, 8.1).
fn in_configuring_order(cartridges: &[Wanted]) -> Result<Vec<Wanted>, Refusal> {
    let mut wanted = cartridges.to_vec();
    wanted.sort_by_key(|one| match one.software() {
        software if software.is("web_framework") => 0,
        software if software.is("service") => 1,
        _ => 2,
    });
    for (index, one) in wanted.iter().enumerate() {
        let twin = wanted.iter().take(index).find(|other| other.package.name == one.package.name);
        if let Some(twin) = twin {
            let text = format!(
                "`{}` and `{}` would both live in the folder `{}`",
                twin.package.title(),
                one.package.title(),
                one.package.name
            );
            return Err(Refusal::new(Exit::Conflict, text).hint("name one of them"));
        }
    }
    let frameworks: Vec<_> =
        wanted.iter().filter(|one| one.software().is("web_framework")).collect();
    if let [first, second, ..] = frameworks.as_slice() {
        let (first, second) = (first.package.title(), second.package.title());
        let text = format!("`{first}` and `{second}` are both web frameworks; a gear has one");
        return Err(Refusal::new(Exit::Conflict, text).hint("make a gear for each of them"));
    }
    if wanted.is_empty() {
        return Err(Refusal::new(Exit::Usage, "a gear needs at least one cartridge"));
    }
    Ok(wanted)
}

fn identity(ask: &CreateRequest, facts: &GearFacts, wanted: &[Wanted]) -> Identity {
    let primary = wanted.iter().position(|one| one.software().is("web_framework")).unwrap_or(0);
    let cartridges = wanted.iter().enumerate().map(|(index, one)| Cartridge {
        dir: one.package.name.to_string(),
        short_name: one.package.short_name.clone(),
        software: one.version().clone(),
        ident: one.package.ident(one.version()),
        place: one.place.clone(),
        is_primary: index == primary,
    });
    let slot = facts.occupied.slot;
    Identity {
        name: ask.name.clone(),
        uuid: ask.uuid.clone(),
        owner: facts.host.is_root.then_some((slot, slot)),
        account: facts.host.accounts,
        sandbox: facts.host.sandbox,
        cartridges: cartridges.collect(),
    }
}

fn add_home(
    plan: &mut Plan,
    identity: &Identity,
    (facts, made): (&GearFacts, Moment),
    settings: &Settings,
) {
    if let (true, Some((uid, gid))) = (facts.host.accounts, identity.owner) {
        plan.step(MakeUser {
            name: identity.uuid.clone(),
            uid,
            gid,
            home: RelPath::parse(&identity.home()).ok(),
        });
    }
    plan.step(MakeGear {
        identity: identity.clone(),
        domain: settings.domain.clone(),
        namespace: settings.namespace.clone(),
        memory_mb: settings.memory_mb,
        made,
    });
}

/// What each cartridge was given: the folder, and its endpoints with their addresses.
type Given<'a> = Vec<(&'a Wanted, Vec<Assigned<'a>>)>;

/// One address for each name of an address, over all cartridges.
fn assign<'a>(wanted: &'a [Wanted], facts: &GearFacts) -> Result<Given<'a>, Refusal> {
    let mut taken = facts.occupied.taken_hosts.clone();
    let mut given = Vec::new();
    for one in wanted {
        let assigned = endpoints::assign(&one.software().endpoints, &taken, facts.occupied.slot)
            .map_err(|error| {
                let text = format!("`{}`: {error}", one.package.title());
                Refusal::new(Exit::Conflict, text)
                    .hint("`ss -ltnp` shows what listens on its ports on all addresses")
            })?;
        taken.extend(assigned.iter().map(|at| at.host));
        given.push((one, assigned));
    }
    Ok(given)
}

fn claims(one: &Wanted, assigned: &[Assigned<'_>]) -> Vec<Claim> {
    let claim = |at: &Assigned<'_>| Claim {
        address: at.address,
        ports: at.ports().collect(),
        variables: at.variables(one.package.short_name.as_str()),
    };
    assigned.iter().map(claim).collect()
}

fn add_cartridge(
    plan: &mut Plan,
    one: &Wanted,
    gear: &Identity,
    claims: Vec<Claim>,
) -> Result<(), Refusal> {
    let dir = one.package.name.to_string();
    let parts = one.package.parts;
    let at = |script| RunScript { gear: gear.clone(), dir: dir.clone(), script };
    let render = |pass| RenderTemplates {
        gear: gear.clone(),
        dir: dir.clone(),
        patterns: one.package.managed.processed_templates.clone(),
        pass,
    };
    plan.step(PlaceCartridge { gear: gear.clone(), dir: dir.clone(), usr: parts.usr });
    if !claims.is_empty() {
        plan.step(ClaimEndpoints { gear: gear.clone(), dir: dir.clone(), claims });
    }
    plan.step(render(Pass::Env));
    if parts.setup {
        plan.step(at(Script::Setup));
    }
    plan.step(render(Pass::Processed));
    if parts.install {
        plan.step(at(Script::Install));
    }
    if one.software().is("web_framework") && parts.template.is_some() {
        let repository = crate::library::template_repository(one.place.as_str());
        let repository = RelPath::parse(&repository)
            .map_err(|error| Refusal::new(Exit::Failed, format!("the template's name {error}")))?;
        plan.step(GitRepo { gear: gear.clone(), template: below("templates", &repository)? });
    }
    plan.step(CheckCartridge { gear: gear.clone(), dir });
    Ok(())
}

/// Adds what starts a gear; what was never started gets its `post_install` now, as the guide has
/// it: after the start, at the first installation only.
fn add_start(
    plan: &mut Plan,
    gear: &Identity,
    endpoints: Vec<(Ipv4Addr, u16)>,
    packages: &[Package],
) {
    plan.step(SetState { gear: gear.clone(), state: State::Started });
    for cartridge in gear.starting_order() {
        plan.step(Control {
            gear: gear.clone(),
            dir: cartridge.dir.clone(),
            action: Action::Start,
            strictness: Strictness::MustSucceed,
        });
    }
    if !endpoints.is_empty() {
        plan.step(AwaitEndpoints { gear: gear.clone(), endpoints });
    }
    for (cartridge, package) in gear.cartridges.iter().zip(packages) {
        if package.parts.post_install {
            plan.step(RunScript {
                gear: gear.clone(),
                dir: cartridge.dir.clone(),
                script: Script::PostInstall,
            });
        }
    }
}

fn packages(wanted: &[Wanted]) -> Vec<Package> {
    wanted.iter().map(|one| one.package.clone()).collect()
}

fn new_cartridge(one: &Wanted, gear: &Identity) -> NewCartridge {
    let dir = one.package.name.to_string();
    let is_primary = gear.primary().is_some_and(|primary| primary.dir == dir);
    NewCartridge { place: one.place.clone(), software: one.version().clone(), dir, is_primary }
}

fn new_endpoints(assigned: &Given<'_>) -> Vec<NewEndpoint> {
    let row = |one: &Wanted, at: &Assigned<'_>| NewEndpoint {
        dir: one.package.name.to_string(),
        name: port_variable(one, at),
        address: at.address,
        port: at.endpoint.port,
        public_port: None,
        protocols: at.endpoint.protocols.clone(),
    };
    assigned.iter().flat_map(|(one, given)| given.iter().map(|at| row(one, at))).collect()
}

fn port_variable(one: &Wanted, at: &Assigned<'_>) -> String {
    endpoints::variable(one.package.short_name.as_str(), &at.endpoint.port_name)
}

fn describe(plan: &mut Plan, gear: &Identity, assigned: &Given<'_>) {
    for cartridge in &gear.cartridges {
        let role = if cartridge.is_primary { "primary" } else { "secondary" };
        plan.summary.push(format!("cartridge {} ({role})", cartridge.ident));
    }
    for (one, given) in assigned {
        for at in given {
            let (name, port) = (port_variable(one, at), at.endpoint.port);
            plan.summary.push(format!("{name} = {}:{port}", at.address));
        }
    }
}

/// Plans starting a gear; nothing when it runs.
pub fn start(gear: &Gear) -> Plan {
    let name = &gear.identity.name;
    let mut plan = Plan::new(format!("start the gear `{name}`"));
    plan.resources.insert(Resource::Gear(name.clone()));
    if gear.state == Some(State::Started) && gear.processes > 0 {
        plan.summary.push(format!("the gear `{name}` is running"));
        return plan;
    }
    let first_time = gear.state == Some(State::New);
    let packages = if first_time { gear.packages.as_slice() } else { &[] };
    if packages.iter().any(|package| package.parts.post_install) {
        plan.step(StashGear { gear: gear.identity.clone() });
    }
    add_start(&mut plan, &gear.identity, listening(gear), packages);
    plan.inverse.parts.push(InversePart::StopGear { name: name.clone() });
    plan
}

/// Where a gear should listen.
fn listening(gear: &Gear) -> Vec<(Ipv4Addr, u16)> {
    let rows = gear.endpoints.iter();
    rows.filter_map(|row| Some((row.address.parse().ok()?, row.port))).collect()
}

/// Plans stopping a gear; nothing when it does not run.
pub fn stop(gear: &Gear) -> Plan {
    let name = &gear.identity.name;
    let mut plan = Plan::new(format!("stop the gear `{name}`"));
    plan.resources.insert(Resource::Gear(name.clone()));
    if gear.state != Some(State::Started) && gear.processes == 0 {
        plan.summary.push(format!("the gear `{name}` is not running"));
        return plan;
    }
    add_stop(&mut plan, &gear.identity, Strictness::MustSucceed);
    plan.inverse.parts.push(InversePart::StartGear { name: name.clone() });
    plan
}

fn add_stop(plan: &mut Plan, gear: &Identity, strictness: Strictness) {
    plan.step(SetState { gear: gear.clone(), state: State::Stopped });
    let mut order: Vec<&Cartridge> = gear.starting_order().collect();
    order.reverse();
    for cartridge in order {
        plan.step(Control {
            gear: gear.clone(),
            dir: cartridge.dir.clone(),
            action: Action::Stop,
            strictness,
        });
    }
    plan.step(EndProcesses { gear: gear.clone() });
}

/// Whether cartridges are told that their gear goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// They are not: the seed's rule.
    Silent,
    /// `teardown` of each runs first.
    Teardown,
}

/// Plans the destruction of a gear; `bytes` is the size of its home, which waits in the stash.
pub fn destroy(gear: &Gear, farewell: Farewell, bytes: u64) -> Result<Plan, Refusal> {
    let name = &gear.identity.name;
    let mut plan = Plan::new(format!("destroy the gear `{name}`"));
    plan.resources.insert(Resource::Gear(name.clone()));
    let started = gear.state == Some(State::Started);
    if started || gear.processes > 0 {
        add_stop(&mut plan, &gear.identity, Strictness::MayFail);
    }
    if farewell == Farewell::Teardown {
        for (cartridge, package) in gear.identity.cartridges.iter().zip(&gear.packages) {
            if package.parts.teardown {
                plan.step(RunScript {
                    gear: gear.identity.clone(),
                    dir: cartridge.dir.clone(),
                    script: Script::Teardown,
                });
                plan.irreversible.push(format!("what `teardown` of `{}` does", cartridge.dir));
            }
        }
    }
    plan.step(StashTrees { trees: vec![below("gears", &gear_path(name)?)?] });
    plan.records.push(Change::DestroyGear { id: gear.row.id });
    plan.keeps = Some(bytes);
    plan.consent = match farewell {
        Farewell::Silent => Consent::Courtesy,
        Farewell::Teardown => Consent::Needed,
    };
    plan.inverse.parts.push(InversePart::RestoreGear { name: name.clone(), started });
    plan.summary.push(format!("its data ({bytes} bytes) waits in the stash, for `cart undo`"));
    Ok(plan)
}

/// Adds to `plan` what brings a destroyed gear back from the stash.
pub(super) fn add_restored(plan: &mut Plan, gear: &Gear, started: bool) {
    let name = &gear.identity.name;
    plan.resources.insert(Resource::Gear(name.clone()));
    plan.records.push(Change::RestoreGear { id: gear.row.id });
    if started {
        add_start(plan, &gear.identity, listening(gear), &[]);
    }
    plan.inverse.parts.push(InversePart::DestroyGear { name: name.clone() });
    plan.summary.push(format!("the gear `{name}` comes back with its data"));
}

fn gear_path(name: &GearName) -> Result<RelPath, Refusal> {
    RelPath::parse(name.as_str())
        .map_err(|error| Refusal::new(Exit::Failed, format!("the gear's name {error}")))
}
