//! The variables that every template has (UBOS specification, 3.1).
//!
//! Databases and ports are put in by those who make them: `appconfig.mysql.dbname.NAME` and its
//! like, `appconfig.tcpport.NAME`.

use super::scope::{Scope, Taken, Value};
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::name::{Context, PackageName, PointName};
use crate::package::ubos::site::{AppConfig, Host, Site};
use crate::package::ubos::{Kind, Manifest};
use std::collections::BTreeMap;

/// Where things lie: those of the original's own settings, since scripts know them by heart.
const PLACES: &[(&str, &str)] = &[
    ("host.appconfigparsdir", "/ubos/lib/ubos/appconfigpars"),
    ("host.cachedir", "/var/cache"),
    ("host.resourcesdir", "/ubos/lib/ubos/resources"),
    ("host.pinnedresourcesdir", "/ubos/lib/ubos/pinnedresources"),
    ("host.sitejsondir", "/ubos/lib/ubos/sites"),
    ("host.afterbootfile", "/ubos/lib/ubos/after-boot"),
    ("host.tmpdir", "/ubos/tmp"),
    ("package.codedir", "/ubos/share/${package.name}"),
    ("package.datadir", "/ubos/lib/${package.name}"),
    ("package.manifestdir", "/ubos/lib/ubos/manifests"),
    ("apache2.sitefragmentdir", "/etc/httpd/sites"),
    ("apache2.defaultsitefragmentdir", "/etc/httpd/defaultsites"),
    ("apache2.appconfigfragmentdir", "/etc/httpd/appconfigs"),
    ("apache2.sitesdir", "/ubos/http/sites"),
    ("apache2.ssldir", "/etc/httpd/ssl"),
    ("apache2.siteswellknowndir", "/ubos/http/wellknown"),
    ("apache2.placeholdersitesdir", "/srv/http/placeholders"),
    ("apache2.webfingerproxiesdir", "/ubos/http/webfinger-proxies"),
    ("tomcat8.sitesdir", "/ubos/lib/tomcat8/sites"),
    ("tomcat8.sitesappsdir", "/etc/tomcat8/ubos/sites-apps"),
    ("tomcat8.contextsdir", "/etc/tomcat8/Catalina"),
    ("mysql.datadir", "/ubos/lib/mysql"),
    ("postgresql.datadir", "/ubos/lib/postgres/data"),
    ("tor.sitefragmentdir", "/etc/tor/sites.d"),
    ("tor.sitesdir", "/ubos/lib/tor/sites"),
    ("site.apache2.sitedocumentdir", "${apache2.sitesdir}/${site.siteid}"),
    ("site.apache2.sitefragmentfile", "${apache2.sitefragmentdir}/${site.siteid}.conf"),
    ("site.apache2.htdigestauthuserfile", "${apache2.sitefragmentdir}/${site.siteid}.htdigest"),
    ("site.apache2.authgroupfile", "${apache2.sitefragmentdir}/${site.siteid}.groups"),
    ("site.apache2.sitetordir", "${tor.sitesdir}/${site.siteid}"),
    ("site.apache2.sitetorfragmentfile", "${tor.sitefragmentdir}/${site.siteid}"),
    ("site.apache2.sitewebfingerproxiesfile", "${apache2.webfingerproxiesdir}/${site.siteid}"),
    ("site.tomcat8.sitedocumentdir", "${tomcat8.sitesdir}/${site.siteid}"),
    ("site.tomcat8.contextdir", "${tomcat8.contextsdir}/${site.hostnameorwildcard}"),
    ("appconfig.apache2.dir", "${apache2.sitesdir}/${site.siteid}${appconfig.context}"),
    (
        "appconfig.apache2.appconfigfragmentfile",
        "${apache2.appconfigfragmentdir}/${site.siteid}/${appconfig.appconfigid}.conf",
    ),
    ("appconfig.tomcat8.dir", "${tomcat8.sitesdir}/${site.siteid}/${appconfig.appconfigid}"),
    (
        "appconfig.tomcat8.contextfile",
        "${site.tomcat8.contextdir}/${appconfig.contextnoslashorroot}.xml",
    ),
    ("appconfig.datadir", "/ubos/lib/${appconfig.appid}/${appconfig.appconfigid}"),
    ("appconfig.cachedir", "${host.cachedir}/${appconfig.appconfigid}"),
    ("appconfig.cronjobfile", "/etc/cron.d/50-${appconfig.appconfigid}"),
    ("appconfig.appconfigparsdir", "${host.appconfigparsdir}/${appconfig.appconfigid}"),
];
/// What a site that answers to every name is called where a name must be.
const WILDCARD: &str = "__wildcard";
/// What an onion service is called before it has a name.
const NO_NAME: &str = "-not-assigned-yet";

/// What is known about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The host's own name.
    pub hostname: String,
    /// What stands before every absolute path; empty for the real root.
    pub root: String,
    /// The account of the web server, and its group.
    pub web: (String, String),
    /// When the transaction began: seconds since 1970, and `YYYYMMDD-HHMMSS` in UTC.
    pub now: (u64, String),
}

fn fixed(value: &str) -> Value {
    Value::fixed(value)
}

/// The variables of the host. `settings` are those of its owner, by full name; they count more.
pub fn host_scope(places: &Places, settings: &BTreeMap<String, Value>) -> Scope {
    let text = |path: &str| match path.strip_prefix('/') {
        // The root's own name is no template.
        Some(rest) => Value::Text(format!("${{host.root}}/{rest}")),
        None => Value::Text(path.to_owned()),
    };
    let paths = PLACES.iter().map(|(name, path)| (*name, text(path)));
    let own = [
        ("host.root", fixed(&places.root)),
        ("host.checkmanifest", Value::fixed(true)),
        ("hostname", fixed(&places.hostname)),
        ("apache2.uname", fixed(&places.web.0)),
        ("apache2.gname", fixed(&places.web.1)),
        ("tomcat8.uname", fixed("tomcat8")),
        ("tomcat8.gname", fixed("tomcat8")),
        ("now.unixtime", Value::fixed(places.now.0)),
        ("now.tstamp", fixed(&places.now.1)),
    ];
    let all = paths.chain(own).map(|(name, value)| (name.to_owned(), value));
    let settings = settings.iter().map(|(name, value)| (name.clone(), value.clone()));
    Scope::of(all.chain(settings))
}

/// The variables of a site.
pub fn site_scope(site: &Site, places: &Places) -> Scope {
    let (name, local, wildcard, own) = match &site.host {
        Host::Any => ("*", "127.0.0.1", WILDCARD, places.hostname.as_str()),
        Host::Name(name) => (name.as_str(), name.as_str(), name.as_str(), name.as_str()),
        Host::Onion => (NO_NAME, NO_NAME, NO_NAME, NO_NAME),
    };
    let (protocol, port) = if site.tls.is_some() { ("https", 443) } else { ("http", 80) };
    Scope::of([
        ("site.hostname", fixed(name)),
        ("site.hostnameorlocalhost", fixed(local)),
        ("site.hostnameorwildcard", fixed(wildcard)),
        ("site.hostnameorsystemhostname", fixed(own)),
        ("site.port", Value::fixed(port)),
        ("site.protocol", fixed(protocol)),
        ("site.protocolport", Value::fixed(port)),
        ("site.siteid", fixed(site.id.as_str())),
        ("site.admin.userid", fixed(&site.admin.userid)),
        ("site.admin.username", fixed(&site.admin.username)),
        ("site.admin.credential", fixed(&site.admin.credential.0)),
        ("site.admin.email", fixed(&site.admin.email)),
    ])
}

/// The variables of an app with its accessories, which lies at `context`.
pub fn app_scope(app: &AppConfig, context: &Context) -> Scope {
    let accessories: Vec<&str> = app.accessories.iter().map(PackageName::as_str).collect();
    let (slash, bare) = match context.as_str().strip_prefix('/') {
        Some(bare) => (context.as_str(), bare),
        None => ("/", "ROOT"),
    };
    Scope::of([
        ("appconfig.appid", fixed(app.app.as_str())),
        ("appconfig.appconfigid", fixed(app.id.as_str())),
        ("appconfig.accessoryids", fixed(&accessories.join(","))),
        ("appconfig.context", fixed(context.as_str())),
        ("appconfig.contextorslash", fixed(slash)),
        ("appconfig.contextnoslashorroot", fixed(bare)),
    ])
}

/// The variables of one package of an app, whose customization points have been resolved.
pub fn package_scope(
    (name, manifest): (&PackageName, &Manifest),
    app: &AppConfig,
    points: &BTreeMap<PointName, Chosen>,
) -> Result<Scope, Taken> {
    let mut scope = Scope::of([("package.name", fixed(name.as_str()))]);
    for point in &manifest.points {
        let Some(value) = points.get(&point.name) else { continue };
        let begin = format!("installable.customizationpoints.{}", point.name);
        scope.put(format!("{begin}.value"), Value::Fixed(value.clone()))?;
        if !point.private {
            // A file with the value lies there; private ones have none.
            let file = format!("${{appconfig.appconfigparsdir}}/{name}/{}", point.name);
            scope.put(format!("{begin}.filename"), Value::Text(file))?;
        }
    }
    if let Kind::Accessory(accessory) = &manifest.kind {
        let id = accessory.id.as_deref().unwrap_or(name.as_str());
        let begin = "installable.accessoryinfo";
        scope.put(format!("{begin}.appid"), fixed(app.app.as_str()))?;
        scope.put(format!("{begin}.accessoryid"), fixed(id))?;
        if let Some(kind) = &accessory.kind {
            scope.put(format!("{begin}.accessorytype"), fixed(kind))?;
        }
    }
    Ok(scope)
}

#[cfg(test)]
mod tests {
    use super::super::functions::tests::OneAccount;
    use super::super::render::Variables;
    use super::*;
    use crate::package::ident::HostName;
    use crate::package::ubos::Accessory;
    use crate::package::ubos::name::{AppConfigId, SiteId};
    use crate::package::ubos::point::{Point, PointKind};
    use crate::package::ubos::site::{Admin, Secret};

    /// The scopes of an accessory `skin` of the app `wiki` below `root`.
    fn rendered(template: &str, host: Host, context: &str, root: &str) -> String {
        let places = Places {
            hostname: "box".into(),
            root: root.into(),
            web: ("www-data".into(), "web".into()),
            now: (7, "19700101-000007".into()),
        };
        let name = |text: &str| PackageName::parse(text).unwrap();
        let app = AppConfig {
            id: AppConfigId::parse(&format!("a{}", "1".repeat(40))).unwrap(),
            context: None,
            is_default: false,
            app: name("wiki"),
            accessories: vec![name("skin"), name("math")],
            points: BTreeMap::new(),
        };
        let site = Site {
            id: SiteId::parse(&format!("s{}", "2".repeat(40))).unwrap(),
            host,
            admin: Admin {
                userid: "admin".into(),
                username: "A".into(),
                credential: Secret("geheim".into()),
                email: "a@b.c".into(),
            },
            tls: None,
            tor: None,
            well_known: Vec::new(),
            apps: vec![app.clone()],
            last_updated: None,
        };
        let point = |text: &str, private| Point {
            name: PointName::parse(text).unwrap(),
            label: None,
            kind: PointKind::String,
            required: true,
            default: None,
            regex: None,
            private,
            internal: false,
            index: None,
        };
        let manifest = Manifest {
            kind: Kind::Accessory(Accessory {
                apps: vec![name("other"), name("wiki")],
                id: None,
                kind: None,
                requires: Vec::new(),
            }),
            roles: Vec::new(),
            points: vec![point("open", false), point("hidden", true)],
            info: BTreeMap::new(),
            requires_tls: false,
            allows_wildcard: true,
            externals: Vec::new(),
            extra: serde_json::Map::new(),
        };
        let all = manifest.points.iter();
        let points = all.map(|p| (p.name.clone(), Chosen::Plain("${x}".into()))).collect();
        let package = package_scope((&name("skin"), &manifest), &app, &points).unwrap();
        let settings = BTreeMap::from([("host.tmpdir".to_owned(), fixed("/t"))]);
        let scopes = [
            &package,
            &app_scope(&app, &Context::in_site(context).unwrap()),
            &site_scope(&site, &places),
            &host_scope(&places, &settings),
        ];
        let variables = Variables { scopes: &scopes, accounts: &OneAccount };
        variables.render_text(template).unwrap_or_else(|error| error.to_string())
    }

    fn named(template: &str) -> String {
        rendered(template, Host::Name(HostName::parse("a.org").unwrap()), "/w", "")
    }

    #[test]
    fn every_place_can_be_resolved_at_any_site() {
        for (name, _) in PLACES {
            let value = named(&format!("${{{name}}}"));
            assert!(value.starts_with('/') && !value.contains('$'), "{name}: {value}");
            let below = rendered(&format!("${{{name}}}"), Host::Any, "", "/alt${x}");
            assert!(below.starts_with("/alt${x}/") || below == "/t", "{name}: {below}");
        }
        assert_eq!(named("${host.tmpdir}"), "/t", "the owner's settings count more");
    }

    #[test]
    fn scripts_find_things_where_the_original_has_them() {
        let (site, app) = (format!("s{}", "2".repeat(40)), format!("a{}", "1".repeat(40)));
        assert_eq!(named("${appconfig.apache2.dir}"), format!("/ubos/http/sites/{site}/w"));
        assert_eq!(named("${appconfig.datadir}"), format!("/ubos/lib/wiki/{app}"));
        assert_eq!(named("${package.codedir}"), "/ubos/share/skin");
        let fragment = format!("/etc/httpd/appconfigs/{site}/{app}.conf");
        assert_eq!(named("${appconfig.apache2.appconfigfragmentfile}"), fragment);
        assert_eq!(named("${apache2.uname}:${apache2.gname}"), "www-data:web");
        assert_eq!(named("${now.unixtime} ${now.tstamp}"), "7 19700101-000007");
        assert_eq!(named("${appconfig.accessoryids}"), "skin,math");
        assert_eq!(named("${installable.accessoryinfo.appid}"), "wiki");
        assert_eq!(named("${installable.accessoryinfo.accessoryid}"), "skin");
    }

    #[test]
    fn values_of_points_are_no_templates_and_private_ones_have_no_file() {
        let begin = "installable.customizationpoints";
        assert_eq!(named(&format!("${{{begin}.open.value}}")), "${x}");
        assert!(named(&format!("${{{begin}.open.filename}}")).ends_with("/skin/open"));
        assert_eq!(named(&format!("${{{begin}.hidden.value}}")), "${x}");
        assert!(named(&format!("${{{begin}.hidden.filename}}")).contains("is not known here"));
    }

    #[test]
    fn contexts_and_hosts_have_their_other_names() {
        let context = "${appconfig.context}|${appconfig.contextorslash}|\
                       ${appconfig.contextnoslashorroot}";
        assert_eq!(named(context), "/w|/w|w");
        assert_eq!(rendered(context, Host::Any, "", ""), "|/|ROOT");
        let host = "${site.hostname} ${site.hostnameorlocalhost} ${site.hostnameorwildcard} \
                    ${site.hostnameorsystemhostname} ${site.protocol} ${site.port}";
        assert_eq!(named(host), "a.org a.org a.org a.org http 80");
        assert_eq!(rendered(host, Host::Any, "", ""), "* 127.0.0.1 __wildcard box http 80");
    }
}
