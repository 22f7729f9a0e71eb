//! Programs that the front end needs: nginx itself, and openssl for certificates.

use crate::config::Nginx;
use crate::error::{Exit, Failure};
use crate::package::ident::HostName;
use crate::step::{Cx, host_program};
use crate::sys::fs::Dir;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;

/// Where distributions keep the module for public ports, when it is not built in.
const STREAM_MODULES: [&str; 2] = [
    "/usr/lib/nginx/modules/ngx_stream_module.so",
    "/usr/lib64/nginx/modules/ngx_stream_module.so",
];
/// The most of a program's words that is shown.
const WORDS: usize = 2000;

/// Tests include files before anybody else sees them, in settings that hold nothing else. Gives a
/// warning where there is no nginx to ask.
pub(super) fn test(
    cx: &Cx<'_>,
    http: Option<&str>,
    stream: Option<&str>,
) -> Result<Option<String>, Failure> {
    let settings = &cx.config.frontend.nginx;
    let stash = cx.stash()?;
    let at = |name: &str| quoted(&stash.path_of(name));
    let mut text = format!("pid {};\nerror_log stderr;\n", at("nginx.pid"));
    if let Some(module) = stream.and_then(|_| stream_module(settings)) {
        let _ = writeln!(text, "load_module {};", quoted(&module));
    }
    text += "events {}\nhttp {\n";
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "    {kind}_temp_path {};", at(kind));
    }
    text += "    access_log off;\n";
    for (content, block) in [(http, "http"), (stream, "stream")] {
        let Some(content) = content else { continue };
        let name = format!("{block}.conf");
        stash.replace_file(&name, content.as_bytes(), 0o644)?;
        if block == "stream" {
            text += "}\nstream {\n";
        }
        let _ = writeln!(text, "    include {};", at(&name));
    }
    text += "}\n";
    stash.replace_file("nginx.conf", text.as_bytes(), 0o644)?;
    let arguments: [OsString; 5] =
        ["-t".into(), "-q".into(), "-c".into(), stash.path_of("nginx.conf").into(), "-p".into()];
    let mut arguments = arguments.to_vec();
    arguments.push(stash.path().into());
    run(&settings.program, &arguments, "nginx does not accept what the front end should serve")
}

/// Makes nginx read its settings anew. Gives a warning where there is none to be told.
pub(super) fn reload(cx: &Cx<'_>) -> Result<Option<String>, Failure> {
    let Some((program, arguments)) = cx.config.frontend.nginx.reload.split_first() else {
        return Ok(None);
    };
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    run(Path::new(program), &arguments, "nginx does not read its settings anew")
}

/// Makes a certificate for `host` that it signs itself: `made.crt` and `made.key` in `dir`.
pub(super) fn make_certificate(host: &HostName, dir: &Dir) -> Result<(), Failure> {
    let mut arguments: Vec<OsString> =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            .map(OsString::from)
            .to_vec();
    // The longest common name is 64; the name that counts is the alternative one.
    arguments
        .extend(["-days", "3650", "-subj", "/CN=cartwright gear", "-addext"].map(OsString::from));
    arguments.push(format!("subjectAltName=DNS:{host}").into());
    arguments.extend(["-keyout".into(), dir.path_of("made.key").into()]);
    arguments.extend(["-out".into(), dir.path_of("made.crt").into()]);
    match run(Path::new("openssl"), &arguments, "openssl makes no certificate")? {
        None => Ok(dir.set_mode("made.key", 0o600)?),
        Some(_) => Err(Failure::new(Exit::Failed, "a certificate for https cannot be made")
            .hint("install the package `openssl`")),
    }
}

fn stream_module(settings: &Nginx) -> Option<std::path::PathBuf> {
    settings.stream_module.clone().or_else(|| {
        let usual = STREAM_MODULES.iter().map(Path::new);
        usual.clone().find(|path| crate::sys::fs::kind_of(path).is_some()).map(Path::to_owned)
    })
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Runs a program to its end; gives a warning where it is not there.
pub(super) fn run(
    program: &Path,
    arguments: &[OsString],
    otherwise: &str,
) -> Result<Option<String>, Failure> {
    let Some(output) = host_program::output(program, arguments)? else {
        return Ok(Some(format!("`{}` is not there: {otherwise}", program.display())));
    };
    if output.status.success() {
        return Ok(None);
    }
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    // An alert about the log that was built in says nothing about the files.
    let words = words.lines().filter(|line| !line.contains("could not open error log file"));
    let words: String = words.collect::<Vec<_>>().join("\n").chars().take(WORDS).collect();
    let text = format!("{otherwise} ({}): {}", output.status, words.trim());
    Err(Failure::new(Exit::Failed, text)
        .hint("`frontend` in cart-config(5) says how web servers are asked"))
}
