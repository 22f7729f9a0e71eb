//! For the tests of `ui`: streams that keep what was written to them.

use super::printer::{Printer, Verbosity};
use super::sink::{Look, Sink};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// What was written to one stream.
#[derive(Clone, Default)]
pub(super) struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A printer onto two pages that look so: stdout's, stderr's.
pub(super) fn pages_like(look: Look, verbosity: Verbosity) -> (Printer, Page, Page) {
    let (out, err) = (Page::default(), Page::default());
    let sink = |page: &Page| Sink::new(page.clone(), look);
    (Printer::over(sink(&out), sink(&err), verbosity), out, err)
}

/// A printer onto two pages, neither of them a terminal.
pub(super) fn pages(verbosity: Verbosity) -> (Printer, Page, Page) {
    pages_like(Look::PLAIN, verbosity)
}
