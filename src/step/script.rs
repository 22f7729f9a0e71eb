//! Running scripts for steps: environment, capture, output protocol; one place for all of them.

use super::{Cx, Said, heard, hints, sandboxed};
use crate::error::{Exit, Failure};
use crate::gear::action::Action;
use crate::gear::deployment;
use crate::gear::environment;
use crate::gear::hooks::{self, Called, Hook};
use crate::gear::identity::Identity;
use crate::gear::replies::{self, Ending, Reply, Tone};
use crate::sandbox::Time;
use crate::sandbox::{self, Capture, CommandLine, Leftovers, Outcome, Script, Sourced, Status};
use crate::sys::fs::Dir;
use crate::sys::interrupt;
use crate::sys::process::Limits;
use std::path::Path;
use std::time::Duration;

/// How many of the last lines of a failed script are shown.
const TAIL: usize = 20;
/// How long processes may take to heed SIGTERM once time is up.
const GRACE: Duration = Duration::from_secs(5);

/// Where hooks of the gear itself run (node specification, 8.2).
pub(super) const HOME: &str = "";

/// With less space than this a script's failure may well come from that.
const SCARCE: u64 = 256 << 10;

/// One call of a script.
pub(super) struct Call<'a> {
    pub(super) gear: &'a Identity,
    /// The cartridge's folder.
    pub(super) dir: &'a str,
    /// Where the script runs, below the home: in that folder, or in the home itself.
    pub(super) folder: &'a str,
    /// What messages and the log call it.
    pub(super) name: &'a str,
    pub(super) line: CommandLine,
    pub(super) seconds: u64,
    pub(super) leftovers: Leftovers,
}

/// Runs a script. Anything but exit status 0 is a failure that shows its last words.
pub(super) fn run(cx: &Cx<'_>, home: &Dir, call: &Call<'_>) -> Result<Said, Failure> {
    run_with(cx, home, (call, &[]))
}

/// The same, with further variables.
pub(super) fn run_with(
    cx: &Cx<'_>,
    home: &Dir,
    (call, more): (&Call<'_>, &[(String, String)]),
) -> Result<Said, Failure> {
    let outcome = outcome_with(cx, home, (call, more))?;
    if outcome.status == Status::Interrupted {
        interrupt::check()?;
    }
    if !outcome.is_success() {
        return Err(failed(cx, call, &outcome));
    }
    Ok(heard::heard(cx, home, call, &outcome))
}

/// Runs a script, and gives what became of it, good or bad.
pub(super) fn outcome(cx: &Cx<'_>, home: &Dir, call: &Call<'_>) -> Result<Outcome, Failure> {
    outcome_with(cx, home, (call, &[]))
}

fn outcome_with(
    cx: &Cx<'_>,
    home: &Dir,
    (call, more): (&Call<'_>, &[(String, String)]),
) -> Result<Outcome, Failure> {
    let environment = environment::of(cx.host(), home, call.gear, Some(call.dir));
    let confinement = sandboxed::confinement(cx.layout, cx.config, call.gear);
    let (log, name) = cx.log(call.name)?;
    let mut marks = cx.marks();
    marks.extend_from_slice(more);
    let script = Script {
        line: &call.line,
        folder: &home.path_of(call.folder),
        env: &environment.variables,
        marks: &marks,
        user: confinement.user,
        confinement: Some(&confinement),
        limits: Limits::default(),
        time: Time { limit: Duration::from_secs(call.seconds), grace: GRACE },
        leftovers: call.leftovers,
        capture: Capture { folder: &log, name: &name, keep: cx.config.scripts.max_output },
    };
    Ok(sandbox::run_heard(&script, cx.listener())?)
}

/// What a script has to answer for that did not succeed.
pub(super) fn failed(cx: &Cx<'_>, call: &Call<'_>, outcome: &Outcome) -> Failure {
    let how = match outcome.status {
        Status::Exited(status) => match replies::recorded(status) {
            same if same == status => format!("exited with status {status}"),
            code => format!("exited with status {status} (code {code})"),
        },
        Status::Signalled(signal) => format!("was ended by signal {signal}"),
        Status::TimedOut => format!("was not over after {} seconds, and was ended", call.seconds),
        Status::Flooded => "printed without end, and was ended".to_owned(),
        Status::Interrupted => "was interrupted".to_owned(),
    };
    let mut failure =
        Failure::new(Exit::Failed, format!("`{}` of `{}` {how}", call.name, call.dir));
    failure.causes.extend(last_words(&outcome.stdout.text, &outcome.stderr.text));
    failure.hints.extend(hints::of(&outcome.stderr.text));
    // On a full disk, what the script complained about could not be written down either.
    if cx.state.free_bytes().is_ok_and(|free| free < SCARCE) {
        let place = cx.state.path().display();
        failure.hints.push(format!("hardly any space is left on the disk of `{place}`: free some"));
    }
    failure
}

/// What a failed script has said at last: messages, then errors. What it wrote to standard output is
/// a message and to standard error an error, unless a line says itself what it is (node
/// specification, 4.2); what it asked for is not done, and a message too.
fn last_words(stdout: &str, stderr: &str) -> Vec<String> {
    let all =
        replies::prefixed(stdout, "CLIENT_MESSAGE") + &replies::prefixed(stderr, "CLIENT_ERROR");
    let said = replies::parse(&all, Ending::Failure);
    let (mut messages, mut errors) = (said.plain, Vec::new());
    for reply in said.replies {
        match reply {
            Reply::Client(Tone::Error | Tone::InternalError, text) => errors.push(text),
            Reply::Client(_, text) => messages.push(text),
            _ => {}
        }
    }
    let tail = |mut lines: Vec<String>, most: usize| {
        lines.retain(|line| !line.trim().is_empty());
        lines.split_off(lines.len().saturating_sub(most))
    };
    let errors = tail(errors, TAIL);
    let mut words = tail(messages, (TAIL - errors.len()).max(TAIL / 4));
    words.extend(errors);
    words.iter().map(|line| replies::shortened(line)).collect()
}

/// Runs a control action of a cartridge between the hooks of the application's developer (node
/// specification, 8.2).
pub(super) fn control(
    cx: &Cx<'_>,
    home: &Dir,
    (gear, dir): (&Identity, &str),
    action: Action,
) -> Result<Said, Failure> {
    let repo = deployment::live_repo(home)?;
    control_with(cx, (home, &repo), (gear, dir), (action, &[]))
}

/// The same with the hooks of the application at `repo`, and with further variables.
pub(super) fn control_with(
    cx: &Cx<'_>,
    (home, repo): (&Dir, &Path),
    (gear, dir): (&Identity, &str),
    (action, more): (Action, &[(String, String)]),
) -> Result<Said, Failure> {
    let cartridge = gear.cartridge(dir);
    let version = cartridge.map(|one| one.software.to_string()).unwrap_or_default();
    let is_primary = cartridge.is_some_and(|one| one.is_primary);
    let called = Called { name: dir, version: &version, is_primary };
    let found = hooks::find_in((home, repo), action.as_str(), called)?;
    let seconds = if action.is_of_a_build() {
        cx.config.scripts.build_timeout
    } else {
        cx.config.scripts.control_timeout
    };
    let leftovers = if action.may_leave_processes() { Leftovers::Keep } else { Leftovers::End };
    let call = |(name, folder): (&str, &str), line: CommandLine| {
        run_with(cx, home, (&Call { gear, dir, folder, name, line, seconds, leftovers }, more))
    };
    let mut said = Said::default();
    let hook = |hook: &Option<Hook>, said: &mut Said| -> Result<(), Failure> {
        let Some(hook) = hook else { return Ok(()) };
        said.merge(if hook.executable {
            call((&file_name(&hook.path), HOME), CommandLine::of(&hook.path, [""; 0])?)?
        } else {
            not_executable(hook)
        });
        Ok(())
    };
    hook(&found.before, &mut said)?;
    let script = home.path_of(dir).join("bin/control");
    let sourced = Sourced { before: &found.sourced_before, after: &found.sourced_after };
    let line = match sourced {
        Sourced { before: [], after: [] } => CommandLine::of(&script, [action.as_str()])?,
        _ => CommandLine::control(&script, [action.as_str()], &sourced)?,
    };
    said.merge(call((&format!("control-{action}"), dir), line)?);
    hook(&found.after, &mut said)?;
    Ok(said)
}

/// Runs the gear's hook for a phase in which no cartridge has a part.
pub(super) fn hook_alone(
    cx: &Cx<'_>,
    (home, repo): (&Dir, &Path),
    (gear, dir): (&Identity, &str),
    (phase, more): (&str, &[(String, String)]),
) -> Result<Said, Failure> {
    let Some(hook) = hooks::find_in((home, repo), phase, Called::default())?.after else {
        return Ok(Said::default());
    };
    if !hook.executable {
        return Ok(not_executable(&hook));
    }
    let call = Call {
        gear,
        dir,
        folder: HOME,
        name: &file_name(&hook.path),
        line: CommandLine::of(&hook.path, [""; 0])?,
        seconds: cx.config.scripts.build_timeout,
        leftovers: Leftovers::End,
    };
    run_with(cx, home, (&call, more))
}

fn not_executable(hook: &Hook) -> Said {
    let name = file_name(&hook.path);
    let text = format!("the hook `{name}` is not executable, and was not run");
    Said { warnings: vec![text], ..Said::default() }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
