//! The only writer to stdout and stderr.
//!
//! Text that comes in from outside this module is made harmless first ([`escape`]); styles are
//! added by `ui` alone. Writing never fails at the place where it is asked for: a reader that went
//! away must not stop a transaction. What went wrong is kept and told by [`Printer::finish`].

use super::colour::{self, Colour, ERROR, WARNING, paint};
use super::sink::Sink;
use super::table::{Room, Table};
use super::{escape, format, json};
use crate::error::{Exit, Failure};
use crate::sys::clock::Moment;
use crate::sys::host;
use indicatif::MultiProgress;
use serde::Serialize;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Failures alone (`-q`).
    Quiet,
    /// What is being done.
    #[default]
    Normal,
    /// How it is done, too (`-v`).
    Verbose,
    /// Everything that may help to find a fault (`-vv`).
    Debug,
}

/// What the command line asked of the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// `--color`.
    pub colour: Colour,
    /// `-q` and `-v`.
    pub verbosity: Verbosity,
}

/// Writes to stdout and stderr; clones write to the same streams.
#[derive(Clone)]
pub struct Printer(Arc<Inner>);

struct Inner {
    out: Mutex<Sink>,
    err: Mutex<Sink>,
    verbosity: Verbosity,
    ellipsis: &'static str,
    bars: OnceLock<MultiProgress>,
}

impl Printer {
    /// A printer for this process's streams.
    pub fn new(wishes: Wishes) -> Self {
        Self::over(Sink::stdout(wishes.colour), Sink::stderr(wishes.colour), wishes.verbosity)
    }

    pub(super) fn over(out: Sink, err: Sink, verbosity: Verbosity) -> Self {
        Self(Arc::new(Inner {
            out: Mutex::new(out),
            err: Mutex::new(err),
            verbosity,
            ellipsis: if speaks_unicode() { "…" } else { "..." },
            bars: OnceLock::new(),
        }))
    }

    /// Writes data: `text` and a newline to stdout.
    pub fn data(&self, text: &str) {
        self.styled_data(&escape::block(text));
    }

    /// Writes a table to stdout; nothing when it has no rows.
    pub fn table(&self, table: &Table) {
        if !table.is_empty() {
            self.beside_the_bars(|| {
                let mut out = lock(&self.0.out);
                let width = out.columns().map(usize::from);
                let room = Room { width, ellipsis: self.0.ellipsis };
                table.lines(room, |line| out.write_text(line, "\n"));
            });
        }
    }

    /// Writes `body`, which must become a JSON object, to stdout with its schema's version.
    pub fn json(&self, body: &impl Serialize) {
        match json::document(body) {
            Ok(text) => self.styled_data(&text),
            Err(error) => lock(&self.0.out).fail(error.into()),
        }
    }

    /// Passes on what another program printed, whole lines at a time: as it is into a pipe or
    /// file, with control characters made visible on a terminal.
    pub fn pass_on(&self, lines: &[u8]) {
        self.beside_the_bars(|| {
            let mut out = lock(&self.0.out);
            if out.is_terminal() {
                let text = String::from_utf8_lossy(lines);
                out.write(escape::block(&text).as_bytes());
            } else {
                out.write(lines);
            }
            out.flush();
        });
    }

    /// Says what is being done, on stderr.
    pub fn talk(&self, text: &str) {
        if self.0.verbosity >= Verbosity::Normal {
            self.styled_talk(&escape::block(text));
        }
    }

    /// Says how it is done, on stderr, with `-v`.
    pub fn detail(&self, text: &str) {
        if self.0.verbosity >= Verbosity::Verbose {
            self.styled_talk(&escape::block(text));
        }
    }

    /// Warns, on stderr.
    pub fn warn(&self, text: &str) {
        if self.0.verbosity >= Verbosity::Normal {
            let label = paint(WARNING, "warning:");
            self.styled_talk(&format!("{label} {}", escape::block(text)));
        }
    }

    /// Passes an error on that a script speaks of, on stderr.
    pub fn complain(&self, text: &str) {
        if self.0.verbosity >= Verbosity::Normal {
            let label = paint(ERROR, "error:");
            self.styled_talk(&format!("{label} {}", escape::block(text)));
        }
    }

    /// Writes a moment as stdout wants it: its distance on a terminal, RFC 3339 elsewhere.
    pub fn moment(&self, moment: Moment) -> String {
        if lock(&self.0.out).is_terminal() {
            format::ago(moment, Moment::now())
        } else {
            moment.rfc3339()
        }
    }

    /// How much is said on stderr.
    pub fn verbosity(&self) -> Verbosity {
        self.0.verbosity
    }

    /// Writes out what is still held back, and tells when some of it could not be written. A
    /// reader of stdout that has gone away (`cart list | head -1`) has had what it wanted.
    pub fn finish(&self) -> Result<(), Failure> {
        let mut out = lock(&self.0.out);
        out.flush();
        match out.take_trouble() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let mut failure = Failure::new(Exit::Failed, "cannot write to standard output");
                failure.causes.push(error.to_string());
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    /// Writes `text`, which may hold styles of ours, and a newline to stdout.
    pub(super) fn styled_data(&self, text: &str) {
        self.beside_the_bars(|| lock(&self.0.out).write_text(text, "\n"));
    }

    /// Writes `text`, which may hold styles of ours, and a newline to stderr, however quiet.
    pub(super) fn styled_talk(&self, text: &str) {
        self.to_stderr(text, "\n");
    }

    /// Writes a question, after which the cursor stays.
    pub(super) fn prompt(&self, question: &str) {
        self.to_stderr(&escape::line(question), " ");
    }

    /// Writes a text of clap's, which has its own styles and its own newline.
    pub fn help(&self, text: &clap::builder::StyledStr, exit: Exit) {
        let text = text.ansi().to_string();
        let text = text.trim_end();
        if exit == Exit::Done { self.styled_data(text) } else { self.styled_talk(text) }
    }

    /// Whether stderr is a terminal on which lines can be redrawn.
    pub(super) fn can_redraw(&self) -> bool {
        lock(&self.0.err).is_terminal() && colour::can_colour(host::variable)
    }

    /// Whether a question on stderr would be seen.
    pub(super) fn is_seen(&self) -> bool {
        lock(&self.0.err).is_terminal()
    }

    /// The present width of the terminal behind stderr.
    pub(super) fn screen_width(&self) -> Option<u16> {
        lock(&self.0.err).columns()
    }

    /// Writes what a [`super::screen::Screen`] has drawn, and tells nobody when that fails.
    pub(super) fn draw(&self, drawn: &str) {
        let mut err = lock(&self.0.err);
        err.write(drawn.as_bytes());
        err.flush();
    }

    /// Makes every later line appear above these bars.
    pub(super) fn share_with(&self, bars: &MultiProgress) {
        // A second set of bars in one process would be a mistake, and the first one's lines are
        // then still drawn rightly.
        let _ = self.0.bars.set(bars.clone());
    }

    fn to_stderr(&self, text: &str, end: &str) {
        self.beside_the_bars(|| {
            // On one terminal, what was said first is to be read first.
            lock(&self.0.out).flush();
            let mut err = lock(&self.0.err);
            err.write_text(text, end);
            err.flush();
        });
    }

    fn beside_the_bars(&self, write: impl FnOnce()) {
        match self.0.bars.get() {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

fn lock(sink: &Mutex<Sink>) -> MutexGuard<'_, Sink> {
    // A thread that panicked while writing leaves half a line, not a broken stream.
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the locale's character set is UTF-8.
fn speaks_unicode() -> bool {
    let set = |name| host::variable(name).filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_some_and(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::{Printer, Verbosity};
    use crate::ui::colour::{TITLE, paint};
    use crate::ui::page::{pages, pages_like};
    use crate::ui::sink::{Look, Sink};
    use crate::ui::table::Table;
    use std::io::{self, Write};

    /// A stream whose every write fails in the same way.
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn data_goes_to_stdout_talk_to_stderr_and_quiet_leaves_the_data() {
        for (verbosity, talk) in [
            (Verbosity::Quiet, ""),
            (Verbosity::Normal, "a\nwarning: c\n"),
            (Verbosity::Verbose, "a\nb\nwarning: c\n"),
        ] {
            let (printer, out, err) = pages(verbosity);
            printer.talk("a");
            printer.detail("b");
            printer.warn("c");
            printer.data("d");
            assert_eq!((out.text().as_str(), err.text().as_str()), ("d\n", talk), "{verbosity:?}");
        }
    }

    #[test]
    fn text_from_outside_reaches_no_stream_with_its_escapes() {
        let (printer, out, err) = pages(Verbosity::Debug);
        let hostile = "a\u{1b}]0;x\u{7}\rb";
        printer.data(hostile);
        printer.talk(hostile);
        printer.warn(hostile);
        let mut table = Table::new(["H"]);
        table.row([hostile]);
        printer.table(&table);
        let both = out.text() + &err.text();
        assert!(both.chars().all(|c| c == '\n' || !c.is_control()), "{both:?}");
        assert_eq!(both.matches(r"a\u{1b}]0;x\u{7}\rb").count(), 4, "{both:?}");
    }

    #[test]
    fn a_program_s_output_is_changed_for_a_terminal_alone() {
        let (printer, out, _) = pages(Verbosity::Normal);
        printer.pass_on(b"\x1b[1mx\xff\n");
        assert_eq!(out.bytes(), b"\x1b[1mx\xff\n");
        let (printer, out, _) = pages_like(Look::TERMINAL, Verbosity::Normal);
        printer.pass_on(b"\x1b[1mx\n");
        assert_eq!(out.text(), "\\u{1b}[1mx\n");
    }

    #[test]
    fn colour_goes_only_where_it_is_wanted() {
        for (look, expected) in [(Look::PLAIN, "x\n"), (Look::TERMINAL, "\u{1b}[1mx\u{1b}[0m\n")] {
            let (printer, out, _) = pages_like(look, Verbosity::Normal);
            printer.styled_data(&paint(TITLE, "x"));
            assert_eq!(out.text(), expected);
        }
    }

    #[test]
    fn a_reader_that_left_is_no_failure_and_a_full_disk_is() {
        for (kind, is_fine) in
            [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)]
        {
            let sink = |kind| Sink::new(Broken(kind), Look::PLAIN);
            let printer = Printer::over(sink(kind), sink(kind), Verbosity::Normal);
            printer.data("x");
            printer.talk("nobody hears it, and nothing comes of that");
            assert_eq!(printer.finish().is_ok(), is_fine, "{kind:?}");
        }
    }
}
