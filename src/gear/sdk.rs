//! The SDK and the commands that gears find: embedded in the binary, written out once per version.

use crate::error::FsError;
use crate::sys::fs::{Dir, Kind};
use crate::sys::random;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The functions that cartridges' bash scripts source.
const BASH: &str = include_str!("sdk/bash/cartridge_sdk");
const BASH_PATH: &str = "sdk/bash/cartridge_sdk";
const COMMANDS: &str = "commands";
/// The commands that are this program under another name.
const LINKS: [&str; 1] = ["logshifter"];

/// The directory of the commands, for the `PATH` of gears; `lib` is `Layout::lib`.
pub fn commands(lib: &Path) -> PathBuf {
    lib.join(COMMANDS)
}

/// The node-wide variables that every gear has; the administrator's own files replace them.
/// `domain` is the one below which gears have their host names.
pub fn node_variables(lib: &Path, domain: &str) -> BTreeMap<String, OsString> {
    [
        ("OPENSHIFT_CARTRIDGE_SDK_BASH", lib.join(BASH_PATH).into_os_string()),
        ("OPENSHIFT_CLOUD_DOMAIN", domain.into()),
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
    lib.make_dirs("sdk/bash", 0o755)?;
    lib.make_dirs(COMMANDS, 0o755)?;
    let as_it_should = lib
        .meta(BASH_PATH)?
        .is_some_and(|meta| meta.kind == Kind::File && meta.size == BASH.len() as u64)
        && lib.read(BASH_PATH, BASH.len() as u64)? == BASH.as_bytes();
    if !as_it_should {
        put(lib, BASH_PATH, |lib, name| {
            lib.write_new(name, BASH.as_bytes(), 0o644)?;
            lib.set_mode(name, 0o644)
        })?;
    }
    for command in LINKS {
        let name = format!("{COMMANDS}/{command}");
        let is_link = lib.meta(&name)?.is_some_and(|meta| meta.kind == Kind::Link);
        if !is_link || lib.link_target(&name)? != program {
            put(lib, &name, |lib, name| lib.make_link(name, program))?;
        }
    }
    Ok(())
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
