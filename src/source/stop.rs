//! The wish to end: a signal to the process, or a sister download that has failed.

use crate::error::{Exit, Explain};
use crate::sys::interrupt::{self, Interrupted};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag shared by downloads that succeed or fail together.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

/// Why work ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// A signal asked for it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// Another download of the same request failed; that failure is the one to report.
    #[error("given up because another download failed")]
    Cancelled,
}

impl Explain for Stopped {
    fn exit(&self) -> Exit {
        match self {
            Self::Interrupted(interrupted) => interrupted.exit(),
            Self::Cancelled => Exit::Source,
        }
    }
}

impl Stop {
    /// Asks everybody who shares this flag to end.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Fails when the process was asked to end, or [`Stop::cancel`] was called.
    pub fn check(&self) -> Result<(), Stopped> {
        interrupt::check()?;
        if self.0.load(Ordering::SeqCst) { Err(Stopped::Cancelled) } else { Ok(()) }
    }
}
