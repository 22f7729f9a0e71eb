//! Sites: a host name with the apps that answer there (UBOS specification, 2.1).

use super::chosen::Chosen;
use super::name::{AppConfigId, Context, PackageName, PointName, SiteId, WellKnownName};
use super::role::WellKnown;
use crate::package::ident::HostName;
use std::collections::BTreeMap;
use std::fmt;

/// One site.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Site {
    /// Which one, on any host.
    pub id: SiteId,
    /// To which name it answers.
    pub host: Host,
    /// Who runs it.
    pub admin: Admin,
    /// How it speaks TLS; nothing where it does not.
    pub tls: Option<Tls>,
    /// The key of its onion service.
    pub tor: Option<Secret>,
    /// What lies below `/.well-known/`, before anything that apps say.
    pub well_known: Vec<(WellKnownName, WellKnown)>,
    /// The apps.
    pub apps: Vec<AppConfig>,
    /// When it was last deployed, `YYYYMMDD-HHMMSS`.
    pub last_updated: Option<String>,
}

impl Site {
    /// What people call it: its host name, or its identifier where it has none.
    pub fn called(&self) -> String {
        match &self.host {
            Host::Name(name) => name.to_string(),
            Host::Any => "*".into(),
            Host::Onion => self.id.to_string(),
        }
    }
}

/// To which host name a site answers.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// To any; such a site is alone on its host.
    Any,
    /// To this one.
    Name(HostName),
    /// To that of its onion service, which is known when it runs.
    Onion,
}

/// Who runs a site.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Admin {
    /// The account's name in apps.
    pub userid: String,
    /// What people call her.
    pub username: String,
    /// Her password.
    pub credential: Secret,
    /// Her address.
    pub email: String,
}

/// How a site speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// With a certificate of Let's Encrypt.
    LetsEncrypt,
    /// With these, each in PEM.
    Own {
        /// The key.
        key: Secret,
        /// The certificate.
        crt: String,
        /// The certificates of those who vouch for it.
        cacrt: Option<String>,
    },
}

/// A text that is written to files and never shown.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An app with its accessories at a site.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AppConfig {
    /// Which one, on any host.
    pub id: AppConfigId,
    /// Where it lies; the app's own default where nothing is said.
    pub context: Option<Context>,
    /// Whether the site's root leads to it.
    pub is_default: bool,
    /// The app.
    pub app: PackageName,
    /// Its accessories, in the order in which they are deployed.
    pub accessories: Vec<PackageName>,
    /// What was chosen, by package and point.
    pub points: BTreeMap<PackageName, BTreeMap<PointName, Chosen>>,
}

/// Why sites cannot be on one host together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Clash {
    /// A site that answers to every name is not alone.
    #[error(
        "site `{site}` answers to every host name, so it must be the only one: give it a host name"
    )]
    Any {
        /// The site.
        site: SiteId,
    },
    /// Two sites answer to the same name.
    #[error("two sites answer to `{host}`: give one of them another `hostname`")]
    Host {
        /// The name.
        host: String,
    },
    /// Two things have the same identifier.
    #[error("`{id}` is the identifier of two things: give one of them another")]
    Id {
        /// The identifier.
        id: String,
    },
    /// Two apps lie at the same place of a site.
    #[error("two apps of site `{site}` lie at `{context}`: give one of them another `context`")]
    Context {
        /// The site.
        site: SiteId,
        /// The place.
        context: String,
    },
    /// An app that is the whole site is not alone.
    #[error(
        "an app of site `{site}` lies at its root and excludes the others: give it a `context`"
    )]
    Root {
        /// The site.
        site: SiteId,
    },
    /// Two apps want to be the one that the root leads to.
    #[error("two apps of site `{site}` have `isdefault`: keep one")]
    Default {
        /// The site.
        site: SiteId,
    },
}

/// Everything that keeps `sites` from being on one host together. `default` says where an app lies
/// for which the site says nothing.
pub fn clashes(sites: &[Site], default: impl Fn(&PackageName) -> Option<Context>) -> Vec<Clash> {
    let mut found = Vec::new();
    for site in sites.iter().filter(|site| site.host == Host::Any && sites.len() > 1) {
        found.push(Clash::Any { site: site.id.clone() });
    }
    let hosts = sites.iter().filter_map(|site| match &site.host {
        Host::Any | Host::Onion => None,
        Host::Name(name) => Some(name.as_str()),
    });
    found.extend(twice(hosts).map(|host| Clash::Host { host }));
    let apps = sites.iter().flat_map(|site| &site.apps).map(|app| app.id.as_str());
    let ids = sites.iter().map(|site| site.id.as_str()).chain(apps);
    found.extend(twice(ids).map(|id| Clash::Id { id }));
    for site in sites {
        found.extend(clashes_of_apps(site, &default));
    }
    found
}

fn clashes_of_apps(site: &Site, default: impl Fn(&PackageName) -> Option<Context>) -> Vec<Clash> {
    let id = || site.id.clone();
    let at = |app: &AppConfig| app.context.clone().or_else(|| default(&app.app));
    let contexts: Vec<Context> = site.apps.iter().filter_map(at).collect();
    let mut found = Vec::new();
    if contexts.len() > 1 && contexts.iter().any(Context::is_root) {
        found.push(Clash::Root { site: id() });
    }
    let others = contexts.iter().filter(|context| !context.is_root()).map(Context::as_str);
    found.extend(twice(others).map(|context| Clash::Context { site: id(), context }));
    if site.apps.iter().filter(|app| app.is_default).count() > 1 {
        found.push(Clash::Default { site: id() });
    }
    found
}

/// What is there more than once, each said once.
fn twice<'a>(all: impl Iterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for one in all {
        *seen.entry(one).or_default() += 1;
    }
    let many = seen.into_iter().filter(|(_, count)| *count > 1).map(|(one, _)| one.to_owned());
    many.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(digit: &str, host: &str, apps: &[(&str, &str)]) -> Site {
        let app = |(id, context): &(&str, &str)| AppConfig {
            id: AppConfigId::parse(&format!("a{}", id.repeat(40))).unwrap(),
            context: (*context != "-").then(|| Context::in_site(context).unwrap()),
            is_default: false,
            app: PackageName::parse("app").unwrap(),
            accessories: Vec::new(),
            points: BTreeMap::new(),
        };
        Site {
            id: SiteId::parse(&format!("s{}", digit.repeat(40))).unwrap(),
            host: if host == "*" { Host::Any } else { Host::Name(HostName::parse(host).unwrap()) },
            admin: Admin {
                userid: "admin".into(),
                username: "A".into(),
                credential: Secret("do not show".into()),
                email: "a@b.c".into(),
            },
            tls: None,
            tor: None,
            well_known: Vec::new(),
            apps: apps.iter().map(app).collect(),
            last_updated: None,
        }
    }

    fn found(sites: &[Site]) -> String {
        let default = |_: &PackageName| Some(Context::in_site("/app").unwrap());
        let all: Vec<_> = clashes(sites, default).iter().map(ToString::to_string).collect();
        all.join("|")
    }

    #[test]
    fn sites_clash_by_name_identifier_and_place() {
        let fine = [site("1", "a.b", &[("1", "/x"), ("2", "-")]), site("2", "c.d", &[("3", "")])];
        assert_eq!(found(&fine), "");
        assert!(found(&[site("1", "*", &[]), site("2", "a.b", &[])]).contains("only one"));
        assert!(found(&[site("1", "a.b", &[]), site("2", "a.b", &[])]).contains("answer to `a.b`"));
        assert!(found(&[site("1", "a.b", &[]), site("1", "c.d", &[])]).contains("two things"));
        let same = [site("1", "a.b", &[("1", "/x")]), site("2", "c.d", &[("1", "/x")])];
        assert!(found(&same).contains("two things"));
        assert!(found(&[site("1", "a", &[("1", "/app"), ("2", "-")])]).contains("lie at `/app`"));
        assert!(found(&[site("1", "a", &[("1", ""), ("2", "/x")])]).contains("its root"));
    }

    #[test]
    fn a_secret_is_not_in_what_debugging_prints() {
        assert!(!format!("{:?}", site("1", "a", &[])).contains("do not show"));
    }
}
