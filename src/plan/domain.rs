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

#[cfg(test)]
mod tests {
    use super::{DomainRequest, domain};
    use crate::error::{Exit, Explain};
    use crate::gear::environ::{Shared, SharedVariable};
    use crate::gear::variables::MOST_OF_DOMAIN;

    fn now(name: &str, value: &str) -> Shared {
        let one = SharedVariable { value: value.into(), publisher: "a/b".into() };
        Shared([(name.to_owned(), one)].into())
    }

    fn set(name: &str, value: &str) -> DomainRequest {
        DomainRequest { set: vec![(name.into(), value.into())], unset: Vec::new() }
    }

    #[test]
    fn what_is_so_already_is_no_change() {
        assert!(domain(&set("A", "x"), &now("A", "x")).unwrap().is_empty());
        let plan = domain(&set("A", "y"), &now("A", "x")).unwrap();
        assert_eq!((plan.records.len(), plan.inverse.parts.len()), (1, 1));
        let unset = DomainRequest { set: Vec::new(), unset: vec!["A".into(), "B".into()] };
        assert_eq!(domain(&unset, &now("A", "x")).unwrap().records.len(), 1);
    }

    #[test]
    fn all_of_them_together_are_bounded() {
        let full = now("A", &"x".repeat(MOST_OF_DOMAIN - 3));
        domain(&set("B", "1"), &full).unwrap();
        assert_eq!(domain(&set("B", "12"), &full).unwrap_err().exit(), Exit::Refused);
    }
}
