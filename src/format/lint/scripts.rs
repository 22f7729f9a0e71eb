//! Advice about scripts (guide, *Notes on Execution of the Scripts*).

use super::{MOST, about, files_in, shown};
use crate::format::Tree;
use crate::package::file_table::Entry;
use crate::package::note::{Level, Note};
use crate::sys::{fs, process};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};

/// The longest script that is looked at.
const LONGEST: u64 = 1 << 20;
/// The most bytes of what bash says that are read.
const MOST_SAID: u64 = 1 << 16;
/// Where bash is on every Linux host that has it.
const BASH: &[&str] = &["/bin/bash", "/usr/bin/bash"];

/// Looks at the scripts in `bin/`, `hooks/` and `versions/*/bin/`.
pub(super) fn advice(tree: &dyn Tree) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut left = MOST;
    for folder in folders(tree) {
        for (entry, _) in files_in(tree, &folder).take(left) {
            left -= 1;
            if let Ok(Some(script)) = tree.read(entry.path.as_str(), LONGEST) {
                notes.extend(about_script(entry, &script));
            }
        }
    }
    notes
}

fn folders(tree: &dyn Tree) -> Vec<String> {
    let mut folders = vec!["bin".to_owned(), "hooks".to_owned()];
    for entry in tree.table().entries() {
        let parts: Vec<&str> = entry.path.components().collect();
        if matches!(parts.as_slice(), ["versions", _, "bin"]) {
            folders.push(entry.path.as_str().to_owned());
        }
    }
    folders
}

/// Looks at the script `entry`.
pub(super) fn about_entry(tree: &dyn Tree, entry: &Entry) -> Vec<Note> {
    let script = tree.read(entry.path.as_str(), LONGEST).ok().flatten();
    script.map(|script| about_script(entry, &script)).unwrap_or_default()
}

fn about_script(entry: &Entry, script: &[u8]) -> Vec<Note> {
    let path = entry.path.as_str();
    let mut notes = Vec::new();
    if entry.mode & 0o111 == 0 {
        let text = "is not executable; it runs here, but not in the original: `chmod +x` it";
        notes.push(about(Level::Advice, path, text));
    }
    if script.starts_with(b"\x7fELF") {
        return notes;
    }
    let first = script.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let interpreter = first.strip_prefix(b"#!").map(String::from_utf8_lossy);
    if interpreter.is_none() {
        let text = "does not begin with `#!` and is run by bash: write `#!/bin/bash` on top";
        notes.push(about(Level::Advice, path, text));
    }
    if let Some(at) = script.windows(2).position(|pair| pair == b"\r\n") {
        let text = "has DOS line ends, which no interpreter understands: save it with `\\n` alone";
        let line = script.get(..at).unwrap_or_default().iter().filter(|byte| **byte == b'\n');
        let line = Some(line.count() + 1);
        notes.push(Note { line, ..about(Level::Warning, path, text) });
    } else if interpreter.is_none_or(|interpreter| is_shell(&interpreter)) {
        notes.extend(syntax(path, script));
    }
    notes
}

/// Tells whether the line behind `#!` names a shell whose language bash reads.
fn is_shell(interpreter: &str) -> bool {
    let mut words = interpreter.split_whitespace();
    let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let program = words.next().map(name);
    let program = match program.as_deref() {
        Some("env") => words.find(|word| !word.starts_with('-')).map(name),
        _ => program,
    };
    matches!(program.as_deref(), Some("sh" | "bash" | "dash"))
}

/// Lets bash parse the script without running any of it; says nothing where there is no bash.
fn syntax(path: &str, script: &[u8]) -> Option<Note> {
    let bash = BASH.iter().map(Path::new).find(|path| fs::kind_of(path).is_some())?;
    let mut command = process::command(bash);
    process::confine(&mut command, process::Limits::default());
    command.args(["--norc", "--noprofile", "-n"]).env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let said = talk(command.spawn().ok()?, script)?;
    // `bash: line 3: syntax error near unexpected token …`
    let (number, text) =
        said.lines().find_map(|line| line.split_once(": line ")?.1.split_once(": "))?;
    let line = number.trim().parse().ok();
    let text = format!("bash cannot read it ({}): correct the syntax", shown(text));
    Some(Note { line, ..about(Level::Warning, path, text) })
}

/// Gives `input` to a child and takes what it says on its error output; nothing when it is
/// content. It is written beside the reading, or both could wait for each other.
fn talk(mut child: Child, input: &[u8]) -> Option<String> {
    let mut stdin = child.stdin.take()?;
    let stderr = child.stderr.take()?;
    let mut said = Vec::new();
    let read = std::thread::scope(|scope| {
        // A child that has seen enough closes its end; that is no failure.
        scope.spawn(move || drop(stdin.write_all(input)));
        stderr.take(MOST_SAID).read_to_end(&mut said).is_ok()
    });
    let status = child.wait().ok()?;
    (read && !status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}
