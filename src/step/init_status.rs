//! Asks an init script of a tpkg package how its service is. No step: nothing changes, nothing is put
//! back.

use super::host_call::{self, HostCall};
use super::{Cx, status};
use crate::config::Config;
use crate::error::Failure;
use crate::layout::Layout;
use crate::sandbox::CommandLine;
use crate::sys::fs::Dir;
use std::path::Path;

/// What an init script answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Answer {
    /// Its exit status, as a shell tells it: 0 means that the service runs, 3 that it does not (LSB).
    pub status: u8,
    /// What it printed.
    pub output: String,
}

/// Asks the script at the absolute path `script`, of a package with this base.
pub fn ask(
    (layout, config): (&Layout, &Config),
    (script, base): (&str, &str),
) -> Result<Answer, Failure> {
    let state = Dir::open(layout.state())?;
    // Its output goes where a transaction's would; no transaction has the number 0.
    let number = format!("service-{}", std::process::id());
    let cx = Cx::new((layout, config, &state), 0, (&number, 1));
    let line = CommandLine::of(Path::new(script), ["status"]);
    let asked = line.map_err(Failure::from).and_then(|line| {
        let seconds = config.scripts.status_timeout;
        let (name, folder) = ("status", Path::new("/"));
        host_call::run(&cx, &HostCall { name, line: &line, folder, base, action: None, seconds })
    });
    status::forget(&state, &number)?;
    Ok(match asked {
        Ok(outcome) => Answer {
            status: status::as_shell(outcome.status),
            output: format!("{}{}", outcome.stdout.text, outcome.stderr.text),
        },
        // As a shell tells of what it cannot run.
        Err(failure) => Answer { status: 126, output: failure.one_line() },
    })
}
