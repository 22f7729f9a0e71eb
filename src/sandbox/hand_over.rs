//! Gives the terminal to a command inside a gear, and waits for it.

use super::confinement::{AsStream, Reach};
use super::enter::Entry;
use super::errand::Errand;
use super::{CommandLine, Confinement, SandboxError, User, held};
use crate::sys::cgroup;
use crate::sys::process::{self, Confines, Limits};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

/// Runs `command` with the streams of `cart` itself and gives its exit status, as a shell tells it.
/// The program is looked up in the `PATH` of `environment`.
pub fn hand_over(
    command: &[OsString],
    directory: &Path,
    environment: &BTreeMap<String, OsString>,
    confinement: &Confinement,
) -> Result<u8, SandboxError> {
    let name = command.first().cloned().unwrap_or_default();
    let program = PathBuf::from(look_up(&name, environment));
    let record = held::inside(confinement)?;
    let fail = |source| SandboxError::Start { program: name.clone().into(), source };
    let limits = Limits { processes: confinement.process_limit(record.level), ..Limits::default() };
    let reach = Reach::of(confinement, record.level);
    let variables = environment.iter().map(|(name, value)| (name.into(), value.clone()));
    let errand = Errand {
        limits,
        folder: directory.to_owned(),
        program: program.clone(),
        arguments: command.get(1..).unwrap_or_default().to_vec(),
        environment: variables.collect(),
    };
    let Some(first) = record.first else {
        let mut child = errand.command();
        let streams: [&dyn AsStream; 3] = [&io::stdin(), &io::stdout(), &io::stderr()];
        let confines = Confines {
            may_gain: false,
            limits,
            user: confinement.user.map(|User { uid, gid }| (uid, gid)),
            doors: cgroup::doors(&record.groups),
            reach: reach.rules(&streams).map_err(&fail)?,
        };
        process::restrain_as(&mut child, confines);
        return Ok(code(child.status().map_err(fail)?));
    };
    let entry = Entry { first, groups: record.groups, user: confinement.user, reach, errand };
    let (mut child, letter) = entry.command().map_err(&fail)?;
    let status = child.status().map_err(fail)?;
    letter.trouble(&program)?;
    Ok(code(status))
}

/// Runs a script with the rights that this process has, which is inside the gear already; gives its
/// exit status, as a shell tells it. Its input is empty.
pub fn run_here(
    line: &CommandLine,
    directory: &Path,
    environment: &BTreeMap<String, OsString>,
    stdout: Stdio,
) -> Result<u8, SandboxError> {
    let mut child = process::command(&line.program);
    child.args(&line.arguments).current_dir(directory).envs(environment);
    let status = child.stdin(Stdio::null()).stdout(stdout).status();
    let fail = |source| SandboxError::Start { program: line.program.clone(), source };
    Ok(code(status.map_err(fail)?))
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// The program of that name in the gear's own `PATH`; a name with a slash is taken as it is.
fn look_up(name: &OsString, environment: &BTreeMap<String, OsString>) -> OsString {
    if name.to_string_lossy().contains('/') {
        return name.clone();
    }
    let path = environment.get("PATH").cloned().unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|place| place.join(name));
    let found =
        places.find(|file| crate::sys::fs::kind_of(file) == Some(crate::sys::fs::Kind::File));
    found.map_or_else(|| name.clone(), std::path::PathBuf::into_os_string)
}
