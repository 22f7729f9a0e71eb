//! One run of `git`: its output as it comes, a limit in time, and an end of the whole process tree.

use super::super::redact;
use super::super::stop::Stop;
use super::error::GitError;
use crate::sys::process::{self, Limits};
use crate::sys::random;
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// How much of git's complaints is kept.
const KEPT: usize = 8 << 10;
/// How soon a wish to end is noticed.
const GLANCE: Duration = Duration::from_millis(50);

/// Everything that is the same for the runs of one fetch.
pub(super) struct Runner<'a> {
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) stop: &'a Stop,
    pub(super) deadline: Instant,
    pub(super) seconds: u64,
    /// The longest file that git may write, in bytes.
    pub(super) longest: u64,
    /// The repository's name in errors, redacted.
    pub(super) place: String,
}

enum Said {
    Out(Vec<u8>),
    Complaint(Vec<u8>),
}

/// What takes git's output; an error ends git.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> Result<(), GitError>;

impl Runner<'_> {
    /// Runs `git` with `arguments`; `verb` says in an error what it could not do.
    pub(super) fn run(
        &self,
        verb: &'static str,
        arguments: &[OsString],
        sink: Sink<'_>,
    ) -> Result<(), GitError> {
        let mark = random::hex(12)?;
        let mut command = process::command(Path::new("git"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("CART_FETCH", &mark).args(arguments).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        process::confine(
            &mut command,
            Limits { file_size: Some(self.longest), ..Limits::default() },
        );
        let mut child = command.spawn().map_err(GitError::NoGit)?;
        let said = listen(&mut child);
        let mut complaints = Vec::new();
        let ended = self.attend(&said, sink, &mut complaints).and_then(|()| self.wait(&mut child));
        let ended = ended.inspect_err(|_| end(&mut child, &mark));
        if ended?.success() {
            return Ok(());
        }
        Err(GitError::Failed { verb, place: self.place.clone(), said: essence(&complaints) })
    }

    /// Runs `git` and gives what it printed, at most `limit` bytes.
    pub(super) fn output(
        &self,
        verb: &'static str,
        arguments: &[OsString],
        limit: usize,
    ) -> Result<String, GitError> {
        let mut output = Vec::new();
        self.run(verb, arguments, &mut |bytes| {
            output.extend_from_slice(bytes);
            if output.len() <= limit {
                return Ok(());
            }
            let place = self.place.clone();
            Err(GitError::TooLarge { place, limit: limit as u64, what: "bytes of names" })
        })?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn attend(
        &self,
        said: &Receiver<Said>,
        sink: Sink<'_>,
        complaints: &mut Vec<u8>,
    ) -> Result<(), GitError> {
        loop {
            self.check()?;
            match said.recv_timeout(GLANCE) {
                Ok(Said::Out(bytes)) => sink(&bytes)?,
                Ok(Said::Complaint(bytes)) => {
                    complaints.extend(bytes);
                    let excess = complaints.len().saturating_sub(KEPT);
                    complaints.drain(..excess);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, GitError> {
        loop {
            if let Some(status) = child.try_wait().map_err(GitError::NoGit)? {
                return Ok(status);
            }
            self.check()?;
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn check(&self) -> Result<(), GitError> {
        self.stop.check()?;
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(GitError::TooSlow { place: self.place.clone(), seconds: self.seconds })
    }
}

/// The last lines of what git complained about, without those that are always the same.
fn essence(complaints: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaints);
    let told = |line: &&str| {
        let always =
            line.starts_with("Please make sure you have") || *line == "and the repository exists.";
        !line.is_empty() && !always
    };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(told).collect();
    let last = lines.get(lines.len().saturating_sub(3)..).unwrap_or_default();
    redact::text(&last.join("; "))
}

/// Ends git and everything that it has started, which still carries its mark.
fn end(child: &mut Child, mark: &str) {
    let marks = [format!("CART_FETCH={mark}")];
    // The failure that led here is the one to report; what cannot be listed dies with `cart`.
    let _ = process::end_all(|| process::marked(&marks), Duration::from_millis(500));
    let _ = child.kill();
    let _ = child.wait();
}

fn listen(child: &mut Child) -> Receiver<Said> {
    let (sender, said) = sync_channel(16);
    if let Some(out) = child.stdout.take() {
        relay(out, sender.clone(), Said::Out);
    }
    if let Some(complaints) = child.stderr.take() {
        relay(complaints, sender, Said::Complaint);
    }
    said
}

/// Passes on what comes out of a pipe until it closes or nobody listens.
fn relay(mut pipe: impl Read + Send + 'static, to: SyncSender<Said>, what: fn(Vec<u8>) -> Said) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            if to.send(what(buffer.get(..length).unwrap_or_default().to_vec())).is_err() {
                return;
            }
        }
    });
}
