//! Running the scripts of packages and gears.
//!
//! A script gets the environment that it is given and nothing else, its own session, its account,
//! limits, and a time; what it prints goes into files. A gear's scripts are kept within its
//! namespaces, control groups and reach ([`Confinement`]). It never hangs its caller: the end of the
//! script itself is waited for, not the end of what it leaves running. No shell sees a text that
//! is put together here.

mod ability;
mod capture;
mod children;
mod confinement;
mod echo;
mod enter;
mod errand;
mod external;
mod family;
mod hand_over;
mod held;
mod line;
mod mounts;
mod record;
mod run;
mod running;
mod shipped;
mod supervisor;

use crate::error::{Exit, Explain, FsError};
use crate::sys::fs::Dir;
use crate::sys::process::Limits;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use ability::{has_namespaces, known as known_namespaces};
pub use capture::Output;
pub use confinement::{Confinement, Level, Temporary};
pub use enter::{ENTER, enter};
pub use external::{Contract, ExternalCall, call_external, chain, inherited};
pub use hand_over::{hand_over, run_here};
pub use held::{end, expect, release, settle};
pub use line::{CommandLine, Sourced};
pub use record::{Record, all as all_running, of as running, sweep};
pub use run::{run, run_for_host, run_heard};
pub use shipped::{shipped_externals, write_externals};
pub use supervisor::{SUPERVISOR, supervise};

/// The account that a script runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct User {
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
}

/// What becomes of processes that a script leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// They stay: the script starts a service.
    Keep,
    /// They are ended and counted.
    End,
}

/// How long a script may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Until it is told to end.
    pub limit: Duration,
    /// From then until it, and everything that it began, is killed.
    pub grace: Duration,
}

/// Where the output of a script goes.
#[derive(Clone, Copy, Debug)]
pub struct Capture<'a> {
    /// A directory that the script's account cannot reach.
    pub folder: &'a Dir,
    /// The files are `<name>.out` and `<name>.err`; what was there before is replaced.
    pub name: &'a str,
    /// How many bytes of each come back as text. A script that prints 64 times as much is ended.
    pub keep: u64,
}

/// One script to run.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// What to run.
    pub line: &'a CommandLine,
    /// The directory that it begins in.
    pub folder: &'a Path,
    /// Its whole environment, but for the marks.
    pub env: &'a BTreeMap<String, OsString>,
    /// Variables, name and value, by which everything that it begins can be found again. They
    /// should be this run's own: with the marks of a whole gear, ending this script's leftovers
    /// would end the gear.
    pub marks: &'a [(String, String)],
    /// The account; the caller's own when there is none.
    pub user: Option<User>,
    /// What it is kept within; nothing where it is no gear's.
    pub confinement: Option<&'a Confinement>,
    /// What each of its processes may use.
    pub limits: Limits,
    /// How long it may take.
    pub time: Time,
    /// What becomes of what it leaves behind.
    pub leftovers: Leftovers,
    /// Where its output goes.
    pub capture: Capture<'a>,
}

/// What a program gets that works for the host itself and is no gear's: an external of the
/// administrator's may call `sudo`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForHost<'a> {
    /// What it reads on its standard input. A file and no pipe: whoever does not read it harms nobody.
    pub input: Option<&'a std::fs::File>,
}

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// With this exit status.
    Exited(i32),
    /// Killed by this signal, which was not ours.
    Signalled(i32),
    /// Ended by us: its time was over.
    TimedOut,
    /// Ended by us: it printed without end.
    Flooded,
    /// Ended by us: somebody interrupted `cart`.
    Interrupted,
}

/// What came of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// What it wrote to standard output.
    pub stdout: Output,
    /// What it wrote to standard error.
    pub stderr: Output,
    /// How many processes that it left behind were ended.
    pub ended_leftovers: usize,
    /// How long it took.
    pub duration: Duration,
}

impl Outcome {
    /// Tells whether the script itself says that all is well.
    pub fn is_success(&self) -> bool {
        self.status == Status::Exited(0)
    }
}

/// A script that could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Its first line ends in a carriage return.
    #[error("`{}` has DOS line ends (CRLF), which no shell can read", .0.display())]
    DosLines(PathBuf),
    /// The program that its first line names is not there.
    #[error("`{}` needs `{}`, which is not there", file.display(), interpreter.escape_debug())]
    NoInterpreter {
        /// The script.
        file: PathBuf,
        /// The program.
        interpreter: String,
    },
    /// The namespaces of a gear cannot be made, though the host allows them.
    #[error("cannot make the gear's namespaces")]
    Namespaces(#[source] std::io::Error),
    /// The system did not start it.
    #[error("cannot start `{}`", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A file operation failed.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl Explain for SandboxError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
    fn hint(&self) -> Option<String> {
        match self {
            Self::DosLines(_) => Some("give it UNIX line ends: `sed -i 's/\\r$//' FILE`".into()),
            Self::NoInterpreter { interpreter, .. } if is_python_2(interpreter) => Some(
                "that is Python 2, which this host does not have: the script has to be changed for \
                 `python3`, or Python 2 be installed under that name"
                    .into(),
            ),
            Self::NoInterpreter { interpreter, .. } => {
                Some(format!("install what provides `{}`", interpreter.escape_debug()))
            }
            Self::Start { program, source } => match source.kind() {
                std::io::ErrorKind::NotFound => {
                    Some(format!("install `{}`, or check the script's folder", program.display()))
                }
                std::io::ErrorKind::PermissionDenied => {
                    Some("check that its account may enter every folder that leads to it".into())
                }
                std::io::ErrorKind::ArgumentListTooLong => {
                    Some("the variables of this gear are too long altogether".into())
                }
                _ => None,
            },
            Self::Namespaces(_) => {
                Some("check that the gear's `.tmp` is a folder, and not a link".into())
            }
            Self::Fs(error) => error.hint(),
        }
    }
}

fn is_python_2(interpreter: &str) -> bool {
    matches!(interpreter.rsplit('/').next(), Some("python" | "python2" | "python2.6" | "python2.7"))
}

#[cfg(test)]
mod tests;
