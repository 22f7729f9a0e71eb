//! Calls an init script of a tpkg package: `start`, `stop` and their like.
//!
//! What one of them answers is its own affair, as in the original: it is told, and the next one is
//! called. Putting back calls the opposite, where that is not how things stand already.

use super::host_call::{self, HostCall};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::package::external::Action;
use crate::sandbox::{CommandLine, Outcome, Status};
use crate::sys::checkpoint::checkpoint;
use crate::sys::interrupt;
use std::path::Path;

/// The exit status by which the original tells of an init script that has failed.
pub const FAILED: u8 = 4;
/// What tells systemd what to do.
const SYSTEMCTL: &str = "/usr/bin/systemctl";
/// What an init script answers to `status` when its service does not run (LSB).
const STOPPED: i32 = 3;

/// One call.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CallInit {
    /// What messages call the package.
    pub package: String,
    /// The absolute path of the script.
    pub script: String,
    /// The unit by which systemd starts it on this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What the script is told.
    pub command: Command,
    /// The package's base: `TPKG_HOME`.
    pub base: String,
    /// Why it is called.
    pub purpose: Purpose,
}

/// What init scripts can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// Begin.
    Start,
    /// End.
    Stop,
    /// End, and begin again.
    Restart,
    /// Read the settings again.
    Reload,
}

impl Command {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }
}

/// Why an init script is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Somebody asks for just this: what it answers is what they want to know.
    Asked,
    /// Its package goes; the original does not look at what it answers.
    Leaving,
}

/// What is known of the service before.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    /// Whether it ran; nothing where the script does not say so clearly.
    runs: Option<bool>,
}

impl CallInit {
    fn name(&self) -> &str {
        self.script.rsplit('/').next().unwrap_or(&self.script)
    }

    /// Calls the script itself.
    fn call(&self, cx: &Cx<'_>, word: &str, seconds: u64) -> Result<Outcome, Failure> {
        self.run(cx, (word, seconds), &CommandLine::of(Path::new(&self.script), [word])?)
    }

    fn run(
        &self,
        cx: &Cx<'_>,
        (word, seconds): (&str, u64),
        line: &CommandLine,
    ) -> Result<Outcome, Failure> {
        let action = match self.purpose {
            Purpose::Asked => None,
            Purpose::Leaving => Some(Action::Remove),
        };
        let name = format!("{}-{word}", self.name());
        let folder = Path::new("/");
        host_call::run(
            cx,
            &HostCall { name: &name, line, folder, base: &self.base, action, seconds },
        )
    }

    /// Tells the service what to do, by its unit where it has one: what systemd has started, it has
    /// to know about.
    fn tell(&self, cx: &Cx<'_>, command: Command) -> Result<Outcome, Failure> {
        let (word, seconds) = (command.as_str(), cx.config.scripts.control_timeout);
        let Some(unit) = self.unit.as_ref().filter(|_| command != Command::Reload) else {
            return self.call(cx, word, seconds);
        };
        // The unit may have been written since systemd has read them.
        let again = CommandLine::of(Path::new(SYSTEMCTL), ["daemon-reload"])?;
        self.run(cx, ("daemon-reload", seconds), &again)?;
        let line = CommandLine::of(Path::new(SYSTEMCTL), [word, unit])?;
        self.run(cx, (word, seconds), &line)
    }

    /// Whether the service runs; nothing where the script does not say so clearly.
    fn runs(&self, cx: &Cx<'_>) -> Option<bool> {
        let outcome = self.call(cx, "status", cx.config.scripts.status_timeout).ok()?;
        match outcome.status {
            Status::Exited(0) => Some(true),
            Status::Exited(STOPPED) => Some(false),
            _ => None,
        }
    }

    /// What puts the call back, as far as it has to be.
    fn opposite(&self, before: &Before) -> Option<Command> {
        match (self.command, before.runs) {
            (Command::Start, Some(true)) | (Command::Stop, Some(false)) => None,
            (Command::Start, _) | (Command::Restart, Some(false)) => Some(Command::Stop),
            (Command::Stop, _) => Some(Command::Start),
            (Command::Restart | Command::Reload, _) => None,
        }
    }

    /// Takes note of a failure: that of the original, or a warning.
    fn note(&self, failure: &Failure) -> Said {
        let text = failure.one_line();
        match self.purpose {
            Purpose::Asked => Said { errors: vec![text], status: FAILED, ..Said::default() },
            Purpose::Leaving => Said { warnings: vec![text], ..Said::default() },
        }
    }
}

impl Step for CallInit {
    type Undo = Before;

    fn describe(&self) -> String {
        let (name, command) = (self.name(), self.command.as_str());
        let by = self.unit.as_ref().map(|unit| format!(" by `{unit}`")).unwrap_or_default();
        format!("run `{name} {command}` of `{}`{by} on the host, unconfined", self.package)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let asks = self.command != Command::Reload;
        Ok(Before { runs: if asks { self.runs(cx) } else { None } })
    }

    fn apply(&self, _before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("call_init: before it runs");
        let outcome = match self.tell(cx, self.command) {
            Err(failure) => return Ok(self.note(&failure)),
            Ok(outcome) => outcome,
        };
        checkpoint("call_init: after it has run");
        if outcome.status == Status::Interrupted {
            interrupt::check()?;
        }
        let mut said = Said { messages: host_call::printed(&outcome), ..Said::default() };
        if !outcome.is_success() {
            let what = format!("`{} {}`", self.name(), self.command.as_str());
            let what = format!("{what} of `{}`", self.package);
            said.merge(self.note(&host_call::failed(&what, &outcome)));
        }
        Ok(said)
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        let Some(opposite) = self.opposite(before) else { return Ok(()) };
        let goal = opposite == Command::Start;
        if self.runs(cx) == Some(goal) {
            return Ok(());
        }
        checkpoint("call_init: before the opposite runs");
        let done = self.tell(cx, opposite);
        if !done.is_ok_and(|outcome| outcome.is_success()) {
            let (name, word) = (self.name(), opposite.as_str());
            cx.fall_short(format!("`{name} {word}` of `{}` failed", self.package));
        }
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> CallInit {
    world.state.make_dir("init", 0o755).unwrap();
    let flag = world.state.path_of("init/runs").display().to_string();
    let text = format!(
        "#!/bin/bash\ncase $1 in\n start) touch '{flag}';;\n stop) rm -f '{flag}';;\n \
         status) [[ -e '{flag}' ]] || exit 3;;\nesac\n"
    );
    world.script("init/daemon", &text);
    CallInit {
        package: "a-1".into(),
        script: world.state.path_of("init/daemon").display().to_string(),
        unit: None,
        command: Command::Start,
        base: "/opt/tpkg".into(),
        purpose: Purpose::Asked,
    }
}

#[cfg(test)]
mod tests {
    use super::{Before, CallInit, Command, Purpose};
    use crate::step::laws::World;
    use crate::step::{Step, call_init};

    fn call(command: Command) -> CallInit {
        CallInit {
            package: "a-1".into(),
            script: "/opt/tpkg/init/daemon".into(),
            unit: None,
            command,
            base: "/opt/tpkg".into(),
            purpose: Purpose::Asked,
        }
    }

    #[test]
    fn what_ran_before_runs_afterwards_and_nothing_else() {
        let back = |command, runs| call(command).opposite(&Before { runs });
        assert_eq!(back(Command::Start, Some(true)), None);
        assert_eq!(back(Command::Start, Some(false)), Some(Command::Stop));
        assert_eq!(back(Command::Stop, Some(true)), Some(Command::Start));
        assert_eq!(back(Command::Stop, Some(false)), None);
        assert_eq!(back(Command::Restart, Some(false)), Some(Command::Stop));
        assert_eq!(back(Command::Restart, Some(true)), None);
        assert_eq!(back(Command::Reload, Some(true)), None);
        // Who says nothing gets what the plan says: the opposite.
        assert_eq!(back(Command::Start, None), Some(Command::Stop));
        assert_eq!(back(Command::Stop, None), Some(Command::Start));
    }

    #[test]
    fn a_script_that_fails_is_told_and_counts_where_it_was_asked_for() {
        let world = World::new();
        let mut call = call_init::sample(&world);
        world.script("init/daemon", "#!/bin/bash\necho why >&2\nexit 7\n");
        let before = call.prepare(&world.cx(1)).unwrap();
        let said = call.apply(&before, &world.cx(1)).unwrap();
        assert_eq!((said.status, said.errors.len()), (super::FAILED, 1), "{said:?}");
        assert!(said.errors[0].contains("status 7: why"), "{said:?}");
        call.purpose = Purpose::Leaving;
        let said = call.apply(&before, &world.cx(1)).unwrap();
        assert_eq!((said.status, said.warnings.len()), (0, 1), "{said:?}");
    }
}
