//! Asking for a passphrase at the terminal, without showing it.

use super::confirm::read_line;
use super::printer::Printer;
use crate::error::{Exit, Failure};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal, Stdin};

/// Asks `question` and reads a line that is not shown; nothing when there is no line. Without a
/// terminal the answer is a failure with the hint `otherwise`.
pub fn ask_secret(
    printer: &Printer,
    question: &str,
    otherwise: &str,
) -> Result<Option<String>, Failure> {
    let stdin = io::stdin();
    if !(stdin.is_terminal() && printer.is_seen()) {
        let text = format!("cannot ask without a terminal: {question}");
        return Err(Failure::new(Exit::Refused, text).hint(otherwise));
    }
    printer.prompt(question);
    let silence = Silence::begin(stdin).map_err(|error| {
        let mut failure = Failure::new(Exit::Failed, "cannot hide what is typed");
        failure.causes.push(error.to_string());
        failure.hint(otherwise)
    })?;
    let line = read_line();
    drop(silence);
    // Enter was not shown either.
    printer.styled_talk("");
    Ok(line?.map(|line| line.trim_end_matches(['\n', '\r']).to_owned()))
}

/// The terminal shows nothing while this lives.
struct Silence {
    terminal: Stdin,
    before: Termios,
}

impl Silence {
    fn begin(terminal: Stdin) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing any more.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}
