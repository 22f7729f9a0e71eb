//! One call of a UBOS package's script: what it is given, and what came of it.
//!
//! The variables hold credentials: the script's copy, and what it printed, lie in a private folder
//! that goes when the script is over; only what has no secret in it is kept.

use super::redact::Secrets;
use super::site_variables::{self, Values};
use super::ubos_script::{Call, Operation, UbosScript};
use super::{Cx, Said};
use crate::error::{Context, Exit, Failure};
use crate::gear::replies::shortened;
use crate::gear::sdk::ubos;
use crate::sandbox::{self, Capture, CommandLine, Leftovers, Outcome, Script, Status, Time};
use crate::sys::fs::{Dir, Kind, kind_of};
use crate::sys::process::Limits;
use crate::sys::{host, interrupt, tree};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest file of variables, in bytes; customization points can be whole images.
const LONGEST: u64 = 64 << 20;
/// How long processes may take to heed SIGTERM once time is up.
const GRACE: Duration = Duration::from_secs(5);
/// How many of its last lines a failure shows.
const TAIL: usize = 20;
/// How many lines of one script go into the receipt.
const MOST: usize = 200;

/// The private folder of a call, and what is in it.
const FOLDER: &str = "call";
const VARIABLES: &str = "call/variables.json";
const RESULT: &str = "call/result";
const WORK: &str = "call/work";
/// What a Perl script that succeeded leaves there.
const SUCCESS: &[u8] = b"true";

/// Looks whether the script can be run, as far as that can be known before.
pub(super) fn check(step: &UbosScript) -> Result<(), Failure> {
    if kind_of(&step.file) != Some(Kind::File) {
        let text = format!(
            "the script `{}` of `{}` is not there",
            shown(&step.source),
            shown(&step.package)
        );
        return Err(Failure::new(Exit::Failed, text)
            .hint(format!("it was looked for at `{}`", step.file.display())));
    }
    if step.call != Call::Exec {
        perl()?;
    }
    Ok(())
}

/// Runs the script for `operation`. Anything but its success is a failure that shows its last words.
pub(super) fn run(step: &UbosScript, operation: Operation, cx: &Cx<'_>) -> Result<Said, Failure> {
    check(step)?;
    let text = cx.state.read(&step.variables, LONGEST)?;
    let variables = serde_json::from_slice(&text).map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot read the variables of a script: {error}"))
    })?;
    let secrets = Secrets::of(&variables, &step.secrets);
    let room = room_with(cx, &text)?;
    let outcome = outcome(step, operation, (cx, &room));
    let is_true = room.has(RESULT)? && room.read(RESULT, LONGEST)? == SUCCESS;
    tree::remove(&room, FOLDER)?;
    let outcome = hidden(outcome?, &secrets);
    keep(step, operation, (cx, &outcome))?;
    if outcome.status == Status::Interrupted {
        interrupt::check()?;
    }
    let is_good = outcome.is_success() && (step.call == Call::Exec || is_true);
    if is_good { Ok(said(step, &outcome)) } else { Err(failed(step, operation, (cx, &outcome))) }
}

/// A template in Perl, whose value is the content of a file.
pub(super) struct Template<'a> {
    /// What messages call the package.
    pub(super) package: &'a str,
    /// What messages call the template.
    pub(super) source: &'a str,
    /// The template.
    pub(super) file: &'a Path,
}

/// Evaluates a template; it changes nothing, and what it prints is no one's business.
pub(super) fn render(
    template: &Template<'_>,
    values: &Values,
    cx: &Cx<'_>,
) -> Result<Vec<u8>, Failure> {
    let variables = site_variables::tree(values)?;
    let room = room_with(cx, &variables)?;
    let mut arguments: Vec<OsString> = vec![ubos::runner(&cx.layout.lib()).into()];
    arguments.extend(["--template".into(), "--".into(), room.path_of(RESULT).into()]);
    arguments.extend(["template".into(), template.file.into(), room.path_of(VARIABLES).into()]);
    let line = CommandLine::of(&perl()?, arguments)?;
    let (source, package) = (shown(template.source), shown(template.package));
    let what = || format!("the template `{source}` of `{package}` cannot be rendered");
    let done = execute(&line, (cx, &room)).doing(what)?;
    let made = if room.has(RESULT)? { Some(room.read(RESULT, LONGEST)?) } else { None };
    tree::remove(&room, FOLDER)?;
    if done.status == Status::Interrupted {
        interrupt::check()?;
    }
    if let (true, Some(made)) = (done.is_success(), made) {
        return Ok(made);
    }
    let tree = serde_json::from_slice(&variables).unwrap_or_default();
    let done = hidden(done, &Secrets::of(&tree, &[]));
    let mut failure = Failure::new(Exit::Failed, what());
    let words = done.stderr.text.lines().filter(|line| !line.trim().is_empty());
    failure.causes.extend(words.take(TAIL).map(shortened));
    Err(failure)
}

/// An empty place for a call, with its variables.
fn room_with(cx: &Cx<'_>, variables: &[u8]) -> Result<Dir, Failure> {
    let room = cx.room()?;
    tree::remove(&room, FOLDER)?;
    for folder in [FOLDER, WORK] {
        room.make_dir(folder, 0o700)?;
    }
    room.write_new(VARIABLES, variables, 0o600)?;
    Ok(room)
}

fn outcome(
    step: &UbosScript,
    operation: Operation,
    (cx, room): (&Cx<'_>, &Dir),
) -> Result<Outcome, Failure> {
    let line = line(step, operation, (cx, room))?;
    execute(&line, (cx, room))
        .doing(|| format!("cannot run `{}` of `{}`", shown(&step.source), shown(&step.package)))
}

fn execute(line: &CommandLine, (cx, room): (&Cx<'_>, &Dir)) -> Result<Outcome, Failure> {
    let folder = room.dir(FOLDER)?;
    let marks = cx.marks();
    let seconds = cx.config.scripts.install_timeout;
    Ok(sandbox::run(&Script {
        line,
        folder: &room.path_of(WORK),
        env: &environment(&cx.layout.lib()),
        marks: &marks,
        user: None,
        confinement: None,
        limits: Limits::default(),
        time: Time { limit: Duration::from_secs(seconds), grace: GRACE },
        // What it starts by systemd is systemd's; nothing else outlives it.
        leftovers: Leftovers::End,
        capture: Capture { folder: &folder, name: "said", keep: cx.config.scripts.max_output },
    })?)
}

/// What is executed. No shell sees any of it.
fn line(
    step: &UbosScript,
    operation: Operation,
    (cx, room): (&Cx<'_>, &Dir),
) -> Result<CommandLine, Failure> {
    let variables = room.path_of(VARIABLES).into_os_string();
    let operation = OsString::from(operation.as_str());
    if step.call == Call::Exec {
        return Ok(CommandLine::of(&step.file, [operation, variables])?);
    }
    let mut arguments: Vec<OsString> = vec![ubos::runner(&cx.layout.lib()).into()];
    for (name, value) in
        [("from", &step.folders.from), ("to", &step.folders.to), ("source", &step.source)]
    {
        arguments.push(format!("--{name}={value}").into());
    }
    if step.call == Call::PerlAfterResume {
        arguments.push("--after-resume".into());
    }
    arguments.push("--".into());
    arguments.push(room.path_of(RESULT).into());
    arguments.extend([operation, step.file.clone().into(), variables]);
    Ok(CommandLine::of(&perl()?, arguments)?)
}

/// Programs that are scripts in Perl find the modules as well.
fn environment(lib: &Path) -> BTreeMap<String, OsString> {
    let home = host::variable_os("HOME").unwrap_or_else(|| "/".into());
    [
        ("PATH", host::PATH.into()),
        ("HOME", home),
        ("LANG", "C.UTF-8".into()),
        ("PERL5LIB", ubos::modules(lib).into_os_string()),
    ]
    .map(|(name, value): (&str, OsString)| (name.to_owned(), value))
    .into()
}

/// The host's Perl.
fn perl() -> Result<PathBuf, Failure> {
    let mut places = ["/usr/bin/perl", "/usr/local/bin/perl"].iter().map(PathBuf::from);
    places.find(|place| kind_of(place) == Some(Kind::File)).ok_or_else(|| {
        Failure::new(Exit::Failed, "scripts of UBOS packages need `perl`, which is not there")
            .hint("install it: `apt-get install perl`")
    })
}

fn hidden(mut outcome: Outcome, secrets: &Secrets) -> Outcome {
    for output in [&mut outcome.stdout, &mut outcome.stderr] {
        // Half a secret beside what was cut out would not be found.
        output.text = secrets.hide(&output.whole_lines());
        output.cut = 0..0;
    }
    outcome
}

/// Writes down what it said.
fn keep(
    step: &UbosScript,
    operation: Operation,
    (cx, outcome): (&Cx<'_>, &Outcome),
) -> Result<(), Failure> {
    let script = step.file.file_name().unwrap_or_default().to_string_lossy();
    let (log, name) = cx.log(&format!("{script}-{}", operation.as_str()))?;
    for (end, output) in [("out", &outcome.stdout), ("err", &outcome.stderr)] {
        log.replace_file(format!("{name}.{end}"), output.text.as_bytes(), 0o600)?;
    }
    Ok(())
}

/// What the receipt tells of it: each line by the word that the runtime's logging puts before it.
fn said(step: &UbosScript, outcome: &Outcome) -> Said {
    let mut said = Said::default();
    let texts = [&outcome.stdout.text, &outcome.stderr.text];
    let mut lines = texts.into_iter().flat_map(|text| text.lines());
    for line in lines.by_ref().filter(|line| !line.trim().is_empty()).take(MOST) {
        let (into, text) = match line.split_once(": ") {
            Some(("ERROR", text)) => (&mut said.errors, text),
            Some(("WARNING", text)) => (&mut said.warnings, text),
            Some(("INFO" | "NOTICE", text)) => (&mut said.messages, text),
            Some(("DEBUG" | "TRACE", text)) => (&mut said.debug, text),
            _ => (&mut said.messages, line),
        };
        into.push(shortened(text));
    }
    let name = shown(&step.source);
    let more = lines.filter(|line| !line.trim().is_empty()).count();
    if more > 0 {
        said.warnings.push(format!("`{name}` printed {more} more lines, which the log has"));
    }
    match outcome.ended_leftovers {
        0 => {}
        1 => said.warnings.push(format!("`{name}` left a process behind; it was ended")),
        many => {
            said.warnings.push(format!("`{name}` left {many} processes behind; they were ended"));
        }
    }
    said
}

fn failed(step: &UbosScript, operation: Operation, (cx, outcome): (&Cx<'_>, &Outcome)) -> Failure {
    let how = match outcome.status {
        Status::Exited(0) => "ended before its end".to_owned(),
        Status::Exited(_) if step.call != Call::Exec => "did not succeed".to_owned(),
        Status::Exited(status) => format!("exited with status {status}"),
        Status::Signalled(signal) => format!("was ended by signal {signal}"),
        Status::TimedOut => {
            let seconds = cx.config.scripts.install_timeout;
            format!("was not over after {seconds} seconds, and was ended")
        }
        Status::Flooded => "printed without end, and was ended".to_owned(),
        Status::Interrupted => "was interrupted".to_owned(),
    };
    let (source, package) = (shown(&step.source), shown(&step.package));
    let text = format!("`{source}` of `{package}` {how} (operation `{}`)", operation.as_str());
    let mut failure = Failure::new(Exit::Failed, text);
    let words = outcome.stdout.text.lines().chain(outcome.stderr.text.lines());
    let words: Vec<&str> = words.filter(|line| !line.trim().is_empty()).collect();
    let last = words.get(words.len().saturating_sub(TAIL)..).unwrap_or_default();
    failure.causes.extend(last.iter().map(|line| shortened(line)));
    if outcome.stderr.text.contains("Can't locate ") {
        // Debian's `perl-base` alone has the program, and few modules.
        failure.hints.push("install what it lacks; first of all, `apt-get install perl`".into());
    }
    failure
}

/// The text of somebody else, for a message.
fn shown(text: &str) -> String {
    text.escape_debug().to_string()
}
