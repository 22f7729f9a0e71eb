//! `gear`, the command of a gear's own scripts and of whoever works in it.
//!
//! It works on the gear's own files as the original does: the state, the stop lock, the cartridges'
//! `control` between the developer's hooks. Verbs whose sequences are not built yet say so and fail.

mod asked;
mod place;

use super::{Call, Refused};
use crate::gear::state::{self, State};
use asked::{Asked, VERBS};
use place::{Cartridge, Place, Talk};

/// The exit status of the original for every failure.
const FAILED: u8 = 255;
/// Its exit status for a `gear` outside a gear.
const OUTSIDE: u8 = 254;

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    let asked = Asked::parse(&call.words())?;
    if asked.has("help") {
        call.say("usage: gear VERB [--cart CARTRIDGE]")?;
        for (verb, what) in VERBS {
            call.say(&format!("  {verb:<8} {what}"))?;
        }
        return Ok(0);
    }
    asked.refuse_what_is_not_built()?;
    let mut place = Place::find(call)?;
    if asked.has("as-json") {
        place.talk = Talk::None;
    }
    match asked.verb.as_str() {
        "start" => start(call, &place, &asked),
        "stop" => stop(call, &place, &asked),
        "restart" => restart(call, &place, &asked),
        "reload" => {
            let cartridge = place.the_one(asked.cart.as_deref())?;
            let is_started = state::read(&place.home) == Some(State::Started);
            place.control(call, cartridge, if is_started { "reload" } else { "force-reload" })?;
            Ok(0)
        }
        _ => status(call, &place, &asked),
    }
}

fn start(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    if let Some(name) = asked.cart.as_deref() {
        bring_up(call, place, (place.the_one(Some(name))?, "start"))?;
        return Ok(0);
    }
    call.say("Starting gear...")?;
    for cartridge in place.starting_order() {
        bring_up(call, place, (cartridge, "start"))?;
    }
    Ok(0)
}

/// What the user starts may be started by anybody from then on. The primary stands for the gear.
fn bring_up(
    call: &mut Call<'_>,
    place: &Place,
    (cartridge, action): (&Cartridge, &str),
) -> Result<(), Refused> {
    if cartridge.is_primary {
        state::write(&place.home, State::Started)?;
        state::clear_stop_lock(&place.home)?;
    }
    place.control(call, cartridge, action)
}

fn stop(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    if let Some(name) = asked.cart.as_deref() {
        let cartridge = place.the_one(Some(name))?;
        if cartridge.is_primary {
            mark_stopped(place)?;
        }
        place.control(call, cartridge, "stop")?;
        return Ok(0);
    }
    if let (true, Some(revision)) = (asked.has("conditional"), asked.git_ref.as_deref())
        && place.has_hot_deploy(call, revision)?
    {
        call.say("Skipping gear stop due to presence of hot deploy marker")?;
        return Ok(0);
    }
    call.say("Stopping gear...")?;
    mark_stopped(place)?;
    for cartridge in &place.cartridges {
        if !(asked.has("exclude-web-proxy") && cartridge.is_web_proxy) {
            place.control(call, cartridge, "stop")?;
        }
    }
    Ok(0)
}

fn mark_stopped(place: &Place) -> Result<(), Refused> {
    state::write(&place.home, State::Stopped)?;
    Ok(state::set_stop_lock(&place.home)?)
}

fn restart(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let chosen: Vec<&Cartridge> = if asked.has("all-cartridges") {
        place.starting_order().collect()
    } else {
        vec![place.the_one(asked.cart.as_deref())?]
    };
    if !asked.has("as-json") {
        for cartridge in chosen {
            bring_up(call, place, (cartridge, "restart"))?;
        }
        return Ok(0);
    }
    let mut outcome = Ok(());
    for cartridge in chosen {
        outcome = outcome.and_then(|()| bring_up(call, place, (cartridge, "restart")));
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

/// Says how the cartridge is, and never fails because of that.
fn status(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let cartridge = place.the_one(asked.cart.as_deref())?;
    match state::read(&place.home) {
        Some(State::Idle) => call.say("ATTR: status=ALREADY_IDLED")?,
        Some(State::Stopped) => call.say("ATTR: status=ALREADY_STOPPED")?,
        _ if state::is_stop_locked(&place.home)? => call.say("ATTR: status=ALREADY_STOPPED")?,
        _ => {}
    }
    if place.control(call, cartridge, "status").is_err() {
        call.say(
            "ERROR: Non-zero exitcode returned while executing 'status' command on cartridge.",
        )?;
    }
    Ok(0)
}
