//! `gear restart`: one cartridge or all of this gear, out of what its web proxy sends requests to
//! meanwhile, where other gears serve (node specification, 9).

use super::super::{Call, Refused};
use super::activate::refuse_other_gears;
use super::asked::Asked;
use super::cartridge::Cartridge;
use super::place::{Order, Place};
use super::{bring_up, rotate};
use crate::gear::registry;
use crate::gear::state::{self, State};

pub(super) fn restart(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let chosen: Vec<&Cartridge> = if asked.has("all-cartridges") {
        place.starting_order().collect()
    } else {
        vec![place.the_one(asked.cart.as_deref())?]
    };
    if asked.has("all") {
        refuse_other_gears(place, &asked.verb)?;
    }
    let outcome = in_turn(call, (place, asked), &chosen);
    if !asked.has("as-json") {
        return outcome.map(|()| 0);
    }
    let (status, errors) = match &outcome {
        Ok(()) => ("success", Vec::new()),
        Err(refused) => ("failure", vec![refused.failure.summary.clone()]),
    };
    let uuid = call.text("OPENSHIFT_GEAR_UUID").unwrap_or_default();
    let result = serde_json::json!({ "status": status, "messages": [], "errors": errors });
    let answer = serde_json::json!({ "status": status, "gear_results": { uuid: result } });
    call.say(&answer.to_string())?;
    Ok(0)
}

/// Restarts the cartridges. A proxy that is one of them comes first, as it may forget which gears are
/// out; a gear in which one fails stays out, as the original has it.
fn in_turn(
    call: &mut Call<'_>,
    (place, asked): (&Place, &Asked),
    chosen: &[&Cartridge],
) -> Result<(), Refused> {
    let (proxies, rest): (Vec<&Cartridge>, Vec<&Cartridge>) =
        chosen.iter().partition(|one| one.is("web_proxy"));
    let proxy = place.first("web_proxy").filter(|_| !asked.has("no-rotation") && !rest.is_empty());
    let others = registry::read(&place.home)?.is_some_and(|registry| registry.web.len() > 1);
    let runs = state::read(&place.home) == Some(State::Started);
    let proxy = proxy.filter(|_| others && runs);
    for cartridge in proxies {
        bring_up(call, place, (cartridge, "restart"))?;
    }
    let own = call.text("OPENSHIFT_GEAR_UUID").unwrap_or_default();
    let arguments = [own.as_str()];
    let turn = |call: &mut Call<'_>, action| match proxy {
        Some(proxy) => {
            let order = Order { arguments: &arguments, ..Order::of(action) };
            place.control(call, proxy, order)
        }
        None => Ok(()),
    };
    turn(call, rotate::OUT)?;
    for cartridge in rest {
        bring_up(call, place, (cartridge, "restart"))?;
    }
    turn(call, rotate::IN)
}
