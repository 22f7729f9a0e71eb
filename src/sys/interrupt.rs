//! Ctrl-C and SIGTERM, as a flag that long work looks at between its steps.
//!
//! The first signal asks for a clean end: the transaction unwinds. It is never acted on inside a
//! handler.

use crate::error::{Exit, Explain, Failure};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

static CAUGHT: OnceLock<Arc<AtomicUsize>> = OnceLock::new();
static SHIELDS: AtomicUsize = AtomicUsize::new(0);

/// The work ended because somebody asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted by {}", self.name())]
pub struct Interrupted(usize);

impl Interrupted {
    fn name(self) -> &'static str {
        if self.is_terminate() { "SIGTERM" } else { "Ctrl-C" }
    }

    fn is_terminate(self) -> bool {
        i32::try_from(self.0) == Ok(signal_hook::consts::SIGTERM)
    }
}

impl Explain for Interrupted {
    fn exit(&self) -> Exit {
        if self.is_terminate() { Exit::Terminated } else { Exit::Interrupted }
    }
}

/// Begins to watch for SIGINT, SIGTERM and SIGHUP; without it they end the process as usual.
fn watch() -> std::io::Result<()> {
    let flag = CAUGHT.get_or_init(|| Arc::new(AtomicUsize::new(0)));
    for signal in
        [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP]
    {
        let number = usize::try_from(signal).unwrap_or_default();
        signal_hook::flag::register_usize(signal, Arc::clone(flag), number)?;
    }
    Ok(())
}

/// Begins to watch for SIGINT, SIGTERM and SIGHUP; what cannot be watched is a failure.
pub fn watch_or_fail() -> Result<(), Failure> {
    watch()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot watch for signals: {error}")))
}

/// Fails when a signal has asked this process to end.
pub fn check() -> Result<(), Interrupted> {
    if SHIELDS.load(Ordering::SeqCst) > 0 {
        return Ok(());
    }
    match CAUGHT.get().map_or(0, |flag| flag.load(Ordering::SeqCst)) {
        0 => Ok(()),
        signal => Err(Interrupted(signal)),
    }
}

/// Does `work` to its end, whatever signals come: what puts things back must not be interrupted by
/// an impatient second Ctrl-C. Signals that came before or meanwhile are answered by its end.
pub fn shielded<T>(work: impl FnOnce() -> T) -> T {
    SHIELDS.fetch_add(1, Ordering::SeqCst);
    let result = work();
    SHIELDS.fetch_sub(1, Ordering::SeqCst);
    if let Some(flag) = CAUGHT.get() {
        flag.store(0, Ordering::SeqCst);
    }
    result
}
