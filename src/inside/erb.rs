//! `oo-erb`, `erb`: renders templates with the variables of its process, by the engine that renders
//! a cartridge's own. What is beyond it the system's Ruby renders, which is said.

use super::{Call, Refused, programs};
use crate::error::{Explain, FsError};
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::process;
use crate::template::{Fault, Files, Links, RUBY, TemplateError, erb};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The longest template, in bytes.
const LONGEST: u64 = 16 << 20;

/// Renders the files that are named, else standard input, as one template.
pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    let (shown, text) = read(call, &files(call)?)?;
    let variables: BTreeMap<String, String> = call
        .variables
        .iter()
        .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
        .collect();
    let printed = match erb::render(&text, &variables, &OfTheProcess) {
        Ok(printed) => printed.into_bytes(),
        Err(error) if error.fault == Fault::Unsupported => by_ruby(call, (&shown, &text), &error)?,
        Err(error) => return Err(refused(call, &shown, &error)),
    };
    match call.out.write_all(&printed).and_then(|()| call.out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Refused::new(1, format!("{}: cannot write: {error}", call.name)))
        }
        _ => Ok(0),
    }
}

fn refused(call: &Call<'_>, shown: &str, error: &TemplateError) -> Refused {
    let refused = Refused::new(1, format!("{}: {}: {error}", call.name, shown.escape_debug()));
    match error.hint() {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

/// The files on the command line. `-S N`, the safe level of old Rubies, means nothing any more.
fn files(call: &Call<'_>) -> Result<Vec<PathBuf>, Refused> {
    let mut files = Vec::new();
    let mut words = call.arguments.iter();
    while let Some(word) = words.next() {
        match word.to_string_lossy().as_ref() {
            "--" => {
                files.extend(words.by_ref().map(PathBuf::from));
            }
            "-S" => {
                words.next();
            }
            // Verbosity and debugging of Ruby itself.
            "-v" | "-d" => {}
            level if level.starts_with("-S") => {}
            option if option.starts_with('-') && option != "-" => {
                let text = format!("{}: unknown option `{}`", call.name, option.escape_debug());
                return Err(Refused::new(1, text).hint("say `oo-erb [-S N] [--] [FILE]...`"));
            }
            _ => files.push(PathBuf::from(word)),
        }
    }
    Ok(files)
}

/// What messages call the template, and its text.
fn read(call: &Call<'_>, files: &[PathBuf]) -> Result<(String, String), Refused> {
    let mut bytes = Vec::new();
    let stdin = [PathBuf::from("-")];
    let files = if files.is_empty() { &stdin } else { files };
    for file in files {
        let input: Box<dyn Read> = if file == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(fs::open_for_reading(file)?)
        };
        let room = LONGEST + 1 - bytes.len() as u64;
        input
            .take(room)
            .read_to_end(&mut bytes)
            .map_err(|error| FsError::new("read", file.clone(), error))?;
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let shown = names.join(" ");
    let fail =
        |what: &str| Refused::new(1, format!("{}: {}: {what}", call.name, shown.escape_debug()));
    if bytes.len() as u64 > LONGEST {
        return Err(fail("the template is too long"));
    }
    let text = String::from_utf8(bytes).map_err(|_| fail("the template is no UTF-8"))?;
    Ok((shown, text))
}

/// Lets Ruby render what is beyond our engine.
fn by_ruby(
    call: &Call<'_>,
    (shown, text): (&str, &str),
    error: &TemplateError,
) -> Result<Vec<u8>, Refused> {
    let Some(ruby) = programs::real(call, "ruby") else {
        return Err(refused(call, shown, error));
    };
    let note = format!(
        "{}: {}: {error}: `{}` renders it\n",
        call.name,
        shown.escape_debug(),
        ruby.display()
    );
    // Nobody may be there to read it.
    let _ = io::stderr().write_all(note.as_bytes());
    let fail = |error: io::Error| FsError::new("run", ruby.clone(), error);
    let mut child = process::command(&ruby)
        .args(RUBY.map(OsString::from))
        .envs(call.variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    if let Some(mut input) = child.stdin.take() {
        // One that ends early says so by its status.
        let _ = input.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(fail)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Refused::new(1, format!("{}: {}: Ruby failed on it", call.name, shown.escape_debug())))
}

/// The files as this process sees them; it has the gear's rights.
struct OfTheProcess;

impl Files for OfTheProcess {
    fn kind(&self, path: &str, links: Links) -> Option<Kind> {
        let path = Path::new(path);
        if links == Links::Followed {
            return fs::kind_of(path);
        }
        let holder = path.parent().filter(|holder| !holder.as_os_str().is_empty());
        let holder = Dir::open(holder.unwrap_or(Path::new("."))).ok()?;
        Some(holder.meta(path.file_name()?).ok()??.kind)
    }
}
