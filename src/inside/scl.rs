//! `scl enable COLLECTION… 'command'`, for hosts without software collections: what the collection
//! would bring is expected in the system's own places.
//!
//! `LD_LIBRARY_PATH` and `MANPATH` are never empty under it: cartridges ask for what they are there,
//! and give up when that is nothing (specification of the corpus, 0.3).

use super::programs::{become_program, real};
use super::{Call, Refused};
use crate::sys::fs::{self, Kind};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const COLLECTIONS: &str = "/opt/rh";

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    if let Some(scl) = real(call, "scl") {
        return Err(become_program(call, &scl, call.arguments));
    }
    let words = call.words();
    match words.first().map(String::as_str) {
        Some("enable") => enable(call, &words),
        Some("-l" | "--list") => list(call),
        _ => Err(usage("say `scl enable COLLECTION… COMMAND`")),
    }
}

fn usage(text: &str) -> Refused {
    Refused::new(1, format!("scl: {text}"))
}

fn enable(call: &mut Call<'_>, words: &[String]) -> Result<u8, Refused> {
    let rest = call.arguments.get(1..).unwrap_or_default();
    let words = words.get(1..).unwrap_or_default();
    let end = words.iter().position(|word| word == "--");
    let (collections, command) = match end {
        Some(at) => (words.get(..at), rest.get(at + 1..)),
        None => (words.split_last().map(|(_, first)| first), rest.get(rest.len().max(1) - 1..)),
    };
    let (collections, command) = (collections.unwrap_or_default(), command.unwrap_or_default());
    if let Some(bad) = collections.iter().find(|name| name.is_empty() || name.contains(['/', ':']))
    {
        return Err(usage(&format!("`{}` is no collection", bad.escape_debug())));
    }
    let Some((first, others)) = command.split_first().filter(|_| !collections.is_empty()) else {
        return Err(usage("say `scl enable COLLECTION… COMMAND`"));
    };
    let mut variables = call.variables.clone();
    for (name, value) in enabled(call, collections) {
        variables.insert(name.into(), value);
    }
    let call =
        Call { name: call.name, arguments: call.arguments, variables: &variables, out: call.out };
    let bash = Path::new("/bin/bash");
    // The command in one word is a text for a shell, written by whoever calls; `-` reads it.
    Err(match (end, first.to_str()) {
        (Some(_), _) => become_program(&call, &found(&call, first), others),
        (None, Some("-")) => become_program::<&str>(&call, bash, &[]),
        (None, _) => become_program(&call, bash, &[&OsString::from("-c"), first]),
    })
}

fn found(call: &Call<'_>, name: &OsString) -> PathBuf {
    let path = call.text("PATH").unwrap_or_default();
    let mut places = path.split(':').map(|place| Path::new(place).join(name));
    let is_file = |file: &PathBuf| fs::kind_of(file) == Some(Kind::File);
    places.find(is_file).unwrap_or_else(|| name.into())
}

/// The variables that a collection sets; its folders are named whether they are there or not.
fn enabled(call: &Call<'_>, collections: &[String]) -> Vec<(&'static str, OsString)> {
    let root = |name: &String, end: &str| format!("{COLLECTIONS}/{name}/root/usr/{end}");
    let before = |own: Vec<String>, variable: &str| {
        let was = call.text(variable);
        own.into_iter().chain(was).collect::<Vec<_>>().join(":").into()
    };
    // The last one named comes first.
    let libraries = collections.iter().rev().map(|name| root(name, "lib64")).collect();
    let pages = collections.iter().rev().map(|name| root(name, "share/man"));
    // What ends in a colon goes on with the system's own pages.
    let pages: Vec<_> = pages.chain([call.text("MANPATH").unwrap_or_default()]).collect();
    let programs = collections.iter().rev().map(|name| root(name, "bin"));
    let programs = programs.filter(|path| fs::kind_of(Path::new(path)).is_some()).collect();
    vec![
        ("LD_LIBRARY_PATH", before(libraries, "LD_LIBRARY_PATH")),
        ("MANPATH", pages.join(":").into()),
        ("PATH", before(programs, "PATH")),
        ("X_SCLS", format!("{} ", collections.join(" ")).into()),
    ]
}

fn list(call: &mut Call<'_>) -> Result<u8, Refused> {
    let names = fs_names(COLLECTIONS);
    for name in names {
        call.say(&name)?;
    }
    Ok(0)
}

fn fs_names(folder: &str) -> Vec<String> {
    let names = crate::sys::fs::Dir::open(Path::new(folder)).and_then(|dir| dir.names());
    names.unwrap_or_default().into_iter().filter_map(|name| name.into_string().ok()).collect()
}
