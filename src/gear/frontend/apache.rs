//! The text of a gear's include file for Apache: a virtual host with its routes and with what its
//! cartridges bring in `httpd.d`.
//!
//! As for nginx, everything in it is a checked path, a host name, an address, a number or a path of
//! ours, and quoted all the same.

use super::httpd::{Snippet, quoted};
use super::nginx::{HEALTHY, regex, slashed};
use super::{Action, Certificate, Frontend, Route, Scheme, Target};
use crate::config::Apache;
use crate::package::endpoint::WebPath;
use std::fmt::Write;
use std::path::Path;

/// What is served besides the routes.
#[derive(Clone, Copy, Debug)]
pub struct Besides<'a> {
    /// The checked snippets.
    pub snippets: &'a [Snippet],
    /// Where the copies of cartridges' files lie.
    pub copies: &'a Path,
}

type Whole<'a> = (&'a Frontend, &'a Apache, &'a Besides<'a>);

/// The file to be included; nothing where there is nothing to serve.
pub fn http(
    frontend: &Frontend,
    settings: &Apache,
    besides: &Besides<'_>,
    certificate: &Certificate<'_>,
) -> Option<String> {
    let silent = besides.snippets.iter().all(|one| one.lines.is_empty());
    if frontend.routes.is_empty() && silent {
        return None;
    }
    let mut text = format!(
        "# Written by cart for the gear `{}`; changes are lost with its next one.\n",
        frontend.gear
    );
    let whole = (frontend, settings, besides);
    host(&mut text, Scheme::Http, whole, certificate);
    if frontend.needs_certificate() {
        host(&mut text, Scheme::Https, whole, certificate);
    }
    Some(text)
}

fn line(text: &mut String, content: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "    {content}");
}

fn file(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// The address of a virtual host.
pub(super) fn address(settings: &Apache) -> String {
    match settings.address {
        Some(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        Some(std::net::IpAddr::V4(address)) => address.to_string(),
        None => "*".into(),
    }
}

fn host(text: &mut String, scheme: Scheme, whole: Whole<'_>, certificate: &Certificate<'_>) {
    let (frontend, settings, besides) = whole;
    let port = if scheme == Scheme::Http { settings.http_port } else { settings.https_port };
    let _ = writeln!(text, "<VirtualHost {}:{port}>", address(settings));
    line(text, &format!("ServerName {}", quoted(frontend.host.as_str())));
    line(text, &format!("DocumentRoot {}", file(&settings.files)));
    if scheme == Scheme::Https {
        line(text, "SSLEngine on");
        line(text, &format!("SSLCertificateFile {}", file(certificate.certificate)));
        line(text, &format!("SSLCertificateKeyFile {}", file(certificate.key)));
        line(text, "SSLProxyEngine on");
        // Who answers there is the gear itself, whoever its certificate says it is.
        for check in ["SSLProxyCheckPeerName", "SSLProxyCheckPeerCN", "SSLProxyCheckPeerExpire"] {
            line(text, &format!("{check} off"));
        }
    }
    line(text, "AllowEncodedSlashes NoDecode");
    line(text, "ProxyPreserveHost On");
    let protocol = if scheme == Scheme::Http { "http" } else { "https" };
    line(text, &format!("RequestHeader set X-Forwarded-Proto {protocol}"));
    line(text, &format!("RequestHeader set X-Forwarded-Port {port}"));
    for folder in [&settings.files, besides.copies] {
        line(text, &format!("<Directory {}>", file(folder)));
        line(text, "    Options None");
        line(text, "    AllowOverride None");
        line(text, "    Require all granted");
        line(text, "</Directory>");
    }
    add_snippets(text, besides.snippets);
    for route in &frontend.routes {
        add_route(text, route, scheme, (frontend, settings));
    }
    let _ = writeln!(text, "</VirtualHost>");
}

fn add_snippets(text: &mut String, snippets: &[Snippet]) {
    for own in snippets.iter().flat_map(|one| &one.lines) {
        line(text, own);
    }
    for path in snippets.iter().flat_map(|one| one.aliases.iter().chain(&one.answers)) {
        not_passed_on(text, path);
    }
    // Files are shown, and never run, whatever the server does with their kind elsewhere.
    for path in snippets.iter().flat_map(|one| &one.aliases) {
        line(text, &format!("<Location {}>", quoted(&slashed(&path.decoded()))));
        line(text, "    SetHandler default-handler");
        line(text, "</Location>");
    }
}

/// The first one that matches counts; a route for everything stays for what lies below the root.
fn not_passed_on(text: &mut String, path: &WebPath) {
    if path.is_root() {
        line(text, "ProxyPassMatch \"^/$\" !");
    } else {
        line(text, &format!("ProxyPass {} !", quoted(&path.decoded())));
    }
}

fn add_route(
    text: &mut String,
    route: &Route,
    scheme: Scheme,
    (frontend, settings): (&Frontend, &Apache),
) {
    let path = quoted(&slashed(&route.path.decoded()));
    let secured = scheme == Scheme::Https;
    match &route.action {
        Action::Proxy { target } => return pass(text, route, target, Scheme::Http),
        Action::ToHttps { target } if secured => return pass(text, route, target, Scheme::Http),
        Action::SslToGear { target } if secured => return pass(text, route, target, scheme),
        _ => not_passed_on(text, &route.path),
    }
    match &route.action {
        Action::Gone => line(text, &format!("Redirect gone {path}")),
        Action::Forbidden => {
            line(text, &format!("<Location {path}>"));
            line(text, "    Require all denied");
            line(text, "</Location>");
        }
        Action::NoProxy => {}
        Action::Health => {
            line(text, &format!("Redirect 200 {path}"));
            line(text, &format!("<Location {path}>"));
            line(text, &format!("    ErrorDocument 200 \"{HEALTHY}\""));
            line(text, "</Location>");
        }
        Action::Redirect { to } => {
            line(text, &format!("Redirect 302 {path} {}", quoted(&slashed(to.as_str()))));
        }
        Action::File { file } => {
            let shown = settings.files.display().to_string() + &file.decoded();
            line(text, &format!("Alias {path} {}", quoted(&shown)));
        }
        Action::ToHttps { .. } | Action::SslToGear { .. } | Action::Proxy { .. } => {
            let port = match settings.https_port {
                443 => String::new(),
                port => format!(":{port}"),
            };
            let to = format!("https://{}{port}{}", frontend.host, slashed(route.path.as_str()));
            line(text, &format!("Redirect 302 {path} {}", quoted(&to)));
        }
    }
}

fn pass(text: &mut String, route: &Route, target: &Target, scheme: Scheme) {
    let scheme = if scheme == Scheme::Https { "https" } else { "http" };
    let Target { address, port, path, websocket, websocket_port } = target;
    let end = if route.path.is_root() { "/" } else { "" };
    let from = quoted(&format!("{}{end}", route.path.decoded()));
    let to = |scheme: &str, port: u16| {
        quoted(&format!("{scheme}://{address}:{port}{}{end}", path.as_str()))
    };
    // Apache would answer 502 where an application has just closed a connection that it meant to use again.
    let mut more = String::from(" disablereuse=on");
    if let (true, Some(own)) = (*websocket, websocket_port) {
        // Web sockets with a port of their own go before all that is not passed by their header.
        line(text, "RewriteEngine on");
        line(text, "RewriteCond %{HTTP:Upgrade} ^websocket$ [NC]");
        let pattern = quoted(&format!("^{}(/.*)?$", regex(&route.path.decoded())));
        let target = quoted(&format!("ws://{address}:{own}{}$1", escaped(path.as_str())));
        line(text, &format!("RewriteRule {pattern} {target} [P,NE]"));
    } else if *websocket {
        more.push_str(" upgrade=websocket");
    }
    if let Some(most) = route.connections {
        let _ = write!(more, " max={most}");
    }
    line(text, &format!("ProxyPass {from} {}{more}", to(scheme, *port)));
    line(text, &format!("ProxyPassReverse {from} {}", to(scheme, *port)));
}

/// In the target of a rewrite `%1` would be a part of the condition.
fn escaped(path: &str) -> String {
    path.replace('%', "\\%")
}
