//! Services: calling the init scripts of installed packages.

use super::{Plan, resource};
use crate::db::{InversePart, ServiceCall, ServiceTurn};
use crate::facts::tpkg::{InitScript, Services};
use crate::step::call_init::{CallInit, Command, Purpose};
use std::cmp::Reverse;

/// Plans telling the services of these packages what to do, each when it is its turn: by their
/// numbers, and backwards to stop them.
pub fn tell(packages: &[Services], command: Command) -> Plan {
    let word = command.as_str();
    let title = match packages {
        [one] => format!("{word} the services of `{}`", one.package),
        many => format!("{word} the services of {} packages", many.len()),
    };
    let mut plan = Plan::new(title);
    let calls = packages.iter().flat_map(|one| one.scripts.iter().map(|script| call(one, script)));
    add(&mut plan, calls.collect(), (command, Purpose::Asked));
    plan
}

/// Adds what tells services the opposite of what they were told.
pub(in crate::plan) fn add_told_back(
    plan: &mut Plan,
    (turn, services): (ServiceTurn, &[ServiceCall]),
) {
    let command = match turn {
        ServiceTurn::Start => Command::Start,
        ServiceTurn::Stop => Command::Stop,
    };
    add(plan, services.to_vec(), (command, Purpose::Asked));
}

/// Adds what stops the services of packages that go; what is not there any more cannot be asked.
pub(super) fn stop<'a>(plan: &mut Plan, packages: impl Iterator<Item = &'a Services>) {
    let calls = packages.flat_map(|one| {
        let there = one.scripts.iter().filter(|script| script.is_there);
        there.map(|script| call(one, script))
    });
    add(plan, calls.collect(), (Command::Stop, Purpose::Leaving));
}

fn add(plan: &mut Plan, mut calls: Vec<ServiceCall>, (command, purpose): (Command, Purpose)) {
    if command == Command::Stop {
        calls.sort_by_key(|call| Reverse(call.start));
    } else {
        calls.sort_by_key(|call| call.start);
    }
    for ServiceCall { package, name, base, script, unit, .. } in calls.clone() {
        plan.resources.insert(resource(&name));
        plan.step(CallInit { package, script, unit, command, base, purpose });
    }
    let back = match (purpose, command) {
        (Purpose::Asked, Command::Start) => ServiceTurn::Stop,
        (Purpose::Asked, Command::Stop) => ServiceTurn::Start,
        // Another restart takes nothing back; and what starts a package that comes back is its own.
        _ => return,
    };
    if !calls.is_empty() {
        plan.inverse.parts.push(InversePart::Services { tell: back, services: calls });
    }
}

fn call(one: &Services, script: &InitScript) -> ServiceCall {
    ServiceCall {
        package: one.package.clone(),
        name: one.name.clone(),
        base: one.base.clone(),
        script: script.path.clone(),
        start: script.start,
        unit: script.unit.clone(),
    }
}
