//! How long the work may take: the time limit, and the requests to end.

use super::error::{ArchiveError, Limit};
use crate::sys::interrupt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time that one unpacking has taken. Time spent waiting for the archive's bytes does not
/// count: a slow network has limits of its own.
#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    waited: AtomicU64,
    seconds: u64,
}

impl Clock {
    /// Starts the clock.
    pub(super) fn start(seconds: u64) -> Self {
        Self { started: Instant::now(), waited: AtomicU64::new(0), seconds }
    }

    /// Runs `wait` without counting its time.
    pub(super) fn waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = wait();
        let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waited.fetch_add(nanos, Ordering::Relaxed);
        result
    }

    /// Fails when the time is over, or when somebody asked this process to end.
    pub(super) fn check(&self) -> Result<(), ArchiveError> {
        interrupt::check()?;
        let waited = Duration::from_nanos(self.waited.load(Ordering::Relaxed));
        if self.started.elapsed().saturating_sub(waited) > Duration::from_secs(self.seconds) {
            return Err(Limit::Seconds(self.seconds).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_counts() {
        let clock = Clock::start(0);
        clock.waiting(|| std::thread::sleep(Duration::from_millis(20)));
        std::thread::sleep(Duration::from_millis(5));
        assert!(matches!(clock.check(), Err(ArchiveError::Limit(Limit::Seconds(0)))));
        let patient = Clock::start(60);
        assert!(patient.check().is_ok());
    }
}
