//! What a gear can be told beyond start and stop.

use super::run::{add_actions, add_stop_by, add_wait, listening, plan_for};
use crate::error::Exit;
use crate::facts::Gear;
use crate::gear::action::Action;
use crate::gear::identity::Cartridge;
use crate::gear::state::State;
use crate::plan::{Plan, Refusal};
use crate::step::collect_garbage::CollectGarbage;
use crate::step::control::{Control, Strictness};
use crate::step::empty_temporary::EmptyTemporary;
use crate::step::set_state::{Initiator, SetState};
use crate::step::stash_gear::StashGear;

/// Plans a restart of one gear: the state and the stop lock are those of a start by the user, written before
/// the scripts run.
pub fn restart(gear: &Gear) -> Plan {
    let mut plan = plan_for(gear, "restart");
    let identity = &gear.identity;
    plan.step(SetState {
        gear: identity.clone(),
        state: State::Started,
        initiator: Initiator::User,
    });
    add_actions(&mut plan, identity, (Action::Restart, Strictness::MustSucceed));
    add_wait(&mut plan, identity, listening(gear));
    plan
}

/// Plans a reload: `reload` of a started gear, `force-reload` of any other.
pub fn reload(gear: &Gear) -> Plan {
    let mut plan = plan_for(gear, "reload");
    let started = gear.state == Some(State::Started);
    let action = if started { Action::Reload } else { Action::ForceReload };
    add_actions(&mut plan, &gear.identity, (action, Strictness::MustSucceed));
    plan
}

/// Plans a thread dump of the cartridges that say they can make one.
pub fn threaddump(gear: &Gear) -> Result<Plan, Refusal> {
    let mut plan = plan_for(gear, "dump the threads of");
    let name = &gear.identity.name;
    if gear.state != Some(State::Started) {
        return Err(Refusal::new(Exit::Conflict, format!("the gear `{name}` is not started"))
            .hint(format!("`cart gear start {name}`")));
    }
    let able = gear.identity.starting_order().filter(|one| dumps_threads(gear, one));
    for cartridge in able {
        plan.step(one_action(gear, cartridge, Action::Threaddump));
    }
    if plan.steps.is_empty() {
        let text = format!("no cartridge of the gear `{name}` can dump threads");
        return Err(Refusal::new(Exit::Conflict, text)
            .hint("such a one has `Additional-Control-Actions: [threaddump]` in its manifest"));
    }
    Ok(plan)
}

fn dumps_threads(gear: &Gear, cartridge: &Cartridge) -> bool {
    let mut pairs = gear.identity.cartridges.iter().zip(&gear.packages);
    let package = pairs.find(|(one, _)| one.dir == cartridge.dir).map(|(_, package)| package);
    let software = package.and_then(|package| package.software(&cartridge.software));
    software.is_some_and(|software| {
        software.additional_control_actions.iter().any(|one| one == Action::Threaddump.as_str())
    })
}

/// Plans a tidying: the gear is stopped for it by the system and started again, but one that does
/// not run stays so. The repository follows after the commit, as nothing brings garbage back.
pub fn tidy(gear: &Gear) -> Plan {
    let mut plan = plan_for(gear, "tidy");
    let identity = &gear.identity;
    let runs = gear.state == Some(State::Started) && !gear.stop_locked;
    if runs {
        add_stop_by(&mut plan, identity, (Initiator::System, Strictness::MustSucceed));
    }
    plan.step(EmptyTemporary { gear: identity.clone() });
    // What a cartridge fails to throw away is no reason to keep the gear stopped.
    add_actions(&mut plan, identity, (Action::Tidy, Strictness::MayFail));
    if runs {
        plan.step(SetState {
            gear: identity.clone(),
            state: State::Started,
            initiator: Initiator::System,
        });
        add_actions(&mut plan, identity, (Action::Start, Strictness::MustSucceed));
        add_wait(&mut plan, identity, listening(gear));
    }
    plan.after.push(CollectGarbage { gear: identity.clone() }.into());
    plan.irreversible.push("what is thrown away".into());
    plan
}

/// Plans one action, called by hand, of the cartridge in the folder `dir`, or of each of them. Only
/// the primary's start and stop are those of the gear.
pub fn control(gear: &Gear, action: Action, dir: Option<&str>) -> Result<Plan, Refusal> {
    let name = &gear.identity.name;
    let mut chosen: Vec<&Cartridge> = gear.identity.starting_order().collect();
    if action == Action::Stop {
        chosen.reverse();
    }
    if let Some(dir) = dir {
        chosen.retain(|one| one.dir == dir);
        if chosen.is_empty() {
            let text = format!("the gear `{name}` has no cartridge `{}`", dir.escape_debug());
            return Err(Refusal::new(Exit::NotFound, text).hint(format!("`cart gear show {name}`")));
        }
    }
    if action == Action::Threaddump && gear.state != Some(State::Started) {
        return Err(Refusal::new(Exit::Conflict, format!("the gear `{name}` is not started")));
    }
    if let Some(unable) = chosen.iter().find(|one| !dumps_threads(gear, one))
        && action == Action::Threaddump
    {
        let text = format!("`{}` has no `threaddump` in Additional-Control-Actions", unable.dir);
        return Err(Refusal::new(Exit::Conflict, text));
    }
    let mut plan = plan_for(gear, &format!("run `control {action}` in"));
    keep(&mut plan, gear, action);
    let state = match action {
        Action::Start | Action::Restart => Some(State::Started),
        Action::Stop => Some(State::Stopped),
        _ => None,
    };
    for cartridge in chosen {
        if let Some(state) = state.filter(|_| cartridge.is_primary) {
            let gear = gear.identity.clone();
            plan.step(SetState { gear, state, initiator: Initiator::User });
        }
        plan.step(one_action(gear, cartridge, action));
    }
    Ok(plan)
}

/// What an action without an inverse changes is kept, where the gear does not run; else it is said
/// that nothing brings it back.
fn keep(plan: &mut Plan, gear: &Gear, action: Action) {
    if action.only_looks() || matches!(action, Action::Start | Action::Stop | Action::Restart) {
        return;
    }
    if gear.processes == 0 {
        plan.step(StashGear { gear: gear.identity.clone() });
    }
    plan.irreversible.push(format!("what `control {action}` does"));
}

fn one_action(gear: &Gear, cartridge: &Cartridge, action: Action) -> Control {
    Control {
        gear: gear.identity.clone(),
        dir: cartridge.dir.clone(),
        action,
        strictness: Strictness::MustSucceed,
    }
}
