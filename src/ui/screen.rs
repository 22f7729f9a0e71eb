//! Where bars are drawn: stderr, through the printer. A terminal that has gone away (a closed
//! window, a lost connection) must not fail the work that is shown, so drawing never fails.

use super::printer::Printer;
use indicatif::TermLike;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

/// The width and height of a terminal that does not tell its own.
const USUAL: (u16, u16) = (80, 24);

/// A terminal that redraws its last lines; each drawing is one write.
pub(super) struct Screen {
    printer: Printer,
    pending: Mutex<String>,
}

impl Screen {
    pub(super) fn new(printer: &Printer) -> Self {
        Self { printer: printer.clone(), pending: Mutex::default() }
    }

    fn push(&self, text: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = fmt::write(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner), text);
    }

    fn move_by(&self, count: usize, way: char) {
        if count > 0 {
            self.push(format_args!("\u{1b}[{count}{way}"));
        }
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.printer.screen_width().unwrap_or(USUAL.0)
    }

    fn height(&self) -> u16 {
        USUAL.1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.move_by(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.move_by(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.move_by(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.move_by(n, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.push(format_args!("{text}\n"));
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.push(format_args!("{text}"));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push(format_args!("\r\u{1b}[2K"));
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        self.printer.draw(&pending);
        pending.clear();
        Ok(())
    }
}
