//! The helper that runs a command inside a gear's namespaces: this same program under another name.
//!
//! It is told what to do in a file in memory, since the gear's variables must not be those of a
//! process that still has its rights. It waits for the command, dies with `cart`, and ends as the
//! command did.

use super::confinement::{AsStream, Reach};
use super::supervisor::ourselves;
use super::{SandboxError, User};
use crate::sys::process::{self, Confines, Limits, Stamp};
use crate::sys::{cgroup, namespace};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The name under which this program is the helper.
pub const ENTER: &str = "cart-enter";

/// Whether the command has the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Session {
    /// It leads a session of its own.
    Own,
    /// It stays in that of the caller.
    Terminal,
}

/// What the helper is to do.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Errand {
    pub(super) first: Stamp,
    pub(super) groups: Vec<PathBuf>,
    pub(super) user: Option<User>,
    pub(super) limits: Limits,
    pub(super) reach: Reach,
    pub(super) session: Session,
    pub(super) folder: PathBuf,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
}

/// What went wrong on an errand, as the helper leaves it in the file.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Trouble {
    code: Option<i32>,
    text: String,
}

/// The file of an errand, by which the helper tells what went wrong.
#[derive(Debug)]
pub(super) struct Letter(File);

impl Errand {
    /// The command that does it; its streams are set by the caller.
    pub(super) fn command(&self) -> io::Result<(Command, Letter)> {
        let mut file = File::from(memfd_create("cart-errand", MemfdFlags::CLOEXEC)?);
        file.write_all(&serde_json::to_vec(self)?)?;
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
        let mut text = String::new();
        let read = self.0.rewind().and_then(|()| self.0.read_to_string(&mut text));
        let trouble = match read {
            Ok(_) => serde_json::from_str::<Trouble>(&text).ok(),
            Err(error) => Some(Trouble { code: None, text: error.to_string() }),
        };
        trouble.map_or(Ok(()), |Trouble { code, text }| {
            let source = match code {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::other(text),
            };
            Err(SandboxError::Start { program: program.to_owned(), source })
        })
    }
}

/// Does the errand in the open file with that number; gives the exit status.
pub fn enter(number: &str) -> u8 {
    let Ok(mut letter) = reopen(number) else { return 1 };
    let done = read(&mut letter).and_then(|errand| run(&errand));
    match done {
        Ok(status) => end_as(status),
        Err(error) => {
            let trouble = Trouble { code: error.raw_os_error(), text: error.to_string() };
            let text = serde_json::to_vec(&trouble).unwrap_or_default();
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

/// Reads the errand and empties the file: what is in it later is trouble.
fn read(letter: &mut File) -> io::Result<Errand> {
    let mut text = Vec::new();
    letter.read_to_end(&mut text)?;
    letter.set_len(0)?;
    letter.rewind()?;
    Ok(serde_json::from_slice(&text)?)
}

fn run(errand: &Errand) -> io::Result<ExitStatus> {
    // A signal for the command is for it alone; this process ends when it does.
    let flag = Arc::new(AtomicBool::new(false));
    for signal in match errand.session {
        Session::Own => vec![signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT],
        Session::Terminal => vec![signal_hook::consts::SIGINT, signal_hook::consts::SIGQUIT],
    } {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    for door in cgroup::doors(&errand.groups) {
        cgroup::enter(&door)?;
    }
    namespace::enter(errand.first)?;
    let streams: [&dyn AsStream; 3] = [&io::stdin(), &io::stdout(), &io::stderr()];
    let confines = Confines {
        may_gain: false,
        limits: errand.limits,
        user: errand.user.map(|User { uid, gid }| (uid, gid)),
        doors: Vec::new(),
        reach: errand.reach.rules(&streams)?,
    };
    let mut command = process::command(&errand.program);
    command
        .args(&errand.arguments)
        .envs(errand.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&errand.folder);
    match errand.session {
        Session::Own => process::confine_as(&mut command, confines),
        Session::Terminal => process::restrain_as(&mut command, confines),
    }
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
