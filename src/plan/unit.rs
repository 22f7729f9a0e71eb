//! The unit that starts gears with the host.

use super::{Plan, Resource};
use crate::db::InversePart;
use crate::gear::unit;
use crate::step::write_unit::WriteUnit;

/// Plans the writing of the unit; `text` is what it is to say, `now` what it says.
pub fn install(text: String, now: Option<String>) -> Plan {
    let mut plan = Plan::new(format!("install the unit `{}`", unit::NAME));
    plan.resources.insert(Resource::HostLinks);
    if now.as_ref() == Some(&text) {
        plan.summary.push("the unit is installed already".into());
        return plan;
    }
    add(&mut plan, now, Some(text));
    plan.summary.push(format!("`systemctl enable {}` makes the host use it", unit::NAME));
    plan
}

/// Plans its removal.
pub fn remove(now: Option<String>) -> Plan {
    let mut plan = Plan::new(format!("remove the unit `{}`", unit::NAME));
    plan.resources.insert(Resource::HostLinks);
    if now.is_some() {
        add(&mut plan, now, None);
    }
    plan
}

/// Adds what makes the unit say `becomes` where it says `was`, and its inverse.
pub(super) fn add(plan: &mut Plan, was: Option<String>, becomes: Option<String>) {
    plan.resources.insert(Resource::HostLinks);
    plan.inverse.parts.insert(0, InversePart::Unit { was: becomes.clone(), becomes: was });
    plan.step(WriteUnit { text: becomes });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_leads_back_to_what_the_unit_said() {
        let (old, new) = (Some("old".to_owned()), "new".to_owned());
        let plan = install(new.clone(), old.clone());
        let back = InversePart::Unit { was: Some(new.clone()), becomes: old };
        assert_eq!(plan.inverse.parts, [back]);
        assert!(install(new.clone(), Some(new.clone())).is_empty());
        assert!(remove(None).is_empty());
        let back = InversePart::Unit { was: None, becomes: Some(new.clone()) };
        assert_eq!(remove(Some(new)).inverse.parts, [back]);
    }
}
