//! Upgrading packages of the library: the newest versions come in beside the old ones.
//!
//! Gears go on using what they use. What no gear uses stays too, up to a quota: it shares its unchanged
//! files with the newer one, and is what an undo needs.

#[cfg(test)]
mod tests;

use super::hold::Line;
use super::install::{add_packages, in_library, is_of_the_line, package_resource, template_of};
use super::old_releases::{Keeping, add_leaving};
use super::{Consent, Plan, Refusal, hold};
use crate::db::{Change, Hold, InversePart};
use crate::error::Exit;
use crate::facts::Installed;
use crate::gather::Arrival;
use crate::package::version::Version;
use crate::step::stash_trees::StashTrees;
use std::collections::{BTreeMap, BTreeSet};

/// Whether packages were named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// These and no others: what cannot be done is refused.
    Named,
    /// All that are installed: held ones are left alone.
    All,
}

/// What becomes of packages whose source offers an older version now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Downgrade {
    /// They are refused.
    #[default]
    Refused,
    /// The older version takes the place of newer ones that no gear uses.
    Allowed,
}

/// What an upgrade is asked for.
#[derive(Clone, Copy, Debug)]
pub struct UpgradeAsk<'a> {
    /// What has come, each with the package that it is meant to be a version of.
    pub arrived: &'a [(Line, Arrival)],
    /// The packages whose sources offer an older version now, and which.
    pub older: &'a [(Line, Version)],
    /// Whether packages were named.
    pub asked: Asked,
    /// What becomes of older versions.
    pub downgrade: Downgrade,
    /// How old releases are kept.
    pub keeping: Keeping<'a>,
    /// What the person should know beside it.
    pub warnings: &'a [String],
}

/// Plans the upgrade; `installed` is every version of the packages that are meant.
pub fn upgrade(ask: &UpgradeAsk<'_>, installed: &[Installed]) -> Result<Plan, Refusal> {
    let mut plan = Plan::new("upgrade packages");
    plan.warnings.extend_from_slice(ask.warnings);
    add_held(&mut plan, ask.asked, installed)?;
    if let (Downgrade::Refused, Some((line, offered))) = (ask.downgrade, ask.older.first()) {
        return Err(refuse_downgrade(line, offered));
    }
    let mut coming: Vec<Arrival> = Vec::new();
    let mut titles = Vec::new();
    for (line, arrival) in ask.arrived {
        check_name(line, arrival)?;
        let versions = versions(installed, arrival);
        let newest = versions.iter().map(|one| &one.package.package_version).max();
        let Some(newest) = newest.filter(|_| versions.iter().all(|one| one.hold.is_none())) else {
            continue;
        };
        let to = &arrival.new.package.package_version;
        if to < newest {
            if ask.downgrade == Downgrade::Refused {
                return Err(refuse_downgrade(line, to));
            }
            take_away_newer(&mut plan, arrival, &versions)?;
        }
        if !versions.iter().any(|one| one.place == arrival.new.place) {
            titles.push(titled(line, newest, to));
        }
        coming.push(arrival.clone());
    }
    give_title(&mut plan, titles);
    add_packages(&mut plan, &coming, installed)?;
    let old = unused(&plan, &coming, installed);
    for one in add_leaving(&mut plan, ask.keeping, &old)? {
        if coming.iter().any(|arrival| is_of_the_line(one, arrival)) {
            let version = &one.package.package_version;
            let name = format!("{}-{}-{version}", one.row.vendor, one.row.name);
            plan.summary.push(format!("no gear uses `{name}`: `cart remove {name}`"));
        }
    }
    if plan.is_empty() && plan.summary.is_empty() {
        plan.summary.push("everything that was asked for is up to date".into());
    }
    Ok(plan)
}

fn titled(line: &Line, newest: &Version, to: &Version) -> String {
    if newest == to {
        format!("`{line}` {to}, built anew")
    } else {
        format!("`{line}` from {newest} to {to}")
    }
}

fn give_title(plan: &mut Plan, titles: Vec<String>) {
    match titles.as_slice() {
        [] => {}
        [one] => plan.title = format!("upgrade {one}"),
        many => {
            plan.title = format!("upgrade {} packages", many.len());
            plan.summary.extend(titles);
        }
    }
}

/// Says what is held and stays; what was named is refused.
fn add_held(plan: &mut Plan, asked: Asked, installed: &[Installed]) -> Result<(), Refusal> {
    let mut held: Vec<&Hold> = installed.iter().filter_map(|one| one.hold.as_ref()).collect();
    held.dedup_by_key(|hold| hold.id);
    for hold in held {
        if asked == Asked::Named {
            return Err(hold::refuse(hold));
        }
        let line = format!("{}-{}", hold.vendor, hold.name);
        plan.summary.push(format!("`{line}` is held and stays: {}", hold.reason));
    }
    Ok(())
}

fn versions<'a>(installed: &'a [Installed], arrival: &Arrival) -> Vec<&'a Installed> {
    installed.iter().filter(|one| is_of_the_line(one, arrival)).collect()
}

/// A source may have become that of something else.
fn check_name(line: &Line, arrival: &Arrival) -> Result<(), Refusal> {
    let package = &arrival.new.package;
    if (package.vendor.as_str(), package.name.as_str()) == (&*line.vendor, &*line.name) {
        return Ok(());
    }
    let text = format!(
        "`{}`, where `{line}` came from, is the package `{}-{}` now",
        arrival.new.provenance.source, package.vendor, package.name
    );
    Err(Refusal::new(Exit::Conflict, text)
        .hint("`cart install` takes it, beside what is there; `cart hold` leaves this one alone"))
}

/// The refusal to go back to `offered` without being told so.
fn refuse_downgrade(line: &Line, offered: &Version) -> Refusal {
    let text = format!(
        "the source of `{line}` offers {offered} now, which is older than what is installed"
    );
    Refusal::new(Exit::Refused, text)
        .hint(format!("`--allow-downgrade` takes it; `cart hold {line}` leaves it out of upgrades"))
}

/// With an older version in the library, only the absence of newer ones makes it the one that a
/// name means.
fn take_away_newer(
    plan: &mut Plan,
    arrival: &Arrival,
    versions: &[&Installed],
) -> Result<(), Refusal> {
    let to = &arrival.new.package.package_version;
    let mut trees = Vec::new();
    let mut bytes = 0;
    for one in versions.iter().filter(|one| one.package.package_version > *to) {
        let title =
            format!("`{}-{}` {}", one.row.vendor, one.row.name, one.package.package_version);
        if !one.used_by.is_empty() {
            let users = one.used_by.join(", ");
            plan.warnings.push(format!("{title} stays, and stays the newest: {users} uses it"));
            continue;
        }
        trees.push(in_library(&one.place)?);
        trees.extend(template_of(one)?);
        bytes += one.row.size;
        plan.records.push(Change::RemovePackage { id: one.row.id });
        plan.summary.push(format!("{title} leaves"));
    }
    plan.resources.insert(package_resource(
        arrival.new.package.vendor.as_str(),
        arrival.new.package.name.as_str(),
    ));
    if !trees.is_empty() {
        plan.step(StashTrees { trees });
        plan.keeps = Some(plan.keeps.unwrap_or_default() + bytes);
        if !plan.inverse.parts.contains(&InversePart::RestorePackages) {
            plan.inverse.parts.push(InversePart::RestorePackages);
        }
        plan.consent = Consent::Courtesy;
    }
    Ok(())
}

/// The releases that nobody needs any more: newer ones have come or are there already.
fn unused<'a>(plan: &Plan, coming: &[Arrival], installed: &'a [Installed]) -> Vec<&'a Installed> {
    let leaving: BTreeSet<i64> = plan.records.iter().filter_map(removed).collect();
    let leaves = |one: &Installed| leaving.contains(&one.row.id);
    let mut newest: BTreeMap<(&str, &str), &Version> = BTreeMap::new();
    let arriving = coming.iter().map(|arrival| &arrival.new.package);
    let staying = installed.iter().filter(|one| !leaves(one)).map(|one| &one.package);
    for package in arriving.chain(staying) {
        let line = (package.vendor.as_str(), package.name.as_str());
        let best = newest.entry(line).or_insert(&package.package_version);
        *best = (*best).max(&package.package_version);
    }
    let is_replaced = |one: &&Installed| {
        let line = (one.package.vendor.as_str(), one.package.name.as_str());
        newest.get(&line).is_some_and(|newest| **newest > one.package.package_version)
    };
    let is_unused = |one: &&Installed| one.used_by.is_empty() && !leaves(one);
    installed.iter().filter(is_unused).filter(is_replaced).collect()
}

fn removed(record: &Change) -> Option<i64> {
    match record {
        Change::RemovePackage { id } => Some(*id),
        _ => None,
    }
}
