//! Choosing packages of tpkg by name: what sources have, what is installed, and what goes together.

use super::app::App;
use crate::db::Db;
use crate::error::{Exit, Failure};
use crate::facts::tpkg::{Candidate, of_the_system, root, tpkg_host, tpkg_packages_named};
use crate::gather::{Arrival, Gatherer, OfSource, Request, What};
use crate::package::Package;
use crate::package::tpkg::{Requirement, RequirementKind, requirement};
use crate::plan::tpkg::solve::{Offer, Problem, solve};
use crate::plan::tpkg::wish::Wish;
use crate::source::locator::Source;
use std::collections::BTreeSet;

/// What is asked for.
pub(super) struct Choice<'a> {
    /// By name.
    pub(super) wishes: &'a [Wish],
    /// By file; they have come.
    pub(super) given: &'a [Arrival],
    /// Where to look.
    pub(super) sources: &'a [String],
    /// Whether the newest are wanted of what is named, not what is installed.
    pub(super) upgrades: bool,
}

/// What can be had, each with the place to get it from, where it has to be got.
#[derive(Default)]
struct Market {
    offers: Vec<Offer>,
    from: Vec<Option<Source>>,
}

impl Market {
    fn add(&mut self, offer: Offer, from: Option<Source>) {
        self.offers.push(offer);
        self.from.push(from);
    }
}

/// Chooses; gives what has to be fetched.
pub(super) fn choose(app: &App, db: &Db, ask: &Choice<'_>) -> Result<Vec<Request>, Failure> {
    let listed = listed(app, ask.sources)?;
    let (mut market, wanted) = market(app, db, (ask, &listed))?;
    for wish in ask.wishes {
        let keep: Vec<bool> = market
            .offers
            .iter()
            .map(|one| one.candidate.name != wish.name || wish.means(&one.candidate))
            .collect();
        let mut each = keep.iter();
        market.offers.retain(|_| *each.next().unwrap_or(&true));
        let mut each = keep.iter();
        market.from.retain(|_| *each.next().unwrap_or(&true));
    }
    let named = ask.wishes.iter().filter(|wish| ask.upgrades || wish.has_bounds());
    let given = ask.given.iter().map(|one| one.new.package.name.to_string());
    let fresh: BTreeSet<String> = named.map(|wish| wish.name.clone()).chain(given).collect();
    let problem = Problem { offers: &market.offers, wanted: &wanted, fresh: &fresh };
    let chosen = solve(problem).map_err(|why| {
        let mut failure = Failure::new(Exit::Conflict, "these packages cannot come together");
        failure.causes = why;
        failure.hint("name other versions, or a `--source` that has what is missing")
    })?;
    let is_there = |one: &Offer| {
        let same = |other: &&Offer| {
            let (a, b) = (&one.candidate, &other.candidate);
            b.id.is_some()
                && (&a.name, a.kind, &a.version, &a.package_version)
                    == (&b.name, b.kind, &b.version, &b.package_version)
        };
        market.offers.iter().any(|other| same(&other))
    };
    let fetched = chosen
        .iter()
        .filter(|at| market.offers.get(**at).is_none_or(|one| !is_there(one)))
        .filter_map(|at| market.from.get(*at)?.clone());
    Ok(fetched.map(|source| Request::new(What::Source(source))).collect())
}

/// What the sources have that runs here. One that does not answer is told, and left out.
pub(super) fn listed(app: &App, sources: &[String]) -> Result<Vec<OfSource>, Failure> {
    let gatherer = Gatherer::new(app.layout(), app.config()?);
    let host = tpkg_host(&root(app.layout())?, &BTreeSet::new())?;
    let mut found = Vec::new();
    for source in sources {
        match gatherer.tpkg_source(source, &*app.progress().watch(source)) {
            Ok(all) => found.extend(all.into_iter().filter(|one| {
                requirement::runs_on(&one.listed.operating_systems, &host.system)
                    && requirement::runs_on(&one.listed.architectures, &host.hardware)
            })),
            Err(error) => {
                let failure = Failure::from(error);
                let causes = failure.causes.join(": ");
                app.printer().warn(&format!("{source}: {}: {causes}", failure.summary));
            }
        }
    }
    Ok(found)
}

/// Everything that the names speak of that are asked for, and so on; and what must come of it.
fn market(
    app: &App,
    db: &Db,
    (ask, listed): (&Choice<'_>, &[OfSource]),
) -> Result<(Market, Vec<Requirement>), Failure> {
    let mut market = Market::default();
    let mut wanted: Vec<Requirement> =
        ask.wishes.iter().map(|wish| Requirement::any_of(&wish.name)).collect();
    let mut open: Vec<(String, RequirementKind)> = Vec::new();
    for wish in ask.wishes {
        open.push((wish.name.clone(), RequirementKind::Tpkg));
    }
    for arrival in ask.given {
        let offer = of_package(&arrival.new.package);
        open.push((offer.candidate.name.clone(), RequirementKind::Tpkg));
        wanted.push(exactly(&offer.candidate));
        open.extend(offer.needs.iter().map(|need| (need.name.clone(), need.kind)));
        market.add(offer, None);
    }
    let mut known = BTreeSet::new();
    while let Some((name, kind)) = open.pop() {
        if !known.insert(format!("{kind:?} {name}")) {
            continue;
        }
        if kind == RequirementKind::Native {
            if let Some(candidate) = of_the_system(app.layout().root(), &name) {
                let (needs, clashes) = (Vec::new(), Vec::new());
                market.add(Offer { candidate, needs, clashes, systems: 0 }, None);
            }
            continue;
        }
        for row in tpkg_packages_named(db, &name)? {
            let (needs, clashes) = db.needs_of(row.id)?;
            open.extend(needs.iter().map(|need| (need.name.clone(), need.kind)));
            let candidate = Candidate::of_row(&row);
            market.add(Offer { candidate, needs, clashes, systems: 0 }, None);
        }
        // Whoever is installed and needs this must go on finding it.
        for (_, clash, need) in db.needing(&name)? {
            if !clash {
                wanted.push(need);
            }
        }
        for one in listed.iter().filter(|one| one.listed.name == name) {
            let offer = of_source(one);
            open.extend(offer.needs.iter().map(|need| (need.name.clone(), need.kind)));
            market.add(offer, Some(one.from.clone()));
        }
    }
    Ok((market, wanted))
}

fn of_source(one: &OfSource) -> Offer {
    let listed = &one.listed;
    Offer {
        candidate: Candidate {
            id: None,
            name: listed.name.clone(),
            kind: RequirementKind::Tpkg,
            version: listed.version.clone(),
            package_version: listed.package_version.clone(),
        },
        needs: listed.dependencies.clone(),
        clashes: listed.conflicts.clone(),
        systems: listed.operating_systems.len(),
    }
}

fn of_package(package: &Package) -> Offer {
    let tpkg = package.tpkg.as_deref();
    let packaging = tpkg.and_then(|tpkg| tpkg.package_version.as_ref());
    Offer {
        candidate: Candidate {
            id: None,
            name: package.name.to_string(),
            kind: RequirementKind::Tpkg,
            version: package.version.to_string(),
            package_version: packaging.map(ToString::to_string),
        },
        needs: tpkg.map(|tpkg| tpkg.dependencies.clone()).unwrap_or_default(),
        clashes: tpkg.map(|tpkg| tpkg.conflicts.clone()).unwrap_or_default(),
        systems: tpkg.map_or(0, |tpkg| tpkg.operating_systems.len()),
    }
}

/// Just this version.
fn exactly(candidate: &Candidate) -> Requirement {
    Requirement {
        minimum_version: Some(candidate.version.clone()),
        maximum_version: Some(candidate.version.clone()),
        minimum_package_version: candidate.package_version.clone(),
        maximum_package_version: candidate.package_version.clone(),
        ..Requirement::any_of(&candidate.name)
    }
}
