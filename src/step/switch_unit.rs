//! Switches a unit of systemd on or off: enabled and started, or disabled and stopped. Going back
//! gives it exactly what it had of both.
//!
//! Where systemd is not running, or is not ours to tell, what should be is written down in the state:
//! `units/<name>`.

use super::{Cx, Said, Step, host_program};
use crate::error::{Exit, Failure};
use crate::site::unit::UnitName;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Kind, kind_of};
use crate::sys::host;
use std::ffi::OsString;
use std::path::Path;

/// A unit, and what becomes of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SwitchUnit {
    /// The app or accessory that names it.
    pub package: String,
    /// The unit.
    pub unit: UnitName,
    /// What becomes of it.
    pub to: Switch,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Before {
    /// Who is told.
    by: By,
    /// How it was; nothing where nobody knew it.
    was: Option<State>,
    /// Whether anything was ever written down here.
    had_folder: bool,
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

    fn switch(&self, by: By, cx: &Cx<'_>) -> Result<(), Failure> {
        let unit = self.unit.as_str();
        let on = self.to == Switch::On;
        match (by, on) {
            (By::Record, _) => self.write_down(cx, State { enabled: on, active: on }),
            (By::Systemd, true) => {
                // Files of units may have come or changed a moment ago.
                self.tell(cx, &["daemon-reload"])?;
                checkpoint("switch_unit: before systemd is told");
                self.tell(cx, &["enable", "--now", "--", unit]).map(drop)
            }
            (By::Systemd, false) if self.look(cx)?.is_none() => Ok(()),
            (By::Systemd, false) => self.tell(cx, &["disable", "--now", "--", unit]).map(drop),
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
        Ok(Before { by, was, had_folder: cx.state.has(FOLDER)? })
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
        let Some(now) = self.look(cx)? else { return Ok(()) };
        let was = before.was.unwrap_or_default();
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
}

#[cfg(test)]
pub(super) fn sample(_world: &super::laws::World) -> SwitchUnit {
    let unit = UnitName::parse("app@1.service").unwrap();
    SwitchUnit { package: "app".into(), unit, to: Switch::On }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::laws::World;
    use crate::sys::checkpoint::in_process::cut_at;

    /// Stands in for systemd, which no test can have: it keeps `enabled` and `active` in files
    /// beside it, and what it was told.
    const SYSTEMCTL: &str = r#"#!/bin/bash
cd "${0%/*}" || exit 9
echo "$*" >>told
unit=${*: -1}
case $1 in
show)
    [[ -e $unit ]] || { echo LoadState=not-found; exit 0; }
    echo LoadState=loaded
    [[ -e $unit.on ]] && echo UnitFileState=enabled || echo UnitFileState=disabled
    [[ -e $unit.up ]] && echo ActiveState=active || echo ActiveState=inactive ;;
daemon-reload) ;;
*)
    [[ -e $unit ]] || { echo "Unit $unit does not exist" >&2; exit 5; }
    [[ $2 == --now ]] && both=1
    case $1 in
    enable) touch "$unit.on"; [[ -n $both ]] && { [[ -e broken ]] && exit 1; touch "$unit.up"; } ;;
    disable) rm -f "$unit.on"; [[ -n $both ]] && rm -f "$unit.up" ;;
    start) touch "$unit.up" ;;
    stop) rm -f "$unit.up" ;;
    esac ;;
esac
exit 0
"#;

    fn world() -> World {
        let mut world = World::new();
        world.state.make_dir("systemd", 0o755).unwrap();
        world.script("systemd/systemctl", SYSTEMCTL);
        world.config.units.systemd = Some(true);
        let program = world.state.path_of("systemd/systemctl").display().to_string();
        world.config.units.program = vec![program];
        world
    }

    fn state(world: &World) -> [bool; 2] {
        ["on", "up"].map(|end| world.state.has(format!("systemd/app@1.service.{end}")).unwrap())
    }

    fn set(world: &World, [on, up]: [bool; 2]) {
        world.state.put_file("systemd/app@1.service", b"", 0o644).unwrap();
        for (end, is) in [("on", on), ("up", up)] {
            let name = format!("systemd/app@1.service.{end}");
            world.state.remove_file(&name).unwrap();
            if is {
                world.state.put_file(&name, b"", 0o644).unwrap();
            }
        }
    }

    #[test]
    fn a_unit_gets_back_what_it_had_wherever_the_step_was_cut_off() {
        for to in [Switch::On, Switch::Off] {
            for was in [[false, false], [true, false], [false, true], [true, true]] {
                for cut in 1..20 {
                    let world = world();
                    set(&world, was);
                    let step = SwitchUnit { to, ..sample(&world) };
                    let undo = step.prepare(&world.cx(1)).unwrap();
                    assert_eq!(state(&world), was);
                    let whole = cut_at(cut, || step.apply(&undo, &world.cx(1)).unwrap()).is_some();
                    if whole {
                        assert_eq!(state(&world), [to == Switch::On; 2]);
                    }
                    step.revert(&undo, &world.cx(1)).unwrap();
                    step.revert(&undo, &world.cx(1)).unwrap();
                    assert_eq!(state(&world), was, "{to:?} cut at {cut}");
                    if whole {
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn a_unit_that_does_not_start_or_is_not_known_is_a_failure() {
        let world = world();
        let step = sample(&world);
        let undo = step.prepare(&world.cx(1)).unwrap();
        let failure = step.apply(&undo, &world.cx(1)).unwrap_err();
        assert!(failure.summary.contains("systemd does not enable `app@1.service`"), "{failure:?}");
        assert!(failure.causes.concat().contains("does not exist"), "{failure:?}");
        step.revert(&undo, &world.cx(1)).unwrap();
        set(&world, [false; 2]);
        world.state.put_file("systemd/broken", b"", 0o644).unwrap();
        assert!(step.apply(&undo, &world.cx(1)).is_err());
        step.revert(&undo, &world.cx(1)).unwrap();
        assert_eq!(state(&world), [false; 2]);
        // One that nobody knows needs not be switched off.
        world.state.remove_file("systemd/app@1.service").unwrap();
        let step = SwitchUnit { to: Switch::Off, ..sample(&world) };
        let undo = step.prepare(&world.cx(1)).unwrap();
        step.apply(&undo, &world.cx(1)).unwrap();
    }

    #[test]
    fn what_apps_take_for_granted_is_written_down_where_systemd_runs_too() {
        let world = world();
        let unit = UnitName::parse("smtp-server@a1.service").unwrap();
        let step = SwitchUnit { unit, ..sample(&world) };
        let undo = step.prepare(&world.cx(1)).unwrap();
        let said = step.apply(&undo, &world.cx(1)).unwrap();
        assert!(said.messages.concat().contains("written down"), "{said:?}");
        let record = world.state.read("units/smtp-server@a1.service", 100).unwrap();
        assert_eq!(record, br#"{"enabled":true,"active":true}"#);
        assert!(!world.state.has("systemd/told").unwrap());
    }
}
