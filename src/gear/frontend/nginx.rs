//! The text of a gear's include files for nginx: one for `http`, one for `stream`.
//!
//! Every text that stands in it is a host name, a [`WebPath`], an address, a number or a path of
//! ours, none of which can hold a character that means something to nginx within quotes; what
//! could is quoted here once more.

use super::{Action, Certificate, Forward, Frontend, Route, Scheme, Target};
use crate::config::Nginx;
use crate::package::endpoint::WebPath;
use std::fmt::Write;
use std::path::Path;

/// What the health route answers, as the original's `health.txt`.
pub const HEALTHY: &str = "1";

/// The file to be included in `http`; nothing when there are no routes.
pub fn http(
    frontend: &Frontend,
    settings: &Nginx,
    certificate: &Certificate<'_>,
) -> Option<String> {
    if frontend.routes.is_empty() {
        return None;
    }
    let mut text = format!(
        "# Written by cart for the gear `{}`; changes are lost with its next one.\n",
        frontend.gear
    );
    for (index, route) in frontend.routes.iter().enumerate() {
        if route.connections.is_some() {
            let zone = zone(frontend, index);
            line(&mut text, 0, &format!("limit_conn_zone $server_name zone={zone}:64k;"));
        }
    }
    server(&mut text, Scheme::Http, (frontend, settings, certificate));
    if frontend.needs_certificate() {
        server(&mut text, Scheme::Https, (frontend, settings, certificate));
    }
    Some(text)
}

/// The file to be included in `stream`; nothing when there are no public ports.
pub fn stream(frontend: &Frontend, settings: &Nginx) -> Option<String> {
    if frontend.forwards.is_empty() {
        return None;
    }
    let mut text = format!("# Written by cart for the gear `{}`.\n", frontend.gear);
    for Forward { public, address, port, datagrams } in &frontend.forwards {
        let udp = if *datagrams { " udp" } else { "" };
        let listen = listen(settings, *public);
        line(
            &mut text,
            0,
            &format!("server {{ listen {listen}{udp}; proxy_pass {address}:{port}; }}"),
        );
    }
    Some(text)
}

fn listen(settings: &Nginx, port: u16) -> String {
    match settings.address {
        Some(std::net::IpAddr::V6(address)) => format!("[{address}]:{port}"),
        Some(std::net::IpAddr::V4(address)) => format!("{address}:{port}"),
        None => port.to_string(),
    }
}

fn zone(frontend: &Frontend, index: usize) -> String {
    format!("cart_{}_{index}", frontend.gear)
}

fn line(text: &mut String, depth: usize, content: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}{content}", "    ".repeat(depth));
}

/// Quotes a text for nginx; `$` cannot be escaped there, so no text of ours may hold one.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}

type Whole<'a> = (&'a Frontend, &'a Nginx, &'a Certificate<'a>);

fn server(text: &mut String, scheme: Scheme, whole: Whole<'_>) {
    let (frontend, settings, certificate) = whole;
    line(text, 0, "server {");
    match scheme {
        Scheme::Http => line(text, 1, &format!("listen {};", listen(settings, settings.http_port))),
        Scheme::Https => {
            line(text, 1, &format!("listen {} ssl;", listen(settings, settings.https_port)));
            let file = |path: &Path| quoted(&path.display().to_string());
            line(text, 1, &format!("ssl_certificate {};", file(certificate.certificate)));
            line(text, 1, &format!("ssl_certificate_key {};", file(certificate.key)));
        }
    }
    line(text, 1, &format!("server_name {};", quoted(frontend.host.as_str())));
    // Where the front end is asked under another port or name, a whole address would be wrong.
    line(text, 1, "absolute_redirect off;");
    line(text, 1, "set $cart_connection \"\";");
    line(text, 1, "if ($http_upgrade) { set $cart_connection \"upgrade\"; }");
    for (index, route) in frontend.routes.iter().enumerate() {
        add_route(text, (index, route), scheme, whole);
    }
    line(text, 0, "}");
}

/// A route is two locations, the path itself and what lies below it, so that `/a` is not `/ab`.
fn add_route(text: &mut String, (index, route): (usize, &Route), scheme: Scheme, whole: Whole<'_>) {
    let (frontend, settings, _) = whole;
    let target = match &route.action {
        Action::Proxy { target } => Some(target),
        Action::ToHttps { target } | Action::SslToGear { target } if scheme == Scheme::Https => {
            Some(target)
        }
        _ => None,
    };
    if let Some(target) = target {
        choose_port(text, index, target);
    }
    for below in [false, true] {
        let location = match (route.path.is_root(), below) {
            (true, false) => continue,
            (true, true) => "location / {".to_owned(),
            (false, false) => format!("location = {} {{", quoted(&route.path.decoded())),
            (false, true) => {
                format!("location ^~ {} {{", quoted(&format!("{}/", route.path.decoded())))
            }
        };
        line(text, 1, &location);
        if let Some(target) = target {
            if route.connections.is_some() {
                let limit = route.connections.unwrap_or_default();
                line(text, 2, &format!("limit_conn {} {limit};", zone(frontend, index)));
            }
            let secured = matches!(route.action, Action::SslToGear { .. });
            pass(text, (index, route), target, if secured { Scheme::Https } else { Scheme::Http });
        } else {
            answer(text, route, (frontend, settings));
        }
        line(text, 1, "}");
    }
}

/// Answers that nobody is asked for.
fn answer(text: &mut String, route: &Route, (frontend, settings): (&Frontend, &Nginx)) {
    let folder = quoted(&settings.files.display().to_string());
    match &route.action {
        Action::Gone => line(text, 2, "return 410;"),
        Action::Forbidden => line(text, 2, "return 403;"),
        Action::NoProxy => line(text, 2, &format!("root {folder};")),
        Action::Health => {
            line(text, 2, "default_type text/plain;");
            line(text, 2, &format!("return 200 \"{HEALTHY}\";"));
        }
        Action::Redirect { to } => {
            moved(text, &route.path, to, "redirect");
            line(text, 2, "return 404;");
        }
        Action::File { file } => {
            line(text, 2, &format!("root {folder};"));
            line(text, 2, &format!("try_files {} =404;", quoted(&slashed(&file.decoded()))));
        }
        Action::ToHttps { .. } | Action::SslToGear { .. } | Action::Proxy { .. } => {
            let port = match settings.https_port {
                443 => String::new(),
                port => format!(":{port}"),
            };
            line(text, 2, &format!("return 302 \"https://{}{port}$request_uri\";", frontend.host));
        }
    }
}

pub(super) fn slashed(path: &str) -> String {
    if path.is_empty() { "/".into() } else { path.to_owned() }
}

/// Puts `to` where `from` was, with all that lies below.
fn moved(text: &mut String, from: &WebPath, to: &WebPath, flag: &str) {
    let from = regex(&from.decoded());
    let below = quoted(&format!("(?s)^{from}/(.*)$"));
    line(text, 2, &format!("rewrite {below} \"{}/$1\" {flag};", to.as_str()));
    let itself = quoted(&format!("^{from}/?$"));
    line(text, 2, &format!("rewrite {itself} \"{}\" {flag};", slashed(to.as_str())));
}

/// A regular expression for exactly this text.
pub(super) fn regex(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        if !c.is_ascii_alphanumeric() && c.is_ascii() && c != '/' {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

/// Web sockets may have a port of their own: the variable holds the one that is meant.
fn choose_port(text: &mut String, index: usize, target: &Target) {
    let Some(websocket) = target.websocket_port else { return };
    let Target { address, port, .. } = target;
    line(text, 1, &format!("set $cart_target_{index} {address}:{port};"));
    let change = format!("set $cart_target_{index} {address}:{websocket};");
    line(text, 1, &format!("if ($http_upgrade ~* \"^websocket$\") {{ {change} }}"));
}

fn pass(text: &mut String, (index, route): (usize, &Route), target: &Target, scheme: Scheme) {
    let scheme = if scheme == Scheme::Https { "https" } else { "http" };
    for header in [
        "Host $http_host",
        "X-Real-IP $remote_addr",
        "X-Client-IP $remote_addr",
        "X-Forwarded-For $proxy_add_x_forwarded_for",
        "X-Forwarded-Proto $scheme",
        "X-Forwarded-Host $http_host",
        "X-Forwarded-Port $server_port",
    ] {
        line(text, 2, &format!("proxy_set_header {header};"));
    }
    line(text, 2, "proxy_http_version 1.1;");
    if target.websocket {
        line(text, 2, "proxy_set_header Upgrade $http_upgrade;");
        line(text, 2, "proxy_set_header Connection $cart_connection;");
        line(text, 2, "proxy_read_timeout 1h;");
    } else {
        line(text, 2, "proxy_set_header Connection \"\";");
    }
    let to = match target.websocket_port {
        Some(_) => format!("$cart_target_{index}"),
        None => format!("{}:{}", target.address, target.port),
    };
    // Without a path in `proxy_pass` the request goes on as it came, byte for byte.
    if route.path != target.path {
        moved(text, &route.path, &target.path, "break");
    }
    line(text, 2, &format!("proxy_pass {scheme}://{to};"));
}
