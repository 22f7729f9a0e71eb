//! The helper that gives the terminal to a command inside a gear's namespaces: this same program
//! under another name.
//!
//! A command that has the terminal is of the caller's session, which no child of the gear's
//! supervisor can be. The helper waits for it, dies with `cart`, and ends as the command did.

use super::confinement::{AsStream, Reach};
use super::errand::{self, Errand, Trouble};
use super::supervisor::ourselves;
use super::{SandboxError, User};
use crate::sys::process::{self, Confines, Stamp};
use crate::sys::{cgroup, namespace};
use rustix::process::{Pid, Signal};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The name under which this program is the helper.
pub const ENTER: &str = "cart-enter";

/// What the helper is to do.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Entry {
    pub(super) first: Stamp,
    pub(super) groups: Vec<PathBuf>,
    pub(super) user: Option<User>,
    pub(super) reach: Reach,
    pub(super) errand: Errand,
}

/// The file of an entry, by which the helper tells what went wrong.
#[derive(Debug)]
pub(super) struct Letter(File);

impl Entry {
    /// The command that does it; its streams are set by the caller.
    pub(super) fn command(&self) -> io::Result<(Command, Letter)> {
        let file = errand::sealed(self)?;
        let mut command = ourselves(ENTER);
        let handed = file.try_clone()?;
        command.arg(handed.as_raw_fd().to_string());
        process::hand_down(&mut command, handed);
        Ok((command, Letter(file)))
    }
}

impl Letter {
    /// Why the command was not run, once the helper has ended.
    pub(super) fn trouble(mut self, program: &Path) -> Result<(), SandboxError> {
        // Nothing but trouble is readable there: the helper empties it.
        match errand::opened::<Trouble>(&mut self.0) {
            Ok(trouble) => Err(trouble.with(program)),
            Err(_) => Ok(()),
        }
    }
}

/// Does the errand in the open file with that number; gives the exit status.
pub fn enter(number: &str) -> u8 {
    let Ok(mut letter) = reopen(number) else { return 1 };
    let done = read(&mut letter).and_then(|entry| run(&entry));
    match done {
        Ok(status) => end_as(status),
        Err(error) => {
            let text = serde_json::to_vec(&Trouble::of(&error)).unwrap_or_default();
            // Where even that fails, the exit status says that something did.
            let _ = letter.write_all(&text);
            125
        }
    }
}

/// Opens the file anew by its number, before `/proc` is the gear's.
#[expect(clippy::disallowed_methods, reason = "a file in memory, which has no other name")]
fn reopen(number: &str) -> io::Result<File> {
    let number: u32 = number.parse().map_err(io::Error::other)?;
    std::fs::OpenOptions::new().read(true).write(true).open(format!("/proc/self/fd/{number}"))
}

/// Reads the entry and empties the file: what is in it later is trouble.
fn read(letter: &mut File) -> io::Result<Entry> {
    let entry = errand::opened(letter)?;
    letter.set_len(0)?;
    letter.rewind()?;
    Ok(entry)
}

fn run(entry: &Entry) -> io::Result<ExitStatus> {
    // A signal for the command is for it alone; this process ends when it does.
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    for door in cgroup::doors(&entry.groups) {
        cgroup::enter(&door)?;
    }
    namespace::enter(entry.first)?;
    let streams: [&dyn AsStream; 3] = [&io::stdin(), &io::stdout(), &io::stderr()];
    let confines = Confines {
        may_gain: false,
        limits: entry.errand.limits,
        user: entry.user.map(|User { uid, gid }| (uid, gid)),
        doors: Vec::new(),
        reach: entry.reach.rules(&streams)?,
    };
    let mut command = entry.errand.command();
    process::restrain_as(&mut command, confines);
    command.spawn()?.wait()
}

/// Ends as the command did: with its status, or by its signal.
fn end_as(status: ExitStatus) -> u8 {
    if let Some(signal) = status.signal().and_then(Signal::from_named_raw) {
        process::dump_no_core();
        let me: Pid = rustix::process::getpid();
        // One that is caught here would not end this process.
        let deadly = if [Signal::TERM, Signal::INT, Signal::QUIT].contains(&signal) {
            signal_hook::low_level::emulate_default_handler(signal.as_raw()).is_ok()
        } else {
            rustix::process::kill_process(me, signal).is_ok()
        };
        if deadly {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        return u8::try_from(128 + signal.as_raw()).unwrap_or(u8::MAX);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
