//! The SDK and the commands that gears find: embedded in the binary, written out once per version.

pub mod ubos;

use crate::error::FsError;
use crate::sys::fs::{Dir, Kind};
use crate::sys::random;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The functions that cartridges' bash scripts source.
const BASH: &str = include_str!("sdk/bash/cartridge_sdk");
const BASH_PATH: &str = "sdk/bash/cartridge_sdk";
/// The functions that cartridges' Ruby scripts require, as `ruby/sdk` below `sdk`.
const RUBY: &str = include_str!("sdk/ruby/sdk.rb");
const RUBY_PATH: &str = "sdk/ruby/sdk.rb";
const BIN: &str = "bin";
const FALLBACKS: &str = "fallbacks";
const STANDING_IN: &str = "sbin";
const HIDDEN: &str = "hidden";

/// The commands that are this program under another name, and win over the host's.
pub const COMMANDS: [&str; 10] = [
    "facter",
    "gear",
    "logshifter",
    "oo-cgroup-read",
    "oo-erb",
    "oo-exec-ruby",
    "oo-gear-registry",
    "oo-lists-ports",
    "oo-ruby",
    "oo-ssh",
];

/// The commands that are this program under another name where the host has none of that name.
pub const FALLBACK_COMMANDS: [&str; 7] =
    ["erb", "httpd", "lsof", "quota", "rhc", "rotatelogs", "scl"];

/// The commands that are this program in the place of the host's of that name in `/usr/sbin`, which
/// they become.
pub const STAND_INS: [&str; 1] = ["haproxy"];

/// Where cartridges look for commands by absolute paths: folder below the root, and name.
pub const ABSOLUTE: [(&str, &str); 14] = [
    ("usr/bin", "facter"),
    ("usr/bin", "gear"),
    ("usr/bin", "logshifter"),
    ("usr/bin", "oo-cgroup-read"),
    ("usr/bin", "oo-erb"),
    ("usr/bin", "oo-exec-ruby"),
    ("usr/bin", "oo-gear-registry"),
    ("usr/bin", "oo-lists-ports"),
    ("usr/bin", "oo-ruby"),
    ("usr/bin", "oo-ssh"),
    ("usr/bin", "scl"),
    ("usr/sbin", "httpd"),
    ("usr/sbin", "lsof"),
    ("usr/sbin", "rotatelogs"),
];

/// The directory of the commands, for the `PATH` of gears; `lib` is `Layout::lib`.
pub fn commands(lib: &Path) -> PathBuf {
    lib.join(BIN)
}

/// The directory of the commands for hosts that lack them, for the end of that `PATH`; `commands`
/// is what [`commands`] gives.
pub fn fallbacks(commands: &Path) -> PathBuf {
    commands.with_file_name(FALLBACKS)
}

/// The directory of those that stand in for the host's; `commands` is what [`commands`] gives.
pub fn stand_ins(commands: &Path) -> PathBuf {
    commands.with_file_name(STANDING_IN)
}

/// Where the host's program `name` is shown, in whose place another stands; `lib` is `Layout::lib`.
pub fn hidden(lib: &Path, name: &str) -> PathBuf {
    lib.join(HIDDEN).join(name)
}

/// The place that the SDK and the commands were written to, found from inside a gear by what the
/// variable `OPENSHIFT_CARTRIDGE_SDK_BASH` says.
pub fn place_of(bash: &Path) -> Option<&Path> {
    bash.ends_with(BASH_PATH).then(|| bash.ancestors().nth(3)).flatten()
}

/// The node-wide variables that every gear has; the administrator's own files replace them.
/// `domain` is the one below which gears have their host names.
pub fn node_variables(lib: &Path, domain: &str) -> BTreeMap<String, OsString> {
    [
        ("OPENSHIFT_CARTRIDGE_SDK_BASH", lib.join(BASH_PATH).into_os_string()),
        ("OPENSHIFT_CARTRIDGE_SDK_RUBY", lib.join(RUBY_PATH).into_os_string()),
        ("OPENSHIFT_CLOUD_DOMAIN", domain.into()),
        // Cartridges were written for bash 4.1; since 4.3 it reads `"${name//\//\/}"` otherwise.
        ("BASH_COMPAT", "4.2".into()),
        // There is no broker; scripts that run under `set -u` name it all the same.
        ("OPENSHIFT_BROKER_HOST", "localhost".into()),
        ("OPENSHIFT_UMASK", "077".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Writes everything into `lib` that is not there yet as it should be; `program` is the running
/// binary, which the commands are links to. Two processes may do this at once.
pub fn materialise(lib: &Dir, program: &Path) -> Result<(), FsError> {
    let own = [(BASH_PATH, BASH), (RUBY_PATH, RUBY)];
    for (path, text) in own.iter().chain(ubos::FILES) {
        lib.make_dirs(path.rsplit_once('/').map_or("", |(folder, _)| folder), 0o755)?;
        write_text(lib, path, text)?;
    }
    lib.make_dirs(HIDDEN, 0o755)?;
    for name in STAND_INS {
        // Empty: something to lay the host's program over.
        let place = format!("{HIDDEN}/{name}");
        if !lib.has(&place)? {
            put(lib, &place, |lib, name| lib.write_new(name, b"", 0o644))?;
        }
    }
    let folders =
        [(BIN, COMMANDS.as_slice()), (FALLBACKS, &FALLBACK_COMMANDS), (STANDING_IN, &STAND_INS)];
    for (folder, names) in folders {
        lib.make_dirs(folder, 0o755)?;
        for command in names {
            let name = format!("{folder}/{command}");
            let is_link = lib.meta(&name)?.is_some_and(|meta| meta.kind == Kind::Link);
            if !is_link || lib.link_target(&name)? != program {
                put(lib, &name, |lib, name| lib.make_link(name, program))?;
            }
        }
    }
    Ok(())
}

fn write_text(lib: &Dir, path: &str, text: &str) -> Result<(), FsError> {
    let as_it_should = lib
        .meta(path)?
        .is_some_and(|meta| meta.kind == Kind::File && meta.size == text.len() as u64)
        && lib.read(path, text.len() as u64)? == text.as_bytes();
    if as_it_should {
        return Ok(());
    }
    put(lib, path, |lib, name| {
        lib.write_new(name, text.as_bytes(), 0o644)?;
        lib.set_mode(name, 0o644)
    })
}

/// Makes something beside `name` and renames it there. The name beside is drawn, so that two
/// processes do not take each other's half-written file.
fn put(
    lib: &Dir,
    name: &str,
    make: impl Fn(&Dir, &str) -> Result<(), FsError>,
) -> Result<(), FsError> {
    let beside = format!("{name}.{}", random::hex(8)?);
    let done = make(lib, &beside).and_then(|()| lib.rename(&beside, lib, name));
    if done.is_err() {
        // The first error is the one to tell of.
        let _ = lib.remove_file(&beside);
    }
    done
}

#[cfg(test)]
mod tests;
