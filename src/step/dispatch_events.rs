//! Publishes: runs the hook of every publisher of an application, and hands what they print to the
//! subscribers, as steps of their own. All publishers come first (node specification, 10).

use super::deliver_event::{DeliverEvent, Hook, Output};
use super::run_script::hook_call;
use super::write_events::WriteEvents;
use super::{Cx, Said, Step, script};
use crate::db::{Change, Publisher, Saying, Scope, Telling};
use crate::error::Failure;
use crate::gear::published;
use crate::sys::checkpoint::checkpoint;
use crate::sys::interrupt;
use std::collections::BTreeMap;

/// The folder of `.env` that no publisher may be called.
const USERS: &str = "user_vars";

/// The events of an application.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DispatchEvents {
    /// The hooks that publish, of the oldest gear first.
    pub publishers: Vec<Hook>,
    /// The hooks that want to hear of it, with the types that they want.
    pub subscribers: Vec<Hook>,
    /// The variables that hold so far.
    pub known: Vec<Known>,
}

/// A variable that a cartridge has published before.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Known {
    /// The identifier of its gear.
    pub gear: String,
    /// Its folder.
    pub dir: String,
    /// The variable's name.
    pub name: String,
}

/// What a hook has published.
struct Published<'a> {
    by: &'a Hook,
    text: String,
}

impl DispatchEvents {
    /// Runs the publishers' hooks. One that is not there is passed over; what one printed that fails
    /// is not heeded.
    fn publish(&self, cx: &Cx<'_>, said: &mut Said) -> Result<Vec<Published<'_>>, Failure> {
        let mut all = Vec::new();
        for by in &self.publishers {
            let home = cx.state.dir(by.gear.home())?;
            let Some(call) = hook_call(cx, &home, (by, None))? else { continue };
            checkpoint("dispatch_events: before a publisher");
            let outcome = script::outcome(cx, &home, &call)?;
            interrupt::check()?;
            if outcome.is_success() {
                let text = published::cleaned(&outcome.stdout.whole_lines());
                all.push(Published { by, text });
            } else {
                let failure = script::failed(cx, &call, &outcome);
                said.warnings.push(format!(
                    "what `{}` publishes is not heeded: {}",
                    by.dir,
                    failure.one_line()
                ));
            }
        }
        Ok(all)
    }

    /// The variables of each publishing folder, those of its first gear.
    fn variables<'a>(
        all: &[Published<'a>],
        said: &mut Said,
    ) -> BTreeMap<&'a str, (&'a str, BTreeMap<String, String>)> {
        let mut found: BTreeMap<&str, (&str, BTreeMap<String, String>)> = BTreeMap::new();
        for Published { by, text } in all.iter().filter(|one| is_env(&one.by.kind)) {
            let gear = by.gear.uuid.as_str();
            if by.dir == USERS {
                said.warnings.push(format!("a cartridge called `{USERS}` can publish nothing"));
                continue;
            }
            let entry = found.entry(&by.dir).or_insert_with(|| (gear, BTreeMap::new()));
            if entry.0 == gear {
                let (variables, notes) = published::variables(text);
                entry.1.extend(variables);
                said.warnings.extend(notes.iter().map(|note| format!("`{}`: {note}", by.dir)));
            }
        }
        found
    }

    fn tell(&self, variables: &BTreeMap<&str, (&str, BTreeMap<String, String>)>, said: &mut Said) {
        let mut tell = |gear: &str, dir: &str, (name, saying): (&str, Saying)| {
            let publisher = Some(Publisher { gear: gear.to_owned(), dir: dir.to_owned() });
            let name = name.to_owned();
            said.records.push(Change::Tell(Telling {
                scope: Scope::Event,
                publisher,
                name,
                saying,
            }));
        };
        for (dir, (gear, all)) in variables {
            for (name, value) in all {
                tell(gear, dir, (name, Saying::Is(value.clone())));
            }
        }
        for Known { gear, dir, name } in &self.known {
            let now = variables.get(dir.as_str()).filter(|(by, _)| by == gear);
            if !now.is_some_and(|(_, all)| all.contains_key(name)) {
                tell(gear, dir, (name, Saying::IsGone));
            }
        }
    }

    /// The files of variables in each gear that subscribes to them.
    fn files(&self, all: &[Published<'_>], said: &mut Said) {
        let variables = Self::variables(all, said);
        self.tell(&variables, said);
        let mut steps: Vec<WriteEvents> = Vec::new();
        for subscriber in self.subscribers.iter().filter(|one| is_env(&one.kind)) {
            for (dir, (_, found)) in &variables {
                let publishes = |one: &&Published<'_>| one.by.dir == *dir;
                let mut theirs = all.iter().filter(publishes);
                let done = |step: &WriteEvents| {
                    step.gear.uuid == subscriber.gear.uuid && step.publisher == *dir
                };
                if steps.iter().any(done) || !theirs.any(|one| hears(subscriber, one.by)) {
                    continue;
                }
                steps.push(WriteEvents {
                    gear: subscriber.gear.clone(),
                    publisher: (*dir).to_owned(),
                    variables: found.clone(),
                });
            }
        }
        said.then.extend(steps.into_iter().map(Into::into));
    }
}

fn is_env(kind: &str) -> bool {
    kind.starts_with("ENV:")
}

/// Tells whether a subscription is for what is published.
fn hears(subscriber: &Hook, publisher: &Hook) -> bool {
    subscriber.kind == publisher.kind || (subscriber.kind == "ENV:*" && is_env(&publisher.kind))
}

impl Step for DispatchEvents {
    type Undo = ();

    fn describe(&self) -> String {
        let mut names: Vec<&str> = self.publishers.iter().map(|one| one.dir.as_str()).collect();
        names.dedup();
        format!("publish what `{}` offers", names.join("`, `"))
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut said = Said::default();
        let all = self.publish(cx, &mut said)?;
        self.files(&all, &mut said);
        for subscriber in &self.subscribers {
            let heard = all.iter().filter(|one| hears(subscriber, one.by));
            let output = |one: &Published<'_>| Output {
                gear: one.by.gear.uuid.clone(),
                text: one.text.clone(),
            };
            let published: Vec<Output> = heard.map(output).collect();
            let home = cx.state.dir(subscriber.gear.home())?;
            if !published.is_empty() && home.has(subscriber.path())? {
                said.then.push(DeliverEvent { subscriber: subscriber.clone(), published }.into());
            }
        }
        Ok(said)
    }

    /// A publisher only tells; what is made of it are steps with inverses of their own.
    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> DispatchEvents {
    let gear = world.gear();
    world.state.make_dir("gears/blog/mock/hooks", 0o755).unwrap();
    let publish = "#!/bin/bash\necho CLIENT_MESSAGE: hello\necho \"ARGS=$*\"\necho host=x\n";
    world.script("gears/blog/mock/hooks/publish", publish);
    world.script("gears/blog/mock/hooks/fails", "#!/bin/bash\necho A=1\nexit 3\n");
    world.script("gears/blog/mock/hooks/set", "#!/bin/bash\n");
    let hook = |name: &str, kind: &str| Hook {
        gear: gear.clone(),
        dir: "mock".into(),
        name: name.into(),
        kind: kind.into(),
    };
    let known = Known { gear: gear.uuid.clone(), dir: "mock".into(), name: "OLD".into() };
    DispatchEvents {
        publishers: vec![
            hook("publish", "ENV:db"),
            hook("fails", "NET_TCP:db"),
            hook("absent", "NET_TCP:other"),
        ],
        subscribers: vec![hook("set", "ENV:*"), hook("set", "NET_TCP:db"), hook("no", "ENV:db")],
        known: vec![known],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::AnyStep;
    use crate::step::laws::World;

    #[test]
    fn variables_become_files_and_rows_and_hooks_that_are_there_are_told() {
        let world = World::new();
        let step = sample(&world);
        let said = step.apply(&(), &world.cx(1)).unwrap();
        let uuid = &step.publishers[0].gear.uuid;
        let [AnyStep::WriteEvents(files), AnyStep::DeliverEvent(hook)] = said.then.as_slice()
        else {
            panic!("{:?}", said.then)
        };
        let arguments = format!("blog local {uuid}");
        let expected = [("ARGS", arguments.as_str()), ("HOST", "x")];
        let files: Vec<_> = files.variables.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(files, expected);
        assert_eq!(hook.subscriber.kind, "ENV:*");
        assert_eq!(said.records.len(), 3, "two are told, one is gone: {:?}", said.records);
        assert_eq!(said.warnings.len(), 1, "the one that fails: {:?}", said.warnings);
    }
}
