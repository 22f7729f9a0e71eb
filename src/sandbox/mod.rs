//! Runs a script: rebuilt environment, own user, limits, captured output, a time limit, and
//! nothing left behind that was not meant to stay.
//!
//! Output goes to files, not pipes: a daemon that keeps them open cannot hold anybody up. Which
//! script runs, and what its result means, is decided above.

mod hand_over;
mod interpreter;
mod namespace;

pub use hand_over::hand_over;
pub use interpreter::of as interpreter;
pub use namespace::has_namespaces;

use crate::error::{Exit, Explain, FsError};
use crate::sys::interrupt::{self, Interrupted};
use crate::sys::process::{self, Limits};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a running script is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// How long processes may take to heed SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

/// A script that is to run.
#[derive(Debug)]
pub struct Script<'a> {
    /// The program's file.
    pub program: &'a Path,
    /// Its arguments; no shell reads them.
    pub arguments: &'a [String],
    /// The directory that it runs in.
    pub directory: &'a Path,
    /// All of its environment.
    pub environment: &'a BTreeMap<String, String>,
    /// The user and group that it runs as; nothing for the user of `cart`.
    pub user: Option<(u32, u32)>,
    /// The commands that are laid over `/usr/bin` for it, where the host allows that.
    pub shims: Option<&'a Path>,
    /// When it must be over.
    pub time_limit: Duration,
    /// Where everything that it prints goes: its stdout, its stderr.
    pub output: (File, File),
    /// How much of it is read back, in bytes each.
    pub most_output: u64,
    /// Variables by which its processes are found; they are part of the environment, too.
    pub marks: &'a [(String, String)],
    /// What becomes of processes that it leaves behind.
    pub leftovers: Leftovers,
}

/// What becomes of processes that a script leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// They stay: that is what `start` is for.
    Keep,
    /// They are ended.
    End,
}

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// It took too long, and was ended with everything that it had started.
    TimedOut,
}

/// What became of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// The beginning of what it printed.
    pub stdout: String,
    /// The beginning of its complaints.
    pub stderr: String,
    /// How many processes it left behind that were ended.
    pub ended: usize,
}

impl Outcome {
    /// Tells whether it ended with status 0.
    pub fn succeeded(&self) -> bool {
        self.ending == Ending::Status(0)
    }
}

/// A script could not be run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It cannot be started.
    #[error("cannot run `{}`", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Its output cannot be read back.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Somebody asked `cart` to end; everything that the script had started was ended.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Explain for SandboxError {
    fn exit(&self) -> Exit {
        match self {
            Self::Interrupted(why) => why.exit(),
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Start { .. } => {
                Some("check its first line (`#!`), its line endings and its permissions".into())
            }
            Self::Fs(error) => error.hint(),
            Self::Interrupted(_) => None,
        }
    }
}

/// Runs `script` to its end, its time limit, or an interruption.
pub fn run(script: Script<'_>) -> Result<Outcome, SandboxError> {
    process::adopt_orphans();
    let (mut stdout, mut stderr) = script.output;
    let failed = |source| SandboxError::Start { program: script.program.to_owned(), source };
    let (program, leading) = interpreter::of(script.program)?;
    let (mut command, user) = match script.shims {
        None => (process::command(&program), script.user),
        Some(shims) => {
            let (outer, words) = namespace::wrapping(shims, script.user);
            let mut command = process::command(&outer);
            command.args(words).arg(&program);
            (command, None)
        }
    };
    command
        .args(leading)
        .args(script.arguments)
        .current_dir(script.directory)
        .envs(script.environment)
        .envs(script.marks.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().map_err(failed)?)
        .stderr(stderr.try_clone().map_err(failed)?);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    process::confine(&mut command, Limits::default());
    let mut child = command.spawn().map_err(failed)?;
    let family = Family { child: child.id(), marks: script.marks };
    let ending = wait(&mut child, script.time_limit, &family)?;
    let ended = match (ending, script.leftovers) {
        (Ending::Status(0), Leftovers::Keep) => 0,
        _ => family.end()?,
    };
    Ok(Outcome {
        ending,
        stdout: read_back(&mut stdout, script.most_output),
        stderr: read_back(&mut stderr, script.most_output),
        ended,
    })
}

/// The processes of one script: its descendants, and whoever carries its marks.
struct Family<'a> {
    child: u32,
    marks: &'a [(String, String)],
}

impl Family<'_> {
    fn end(&self) -> Result<usize, FsError> {
        let marks: Vec<String> =
            self.marks.iter().map(|(name, value)| format!("{name}={value}")).collect();
        process::end_all(
            || {
                let mut all = process::descendants(self.child)?;
                if !marks.is_empty() {
                    all.extend(process::marked(&marks)?);
                }
                all.sort_unstable();
                all.dedup();
                Ok(all)
            },
            GRACE,
        )
    }
}

/// Waits for the direct child alone; ends the whole family when time is up or `cart` is to end.
fn wait(child: &mut Child, limit: Duration, family: &Family<'_>) -> Result<Ending, SandboxError> {
    let until = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(ending(status)),
            Ok(None) => {}
            // Somebody else has reaped it; it is over, and nobody knows how.
            Err(_) => return Ok(Ending::Signal(0)),
        }
        let interrupted = interrupt::check().err();
        if interrupted.is_some() || Instant::now() >= until {
            family.end()?;
            process::signal(child.id(), rustix::process::Signal::KILL);
            // It has been killed; what is left to know is only that it is gone.
            let _ = child.wait();
            return interrupted.map_or(Ok(Ending::TimedOut), |why| Err(why.into()));
        }
        std::thread::sleep(GLANCE);
    }
}

fn ending(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Status(code),
        (None, signal) => Ending::Signal(signal.unwrap_or_default()),
    }
}

/// Reads the beginning of a captured output; one that cannot be read is told as such in its place.
fn read_back(file: &mut File, most: u64) -> String {
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(most).read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(the output cannot be read: {error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs::Dir;

    struct Bench {
        temp: tempfile::TempDir,
        environment: BTreeMap<String, String>,
        marks: Vec<(String, String)>,
    }

    impl Bench {
        fn new() -> Self {
            let mark = crate::sys::random::hex(8).unwrap();
            Self {
                temp: tempfile::tempdir().unwrap(),
                environment: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
                marks: vec![("CART_TEST_MARK".into(), mark)],
            }
        }

        fn run(&self, text: &str, mode: u32, leftovers: Leftovers) -> Outcome {
            self.limited(text, (mode, leftovers), Duration::from_secs(20))
        }

        fn limited(
            &self,
            text: &str,
            (mode, leftovers): (u32, Leftovers),
            time_limit: Duration,
        ) -> Outcome {
            let dir = Dir::open(self.temp.path()).unwrap();
            dir.replace_file("script", text.as_bytes(), mode).unwrap();
            run(Script {
                program: &self.temp.path().join("script"),
                arguments: &["one two".into(), "$(three)".into()],
                directory: self.temp.path(),
                environment: &self.environment,
                user: None,
                shims: None,
                time_limit,
                output: (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()),
                most_output: 100,
                marks: &self.marks,
                leftovers,
            })
            .unwrap()
        }

        fn marked(&self) -> Vec<u32> {
            let marks = [format!("CART_TEST_MARK={}", self.marks[0].1)];
            process::marked(&marks).unwrap()
        }
    }

    #[test]
    fn a_script_sees_its_arguments_and_environment_and_nothing_else() {
        let bench = Bench::new();
        let text = "#!/bin/bash\necho \"$#:$1:$2\"; pwd; env | cut -d= -f1 | sort | tr '\\n' ' '\n\
                    umask; cat; echo bad >&2; exit 3\n";
        let outcome = bench.run(text, 0o755, Leftovers::End);
        let mut lines = outcome.stdout.lines();
        assert_eq!(lines.next(), Some("2:one two:$(three)"));
        assert_eq!(lines.next(), bench.temp.path().to_str());
        assert_eq!(lines.next(), Some("CART_TEST_MARK PATH PWD SHLVL _ 0022"));
        assert_eq!(outcome.stderr, "bad\n");
        assert_eq!(outcome.ending, Ending::Status(3));
    }

    #[test]
    fn a_script_runs_without_x_and_without_an_interpreter_line() {
        let bench = Bench::new();
        for (text, mode) in [
            ("#!/bin/bash\n[[ a == a ]] && echo fine", 0o644),
            ("shopt -s nullglob; echo fine", 0o755),
        ] {
            let outcome = bench.run(text, mode, Leftovers::End);
            assert_eq!((outcome.stdout.as_str(), outcome.ending), ("fine\n", Ending::Status(0)));
        }
        let outcome = bench.run("#!/usr/bin/perl\nprint 'perl'", 0o644, Leftovers::End);
        assert_eq!(outcome.stdout, "perl", "its own interpreter, also without +x");
    }

    #[test]
    fn a_daemon_that_keeps_its_output_open_holds_nobody_up() {
        let bench = Bench::new();
        let began = Instant::now();
        let text = "#!/bin/bash\nsleep 600 & echo started\n";
        let outcome = bench.run(text, 0o755, Leftovers::Keep);
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!((outcome.stdout.as_str(), outcome.ended), ("started\n", 0));
        assert_eq!(bench.marked().len(), 1, "a daemon stays");
        let outcome = bench.run("#!/bin/bash\n(setsid sleep 600 &)\n", 0o755, Leftovers::End);
        assert_eq!(outcome.ended, 2, "what any other script leaves behind is ended");
        assert!(bench.marked().is_empty());
    }

    #[test]
    fn time_is_up_for_the_whole_family() {
        let bench = Bench::new();
        let text = "#!/bin/bash\ntrap '' TERM\n(setsid sleep 600 &)\nwhile :; do sleep 1; done\n";
        let limit = Duration::from_millis(300);
        let outcome = bench.limited(text, (0o755, Leftovers::Keep), limit);
        assert_eq!(outcome.ending, Ending::TimedOut);
        assert!(bench.marked().is_empty());
    }

    #[test]
    fn much_output_is_cut() {
        let bench = Bench::new();
        let outcome = bench.run("#!/bin/bash\nseq 1 10000\n", 0o755, Leftovers::End);
        assert_eq!(outcome.stdout.len(), 100);
    }
}
