//! Calls a cartridge's `bin/control`, between the hooks of the application's developer.

use super::end_processes::EndProcesses;
use super::{Cx, Said, Step};
use super::{sandboxed, script};
use crate::error::Failure;
use crate::gear::action::Action;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;

/// In the step's stash, once a script that stops has begun.
const BEGUN: &str = "begun";

/// What a failing script means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// The transaction fails.
    MustSucceed,
    /// A warning: the gear goes anyway, and what still runs is ended.
    MayFail,
}

/// A control action of a cartridge.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Control {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// What it is told to do.
    pub action: Action,
    /// What a failure means.
    pub strictness: Strictness,
}

impl Control {
    fn run(&self, cx: &Cx<'_>, action: Action) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        if !home.has(format!("{}/bin/control", self.dir))? {
            return Ok(Said::default());
        }
        script::control(cx, &home, (&self.gear, &self.dir), action)
    }

    /// Starts what ran before. An application that does not start any more is its developer's to
    /// mend: everything else is put back all the same, and the gear stays open to commands, marked
    /// as what it should be. Stuck, it could not even be stopped.
    fn start_again(&self, cx: &Cx<'_>) {
        if let Err(failure) = self.run(cx, Action::Start) {
            let (dir, gear) = (&self.dir, &self.gear.name);
            let why = failure.one_line();
            cx.fall_short(format!("`{dir}` of the gear `{gear}` did not start again: {why}"));
        }
    }

    /// Stopping is put back once its script has begun, whatever still runs: what was told to end may
    /// take its time.
    fn unstop(&self, (before, is_untouched): (&[u32], bool), cx: &Cx<'_>) -> Result<(), Failure> {
        let has_begun = cx.state.has(cx.stash_path(BEGUN))?;
        if before.is_empty() || (is_untouched && !has_begun) {
            return Ok(());
        }
        if is_untouched {
            drop(self.run(cx, Action::Stop));
        }
        self.start_again(cx);
        Ok(())
    }

    /// Where nothing ran before, nothing runs afterwards, nor what it would run in.
    fn end_if_nothing_ran(&self, before: &[u32], cx: &Cx<'_>) -> Result<(), Failure> {
        if before.is_empty() { EndProcesses::now(cx.layout, &self.gear).map(drop) } else { Ok(()) }
    }
}

impl Step for Control {
    /// What ran in the gear before: it tells afterwards whether a stop has stopped anything.
    type Undo = Vec<u32>;

    fn describe(&self) -> String {
        format!("{} `{}` of the gear `{}`", self.action, self.dir, self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Vec<u32>, Failure> {
        Ok(sandboxed::living(cx.layout, &self.gear)?)
    }

    fn apply(&self, _before: &Vec<u32>, cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("control: before the script");
        if self.action == Action::Stop {
            cx.state.make_dirs(cx.stash_path(BEGUN), 0o700)?;
        }
        let said = match (self.run(cx, self.action), self.strictness) {
            (Err(failure), Strictness::MayFail) => {
                Said { warnings: vec![failure.one_line()], ..Said::default() }
            }
            (result, _) => result?,
        };
        checkpoint("control: after the script");
        Ok(said)
    }

    fn revert(&self, before: &Vec<u32>, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let now = sandboxed::living(cx.layout, &self.gear)?;
        // What was cut off before it began must not start things twice.
        let untouched = before.iter().all(|id| now.contains(id));
        match self.action {
            // What does not stop by itself is ended with the gear's processes.
            Action::Start => {
                drop(self.run(cx, Action::Stop));
                self.end_if_nothing_ran(before, cx)
            }
            Action::Stop => self.unstop((before, untouched), cx),
            Action::Restart if !before.is_empty() && untouched && now.len() == before.len() => {
                Ok(())
            }
            // Wherever it was cut off, stopping and starting lead back to what was.
            Action::Restart => {
                drop(self.run(cx, Action::Stop));
                if before.is_empty() {
                    return self.end_if_nothing_ran(before, cx);
                }
                self.start_again(cx);
                Ok(())
            }
            // A snapshot's data base may run for it alone; what it has laid out is cleared away.
            Action::PreSnapshot => {
                if let Err(failure) = self.run(cx, Action::PostSnapshot) {
                    cx.fall_short(failure.one_line());
                }
                self.end_if_nothing_ran(before, cx)
            }
            Action::PostSnapshot | Action::PreRestore | Action::PostRestore => {
                self.end_if_nothing_ran(before, cx)
            }
            // No other action has an inverse; the plan keeps a copy of the gear or says so.
            _ => Ok(()),
        }
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> Control {
    let gear = world.gear();
    let text = "#!/bin/bash\ncase $1 in\nstart) touch \"$OPENSHIFT_DATA_DIR/runs\" ;;\n\
                stop) rm -f \"$OPENSHIFT_DATA_DIR/runs\" ;;\nesac\n";
    world.script("gears/blog/mock/bin/control", text);
    Control { gear, dir: "mock".into(), action: Action::Start, strictness: Strictness::MustSucceed }
}

#[cfg(test)]
mod tests {
    use super::super::laws::World;
    use super::*;
    use crate::sys::process;
    use std::time::{Duration, Instant};

    /// A daemon that takes its time to end once it is told to, as databases do: while there is work.
    const SLOW: &str = "#!/bin/bash\ncd \"$OPENSHIFT_DATA_DIR\"; file=pid\ncase $1 in\n\
        start) bash -c 'trap told=1 TERM; while [[ -z $told || -e work ]]; do sleep 0.1; done' & \
        echo $! >\"$file\" ;;\n\
        stop) if [[ -f $file ]]; then kill \"$(<\"$file\")\"; rm \"$file\"; fi ;;\nesac\nexit 0\n";

    const WORK: &str = "gears/blog/app-root/data/work";

    /// The number that the daemon has written down.
    fn daemon(world: &World) -> u32 {
        let text = world.state.read("gears/blog/app-root/data/pid", 20).unwrap();
        String::from_utf8(text).unwrap().trim().parse().unwrap()
    }

    #[test]
    fn what_ends_slowly_runs_again_when_its_stop_is_put_back() {
        let world = World::new();
        let start = sample(&world);
        world.script("gears/blog/mock/bin/control", SLOW);
        world.state.write_new(WORK, b"", 0o644).unwrap();
        let before = start.prepare(&world.cx(1)).unwrap();
        start.apply(&before, &world.cx(1)).unwrap();
        let old = daemon(&world);

        // Another call: what is left of one is ended with it.
        let stop = Control { action: Action::Stop, ..start.clone() };
        let running = stop.prepare(&world.cx(2)).unwrap();
        stop.revert(&running, &world.cx(2)).unwrap();
        assert_eq!(daemon(&world), old, "what was never stopped is not started");
        stop.apply(&running, &world.cx(2)).unwrap();
        assert!(process::is_alive(old), "there is work");
        stop.revert(&running, &world.cx(2)).unwrap();
        world.state.remove_file(WORK).unwrap();
        let begun = Instant::now();
        while process::is_alive(old) {
            assert!(begun.elapsed() < Duration::from_secs(60), "it was told to end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let new = daemon(&world);
        assert!(new != old && process::is_alive(new), "{new} runs in the place of {old}");
        start.revert(&before, &world.cx(1)).unwrap();
    }
}
