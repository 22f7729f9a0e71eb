//! The unit that starts gears with the host.

use super::{Plan, Resource};
use crate::gear::unit;
use crate::step::write_unit::WriteUnit;

/// Plans the writing of the unit; `text` is what it is to say, `now` what it says.
pub fn install(text: String, now: Option<&str>) -> Plan {
    let mut plan = Plan::new(format!("install the unit `{}`", unit::NAME));
    plan.resources.insert(Resource::HostLinks);
    if now == Some(text.as_str()) {
        plan.summary.push("the unit is installed already".into());
        return plan;
    }
    plan.step(WriteUnit { text: Some(text) });
    plan.summary.push(format!("`systemctl enable {}` makes the host use it", unit::NAME));
    plan
}

/// Plans its removal.
pub fn remove(now: Option<&str>) -> Plan {
    let mut plan = Plan::new(format!("remove the unit `{}`", unit::NAME));
    plan.resources.insert(Resource::HostLinks);
    if now.is_some() {
        plan.step(WriteUnit { text: None });
    }
    plan
}
