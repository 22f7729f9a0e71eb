//! Becoming another program of the host.

use super::{Call, Refused};
use crate::sys::fs::{self, Kind};
use crate::sys::{host, process};
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

/// Where programs are when `PATH` does not say.
const USUAL: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// `oo-ruby`, `oo-exec-ruby`: the system's Ruby.
pub(super) fn ruby(call: &Call<'_>) -> Result<u8, Refused> {
    match real(call, "ruby") {
        Some(ruby) => Err(become_program(call, &ruby, call.arguments)),
        None => Err(Refused::new(127, format!("{}: this host has no `ruby`", call.name))
            .hint("install Ruby: `apt-get install ruby`")),
    }
}

/// The host's program of the same name in another place; `package` is Debian's that has it.
pub(super) fn same(call: &Call<'_>, package: &str) -> Result<u8, Refused> {
    match real(call, call.name) {
        Some(program) => Err(become_program(call, &program, call.arguments)),
        None => Err(Refused::new(127, format!("{}: this host has none", call.name))
            .hint(format!("install it: `apt-get install {package}`"))),
    }
}

/// The host's own program of that name: one that is not this program under another name.
pub(super) fn real(call: &Call<'_>, name: &str) -> Option<PathBuf> {
    let own = fs::resolve(&host::this_program()).ok();
    let path = call.text("PATH").unwrap_or_default();
    let places = path.split(':').chain(USUAL.split(':')).filter(|place| place.starts_with('/'));
    let mut files = places.map(|place| Path::new(place).join(name));
    files.find(|file| fs::kind_of(file) == Some(Kind::File) && fs::resolve(file).ok() != own)
}

/// Replaces this process; comes back only with the reason why that was not possible.
pub(super) fn become_program<A: AsRef<OsStr>>(
    call: &Call<'_>,
    program: &Path,
    arguments: &[A],
) -> Refused {
    become_as(call, program.as_os_str(), program, arguments)
}

/// The same, and the new program is told that it is called `name`.
pub(super) fn become_as<A: AsRef<OsStr>>(
    call: &Call<'_>,
    name: &OsStr,
    program: &Path,
    arguments: &[A],
) -> Refused {
    let mut command = process::command(program);
    let error = command.arg0(name).args(arguments).envs(call.variables).exec();
    let status = if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
    Refused::new(status, format!("{}: cannot run `{}`: {error}", call.name, program.display()))
}
