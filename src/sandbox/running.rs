//! A script that runs: a child of this process, or of the gear's supervisor.

use super::children::{Answer, LONGEST};
use super::errand::{self, Errand};
use super::{SandboxError, Status};
use crate::sys::process::Stamp;
use crate::sys::{packets, process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::Duration;

/// A script that runs.
pub(super) enum Running {
    /// As a child of this process, with a handle where the kernel has such.
    Here(Child, Option<OwnedFd>),
    /// As a child of the supervisor, which tells on the wire how it ends.
    Inside { id: Option<u32>, wire: OwnedFd, ended: Option<Status> },
}

impl Running {
    /// Runs it as a child of this process.
    pub(super) fn here(mut command: Command) -> io::Result<Self> {
        let child = command.spawn()?;
        let handle = process::handle_of(child.id()).ok();
        Ok(Self::Here(child, handle))
    }

    /// Lets the supervisor `first` run it, with these outputs.
    pub(super) fn inside(
        first: Stamp,
        errand: &Errand,
        (stdout, stderr): (&File, &File),
    ) -> Result<Self, SandboxError> {
        let fail = |source| SandboxError::Start { program: errand.program.clone(), source };
        let wire = errand::sealed(errand).and_then(|letter| ask(first, &letter, [stdout, stderr]));
        let wire = wire.map_err(fail)?;
        match read(&wire).map_err(fail)? {
            Some((Answer::Runs, handed)) => {
                let handle = handed.first();
                // One that was buried already has none.
                let id = handle.and_then(process::id_of);
                Ok(Self::Inside { id, wire, ended: None })
            }
            Some((Answer::Trouble(trouble), _)) => Err(trouble.with(&errand.program)),
            _ => Err(fail(io::Error::other("the gear's supervisor has ended"))),
        }
    }

    /// Its id; none when it had gone before anybody could look.
    pub(super) fn id(&self) -> Option<u32> {
        match self {
            Self::Here(child, _) => Some(child.id()),
            Self::Inside { id, .. } => *id,
        }
    }

    /// How it ended, if it has.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<Status>> {
        match self {
            Self::Here(child, _) => Ok(child.try_wait()?.map(status_of)),
            Self::Inside { wire, ended, .. } => {
                if ended.is_none() && is_ready(wire, Duration::ZERO) {
                    *ended = Some(told(wire)?);
                }
                Ok(*ended)
            }
        }
    }

    /// Waits for its end.
    pub(super) fn wait(&mut self) -> io::Result<Status> {
        match self {
            Self::Here(child, _) => Ok(status_of(child.wait()?)),
            Self::Inside { wire, ended, .. } => match *ended {
                Some(status) => Ok(status),
                None => told(wire).inspect(|status| *ended = Some(*status)),
            },
        }
    }

    /// Waits until it may have ended, at most `time`.
    pub(super) fn nap(&self, time: Duration) {
        // A millisecond at least: a wait of nothing would only turn the loop.
        let time = time.max(Duration::from_millis(1));
        match self {
            Self::Here(_, Some(end)) | Self::Inside { wire: end, .. } => {
                is_ready(end, time);
            }
            // A kernel before 5.3 has no such handle.
            Self::Here(_, None) => std::thread::sleep(time.min(Duration::from_millis(5))),
        }
    }
}

/// Asks the supervisor `first` to do what stands in `letter`; gives the wire on which it answers.
fn ask(first: Stamp, letter: &File, [stdout, stderr]: [&File; 2]) -> io::Result<OwnedFd> {
    // Their end is theirs alone in the end: when they go, that is heard.
    let (wire, theirs) = packets::pair()?;
    let door = packets::of_another(first.handle()?, super::supervisor::DOOR)?;
    let handed = [theirs.as_fd(), letter.as_fd(), stdout.as_fd(), stderr.as_fd()];
    packets::send(door, b"e", &handed)?;
    Ok(wire)
}

/// Waits until the supervisor `first` has begun everything that it was asked before, at most `time`.
/// Whoever may not ask it has not asked it anything either.
pub(super) fn settle(first: Stamp, time: Duration) -> io::Result<()> {
    // A letter with nothing in it is answered as any other, in its turn.
    let letter = errand::blank()?;
    let wire = ask(first, &letter, [&letter, &letter])?;
    is_ready(&wire, time);
    Ok(())
}

/// Waits at most `time`. Whether it is ready, was interrupted or took too long: who waits looks anyway.
fn is_ready(end: &OwnedFd, time: Duration) -> bool {
    let Ok(limit) = Timespec::try_from(time) else { return false };
    poll(&mut [PollFd::new(end, PollFlags::IN)], Some(&limit)).is_ok_and(|ready| ready > 0)
}

fn status_of(status: std::process::ExitStatus) -> Status {
    let signal = status.signal().unwrap_or_default();
    status.code().map_or(Status::Signalled(signal), Status::Exited)
}

/// How it ended, as the supervisor tells. Where that has been killed, so has everything in the gear.
fn told(wire: &OwnedFd) -> io::Result<Status> {
    Ok(match read(wire)? {
        Some((Answer::Exited(code), _)) => Status::Exited(code),
        Some((Answer::Signalled(signal), _)) => Status::Signalled(signal),
        _ => Status::Signalled(libc::SIGKILL),
    })
}

fn read(wire: &OwnedFd) -> io::Result<Option<(Answer, Vec<OwnedFd>)>> {
    match packets::receive(wire, LONGEST) {
        Ok(Some((text, handed))) => Ok(Some((serde_json::from_slice(&text)?, handed))),
        Ok(None) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
        Err(error) => Err(error),
    }
}
