//! `gear activate` and `gear distribute`, and what they answer.

use super::super::{Call, Refused};
use super::FAILED;
use super::asked::Asked;
use super::before::Deploying;
use super::place::Place;
use super::work::{First, Work, by_id};
use crate::gear::{deployment, registry};
use serde_json::json;

/// Tells in words what became of an activation.
pub(super) fn tell_outcome(
    call: &mut Call<'_>,
    outcome: &Result<(), Refused>,
) -> Result<(), Refused> {
    let status = word(outcome);
    call.say(&format!("Activation status: {status}"))?;
    call.say(&format!("Deployment status: {status}"))
}

fn word(outcome: &Result<(), Refused>) -> &'static str {
    if outcome.is_ok() { "success" } else { "failure" }
}

/// `gear activate ID`. With `--as-json` the answer tells whether it went well, not the exit status.
pub(super) fn activate(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let id = asked.named("a deployment id")?.to_owned();
    let name = by_id(place, &id)?;
    let outcome = activate_here(call, place, (&name, asked));
    if !asked.has("as-json") {
        return outcome.map(|()| 0);
    }
    let uuid = call.text("OPENSHIFT_GEAR_UUID").unwrap_or_default();
    let errors: Vec<String> = match &outcome {
        Ok(()) => Vec::new(),
        Err(refused) => vec![format!("Error activating gear: {}", refused.failure.summary)],
    };
    let app = call.text("OPENSHIFT_APP_NAME").unwrap_or_default();
    let result = json!({
        "status": word(&outcome),
        "messages": [format!("Starting application {app}")],
        "errors": errors,
        "gear_uuid": uuid,
        "deployment_id": id,
    });
    let answer = if asked.has("all") {
        json!({ "status": word(&outcome), "gear_results": { uuid: result } })
    } else {
        result
    };
    call.say(&answer.to_string())?;
    Ok(0)
}

fn activate_here(
    call: &mut Call<'_>,
    place: &Place,
    (name, asked): (&str, &Asked),
) -> Result<(), Refused> {
    if asked.has("all") {
        refuse_other_gears(place, &asked.verb)?;
    }
    let mut deploying = Deploying::begin(call, place, &asked.verb)?;
    let first = if asked.has("post-install") { First::InThisGear } else { First::No };
    let is_hot = deployment::read_metadata(&place.home, name).hot_deploy
        && first == First::No
        && deploying.was_started(place);
    let work = Work { place, name: name.to_owned(), is_hot };
    let outcome = work.activate(call, &mut deploying, first).and_then(|()| work.clean_up());
    deploying.end(call, place, outcome)
}

/// `gear distribute ID`: there is nobody to hand it to in one gear.
pub(super) fn distribute(place: &Place, asked: &Asked) -> Result<u8, Refused> {
    by_id(place, asked.named("a deployment id")?)?;
    refuse_other_gears(place, &asked.verb).map(|()| 0)
}

/// Refuses what `verb` would do in the other gears of an application, which this one cannot write to.
pub(super) fn refuse_other_gears(place: &Place, verb: &str) -> Result<(), Refused> {
    if registry::read(&place.home)?.is_none_or(|registry| registry.web.len() < 2) {
        return Ok(());
    }
    let instead = match verb {
        "activate" | "distribute" => {
            "`cart gear activate NAME ID` on the host does it in all of them"
        }
        "restart" => "`cart gear restart NAME` on the host restarts all of them, by batches",
        "restore" => "`cart gear restore NAME < FILE` on the host restores all of them",
        _ => "a push, or `cart gear deploy` on the host, deploys to all of them",
    };
    let text = "gear: this gear cannot write to the other gears of the application";
    Err(Refused::new(FAILED, text).hint(instead))
}
