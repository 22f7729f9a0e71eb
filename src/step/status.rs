//! Asks the cartridges of a gear how they are. No step: nothing changes, nothing is put back.

use super::Cx;
use super::script::{self, Call};
use crate::error::Failure;
use crate::gear::environment::Host;
use crate::gear::hooks::{self, Called, Hook};
use crate::gear::identity::Identity;
use crate::gear::replies;
use crate::sandbox::{CommandLine, Leftovers, Sourced, Status};
use crate::sys::fs::Dir;
use crate::sys::tree;

/// What one cartridge answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Answer {
    /// Its folder.
    pub cartridge: String,
    /// The exit status of `control status`; 0 means that it runs. Nothing where it has no control.
    pub status: Option<u8>,
    /// What it printed.
    pub output: String,
}

/// Asks each cartridge of `gear`, the secondaries first.
pub fn ask(host: Host<'_>, gear: &Identity) -> Result<Vec<Answer>, Failure> {
    let Host { layout, config, shared } = host;
    let state = Dir::open(layout.state())?;
    // Its output goes where a transaction's would; no transaction has the number 0.
    let number = format!("status-{}-{}", std::process::id(), gear.uuid);
    let cx = Cx::new((layout, config, &state), 0, (&number, 1)).with_shared(shared.clone());
    let home = state.dir(gear.home())?;
    let mut answers = Vec::new();
    for cartridge in gear.starting_order() {
        answers.push(ask_one(&cx, &home, (gear, &cartridge.dir))?);
    }
    forget(&state, &number)?;
    Ok(answers)
}

/// Removes what was printed by what was asked under `number`.
pub(super) fn forget(state: &Dir, number: &str) -> Result<(), Failure> {
    let log = state.dir("log")?;
    if log.has("0")? {
        let own = log.dir("0")?;
        for name in own.names()? {
            if name.to_string_lossy().starts_with(number) {
                tree::remove(&own, &name)?;
            }
        }
    }
    Ok(())
}

/// An exit status, as a shell tells it.
pub(super) fn as_shell(status: Status) -> u8 {
    match status {
        Status::Exited(status) => u8::try_from(status).unwrap_or(u8::MAX),
        Status::Signalled(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        Status::TimedOut | Status::Flooded => 124,
        Status::Interrupted => 130,
    }
}

fn ask_one(cx: &Cx<'_>, home: &Dir, (gear, dir): (&Identity, &str)) -> Result<Answer, Failure> {
    let cartridge = dir.to_owned();
    let script = format!("{dir}/bin/control");
    if !home.has(&script)? {
        return Ok(Answer { cartridge, status: None, output: "there is no `bin/control`".into() });
    }
    let version = version(gear, dir);
    let called = Called { name: dir, version: &version, ..Called::default() };
    let found = hooks::find(home, "status", called)?;
    let mut answer = Answer { cartridge, status: Some(0), output: String::new() };
    if !ask_hook(cx, home, (gear, dir, found.before.as_ref()), &mut answer)? {
        return Ok(answer);
    }
    let script = home.path_of(&script);
    let sourced = Sourced { before: &found.sourced_before, after: &found.sourced_after };
    let line = match sourced {
        Sourced { before: [], after: [] } => CommandLine::of(&script, ["status"])?,
        _ => CommandLine::control(&script, ["status"], &sourced)?,
    };
    if ask_script(cx, home, (gear, dir, dir, "control-status", line), &mut answer)? {
        ask_hook(cx, home, (gear, dir, found.after.as_ref()), &mut answer)?;
    }
    Ok(answer)
}

fn version(gear: &Identity, dir: &str) -> String {
    gear.cartridge(dir).map(|one| one.software.to_string()).unwrap_or_default()
}

/// Runs a hook of the application's developer, as around every action; tells whether all is well.
fn ask_hook(
    cx: &Cx<'_>,
    home: &Dir,
    (gear, dir, hook): (&Identity, &str, Option<&Hook>),
    answer: &mut Answer,
) -> Result<bool, Failure> {
    let Some(Hook { path, executable }) = hook else { return Ok(true) };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !executable {
        let note = format!("the hook `{name}` is not executable, and was not run\n");
        answer.output.push_str(&note);
        return Ok(true);
    }
    let line = CommandLine::of(path, [""; 0])?;
    ask_script(cx, home, (gear, dir, script::HOME, &name, line), answer)
}

/// Runs a script for `answer`; tells whether it succeeded.
fn ask_script(
    cx: &Cx<'_>,
    home: &Dir,
    (gear, dir, folder, name, line): (&Identity, &str, &str, &str, CommandLine),
    answer: &mut Answer,
) -> Result<bool, Failure> {
    let seconds = cx.config.scripts.status_timeout;
    let call = Call { gear, dir, folder, name, line, seconds, leftovers: Leftovers::End };
    let outcome = script::outcome(cx, home, &call)?;
    let status = as_shell(outcome.status);
    answer.output.push_str(&replies::spoken(&outcome.stdout.text));
    answer.output.push_str(&replies::spoken(&outcome.stderr.text));
    answer.status = Some(status);
    Ok(status == 0)
}
