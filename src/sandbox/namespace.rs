//! A mount namespace around a gear's scripts, in which the commands that cartridges call by their
//! absolute paths (`/usr/bin/logshifter`, `/usr/sbin/lsof`) exist: read-only overlays over `/usr/bin`
//! and `/usr/sbin`.
//!
//! Entered with util-linux's own programs, step by step: `unshare`, `mount`, `setpriv`. An ordinary
//! user does it in a user namespace of its own, in which it stays the same user.

use super::User;
use crate::sys::process;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Lays the overlays, then becomes what stands behind. Fixed text; paths come as arguments. The
/// commands in the folder `fallbacks` beside the given one are for hosts that lack them: they lie
/// below the host's own. A host whose `/usr/sbin` is a link needs no second overlay.
const ENTER: &str = r#"set -e
lay() { /usr/bin/mount -t overlay -o "ro,lowerdir=$1" cart "$2"; }
others="${1%/*}/fallbacks"
if [ -d "$others" ]; then
    [ -L /usr/sbin ] || [ ! -d /usr/sbin ] || lay "/usr/sbin:$others" /usr/sbin
    lay "$1:/usr/bin:$others" /usr/bin
else
    lay "$1:/usr/bin" /usr/bin
fi
shift
exec "$@"
"#;

/// The program to start, and the words before a command's own, so that the command runs as `user`
/// with the commands in `shims` laid over `/usr/bin`.
pub(super) fn wrapping(shims: &Path, user: Option<User>) -> (PathBuf, Vec<OsString>) {
    let mut words: Vec<OsString> = Vec::new();
    let mut push = |all: &[&str]| words.extend(all.iter().map(OsString::from));
    let is_root = crate::sys::host::is_root();
    if !is_root {
        push(&["--user", "--map-current-user", "--keep-caps"]);
    }
    push(&["--mount", "--propagation", "private", "/bin/bash", "-c", ENTER, "cart"]);
    words.push(shims.as_os_str().to_owned());
    let mut push = |all: &[&str]| words.extend(all.iter().map(OsString::from));
    push(&["/usr/bin/setpriv", "--no-new-privs", "--pdeathsig", "KILL"]);
    match user {
        Some(User { uid, gid }) => {
            let (uid, gid) = (uid.to_string(), gid.to_string());
            push(&["--reuid", &uid, "--regid", &gid, "--clear-groups"]);
        }
        // The rights over its own namespace end here.
        None if !is_root => {
            push(&["--ambient-caps=-all", "--inh-caps=-all", "--bounding-set=-all"]);
        }
        None => {}
    }
    push(&["--"]);
    (PathBuf::from("/usr/bin/unshare"), words)
}

/// Tells whether this host lets the commands in `shims` be laid over `/usr/bin`, by doing it.
pub fn has_namespaces(shims: &Path) -> bool {
    // These would be read as more than a path by the kernel's option parser.
    if shims.to_string_lossy().contains([',', ':', '\\']) {
        return false;
    }
    let (program, words) = wrapping(shims, None);
    let mut command = process::command(&program);
    command.args(words).arg("/bin/true").stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
