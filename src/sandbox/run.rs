//! Running one script: start, wait, end what must end, read what it said.

use super::capture::{self, Files};
use super::confinement::{AsStream, Reach};
use super::echo::Echo;
use super::errand::Errand;
use super::family::Family;
use super::held;
use super::record::Record;
use super::running::Running;
use super::{ForHost, Leftovers, Outcome, SandboxError, Script, Status, User};
use crate::progress::Listen;
use crate::sys::process::{Confines, Limits};
use crate::sys::{cgroup, interrupt, process};
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The longest wait between two looks at the clock, the output and the interrupt flag.
const NAP: Duration = Duration::from_millis(50);
/// Looking at all processes of a host costs milliseconds: seldom while a script takes long.
const FIRST_LOOK: Duration = Duration::from_millis(25);
const SELDOM: Duration = Duration::from_millis(500);

/// Runs a script to its end.
///
/// An error means that it did not run, or cannot be followed; that it failed is in the
/// [`Outcome`].
pub fn run(script: &Script) -> Result<Outcome, SandboxError> {
    run_as(script, None, None)
}

/// The same, while somebody hears what it prints.
pub fn run_heard(script: &Script, listener: Option<&dyn Listen>) -> Result<Outcome, SandboxError> {
    run_as(script, None, listener)
}

/// The same for a program that works for the host itself: it reads `input`, and may gain privileges
/// as it could without `cart`. Only for what the administrator has put where it lies.
pub fn run_for_host(script: &Script, input: ForHost<'_>) -> Result<Outcome, SandboxError> {
    run_as(script, Some(input), None)
}

fn run_as(
    script: &Script,
    host: Option<ForHost<'_>>,
    listener: Option<&dyn Listen>,
) -> Result<Outcome, SandboxError> {
    process::adopt_orphans();
    let files = capture::open(&script.capture, script.user)?;
    let began = Instant::now();
    let inside = script.confinement.map(held::inside).transpose()?;
    if let (Leftovers::Keep, Some(confinement)) = (script.leftovers, script.confinement) {
        held::keep(confinement)?;
    }
    let first = inside.as_ref().and_then(|record| record.first);
    let mut running = start(script, host, (inside.as_ref(), &files))?;
    let mut family = Family::new(running.id(), script.marks, first.map(|first| first.id));
    let mut echo = listener.map(|one| Echo::open(&script.capture, one)).transpose()?;
    let waited = wait(script, &mut running, (&mut family, &files, &mut echo));
    if !matches!(waited, Ok(Status::Exited(_) | Status::Signalled(_))) {
        // Too late, too much, interrupted, or we lost sight of it: nothing of it may go on.
        family.end(script.time.grace)?;
        running.wait().map_err(|source| start_error(script, source))?;
    }
    family.without_script();
    let status = waited?;
    let kept = script.leftovers == Leftovers::Keep && matches!(status, Status::Exited(_));
    let ended_leftovers = if kept {
        family.let_go()?;
        0
    } else {
        family.end(script.time.grace)?
    };
    if let Some(echo) = echo {
        echo.end();
    }
    Ok(Outcome {
        status,
        stdout: capture::read(&script.capture, "out")?,
        stderr: capture::read(&script.capture, "err")?,
        ended_leftovers,
        duration: began.elapsed(),
    })
}

fn start_error(script: &Script, source: std::io::Error) -> SandboxError {
    SandboxError::Start { program: script.line.program.clone(), source }
}

fn start(
    script: &Script,
    host: Option<ForHost<'_>>,
    (inside, files): (Option<&Record>, &Files),
) -> Result<Running, SandboxError> {
    if let Some((record, first)) = inside.and_then(|record| Some((record, record.first?))) {
        let outputs = (&files.stdout, &files.stderr);
        return Running::inside(first, &errand(script, Some(record)), outputs);
    }
    let begin = || Running::here(direct(script, host, (inside, files))?);
    begin().map_err(|source| start_error(script, source))
}

/// The script as a child of this process.
fn direct(
    script: &Script,
    host: Option<ForHost<'_>>,
    (inside, files): (Option<&Record>, &Files),
) -> io::Result<Command> {
    let errand = errand(script, inside);
    let mut command = errand.command();
    let input = host.and_then(|host| host.input).map(std::fs::File::try_clone).transpose()?;
    command
        .stdin(input.map_or_else(Stdio::null, Stdio::from))
        .stdout(files.stdout.try_clone()?)
        .stderr(files.stderr.try_clone()?);
    let mut confines = Confines {
        limits: errand.limits,
        user: script.user.map(|User { uid, gid }| (uid, gid)),
        may_gain: host.is_some() && script.confinement.is_none(),
        ..Confines::default()
    };
    if let (Some(record), Some(confinement)) = (inside, script.confinement) {
        confines.doors = cgroup::doors(&record.groups);
        let streams: [&dyn AsStream; 2] = [&files.stdout, &files.stderr];
        confines.reach = Reach::of(confinement, record.level).rules(&streams)?;
    }
    process::confine_as(&mut command, confines);
    Ok(command)
}

/// The script as whoever runs it is told of it.
fn errand(script: &Script, inside: Option<&Record>) -> Errand {
    let marks = script.marks.iter().map(|(name, value)| (name.into(), value.into()));
    let variables = script.env.iter().map(|(name, value)| (name.into(), value.clone()));
    Errand {
        limits: limits(script, inside),
        folder: script.folder.to_owned(),
        program: script.line.program.clone(),
        arguments: script.line.arguments.clone(),
        environment: variables.chain(marks).collect(),
    }
}

fn limits(script: &Script, inside: Option<&Record>) -> Limits {
    let level = inside.map(|record| record.level);
    let processes = script.confinement.zip(level).and_then(|(one, level)| one.process_limit(level));
    Limits { processes: script.limits.processes.or(processes), ..script.limits }
}

/// Waits for the script's own process alone. On every status that is not its own doing it still
/// runs.
fn wait(
    script: &Script,
    running: &mut Running,
    (family, files, echo): (&mut Family, &Files, &mut Option<Echo<'_>>),
) -> Result<Status, SandboxError> {
    let deadline = Instant::now() + script.time.limit;
    let mut pause = FIRST_LOOK;
    let mut next_look = Instant::now() + pause;
    loop {
        let ended = running.try_wait().map_err(|source| start_error(script, source))?;
        if let Some(status) = ended {
            return Ok(status);
        }
        if interrupt::check().is_err() {
            return Ok(Status::Interrupted);
        }
        let now = Instant::now();
        if now >= deadline {
            return Ok(Status::TimedOut);
        }
        if let Some(echo) = echo {
            echo.look();
        }
        if files.is_flooded(&script.capture) {
            return Ok(Status::Flooded);
        }
        if now >= next_look {
            family.look()?;
            pause = (pause * 2).min(SELDOM);
            next_look = Instant::now() + pause;
        }
        running.nap(NAP.min(deadline - now).min(next_look.saturating_duration_since(now)));
    }
}
