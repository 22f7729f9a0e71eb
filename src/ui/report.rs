//! How a failure is told: what was asked, why it failed, how the host stands, what to do.

use super::colour::{DIM, ERROR, HINT, paint};
use super::escape;
use super::printer::Printer;
use crate::error::{Exit, Failure};
use serde::Serialize;
use std::fmt::Write;

/// In which form a command answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Text for people.
    #[default]
    Text,
    /// JSON (`--json`).
    Json,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Fields<'a>,
}

#[derive(Serialize)]
struct Fields<'a> {
    summary: &'a str,
    causes: &'a [String],
    state: Option<&'a str>,
    hints: &'a [String],
    exit: u8,
}

/// Ends a command: tells its failure, writes out what is held back, and returns the exit code.
pub fn end(printer: &Printer, form: Form, outcome: Result<Exit, Failure>) -> Exit {
    let exit = outcome.unwrap_or_else(|failure| tell(printer, form, &failure));
    match printer.finish() {
        Ok(()) => exit,
        // stdout is lost, so this goes to stderr whatever the form; and a command that failed
        // already keeps its own code.
        Err(lost) => {
            let lost = tell(printer, Form::Text, &lost);
            if exit == Exit::Done { lost } else { exit }
        }
    }
}

/// Tells a failure: as text on stderr, as JSON on stdout. Returns its exit code.
pub fn tell(printer: &Printer, form: Form, failure: &Failure) -> Exit {
    match form {
        Form::Text => printer.styled_talk(&text(failure)),
        Form::Json => printer.json(&body(failure)),
    }
    failure.exit
}

/// What a failure is in JSON.
pub fn body(failure: &Failure) -> impl Serialize {
    Body {
        error: Fields {
            summary: &failure.summary,
            causes: &failure.causes,
            state: failure.state.as_deref(),
            hints: &failure.hints,
            exit: failure.exit as u8,
        },
    }
}

fn text(failure: &Failure) -> String {
    let mut text = format!("{} {}", paint(ERROR, "error:"), indented(&failure.summary));
    let causes = failure.causes.iter().map(|cause| ("caused by:", DIM, cause));
    let state = failure.state.iter().map(|state| ("state:", DIM, state));
    let hints = failure.hints.iter().map(|hint| ("hint:", HINT, hint));
    for (label, style, said) in causes.chain(state).chain(hints) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {} {}", paint(style, label), indented(said));
    }
    text
}

/// Harmless text whose further lines stand below the first.
fn indented(text: &str) -> String {
    escape::block(text.trim_end()).replace('\n', "\n      ")
}

#[cfg(test)]
mod tests {
    use super::{Form, end};
    use crate::error::{Exit, Failure};
    use crate::ui::page::pages;
    use crate::ui::printer::Verbosity;

    fn sample() -> Failure {
        let mut failure =
            Failure::new(Exit::PutBack, "cannot install `redhat-php-5.4` into gear `blog`")
                .state("all 9 steps were put back; nothing changed")
                .hint("full output: `cart history 41 --log`");
        failure.causes.push(
            "`bin/setup` exited with status 3\nphp.ini: no space \u{1b}[31mleft\n".to_owned(),
        );
        failure
    }

    #[test]
    fn people_read_request_cause_state_and_remedy_even_when_quiet() {
        let (printer, out, err) = pages(Verbosity::Quiet);
        assert_eq!(end(&printer, Form::Text, Err(sample())), Exit::PutBack);
        assert_eq!(out.text(), "");
        let expected = "\
error: cannot install `redhat-php-5.4` into gear `blog`
  caused by: `bin/setup` exited with status 3
      php.ini: no space \\u{1b}[31mleft
  state: all 9 steps were put back; nothing changed
  hint: full output: `cart history 41 --log`
";
        assert_eq!(err.text(), expected);
    }

    #[test]
    fn programs_read_the_same_from_stdout() {
        let (printer, out, err) = pages(Verbosity::Normal);
        assert_eq!(end(&printer, Form::Json, Err(sample())), Exit::PutBack);
        assert_eq!(err.text(), "");
        let said: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
        assert_eq!(said["schema"], 1);
        assert_eq!(said["error"]["exit"], 9);
        assert_eq!(said["error"]["summary"], sample().summary);
        assert_eq!(said["error"]["causes"][0], sample().causes[0]);
        assert_eq!(said["error"]["state"], "all 9 steps were put back; nothing changed");
        assert_eq!(said["error"]["hints"][0], "full output: `cart history 41 --log`");
    }
}
