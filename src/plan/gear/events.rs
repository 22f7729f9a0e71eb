//! Events between the cartridges of an application: who publishes what, and who wants to hear of it.

use crate::db::{Change, Publisher, Saying, Scope, Telling, ToldRow};
use crate::facts::Gear;
use crate::gear::identity::{Cartridge, Identity};
use crate::package::Package;
use crate::package::features::Connector;
use crate::plan::{Plan, Resource};
use crate::step::deliver_event::Hook;
use crate::step::dispatch_events::{DispatchEvents, Known};
use crate::step::write_events::WriteEvents;

/// A gear of the application with the packages of its cartridges, in the same order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) gear: &'a Identity,
    pub(super) packages: &'a [Package],
}

impl<'a> From<&'a Gear> for Member<'a> {
    fn from(gear: &'a Gear) -> Self {
        Self { gear: &gear.identity, packages: &gear.packages }
    }
}

/// One end of an event, and whether its manifest requires the other.
struct End {
    hook: Hook,
    connector: Connector,
}

type Section = fn(&Package, &crate::package::Software) -> Vec<Connector>;

fn ends(members: &[Member<'_>], section: Section) -> Vec<End> {
    let mut found = Vec::new();
    for member in members {
        for (cartridge, package) in member.gear.cartridges.iter().zip(member.packages) {
            let Cartridge { dir, software, .. } = cartridge;
            let software = package.software(software).unwrap_or_else(|| package.default_software());
            found.extend(section(package, software).into_iter().map(|connector| End {
                hook: Hook {
                    gear: member.gear.clone(),
                    dir: dir.clone(),
                    name: connector.name.clone(),
                    kind: connector.kind.clone(),
                },
                connector,
            }));
        }
    }
    found
}

/// Adds the step that publishes, where anybody wants to hear of anything; the gears of the
/// application that hear of it are locked.
pub(super) fn add_dispatch(plan: &mut Plan, members: &[Member<'_>], told: &[ToldRow]) {
    let publishers = ends(members, Package::publishes);
    let subscribers = ends(members, Package::subscribes);
    let is_heard = |publisher: &End| {
        subscribers.iter().any(|subscriber| subscriber.connector.hears(&publisher.connector))
    };
    let hears = |subscriber: &End| {
        publishers.iter().any(|publisher| subscriber.connector.hears(&publisher.connector))
    };
    for End { hook, connector } in subscribers.iter().filter(|one| !hears(one)) {
        if connector.is_required {
            plan.warnings.push(format!(
                "`{}` requires that somebody publishes `{}`, and nobody does",
                hook.dir, connector.kind
            ));
        }
    }
    for member in members {
        plan.resources.insert(Resource::Gear(member.gear.name.clone()));
    }
    let hooks = |ends: &[End], wanted: &dyn Fn(&End) -> bool| -> Vec<Hook> {
        ends.iter().filter(|end| wanted(end)).map(|end| end.hook.clone()).collect()
    };
    let publishing = hooks(&publishers, &is_heard);
    if publishing.is_empty() {
        return;
    }
    plan.step(DispatchEvents {
        publishers: publishing,
        subscribers: hooks(&subscribers, &hears),
        known: known(members, told),
    });
}

/// What the gears' cartridges have published so far.
fn known(members: &[Member<'_>], told: &[ToldRow]) -> Vec<Known> {
    let uuid = |name: &str| {
        let mut members = members.iter();
        members.find(|member| member.gear.name.as_str() == name).map(|one| one.gear.uuid.clone())
    };
    let is_there = |gear: &str, dir: &str| {
        let mut members = members.iter();
        members.any(|member| member.gear.uuid == gear && member.gear.cartridge(dir).is_some())
    };
    let rows = told.iter().filter(|row| row.scope == Scope::Event);
    let known = rows.filter_map(|row| {
        let (gear, dir) = (uuid(row.gear.as_deref()?)?, row.dir.clone()?);
        is_there(&gear, &dir).then(|| Known { gear, dir, name: row.name.clone() })
    });
    known.collect()
}

/// Adds what takes away what the cartridge `dir` of `gear` has published and told of itself.
pub(super) fn add_silence(
    plan: &mut Plan,
    members: &[Member<'_>],
    (gear, dir): (&Identity, &str),
    told: &[ToldRow],
) {
    let own = told.iter().filter(|row| {
        row.gear.as_deref() == Some(gear.name.as_str()) && row.dir.as_deref() == Some(dir)
    });
    let mut has_published = false;
    for row in own {
        has_published |= row.scope == Scope::Event;
        plan.records.push(Change::Tell(Telling {
            scope: row.scope,
            publisher: Some(Publisher { gear: gear.uuid.clone(), dir: dir.to_owned() }),
            name: row.name.clone(),
            saying: Saying::IsGone,
        }));
    }
    if has_published {
        for member in members {
            plan.step(WriteEvents {
                gear: member.gear.clone(),
                publisher: dir.to_owned(),
                variables: [].into(),
            });
        }
    }
}
