//! The scripts that a gear's supervisor runs for `cart`, as its own children.
//!
//! They are in its namespaces, control groups and reach by birth. All of a gear's scripts so share
//! one reach, in which the kernel lets each look at what the others began, as `lsof` does.

use super::errand::{self, Errand, Trouble};
use crate::sys::{packets, process};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, WaitStatus, kill_process_group};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;

/// What the supervisor answers.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) enum Answer {
    /// The script runs; its handle comes with it.
    Runs,
    /// It does not.
    Trouble(Trouble),
    /// It ended with this status.
    Exited(i32),
    /// It ended by this signal.
    Signalled(i32),
}

/// The longest answer, in bytes.
pub(super) const LONGEST: usize = 1 << 14;

/// Says it; who has gone need not hear it.
fn answer(wire: &OwnedFd, answer: &Answer, handed: &[&OwnedFd]) {
    let text = serde_json::to_vec(answer).unwrap_or_default();
    let handed: Vec<_> = handed.iter().map(AsFd::as_fd).collect();
    let _ = packets::send(wire, &text, &handed);
}

/// The scripts that run, each with the wire of the `cart` that waits for it.
#[derive(Debug)]
pub(super) struct Children {
    asked: OwnedFd,
    running: Vec<(Pid, OwnedFd)>,
}

impl Children {
    /// Begins with no script; errands come through `asked`.
    pub(super) fn new(asked: OwnedFd) -> Self {
        Self { asked, running: Vec::new() }
    }

    /// What to wait for.
    pub(super) fn ends(&self) -> Vec<PollFd<'_>> {
        let wires = self.running.iter().map(|(_, wire)| wire);
        std::iter::once(&self.asked)
            .chain(wires)
            .map(|end| PollFd::new(end, PollFlags::IN))
            .collect()
    }

    /// Takes up what was waited for: `told` says of each of the [`ends`](Self::ends) whether there is
    /// something.
    pub(super) fn take_up(&mut self, told: &[bool]) {
        // Nobody says anything on the wire of a script: it can only have been let go.
        for ((id, _), _) in self.running.iter().zip(told.iter().skip(1)).filter(|(_, told)| **told)
        {
            // One that has ended is buried in a moment.
            let _ = kill_process_group(*id, Signal::KILL);
        }
        if told.first() == Some(&true) {
            self.begin();
        }
    }

    /// Begins what is asked for.
    fn begin(&mut self) {
        let Ok(Some((_, handed))) = packets::receive(&self.asked, 1) else { return };
        // What is not asked by `cart` is not answered either.
        let Ok([wire, letter, stdout, stderr]) = <[OwnedFd; 4]>::try_from(handed) else { return };
        match begin(letter, stdout, stderr) {
            Ok((id, handle)) => {
                answer(&wire, &Answer::Runs, &[&handle]);
                self.running.push((id, wire));
            }
            Err(error) => answer(&wire, &Answer::Trouble(Trouble::of(&error)), &[]),
        }
    }

    /// Tells who waits for `id` how it ended.
    pub(super) fn ended(&mut self, id: Pid, status: WaitStatus) {
        let Some(at) = self.running.iter().position(|(child, _)| *child == id) else { return };
        let (_, wire) = self.running.swap_remove(at);
        let told = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Answer::Exited(code),
            (None, signal) => Answer::Signalled(signal.unwrap_or_default()),
        };
        answer(&wire, &told, &[]);
    }
}

fn begin(letter: OwnedFd, stdout: OwnedFd, stderr: OwnedFd) -> io::Result<(Pid, OwnedFd)> {
    let errand: Errand = errand::opened(&mut File::from(letter))?;
    let mut command = errand.command();
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    process::confine(&mut command, errand.limits);
    let child = command.spawn()?;
    // It cannot be buried before this process looks for its dead.
    let handle = process::handle_of(child.id())?;
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    Ok((id.ok_or_else(|| io::Error::from(rustix::io::Errno::SRCH))?, handle))
}
