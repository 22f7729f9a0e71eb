//! The places where the crash tests kill the process.
//!
//! With the feature `checkpoints`, the N-th call of [`checkpoint`] in a process whose environment
//! has `CART_KILL_AT=N` is its last: a real SIGKILL. `CART_CHECKPOINTS=FILE` lists the names that
//! were passed. Without the feature this is nothing at all.

/// Marks a place where a crash must be survivable.
#[cfg(not(feature = "checkpoints"))]
#[inline]
pub fn checkpoint(_name: &str) {}

/// Marks a place where a crash must be survivable.
#[cfg(feature = "checkpoints")]
pub fn checkpoint(name: &str) {
    enabled::pass(name);
}

#[cfg(feature = "checkpoints")]
mod enabled {
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: AtomicU64 = AtomicU64::new(0);
    static KILL_AT: OnceLock<Option<u64>> = OnceLock::new();

    pub(super) fn pass(name: &str) {
        let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(file) = crate::sys::host::variable("CART_CHECKPOINTS")
            && let Ok(mut list) = std::fs::OpenOptions::new().append(true).create(true).open(file)
        {
            // Best effort: the list is for the test, and the test notices a missing line.
            let _ = writeln!(list, "{number} {name}");
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
