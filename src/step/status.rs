//! Asks the cartridges of a gear how they are. No step: nothing changes, nothing is put back.

use super::Cx;
use super::script::{self, Call};
use crate::error::Failure;
use crate::gear::environment::Host;
use crate::gear::identity::Identity;
use crate::gear::replies;
use crate::sandbox::{CommandLine, Leftovers, Status};
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
    let number = format!("status-{}", std::process::id());
    let cx = Cx::new((layout, config, &state), 0, (&number, 1)).with_shared(shared.clone());
    let home = state.dir(gear.home())?;
    let mut answers = Vec::new();
    for cartridge in gear.starting_order() {
        answers.push(ask_one(&cx, &home, (gear, &cartridge.dir))?);
    }
    let log = state.dir("log")?;
    if log.has("0")? {
        let own = log.dir("0")?;
        for name in own.names()? {
            if name.to_string_lossy().starts_with(&number) {
                tree::remove(&own, &name)?;
            }
        }
    }
    Ok(answers)
}

fn ask_one(cx: &Cx<'_>, home: &Dir, (gear, dir): (&Identity, &str)) -> Result<Answer, Failure> {
    let cartridge = dir.to_owned();
    let script = format!("{dir}/bin/control");
    if !home.has(&script)? {
        return Ok(Answer { cartridge, status: None, output: "there is no `bin/control`".into() });
    }
    let outcome = script::outcome(
        cx,
        home,
        &Call {
            gear,
            dir,
            name: "control-status",
            line: CommandLine::of(&home.path_of(&script), ["status"])?,
            seconds: cx.config.scripts.status_timeout,
            leftovers: Leftovers::End,
        },
    )?;
    let status = match outcome.status {
        Status::Exited(status) => u8::try_from(status).unwrap_or(u8::MAX),
        // As a shell tells them.
        Status::Signalled(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        Status::TimedOut | Status::Flooded => 124,
        Status::Interrupted => 130,
    };
    let output = replies::spoken(&outcome.stdout.text) + &replies::spoken(&outcome.stderr.text);
    Ok(Answer { cartridge, status: Some(status), output })
}
