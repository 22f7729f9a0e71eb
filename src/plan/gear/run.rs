//! Starting and stopping gears, by their user and by the system.

use super::build;
use crate::db::InversePart;
use crate::facts::Gear;
use crate::gear::action::Action;
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::Package;
use crate::plan::{Plan, Resource};
use crate::step::await_endpoints::{AwaitEndpoints, Silence};
use crate::step::check_endpoints::CheckEndpoints;
use crate::step::control::{Control, Strictness};
use crate::step::end_processes::{EndProcesses, Manner};
use crate::step::run_script::{RunScript, Script};
use crate::step::set_state::{Initiator, SetState};
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
    if let Some(primary) = build::to_deploy(gear, packages) {
        build::add_deployment(plan, gear, (primary, endpoints));
    } else {
        let state = State::Started;
        plan.step(SetState { gear: gear.clone(), state, initiator: Initiator::User });
        add_actions(plan, gear, (Action::Start, Strictness::MustSucceed));
        add_wait(plan, gear, endpoints);
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

/// Adds `action` for each cartridge, in the order of starting.
pub(super) fn add_actions(
    plan: &mut Plan,
    gear: &Identity,
    (action, strictness): (Action, Strictness),
) {
    for cartridge in gear.starting_order() {
        let dir = cartridge.dir.clone();
        plan.step(Control { gear: gear.clone(), dir, action, strictness });
    }
}

/// Adds the wait until the gear listens, where it has endpoints at all.
pub(super) fn add_wait(plan: &mut Plan, gear: &Identity, endpoints: Vec<(Ipv4Addr, u16)>) {
    if !endpoints.is_empty() {
        let silence = Silence::IsWarning;
        plan.step(AwaitEndpoints { gear: gear.clone(), endpoints, silence });
    }
}

/// Plans starting a gear; nothing when it runs.
pub fn start(gear: &Gear) -> Plan {
    let name = &gear.identity.name;
    let mut plan = plan_for(gear, "start");
    if gear.state == Some(State::Started) && gear.processes > 0 {
        plan.summary.push(format!("the gear `{name}` is running"));
        return plan;
    }
    let first_time = gear.state == Some(State::New);
    let packages = if first_time { gear.packages.as_slice() } else { &[] };
    let deploys = build::to_deploy(&gear.identity, packages).is_some();
    if deploys || packages.iter().any(|package| package.parts.post_install) {
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
    let mut plan = plan_for(gear, "stop");
    if gear.state != Some(State::Started) && gear.processes == 0 && !gear.is_kept {
        plan.summary.push(format!("the gear `{name}` is not running"));
        return plan;
    }
    add_stop(&mut plan, &gear.identity, Strictness::MustSucceed);
    plan.inverse.parts.push(InversePart::StartGear { name: name.clone() });
    plan
}

pub(super) fn add_stop(plan: &mut Plan, gear: &Identity, strictness: Strictness) {
    add_stop_by(plan, gear, (Initiator::User, strictness));
}

/// Adds what stops a gear, the primary first.
pub(super) fn add_stop_by(
    plan: &mut Plan,
    gear: &Identity,
    (initiator, strictness): (Initiator, Strictness),
) {
    plan.step(SetState { gear: gear.clone(), state: State::Stopped, initiator });
    add_end(plan, gear, strictness);
}

/// Adds the same without a word of it: what the gear is said to be stays.
pub(super) fn add_end(plan: &mut Plan, gear: &Identity, strictness: Strictness) {
    add_end_by(plan, gear, (Manner::Gently, strictness));
}

/// Adds what tells a gear's cartridges to stop, and ends what has not.
pub(super) fn add_end_by(
    plan: &mut Plan,
    gear: &Identity,
    (manner, strictness): (Manner, Strictness),
) {
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
    plan.step(EndProcesses { gear: gear.clone(), manner });
}

/// Plans killing what runs in a gear. What is killed cannot be brought back, so it happens after
/// the commit, and nothing is left to fail.
pub fn force_stop(gear: &Gear) -> Plan {
    let mut plan = plan_for(gear, "stop by force");
    if gear.state == Some(State::Stopped) && gear.processes == 0 && !gear.is_kept {
        plan.summary.push(format!("the gear `{}` is not running", gear.identity.name));
        return plan;
    }
    let identity = gear.identity.clone();
    plan.step(SetState {
        gear: identity.clone(),
        state: State::Stopped,
        initiator: Initiator::User,
    });
    plan.after.push(EndProcesses { gear: identity, manner: Manner::AtOnce }.into());
    plan.irreversible.push("what the processes have in hand is lost".into());
    plan
}

/// Plans the start of a gear at the start of the host: one that its user has stopped, or never
/// started, stays as it is (node specification, 8.3).
pub fn boot(gear: &Gear) -> Plan {
    let mut plan = plan_for(gear, "start");
    let name = &gear.identity.name;
    if gear.stop_locked || matches!(gear.state, None | Some(State::New)) {
        plan.summary.push(format!("not starting the gear `{name}`: its user has not started it"));
    } else if gear.processes > 0 {
        plan.summary.push(format!("the gear `{name}` is running"));
    } else {
        let identity = &gear.identity;
        plan.step(SetState {
            gear: identity.clone(),
            state: State::Started,
            initiator: Initiator::System,
        });
        add_actions(&mut plan, identity, (Action::Start, Strictness::MustSucceed));
        add_wait(&mut plan, identity, listening(gear));
    }
    plan
}

/// Plans the stop of a gear at the end of the host's run: it starts again with the host.
pub fn halt(gear: &Gear) -> Plan {
    let mut plan = plan_for(gear, "stop");
    if gear.processes == 0 && !gear.is_kept {
        plan.summary.push(format!("the gear `{}` is not running", gear.identity.name));
    } else {
        add_stop_by(&mut plan, &gear.identity, (Initiator::System, Strictness::MayFail));
    }
    plan
}

/// An empty plan that locks the gear: `verb` and its name are the title.
pub(super) fn plan_for(gear: &Gear, verb: &str) -> Plan {
    let name = &gear.identity.name;
    let mut plan = Plan::new(format!("{verb} the gear `{name}`"));
    plan.resources.insert(Resource::Gear(name.clone()));
    plan
}
