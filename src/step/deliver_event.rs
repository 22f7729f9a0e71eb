//! Tells one subscriber what was published: its hook runs, with the published texts as its fourth
//! argument (node specification, 10 and 0).

use super::run_script::hook_call;
use super::{Cx, Said, Step, script};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::gear::published;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::interrupt;
use crate::sys::tree::{self, Modes};

/// A hook of a cartridge in a gear, and what kind of event it is for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hook {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// The name of the file below `hooks/`.
    pub name: String,
    /// The event's type.
    pub kind: String,
}

impl Hook {
    /// Its path below the gear's home.
    pub(super) fn path(&self) -> String {
        format!("{}/hooks/{}", self.dir, self.name)
    }
}

/// What one publisher has published.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Output {
    /// The identifier of the publisher's gear.
    pub gear: String,
    /// The text.
    pub text: String,
}

/// An event for one subscriber.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DeliverEvent {
    /// Whom it is for.
    pub subscriber: Hook,
    /// What is published.
    pub published: Vec<Output>,
}

/// The cartridge's own variables before the hook; hooks exist to write those.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    env: bool,
}

/// The copy of the cartridge's `env` in the step's stash.
const COPY: &str = "env";

impl DeliverEvent {
    fn env(&self) -> String {
        format!("{}/{}/env", self.subscriber.gear.home(), self.subscriber.dir)
    }

    fn arguments(&self) -> (String, String) {
        let outputs = self.published.iter().map(|one| (one.gear.as_str(), one.text.as_str()));
        let is_env = self.subscriber.kind.starts_with("ENV:");
        published::arguments(outputs, is_env)
    }
}

impl Step for DeliverEvent {
    type Undo = Kept;

    fn describe(&self) -> String {
        let Hook { gear, dir, name, .. } = &self.subscriber;
        format!("run `hooks/{name}` of `{dir}` in the gear `{}`", gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Kept, Failure> {
        let stash = cx.stash()?;
        tree::remove(&stash, COPY)?;
        let env = cx.state.has(self.env())?;
        if env {
            tree::copy(cx.state, self.env(), &stash, COPY, Modes::Kept)?;
        }
        Ok(Kept { env })
    }

    /// A hook that fails is reported, and stops nothing, as in the original.
    fn apply(&self, _kept: &Kept, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.subscriber.gear.home())?;
        let (fourth, bare) = self.arguments();
        let Some(call) = hook_call(cx, &home, (&self.subscriber, Some(fourth)))? else {
            return Ok(Said::default());
        };
        checkpoint("deliver_event: before the script");
        let said = match script::run_with(cx, &home, (&call, &[("CART_PUBLISHED".into(), bare)])) {
            Ok(said) => said,
            Err(failure) => {
                interrupt::check()?;
                Said { warnings: vec![failure.one_line()], ..Said::default() }
            }
        };
        checkpoint("deliver_event: after the script");
        Ok(said)
    }

    /// The cartridge's variables are put back file by file: it may be running.
    fn revert(&self, kept: &Kept, cx: &Cx<'_>) -> Result<(), Failure> {
        let stash = cx.stash()?;
        if !kept.env || !stash.has(COPY)? || !cx.state.has(self.env())? {
            return Ok(());
        }
        put_back(&stash.dir(COPY)?, &cx.state.dir(self.env())?)
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

/// Makes the files of `now` those of `was`. What is no file was there before, or is left.
fn put_back(was: &Dir, now: &Dir) -> Result<(), Failure> {
    let is_file = |meta: &Meta| meta.kind == Kind::File;
    for name in now.names()? {
        if !was.has(&name)? && now.meta(&name)?.as_ref().is_some_and(is_file) {
            checkpoint("deliver_event: before a file goes");
            now.remove_file(&name)?;
        }
    }
    for name in was.names()? {
        if !was.meta(&name)?.as_ref().is_some_and(is_file) {
            continue;
        }
        let mut beside = name.clone();
        beside.push(".cart-new");
        tree::copy(was, &name, now, &beside, Modes::Kept)?;
        checkpoint("deliver_event: before a file is put back");
        now.rename(&beside, now, &name)?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> DeliverEvent {
    let gear = world.gear();
    world.state.make_dir("gears/blog/mock/hooks", 0o755).unwrap();
    let text =
        "#!/bin/bash\necho -n \"$4\" >env/PUBLISHED\necho -n \"$CART_PUBLISHED\" >env/BARE\n";
    world.script("gears/blog/mock/hooks/set-info", text);
    world.state.write_new("gears/blog/mock/env/BARE", b"old", 0o600).unwrap();
    let subscriber =
        Hook { gear, dir: "mock".into(), name: "set-info".into(), kind: "NET_TCP:x".into() };
    let output = Output { gear: "g0123456789ab".into(), text: "A=1\nB=2".into() };
    DeliverEvent { subscriber, published: vec![output] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::laws::World;

    #[test]
    fn the_fourth_argument_names_the_gear_and_the_bare_text_stands_beside_it() {
        let world = World::new();
        let step = sample(&world);
        let cx = world.cx(1);
        let kept = step.prepare(&cx).unwrap();
        let said = step.apply(&kept, &cx).unwrap();
        assert!(said.warnings.is_empty(), "{:?}", said.warnings);
        let read = |name: &str| {
            let path = format!("gears/blog/mock/env/{name}");
            String::from_utf8(world.state.read(path, 100).unwrap()).unwrap()
        };
        assert_eq!(read("PUBLISHED"), "'g0123456789ab'='A=1\nB=2'");
        assert_eq!(read("BARE"), "A=1 B=2");
    }
}
