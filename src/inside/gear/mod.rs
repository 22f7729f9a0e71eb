//! `gear`, the command of a gear's own scripts and of whoever works in it.
//!
//! It works on the gear's own files as the original does: the state, the stop lock, the deployments and
//! the links to them, the cartridges' `control` between the developer's hooks. So it needs no lock of
//! `cart`'s and waits for none: a script that calls it may itself belong to a transaction on this gear.

mod activate;
mod asked;
mod before;
mod cartridge;
mod deploy;
mod listing;
mod place;
mod restart;
mod restore;
mod rotate;
mod snapshot;
mod source;
mod work;

use super::{Call, Refused};
use crate::gear::state::{self, State};
use asked::{Asked, VERBS};
use cartridge::Cartridge;
use place::{Order, Place, Talk};
use source::Repository;

/// The exit status of the original for every failure.
const FAILED: u8 = 255;
/// Its exit status for a `gear` outside a gear.
const OUTSIDE: u8 = 254;
/// What stands for an interruption, which is 1 in the end.
const INTERRUPTED: u8 = 130;
/// The verbs whose failures it does not handle itself: their exit status is 1.
const BARE: [&str; 5] =
    ["archive-deployment", "create-deployment-dir", "restore", "rotate-in", "rotate-out"];

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    let asked = Asked::parse(&call.words())?;
    if asked.has("help") {
        call.say("usage: gear VERB [--cart CARTRIDGE]")?;
        for (verb, names, what) in VERBS {
            call.say(&format!("  {:<22} {what}", format!("{verb} {names}")))?;
        }
        return Ok(0);
    }
    asked.refuse_what_is_unknown()?;
    let mut place = Place::find(call)?;
    if asked.has("as-json") {
        place.talk = Talk::None;
    } else if asked.verb == "snapshot" {
        place.talk = Talk::Aside;
    }
    let is_bare = BARE.contains(&&*asked.verb);
    run_verb(call, &place, &asked).map_err(|refused| {
        let status = match refused.status {
            INTERRUPTED => 1,
            FAILED if is_bare => 1,
            1 if !is_bare => FAILED,
            same => same,
        };
        Refused { status, ..refused }
    })
}

fn run_verb(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    match asked.verb.as_str() {
        "start" => start(call, place, asked),
        "stop" => stop(call, place, asked),
        "restart" => restart::restart(call, place, asked),
        "reload" => {
            let cartridge = place.the_one(asked.cart.as_deref())?;
            let is_started = state::read(&place.home) == Some(State::Started);
            let action = if is_started { "reload" } else { "force-reload" };
            place.control(call, cartridge, Order::of(action)).map(|()| 0)
        }
        "prereceive" => deploy::prereceive(call, place, asked),
        "postreceive" => deploy::postreceive(call, place, asked),
        "deploy" => deploy::deploy(call, place, asked),
        "build" => deploy::build(call, place, asked),
        "prepare" => deploy::prepare(call, place, asked),
        "binary-deploy" => deploy::binary_deploy(call, place, asked),
        "remotedeploy" => deploy::remotedeploy(call, place, asked),
        "activate" => activate::activate(call, place, asked),
        "distribute" => activate::distribute(place, asked),
        "deployments" => listing::deployments(call, place),
        "archive-deployment" => listing::archive(call, place, asked),
        "create-deployment-dir" => {
            let name = work::create(place)?;
            work::prune(place, &name)?;
            call.say(&name).map(|()| 0)
        }
        "snapshot" => snapshot::snapshot(call, place),
        "restore" => restore::restore(call, place, asked),
        "rotate-in" | "rotate-out" => rotate::rotate(call, place, asked),
        _ => status(call, place, asked),
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
    place.control(call, cartridge, Order::of(action))
}

fn stop(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    if let Some(name) = asked.cart.as_deref() {
        let cartridge = place.the_one(Some(name))?;
        if cartridge.is_primary {
            mark_stopped(place)?;
        }
        place.control(call, cartridge, Order::of("stop"))?;
        return Ok(0);
    }
    if let (true, Some(revision)) = (asked.has("conditional"), asked.git_ref.as_deref())
        && Repository::of(call, place)?.has_marker(revision, "hot_deploy")
    {
        call.say("Skipping gear stop due to presence of hot deploy marker")?;
        return Ok(0);
    }
    call.say("Stopping gear...")?;
    let is_spared = asked.has("exclude-web-proxy");
    let spare = if is_spared { Spare::WebProxy } else { Spare::Nobody };
    stop_all(call, place, spare).map(|()| 0)
}

/// Stops every cartridge, as a user does.
fn stop_all(call: &mut Call<'_>, place: &Place, spare: Spare) -> Result<(), Refused> {
    mark_stopped(place)?;
    for cartridge in &place.cartridges {
        if spare == Spare::Nobody || !cartridge.is("web_proxy") {
            place.control(call, cartridge, Order::of("stop"))?;
        }
    }
    Ok(())
}

/// Who goes on running when a gear stops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spare {
    Nobody,
    WebProxy,
}

fn mark_stopped(place: &Place) -> Result<(), Refused> {
    state::write(&place.home, State::Stopped)?;
    Ok(state::set_stop_lock(&place.home)?)
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
    if place.control(call, cartridge, Order::of("status")).is_err() {
        call.say(
            "ERROR: Non-zero exitcode returned while executing 'status' command on cartridge.",
        )?;
    }
    Ok(0)
}
