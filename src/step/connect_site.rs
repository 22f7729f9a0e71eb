//! Shows a site to the outside by Apache, lets it wait, or takes it off: writes its include file after
//! the server itself has tested it together with its own settings, and makes it read that. What Apache
//! refuses was never seen by anybody.
//!
//! The include files lie where those of gears do. A site that answers to every name has its file last.

mod sign;

use super::connect_frontend::apache;
use super::files::{self, Before, NewFile};
use super::{Cx, Said, Step, folders};
use crate::error::{Exit, Failure};
use crate::gear::frontend::Certificate;
use crate::gear::frontend::modules::{self, Module};
use crate::gear::frontend::site::{
    Answer, Around, INDEX, Live, Serving, ShownSite, WELL_KNOWN, Waiting, name, text,
};
use crate::package::ubos::name::{HostName, SiteId};
use crate::package::ubos::site::{Host, Secret};
use crate::sys::checkpoint::checkpoint;
use crate::sys::{random, tree};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What Apache shall serve of a site from now on.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ConnectSite {
    /// Which one.
    pub site: SiteId,
    /// To which name it answers.
    pub host: Host,
    /// What it answers; nothing takes it off.
    pub serving: Option<Serving>,
    /// Whether by https.
    pub tls: SiteTls,
    /// Modules of Apache that its apps need, as their manifests name them.
    pub modules: Vec<HostName>,
}

/// Whether a site is served by https, and with what.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SiteTls {
    /// It is not.
    None,
    /// With what was used before, where there was anything.
    Kept,
    /// With `key`, `crt` and `cacrt` of this JSON file, which only the owner of the state can read;
    /// relative to the state. (A plan is shown to people, so it cannot hold the key.)
    From(String),
}

/// See [`SiteTls::From`].
#[derive(Debug, serde::Deserialize)]
struct Pem {
    key: Secret,
    crt: String,
    cacrt: Option<String>,
}

/// What going back needs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Undo {
    before: Vec<Before>,
    had_copies: bool,
    missing: Vec<PathBuf>,
}

/// The longest file with a key and certificates.
const LONGEST: u64 = 1 << 20;
/// Modules by which every site is served, and those for https; most servers have them.
const USUAL: [&str; 4] = ["authz_core", "alias", "dir", "mime"];
const FOR_TLS: [&str; 2] = ["rewrite", "ssl"];

/// The place of each file among a site's.
const NAMED: usize = 0;
const KEY: usize = 2;
const CRT: usize = 3;
const CACRT: usize = 4;

impl ConnectSite {
    /// The include file under either name, key, certificate and those who vouch for it, relative to the
    /// state directory.
    fn paths(&self) -> [String; 5] {
        let site = &self.site;
        [
            format!("frontend/apache/site-{site}.conf"),
            format!("frontend/apache/~site-{site}.conf"),
            format!("frontend/tls/site-{site}.key"),
            format!("frontend/tls/site-{site}.crt"),
            format!("frontend/tls/site-{site}.cacrt"),
        ]
    }

    fn files(&self) -> [NewFile; 5] {
        let file = |path| NewFile { path, bytes: Vec::new(), mode: 0o644, owner: None };
        self.paths().map(file)
    }

    /// Where the files of ours for it lie.
    fn copies(&self) -> String {
        format!("frontend/apache/site-{}.files", self.site)
    }

    /// The include file of now, and the one that it must not be.
    fn include(&self) -> (String, String) {
        let [named, any, ..] = self.paths();
        if self.host == Host::Any { (any, named) } else { (named, any) }
    }

    fn live(&self) -> Option<&Live> {
        match &self.serving {
            Some(Serving::Live(live)) => Some(live),
            _ => None,
        }
    }

    /// Writes key and certificates, where there are new ones.
    fn write_tls(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let SiteTls::From(file) = &self.tls else { return Ok(()) };
        let bytes = cx.state.read(file, LONGEST)?;
        let pem: Pem = serde_json::from_slice(&bytes).map_err(|_| {
            // What is wrong with it could be a part of the key.
            Failure::new(Exit::Failed, "the key and certificate of the site cannot be read")
        })?;
        let paths = self.paths();
        cx.state.make_dirs("frontend/tls", 0o755)?;
        let put = |index: usize, text: Option<&str>, mode| {
            let Some(path) = paths.get(index) else { return Ok(()) };
            checkpoint("connect_site: before a key or certificate");
            match text {
                Some(text) => cx.state.replace_file(path, text.as_bytes(), mode),
                None => cx.state.remove_file(path),
            }
        };
        put(KEY, Some(&pem.key.0), 0o600)?;
        put(CRT, Some(&pem.crt), 0o644)?;
        Ok(put(CACRT, pem.cacrt.as_deref(), 0o644)?)
    }

    /// The include file's text, with what is there for https.
    fn text(
        &self,
        serving: &Serving,
        cx: &Cx<'_>,
        loaded: &BTreeSet<String>,
    ) -> Result<String, Failure> {
        let settings = &cx.config.frontend.apache;
        let [_, _, key, crt, cacrt] = self.paths();
        let secured = self.tls != SiteTls::None && cx.state.has(&key)? && cx.state.has(&crt)?;
        let vouching = cx.state.has(&cacrt)?;
        let [key, crt, cacrt] = [key, crt, cacrt].map(|path| cx.state.path_of(path));
        let certificate = Certificate { certificate: &crt, key: &key };
        let mut named = self.named(cx)?;
        if self.live().is_none() {
            // Taking a module from a running server and giving it back is asking for trouble.
            named.retain(|module| loaded.contains(&module.identifier));
        }
        let around = Around {
            settings,
            modules: &usual(cx, if secured { &FOR_TLS } else { &[] }, named)?,
            copies: &cx.state.path_of(self.copies()),
            sign: None,
            tls: secured.then_some((certificate, vouching.then_some(cacrt.as_path()))),
        };
        Ok(text(&self.shown(serving.clone()), &around))
    }

    fn shown(&self, serving: Serving) -> ShownSite {
        ShownSite { site: self.site.clone(), host: self.host.clone(), serving }
    }

    /// The modules that its apps name, each behind those that it needs. They have to be there.
    fn named(&self, cx: &Cx<'_>) -> Result<Vec<Module>, Failure> {
        let found = modules::look(&cx.config.frontend.apache.modules, &self.modules)?;
        let Some(first) = found.missing.first() else { return Ok(found.modules) };
        let all: Vec<String> = found.missing.iter().map(|one| format!("`{}`", one.name)).collect();
        let text = format!("Apache has no module {} here", all.join(", "));
        let hint = format!("install the package `{}`", first.package);
        Err(Failure::new(Exit::NotFound, text).hint(hint))
    }

    /// Loads modules that the server does not have yet while the site still waits. Some begin their work
    /// only when the settings are read for the second time: PHP among them, whose files the server
    /// would show until then as they are.
    fn rehearse(&self, cx: &Cx<'_>, loaded: &BTreeSet<String>) -> Result<(), Failure> {
        let named = self.named(cx)?;
        let settings = &cx.config.frontend.apache;
        if settings.reload.is_empty()
            || named.iter().all(|module| loaded.contains(&module.identifier))
        {
            return Ok(());
        }
        let sign = format!(".cart-{}", random::hex(8)?);
        let around = Around {
            settings,
            modules: &usual(cx, &[], named)?,
            copies: &cx.state.path_of(self.copies()),
            sign: Some(&sign),
            tls: None,
        };
        let shown = self.shown(Serving::Waiting(Waiting::Arriving));
        let text = text(&shown, &around);
        apache::test(cx, &text)?;
        self.put(cx, &text)?;
        checkpoint("connect_site: before the server is told of modules");
        apache::reload(cx)?;
        sign::wait_for(settings, &name(&shown), &sign)
    }

    /// Brings the include file to its place.
    fn put(&self, cx: &Cx<'_>, text: &str) -> Result<(), Failure> {
        let (path, other) = self.include();
        cx.state.make_dirs("frontend/apache", 0o755)?;
        checkpoint("connect_site: before the include file");
        cx.state.replace_file(path, text.as_bytes(), 0o644)?;
        Ok(cx.state.remove_file(other)?)
    }

    /// Builds the files of ours and swaps them in.
    fn publish(&self, undo: &Undo, cx: &Cx<'_>) -> Result<(), Failure> {
        let stash = cx.stash()?;
        tree::remove(&stash, "new.files")?;
        if let Some(live) = self.live() {
            stash.make_dir("new.files", 0o755)?;
            stash.make_dir(format!("new.files/{WELL_KNOWN}"), 0o755)?;
            if let Some(page) = live.index() {
                stash.write_new(format!("new.files/{INDEX}"), page.as_bytes(), 0o644)?;
            }
            for entry in &live.entries {
                if let Answer::Content(bytes) = &entry.answer {
                    let path = format!("new.files/{WELL_KNOWN}/{}", entry.name);
                    stash.write_new(path, &bytes.0, 0o644)?;
                }
            }
            cx.state.make_dirs("frontend/apache", 0o755)?;
        }
        apache::swap(cx, &self.copies(), (undo.had_copies, self.live().is_some()))
    }

    /// Removes key and certificates that nobody uses any more.
    fn clear_tls(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        if self.serving.is_some() && self.tls != SiteTls::None {
            return Ok(());
        }
        for path in self.paths().get(KEY..).unwrap_or_default() {
            cx.state.remove_file(path)?;
        }
        Ok(())
    }

    fn is_there(&self, cx: &Cx<'_>) -> Result<bool, Failure> {
        let (one, other) = self.include();
        Ok(cx.state.has(one)? || cx.state.has(other)?)
    }

    fn off(&self, undo: &Undo, cx: &Cx<'_>) -> Result<Said, Failure> {
        let was_there = undo.before.iter().take(KEY).any(Before::is_there);
        for path in self.paths().get(NAMED..KEY).unwrap_or_default() {
            checkpoint("connect_site: before an include file goes");
            cx.state.remove_file(path)?;
        }
        self.publish(undo, cx)?;
        let mut said = Said::default();
        if was_there {
            match apache::reload(cx) {
                Ok(warning) => said.warnings.extend(warning),
                // Who goes is not kept back by a web server that does not run.
                Err(failure) => {
                    let text = format!("the web server was not told: {}", failure.summary);
                    said.warnings.push(text);
                }
            }
        }
        self.clear_tls(cx)?;
        Ok(said)
    }
}

impl Step for ConnectSite {
    type Undo = Undo;

    fn describe(&self) -> String {
        let host = match &self.host {
            Host::Any => "every host name".to_owned(),
            Host::Name(name) => format!("`{name}`"),
            Host::Onion => "its onion service".to_owned(),
        };
        match &self.serving {
            None => format!("take the site at {host} off the web server"),
            Some(Serving::Waiting(_)) => {
                format!("let {host} answer that the site is being worked on")
            }
            Some(Serving::Live(live)) => {
                format!("let {host} answer with the site's apps ({})", live.apps.len())
            }
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Undo, Failure> {
        cx.stash()?;
        let before = files::look(cx, &self.files())?;
        let folders = ["frontend/apache", "frontend/tls"].map(|path| cx.state.path_of(path));
        let missing = folders.iter().flat_map(|path| folders::missing(path)).collect();
        Ok(Undo { before, had_copies: cx.state.has(self.copies())?, missing })
    }

    fn apply(&self, undo: &Undo, cx: &Cx<'_>) -> Result<Said, Failure> {
        let Some(serving) = &self.serving else { return self.off(undo, cx) };
        let mut said = Said::default();
        if !cx.config.frontend.apache.enabled {
            let text = "nobody serves the site: `frontend.apache` in cart-config(5) is not enabled";
            said.warnings.push(text.to_owned());
            return Ok(said);
        }
        let Some(loaded) = apache::loaded(cx)? else {
            let text = "nobody serves the site: Apache is not there";
            said.warnings.push(text.to_owned());
            return Ok(said);
        };
        // In this order the server's files never name what is not there.
        self.write_tls(cx)?;
        self.publish(undo, cx)?;
        let text = self.text(serving, cx, &loaded)?;
        said.warnings.extend(apache::test(cx, &text)?);
        if self.live().is_some() {
            self.rehearse(cx, &loaded)?;
        }
        self.put(cx, &text)?;
        checkpoint("connect_site: before the server is told");
        said.warnings.extend(apache::reload(cx)?);
        self.clear_tls(cx)?;
        Ok(said)
    }

    fn revert(&self, undo: &Undo, cx: &Cx<'_>) -> Result<(), Failure> {
        let concerned = self.is_there(cx)? || undo.before.iter().take(KEY).any(Before::is_there);
        apache::put_back(cx, &self.copies(), undo.had_copies)?;
        files::put_back(cx, &self.files(), &undo.before)?;
        checkpoint("connect_site: before the server is told again");
        // The files are as they were; a server that cannot be told now reads them when it starts.
        if concerned && let Err(failure) = apache::reload(cx) {
            cx.fall_short(format!("the web server was not told: {}", failure.summary));
        }
        folders::remove_empty(&undo.missing)
    }
}

/// The modules by which every site is served, as far as this host has them, and then those named.
fn usual(cx: &Cx<'_>, more: &[&str], mut named: Vec<Module>) -> Result<Vec<Module>, Failure> {
    let usual = USUAL.iter().chain(more);
    let usual: Vec<_> = usual.filter_map(|name| HostName::parse(name).ok()).collect();
    let mut found = modules::look(&cx.config.frontend.apache.modules, &usual)?.modules;
    named.retain(|module| !found.contains(module));
    found.extend(named);
    Ok(found)
}

#[cfg(test)]
pub(super) use tests::sample;

#[cfg(test)]
mod tests;
