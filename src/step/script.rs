//! Running scripts for steps: environment, capture, output protocol; one place for all of them.

use super::{Cx, Said};
use crate::error::{Exit, Failure};
use crate::gear::environment;
use crate::gear::hooks::{self, Hook};
use crate::gear::identity::Identity;
use crate::gear::replies::{self, Reply, Tone};
use crate::sandbox::{self, Ending, Leftovers, Outcome, Script};
use crate::sys::fs::Dir;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many of the last lines of a failed script are shown.
const TAIL: usize = 20;

/// Sources hooks around a control script. Fixed text: what differs comes as arguments, so nothing
/// that a package or a developer has named is ever read as shell text.
const SOURCING: &str = r#"set -e
cart_words=$1 cart_count=$2
cart_control=("${@:3:cart_words}")
cart_before=("${@:3 + cart_words:cart_count}")
cart_after=("${@:3 + cart_words + cart_count}")
set --
for cart_hook in "${cart_before[@]}"; do source "$cart_hook"; done
"${cart_control[@]}"
for cart_hook in "${cart_after[@]}"; do source "$cart_hook"; done
"#;

/// One call of a script.
pub(super) struct Call<'a> {
    pub(super) gear: &'a Identity,
    /// The cartridge's folder; the script runs in it.
    pub(super) dir: &'a str,
    /// What messages and the log call it.
    pub(super) name: &'a str,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) seconds: u64,
    pub(super) leftovers: Leftovers,
}

/// Runs a script. Anything but exit status 0 is a failure that shows its last words.
pub(super) fn run(cx: &Cx<'_>, home: &Dir, call: &Call<'_>) -> Result<Said, Failure> {
    let outcome = outcome(cx, home, call)?;
    let said = heard(call.name, &outcome);
    if outcome.succeeded() { Ok(said) } else { Err(failed(call, &outcome)) }
}

/// Runs a script, and gives what became of it, good or bad.
pub(super) fn outcome(cx: &Cx<'_>, home: &Dir, call: &Call<'_>) -> Result<Outcome, Failure> {
    let variables =
        environment::of((cx.layout, cx.config), home, call.gear, Some(call.dir)).as_text();
    let shims = environment::shims(cx.layout, call.gear);
    let (log, name) = cx.log(call.name)?;
    let mut marks = cx.marks();
    marks.push(("CART_STEP".into(), cx.number.to_owned()));
    marks.push(("CART_ATTEMPT".into(), cx.attempt.to_string()));
    Ok(sandbox::run(Script {
        program: &call.program,
        arguments: &call.arguments,
        directory: &home.path_of(call.dir),
        environment: &variables,
        user: call.gear.owner,
        shims: shims.as_deref(),
        time_limit: Duration::from_secs(call.seconds),
        output: capture(&log, &name)?,
        most_output: cx.config.scripts.max_output,
        marks: &marks,
        leftovers: call.leftovers,
    })?)
}

/// Two new files of the log: what a script prints, and what it complains about.
fn capture(log: &Dir, name: &str) -> Result<(File, File), Failure> {
    let file = |suffix: &str| -> Result<File, Failure> {
        let name = format!("{name}.{suffix}");
        log.remove_file(&name)?;
        drop(log.create_file(&name, 0o600)?);
        // Opened anew for reading and writing: the captured text is read back.
        Ok(log.reopen_file(&name)?)
    };
    Ok((file("out")?, file("err")?))
}

/// What a script had to say to the user and to the platform.
fn heard(name: &str, outcome: &Outcome) -> Said {
    let mut said = Said::default();
    let ending = match outcome.ending {
        Ending::Status(0) => replies::Ending::Success,
        _ => replies::Ending::Failure,
    };
    let replies = replies::parse(&outcome.stdout, ending);
    for reply in replies.replies {
        match reply {
            Reply::Client(Tone::Message | Tone::Result, text) | Reply::AppInfo(text) => {
                said.messages.push(text);
            }
            Reply::Client(Tone::Debug, _) => {}
            Reply::Client(Tone::Error | Tone::InternalError, text) => said.warnings.push(text),
            // Data about the cartridge, for brokers; the log has it.
            Reply::CartData(_) | Reply::CartProperty(_) | Reply::Attribute(_) => {}
            _ => said.warnings.push(format!(
                "`{name}` asks for a change beyond its gear, which this version does not make yet"
            )),
        }
    }
    said.warnings.extend(replies.notes);
    match outcome.ended {
        0 => {}
        1 => said.warnings.push(format!("`{name}` left a process behind; it was ended")),
        many => {
            said.warnings.push(format!("`{name}` left {many} processes behind; they were ended"));
        }
    }
    said
}

fn failed(call: &Call<'_>, outcome: &Outcome) -> Failure {
    let how = match outcome.ending {
        Ending::Status(status) => format!("exited with status {status}"),
        Ending::Signal(signal) => format!("was ended by signal {signal}"),
        Ending::TimedOut => format!("was not over after {} seconds, and was ended", call.seconds),
    };
    let mut failure =
        Failure::new(Exit::Failed, format!("`{}` of `{}` {how}", call.name, call.dir));
    let both: Vec<&str> = outcome.stdout.lines().chain(outcome.stderr.lines()).collect();
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
    action: &str,
) -> Result<Said, Failure> {
    let version = gear.cartridge(dir).map(|one| one.software.to_string()).unwrap_or_default();
    let found = hooks::find(home, action, dir, &version)?;
    let seconds = match action {
        "status" => cx.config.scripts.status_timeout,
        _ => cx.config.scripts.control_timeout,
    };
    let leftovers = if action == "start" { Leftovers::Keep } else { Leftovers::End };
    let mut said = Said::default();
    let call = |name: &str, program: PathBuf, arguments: Vec<String>| -> Result<Said, Failure> {
        run(cx, home, &Call { gear, dir, name, program, arguments, seconds, leftovers })
    };
    let hook = |hook: &Option<Hook>, said: &mut Said| -> Result<(), Failure> {
        match hook {
            None => {}
            Some(hook) if hook.executable => {
                let name = file_name(&hook.path);
                merge(said, call(&name, hook.path.clone(), Vec::new())?);
            }
            Some(hook) => said.warnings.push(format!(
                "the hook `{}` is not executable, and was not run",
                file_name(&hook.path)
            )),
        }
        Ok(())
    };
    hook(&found.before, &mut said)?;
    let script = home.path_of(dir).join("bin/control");
    let name = format!("control-{action}");
    let sourced = &found.sourced_before;
    if sourced.is_empty() && found.sourced_after.is_empty() {
        merge(&mut said, call(&name, script, vec![action.to_owned()])?);
    } else {
        let arguments = sourcing(&script, action, (sourced, &found.sourced_after))?;
        merge(&mut said, call(&name, PathBuf::from("/bin/bash"), arguments)?);
    }
    hook(&found.after, &mut said)?;
    Ok(said)
}

/// The arguments of the bash that sources hooks around a control script.
fn sourcing(
    script: &Path,
    action: &str,
    (before, after): (&[PathBuf], &[PathBuf]),
) -> Result<Vec<String>, Failure> {
    let (program, leading) = sandbox::interpreter(script)?;
    let text = |path: &Path| path.display().to_string();
    let mut words = vec![text(&program)];
    words.extend(leading.iter().map(|word| word.to_string_lossy().into_owned()));
    words.push(action.to_owned());
    let mut arguments = vec![
        "-c".to_owned(),
        SOURCING.to_owned(),
        "cart".to_owned(),
        words.len().to_string(),
        before.len().to_string(),
    ];
    arguments.extend(words);
    arguments.extend(before.iter().chain(after).map(|path| text(path)));
    Ok(arguments)
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
