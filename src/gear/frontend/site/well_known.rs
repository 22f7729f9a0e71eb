//! What lies below `/.well-known/` of a site: what its own file says, and what its apps say (UBOS
//! specification, 1.4).

use crate::package::ubos::name::{Context, WellKnownName};
use crate::package::ubos::role::WellKnown;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: WellKnownName,
    /// What is answered.
    pub answer: Answer,
}

/// What is answered there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// These bytes.
    Content(Bytes),
    /// Another place.
    Elsewhere {
        /// Where.
        url: Url,
        /// The HTTP status.
        status: u16,
    },
    /// What a server of the host itself answers, whom nobody else can ask.
    Asked(Url),
}

/// Bytes, written down in base64.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub Vec<u8>);

impl From<Bytes> for String {
    fn from(Bytes(bytes): Bytes) -> Self {
        STANDARD.encode(bytes)
    }
}

impl TryFrom<String> for Bytes {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

/// A place that people are sent to: visible ASCII characters, no quotes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Url(String);

impl From<Url> for String {
    fn from(Url(text): Url) -> Self {
        text
    }
}

impl TryFrom<String> for Url {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let begins = ["http://", "https://", "/"].iter().any(|begin| text.starts_with(begin));
        let fine = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
        if begins && text.len() <= 2048 && text.chars().all(fine) {
            return Ok(Self(text));
        }
        Err(format!("`{}` is no URL of http or https, and no path", text.escape_debug()))
    }
}

impl Url {
    /// Tells whether it leads to a port of the host itself.
    fn is_of_loopback(&self) -> bool {
        let rest = ["http://127.0.0.1", "http://localhost"]
            .iter()
            .find_map(|begin| self.0.strip_prefix(begin));
        let Some(rest) = rest else { return false };
        let port = rest.split(['/', '?']).next().unwrap_or_default();
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    }

    /// Tells whether its port is one, where it names any. Apache would leave out the port and all
    /// behind it.
    fn has_port(&self) -> bool {
        let Some((_, rest)) = self.0.split_once("://") else { return true };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit(['@', ']']).next().unwrap_or_default();
        host.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok())
    }

    /// The URL as it was given.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for the target of a `RedirectMatch`, where `$1` would be a part of the pattern.
    pub(super) fn for_match(&self) -> String {
        self.0.replace('$', "\\$")
    }
}

/// What was found for a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WellKnowns {
    /// The entries, each name once.
    pub entries: Vec<Entry>,
    /// What is not as a package wants it, for people.
    pub warnings: Vec<String>,
}

/// The entries of one package at its context; templates have been rendered, to
/// [`WellKnown::Value`].
pub type OfPackage = (Context, Vec<(WellKnownName, WellKnown)>);

/// Joins what the site's own file says with what its packages say, in order. The site wins, then
/// whoever comes first; a package whose entry is taken has none of its others either. Rules for robots
/// of all apps are one file.
pub fn well_known(
    site: &[(WellKnownName, WellKnown)],
    packages: &[OfPackage],
) -> Result<WellKnowns, String> {
    let mut found = WellKnowns::default();
    add(site, &mut found)?;
    for (_, entries) in packages {
        add(entries, &mut found)?;
    }
    let robots = robots(site, packages);
    let name = WellKnownName::parse("robots.txt").map_err(|error| error.to_string())?;
    if !robots.is_empty() && found.entries.iter().all(|entry| entry.name != name) {
        let answer = Answer::Content(Bytes(robots.into_bytes()));
        found.entries.push(Entry { name, answer });
    }
    Ok(found)
}

fn add(entries: &[(WellKnownName, WellKnown)], found: &mut WellKnowns) -> Result<(), String> {
    let mut new = Vec::new();
    for (name, what) in entries {
        let answer = match what {
            WellKnown::Value(bytes) => Answer::Content(Bytes(bytes.clone())),
            WellKnown::Location { url, status } => {
                Answer::Elsewhere { url: Url::try_from(url.clone())?, status: *status }
            }
            // One can be asked in the site's place; several would have to be asked together.
            WellKnown::Webfinger(url) => {
                if found.entries.iter().any(|entry| entry.name == *name) {
                    let text = format!(
                        "`{}` is not asked about accounts: another app of the site is",
                        url.escape_debug()
                    );
                    found.warnings.push(text);
                    continue;
                }
                match Url::try_from(url.clone())? {
                    url if !url.has_port() => {
                        let text = format!(
                            "nobody is asked about accounts: `{}` has a port that is no number",
                            url.as_str()
                        );
                        found.warnings.push(text);
                        continue;
                    }
                    url if url.is_of_loopback() => Answer::Asked(url),
                    url => Answer::Elsewhere { url, status: 307 },
                }
            }
            WellKnown::Robots { .. } => continue,
            WellKnown::Template(_) => {
                return Err(format!("the template of `{name}` was not rendered"));
            }
        };
        new.push(Entry { name: name.clone(), answer });
    }
    let taken = |entry: &Entry| found.entries.iter().any(|other| other.name == entry.name);
    match new.iter().find(|entry| taken(entry)) {
        Some(entry) => {
            let text = format!("`{}` below `/.well-known/` is another's already", entry.name);
            found.warnings.push(text);
        }
        None => found.entries.extend(new),
    }
    Ok(())
}

/// The rules of all, below their contexts.
fn robots(site: &[(WellKnownName, WellKnown)], packages: &[OfPackage]) -> String {
    let root = Context::default();
    let of_site = site.iter().map(|(_, what)| (&root, what));
    let of_apps = packages.iter().flat_map(|(at, all)| all.iter().map(move |(_, what)| (at, what)));
    let (mut allowed, mut not) = (String::new(), String::new());
    for (context, what) in of_site.chain(of_apps) {
        let WellKnown::Robots { allow, disallow } = what else { continue };
        for (word, paths, lines) in
            [("Allow", allow, &mut allowed), ("Disallow", disallow, &mut not)]
        {
            // A path of a manifest has no space (UBOS specification, 1.4), so it is one line.
            for path in paths.iter().filter(|path| !path.contains(char::is_control)) {
                let _ = writeln!(lines, "{word}: {}{path}", context.as_str());
            }
        }
    }
    if allowed.is_empty() && not.is_empty() {
        return String::new();
    }
    format!("User-Agent: *\n{allowed}{not}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> WellKnownName {
        WellKnownName::parse(text).unwrap()
    }

    fn value(key: &str, text: &str) -> (WellKnownName, WellKnown) {
        (name(key), WellKnown::Value(text.as_bytes().to_vec()))
    }

    #[test]
    fn the_site_wins_then_who_comes_first_and_a_package_comes_whole_or_not_at_all() {
        let site = [value("a", "site")];
        let at = |context: &str| Context::in_site(context).unwrap();
        let packages = [
            (at("/x"), vec![value("a", "app"), value("b", "app")]),
            (at("/y"), vec![value("b", "second"), value("c", "second")]),
        ];
        let found = well_known(&site, &packages).unwrap();
        let shown: Vec<_> =
            found.entries.iter().map(|e| (e.name.as_str(), e.answer.clone())).collect();
        let bytes = |text: &str| Answer::Content(Bytes(text.into()));
        assert_eq!(shown, [("a", bytes("site")), ("b", bytes("second")), ("c", bytes("second"))]);
        assert_eq!(found.warnings.len(), 1);
    }

    #[test]
    fn rules_for_robots_are_one_file_below_the_contexts() {
        let rules = |allow: &[&str], disallow: &[&str]| {
            let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
            (
                name("robots.txt"),
                WellKnown::Robots { allow: texts(allow), disallow: texts(disallow) },
            )
        };
        let packages = [
            (Context::in_site("/x").unwrap(), vec![rules(&["/open"], &["/a", "/b\nAllow: /"])]),
            (Context::default(), vec![rules(&[], &["/"])]),
        ];
        let found = well_known(&[], &packages).unwrap();
        let Answer::Content(Bytes(bytes)) = &found.entries[0].answer else { panic!() };
        let text = "User-Agent: *\nAllow: /x/open\nDisallow: /x/a\nDisallow: /\n";
        assert_eq!(std::str::from_utf8(bytes).unwrap(), text);
        assert!(well_known(&[], &[]).unwrap().entries.is_empty());
    }

    #[test]
    fn a_place_elsewhere_is_a_url_and_nothing_that_a_server_reads() {
        for good in ["https://a.b/c?d=$1&e=%20", "/x"] {
            assert!(Url::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "javascript:x", "http://a b", "http://a\"b", "http://a\\b", "http://a\nb"] {
            assert!(Url::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        let entry = (name("x"), WellKnown::Location { url: "ftp://x".into(), status: 307 });
        assert!(well_known(&[entry], &[]).is_err());
        let asked = |url: &str| vec![(name("webfinger"), WellKnown::Webfinger(url.into()))];
        let packages =
            [(Context::default(), asked("http://a/")), (Context::default(), asked("http://b/"))];
        let found = well_known(&[], &packages).unwrap();
        assert_eq!((found.entries.len(), found.warnings.len()), (1, 1));
    }

    #[test]
    fn a_server_of_the_host_itself_is_asked_in_the_askers_place() {
        let of = |url: &str| {
            let entries = [(name("webfinger"), WellKnown::Webfinger(url.into()))];
            well_known(&entries, &[]).unwrap()
        };
        for (url, is_asked) in [
            ("http://127.0.0.1:5001", true),
            ("http://127.0.0.1/x", true),
            ("http://localhost:80/x?y", true),
            ("http://127.0.0.1.example.org/", false),
            ("http://127.0.0.1@example.org/", false),
            ("https://a.example.org/x", false),
        ] {
            let found = of(url);
            assert_eq!(matches!(found.entries[0].answer, Answer::Asked(_)), is_asked, "{url}");
        }
        for (url, is_port) in [
            ("http://127.0.0.1:a-name/x", false),
            ("https://a.example.org:/x", false),
            ("https://me@a.example.org:65536?x", false),
            ("https://me:b@a.example.org/x:y", true),
            ("http://[::1]:80/x", true),
            ("http://[::1]", true),
        ] {
            let found = of(url);
            let said = (found.entries.len(), found.warnings.len());
            assert_eq!(said, if is_port { (1, 0) } else { (0, 1) }, "{url}");
        }
    }
}
