//! What is executed for a script: real ones lack the executable bit, or `#!`, or name a shell that
//! is not the one they were written for (specification of the corpus, 0.6 and 7).

use super::SandboxError;
use crate::sys::fs::{self, Dir};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The shell for every shell script: cartridges say `#!/bin/sh` and mean bash.
const BASH: &str = "/bin/bash";
/// What looks a program up in the gear's own `PATH`.
const ENV: &str = "/usr/bin/env";
/// How much of a file is looked at; the kernel reads 256 bytes of a `#!` line.
const HEAD: u64 = 512;

/// Runs a cartridge's `control` with the application's hooks around it, which are sourced, not run
/// (node specification, 8.2). A constant: what varies comes as positional parameters, the numbers
/// of hooks before and after first.
const AROUND: &str = r#"set -e
__cart_before=("${@:3:$1}")
__cart_after=("${@:3+$1:$2}")
__cart_control=("${@:3+$1+$2}")
set --
for __cart_hook in "${__cart_before[@]}"; do source "$__cart_hook"; done
"${__cart_control[@]}"
for __cart_hook in "${__cart_after[@]}"; do source "$__cart_hook"; done
"#;

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
}

/// The hooks that bash sources around a `control`, as absolute paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sourced<'a> {
    /// Before it, in order.
    pub before: &'a [PathBuf],
    /// After it, in order.
    pub after: &'a [PathBuf],
}

impl CommandLine {
    /// How to run the script or program at the absolute path `file`.
    pub fn of<A: Into<OsString>>(
        file: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self, SandboxError> {
        let mut words = invocation(file)?;
        words.extend(arguments.into_iter().map(Into::into));
        Ok(Self::from_words(words))
    }

    /// How to run one action of the `control` at the absolute path `file`, in one bash together
    /// with the hooks that are sourced. The first failure ends it, with that status.
    pub fn control<A: Into<OsString>>(
        file: &Path,
        arguments: impl IntoIterator<Item = A>,
        sourced: &Sourced,
    ) -> Result<Self, SandboxError> {
        let mut words: Vec<OsString> = vec![BASH.into(), "-c".into(), AROUND.into(), "cart".into()];
        words.push(sourced.before.len().to_string().into());
        words.push(sourced.after.len().to_string().into());
        for hook in sourced.before.iter().chain(sourced.after) {
            refuse_dos_lines(hook, &look_at(hook)?.0)?;
            words.push(hook.into());
        }
        words.extend(invocation(file)?);
        words.extend(arguments.into_iter().map(Into::into));
        Ok(Self::from_words(words))
    }

    fn from_words(words: Vec<OsString>) -> Self {
        let mut words = words.into_iter();
        let program = words.next().unwrap_or_else(|| BASH.into()).into();
        Self { program, arguments: words.collect() }
    }
}

/// The words that run `file`, without its arguments.
fn invocation(file: &Path) -> Result<Vec<OsString>, SandboxError> {
    let (head, executable) = look_at(file)?;
    let bash = |flag: Option<&str>| {
        let words = [Some(BASH.into()), flag.map(OsString::from), Some(file.into())];
        words.into_iter().flatten().collect()
    };
    if head.starts_with(b"\x7fELF") {
        return Ok(vec![file.into()]);
    }
    refuse_dos_lines(file, &head)?;
    let Some(rest) = head.strip_prefix(b"#!") else { return Ok(bash(None)) };
    let first = rest.split(|byte| *byte == b'\n').next().unwrap_or(rest);
    let first = String::from_utf8_lossy(first);
    let first = first.trim();
    let (interpreter, flag) = match first.split_once([' ', '\t']) {
        Some((interpreter, flag)) => (interpreter, Some(flag.trim())),
        None => (first, None),
    };
    if is_shell(interpreter) {
        return Ok(bash(flag));
    }
    if interpreter.ends_with("/env") && flag.is_some_and(is_shell) {
        return Ok(bash(None));
    }
    let is_there = interpreter.starts_with('/') && fs::kind_of(Path::new(interpreter)).is_some();
    // `/usr/bin/oo-ruby` and its like may exist in the gear's own view of the host alone; wherever
    // it runs, its `PATH` has them.
    let of_the_gear = interpreter.rsplit('/').next().filter(|name| name.starts_with("oo-"));
    if let (false, Some(name)) = (is_there, of_the_gear) {
        let words = [Some(ENV.into()), Some(name.into()), flag.map(OsString::from)];
        return Ok(words.into_iter().flatten().chain([file.into()]).collect());
    }
    if !is_there {
        let interpreter = interpreter.to_owned();
        return Err(SandboxError::NoInterpreter { file: file.to_owned(), interpreter });
    }
    if executable {
        return Ok(vec![file.into()]);
    }
    // What the kernel would do for an executable file.
    let words = [Some(interpreter.into()), flag.map(OsString::from), Some(file.into())];
    Ok(words.into_iter().flatten().collect())
}

/// A script whose first line ends as in DOS has such ends all through, and no shell reads it.
fn refuse_dos_lines(file: &Path, head: &[u8]) -> Result<(), SandboxError> {
    match head.split(|byte| *byte == b'\n').next() {
        Some(first) if first.ends_with(b"\r") => Err(SandboxError::DosLines(file.to_owned())),
        _ => Ok(()),
    }
}

fn is_shell(interpreter: &str) -> bool {
    matches!(interpreter.rsplit('/').next(), Some("sh" | "bash" | "dash"))
}

/// The first bytes of a file, and whether it may be executed. Links are followed, as a cartridge's
/// scripts may be links to each other; the last step is taken without waiting for a pipe's writer.
fn look_at(file: &Path) -> Result<(Vec<u8>, bool), SandboxError> {
    let real = fs::resolve(file)?;
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
        return Ok((Vec::new(), false));
    };
    let folder = Dir::open(parent)?;
    let mut head = Vec::new();
    folder
        .open_file(name)?
        .take(HEAD)
        .read_to_end(&mut head)
        .map_err(|error| crate::error::FsError::new("read", file, error))?;
    let executable = folder.meta(name)?.is_some_and(|meta| meta.mode & 0o111 != 0);
    Ok((head, executable))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[u8], mode: u32) -> Result<Vec<String>, SandboxError> {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.write_new("script", text, mode).unwrap();
        dir.make_link("link", "script").unwrap();
        let file = temp.path().join("link");
        let line = CommandLine::of(&file, ["a b"])?;
        let short =
            |word: &OsString| word.to_str().unwrap().replace(file.to_str().unwrap(), "FILE");
        let all: Vec<OsString> =
            [line.program.into_os_string()].into_iter().chain(line.arguments).collect();
        Ok(all.iter().map(short).collect())
    }

    #[test]
    fn every_shell_script_is_for_bash_and_all_else_as_the_kernel_does() {
        for (text, mode, expected) in [
            (&b"#!/bin/bash -eu\n"[..], 0o755, &["/bin/bash", "-eu", "FILE", "a b"][..]),
            (b"#!/bin/sh\n", 0o755, &["/bin/bash", "FILE", "a b"]),
            (b"#! /usr/bin/env bash\n", 0o644, &["/bin/bash", "FILE", "a b"]),
            (b"echo no hash bang\n", 0o644, &["/bin/bash", "FILE", "a b"]),
            (b"", 0o644, &["/bin/bash", "FILE", "a b"]),
            (b"#!/usr/bin/env cat\n", 0o755, &["FILE", "a b"]),
            (b"#!/usr/bin/env cat\n", 0o644, &["/usr/bin/env", "cat", "FILE", "a b"]),
            (b"#!/usr/bin/oo-none -w\n", 0o755, &["/usr/bin/env", "oo-none", "-w", "FILE", "a b"]),
            (b"\x7fELF...", 0o755, &["FILE", "a b"]),
        ] {
            assert_eq!(words(text, mode).unwrap(), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_cannot_run_is_said_before_it_is_tried() {
        for dos in [&b"#!/bin/bash\r\n"[..], b"echo no hash bang\r\n", b"#!/usr/bin/env ruby\r\n"] {
            assert!(matches!(words(dos, 0o755), Err(SandboxError::DosLines(_))));
        }
        let error = words(b"#!/usr/bin/ruby-not-there\n", 0o755).unwrap_err();
        assert!(error.to_string().contains("`/usr/bin/ruby-not-there`"), "{error}");
        assert!(CommandLine::of(Path::new("/no/such/file"), ["x"]).is_err());
    }
}
