//! The text of a site's include file for Apache: its virtual host, live or waiting.
//!
//! Pure. Contexts, names and identifiers are checked types, paths are quoted, and URLs and titles of
//! packages are checked or escaped here: nothing else of a package reaches the text. What an app's own
//! `.htaccess` and fragment say is the administrator's to trust, as with any UBOS package: such a
//! package runs scripts with all rights anyway.

mod well_known;

pub use well_known::{Answer, Bytes, Entry, OfPackage, Url, WellKnowns, well_known};

use super::Certificate;
use super::httpd::quoted;
use super::modules::Module;
use super::nginx::regex;
use crate::config::Apache;
use crate::package::ubos::name::{Context, SiteId};
use crate::package::ubos::site::Host;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What the web server serves of a site.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ShownSite {
    /// Which one.
    pub site: SiteId,
    /// To which name it answers.
    pub host: Host,
    /// What it answers.
    pub serving: Serving,
}

/// What a site answers.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Serving {
    /// Its apps do.
    Live(Live),
    /// Nothing yet, or not for a moment: 503 and a few words.
    Waiting(Waiting),
}

/// Why a site answers nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Waiting {
    /// It is being made.
    Arriving,
    /// It is being changed.
    Maintenance,
}

/// A site that answers.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Live {
    /// Its folder of documents (`site.apache2.sitedocumentdir`).
    pub documents: PathBuf,
    /// The folder of its apps' fragments (`apache2.appconfigfragmentdir` and the site's identifier).
    pub fragments: PathBuf,
    /// Where apps may put files for `/.well-known/` (`apache2.siteswellknowndir`, the site's
    /// identifier and `.well-known`), if they do.
    pub well_known: Option<PathBuf>,
    /// Its apps, in order.
    pub apps: Vec<ShownApp>,
    /// What lies below `/.well-known/`.
    pub entries: Vec<Entry>,
    /// Folders beside the documents that PHP may read; it may read everything where there is none.
    pub readable: Vec<PathBuf>,
}

/// An app of a site.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ShownApp {
    /// Where it lies.
    pub context: Context,
    /// What people call it.
    pub title: String,
    /// Whether the site's root leads to it.
    pub is_default: bool,
}

impl Live {
    /// The page at the root of a site without an app there; nothing where there is one.
    pub fn index(&self) -> Option<String> {
        if self.apps.iter().any(|app| app.is_default || app.context.is_root()) {
            return None;
        }
        let mut page =
            String::from("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>Apps</title>\n<ul>\n");
        for app in &self.apps {
            let _ = writeln!(
                page,
                "<li><a href=\"{}/\">{}</a>",
                app.context.as_str(),
                in_html(&app.title)
            );
        }
        Some(page + "</ul>\n")
    }
}

fn in_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What a site needs beside its own settings.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// How Apache is reached.
    pub settings: &'a Apache,
    /// What is loaded where it is not yet.
    pub modules: &'a [Module],
    /// Where the files of ours for this site lie.
    pub copies: &'a Path,
    /// A word below the root by which somebody can see that this very file is being served; only of a site
    /// that waits.
    pub sign: Option<&'a str>,
    /// Certificate, key, and certificates of those who vouch for it; nothing without TLS.
    pub tls: Option<(Certificate<'a>, Option<&'a Path>)>,
}

/// The file to be included.
pub fn text(site: &ShownSite, around: &Around<'_>) -> String {
    let mut text = format!(
        "# Written by cart for the site `{}`; changes are lost with its next deployment.\n",
        site.site
    );
    for Module { identifier, files } in around.modules {
        let _ = writeln!(text, "<IfModule !{identifier}>");
        for path in files {
            line(&mut text, &format!("Include {}", file(path)));
        }
        text += "</IfModule>\n";
    }
    let settings = around.settings;
    if around.tls.is_some() {
        open(&mut text, site, (settings, settings.http_port));
        moved_to_https(&mut text, settings.https_port);
        text += "</VirtualHost>\n";
    }
    let port = if around.tls.is_some() { settings.https_port } else { settings.http_port };
    open(&mut text, site, (settings, port));
    if let Some((certificate, vouching)) = around.tls {
        line(&mut text, "SSLEngine on");
        line(&mut text, &format!("SSLCertificateKeyFile {}", file(certificate.key)));
        line(&mut text, &format!("SSLCertificateFile {}", file(certificate.certificate)));
        if let Some(vouching) = vouching {
            line(&mut text, &format!("SSLCertificateChainFile {}", file(vouching)));
        }
    }
    match &site.serving {
        Serving::Waiting(why) => waiting(&mut text, *why, around.sign),
        Serving::Live(live) => {
            documents(&mut text, site, live);
            root(&mut text, live, around.copies);
            entries(&mut text, live, around.copies);
            line(&mut text, &format!("IncludeOptional {}", file(&live.fragments.join("*.conf"))));
        }
    }
    text + "</VirtualHost>\n"
}

fn line(text: &mut String, content: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "    {content}");
}

fn file(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn open(text: &mut String, site: &ShownSite, (settings, port): (&Apache, u16)) {
    let _ = writeln!(text, "<VirtualHost {}:{port}>", super::apache::address(settings));
    line(text, &format!("ServerName {}", quoted(&name(site))));
    // Its file comes last, so whoever has a name of her own goes first.
    if site.host == Host::Any {
        line(text, "ServerAlias \"*\"");
    }
}

/// A name to which a site answers.
pub fn name(site: &ShownSite) -> String {
    match &site.host {
        Host::Name(name) => name.to_string(),
        Host::Any | Host::Onion => format!("{}.invalid", site.site),
    }
}

/// The same place by https, under the name that was asked for.
fn moved_to_https(text: &mut String, port: u16) {
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    line(text, "RewriteEngine on");
    line(text, "RewriteCond %{HTTP_HOST} \"^([-.0-9A-Za-z]+)(:[0-9]+)?$\"");
    line(text, &format!("RewriteRule \"^\" \"https://%1{port}%{{REQUEST_URI}}\" [R=301,L]"));
    line(text, "Redirect 404 \"/\"");
}

fn waiting(text: &mut String, why: Waiting, sign: Option<&str>) {
    let words = match why {
        Waiting::Arriving => "This site is being set up. Come back in a moment.",
        Waiting::Maintenance => "This site is being worked on. Come back in a moment.",
    };
    if let Some(sign) = sign {
        line(text, &format!("RedirectMatch 410 {}", quoted(&format!("^/{}$", regex(sign)))));
    }
    // Whatever is asked for, the virtual host alone answers.
    line(text, "Redirect 503 \"/\"");
    line(text, &format!("ErrorDocument 503 {}", quoted(words)));
}

fn documents(text: &mut String, site: &ShownSite, live: &Live) {
    line(text, &format!("DocumentRoot {}", file(&live.documents)));
    line(text, "<IfModule env_module>");
    line(text, &format!("    SetEnv SiteId {}", quoted(site.site.as_str())));
    line(text, "</IfModule>");
    line(text, &format!("<Directory {}>", file(&live.documents)));
    line(text, "    Options -Indexes +FollowSymLinks");
    line(text, "    AllowOverride All");
    line(text, "    Require all granted");
    line(text, "    <IfModule dir_module>");
    line(text, "        DirectoryIndex index.html index.php");
    line(text, "    </IfModule>");
    if !live.readable.is_empty() {
        let folders = std::iter::once(&live.documents).chain(&live.readable);
        let folders: Vec<String> = folders.map(|path| format!("{}/", path.display())).collect();
        line(text, "    <IfModule php_module>");
        line(text, &format!("        php_admin_value open_basedir {}", quoted(&folders.join(":"))));
        line(text, "    </IfModule>");
    }
    line(text, "</Directory>");
}

fn root(text: &mut String, live: &Live, copies: &Path) {
    let default = live.apps.iter().find(|app| app.is_default && !app.context.is_root());
    if let Some(app) = default {
        let to = quoted(&format!("{}/", app.context.as_str()));
        line(text, &format!("RedirectMatch 307 \"^/$\" {to}"));
    } else if live.index().is_some() {
        line(text, &format!("AliasMatch \"^/$\" {}", file(&copies.join(INDEX))));
    }
}

/// The file with the page at a site's root, in its folder of ours.
pub const INDEX: &str = "index.html";
/// The folder with what lies below `/.well-known/`, there.
pub const WELL_KNOWN: &str = "well-known";
/// What is served at the root as well (UBOS specification, 1.4).
const AT_ROOT: [&str; 3] = ["robots.txt", "sitemap.xml", "favicon.ico"];

fn entries(text: &mut String, live: &Live, copies: &Path) {
    for Entry { name, answer } in &live.entries {
        let escaped = regex(name.as_str());
        let mut places = vec![format!("\"^/\\.well-known/{escaped}$\"")];
        match answer {
            Answer::Content(_) => {
                if AT_ROOT.contains(&name.as_str()) {
                    places.push(format!("\"^/{escaped}$\""));
                }
                let path = file(&copies.join(WELL_KNOWN).join(name.as_str()));
                for place in places {
                    line(text, &format!("AliasMatch {place} {path}"));
                }
            }
            Answer::Asked(url) => {
                let place = format!("\"/.well-known/{name}\"");
                let url = quoted(url.as_str());
                line(text, &format!("ProxyPass {place} {url} disablereuse=on"));
            }
            Answer::Elsewhere { url, status } => {
                for place in places {
                    line(
                        text,
                        &format!("RedirectMatch {status} {place} {}", quoted(&url.for_match())),
                    );
                }
            }
        }
    }
    if let Some(folder) = &live.well_known {
        line(text, &format!("Alias \"/.well-known/\" {}", file(&folder.join(""))));
        // Of a folder that is not there nothing would be granted, not even to be told so.
        line(text, "<Location \"/.well-known/\">");
        line(text, "    Require all granted");
        line(text, "</Location>");
    }
    for folder in [Some(copies), live.well_known.as_deref()].into_iter().flatten() {
        line(text, &format!("<Directory {}>", file(folder)));
        line(text, "    Options None");
        line(text, "    AllowOverride None");
        line(text, "    Require all granted");
        line(text, "    SetHandler default-handler");
        line(text, "</Directory>");
    }
}

#[cfg(test)]
mod tests;
