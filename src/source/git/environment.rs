//! The environment that git runs in: made from nothing, so that nobody else's settings count.

use crate::config::Download;
use crate::error::FsError;
use crate::sys::fs::{self, Dir};
use crate::sys::host;
use std::ffi::OsString;
use std::path::Path;

/// What git takes from the person who runs `cart`: where its keys and known hosts are, which agent
/// holds keys, and how the network is reached. Not the git configuration: it could change bytes.
const KEPT: [&str; 11] = [
    "HOME",
    "PATH",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "TMPDIR",
];

/// Protocols for sources elsewhere; `ext` would run commands, `file` would read this host.
const REMOTE: &str = "http:https:git:ssh";
/// Protocols for a source on this host.
const LOCAL: &str = "file:http:https:git:ssh";

/// Settings that no file on this host may change.
const CONFIG: [(&str, &str); 8] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.autocrlf", "false"),
    ("core.symlinks", "true"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("init.templateDir", ""),
    ("gc.auto", "0"),
];

/// Switches that do not depend on anything.
const SWITCHES: [(&str, &str); 7] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "/bin/false"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
];

/// Makes the environment; `work` takes the file of certificate authorities where one is needed.
pub(super) fn make(
    settings: &Download,
    local: Local,
    work: &Dir,
) -> Result<Vec<(OsString, OsString)>, FsError> {
    let kept = KEPT.iter().filter_map(|name| Some(((*name).into(), host::variable_os(name)?)));
    let mut all: Vec<(OsString, OsString)> = kept.collect();
    let mut set = |name: &str, value: OsString| all.push((name.into(), value));
    if host::variable_os("PATH").is_none() {
        set("PATH", "/usr/local/bin:/usr/bin:/bin".into());
    }
    for (name, value) in SWITCHES {
        set(name, value.into());
    }
    set("GIT_ALLOW_PROTOCOL", if local == Local::Yes { LOCAL } else { REMOTE }.into());
    // No shared master connection: it would outlive git and keep its output open.
    let ssh = "ssh -o BatchMode=yes -o ControlMaster=no -o ControlPath=none -o ConnectTimeout=";
    set("GIT_SSH_COMMAND", format!("{ssh}{}", settings.connect_timeout).into());
    let stall = settings.stall_timeout.to_string();
    let own = [("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", stall.as_str())];
    set("GIT_CONFIG_COUNT", (CONFIG.len() + own.len()).to_string().into());
    for (number, (key, value)) in CONFIG.iter().chain(&own).enumerate() {
        set(&format!("GIT_CONFIG_KEY_{number}"), (*key).into());
        set(&format!("GIT_CONFIG_VALUE_{number}"), (*value).into());
    }
    if let Some(file) = authorities(settings, work)? {
        set("GIT_SSL_CAINFO", file);
    }
    Ok(all)
}

/// Whether a repository on this host was named by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    Yes,
    No,
}

/// Git knows only one file of authorities; ours are to count beside the host's.
fn authorities(settings: &Download, work: &Dir) -> Result<Option<OsString>, FsError> {
    let hosts = host::variable_os("SSL_CERT_FILE");
    let Some(own) = &settings.ca_file else { return Ok(hosts) };
    let hosts = hosts.unwrap_or_else(|| "/etc/ssl/certs/ca-certificates.crt".into());
    let mut all = match fs::read_text(Path::new(&hosts)) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => String::new(),
        Err(error) => return Err(error),
    };
    all.push('\n');
    all.push_str(&fs::read_text(own)?);
    work.replace_file("authorities.pem", all.as_bytes(), 0o600)?;
    Ok(Some(work.path_of("authorities.pem").into()))
}
