//! Programs of the host that are asked or told something: the web servers, systemd.

use crate::error::{Exit, Failure};
use crate::sys::{host, process};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Output, Stdio};

/// Runs a program to its end, in an environment that holds nothing but a path; nothing where there is no
/// such program.
pub(super) fn output(program: &Path, arguments: &[OsString]) -> Result<Option<Output>, Failure> {
    let mut command = process::command(program);
    process::own_session(&mut command);
    command.env("PATH", host::PATH);
    match command.args(arguments).stdin(Stdio::null()).output() {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let text = format!("cannot run `{}`: {error}", program.display());
            Err(Failure::new(Exit::Failed, text))
        }
    }
}
