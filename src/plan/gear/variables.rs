//! Variables of a gear: those that users set, those of the platform.

use crate::db::{ChangedVariable, InversePart};
use crate::error::{Exit, Explain};
use crate::facts::{Gear, Variables};
use crate::gear::deployment::is_setting;
use crate::gear::variables::{Place, Taken, VariableError, check_platform, check_user};
use crate::package::ident::{EnvName, GearName};
use crate::plan::{Plan, Refusal, Resource};
use crate::step::write_variable::WriteVariable;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

/// What is asked for: variables that get values, or go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariablesRequest {
    /// Whose variables.
    pub place: Place,
    /// Names and values.
    pub set: Vec<(String, String)>,
    /// Names.
    pub unset: Vec<String>,
}

impl VariablesRequest {
    /// Whether all of them say how a gear is deployed.
    pub fn is_of_deployments(&self) -> bool {
        let mut all = self.set.iter().map(|(name, _)| name).chain(&self.unset);
        all.all(|name| is_setting(name))
    }
}

impl From<VariableError> for Refusal {
    fn from(error: VariableError) -> Self {
        let refusal = Self::new(error.exit(), error.to_string());
        match error.hint() {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    }
}

/// Plans the change of a gear's variables; `limit` is how many its users may have.
pub fn variables(
    gear: &Gear,
    ask: &VariablesRequest,
    now: &Variables,
    limit: usize,
) -> Result<Plan, Refusal> {
    match ask.place {
        Place::User => {
            let names = |map: &BTreeMap<EnvName, OsString>| -> BTreeSet<String> {
                map.keys().map(ToString::to_string).collect()
            };
            let platform = &names(&now.platform) | &now.shared;
            let taken = Taken { users: &names(&now.user), platform: &platform, limit };
            check_user(&ask.set, taken)?;
        }
        Place::Platform => {
            ask.set.iter().try_for_each(|(name, value)| check_platform(name, value))?;
        }
    }
    let mut wanted: Vec<(EnvName, Option<OsString>)> = Vec::new();
    for (name, value) in &ask.set {
        let name = parse(name)?;
        wanted.retain(|(earlier, _)| *earlier != name);
        wanted.push((name, Some(value.into())));
    }
    for name in &ask.unset {
        wanted.push((parse(name)?, None));
    }
    Ok(change(gear, ask.place, now, wanted))
}

/// Plans the same change in every gear of the application `app`, all in one transaction.
pub fn variables_of_app(
    app: &GearName,
    gears: &[(Gear, Variables)],
    ask: &VariablesRequest,
    limit: usize,
) -> Result<Plan, Refusal> {
    let mut plan = Plan::new(format!("change variables of the application `{app}`"));
    for (gear, now) in gears {
        plan.merge(variables(gear, ask, now, limit)?);
    }
    Ok(plan)
}

fn parse(name: &str) -> Result<EnvName, Refusal> {
    EnvName::parse(name).map_err(|_| VariableError::Name(name.to_owned()).into())
}

fn change(
    gear: &Gear,
    place: Place,
    now: &Variables,
    wanted: Vec<(EnvName, Option<OsString>)>,
) -> Plan {
    let gear_name = &gear.identity.name;
    let mut plan = Plan::new(format!("change variables of the gear `{gear_name}`"));
    plan.resources.insert(Resource::Gear(gear_name.clone()));
    let mut changed = Vec::new();
    for (name, value) in wanted {
        let was = now.at(place).get(&name).cloned();
        if was == value {
            let how = if value.is_some() { "has that value already" } else { "is not set" };
            plan.summary.push(format!("`{name}` {how}"));
            continue;
        }
        let (identity, became) = (gear.identity.clone(), value.clone());
        changed.push(ChangedVariable { name: name.clone(), was, became });
        plan.step(WriteVariable { gear: identity, place, name, value });
    }
    if !changed.is_empty() {
        let folder = place.folder().to_owned();
        let name = gear_name.clone();
        plan.inverse.parts.push(InversePart::Variables { name, folder, changed });
        if gear.processes > 0 {
            plan.summary.push("what runs in the gear sees it when it is started again".into());
        }
    }
    plan
}

/// Plans putting variables back that a transaction changed, and nobody since.
pub(in crate::plan) fn put_back(
    gear: &Gear,
    now: &Variables,
    (folder, changed): (&str, &[ChangedVariable]),
) -> Result<Plan, Refusal> {
    let conflict = |text: String| Refusal::new(Exit::Conflict, text);
    let place = Place::of(folder)
        .ok_or_else(|| conflict(format!("this version knows no variables in `{folder}`")))?;
    let mut wanted = Vec::new();
    for one in changed {
        if now.at(place).get(&one.name) != one.became.as_ref() {
            let text = format!("the variable `{}` was changed again since", one.name);
            return Err(conflict(text).hint("set it to what it should be: `cart gear env set`"));
        }
        wanted.push((one.name.clone(), one.was.clone()));
    }
    Ok(change(gear, place, now, wanted))
}
