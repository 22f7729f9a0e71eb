//! `/usr/sbin/haproxy`: the host's own, with settings written for version 1.4 or 1.5.
//!
//! Those put an address behind the name of a `listen` or `frontend`, which haproxy has not read since
//! version 1.7. It goes into a line of its own, in a copy in memory that takes the file's place; the
//! file itself stays as it is, for scripts read the address from there.

use super::programs::{become_as, real};
use super::{Call, Refused};
use crate::gear::sdk;
use crate::sys::fs;
use crate::sys::memory::MemoryFile;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Becomes the host's haproxy.
pub(super) fn run(call: &Call<'_>) -> Result<u8, Refused> {
    let Some(program) = hidden(call).or_else(|| real(call, "haproxy")) else {
        return Err(Refused::new(127, "haproxy: this host has none")
            .hint("install it: `apt-get install haproxy`"));
    };
    let mut words = Vec::new();
    let mut kept = Vec::new();
    let mut rest = call.arguments.iter();
    while let Some(word) = rest.next() {
        words.push(word.clone());
        if word == "-f"
            && let Some(file) = rest.next()
        {
            words.push(settings(file, &mut kept)?);
        }
    }
    Err(become_as(call, Path::new("/usr/sbin/haproxy").as_os_str(), &program, &words))
}

/// The host's program where it is shown to the gear, as this one stands in its place.
fn hidden(call: &Call<'_>) -> Option<PathBuf> {
    let sdk = PathBuf::from(call.variable("OPENSHIFT_CARTRIDGE_SDK_BASH")?);
    let program = sdk::hidden(sdk::place_of(&sdk)?, "haproxy");
    fs::length(&program).is_some_and(|length| length > 0).then_some(program)
}

/// What is to be read in place of `file`: itself where nothing in it is of old. What is kept in
/// memory is open until this process is another program, and in that, too.
fn settings(file: &OsString, kept: &mut Vec<MemoryFile>) -> Result<OsString, Refused> {
    let path = Path::new(file);
    if fs::kind_of(path) != Some(fs::Kind::File) {
        return Ok(file.clone());
    }
    let text = fs::read_text(path)?;
    let new = translated(&text);
    if new == text {
        return Ok(file.clone());
    }
    let memory = MemoryFile::new("haproxy", &new)
        .map_err(|error| Refused::new(1, format!("haproxy: cannot keep settings: {error}")))?;
    let path = memory.path().into_os_string();
    kept.push(memory);
    Ok(path)
}

fn translated(text: &str) -> String {
    let mut new = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [section @ ("listen" | "frontend"), name, address, rest @ ..]
                if address.contains(':') && !address.starts_with('#') =>
            {
                let own = ["bind", address];
                let words: Vec<&str> = own.iter().chain(rest).copied().collect();
                new.extend([section, " ", name, "\n    ", &words.join(" "), "\n"]);
            }
            _ => new.push_str(line),
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::translated;

    #[test]
    fn an_address_behind_a_name_gets_a_line_of_its_own() {
        let old = "global\n  maxconn 1\nlisten stats 127.0.0.1:80\n  mode http\n\
                   frontend x :80 # here\nlisten y # a:b\n  server z 127.0.0.1:81 check";
        let new = "global\n  maxconn 1\nlisten stats\n    bind 127.0.0.1:80\n  mode http\n\
                   frontend x\n    bind :80 # here\nlisten y # a:b\n  server z 127.0.0.1:81 check";
        assert_eq!(translated(old), new);
        assert_eq!(translated(new), new);
    }
}
