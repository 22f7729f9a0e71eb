//! Cartridges that leave a gear, and come back.

use super::add::{changed, further_ports, grown, members, present};
use super::configure::Wanted;
use super::events::{Member, add_dispatch, add_silence};
use super::externals::of;
use super::frontend::{add_rerouting, reserve};
use super::order::unmet;
use super::registered::refuse_uneven;
use super::run::plan_for;
use crate::db::{Change, GearEndpointRow, InversePart, NewCartridge, NewEndpoint};
use crate::error::Exit;
use crate::facts::{Gear, MemberFacts};
use crate::gear::action::Action;
use crate::gear::endpoints;
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::Package;
use crate::package::endpoint::Endpoint;
use crate::package::external::Action as External;
use crate::plan::externals::add_withdrawn;
use crate::plan::{Consent, Plan, Refusal, Resource};
use crate::step::control::{Control, Strictness};
use crate::step::drop_variables::DropVariables;
use crate::step::endpoints::{Claim, ClaimEndpoints};
use crate::step::lock_files::{LockFiles, Turn};
use crate::step::remove_cartridge::RemoveCartridge;
use crate::step::stash_gear::StashGear;

/// Plans the leaving of the cartridges in the folders `dirs`; `bytes` is the size of those folders,
/// which wait in the stash. The gear goes on running where it does.
pub fn remove(facts: &MemberFacts, dirs: &[String], bytes: u64) -> Result<Plan, Refusal> {
    let gear = &facts.gear;
    let mut plan = plan_for(gear, "remove from");
    let titles: Vec<_> = dirs.iter().map(|dir| format!("`{dir}`")).collect();
    plan.title = format!("remove {} from the gear `{}`", titles.join(", "), gear.identity.name);
    refuse(gear, dirs)?;
    let leaving = |one: &Wanted| dirs.contains(&one.package.name.to_string());
    let leaving: Vec<Wanted> = present(gear).into_iter().filter(leaving).collect();
    refuse_uneven(facts, &leaving)?;
    if gear.processes == 0 {
        plan.step(StashGear { gear: gear.identity.clone() });
    }
    let mut inverse = Vec::new();
    // The last one configured is the first to go.
    for index in (0..gear.identity.cartridges.len()).rev() {
        let pair = gear.identity.cartridges.get(index).zip(gear.packages.get(index));
        let Some((cartridge, package)) = pair.filter(|(one, _)| dirs.contains(&one.dir)) else {
            continue;
        };
        add_leaving(&mut plan, facts, (cartridge, package));
        let rows = of(&gear.externals, package);
        add_withdrawn(&mut plan, rows, &facts.externals, External::Remove)?;
        inverse.insert(0, returning(gear, cartridge));
    }
    plan.inverse.parts.extend(inverse);
    let order: Vec<Wanted> = present(gear)
        .into_iter()
        .filter(|one| !dirs.contains(&one.package.name.to_string()))
        .collect();
    let identity = grown(gear, &order);
    add_rerouting(&mut plan, &changed(gear, &identity, &order, &[]), facts.outside.as_ref())?;
    let packages: Vec<Package> = order.into_iter().map(|one| one.package).collect();
    let shrunk = Member { gear: &identity, packages: &packages };
    add_dispatch(&mut plan, &members(facts, Some(shrunk)), &facts.told);
    plan.keeps = Some(bytes);
    plan.consent = Consent::Courtesy;
    plan.summary.push(format!("its files ({bytes} bytes) wait in the stash, for `cart undo`"));
    Ok(plan)
}

fn refuse(gear: &Gear, dirs: &[String]) -> Result<(), Refusal> {
    let name = &gear.identity.name;
    for dir in dirs {
        let Some(cartridge) = gear.identity.cartridge(dir) else {
            let text = format!("the gear `{name}` has no cartridge `{}`", dir.escape_debug());
            return Err(Refusal::new(Exit::NotFound, text).hint(format!("`cart gear show {name}`")));
        };
        if cartridge.is_primary {
            let text = format!("`{dir}` is what the gear `{name}` was made for");
            return Err(Refusal::new(Exit::Conflict, text)
                .hint(format!("destroy the gear instead: `cart gear destroy {name}`")));
        }
    }
    let stays = |one: &Wanted| !dirs.contains(&one.package.name.to_string());
    let left: Vec<Wanted> = present(gear).into_iter().filter(stays).collect();
    for one in &left {
        if let Some(missing) = unmet(one, &left) {
            let text = format!(
                "`{}` requires `{}`, which would be gone",
                one.package.name,
                missing.join("` or `")
            );
            return Err(Refusal::new(Exit::Conflict, text)
                .hint(format!("remove `{}`, too", one.package.name)));
        }
    }
    Ok(())
}

fn add_leaving(plan: &mut Plan, facts: &MemberFacts, (cartridge, package): (&Cartridge, &Package)) {
    let gear = &facts.gear;
    let identity = &gear.identity;
    let dir = &cartridge.dir;
    if gear.state == Some(State::Started) || gear.processes > 0 {
        plan.step(Control {
            gear: identity.clone(),
            dir: dir.clone(),
            action: Action::Stop,
            strictness: Strictness::MayFail,
        });
    }
    let turn = |turn, patterns: &[String]| LockFiles {
        gear: identity.clone(),
        dir: dir.clone(),
        patterns: patterns.to_vec(),
        turn,
    };
    plan.step(turn(Turn::Unlock, &package.managed.locked_files));
    let teardown = package.parts.teardown;
    plan.step(RemoveCartridge { gear: identity.clone(), dir: dir.clone(), teardown });
    // Of what was unlocked, the home alone is left.
    plan.step(turn(Turn::Lock, &[]));
    let mut rows = gear.endpoints.iter().filter(|row| row.dir == *dir);
    if rows.any(|row| row.public_port.is_some()) {
        let text = format!("`{dir}` gives up its public ports, and would come back with others");
        plan.irreversible.push(text);
    }
    if teardown {
        plan.irreversible.push(format!("what `teardown` of `{dir}` does beyond its folder"));
    }
    let mut names = variables(package, cartridge);
    let speaks = |one: &Package| {
        let mut all = one.software.iter().flat_map(|one| &one.endpoints);
        all.any(Endpoint::is_ssl_to_gear)
    };
    let mut others = identity.cartridges.iter().zip(&gear.packages);
    if speaks(package) && !others.any(|(one, package)| one.dir != *dir && speaks(package)) {
        names.push(endpoints::SSL_TO_GEAR.to_owned());
    }
    if !names.is_empty() {
        plan.step(DropVariables { gear: identity.clone(), names });
    }
    let all: Vec<Member<'_>> = facts.application.iter().map(Member::from).collect();
    add_silence(plan, &all, (identity, dir), &facts.told);
    plan.records.push(Change::RemoveCartridge { gear: gear.row.id, dir: dir.clone() });
}

/// The variables that tell of its endpoints.
fn variables(package: &Package, cartridge: &Cartridge) -> Vec<String> {
    let software =
        package.software(&cartridge.software).unwrap_or_else(|| package.default_software());
    let mut names = Vec::new();
    for one in &software.endpoints {
        let own = [Some(&one.ip_name), Some(&one.port_name), one.websocket_port_name.as_ref()];
        let own = own.into_iter().chain([one.public_port_name.as_ref()]).flatten();
        names.extend(own.map(|name| endpoints::variable(cartridge.short_name.as_str(), name)));
    }
    names.sort();
    names.dedup();
    names
}

fn returning(gear: &Gear, cartridge: &Cartridge) -> InversePart {
    let endpoint = |row: &GearEndpointRow| {
        Some(NewEndpoint {
            dir: row.dir.clone(),
            name: row.name.clone(),
            address: row.address.parse().ok()?,
            port: row.port,
            public_port: None,
            protocols: row.protocols.clone(),
        })
    };
    let rows = gear.endpoints.iter().filter(|row| row.dir == cartridge.dir);
    InversePart::ReturnCartridge {
        name: gear.identity.name.clone(),
        cartridge: NewCartridge {
            place: cartridge.place.clone(),
            software: cartridge.software.clone(),
            dir: cartridge.dir.clone(),
            is_primary: false,
        },
        endpoints: rows.filter_map(endpoint).collect(),
    }
}

/// Adds to `plan` what brings cartridges back whose folders lie in their places again: they get
/// their addresses, are started where the gear is, and publish.
pub(in crate::plan) fn add_returned(
    plan: &mut Plan,
    facts: &MemberFacts,
    returned: &[(Wanted, &NewCartridge, &[NewEndpoint])],
) -> Result<(), Refusal> {
    let gear = &facts.gear;
    let name = &gear.identity.name;
    plan.resources.insert(Resource::Gear(name.clone()));
    let mut order = present(gear);
    order.extend(returned.iter().map(|(wanted, ..)| wanted.clone()));
    let order = super::order::in_configuring_order(&order)?;
    let mut rows = returned.iter().flat_map(|(.., rows)| rows.iter());
    let is_taken = |row: &&NewEndpoint| {
        let address = row.address.to_string();
        gear.endpoints.iter().any(|other| other.address == address)
    };
    if let Some(row) = rows.find(is_taken) {
        let text = format!("another cartridge of the gear `{name}` has {} now", row.address);
        return Err(Refusal::new(Exit::Conflict, text).hint("remove that one first"));
    }
    let identity = grown(gear, &order);
    let ports = further_ports(plan, returned.iter().map(|(wanted, ..)| wanted), facts)?;
    reserve(plan, &ports, &identity.uuid);
    let with_port = |row: &NewEndpoint| NewEndpoint {
        public_port: ports.get(&row.name).copied(),
        ..row.clone()
    };
    let endpoints: Vec<NewEndpoint> =
        returned.iter().flat_map(|(.., rows)| rows.iter().map(with_port)).collect();
    for (wanted, cartridge, _) in returned {
        add_claims(plan, &identity, (wanted, &endpoints));
        if gear.state == Some(State::Started) {
            plan.step(Control {
                gear: identity.clone(),
                dir: cartridge.dir.clone(),
                action: Action::Start,
                strictness: Strictness::MustSucceed,
            });
        }
        plan.summary.push(format!("the cartridge `{}` comes back", cartridge.dir));
    }
    plan.records.push(Change::AddCartridges {
        gear: gear.row.id,
        cartridges: returned.iter().map(|(_, cartridge, _)| (*cartridge).clone()).collect(),
        endpoints: endpoints.clone(),
        order: identity.cartridges.iter().map(|one| one.dir.clone()).collect(),
    });
    add_rerouting(plan, &changed(gear, &identity, &order, &endpoints), facts.outside.as_ref())?;
    let packages: Vec<Package> = order.iter().map(|one| one.package.clone()).collect();
    let whole = Member { gear: &identity, packages: &packages };
    add_dispatch(plan, &members(facts, Some(whole)), &facts.told);
    let dirs = returned.iter().rev().map(|(_, one, _)| one.dir.clone()).collect();
    plan.inverse.parts.push(InversePart::RemoveCartridges { name: name.clone(), dirs });
    Ok(())
}

fn add_claims(plan: &mut Plan, identity: &Identity, (wanted, rows): (&Wanted, &[NewEndpoint])) {
    let short = wanted.package.short_name.as_str();
    let dir = wanted.package.name.to_string();
    let claim = |one: &Endpoint| {
        let name = endpoints::variable(short, &one.port_name);
        let row = rows.iter().find(|row| row.dir == dir && row.name == name)?;
        let at = endpoints::Assigned { endpoint: one, host: 0, address: row.address };
        let mut variables = at.variables(short);
        if let (Some(port), Some(name)) = (row.public_port, &one.public_port_name) {
            variables.push((endpoints::variable(short, name), port.to_string()));
        }
        Some(Claim { address: row.address, ports: at.ports().collect(), variables })
    };
    let claims: Vec<Claim> = wanted.software().endpoints.iter().filter_map(claim).collect();
    if !claims.is_empty() {
        plan.step(ClaimEndpoints { gear: identity.clone(), dir, claims });
    }
}
