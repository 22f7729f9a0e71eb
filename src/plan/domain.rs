//! Variables of the whole domain, as the administrator changes them.

use super::{Plan, Refusal};
use crate::db::{Change, InversePart, Saying, Scope, Telling};
use crate::gear::environ::Shared;
use crate::gear::variables::{MOST_OF_DOMAIN, VariableError, check_domain};
use crate::package::ident::EnvName;

/// What is asked for: variables that all gears get, or lose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainRequest {
    /// Names and values.
    pub set: Vec<(String, String)>,
    /// Names.
    pub unset: Vec<String>,
}

/// Plans the change of the domain's variables. Only rows change: gears read them whenever one of
/// their scripts runs, so there is nothing to lock.
pub fn domain(ask: &DomainRequest, now: &Shared) -> Result<Plan, Refusal> {
    let mut plan = Plan::new("change variables of all gears");
    let mut size = now.size();
    for (name, value) in &ask.set {
        check_domain(name, value)?;
        size += name.len() + value.len();
        if size > MOST_OF_DOMAIN {
            return Err(VariableError::FullDomain(name.clone()).into());
        }
        if now.0.get(name).is_some_and(|one| one.value == *value) {
            plan.summary.push(format!("`{name}` has that value already"));
        } else {
            plan.records.push(tell(name, Saying::Is(value.clone())));
        }
    }
    for name in &ask.unset {
        EnvName::parse(name).map_err(|_| VariableError::Name(name.clone()))?;
        if now.0.contains_key(name) {
            plan.records.push(tell(name, Saying::IsGone));
        } else {
            plan.summary.push(format!("`{name}` is not set"));
        }
    }
    if !plan.records.is_empty() {
        plan.inverse.parts.push(InversePart::Withdraw);
        plan.summary.push("what runs in gears sees it when it is started again".into());
    }
    Ok(plan)
}

fn tell(name: &str, saying: Saying) -> Change {
    let name = name.to_owned();
    Change::Tell(Telling { scope: Scope::Domain, publisher: None, name, saying })
}
