//! Starting and stopping gears.

use crate::db::InversePart;
use crate::facts::Gear;
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::Package;
use crate::plan::{Plan, Resource};
use crate::step::await_endpoints::AwaitEndpoints;
use crate::step::check_endpoints::CheckEndpoints;
use crate::step::control::{Action, Control, Strictness};
use crate::step::end_processes::EndProcesses;
use crate::step::run_script::{RunScript, Script};
use crate::step::set_state::SetState;
use crate::step::stash_gear::StashGear;
use std::net::Ipv4Addr;

/// Adds what starts a gear; what was never started gets its `post_install` now, as the guide has
/// it: after the start, at the first installation only.
pub(super) fn add_start(
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
    let needed = gear
        .endpoints
        .iter()
        .filter_map(|row| Some((row.name.clone(), row.address.parse().ok()?, row.port)));
    let needed: Vec<_> = needed.collect();
    if !needed.is_empty() {
        plan.step(CheckEndpoints { gear: gear.identity.clone(), endpoints: needed });
    }
    add_start(&mut plan, &gear.identity, listening(gear), packages);
    plan.inverse.parts.push(InversePart::StopGear { name: name.clone() });
    plan
}

/// Where a gear should listen.
pub(super) fn listening(gear: &Gear) -> Vec<(Ipv4Addr, u16)> {
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

pub(super) fn add_stop(plan: &mut Plan, gear: &Identity, strictness: Strictness) {
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
