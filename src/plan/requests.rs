//! Requests to externals that are there already: made once more, or acknowledged by the tool that has
//! done them.

use super::{Consent, Plan, Refusal, Resource};
use crate::db::{Answer, ExternalRow, ExternalState};
use crate::error::Exit;
use crate::facts::Externals;
use crate::package::external::Way;
use crate::package::ident::GearName;
use crate::package::ubos::name::SiteId;
use crate::step::call_external::{CallExternal, Turn};

/// A request, and what it is for, where that is not the host itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its record.
    pub row: ExternalRow,
    /// The gear or the site.
    pub place: Option<Place>,
}

/// Where a package is that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a gear.
    Gear(GearName),
    /// At a site, with what people call it.
    Site(SiteId, String),
}

impl Place {
    /// The name of the gear, where it is one.
    pub fn gear(&self) -> Option<String> {
        match self {
            Self::Gear(name) => Some(name.to_string()),
            Self::Site(..) => None,
        }
    }

    /// What people call the site, where it is one.
    pub fn site(&self) -> Option<String> {
        match self {
            Self::Gear(_) => None,
            Self::Site(_, name) => Some(name.clone()),
        }
    }
}

/// Plans what asks once more for what is asked for.
pub fn again(requests: &[Request], known: &Externals) -> Result<Plan, Refusal> {
    let mut plan = Plan::new(match requests {
        [one] => format!("ask the external `{}` once more", one.row.name.as_str().escape_debug()),
        many => format!("make {} requests to externals once more", many.len()),
    });
    for request in requests {
        let row = &request.row;
        let name = row.name.as_str().escape_debug();
        if known.is_waiting(&row.name) {
            let text = format!("the external `{name}` waits for this `cart`");
            return Err(Refusal::new(Exit::Busy, text).hint("ask when that is over"));
        }
        let way = if row.mode == "missing" { known.way(&row.name) } else { known.way_of(row) };
        if way == Way::Missing && !known.may_be_missing(&row.name) {
            let text = format!("there is no external `{name}` that could be called");
            return Err(Refusal::new(Exit::Conflict, text).hint("`cart external check` says more"));
        }
        lock(&mut plan, request);
        let strict = known.is_strict(&row.name, row.strict);
        let mut call = CallExternal::withdrawing(
            row,
            crate::package::external::Action::Install,
            (way, strict),
        );
        call.turn = Turn::Again(row.key.clone());
        plan.step(call);
    }
    if plan.steps.iter().any(crate::step::AnyStep::runs_scripts) {
        plan.consent = Consent::Courtesy;
    }
    Ok(plan)
}

/// Plans what a tool has to say of requests. What is as it says already is left out.
pub fn acknowledge(requests: &[Request], answer: &Answer) -> Plan {
    let mut plan = Plan::new(match requests {
        [one] => format!("acknowledge the request {}", one.row.key),
        many => format!("acknowledge {} requests", many.len()),
    });
    for request in requests {
        let row = &request.row;
        lock(&mut plan, request);
        if row.answer == *answer {
            continue;
        }
        let mut call = CallExternal::withdrawing(
            row,
            crate::package::external::Action::Install,
            (Way::Request, false),
        );
        call.turn = Turn::Acknowledge(row.key.clone(), answer.clone());
        plan.step(call);
    }
    plan
}

/// Whoever changes the package that asks is not to change the request meanwhile.
fn lock(plan: &mut Plan, request: &Request) {
    let asker = &request.row.asker;
    plan.resources.insert(match &request.place {
        Some(Place::Gear(gear)) => Resource::Gear(gear.clone()),
        Some(Place::Site(site, _)) => Resource::Site(site.clone()),
        None => Resource::Package(format!("{}-{}", asker.vendor, asker.name)),
    });
}

/// What there is to say of a request that a tool has done, or could not do.
pub fn answered(failed: Option<&str>) -> Answer {
    match failed {
        None => Answer { state: ExternalState::Done, detail: None },
        Some(why) => Answer { state: ExternalState::Failed, detail: Some(why.to_owned()) },
    }
}
