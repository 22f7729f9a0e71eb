//! Gives the terminal to a command inside a gear, and waits for it.

use super::{CommandLine, SandboxError, User, namespace};
use crate::sys::process;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{ExitStatus, Stdio};

/// Runs `command` with the streams of `cart` itself and gives its exit status, as a shell tells it.
/// The program is looked up in the `PATH` of `environment`.
pub fn hand_over(
    command: &[OsString],
    directory: &Path,
    environment: &BTreeMap<String, OsString>,
    (user, shims): (Option<User>, Option<&Path>),
) -> Result<u8, SandboxError> {
    let name = command.first().cloned().unwrap_or_default();
    let program = look_up(&name, environment);
    let mut child = match shims {
        None => {
            let mut child = process::command(Path::new(&program));
            if let Some(User { uid, gid }) = user {
                child.uid(uid).gid(gid);
            }
            child
        }
        Some(shims) => {
            let (outer, words) = namespace::wrapping(shims, user);
            let mut child = process::command(&outer);
            child.args(words).arg(&program);
            child
        }
    };
    child.args(command.iter().skip(1)).current_dir(directory).envs(environment);
    let status =
        child.status().map_err(|source| SandboxError::Start { program: name.into(), source })?;
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
