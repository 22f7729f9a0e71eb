//! Services: calling the init scripts of installed packages.

use super::{Plan, resource};
use crate::facts::tpkg::{InitScript, Services};
use crate::step::call_init::{CallInit, Command, Purpose};

/// Plans telling the services of these packages what to do, each when it is its turn: by their
/// numbers, and backwards to stop them.
pub fn tell(packages: &[Services], command: Command) -> Plan {
    let word = command.as_str();
    let title = match packages {
        [one] => format!("{word} the services of `{}`", one.package),
        many => format!("{word} the services of {} packages", many.len()),
    };
    let mut plan = Plan::new(title);
    let mut calls = Vec::new();
    for one in packages {
        plan.resources.insert(resource(&one.name));
        let asked = (command, Purpose::Asked);
        calls.extend(one.scripts.iter().map(|script| (script.start, call(one, script, asked))));
    }
    for call in in_turn(calls, command) {
        plan.step(call);
    }
    plan
}

/// Adds what stops the services of packages that go; what is not there any more cannot be asked.
pub(super) fn stop<'a>(plan: &mut Plan, packages: impl Iterator<Item = &'a Services>) {
    let mut calls = Vec::new();
    for one in packages {
        let there = one.scripts.iter().filter(|script| script.is_there);
        let asked = (Command::Stop, Purpose::Leaving);
        calls.extend(there.map(|script| (script.start, call(one, script, asked))));
    }
    for call in in_turn(calls, Command::Stop) {
        plan.step(call);
    }
}

fn in_turn(mut calls: Vec<(u32, CallInit)>, command: Command) -> impl Iterator<Item = CallInit> {
    if command == Command::Stop {
        calls.sort_by(|(a, _), (b, _)| b.cmp(a));
    } else {
        calls.sort_by_key(|(start, _)| *start);
    }
    calls.into_iter().map(|(_, call)| call)
}

fn call(one: &Services, script: &InitScript, (command, purpose): (Command, Purpose)) -> CallInit {
    CallInit {
        package: one.package.clone(),
        script: script.path.clone(),
        unit: script.unit.clone(),
        command,
        base: one.base.clone(),
        purpose,
    }
}
