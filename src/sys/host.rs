//! What this process is on this host: its user, its environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where programs of the host find each other: the `PATH` of what works for the host itself.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Reads one environment variable of `cart` itself; nothing when it is unset or not UTF-8.
#[expect(clippy::disallowed_methods, reason = "this is the replacement that clippy.toml names")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads one environment variable of `cart` itself, whatever its bytes.
pub fn variable_os(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The whole environment of `cart` itself.
pub fn variables() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().collect()
}

/// Tells whether this process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The numeric user id of this process.
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The numeric group id of this process.
pub fn group_id() -> u32 {
    rustix::process::getegid().as_raw()
}

/// The identifier of this boot, which tells a dead process's id from a living one's.
pub fn boot_id() -> String {
    super::fs::read_text("/proc/sys/kernel/random/boot_id".as_ref())
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// The path of the running program, for the commands that a gear finds under other names.
pub fn this_program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("cart"))
}

/// What tells this very build from any other, wherever it lies: another one is another file, or has
/// another time.
#[expect(clippy::disallowed_methods, reason = "the running program is no file of ours")]
pub fn stamp_of_this_program() -> String {
    use std::os::unix::fs::MetadataExt;
    let program = this_program();
    let meta = std::fs::metadata(&program);
    let file = meta.map(|one| (one.dev(), one.ino(), one.size(), one.mtime(), one.mtime_nsec()));
    // A program that cannot be looked at has a stamp that no other one has either.
    file.map_or_else(|_| random_stamp(), |file| format!("{} {file:?}\n", program.display()))
}

fn random_stamp() -> String {
    super::random::hex(16).unwrap_or_default()
}

/// The kind of hardware, as `uname -m` names it.
pub fn machine() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}
