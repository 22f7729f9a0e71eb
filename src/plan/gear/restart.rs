//! Restarting a scaled application: one batch of its gears after the other, each out of what the web
//! proxy sends requests to meanwhile (node specification, 9; the original's rolling restart).

use super::rolling::{Rolling, Rotation};
use super::run::{add_wait, listening, plan_for};
use super::scene::Scene;
use crate::facts::DeployFacts;
use crate::gear::action::Action;
use crate::gear::identity::Cartridge;
use crate::gear::state::State;
use crate::plan::{Plan, Refusal};
use crate::step::control::{Control, Strictness};
use crate::step::rotate::Turn;
use crate::step::set_state::{Initiator, SetState};

/// Plans a restart of all gears of the scaled application whose head the facts are of; nothing where
/// there is one gear, or where its proxy does not run: nobody would serve meanwhile.
///
/// The proxy comes first, since it may forget which gears are out; then the other gears by batches, and
/// the head. A gear that listened before has to listen again, or those behind it are not touched, and
/// everything is put back.
///
/// # Errors
///
/// Fails where the gear has no web framework.
pub fn restart_by_turns(facts: &DeployFacts, rotation: Rotation) -> Result<Option<Plan>, Refusal> {
    let live = facts.live.clone().unwrap_or_default();
    if facts.children.is_empty() {
        return Ok(None);
    }
    let rolling = Rolling::new(facts, &live, (false, rotation))?;
    let head = rolling.head();
    let Some(proxy) = head.proxy else { return Ok(None) };
    let mut plan = plan_for(&facts.gear, "restart");
    rolling.announce(&mut plan);
    plan.step(control(head, proxy));
    let mut of_proxy = facts.gear.clone();
    of_proxy.endpoints.retain(|row| row.dir == proxy.dir);
    add_wait(&mut plan, head.gear, listening(&of_proxy));
    let of_head = std::slice::from_ref(head);
    for batch in rolling.batches().chain(std::iter::once(of_head)) {
        for one in batch {
            rolling.turn(&mut plan, one, Turn::Out);
        }
        for one in batch {
            add_restart(&mut plan, one);
        }
        for one in batch {
            rolling.turn(&mut plan, one, Turn::In);
        }
    }
    Ok(Some(plan))
}

/// Adds what restarts one gear, its proxy excepted.
fn add_restart(plan: &mut Plan, one: &Scene<'_>) {
    let (gear, state) = (one.gear.clone(), State::Started);
    plan.step(SetState { gear, state, initiator: Initiator::User });
    let is_proxy = |dir: &str| one.proxy.is_some_and(|proxy| proxy.dir == dir);
    for cartridge in one.gear.starting_order().filter(|other| !is_proxy(&other.dir)) {
        plan.step(control(one, cartridge));
    }
    one.wait(plan);
}

fn control(of: &Scene<'_>, cartridge: &Cartridge) -> Control {
    Control {
        gear: of.gear.clone(),
        dir: cartridge.dir.clone(),
        action: Action::Restart,
        strictness: Strictness::MustSucceed,
    }
}
