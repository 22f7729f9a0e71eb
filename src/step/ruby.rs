//! The system's Ruby, for templates beyond our engine: confined as the gear's scripts are.

use super::{Cx, sandboxed};
use crate::error::{Exit, Failure};
use crate::gear::environ::Environment;
use crate::gear::identity::Identity;
use crate::sandbox::{self, Capture, CommandLine, Leftovers, Script, Status, Time};
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::interrupt;
use crate::sys::process::Limits;
use crate::template::RUBY;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest output, in bytes.
const LONGEST: u64 = 16 << 20;
/// How long one template may take.
const LONGEST_TIME: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(2);

/// A template that Ruby is to render.
pub(super) struct Template<'a> {
    pub(super) gear: &'a Identity,
    /// Gear-relative.
    pub(super) path: &'a str,
    pub(super) environment: &'a Environment,
}

/// Renders a template; gives the program that did, and the output. Nothing where the host has no
/// Ruby.
pub(super) fn render(
    cx: &Cx<'_>,
    home: &Dir,
    template: &Template<'_>,
) -> Result<Option<(PathBuf, Vec<u8>)>, Failure> {
    let Some(ruby) = ruby() else { return Ok(None) };
    let mut arguments: Vec<OsString> = RUBY.iter().map(OsString::from).collect();
    arguments.push(home.path_of(template.path).into());
    let (log, name) = cx.log("ruby")?;
    let marks = cx.marks();
    let confinement = sandboxed::confinement(cx.layout, cx.config, template.gear);
    let outcome = sandbox::run(&Script {
        line: &CommandLine::of(&ruby, arguments)?,
        folder: home.path(),
        env: &template.environment.variables,
        marks: &marks,
        user: confinement.user,
        confinement: Some(&confinement),
        limits: Limits { file_size: Some(LONGEST), ..Limits::default() },
        time: Time { limit: LONGEST_TIME, grace: GRACE },
        leftovers: Leftovers::End,
        capture: Capture { folder: &log, name: &name, keep: LONGEST },
    })?;
    if outcome.status == Status::Interrupted {
        interrupt::check()?;
    }
    // The rendered file stands in the gear; no copy of it belongs into the log.
    log.remove_file(format!("{name}.out"))?;
    if !outcome.is_success() {
        let shown = home.path_of(template.path);
        let text = format!("cannot render `{}`: `{}` failed", shown.display(), ruby.display());
        let mut failure = Failure::new(Exit::Failed, text);
        failure.causes.extend(outcome.stderr.text.lines().take(5).map(str::to_owned));
        return Err(failure);
    }
    Ok(Some((ruby, outcome.stdout.text.into_bytes())))
}

/// The host's Ruby.
fn ruby() -> Option<PathBuf> {
    let mut places = ["/usr/bin", "/usr/local/bin", "/bin"].iter();
    let file = |place: &&str| Path::new(place).join("ruby");
    places.find(|place| fs::kind_of(&file(place)) == Some(Kind::File)).map(file)
}
