//! What a script is run with.
//!
//! Real cartridges have scripts without `+x` and without `#!` (corpus, 0.6): the original ran them
//! through a shell, and that shell was bash.

use super::SandboxError;
use crate::error::FsError;
use crate::sys::fs;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The program to start for `script`, and the arguments that come before the script's own.
pub fn of(script: &Path) -> Result<(PathBuf, Vec<OsString>), SandboxError> {
    let mut head = Vec::new();
    let file = fs::open_for_reading(script)?;
    let unreadable = |error| FsError::new("read", script, error);
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    file.take(256).read_to_end(&mut head).map_err(unreadable)?;
    let own = script.as_os_str().to_owned();
    if head.starts_with(b"\x7fELF") {
        return Ok((script.to_owned(), Vec::new()));
    }
    match line(&head) {
        Some(_) if mode & 0o111 != 0 => Ok((script.to_owned(), Vec::new())),
        Some((program, argument)) => Ok((program, argument.into_iter().chain([own]).collect())),
        None => Ok((PathBuf::from("/bin/bash"), vec![own])),
    }
}

/// What a `#!` line names: the interpreter, and all of the rest as one argument.
fn line(head: &[u8]) -> Option<(PathBuf, Option<OsString>)> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = line.trim_ascii();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (program, rest) = line.split_at(end);
    let rest = rest.trim_ascii();
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    (!program.is_empty()).then(|| (text(program).into(), (!rest.is_empty()).then(|| text(rest))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreter_lines_are_read_as_the_kernel_reads_them() {
        let read = |text: &str| line(text.as_bytes());
        let some = |program: &str, argument: Option<&str>| {
            Some((PathBuf::from(program), argument.map(OsString::from)))
        };
        assert_eq!(read("#!/bin/bash -e\nx"), some("/bin/bash", Some("-e")));
        assert_eq!(read("#! /usr/bin/env  perl -w \n"), some("/usr/bin/env", Some("perl -w")));
        assert_eq!(read("#!/bin/sh"), some("/bin/sh", None));
        assert_eq!(read("echo"), None);
        assert_eq!(read("#!\n"), None);
    }
}
