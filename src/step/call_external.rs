//! Asks an external for something, or takes it back, with data that are known: by running its program,
//! or by a request in the spool that a tool of configuration management reads.
//!
//! A call has no before-image; its inverse is the same call with the other word. As nobody knows what
//! a failed or cut-off call has done, it is made for those, too. Failures are warnings and rows, unless
//! success was demanded (seed on externals).

use super::{Cx, Said, Step};
use crate::db::{Answer, Change, ExternalRow, ExternalState, NewExternal};
use crate::error::{Exit, Failure};
use crate::layout::Layout;
use crate::package::external::{Action, Asker, ExternalName, MOST_DATA, Way};
use crate::sandbox::{self, Capture, Contract, ExternalCall, Outcome, Status};
use crate::sys::checkpoint::checkpoint;
use crate::sys::clock::Moment;
use crate::sys::interrupt;
use serde_json::json;
use std::time::Duration;

/// How many of its last lines a failure shows.
const TAIL: usize = 10;
/// What a file of the spool may have beside its data, which JSON makes six times as long at most.
const SPOOLED: u64 = 6 * MOST_DATA + (64 << 10);

/// One call.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CallExternal {
    /// Who asks.
    pub asker: Asker,
    /// Which external.
    pub name: ExternalName,
    /// Its place in the package's list.
    pub ordinal: u32,
    /// What it is given.
    #[serde(with = "crate::package::external::bytes")]
    pub data: Vec<u8>,
    /// What is wanted of it.
    pub turn: Turn,
    /// What is being done to the package.
    pub action: Action,
    /// How it is reached.
    pub way: Way,
    /// Whether its failure fails the step.
    pub strict: bool,
}

/// What is wanted of an external.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// `install`: a new request.
    Install,
    /// `remove`, of the request with this key.
    Remove(String),
    /// `install` once more, of the request with this key.
    Again(String),
    /// Nothing: a tool says what came of the request with this key.
    Acknowledge(String, Answer),
}

/// What was in the spool.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before(Option<String>);

impl CallExternal {
    /// Takes back what `row` says; `way` is how it is reached now.
    pub fn withdrawing(row: &ExternalRow, action: Action, (way, strict): (Way, bool)) -> Self {
        Self {
            asker: row.asker.clone(),
            name: row.name.clone(),
            ordinal: row.ordinal,
            data: row.data.clone(),
            turn: Turn::Remove(row.key.clone()),
            action,
            way,
            strict,
        }
    }

    fn key(&self, cx: &Cx<'_>) -> String {
        match &self.turn {
            Turn::Install => format!("{}-{}", cx.transaction, cx.number),
            Turn::Remove(key) | Turn::Again(key) | Turn::Acknowledge(key, _) => key.clone(),
        }
    }

    fn spooled(&self, cx: &Cx<'_>) -> String {
        format!("{}/{}.json", Layout::SPOOL, self.key(cx))
    }

    fn word(&self) -> &'static str {
        if matches!(self.turn, Turn::Remove(_)) { "remove" } else { "install" }
    }

    /// The request as a tool reads it.
    fn request(&self, cx: &Cx<'_>) -> String {
        let Asker { format, vendor, name, gear, home, file } = &self.asker;
        let (data, bytes) = match std::str::from_utf8(&self.data) {
            Ok(text) => (json!(text), json!(null)),
            Err(_) => (json!(null), json!(self.data)),
        };
        let request = json!({
            "key": self.key(cx), "external": self.name, "action": self.word(), "package": file,
            "asked_by": {"format": format, "vendor": vendor, "name": name, "gear": gear},
            "tpkg_home": home, "tpkg_action": self.action, "data": data, "data_bytes": bytes,
            "asked": Moment::now().rfc3339(),
        });
        format!("{request:#}\n")
    }

    /// Calls the program with `word`.
    fn call(&self, cx: &Cx<'_>, (word, action): (&str, Action)) -> Result<Outcome, Failure> {
        let Way::Exec(program) = &self.way else {
            return Err(Failure::new(Exit::Failed, "an external without a program was called"));
        };
        // The name of a log is a file name, too.
        let short: String = self.name.as_str().chars().take(40).collect();
        let (log, name) = cx.log(&format!("{short}-{word}"))?;
        let marks = cx.marks();
        Ok(sandbox::call_external(&ExternalCall {
            program,
            arguments: &[&self.asker.file, word],
            data: &self.data,
            contract: Contract { root: cx.layout.root(), asker: &self.asker, action },
            marks: &marks,
            limit: Duration::from_secs(cx.config.scripts.external_timeout),
            capture: Capture { folder: &log, name: &name, keep: cx.config.scripts.max_output },
        })?)
    }

    /// Calls it, and judges.
    fn ask(&self, cx: &Cx<'_>, said: &mut Said) -> Result<Answer, Failure> {
        let trouble = match self.call(cx, (self.word(), self.action)) {
            Ok(outcome) if outcome.is_success() => {
                return Ok(Answer { state: ExternalState::Done, detail: None });
            }
            Ok(outcome) => {
                if outcome.status == Status::Interrupted {
                    interrupt::check()?;
                }
                trouble(&outcome, cx.config.scripts.external_timeout)
            }
            // It could not even be started: the same, as far as the package is concerned.
            Err(failure) => failure.one_line(),
        };
        let (name, word) = (&self.name, self.word());
        if self.strict {
            let text = format!("the external `{name}` did not succeed with `{word}`");
            let mut failure = Failure::new(Exit::Failed, text);
            failure.causes.extend(trouble.lines().map(str::to_owned));
            return Err(failure.hint("success was demanded; `strict` in cart-config(5)"));
        }
        let one_line = trouble.replace('\n', "; ");
        said.warnings
            .push(format!("the external `{name}` did not succeed with `{word}`: {one_line}"));
        Ok(Answer { state: ExternalState::Failed, detail: Some(trouble) })
    }

    fn record(&self, key: String, answer: Answer) -> Change {
        match self.turn {
            Turn::Install => Change::AskExternal(Box::new(NewExternal {
                key,
                asker: self.asker.clone(),
                ordinal: self.ordinal,
                name: self.name.clone(),
                data: self.data.clone(),
                mode: self.way.as_str().to_owned(),
                strict: self.strict,
                answer,
            })),
            Turn::Remove(_) => Change::WithdrawExternal { key, answer },
            Turn::Again(_) | Turn::Acknowledge(..) => Change::AnswerExternal { key, answer },
        }
    }

    fn restore(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        let path = self.spooled(cx);
        match &before.0 {
            Some(text) => cx.state.put_file(&path, text.as_bytes(), 0o600)?,
            None => cx.state.remove_file(&path)?,
        }
        Ok(())
    }

    /// Puts back a call of the program, as far as that can be.
    fn call_inverse(&self, cx: &Cx<'_>) {
        let word = match self.turn {
            Turn::Install => "remove",
            Turn::Remove(_) => "install",
            // It had been asked for before, and still is.
            Turn::Again(_) | Turn::Acknowledge(..) => return,
        };
        let trouble = match self.call(cx, (word, self.action.inverse())) {
            Ok(outcome) if outcome.is_success() => return,
            Ok(outcome) => trouble(&outcome, cx.config.scripts.external_timeout),
            Err(failure) => failure.one_line(),
        };
        let trouble = trouble.replace('\n', "; ");
        cx.fall_short(format!(
            "the external `{}` did not succeed with `{word}`: {trouble}",
            self.name
        ));
    }
}

/// What there is to say of a call that did not succeed: how it ended, then its last lines.
pub fn trouble(outcome: &Outcome, seconds: u64) -> String {
    let how = match outcome.status {
        Status::Exited(status) => format!("it exited with status {status}"),
        Status::Signalled(signal) => format!("it was ended by signal {signal}"),
        Status::TimedOut => format!("it was not over after {seconds} seconds, and was ended"),
        Status::Flooded => "it printed without end, and was ended".to_owned(),
        Status::Interrupted => "it was interrupted".to_owned(),
    };
    let said = outcome.stdout.text.lines().chain(outcome.stderr.text.lines());
    let said: Vec<String> = said
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.chars().take(400).collect::<String>().escape_debug().to_string())
        .collect();
    let tail = said.get(said.len().saturating_sub(TAIL)..).unwrap_or_default();
    std::iter::once(how).chain(tail.iter().cloned()).collect::<Vec<_>>().join("\n")
}

impl Step for CallExternal {
    type Undo = Before;

    fn describe(&self) -> String {
        let (name, file, word) = (&self.name, &self.asker.file, self.word());
        match (&self.turn, &self.way) {
            (Turn::Acknowledge(key, _), _) => format!("acknowledge the request {key} to `{name}`"),
            (_, Way::Exec(_)) => format!("call the external `{name}`: `{word}` for `{file}`"),
            (_, Way::Request) => format!("request `{word}` of the external `{name}` for `{file}`"),
            (_, Way::Missing) => format!("do without the external `{name}` for `{file}`"),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let path = self.spooled(cx);
        if !cx.state.has(&path)? {
            return Ok(Before(None));
        }
        let text = cx.state.read(&path, SPOOLED)?;
        Ok(Before(Some(String::from_utf8_lossy(&text).into_owned())))
    }

    fn apply(&self, _before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut said = Said::default();
        checkpoint("call_external: before the call");
        let answer = match (&self.turn, &self.way) {
            (Turn::Acknowledge(_, answer), _) => {
                cx.state.remove_file(self.spooled(cx))?;
                answer.clone()
            }
            (_, Way::Exec(_)) => self.ask(cx, &mut said)?,
            (_, Way::Request) => {
                cx.state.make_dirs(Layout::SPOOL, 0o700)?;
                cx.state.put_file(self.spooled(cx), self.request(cx).as_bytes(), 0o600)?;
                Answer { state: ExternalState::Waiting, detail: None }
            }
            (_, Way::Missing) => {
                let (name, word) = (&self.name, self.word());
                said.warnings
                    .push(format!("there is no external `{name}` to be asked to `{word}`"));
                Answer { state: ExternalState::Missing, detail: None }
            }
        };
        checkpoint("call_external: after the call");
        said.records.push(self.record(self.key(cx), answer));
        Ok(said)
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        match (&self.turn, &self.way) {
            (Turn::Acknowledge(..), _) | (_, Way::Request) => self.restore(before, cx),
            (_, Way::Exec(_)) => {
                self.call_inverse(cx);
                checkpoint("call_external: the inverse was called");
                Ok(())
            }
            (_, Way::Missing) => Ok(()),
        }
    }

    fn runs_scripts(&self) -> bool {
        matches!(self.way, Way::Exec(_)) && !matches!(self.turn, Turn::Acknowledge(..))
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> CallExternal {
    let seen = world.state.path_of("asked-for");
    let text =
        format!("#!/bin/bash\n[[ $2 == install ]] && cat > {0} || rm -f {0}\n", seen.display());
    world.script("an-external", &text);
    CallExternal {
        asker: sample_asker(),
        name: ExternalName::parse("user").unwrap(),
        ordinal: 0,
        data: b"myuser".to_vec(),
        turn: Turn::Install,
        action: Action::Install,
        way: Way::Exec(world.state.path_of("an-external")),
        strict: true,
    }
}

#[cfg(test)]
pub(super) fn sample_asker() -> Asker {
    Asker {
        format: crate::package::ident::FormatName::Cartridge,
        vendor: "test".into(),
        name: "mock".into(),
        gear: None,
        home: "/opt/tpkg".into(),
        file: "test-mock-1-1".into(),
    }
}
