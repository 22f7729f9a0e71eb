//! Questions, and what becomes of them where nobody can answer.

use super::printer::Printer;
use crate::error::{Exit, Failure};
use crate::sys::interrupt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, BufRead, IsTerminal};

/// How often a waiting question looks whether Ctrl-C was pressed.
const GLANCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// After so many answers that are neither yes nor no, it is no.
const PATIENCE: usize = 3;

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on. The usual answer when nothing is removed or restarted.
    Yes,
    /// Change nothing. The usual answer when something is removed.
    No,
}

/// Asks the person at the terminal; Enter alone gives the `usual` answer. Without a terminal the
/// answer is a failure that names `--yes`: a question that nobody sees must never hang.
pub fn ask(printer: &Printer, question: &str, usual: Answer) -> Result<Answer, Failure> {
    if !(io::stdin().is_terminal() && printer.is_seen()) {
        return Err(Failure::new(
            Exit::Refused,
            format!("cannot ask without a terminal: {question}"),
        )
        .hint("add `--yes` to agree beforehand, or look at it first with `--dry-run`"));
    }
    let read_line = || {
        let line = read_line();
        if !matches!(line, Ok(Some(_))) {
            // Nobody has pressed Enter; what is said next is to begin on a new line.
            printer.styled_talk("");
        }
        line
    };
    converse(|prompt| printer.prompt(prompt), read_line, (question, usual))
}

/// The failure that a no means.
pub fn declined() -> Failure {
    Failure::new(Exit::Refused, "not confirmed; nothing changed")
}

fn converse(
    mut prompt: impl FnMut(&str),
    mut read_line: impl FnMut() -> Result<Option<String>, Failure>,
    (question, usual): (&str, Answer),
) -> Result<Answer, Failure> {
    let choices = match usual {
        Answer::Yes => "[Y/n]",
        Answer::No => "[y/N]",
    };
    for _ in 0..PATIENCE {
        prompt(&format!("{question} {choices}"));
        let Some(line) = read_line()? else { return Ok(Answer::No) };
        match line.trim().to_lowercase().as_str() {
            "" => return Ok(usual),
            "y" | "yes" => return Ok(Answer::Yes),
            "n" | "no" => return Ok(Answer::No),
            _ => {}
        }
    }
    Ok(Answer::No)
}

/// Reads a line from the terminal; nothing at its end. A plain read would go on through Ctrl-C
/// once `interrupt::watch` has taken the signal over.
pub(super) fn read_line() -> Result<Option<String>, Failure> {
    let cannot_read = |error: io::Error| {
        let mut failure = Failure::new(Exit::Failed, "cannot read the answer");
        failure.causes.push(error.to_string());
        failure
    };
    let stdin = io::stdin();
    loop {
        interrupt::check()?;
        let mut waiting = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut waiting, Some(&GLANCE)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => break,
            Err(error) => return Err(cannot_read(error.into())),
        }
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line).map_err(cannot_read)?;
    Ok((read > 0).then_some(line))
}

#[cfg(test)]
mod tests {
    use super::{Answer, ask, converse};
    use crate::error::Exit;
    use crate::ui::page::pages;
    use crate::ui::printer::Verbosity;

    #[test]
    fn enter_takes_the_usual_answer_and_nonsense_and_silence_are_no() {
        for (lines, usual, expected, asked) in [
            (&["\n"][..], Answer::Yes, Answer::Yes, 1),
            (&["\n"], Answer::No, Answer::No, 1),
            (&["Yes\n"], Answer::No, Answer::Yes, 1),
            (&["n\n"], Answer::Yes, Answer::No, 1),
            (&["what?\n", "y\n"], Answer::No, Answer::Yes, 2),
            (&["1\n", "2\n", "3\n", "y\n"], Answer::Yes, Answer::No, 3),
            (&[], Answer::Yes, Answer::No, 1),
        ] {
            let mut left = lines.iter();
            let mut prompts = Vec::new();
            let answer = converse(
                |prompt| prompts.push(prompt.to_owned()),
                || Ok(left.next().map(|line| (*line).to_owned())),
                ("Proceed?", usual),
            );
            assert_eq!(answer.unwrap(), expected, "{lines:?}");
            assert_eq!(prompts.len(), asked, "{lines:?}");
            let marked = if usual == Answer::Yes { "Proceed? [Y/n]" } else { "Proceed? [y/N]" };
            assert!(prompts.iter().all(|prompt| prompt == marked), "{prompts:?}");
        }
    }

    #[test]
    fn a_question_that_nobody_would_see_is_refused_and_not_asked() {
        let (printer, out, err) = pages(Verbosity::Normal);
        let failure = ask(&printer, "Remove `x`?", Answer::No).unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.hints[0].contains("--yes"), "{failure:?}");
        assert_eq!(out.text() + &err.text(), "");
    }
}
