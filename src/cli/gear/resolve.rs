//! From the words for cartridges to packages: names, features that others provide, sources; and
//! what those require.

use crate::cli::app::App;
use crate::cli::request::{self, Demands, gather, request};
use crate::db::Db;
use crate::error::{Exit, Failure};
use crate::facts::{self, Provider};
use crate::gather::{Arrival, Request, What};
use crate::package::Package;
use crate::package::ident::FormatName;
use crate::package::version::Version;
use crate::plan::gear::{Wanted, unmet_by};
use std::collections::BTreeSet;

/// How many times what is required may require something itself.
const DEEPEST: usize = 20;

/// The feature of cartridges that send requests on to an application's gears.
const PROXY: &str = "web_proxy";

/// The packages that a gear is to get.
pub(super) struct Resolved {
    pub(super) wanted: Vec<Wanted>,
    pub(super) arrived: Vec<Arrival>,
}

impl Resolved {
    /// The ports on which the cartridges listen.
    pub(super) fn ports(&self) -> BTreeSet<u16> {
        let software = self.wanted.iter().flat_map(|one| &one.package.software);
        let endpoints = software.flat_map(|one| &one.endpoints);
        endpoints.flat_map(|one| std::iter::once(one.port).chain(one.websocket_port)).collect()
    }

    /// How many addresses they can need: one for each endpoint.
    pub(super) fn addresses(&self) -> usize {
        let endpoints = |one: &Wanted| {
            one.package.software.iter().map(|software| software.endpoints.len()).max()
        };
        self.wanted.iter().filter_map(endpoints).sum()
    }

    /// The names of the packages that arrived.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.arrived.iter().map(|one| one.new.package.name.to_string()).collect()
    }

    /// Adds a web proxy, where there is none among them.
    pub(super) fn add_proxy(&mut self, app: &App, db: &Db) -> Result<(), Failure> {
        let is_proxy = |one: &Wanted| {
            let version = one.software.as_ref().unwrap_or(&one.package.version);
            one.package.software(version).is_some_and(|software| software.is(PROXY))
        };
        if self.wanted.iter().any(is_proxy) {
            return Ok(());
        }
        if facts::provider(db, PROXY)?.is_none() {
            let text = "no cartridge of the library or the index is a web proxy";
            return Err(Failure::new(Exit::Conflict, text)
                .hint("name one, too: a scaled application needs it"));
        }
        self.add(app, db, &[PROXY.to_owned()])
    }

    /// Adds what the words mean: of the library where one has that name or provides it, else
    /// gathered, all side by side.
    fn add(&mut self, app: &App, db: &Db, words: &[String]) -> Result<(), Failure> {
        let mut slots: Vec<(Option<Wanted>, Option<Version>)> = Vec::new();
        let mut requests: Vec<Request> = Vec::new();
        for word in words {
            let provider = if request::is_source(word) && facts::newest(db, word)?.is_none() {
                None
            } else {
                facts::provider(db, word)?
            };
            slots.push(match provider {
                Some(Provider::Installed(found)) => {
                    let facts::Chosen { package, place, software } = *found;
                    (Some(Wanted { package, place, software }), None)
                }
                Some(Provider::Indexed(entry, version)) => {
                    requests.push(Request::new(What::Entry(entry)));
                    (None, version)
                }
                None => {
                    requests.push(request(word, Demands::default())?);
                    (None, None)
                }
            });
        }
        let arrived = if requests.is_empty() { Vec::new() } else { gather(app, &requests)? };
        let is_other = |one: &&Arrival| one.new.package.format != FormatName::Cartridge;
        if let Some(other) = arrived.iter().find(is_other) {
            let (title, format) = (other.new.package.title(), other.new.package.format.as_str());
            let text = format!("`{title}` is a {format} package, and gears are made of cartridges");
            return Err(Failure::new(Exit::Usage, text).hint("install it with `cart install`"));
        }
        let mut next = arrived.iter();
        for ((slot, version), word) in slots.into_iter().zip(words) {
            self.wanted.extend(match slot {
                Some(one) => Some(one),
                None => next.next().map(|one| Wanted {
                    package: one.new.package.clone(),
                    place: one.new.place.clone(),
                    software: version.or_else(|| asked_version(word, &one.new.package)),
                }),
            });
        }
        self.arrived.extend(arrived);
        Ok(())
    }
}

/// The packages that `words` mean, for a gear that has `present`, and what they require.
pub(super) fn resolve(
    app: &App,
    db: &Db,
    words: &[String],
    present: &[Wanted],
) -> Result<Resolved, Failure> {
    let mut resolved = Resolved { wanted: Vec::new(), arrived: Vec::new() };
    resolved.add(app, db, words)?;
    for _ in 0..DEEPEST {
        let all: Vec<Wanted> = present.iter().chain(&resolved.wanted).cloned().collect();
        let missing = resolved.wanted.iter().find_map(|one| Some((one, unmet_by(one, &all)?)));
        let Some((one, features)) = missing else { return Ok(resolved) };
        let title = one.package.title();
        let feature = required(db, &title, &features)?;
        app.printer().talk(&format!("`{title}` requires `{feature}`"));
        resolved.add(app, db, &[feature])?;
    }
    let text = "what is required requires ever more".to_owned();
    Err(Failure::new(Exit::Conflict, text))
}

/// The first of the alternatives that somebody provides.
fn required(db: &Db, title: &str, features: &[String]) -> Result<String, Failure> {
    for feature in features {
        let found = facts::provider(db, feature);
        let found = found.map_err(|failure| {
            failure.while_doing(format!("cannot choose what `{title}` requires"))
        })?;
        if found.is_some() {
            return Ok(feature.clone());
        }
    }
    let text = format!("`{title}` requires `{}`, which nobody provides", features.join("` or `"));
    Err(Failure::new(Exit::Conflict, text)
        .hint("install such a package first: `cart install SOURCE`"))
}

/// The software version in `name-version`, of a package that came from the index; the path or URL
/// of a source asks for none.
fn asked_version(word: &str, package: &Package) -> Option<Version> {
    if request::is_source(word) {
        return None;
    }
    let (_, version) = word.split_once(&format!("{}-", package.name))?;
    Version::parse(version).ok().filter(|version| package.software(version).is_some())
}
