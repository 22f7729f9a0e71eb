//! Switches a unit of systemd on or off: enabled and started, or disabled and stopped. Going back
//! gives it exactly what it had of both.
//!
//! systemd finds the file of a unit that a package brings by a link of ours, which leads into the library.
//! Where systemd is not running, or is not ours to tell, what should be is written down in the state:
//! `units/<name>`.

use super::{Cx, Said, Step, folders, host_program};
use crate::error::{Exit, Failure};
use crate::site::unit::UnitName;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind, kind_of};
use crate::sys::host;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A unit, and what becomes of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SwitchUnit {
    /// The app or accessory that names it.
    pub package: String,
    /// The unit.
    pub unit: UnitName,
    /// What becomes of it.
    pub to: Switch,
    /// The unit's file, or its template's, in the package, where that brings one: an absolute path.
    #[serde(default)]
    pub brought: Option<PathBuf>,
}

/// What becomes of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It is enabled and started: `deploy`, and `resume` where the item says `suspendresume`.
    On,
    /// It is disabled and stopped.
    Off,
}

/// How a unit was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Before {
    /// Who is told.
    by: By,
    /// How it was; nothing where nobody knew it.
    was: Option<State>,
    /// Whether anything was ever written down here.
    had_folder: bool,
    /// Where a link of ours led by which systemd finds the unit's file.
    link: Option<PathBuf>,
    /// Folders on the way to that link that were not there, the innermost first.
    missing: Vec<PathBuf>,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    /// systemd.
    Systemd,
    /// A file in the state.
    Record,
}

/// How a unit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct State {
    enabled: bool,
    active: bool,
}

const FOLDER: &str = "units";
/// The most that is written down of one unit.
const LONGEST: u64 = 1 << 12;

impl SwitchUnit {
    fn by(&self, cx: &Cx<'_>) -> By {
        let settings = &cx.config.units;
        let name = self.unit.as_str();
        if settings.recorded.iter().any(|begin| !begin.is_empty() && name.starts_with(begin)) {
            return By::Record;
        }
        let running = || {
            let is_ours = host::is_root() && cx.layout.root().is_none();
            is_ours && kind_of(Path::new("/run/systemd/system")) == Some(Kind::Directory)
        };
        if settings.systemd.unwrap_or_else(running) { By::Systemd } else { By::Record }
    }

    fn record(&self) -> String {
        format!("{FOLDER}/{}", self.unit)
    }

    fn recorded(&self, cx: &Cx<'_>) -> Result<Option<State>, Failure> {
        if !cx.state.has(self.record())? {
            return Ok(None);
        }
        let text = cx.state.read(self.record(), LONGEST)?;
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            let path = cx.state.path_of(self.record());
            Failure::new(Exit::Failed, format!("`{}` makes no sense: {error}", path.display()))
        })
    }

    fn write_down(&self, cx: &Cx<'_>, state: State) -> Result<(), Failure> {
        cx.state.make_dirs(FOLDER, 0o755)?;
        let text = serde_json::to_vec(&state).map_err(|error| {
            Failure::new(Exit::Failed, format!("cannot write down a unit: {error}"))
        })?;
        Ok(cx.state.put_file(self.record(), &text, 0o644)?)
    }

    /// What systemd answers.
    fn tell(&self, cx: &Cx<'_>, words: &[&str]) -> Result<String, Failure> {
        let mut line = cx.config.units.program.iter().map(OsString::from);
        let Some(program) = line.next() else {
            return Err(Failure::new(Exit::Usage, "`units.program` is empty"));
        };
        let arguments: Vec<OsString> = line.chain(words.iter().map(OsString::from)).collect();
        let Some(output) = host_program::output(Path::new(&program), &arguments)? else {
            let text = format!("`{}` is not there", Path::new(&program).display());
            return Err(Failure::new(Exit::Failed, text).hint("see `units` in cart-config(5)"));
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let (verb, unit) = (words.first().copied().unwrap_or_default(), &self.unit);
        let mut failure = Failure::new(Exit::Failed, format!("systemd does not {verb} `{unit}`"));
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = words.lines().filter(|line| !line.trim().is_empty()).take(12);
        failure.causes.extend(lines.map(|line| line.escape_debug().to_string()));
        Err(failure.hint(format!("`systemctl status {unit}` tells more")))
    }

    /// How the unit is; nothing where systemd knows none of that name.
    fn look(&self, cx: &Cx<'_>) -> Result<Option<State>, Failure> {
        let wanted = "--property=LoadState,UnitFileState,ActiveState";
        let said = self.tell(cx, &["show", wanted, "--", self.unit.as_str()])?;
        let value = |name: &str| {
            said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
        };
        if matches!(value("LoadState"), "not-found" | "") {
            return Ok(None);
        }
        Ok(Some(State {
            enabled: matches!(value("UnitFileState"), "enabled" | "enabled-runtime"),
            active: matches!(value("ActiveState"), "active" | "activating" | "reloading"),
        }))
    }

    /// Where a link of ours leads by which systemd finds the unit's file.
    fn link(&self, cx: &Cx<'_>) -> Result<Option<PathBuf>, Failure> {
        let folder = cx.layout.units();
        if kind_of(&folder) != Some(Kind::Directory) {
            return Ok(None);
        }
        let (folder, file) = (Dir::open(&folder)?, self.unit.file());
        if folder.meta(&file)?.is_none_or(|meta| meta.kind != Kind::Link) {
            return Ok(None);
        }
        let target = folder.link_target(&file)?;
        Ok(Some(target).filter(|target| target.starts_with(cx.layout.library())))
    }

    /// Lets systemd find the unit's file by a link to there, or by none.
    fn set_link(&self, cx: &Cx<'_>, to: Option<&Path>) -> Result<(), Failure> {
        if self.link(cx)?.as_deref() == to {
            return Ok(());
        }
        let (folder, file) = (Dir::create(&cx.layout.units(), 0o755)?, self.unit.file());
        match to {
            Some(target) => {
                let beside = format!("{file}.cart-new");
                folder.remove_file(&beside)?;
                folder.make_link(&beside, target)?;
                folder.rename(&beside, &folder, &file)?;
            }
            None => folder.remove_file(&file)?,
        }
        checkpoint("switch_unit: the link to its file is another");
        self.tell(cx, &["daemon-reload"]).map(drop)
    }

    /// Makes systemd know the unit; a file of the host's own goes before one of the package.
    fn make_known(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        // Files of units may have come or changed a moment ago.
        self.tell(cx, &["daemon-reload"])?;
        let is_known = self.look(cx)?.is_some();
        let is_ours = self.link(cx)?.is_some();
        if let Some(file) = self.brought.as_deref().filter(|_| is_ours || !is_known) {
            return self.set_link(cx, Some(file));
        }
        if is_known {
            return Ok(());
        }
        let text = format!("systemd knows no unit `{}`", self.unit);
        let hint = "put its file where systemd looks, or see `units.recorded` in cart-config(5)";
        Err(Failure::new(Exit::NotFound, text).hint(hint))
    }

    fn put_back(&self, cx: &Cx<'_>, (was, now): (State, State)) -> Result<(), Failure> {
        let unit = self.unit.as_str();
        if was.enabled != now.enabled {
            self.tell(cx, &[if was.enabled { "enable" } else { "disable" }, "--", unit])?;
            checkpoint("switch_unit: half put back");
        }
        if was.active != now.active {
            self.tell(cx, &[if was.active { "start" } else { "stop" }, "--", unit])?;
        }
        Ok(())
    }

    fn switch(&self, by: By, cx: &Cx<'_>) -> Result<(), Failure> {
        let unit = self.unit.as_str();
        let on = self.to == Switch::On;
        match (by, on) {
            (By::Record, _) => self.write_down(cx, State { enabled: on, active: on }),
            (By::Systemd, true) => {
                self.make_known(cx)?;
                checkpoint("switch_unit: before systemd is told");
                self.tell(cx, &["enable", "--now", "--", unit]).map(drop)
            }
            (By::Systemd, false) if self.look(cx)?.is_none() => Ok(()),
            (By::Systemd, false) => {
                self.tell(cx, &["disable", "--now", "--", unit])?;
                // A template may have other instances.
                if self.unit.is_instance() { Ok(()) } else { self.set_link(cx, None) }
            }
        }
    }
}

impl Step for SwitchUnit {
    type Undo = Before;

    fn describe(&self) -> String {
        let what = match self.to {
            Switch::On => "enable and start",
            Switch::Off => "stop and disable",
        };
        format!("{what} the unit `{}` of `{}`", self.unit, self.package.escape_debug())
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let by = self.by(cx);
        let was = match by {
            By::Systemd => self.look(cx)?,
            By::Record => self.recorded(cx)?,
        };
        let (link, missing) = match by {
            By::Systemd => (self.link(cx)?, folders::missing(&cx.layout.units())),
            By::Record => (None, Vec::new()),
        };
        Ok(Before { by, was, had_folder: cx.state.has(FOLDER)?, link, missing })
    }

    fn apply(&self, before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("switch_unit: before");
        self.switch(before.by, cx)?;
        checkpoint("switch_unit: after");
        let mut said = Said::default();
        if before.by == By::Record && self.to == Switch::On {
            let text = format!("`{}` is written down alone: nothing here starts it", self.unit);
            said.messages.push(text);
        }
        Ok(said)
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        if before.by == By::Record {
            match before.was {
                Some(state) => self.write_down(cx, state)?,
                None if cx.state.has(FOLDER)? => cx.state.remove_file(self.record())?,
                None => {}
            }
            if !before.had_folder {
                cx.state.remove_dir_if_empty(FOLDER)?;
            }
            return Ok(());
        }
        if before.link.is_some() {
            self.set_link(cx, before.link.as_deref())?;
        }
        if let Some(now) = self.look(cx)? {
            self.put_back(cx, (before.was.unwrap_or_default(), now))?;
        }
        if before.link.is_none() && kind_of(&cx.layout.units()).is_some() {
            self.set_link(cx, None)?;
        }
        folders::remove_empty(&before.missing)
    }
}

#[cfg(test)]
pub(super) fn sample(_world: &super::laws::World) -> SwitchUnit {
    let unit = UnitName::parse("app@1.service").unwrap();
    SwitchUnit { package: "app".into(), unit, to: Switch::On, brought: None }
}

#[cfg(test)]
mod tests;
