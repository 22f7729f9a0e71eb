//! The places where the crash tests kill the process.
//!
//! With the feature `checkpoints`, the N-th call of [`checkpoint`] in a process whose environment
//! has `CART_KILL_AT=N` is its last: a real SIGKILL. `CART_CHECKPOINTS=FILE` lists the checkpoints
//! that were passed: number, kind of step and phase, name. Without the feature this is nothing at
//! all.

/// Marks a place where a crash must be survivable.
#[cfg(not(any(test, feature = "checkpoints")))]
#[inline]
pub fn checkpoint(_name: &str) {}

/// Marks a place where a crash must be survivable.
#[cfg(any(test, feature = "checkpoints"))]
pub fn checkpoint(name: &str) {
    #[cfg(test)]
    in_process::pass(name);
    #[cfg(feature = "checkpoints")]
    enabled::pass(name);
    #[cfg(not(feature = "checkpoints"))]
    let _ = name;
}

/// Says which kind of step is in which phase from here on.
#[cfg(not(feature = "checkpoints"))]
#[inline]
pub fn enter(_kind: &'static str, _phase: &'static str) {}

/// Says which kind of step is in which phase from here on.
#[cfg(feature = "checkpoints")]
pub fn enter(kind: &'static str, phase: &'static str) {
    enabled::enter(kind, phase);
}

/// The crash of a unit test: a panic at the N-th checkpoint of this thread.
#[cfg(test)]
pub(crate) mod in_process {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Runs `work`, cut off at its `number`-th checkpoint (from 1). Gives nothing when it was cut.
    pub(crate) fn cut_at<T>(number: u32, work: impl FnOnce() -> T) -> Option<T> {
        LEFT.set(Some(number));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        LEFT.set(None);
        result.ok()
    }

    pub(super) fn pass(name: &str) {
        if let Some(left) = LEFT.get() {
            LEFT.set(Some(left.saturating_sub(1)));
            if left == 1 {
                // No message: the test cuts many times, on purpose.
                std::panic::resume_unwind(Box::new(name.to_owned()));
            }
        }
    }
}

#[cfg(feature = "checkpoints")]
mod enabled {
    use std::cell::Cell;
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: AtomicU64 = AtomicU64::new(0);
    static KILL_AT: OnceLock<Option<u64>> = OnceLock::new();

    thread_local! {
        static STEP: Cell<(&'static str, &'static str)> = const { Cell::new(("none", "none")) };
    }

    pub(super) fn enter(kind: &'static str, phase: &'static str) {
        STEP.set((kind, phase));
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a list for the test alone, wherever it wants it"
    )]
    pub(super) fn pass(name: &str) {
        let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(file) = crate::sys::host::variable("CART_CHECKPOINTS")
            && let Ok(mut list) = std::fs::OpenOptions::new().append(true).create(true).open(file)
        {
            // Best effort: the list is for the test, and the test notices a missing line.
            let (kind, phase) = STEP.get();
            let _ = writeln!(list, "{number} {kind}/{phase} {name}");
        }
        let kill_at = KILL_AT.get_or_init(|| {
            crate::sys::host::variable("CART_KILL_AT").and_then(|value| value.parse().ok())
        });
        if *kill_at == Some(number) {
            let me = rustix::process::getpid();
            let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        }
    }
}
