//! The certificate that a site signs itself, made by the host's `openssl`.

use crate::sys::process;
use std::path::Path;
use std::process::Stdio;

/// How many days it is good for: what the original's are.
const DAYS: &str = "3650";
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Makes a key and a certificate for `host`; the error says why there is none.
pub(super) fn certify(host: &str) -> Result<(String, String), String> {
    let mut command = process::command(Path::new("openssl"));
    process::own_session(&mut command);
    // The older of the two fields takes no more; who looks at certificates looks at the other.
    let short: String = host.chars().take(64).collect();
    let (subject, names) = (format!("/CN={short}"), format!("subjectAltName=DNS:{host}"));
    command.env("PATH", PATH).env("LC_ALL", "C").stdin(Stdio::null());
    command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", DAYS]);
    command.args(["-subj", &subject, "-addext", &names, "-keyout", "-", "-out", "-"]);
    let output = command.output().map_err(|error| {
        format!(
            "cannot be made, for `openssl` cannot be run ({error}): install it, or add `key` and `crt`"
        )
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let part = |name: &str| {
        let from = text.find(&format!("-----BEGIN {name}-----\n"))?;
        let end = format!("-----END {name}-----\n");
        let part = text.get(from..)?;
        part.get(..part.find(&end)? + end.len()).map(str::to_owned)
    };
    match (part("PRIVATE KEY"), part("CERTIFICATE")) {
        (Some(key), Some(crt)) if output.status.success() => Ok((key, crt)),
        _ => Err("could not be made by `openssl`: add `key` and `crt`".to_owned()),
    }
}
