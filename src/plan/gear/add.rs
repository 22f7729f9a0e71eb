//! Cartridges that come into a gear that is there.

use super::configure::{
    Wanted, add_cartridge, assign, claims, new_cartridge, new_endpoints, port_variable,
};
use super::create::Exposure;
use super::events::{Member, add_dispatch};
use super::externals::add_coming;
use super::frontend::{Ports, add_rerouting, exposure, give_ports, note_httpd, reserve};
use super::order::{in_configuring_order, note_groups};
use super::registered::refuse_uneven;
use super::run::{add_wait, plan_for};
use crate::db::{Change, GearEndpointRow, InversePart, NewEndpoint};
use crate::error::Exit;
use crate::facts::{Gear, MemberFacts};
use crate::gather::Arrival;
use crate::gear::action::Action;
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::Package;
use crate::plan::install::add_packages;
use crate::plan::{Plan, Refusal, Resource};
use crate::step::control::{Control, Strictness};
use crate::step::run_script::{RunScript, Script};
use crate::step::stash_gear::StashGear;

/// What is asked for: cartridges for a gear.
#[derive(Clone, Debug, PartialEq)]
pub struct AddRequest {
    /// The cartridges, with what they require.
    pub cartridges: Vec<Wanted>,
    /// The packages that come into the library with them.
    pub arrived: Vec<Arrival>,
}

/// Plans the coming of cartridges into a gear, which goes on running where it does.
pub fn add(ask: &AddRequest, facts: &MemberFacts) -> Result<Plan, Refusal> {
    let gear = &facts.gear;
    let mut plan = plan_for(gear, "add to");
    let titles: Vec<_> =
        ask.cartridges.iter().map(|one| format!("`{}`", one.package.title())).collect();
    plan.title = format!("add {} to the gear `{}`", titles.join(", "), gear.identity.name);
    refuse(ask, gear)?;
    refuse_uneven(facts, &ask.cartridges)?;
    let present = present(gear);
    let all: Vec<Wanted> = present.iter().chain(&ask.cartridges).cloned().collect();
    let order = in_configuring_order(&all)?;
    let is_new = |one: &Wanted| !present.iter().any(|old| old.package.name == one.package.name);
    let new: Vec<Wanted> = order.iter().filter(|one| is_new(one)).cloned().collect();
    let identity = grown(gear, &order);
    for one in &new {
        let name = format!("{}-{}", one.package.vendor, one.package.name);
        plan.resources.insert(Resource::PackageInUse(name));
    }
    add_packages(&mut plan, &ask.arrived, &facts.installed)?;
    keep(&mut plan, gear, &new);
    let endpoints = add_new(&mut plan, (&identity, gear.row.slot), &new, facts)?;
    add_rerouting(
        &mut plan,
        &changed(gear, &identity, &order, &endpoints),
        facts.outside.as_ref(),
    )?;
    let packages: Vec<Package> = order.iter().map(|one| one.package.clone()).collect();
    let grown = Member { gear: &identity, packages: &packages };
    add_dispatch(&mut plan, &members(facts, Some(grown)), &facts.told);
    note_groups(&mut plan, &new);
    note_httpd(&mut plan, &new, facts.outside.as_ref());
    let dirs = new.iter().rev().map(|one| one.package.name.to_string()).collect();
    let name = gear.identity.name.clone();
    plan.inverse.parts.insert(0, InversePart::RemoveCartridges { name, dirs });
    Ok(plan)
}

fn refuse(ask: &AddRequest, gear: &Gear) -> Result<(), Refusal> {
    let name = &gear.identity.name;
    for one in &ask.cartridges {
        let title = one.package.title();
        if gear.identity.cartridge(one.package.name.as_str()).is_some() {
            let text = format!("the gear `{name}` has a cartridge `{}`", one.package.name);
            return Err(Refusal::new(Exit::Conflict, text).hint(format!("`cart gear show {name}`")));
        }
        if one.software().is("web_framework") {
            let text = format!(
                "`{title}` is a web framework: a gear gets one when it is created, or never"
            );
            return Err(Refusal::new(Exit::Conflict, text)
                .hint(format!("`cart gear create NAME {} --app APP`", one.package.name)));
        }
    }
    Ok(())
}

/// The cartridges that the gear has, as if they were asked for.
pub fn present(gear: &Gear) -> Vec<Wanted> {
    let pairs = gear.identity.cartridges.iter().zip(&gear.packages);
    let wanted = |(cartridge, package): (&Cartridge, &Package)| Wanted {
        package: package.clone(),
        place: cartridge.place.clone(),
        software: Some(cartridge.software.clone()),
    };
    pairs.map(wanted).collect()
}

/// The folder of the cartridge of `gear` that is called `word`, or the only one that provides it.
pub fn folder_of(gear: &Gear, word: &str) -> Option<String> {
    if gear.identity.cartridge(word).is_some() {
        return Some(word.to_owned());
    }
    let present = present(gear);
    let mut meant = present.iter().filter(|one| one.has_feature(word));
    let found = meant.next().filter(|_| meant.next().is_none());
    found.map(|one| one.package.name.to_string())
}

/// The gear with the cartridges of `order`; its primary one stays so.
pub(super) fn grown(gear: &Gear, order: &[Wanted]) -> Identity {
    let primary = gear.identity.primary().map(|primary| primary.dir.clone());
    let cartridges = order.iter().map(|one| {
        let mut cartridge = one.cartridge();
        cartridge.is_primary = primary.as_deref() == Some(cartridge.dir.as_str());
        cartridge
    });
    Identity { cartridges: cartridges.collect(), ..gear.identity.clone() }
}

/// The gear as it will be, with further endpoints.
pub(super) fn changed(
    gear: &Gear,
    identity: &Identity,
    order: &[Wanted],
    endpoints: &[NewEndpoint],
) -> Gear {
    let stays = |row: &&GearEndpointRow| identity.cartridge(&row.dir).is_some();
    let kept = gear.endpoints.iter().filter(stays).cloned();
    Gear {
        identity: identity.clone(),
        packages: order.iter().map(|one| one.package.clone()).collect(),
        endpoints: kept.chain(endpoints.iter().map(GearEndpointRow::from)).collect(),
        ..gear.clone()
    }
}

/// The gears of the application, `changed` in the place of the gear that it is.
pub(super) fn members<'a>(facts: &'a MemberFacts, changed: Option<Member<'a>>) -> Vec<Member<'a>> {
    let member = |one: &'a Gear| {
        changed.filter(|changed| changed.gear.uuid == one.identity.uuid).unwrap_or(one.into())
    };
    facts.application.iter().map(member).collect()
}

/// What the scripts do to a gear that does not run is covered by a copy of it; that of a running one
/// would be of no moment in particular, and of no use.
fn keep(plan: &mut Plan, gear: &Gear, new: &[Wanted]) {
    if gear.processes == 0 {
        plan.step(StashGear { gear: gear.identity.clone() });
        return;
    }
    for one in new {
        let name = &one.package.name;
        plan.irreversible.push(format!(
            "what the scripts of `{name}` do to files of other cartridges, as the gear runs"
        ));
    }
}

/// Adds the steps of the new cartridges; they are started where the gear is.
fn add_new(
    plan: &mut Plan,
    (identity, slot): (&Identity, u32),
    new: &[Wanted],
    facts: &MemberFacts,
) -> Result<Vec<NewEndpoint>, Refusal> {
    let assigned = assign(new, &facts.taken_hosts, slot)?;
    let ports = further_ports(plan, new.iter(), facts)?;
    reserve(plan, &ports, &identity.uuid);
    for (one, given) in &assigned {
        add_coming(plan, (identity, one), &facts.externals)?;
        add_cartridge(plan, one, identity, claims(one, given, &ports))?;
        plan.summary.push(format!("cartridge {}", one.package.ident(one.version())));
        for at in given {
            let (name, port) = (port_variable(one, at), at.endpoint.port);
            plan.summary.push(format!("{name} = {}:{port}", at.address));
        }
    }
    let endpoints = new_endpoints(&assigned, &ports);
    let starts = facts.gear.state == Some(State::Started);
    if starts {
        for one in new {
            plan.step(Control {
                gear: identity.clone(),
                dir: one.package.name.to_string(),
                action: Action::Start,
                strictness: Strictness::MustSucceed,
            });
        }
        add_wait(plan, identity, endpoints.iter().map(|row| (row.address, row.port)).collect());
    }
    // That of a gear which was never started comes with its first start.
    let installs =
        |one: &&Wanted| one.package.parts.post_install && facts.gear.state != Some(State::New);
    for one in new.iter().filter(installs) {
        plan.step(RunScript {
            gear: identity.clone(),
            dir: one.package.name.to_string(),
            script: Script::PostInstall,
        });
    }
    plan.records.push(Change::AddCartridges {
        gear: facts.gear.row.id,
        cartridges: new.iter().map(|one| new_cartridge(one, identity)).collect(),
        endpoints: endpoints.clone(),
        order: identity.cartridges.iter().map(|one| one.dir.clone()).collect(),
    });
    Ok(endpoints)
}

/// The public ports of cartridges that come into a gear. An exposed gear stays so, whether or not
/// they have anything to show.
pub(super) fn further_ports<'a>(
    plan: &mut Plan,
    new: impl Iterator<Item = &'a Wanted> + Clone,
    facts: &MemberFacts,
) -> Result<Ports, Refusal> {
    let mut exposure = exposure(&facts.gear);
    let mut endpoints = new.clone().flat_map(|one| &one.software().endpoints);
    if endpoints.all(|at| at.public_port_name.is_none()) {
        exposure = Exposure::Private;
    }
    give_ports(plan, new, (exposure, facts.outside.as_ref()))
}
