//! Calling what works for the host itself, unconfined: the scripts of tpkg packages, and their init
//! scripts.

use super::Cx;
use crate::error::{Exit, Failure};
use crate::package::external::Action;
use crate::sandbox::{
    self, Capture, CommandLine, ForHost, Leftovers, Outcome, Script, Status, Time,
};
use crate::sys::host;
use crate::sys::process::Limits;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// How long a process of it may take to heed SIGTERM once time is up.
const GRACE: Duration = Duration::from_secs(5);
/// How many of its last lines a failure shows.
const TAIL: usize = 10;

/// One call.
pub(super) struct HostCall<'a> {
    /// What the log calls it.
    pub(super) name: &'a str,
    pub(super) line: &'a CommandLine,
    /// The directory that it begins in.
    pub(super) folder: &'a Path,
    /// The package's base: `TPKG_HOME`.
    pub(super) base: &'a str,
    /// What is being done with the package, where something is: `TPKG_ACTION`.
    pub(super) action: Option<Action>,
    pub(super) seconds: u64,
}

/// Calls it. What it leaves running is meant to live: the original starts services so.
pub(super) fn run(cx: &Cx<'_>, call: &HostCall<'_>) -> Result<Outcome, Failure> {
    let (log, name) = cx.log(call.name)?;
    let marks = cx.marks();
    let script = Script {
        line: call.line,
        folder: call.folder,
        env: &environment(call),
        marks: &marks,
        user: None,
        confinement: None,
        limits: Limits::default(),
        time: Time { limit: Duration::from_secs(call.seconds), grace: GRACE },
        leftovers: Leftovers::Keep,
        capture: Capture { folder: &log, name: &name, keep: cx.config.scripts.max_output },
    };
    Ok(sandbox::run_for_host(&script, ForHost::default())?)
}

fn environment(call: &HostCall<'_>) -> BTreeMap<String, OsString> {
    let own = [
        ("PATH", OsString::from(host::PATH)),
        ("HOME", host::variable_os("HOME").unwrap_or_else(|| "/".into())),
        ("LANG", host::variable_os("LANG").unwrap_or_else(|| "C.UTF-8".into())),
        ("TPKG_HOME", call.base.into()),
    ];
    let action = call.action.map(|action| ("TPKG_ACTION", action.as_str().into()));
    own.into_iter().chain(action).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a call has to answer for that did not succeed; `what` is the subject of the sentence.
pub(super) fn failed(what: &str, outcome: &Outcome) -> Failure {
    let how = match outcome.status {
        Status::Exited(status) => format!("exited with status {status}"),
        Status::Signalled(signal) => format!("was ended by signal {signal}"),
        Status::TimedOut => "was not over in time, and was ended".to_owned(),
        Status::Flooded => "printed without end, and was ended".to_owned(),
        Status::Interrupted => "was interrupted".to_owned(),
    };
    let mut failure = Failure::new(Exit::Failed, format!("{what} {how}"));
    let said = outcome.stderr.text.lines().chain(outcome.stdout.text.lines());
    let said: Vec<String> = said.map(|line| line.escape_debug().to_string()).collect();
    failure.causes.extend(said.iter().rev().take(TAIL).rev().cloned());
    failure
}

/// What a call has printed, line by line.
pub(super) fn printed(outcome: &Outcome) -> Vec<String> {
    outcome.stdout.text.lines().map(|line| line.escape_debug().to_string()).collect()
}
