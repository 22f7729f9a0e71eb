//! Running scripts for steps: environment, capture, output protocol; one place for all of them.

use super::{Cx, Said};
use crate::error::{Exit, Failure};
use crate::gear::action::Action;
use crate::gear::environment;
use crate::gear::hooks::{self, Hook};
use crate::gear::identity::Identity;
use crate::gear::replies::{self, Reply, Tone};
use crate::sandbox::{self, Capture, CommandLine, Leftovers, Outcome, Script, Sourced, Status};
use crate::sandbox::{Time, User};
use crate::sys::fs::Dir;
use crate::sys::interrupt;
use crate::sys::process::Limits;
use std::path::Path;
use std::time::Duration;

/// How many of the last lines of a failed script are shown.
const TAIL: usize = 20;
/// How long processes may take to heed SIGTERM once time is up.
const GRACE: Duration = Duration::from_secs(5);

/// One call of a script.
pub(super) struct Call<'a> {
    pub(super) gear: &'a Identity,
    /// The cartridge's folder; the script runs in it.
    pub(super) dir: &'a str,
    /// What messages and the log call it.
    pub(super) name: &'a str,
    pub(super) line: CommandLine,
    pub(super) seconds: u64,
    pub(super) leftovers: Leftovers,
}

/// Runs a script. Anything but exit status 0 is a failure that shows its last words.
pub(super) fn run(cx: &Cx<'_>, home: &Dir, call: &Call<'_>) -> Result<Said, Failure> {
    let outcome = outcome(cx, home, call)?;
    if outcome.status == Status::Interrupted {
        interrupt::check()?;
    }
    let said = heard(call.name, &outcome);
    if outcome.is_success() { Ok(said) } else { Err(failed(call, &outcome)) }
}

/// Runs a script, and gives what became of it, good or bad.
pub(super) fn outcome(cx: &Cx<'_>, home: &Dir, call: &Call<'_>) -> Result<Outcome, Failure> {
    let environment = environment::of((cx.layout, cx.config), home, call.gear, Some(call.dir));
    let shims = environment::shims(cx.layout, call.gear);
    let (log, name) = cx.log(call.name)?;
    let mut marks = cx.marks();
    marks.push(("CART_STEP".into(), cx.number.to_owned()));
    marks.push(("CART_ATTEMPT".into(), cx.attempt.to_string()));
    Ok(sandbox::run(&Script {
        line: &call.line,
        folder: &home.path_of(call.dir),
        env: &environment.variables,
        marks: &marks,
        user: call.gear.owner.map(|(uid, gid)| User { uid, gid }),
        shims: shims.as_deref(),
        limits: Limits::default(),
        time: Time { limit: Duration::from_secs(call.seconds), grace: GRACE },
        leftovers: call.leftovers,
        capture: Capture { folder: &log, name: &name, keep: cx.config.scripts.max_output },
    })?)
}

/// What a script had to say to the user and to the platform.
fn heard(name: &str, outcome: &Outcome) -> Said {
    let mut said = Said::default();
    let ending =
        if outcome.is_success() { replies::Ending::Success } else { replies::Ending::Failure };
    let replies = replies::parse(&outcome.stdout.text, ending);
    for reply in replies.replies {
        match reply {
            Reply::Client(Tone::Message | Tone::Result, text) | Reply::AppInfo(text) => {
                said.messages.push(text);
            }
            Reply::Client(Tone::Error | Tone::InternalError, text) => said.warnings.push(text),
            // For brokers, and for whoever looks for a fault: the log has it.
            Reply::Client(Tone::Debug, _)
            | Reply::CartData(_)
            | Reply::CartProperty(_)
            | Reply::Attribute(_) => {}
            _ => said.warnings.push(format!(
                "`{name}` asks for a change beyond its gear, which this version does not make yet"
            )),
        }
    }
    said.warnings.extend(replies.notes);
    match outcome.ended_leftovers {
        0 => {}
        1 => said.warnings.push(format!("`{name}` left a process behind; it was ended")),
        many => {
            said.warnings.push(format!("`{name}` left {many} processes behind; they were ended"));
        }
    }
    said
}

fn failed(call: &Call<'_>, outcome: &Outcome) -> Failure {
    let how = match outcome.status {
        Status::Exited(status) => format!("exited with status {status}"),
        Status::Signalled(signal) => format!("was ended by signal {signal}"),
        Status::TimedOut => format!("was not over after {} seconds, and was ended", call.seconds),
        Status::Flooded => "printed without end, and was ended".to_owned(),
        Status::Interrupted => "was interrupted".to_owned(),
    };
    let mut failure =
        Failure::new(Exit::Failed, format!("`{}` of `{}` {how}", call.name, call.dir));
    let both: Vec<&str> = outcome.stdout.text.lines().chain(outcome.stderr.text.lines()).collect();
    let tail = both.iter().skip(both.len().saturating_sub(TAIL));
    failure.causes.extend(tail.map(|line| (*line).to_owned()));
    failure
}

/// Runs a control action of a cartridge between the hooks of the application's developer (node
/// specification, 8.2).
pub(super) fn control(
    cx: &Cx<'_>,
    home: &Dir,
    (gear, dir): (&Identity, &str),
    action: Action,
) -> Result<Said, Failure> {
    let version = gear.cartridge(dir).map(|one| one.software.to_string()).unwrap_or_default();
    let found = hooks::find(home, action.as_str(), dir, &version)?;
    let seconds = cx.config.scripts.control_timeout;
    let leftovers =
        if action.may_leave_processes() { Leftovers::Keep } else { Leftovers::End };
    let call = |name: &str, line: CommandLine| {
        run(cx, home, &Call { gear, dir, name, line, seconds, leftovers })
    };
    let mut said = Said::default();
    let hook = |hook: &Option<Hook>, said: &mut Said| -> Result<(), Failure> {
        let Some(hook) = hook else { return Ok(()) };
        let name = file_name(&hook.path);
        if hook.executable {
            merge(said, call(&name, CommandLine::of(&hook.path, [""; 0])?)?);
        } else {
            said.warnings.push(format!("the hook `{name}` is not executable, and was not run"));
        }
        Ok(())
    };
    hook(&found.before, &mut said)?;
    let script = home.path_of(dir).join("bin/control");
    let sourced = Sourced { before: &found.sourced_before, after: &found.sourced_after };
    let line = match sourced {
        Sourced { before: [], after: [] } => CommandLine::of(&script, [action.as_str()])?,
        _ => CommandLine::control(&script, [action.as_str()], &sourced)?,
    };
    merge(&mut said, call(&format!("control-{action}"), line)?);
    hook(&found.after, &mut said)?;
    Ok(said)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn merge(said: &mut Said, more: Said) {
    said.messages.extend(more.messages);
    said.warnings.extend(more.warnings);
}

/// A failure and its causes in one line.
pub(super) fn one_line(failure: &Failure) -> String {
    std::iter::once(&failure.summary).chain(&failure.causes).cloned().collect::<Vec<_>>().join(": ")
}
