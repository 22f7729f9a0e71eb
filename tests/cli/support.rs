//! A host of the test's own, and what `cart` said on it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A temporary root. Every call has `CART_ROOT` pointing to it, and almost no other environment.
pub(crate) struct Host {
    temp: tempfile::TempDir,
}

/// One call of `cart`, before it is made.
pub(crate) struct Call {
    command: Command,
    root: PathBuf,
    stdin: Vec<u8>,
}

/// What a call came to; root and times are replaced by `[ROOT]` and `[TIME]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self { temp: tempfile::tempdir().unwrap() }
    }

    /// The root, without any symbolic link in its path.
    pub(crate) fn root(&self) -> PathBuf {
        self.temp.path().canonicalize().unwrap()
    }

    /// Prepares a call.
    pub(crate) fn call(&self, arguments: &[&str]) -> Call {
        let root = self.root();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cart"));
        command.args(arguments).env_clear().current_dir(&root);
        command.env("CART_ROOT", &root).env("HOME", root.join("home")).env("LANG", "C.UTF-8");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Call { command, root, stdin: Vec::new() }
    }

    /// Makes a call.
    pub(crate) fn cart(&self, arguments: &[&str]) -> Ran {
        self.call(arguments).run()
    }

    /// What lies below the root, one line each: kind, mode, path, and the size of a file or the
    /// target of a link.
    pub(crate) fn tree(&self) -> String {
        let mut lines = Vec::new();
        list(&self.root(), Path::new(""), &mut lines);
        lines.sort();
        lines.concat()
    }
}

fn list(root: &Path, folder: &Path, lines: &mut Vec<String>) {
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        let meta = root.join(&path).symlink_metadata().unwrap();
        let mode = meta.permissions().mode() & 0o7777;
        let mut line = format!("{} ", path.display());
        if meta.is_symlink() {
            let target = root.join(&path).read_link().unwrap();
            let target =
                target.display().to_string().replace(&root.display().to_string(), "[ROOT]");
            writeln!(line, "-> {target}").unwrap();
        } else if meta.is_dir() {
            writeln!(line, "dir {mode:04o}").unwrap();
            list(root, &path, lines);
        } else {
            writeln!(line, "file {mode:04o} {}", meta.len()).unwrap();
        }
        lines.push(line);
    }
}

impl Call {
    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away.
    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Gives it something to read; without this stdin is empty.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.into();
        self
    }

    /// The command itself, for tests that need other streams.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Makes the call.
    pub(crate) fn run(mut self) -> Ran {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        // A program that reads no input may be gone before it is written.
        let _ = child.stdin.take().unwrap().write_all(&self.stdin);
        let output = child.wait_with_output().unwrap();
        let told = |bytes| redact(&self.root, &String::from_utf8(bytes).unwrap());
        Ran {
            status: output.status.code().unwrap_or_else(|| panic!("ended by {}", output.status)),
            stdout: told(output.stdout),
            stderr: told(output.stderr),
        }
    }
}

impl Ran {
    /// Asserts the whole outcome.
    #[track_caller]
    pub(crate) fn is(&self, status: i32, stdout: &str, stderr: &str) {
        let expected = Self { status, stdout: stdout.into(), stderr: stderr.into() };
        assert!(*self == expected, "this came:\n{self}\ninstead of:\n{expected}");
    }

    /// Reads stdout as one JSON document of schema 1.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let document: serde_json::Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}:\n{self}"));
        assert_eq!(document["schema"], 1, "{self}");
        document
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "status {}\n--- stdout\n{}--- stderr\n{}---",
            self.status, self.stdout, self.stderr
        )
    }
}

fn redact(root: &Path, text: &str) -> String {
    redact_times(&text.replace(&root.display().to_string(), "[ROOT]"))
}

/// Replaces every RFC 3339 time by `[TIME]`.
fn redact_times(text: &str) -> String {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = |bytes: &[u8]| {
        bytes.len() == SHAPE.len()
            && bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let mut told = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.as_bytes().get(..SHAPE.len()).is_some_and(fits) {
            told.push_str("[TIME]");
            rest = &rest[SHAPE.len()..];
        } else {
            told.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    told
}

#[test]
fn redactions_touch_roots_and_times_alone() {
    let text = "at 2026-11-21T07:05:00Z in /r/oot/x, 2026-11-21, ü2000-01-01T00:00:00Z";
    assert_eq!(redact(Path::new("/r/oot"), text), "at [TIME] in [ROOT]/x, 2026-11-21, ü[TIME]");
}
