//! The text for Apache, and nothing of a package in it that it would read.

use super::*;
use crate::package::ident::HostName;
use crate::package::ubos::name::WellKnownName;

fn live() -> Live {
    let app = |context: &str, title: &str| ShownApp {
        context: Context::in_site(context).unwrap(),
        title: title.into(),
        is_default: false,
    };
    Live {
        documents: "/ubos/http/sites/s1".into(),
        fragments: "/etc/httpd/appconfigs/s1".into(),
        well_known: None,
        apps: vec![app("/wiki", "A <b>wiki</b>"), app("/blog", "Blog")],
        entries: Vec::new(),
        readable: vec!["/tmp".into()],
    }
}

fn site(serving: Serving) -> ShownSite {
    let host = Host::Name(HostName::parse("a.org").unwrap());
    ShownSite { site: SiteId::parse(&format!("s{}", "1".repeat(40))).unwrap(), host, serving }
}

fn written(site: &ShownSite, tls: bool) -> String {
    let settings = Apache::default();
    let certificate =
        Certificate { certificate: Path::new("/t/a.crt"), key: Path::new("/t/a.key") };
    let modules =
        [Module { identifier: "php_module".into(), files: vec!["/m/php8.2.load".into()] }];
    let tls = tls.then_some((certificate, None));
    let around =
        Around { settings: &settings, modules: &modules, copies: Path::new("/c"), sign: None, tls };
    text(site, &around)
}

#[test]
fn a_live_site_serves_its_documents_and_lists_its_apps() {
    let text = written(&site(Serving::Live(live())), false);
    for words in [
        "<VirtualHost *:80>\n    ServerName \"a.org\"\n",
        "DocumentRoot \"/ubos/http/sites/s1\"",
        "AllowOverride All",
        "<IfModule !php_module>\n    Include \"/m/php8.2.load\"\n</IfModule>\n",
        "open_basedir \"/ubos/http/sites/s1/:/tmp/\"",
        "AliasMatch \"^/$\" \"/c/index.html\"",
        "IncludeOptional \"/etc/httpd/appconfigs/s1/*.conf\"",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("443") && !text.contains("Redirect"), "{text}");
    let page = live().index().unwrap();
    assert!(page.contains("<a href=\"/wiki/\">A &lt;b&gt;wiki&lt;/b&gt;</a>"), "{page}");
}

#[test]
fn the_root_leads_to_the_default_app_or_is_an_app() {
    let mut one = live();
    one.apps[1].is_default = true;
    assert_eq!(one.index(), None);
    let text = written(&site(Serving::Live(one)), false);
    assert!(text.contains("RedirectMatch 307 \"^/$\" \"/blog/\""), "{text}");
    let mut whole = live();
    whole.apps = vec![ShownApp { context: Context::default(), ..whole.apps.remove(0) }];
    let text = written(&site(Serving::Live(whole)), false);
    assert!(!text.contains("^/$"), "{text}");
}

#[test]
fn with_a_certificate_everything_is_by_https() {
    let text = written(&site(Serving::Live(live())), true);
    let (plain, secured) = text.split_once("<VirtualHost *:443>").unwrap();
    assert!(plain.contains("R=301") && !plain.contains("DocumentRoot"), "{text}");
    assert!(secured.contains("SSLCertificateKeyFile \"/t/a.key\""), "{text}");
}

#[test]
fn a_site_that_waits_says_so_whatever_is_asked_for() {
    let any = ShownSite { host: Host::Any, ..site(Serving::Waiting(Waiting::Maintenance)) };
    let text = written(&any, false);
    assert!(text.contains("Redirect 503 \"/\"") && text.contains("worked on"), "{text}");
    assert!(text.contains("ServerAlias \"*\"") && !text.contains("Directory"), "{text}");
}

#[test]
fn entries_are_files_of_ours_or_places_elsewhere() {
    let entry = |name: &str, answer| Entry { name: WellKnownName::parse(name).unwrap(), answer };
    let url = |text: &str| serde_json::from_value(serde_json::json!(text)).unwrap();
    let bytes = || serde_json::from_value(serde_json::json!("YQ==")).unwrap();
    let mut one = live();
    one.entries = vec![
        entry("robots.txt", Answer::Content(bytes())),
        entry("card-dav.1", Answer::Elsewhere { url: url("/x?$1"), status: 301 }),
        entry("webfinger", Answer::Asked(url("http://127.0.0.1:5001/a?b=c"))),
    ];
    let text = written(&site(Serving::Live(one)), false);
    for words in [
        "AliasMatch \"^/\\.well-known/robots\\.txt$\" \"/c/well-known/robots.txt\"",
        "AliasMatch \"^/robots\\.txt$\" \"/c/well-known/robots.txt\"",
        "ProxyPass \"/.well-known/webfinger\" \"http://127.0.0.1:5001/a?b=c\"",
        "RedirectMatch 301 \"^/\\.well-known/card\\-dav\\.1$\" \"/x?\\\\$1\"",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
