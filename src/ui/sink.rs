//! One output stream: how it looks, and what went wrong with it.

use super::colour::Colour;
use crate::sys::host;
use anstream::adapter::strip_str;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;

/// One output stream.
pub(super) struct Sink {
    writer: Box<dyn Write + Send>,
    look: Look,
    trouble: Option<io::Error>,
}

/// What a stream can show.
#[derive(Clone, Copy)]
pub(super) struct Look {
    is_terminal: bool,
    has_colour: bool,
    columns: fn() -> Option<u16>,
}

impl Look {
    /// A file or pipe that wants no colour.
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self { is_terminal: false, has_colour: false, columns: || None };
    /// A terminal of eighty columns, with colour.
    #[cfg(test)]
    pub(super) const TERMINAL: Self =
        Self { is_terminal: true, has_colour: true, columns: || Some(80) };

    fn of(stream: &impl IsTerminal, wish: Colour, columns: fn() -> Option<u16>) -> Self {
        let is_terminal = stream.is_terminal();
        Self { is_terminal, has_colour: wish.applies(is_terminal, host::variable), columns }
    }
}

impl Sink {
    /// This process's stdout. A list of ten thousand lines is not to be ten thousand writes.
    pub(super) fn stdout(wish: Colour) -> Self {
        let look = Look::of(&io::stdout(), wish, || columns_of(io::stdout()));
        Self::new(BufWriter::with_capacity(1 << 16, io::stdout()), look)
    }

    /// This process's stderr.
    pub(super) fn stderr(wish: Colour) -> Self {
        let look = Look::of(&io::stderr(), wish, || columns_of(io::stderr()));
        Self::new(io::stderr(), look)
    }

    pub(super) fn new(writer: impl Write + Send + 'static, look: Look) -> Self {
        Self { writer: Box::new(writer), look, trouble: None }
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.look.is_terminal
    }

    /// The present width of the terminal behind it, where there is one that knows.
    pub(super) fn columns(&self) -> Option<u16> {
        self.look.is_terminal.then(self.look.columns).flatten()
    }

    /// Writes a text that may hold styles; they go where colour is not wanted.
    pub(super) fn write_text(&mut self, text: &str, end: &str) {
        if self.look.has_colour || !text.contains('\u{1b}') {
            self.write(text.as_bytes());
        } else {
            self.write(strip_str(text).to_string().as_bytes());
        }
        self.write(end.as_bytes());
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.trouble.is_none()
            && let Err(error) = self.writer.write_all(bytes)
        {
            self.fail(error);
        }
    }

    /// Writes out what is held back.
    pub(super) fn flush(&mut self) {
        if self.trouble.is_none()
            && let Err(error) = self.writer.flush()
        {
            self.fail(error);
        }
    }

    /// Keeps the first error; the later ones follow from it.
    pub(super) fn fail(&mut self, error: io::Error) {
        self.trouble.get_or_insert(error);
    }

    /// Hands out what went wrong first.
    pub(super) fn take_trouble(&mut self) -> Option<io::Error> {
        self.trouble.take()
    }
}

/// The columns of a terminal; one of none does not know.
fn columns_of(stream: impl AsFd) -> Option<u16> {
    rustix::termios::tcgetwinsize(stream)
        .ok()
        .map(|size| size.ws_col)
        .filter(|columns| *columns > 0)
}
