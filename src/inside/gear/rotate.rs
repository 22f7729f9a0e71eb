//! `gear rotate-in` and `gear rotate-out`: what a web proxy of this gear is told.

use super::super::{Call, Refused};
use super::asked::Asked;
use super::place::{Order, Place, Talk};
use serde_json::json;

/// What a proxy is told to send a gear requests again, and none.
pub(super) const IN: &str = "enable-server";
pub(super) const OUT: &str = "disable-server";

/// Tells the proxy of this gear; the answer is the original's.
pub(super) fn rotate(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let own = call.text("OPENSHIFT_GEAR_UUID").unwrap_or_default();
    let gear = asked.gear.clone().unwrap_or_else(|| own.clone());
    let proxy = match asked.cart.as_deref() {
        Some(name) => Some(place.the_one(Some(name))?),
        None => place.first("web_proxy"),
    };
    let Some(proxy) = proxy else {
        // The application is this one gear, to which every request comes.
        let text = "gear: this gear has no web proxy that could be told";
        return Err(Refused::new(1, text));
    };
    if gear.is_empty()
        || !gear.chars().all(|one| one.is_ascii_alphanumeric() || "-_.".contains(one))
    {
        return Err(Refused::new(1, "gear: that is no identifier of a gear"));
    }
    let action = if asked.verb == "rotate-in" { IN } else { OUT };
    let mut arguments = vec![gear.as_str()];
    if asked.has("persist") {
        arguments.insert(0, "persist");
    }
    let order = Order { arguments: &arguments, ..Order::of(action) };
    let outcome = place.control(call, proxy, order);
    if place.talk == Talk::Through {
        return outcome.map(|()| 0).map_err(|refused| Refused { status: 1, ..refused });
    }
    let errors: Vec<String> =
        outcome.err().into_iter().map(|refused| refused.failure.summary).collect();
    let status = if errors.is_empty() { "success" } else { "failure" };
    let result = json!({
        "proxy_gear_uuid": own,
        "target_gear_uuid": gear,
        "status": status,
        "messages": [],
        "errors": errors,
    });
    let results = json!({ own: result });
    let answer = json!({ "status": status, "target_gear_uuid": gear, "proxy_results": results });
    call.say(&answer.to_string())?;
    Ok(0)
}
