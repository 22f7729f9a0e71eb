//! `gear snapshot`: the gear's home as an archive on the output (the guide, Backing Up and Restoring).

use super::super::{Call, Refused};
use super::before::Deploying;
use super::cartridge::Cartridge;
use super::place::{Order, Place};
use super::{FAILED, Spare, bring_up, stop_all};
use crate::gear::snapshot::{Exclusions, write};
use std::fs::File;
use std::io::{self, Write};

/// Where the archive waits until the gear runs again, in the folder that no snapshot has.
const WAITS: &str = ".tmp/.gear-snapshot.tar.gz";

/// What the cartridges say goes to the error output: the output is the archive's, which comes whole or
/// not at all. The gear is started again whatever fails; its web proxy runs on.
pub(super) fn snapshot(call: &mut Call<'_>, place: &Place) -> Result<u8, Refused> {
    let mut deploying = Deploying::begin(call, place, "snapshot")?;
    let outcome = take(call, place, &mut deploying);
    let mut packed = deploying.end(call, place, outcome)?;
    say_aside("Creating and sending tar.gz");
    io::copy(&mut packed, &mut *call.out)
        .and_then(|_| call.out.flush())
        .map_err(|error| Refused::new(FAILED, format!("gear: cannot write: {error}")))?;
    Ok(0)
}

fn take(call: &mut Call<'_>, place: &Place, deploying: &mut Deploying) -> Result<File, Refused> {
    let was_started = deploying.was_started(place);
    if was_started {
        deploying.stops(place)?;
        stop_all(call, place, Spare::WebProxy)?;
    }
    let mut begun: Vec<&Cartridge> = Vec::new();
    let mut outcome = Ok(());
    for cartridge in place.starting_order() {
        begun.push(cartridge);
        outcome = outcome.and_then(|()| place.control(call, cartridge, Order::of("pre-snapshot")));
        if outcome.is_err() {
            break;
        }
    }
    let packed = outcome.and_then(|()| pack(call, place));
    let mut outcome = Ok(());
    for cartridge in begun {
        let ended = place.control(call, cartridge, Order::of("post-snapshot"));
        outcome = outcome.and(ended);
    }
    // The first failure is the one to tell of.
    let packed = packed.and_then(|packed| outcome.map(|()| packed))?;
    for cartridge in place.starting_order() {
        if !was_started {
            // A database may have been begun to be laid out.
            let _ = place.control(call, cartridge, Order::of("stop"));
        } else if !cartridge.is("web_proxy") {
            bring_up(call, place, (cartridge, "start"))?;
        }
    }
    Ok(packed)
}

fn pack(call: &Call<'_>, place: &Place) -> Result<File, Refused> {
    let mut without = Exclusions::fixed();
    for cartridge in &place.cartridges {
        let managed = cartridge.managed(&place.home);
        without.add(&place.home, &cartridge.dir, &managed.snapshot_exclusions);
    }
    let top = call.text("OPENSHIFT_GEAR_UUID").unwrap_or_default();
    if top.is_empty() || top.contains('/') {
        return Err(Refused::new(FAILED, "gear: the gear has no identifier"));
    }
    place.home.remove_file(WAITS)?;
    let file = place.home.create_file(WAITS, 0o600)?;
    let written = write(&place.home, (&top, &without), file, &mut |_| {});
    let packed = place.home.open_file(WAITS);
    place.home.remove_file(WAITS)?;
    let written = written?;
    if written.odd_count > 0 {
        say_aside(&format!("left out, as no restore would take it: {}", written.odd.join(", ")));
    }
    Ok(packed?)
}

/// Who does not listen to what is said beside the archive gets it all the same.
pub(super) fn say_aside(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
