//! A site as a site file has it (UBOS specification, 2.1): the inverse of reading one.

use super::chosen::Chosen;
use super::item::{Language, Source};
use super::mime;
use super::name::PackageName;
use super::role::WellKnown;
use super::site::{AppConfig, Host, Site, Tls};
use serde_json::{Map, Value as Json, json};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Everything: what a backup needs.
    Everything,
    /// What is nobody's secret: no credential, no key.
    Open,
}

/// The object that stands for `site`.
pub fn to_json(site: &Site, telling: Telling) -> Json {
    let is_open = telling == Telling::Open;
    let mut object = Map::new();
    object.insert("siteid".into(), site.id.as_str().into());
    match &site.host {
        Host::Any => drop(object.insert("hostname".into(), "*".into())),
        Host::Name(name) => drop(object.insert("hostname".into(), name.as_str().into())),
        Host::Onion => {}
    }
    let mut admin = json!({
        "userid" : site.admin.userid, "username" : site.admin.username, "email" : site.admin.email,
    });
    if !is_open {
        admin["credential"] = site.admin.credential.0.clone().into();
    }
    object.insert("admin".into(), admin);
    match &site.tls {
        None => {}
        Some(Tls::LetsEncrypt) => {
            object.insert("tls".into(), json!({ "letsencrypt" : true }));
        }
        Some(Tls::Own { key, crt, cacrt }) => {
            let mut tls = json!({ "crt" : crt });
            if let Some(cacrt) = cacrt {
                tls["cacrt"] = cacrt.clone().into();
            }
            if !is_open {
                tls["key"] = key.0.clone().into();
            }
            object.insert("tls".into(), tls);
        }
    }
    if let Some(tor) = &site.tor {
        let tor = if is_open { json!({}) } else { json!({ "privatekey" : tor.0 }) };
        object.insert("tor".into(), tor);
    }
    if !site.well_known.is_empty() {
        let all = site.well_known.iter();
        let all = all.map(|(name, entry)| (name.to_string(), well_known(entry)));
        object.insert("wellknown".into(), Json::Object(all.collect()));
    }
    let apps: Vec<Json> = site.apps.iter().map(app).collect();
    object.insert("appconfigs".into(), apps.into());
    if let Some(time) = &site.last_updated {
        object.insert("lastupdated".into(), time.clone().into());
    }
    Json::Object(object)
}

/// The object that stands for an app with its accessories.
pub fn app(app: &AppConfig) -> Json {
    let mut object = Map::new();
    object.insert("appconfigid".into(), app.id.as_str().into());
    if let Some(context) = &app.context {
        object.insert("context".into(), context.as_str().into());
    }
    if app.is_default {
        object.insert("isdefault".into(), true.into());
    }
    object.insert("appid".into(), app.app.as_str().into());
    if !app.accessories.is_empty() {
        let names: Vec<&str> = app.accessories.iter().map(PackageName::as_str).collect();
        object.insert("accessoryids".into(), names.into());
    }
    if !app.points.is_empty() {
        let packages = app.points.iter().map(|(package, points)| {
            let points = points.iter().map(|(name, value)| (name.to_string(), value.to_json()));
            (package.to_string(), Json::Object(points.collect()))
        });
        object.insert("customizationpoints".into(), Json::Object(packages.collect()));
    }
    Json::Object(object)
}

fn well_known(entry: &WellKnown) -> Json {
    match entry {
        WellKnown::Value(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => json!({ "value" : text }),
            Err(_) => json!({ "value" : mime::encode(bytes), "encoding" : "base64" }),
        },
        WellKnown::Template(Source::Inline(text, language)) => {
            let language = match language {
                Language::Varsubst => "varsubst",
                Language::Perlscript => "perlscript",
            };
            json!({ "template" : text, "templatelang" : language })
        }
        WellKnown::Template(Source::File(path) | Source::Template(path, _)) => {
            json!({ "template" : path.0 })
        }
        WellKnown::Location { url, status } => {
            json!({ "location" : url, "status" : status.to_string() })
        }
        WellKnown::Robots { allow, disallow } => json!({ "allow" : allow, "disallow" : disallow }),
        WellKnown::Webfinger(proxy) => json!({ "proxy" : proxy }),
    }
}

/// The value as people read it, in one line.
pub fn shown(value: &Chosen) -> String {
    match value {
        Chosen::Bytes(bytes) => format!("({} bytes)", bytes.len()),
        Chosen::Plain(Json::String(text)) => {
            let short: String = text.replace('\n', "\\n").chars().take(60).collect();
            short
        }
        Chosen::Plain(other) => other.to_string(),
    }
}
