//! How far long work has come: bars on a terminal, plain lines elsewhere, nothing with `-q`.
//!
//! Work that is over in a blink shows no bar. The lower layers know [`Watch`] alone.

use super::printer::{Printer, Verbosity};
use super::screen::Screen;
use super::{escape, format};
use crate::progress::{Nobody, Watch};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// Nothing is drawn of work that takes less.
const BLINK: Duration = Duration::from_millis(300);
/// How often bars move that nothing else moves.
const TICK: Duration = Duration::from_millis(100);
const DRAWINGS_A_SECOND: u8 = 12;
// Eighty columns; a line that wraps is redrawn badly on some terminals.
const SIZED: &str =
    "{prefix:20!} {msg:11!} [{bar:10}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}";
const UNSIZED: &str = "{prefix:20!} {msg:11!} {spinner} {binary_bytes}";

/// Shows the progress of one command.
pub struct Progress(Mode);

enum Mode {
    Silent,
    Lines(Printer),
    Bars(Arc<Bars>),
}

impl Progress {
    /// Chooses what `printer`'s stderr can show.
    pub fn new(printer: &Printer) -> Self {
        if printer.verbosity() == Verbosity::Quiet {
            Self(Mode::Silent)
        } else if printer.can_redraw() {
            Self(Mode::Bars(Bars::start(printer)))
        } else {
            Self(Mode::Lines(printer.clone()))
        }
    }

    /// Begins to show one piece of work under this label, such as a package's name.
    pub fn watch(&self, label: &str) -> Box<dyn Watch> {
        let label = escape::line(label).into_owned();
        match &self.0 {
            Mode::Silent => Box::new(Nobody),
            Mode::Lines(printer) => {
                Box::new(Line { printer: printer.clone(), label, last: Mutex::default() })
            }
            Mode::Bars(bars) => Box::new(bars.row(label)),
        }
    }
}

/// Work shown as lines: one for each phase, when it begins.
struct Line {
    printer: Printer,
    label: String,
    last: Mutex<String>,
}

impl Watch for Line {
    fn phase(&self, name: &str, total: Option<u64>) {
        let mut last = locked(&self.last);
        // A phase that begins again, after a retry, has been told.
        if *last != name {
            name.clone_into(&mut last);
            let size = total.map(|bytes| format!(" ({})", format::size(bytes)));
            self.printer.talk(&format!("{}: {name}{}", self.label, size.unwrap_or_default()));
        }
    }

    fn advance(&self, _bytes: u64) {}

    fn note(&self, text: &str) {
        self.printer.talk(&format!("{}: {text}", self.label));
    }

    fn finish(&self) {}
}

/// All bars of one command.
struct Bars {
    printer: Printer,
    multi: MultiProgress,
    rows: Mutex<Vec<Arc<ProgressBar>>>,
}

impl Bars {
    fn start(printer: &Printer) -> Arc<Self> {
        let screen = Box::new(Screen::new(printer));
        let target = ProgressDrawTarget::term_like_with_hz(screen, DRAWINGS_A_SECOND);
        let multi = MultiProgress::with_draw_target(target);
        printer.share_with(&multi);
        let bars = Arc::new(Self { printer: printer.clone(), multi, rows: Mutex::default() });
        let weak = Arc::downgrade(&bars);
        // Where no thread can be had, bars move when their work does.
        let _ =
            std::thread::Builder::new().name("progress".into()).spawn(move || keep_moving(&weak));
        bars
    }

    fn row(self: &Arc<Self>, label: String) -> Row {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_prefix(label);
        let bar = Arc::new(bar);
        locked(&self.rows).push(Arc::clone(&bar));
        Row { bars: Arc::clone(self), bar, done: Mutex::new(0) }
    }

    /// Shows the bars of work that has gone on for longer than a blink, and moves them.
    fn tick(&self) {
        for bar in locked(&self.rows).iter() {
            if bar.is_hidden() && bar.elapsed() >= BLINK {
                self.multi.add(ProgressBar::clone(bar));
            }
            bar.tick();
        }
    }
}

fn keep_moving(bars: &Weak<Bars>) {
    loop {
        std::thread::sleep(TICK);
        let Some(bars) = bars.upgrade() else { return };
        bars.tick();
    }
}

/// Work shown as a bar.
struct Row {
    bars: Arc<Bars>,
    bar: Arc<ProgressBar>,
    /// Bytes of the largest phase: what the line that remains speaks of.
    done: Mutex<u64>,
}

impl Row {
    fn keep_largest(&self) {
        let mut done = locked(&self.done);
        *done = (*done).max(self.bar.position());
    }

    fn leave(&self) {
        let mut rows = locked(&self.bars.rows);
        let before = rows.len();
        rows.retain(|bar| !Arc::ptr_eq(bar, &self.bar));
        let was_there = rows.len() < before;
        drop(rows);
        if !was_there || self.bar.is_hidden() {
            return;
        }
        self.keep_largest();
        let size = format::size(*locked(&self.done));
        let seconds = self.bar.elapsed().as_secs().max(1);
        self.bars.multi.remove(&self.bar);
        self.bars.printer.talk(&format!("{}: {size} in {seconds} s", self.bar.prefix()));
    }
}

impl Watch for Row {
    fn phase(&self, name: &str, total: Option<u64>) {
        self.keep_largest();
        self.bar.set_position(0);
        self.bar.reset_eta();
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        let template = if total.is_some() { SIZED } else { UNSIZED };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> ").tick_chars("-\\|/ "));
        }
        self.bar.set_message(escape::line(name).into_owned());
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn note(&self, text: &str) {
        self.bars.printer.talk(&format!("{}: {text}", self.bar.prefix()));
    }

    fn finish(&self) {
        self.leave();
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        // Work that failed may never have said that it is over.
        self.leave();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is shown is at worst a little wrong after another thread's panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{BLINK, Progress, TICK};
    use crate::ui::page::{pages, pages_like};
    use crate::ui::printer::Verbosity;
    use crate::ui::sink::Look;

    #[test]
    fn without_a_terminal_each_phase_is_one_line() {
        let (printer, out, err) = pages(Verbosity::Normal);
        let watch = Progress::new(&printer).watch("diy\u{1b}[2J");
        watch.phase("downloading", Some(14 << 20));
        watch.advance(7 << 20);
        watch.note("trying again in 1 s");
        watch.phase("downloading", Some(14 << 20));
        watch.phase("unpacking", None);
        watch.finish();
        let expected = "\
diy\\u{1b}[2J: downloading (14.0 MiB)
diy\\u{1b}[2J: trying again in 1 s
diy\\u{1b}[2J: unpacking
";
        assert_eq!((out.text().as_str(), err.text().as_str()), ("", expected));
    }

    #[test]
    fn quiet_is_quiet() {
        let (printer, out, err) = pages_like(Look::TERMINAL, Verbosity::Quiet);
        let watch = Progress::new(&printer).watch("diy");
        watch.phase("downloading", None);
        watch.note("trying again");
        watch.finish();
        assert_eq!(out.text() + &err.text(), "");
    }

    #[test]
    fn bars_show_what_lasts_leave_one_line_and_stay_below_what_is_said() {
        let (printer, out, err) = pages_like(Look::TERMINAL, Verbosity::Normal);
        let progress = super::Progress(super::Mode::Bars(super::Bars::start(&printer)));
        let (blink, long) = (progress.watch("blink"), progress.watch("long"));
        for watch in [&blink, &long] {
            watch.phase("downloading", Some(2 << 20));
            watch.advance(1 << 20);
        }
        blink.finish();
        assert_eq!(err.text(), "", "nothing is drawn of what is over at once");
        std::thread::sleep(BLINK + 4 * TICK);
        let drawn = err.text();
        assert!(drawn.contains("long") && drawn.contains("1.00 MiB/2.00 MiB"), "{drawn:?}");
        assert!(!drawn.contains("blink"), "{drawn:?}");
        printer.talk("said meanwhile");
        let text = err.text();
        let (before, after) = text.split_once("said meanwhile\n").unwrap();
        assert!(before.ends_with("\r\u{1b}[2K"), "the bar makes room: {before:?}");
        assert!(after.contains("long"), "and comes back below: {after:?}");
        long.phase("unpacking", None);
        drop(long);
        let all = err.text();
        assert!(all.ends_with("long: 1.0 MiB in 1 s\n"), "{all:?}");
        assert_eq!(out.text(), "");
    }
}
