//! The scripts that the binary embeds are well formed, as far as the tools for that are here: those of
//! the SDK, and those of the cartridges of the default index.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that asks other programs, and fails where it cannot"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The files below `folder` that are scripts of `language`: by their first line, and of the SDK by
/// their folder, as they are sourced.
fn scripts(language: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sdk = root.join("src/gear/sdk").join(language);
    let mut open = vec![root.join("repo-index"), sdk.clone()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let first = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap());
            let by_line = first.starts_with("#!") && first.contains(language);
            if by_line || path.starts_with(&sdk) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Asks `program` about each script; skips, visibly, where it is missing.
fn ask(program: &str, arguments: &[&str], scripts: &[PathBuf]) {
    assert!(!scripts.is_empty(), "there are scripts for `{program}`");
    for script in scripts {
        match Command::new(program).args(arguments).arg(script).output() {
            Ok(output) => {
                let said = [output.stdout, output.stderr].concat();
                let said = String::from_utf8_lossy(&said);
                assert!(output.status.success(), "{}: {said}", script.display());
            }
            Err(error) => {
                println!("SKIP: scripts::{program}: {error}");
                return;
            }
        }
    }
}

#[test]
fn bash_reads_every_bash_script() {
    ask("bash", &["-n"], &scripts("bash"));
}

#[test]
fn shellcheck_finds_no_error_in_bash_scripts() {
    let arguments = ["--shell=bash", "--severity=warning", "--external-sources"];
    ask("shellcheck", &arguments, &scripts("bash"));
}

#[test]
fn perl_reads_every_perl_script() {
    let modules = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/src/gear/sdk/perl");
    ask("perl", &[modules, "-c"], &scripts("perl"));
}

#[test]
fn ruby_reads_the_sdk() {
    ask("ruby", &["-c"], &scripts("ruby"));
}
