//! What the web server shows of a site.

use super::deployment::{Deployment, Part, path};
use super::pieces::Maker;
use super::{SiteAsk, check};
use crate::error::Exit;
use crate::gear::frontend::site::{
    Answer, Live, OfPackage, Serving, ShownApp, Waiting, well_known,
};
use crate::package::ubos::Kind;
use crate::package::ubos::item::{Language, Source};
use crate::package::ubos::name::{Context, HostName};
use crate::package::ubos::role::{RoleName, WellKnown};
use crate::package::ubos::site::{Site, Tls};
use crate::plan::{Plan, Refusal};
use crate::step::connect_site::{ConnectSite, SiteTls};
use crate::step::site_variables::{SiteVariables, Values};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The name of the file with key and certificates.
const TLS: &str = "tls";

fn connect(
    site: &Site,
    serving: Option<Serving>,
    (tls, modules): (SiteTls, Vec<HostName>),
) -> ConnectSite {
    ConnectSite { site: site.id.clone(), host: site.host.clone(), serving, tls, modules }
}

/// Lets a site answer that it is being worked on.
pub(super) fn suspend(plan: &mut Plan, ask: &SiteAsk<'_>, site: &Site) {
    if ask.facts.has_web_server {
        let tls = if site.tls.is_some() { SiteTls::Kept } else { SiteTls::None };
        let serving = Serving::Waiting(Waiting::Maintenance);
        plan.step(connect(site, Some(serving), (tls, Vec::new())));
    }
}

/// Takes a site off the web server.
pub(super) fn disconnect(plan: &mut Plan, ask: &SiteAsk<'_>, site: &Site) {
    if ask.facts.has_web_server {
        plan.step(connect(site, None, (SiteTls::None, Vec::new())));
    }
}

/// Writes key and certificates down for the web server, and lets a site that is new answer that it
/// is being made.
pub(super) fn announce(plan: &mut Plan, ask: &SiteAsk<'_>, site: &Site) -> Result<(), Refusal> {
    if !ask.facts.has_web_server {
        let text =
            "no web server shows the site: set `frontend.apache.enabled`, see cart-config(5)";
        plan.warnings.push(text.into());
        return Ok(());
    }
    if let Some(Tls::Own { key, crt, cacrt }) = &site.tls {
        let pem = json!({ "key" : key.0, "crt" : crt, "cacrt" : cacrt });
        plan.step(SiteVariables {
            package: site.id.to_string(),
            file: path(&format!("sites/{}/new/site", site.id))?,
            values: Values::new(),
            databases: Vec::new(),
            texts: Vec::new(),
            files: BTreeMap::from([(TLS.to_owned(), pem)]),
        });
    }
    if ask.facts.old.is_none() {
        let serving = Serving::Waiting(Waiting::Arriving);
        plan.step(connect(site, Some(serving), (tls_of(site), Vec::new())));
    }
    Ok(())
}

/// With what a site is served that comes now.
pub(super) fn tls_of(site: &Site) -> SiteTls {
    match &site.tls {
        Some(_) => SiteTls::From(format!("sites/{}/new/{TLS}", site.id)),
        None => SiteTls::None,
    }
}

/// Lets a site answer with its apps.
pub(super) fn resume(
    plan: &mut Plan,
    ask: &SiteAsk<'_>,
    (new, tls): (&Deployment, SiteTls),
) -> Result<(), Refusal> {
    let Some(first) = new.parts.first().filter(|_| ask.facts.has_web_server) else { return Ok(()) };
    let site = &new.site;
    let text = |name: &str| PathBuf::from(first.text(name).unwrap_or_default());
    let found = well_known(&site.well_known, &entries(ask, new)?).map_err(check::wrong)?;
    plan.warnings.extend(found.warnings);
    let mut modules = modules(new);
    if found.entries.iter().any(|entry| matches!(entry.answer, Answer::Asked(_))) {
        let names = ["proxy", "proxy_http"].into_iter();
        modules.extend(names.filter_map(|name| HostName::parse(name).ok()));
    }
    let live = Live {
        documents: text("site.apache2.sitedocumentdir"),
        fragments: text("apache2.appconfigfragmentdir").join(site.id.as_str()),
        well_known: Some(
            text("apache2.siteswellknowndir").join(site.id.as_str()).join(".well-known"),
        ),
        apps: apps(new)?,
        entries: found.entries,
        readable: Vec::new(),
    };
    plan.step(connect(site, Some(Serving::Live(live)), (tls, modules)));
    Ok(())
}

fn apps(new: &Deployment) -> Result<Vec<ShownApp>, Refusal> {
    let mut apps = Vec::new();
    for part in new.parts.iter().filter(|part| part.manifest().kind == Kind::App) {
        let info = part.manifest().info("en_US").and_then(|info| info.name.clone());
        apps.push(ShownApp {
            context: context(part)?,
            title: info.unwrap_or_else(|| part.name().to_string()),
            is_default: part.app.is_default,
        });
    }
    Ok(apps)
}

fn context(part: &Part) -> Result<Context, Refusal> {
    let text = part.text("appconfig.context").unwrap_or_default();
    let read = Context::in_site(text).or_else(|_| Context::in_manifest(text));
    read.map_err(|error| check::wrong(error.to_string()))
}

/// The modules of Apache that apps and accessories name, each once.
fn modules(new: &Deployment) -> Vec<HostName> {
    let mut all: Vec<HostName> = Vec::new();
    let roles = new.parts.iter().filter_map(|part| part.manifest().role(RoleName::Apache2));
    for name in roles.flat_map(|role| &role.apache_modules) {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// What packages want below `/.well-known/`, with their templates rendered.
fn entries(ask: &SiteAsk<'_>, new: &Deployment) -> Result<Vec<OfPackage>, Refusal> {
    let mut all = Vec::new();
    for part in &new.parts {
        let Some(role) = part.manifest().role(RoleName::Apache2) else { continue };
        let maker = Maker::new(ask.facts, part)?;
        let mut entries = Vec::new();
        for (name, entry) in &role.well_known {
            let entry = match entry {
                WellKnown::Template(Source::Inline(text, Language::Varsubst)) => {
                    WellKnown::Value(maker.render(text)?.into_bytes())
                }
                WellKnown::Template(_) => {
                    let text = format!(
                        "`{name}` below `wellknown` of `{}` is a template that is no text with \
                         variables, which `cart` cannot render",
                        part.name()
                    );
                    return Err(Refusal::new(Exit::Conflict, text));
                }
                WellKnown::Location { url, status } => {
                    WellKnown::Location { url: maker.render(url)?, status: *status }
                }
                WellKnown::Webfinger(url) => WellKnown::Webfinger(maker.render(url)?),
                other => other.clone(),
            };
            entries.push((name.clone(), entry));
        }
        all.push((context(part)?, entries));
    }
    Ok(all)
}

/// Says which extensions of PHP the host lacks.
pub(super) fn missing_php(plan: &mut Plan, ask: &SiteAsk<'_>) {
    for (name, package) in &ask.facts.missing_php {
        let text = format!("PHP has no extension `{name}` here: install the package `{package}`");
        plan.warnings.push(text);
    }
}
