//! Site files (UBOS specification, 2.1): one site, a list of sites, or an object of them.
//!
//! What is missing is made where a template is filled: identifiers, the admin's password, and the
//! certificate that a site signs itself. Messages never repeat what may be secret.

use super::{fields, parsed_any, site_app, wellknown};
use crate::format::error::ManifestError;
use crate::format::json::{Content, Node};
use crate::format::place::Place;
use crate::format::reading::Reading;
use crate::package::ident::HostName;
use crate::package::note::Notes;
use crate::package::ubos::name::SiteId;
use crate::package::ubos::site::{Admin, Host, Secret, Site, Tls};
use crate::sys::random;
use serde_json::Value as Json;

const KNOWN: &[&str] =
    &["siteid", "hostname", "admin", "tls", "ssl", "tor", "wellknown", "appconfigs", "lastupdated"];
/// The length of a password that is made.
const PASSWORD: usize = 16;
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// What becomes of what is missing in a site file.
#[derive(Clone, Copy)]
pub enum Fill<'a> {
    /// It is a fault.
    Nothing,
    /// Identifiers, passwords and certificates are made (`--template`).
    Missing(Certify<'a>),
}

impl Fill<'_> {
    fn is_missing(self) -> bool {
        matches!(self, Self::Missing(_))
    }
}

/// Makes a key and a certificate for a host name.
pub type Certify<'a> = &'a dyn Fn(&str) -> Result<(String, String), String>;

/// A file that a site file is read with: what `@name` in it stands for.
pub type Include<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Reads the sites in `bytes`; `file` is what messages call it, and `include` reads what a text that
/// begins with `@` names, relative to the file.
pub fn sites(
    (file, bytes): (&str, &[u8]),
    fill: Fill<'_>,
    include: Include,
    notes: &mut Notes,
) -> Result<Vec<Site>, ManifestError> {
    let mut reading = Reading::new(file, notes);
    let sites = parsed_any(bytes, &mut reading).map(|mut root| {
        included(&mut root, include, &mut reading);
        let nodes: Vec<&Node> = match &root.content {
            Content::List(items) => items.iter().collect(),
            Content::Object(pairs)
                if !pairs.is_empty()
                    && pairs.iter().all(|pair| SiteId::parse(&pair.key).is_ok()) =>
            {
                pairs.iter().map(|pair| &pair.value).collect()
            }
            _ => vec![&root],
        };
        if nodes.is_empty() {
            reading.fault(root.place, "has no site: write one");
        }
        let mut all = Vec::new();
        for node in nodes {
            all.extend(site(node, fill, &mut reading));
        }
        all
    });
    reading.finish(sites)
}

/// Puts the content of files where texts begin with `@`.
fn included(node: &mut Node, include: Include, reading: &mut Reading) {
    match &mut node.content {
        Content::Scalar(Json::String(text)) => {
            let Some(name) = text.strip_prefix('@') else { return };
            match include(name) {
                Ok(content) => *text = content,
                Err(error) => {
                    let text = format!("`@{}` cannot be read: {error}", fields::shown(name));
                    reading.fault(node.place, text);
                }
            }
        }
        Content::Scalar(_) => {}
        Content::List(items) => {
            for item in items {
                included(item, include, reading);
            }
        }
        Content::Object(pairs) => {
            for pair in pairs {
                included(&mut pair.value, include, reading);
            }
        }
    }
}

fn site(node: &Node, fill: Fill<'_>, reading: &mut Reading) -> Option<Site> {
    if node.pairs().is_none() {
        reading.fault(node.place, format!("a site is {}: write an object", node.kind()));
        return None;
    }
    fields::unknown(node, &[KNOWN], "a site", reading);
    let id = identifier(node, ("siteid", 's', fill), reading);
    let id = id.and_then(|(id, place)| {
        SiteId::parse(&id).map_err(|error| reading.fault(place, error.to_string())).ok()
    });
    let host = host(node, reading);
    let admin = admin(node, fill, reading);
    let tls = tls((node, host.as_ref()), fill, reading);
    let tor = node.get("tor").and_then(|tor| {
        fields::unknown(tor, &[&["privatekey"]], "`tor`", reading);
        fields::text(tor, "privatekey", reading).map(|key| Secret(key.to_owned()))
    });
    let well_known = wellknown::all(node, reading);
    let apps = site_app::apps(node, fill, reading);
    let last_updated = fields::text(node, "lastupdated", reading).map(str::to_owned);
    let (id, host, admin) = (id?, host?, admin?);
    Some(Site { id, host, admin, tls, tor, well_known, apps, last_updated })
}

/// The identifier at `key`, made of `first` and random digits where it is missing and may be.
pub(super) fn identifier(
    node: &Node,
    (key, first, fill): (&str, char, Fill<'_>),
    reading: &mut Reading,
) -> Option<(String, Place)> {
    let place = node.get(key).map_or(node.place, |value| value.place);
    if node.get(key).is_none() && fill.is_missing() {
        let digits = random::hex(20);
        let digits = digits.map_err(|error| reading.fault(place, error.to_string())).ok()?;
        return Some((format!("{first}{digits}"), place));
    }
    fields::needed(node, key, reading).map(|text| (text.to_owned(), place))
}

fn host(node: &Node, reading: &mut Reading) -> Option<Host> {
    if node.get("hostname").is_none() && node.get("tor").is_some() {
        return Some(Host::Onion);
    }
    let text = fields::needed(node, "hostname", reading)?;
    if text == "*" {
        return Some(Host::Any);
    }
    let place = node.get("hostname")?.place;
    HostName::parse(text)
        .map(Host::Name)
        .map_err(|error| reading.fault(place, error.to_string()))
        .ok()
}

fn admin(node: &Node, fill: Fill<'_>, reading: &mut Reading) -> Option<Admin> {
    const KNOWN: &[&str] = &["userid", "username", "credential", "email"];
    let Some(admin) = node.get("admin") else {
        let text = "`admin` is missing: add it with `userid`, `username`, `credential` and `email`";
        reading.fault(node.place, text);
        return None;
    };
    fields::unknown(admin, &[KNOWN], "`admin`", reading);
    let userid = fields::needed_as(admin, "userid", userid, reading);
    let username = fields::needed(admin, "username", reading).map(str::to_owned);
    let email = fields::needed_as(admin, "email", email, reading);
    let credential = if admin.get("credential").is_none() && fill.is_missing() {
        let made = random::text(PASSWORD, LETTERS);
        made.map_err(|error| reading.fault(admin.place, error.to_string())).ok()
    } else {
        fields::needed_as(admin, "credential", credential, reading)
    };
    Some(Admin {
        userid: userid?,
        username: username?,
        credential: Secret(credential?),
        email: email?,
    })
}

fn userid(text: &str) -> Result<String, &'static str> {
    let fine = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if fine { Ok(text.to_owned()) } else { Err("write lower-case letters and digits") }
}

/// `^\S[\S ]{4,30}\S$`
fn credential(text: &str) -> Result<String, &'static str> {
    let inner = |c: char| c == ' ' || !c.is_whitespace();
    let fine = (6..=32).contains(&text.chars().count())
        && text.chars().all(inner)
        && text.trim_matches(' ') == text;
    if fine {
        return Ok(text.to_owned());
    }
    Err("write 6 to 32 characters, without spaces at the ends")
}

fn email(text: &str) -> Result<String, &'static str> {
    let fine = |c: char| !c.is_whitespace() && !c.is_control();
    let parts =
        text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if parts && text.chars().all(fine) { Ok(text.to_owned()) } else { Err("write `name@host`") }
}

fn tls((node, host): (&Node, Option<&Host>), fill: Fill<'_>, reading: &mut Reading) -> Option<Tls> {
    const KNOWN: &[&str] = &["letsencrypt", "key", "crt", "cacrt"];
    // What older site files say.
    let tls = node.get("tls").or_else(|| node.get("ssl"))?;
    fields::unknown(tls, &[KNOWN], "`tls`", reading);
    if fields::truth(tls, "letsencrypt", reading) == Some(true) {
        if let Some(own) = ["key", "crt", "cacrt"].iter().find_map(|key| tls.get(key)) {
            reading.fault(own.place, "excludes `letsencrypt`: keep one of them");
        }
        return Some(Tls::LetsEncrypt);
    }
    if let (Fill::Missing(certify), None, None) = (fill, tls.get("key"), tls.get("crt")) {
        let name = match host {
            Some(Host::Name(name)) => name.as_str(),
            _ => "localhost",
        };
        let made = certify(name).map_err(|error| reading.fault(tls.place, error));
        let (key, crt) = made.ok()?;
        return Some(Tls::Own { key: Secret(key), crt, cacrt: None });
    }
    let key = fields::needed(tls, "key", reading).map(str::to_owned);
    let crt = fields::needed(tls, "crt", reading).map(str::to_owned);
    let cacrt = fields::text(tls, "cacrt", reading).map(str::to_owned);
    Some(Tls::Own { key: Secret(key?), crt: crt?, cacrt })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::ubos::chosen::Chosen;
    use serde_json::json;

    const SITE: &str = r#"{
   "siteid" : "s1111111111222222222233333333334444444444",
   "hostname" : "blog.example.org",
   "admin" : { "userid" : "admin", "username" : "The Admin", "credential" : "qwer qwer",
               "email" : "a@example.org" },
   "tls" : { "key" : "@my.key", "crt" : "CRT" },
   "appconfigs" : [
      {
         "appconfigid" : "a1111111111222222222233333333334444444444",
         "context" : "/blog_1", "isdefault" : true,
         "appid" : "wordpress", "accessoryids" : [ "p-one", "p-two" ],
         "customizationpoints" : { "wordpress" : { "title" : { "value" : "My ${x}" } } }
      }
   ]
}"#;

    const MISSING: Fill<'_> = Fill::Missing(&|name| match name {
        "localhost" => Err("there is no openssl".to_owned()),
        _ => Ok((format!("KEY of {name}"), "CRT".to_owned())),
    });

    fn read(text: &str, fill: Fill<'_>) -> Result<Vec<Site>, String> {
        let include = |name: &str| match name {
            "my.key" => Ok("KEY".to_owned()),
            _ => Err("no such file".to_owned()),
        };
        let read = sites(("site.json", text.as_bytes()), fill, &include, &mut Notes::default());
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn a_site_is_read_alone_in_a_list_and_in_an_object() {
        let alone = read(SITE, Fill::Nothing).unwrap();
        let site = &alone[0];
        assert_eq!(
            site.tls,
            Some(Tls::Own { key: Secret("KEY".into()), crt: "CRT".into(), cacrt: None })
        );
        let app = &site.apps[0];
        assert_eq!(
            (app.app.as_str(), app.accessories.len(), app.is_default),
            ("wordpress", 2, true)
        );
        let value = app.points.values().next().unwrap().values().next().unwrap();
        assert_eq!(*value, Chosen::Plain(json!("My ${x}")));
        assert_eq!(read(&format!("[{SITE},]"), Fill::Nothing).unwrap(), alone);
        let object = format!("{{ {:?} : {SITE} }}", site.id.as_str());
        assert_eq!(read(&object, Fill::Nothing).unwrap(), alone);
    }

    #[test]
    fn a_template_is_filled_with_what_nobody_can_guess() {
        let template = SITE
            .replace(r#""siteid" : "s1111111111222222222233333333334444444444","#, "")
            .replace(r#""appconfigid" : "a1111111111222222222233333333334444444444","#, "")
            .replace(r#""credential" : "qwer qwer","#, "");
        for said in ["`siteid` is missing", "`appconfigid` is missing", "`credential` is missing"] {
            assert!(read(&template, Fill::Nothing).unwrap_err().contains(said));
        }
        let once = read(&template, MISSING).unwrap().remove(0);
        let again = read(&template, MISSING).unwrap().remove(0);
        assert_ne!(once.id, again.id);
        assert_ne!(once.apps[0].id, again.apps[0].id);
        assert_ne!(once.admin.credential, again.admin.credential);
        assert!(credential(&once.admin.credential.0).is_ok());
        assert_eq!(read(SITE, MISSING), read(SITE, Fill::Nothing), "nothing is missing");
        let own = SITE.replace("\"key\" : \"@my.key\", \"crt\" : \"CRT\"", "");
        assert!(read(&own, Fill::Nothing).unwrap_err().contains("`key` is missing"));
        let key = Secret("KEY of blog.example.org".into());
        let made = read(&own, MISSING).unwrap().remove(0).tls;
        assert_eq!(made, Some(Tls::Own { key, crt: "CRT".into(), cacrt: None }));
        let any = own.replace("blog.example.org", "*");
        assert!(read(&any, MISSING).unwrap_err().contains("there is no openssl"));
    }

    #[test]
    fn each_rule_is_kept_and_no_secret_is_repeated() {
        for (old, new, said) in [
            ("\"s111", "\"x111", "site.json:2:15: siteid"),
            ("\"a111", "\"s111", "appconfigid"),
            ("blog.example.org", "Blog_", "host name"),
            ("\"admin\",", "\"Ad min\",", "`userid`: write"),
            ("qwer qwer", " hunter2", "`credential`: write 6 to 32"),
            ("qwer qwer", "hunt", "`credential`: write 6 to 32"),
            ("a@example.org", "example.org", "`email`: write"),
            ("@my.key", "@your.key", "`@your.key` cannot be read: no such file"),
            ("\"crt\" : \"CRT\"", "\"cacrt\" : \"C\"", "`crt` is missing"),
            ("\"crt\" : \"CRT\"", "\"letsencrypt\" : true", "excludes `letsencrypt`"),
            ("/blog_1", "/blog/1", "context `/blog/1`"),
            ("\"isdefault\" : true", "\"isdefault\" : 1", "`isdefault` is a number"),
            ("\"appid\" : \"wordpress\",", "", "`appid` is missing"),
            ("\"title\"", "\"Title\"", "customization point `Title`"),
            ("{ \"value\" : \"My ${x}\" }", "{}", "`title` has no `value`"),
        ] {
            let broken = SITE.replacen(old, new, 1);
            assert_ne!(broken, SITE, "{old}");
            let error = read(&broken, Fill::Nothing).expect_err(new);
            assert!(error.contains(said), "{new}: {error}");
            assert!(!error.contains("hunt"), "{error}");
        }
        for nothing in ["[]", "{}", "7", ""] {
            assert!(read(nothing, Fill::Nothing).is_err(), "{nothing}");
        }
    }

    #[test]
    fn hosts_can_be_any_or_an_onion() {
        let any = SITE.replace("blog.example.org", "*");
        assert_eq!(read(&any, Fill::Nothing).unwrap()[0].host, Host::Any);
        let onion = SITE.replace("\"hostname\" : \"blog.example.org\"", "\"tor\" : {}");
        assert_eq!(read(&onion, Fill::Nothing).unwrap()[0].host, Host::Onion);
        let encrypted =
            SITE.replace("\"key\" : \"@my.key\", \"crt\" : \"CRT\"", "\"letsencrypt\" : true");
        assert_eq!(read(&encrypted, Fill::Nothing).unwrap()[0].tls, Some(Tls::LetsEncrypt));
    }
}
