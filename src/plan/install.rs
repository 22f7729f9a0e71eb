//! Installing packages: trees from staging into the library, all in one transaction.

use super::{Plan, Refusal, Resource, hold};
use crate::db::{Change, InversePart, NewPackage};
use crate::error::Exit;
use crate::facts::Installed;
use crate::gather::Arrival;
use crate::library::template_repository;
use crate::step::place_trees::{PlaceTrees, Placing};
use crate::step::stash_trees::StashTrees;
use crate::sys::path::{PathError, RelPath};

/// Plans the installation of `arrived`. What is installed already, byte for byte, is left alone.
pub fn install(arrived: &[Arrival], installed: &[Installed]) -> Result<Plan, Refusal> {
    let titles: Vec<_> =
        arrived.iter().map(|one| format!("`{}`", one.new.package.title())).collect();
    let mut plan = Plan::new(match titles.as_slice() {
        [one] => format!("install {one}"),
        many => format!("install {} packages", many.len()),
    });
    add_packages(&mut plan, arrived, installed)?;
    Ok(plan)
}

/// Adds to `plan` what brings `arrived` into the library.
pub(super) fn add_packages(
    plan: &mut Plan,
    arrived: &[Arrival],
    installed: &[Installed],
) -> Result<(), Refusal> {
    let mut trees = Vec::new();
    let mut replaced = Vec::new();
    let mut kept_bytes = 0;
    for (index, one) in arrived.iter().enumerate() {
        let package = &one.new.package;
        plan.resources.insert(package_resource(package.vendor.as_str(), package.name.as_str()));
        refuse_twins(one, arrived.get(..index).unwrap_or_default())?;
        let twice = arrived.iter().take(index).any(|other| other.new.place == one.new.place);
        if twice || installed.iter().any(|old| old.place == one.new.place) {
            plan.summary.push(format!("`{}` is installed already", package.title()));
            continue;
        }
        let mut versions = installed.iter().filter(|old| is_of_the_line(old, one));
        if let Some(hold) = versions.find_map(|old| old.hold.as_ref()) {
            return Err(hold::refuse(hold));
        }
        trees.push(Placing { from: one.from.clone(), to: in_library(&one.new.place)? });
        if let Some((from, to)) = &one.template {
            trees.push(Placing { from: from.clone(), to: to.clone() });
        }
        plan.records.push(Change::AddPackage(Box::new(one.new.clone())));
        plan.summary.push(describe(one));
        if !package.externals.is_empty() {
            let names: Vec<_> = package.externals.iter().map(|one| one.name.as_str()).collect();
            let names = names.join(", ");
            let place = if package.ubos.is_some() { "at each site" } else { "in each gear" };
            let text = format!("it asks externals {place}: {}", names.escape_debug());
            plan.summary.push(text);
        }
        for old in installed.iter().filter(|old| is_replaced_by(old, one)) {
            if old.used_by.is_empty() {
                plan.records.push(Change::RemovePackage { id: old.row.id });
                replaced.push(in_library(&old.place)?);
                replaced.extend(template_of(old)?);
                kept_bytes += old.row.size;
            } else {
                plan.warnings.push(format!(
                    "another build of `{}` stays beside it: {} uses it",
                    package.title(),
                    old.used_by.join(", ")
                ));
            }
        }
    }
    if !trees.is_empty() {
        plan.step(PlaceTrees { trees });
        plan.inverse.parts.push(InversePart::RemovePackages);
    }
    if !replaced.is_empty() {
        plan.step(StashTrees { trees: replaced });
        plan.keeps = Some(plan.keeps.unwrap_or_default() + kept_bytes);
        if !plan.inverse.parts.contains(&InversePart::RestorePackages) {
            plan.inverse.parts.push(InversePart::RestorePackages);
        }
    }
    Ok(())
}

/// Two different trees under one name and version cannot both be meant.
fn refuse_twins(one: &Arrival, before: &[Arrival]) -> Result<(), Refusal> {
    let same = |other: &&Arrival| {
        let (a, b) = (&other.new.package, &one.new.package);
        other.new.place != one.new.place
            && (&a.vendor, &a.name, &a.package_version) == (&b.vendor, &b.name, &b.package_version)
    };
    match before.iter().find(same) {
        None => Ok(()),
        Some(other) => Err(Refusal::new(
            Exit::Conflict,
            format!(
                "`{}` and `{}` are both `{}` {}, with different contents",
                other.new.provenance.source,
                one.new.provenance.source,
                one.new.package.title(),
                one.new.package.package_version
            ),
        )
        .hint("install the one that you mean")),
    }
}

/// Another version, or the same, of one package.
pub(super) fn is_of_the_line(old: &Installed, new: &Arrival) -> bool {
    let (a, b) = (&old.package, &new.new.package);
    (&a.format, &a.vendor, &a.name) == (&b.format, &b.vendor, &b.name)
}

/// The same name and version with other contents: a rebuild, which takes the place of the old one.
fn is_replaced_by(old: &Installed, new: &Arrival) -> bool {
    is_of_the_line(old, new) && old.package.package_version == new.new.package.package_version
}

fn describe(one: &Arrival) -> String {
    let NewPackage { package, table, provenance, .. } = &one.new;
    format!(
        "`{}` {} ({} files, {} bytes) from {}, trust: {}",
        package.title(),
        package.package_version,
        table.entries().len(),
        table.size(),
        provenance.source,
        provenance.trust.as_str()
    )
}

pub(super) fn package_resource(vendor: &str, name: &str) -> Resource {
    Resource::Package(format!("{vendor}-{name}"))
}

/// The repository that was made of the package's template goes with it.
pub(super) fn template_of(one: &Installed) -> Result<Option<RelPath>, Refusal> {
    if one.package.parts.template.is_none() {
        return Ok(None);
    }
    let name = template_repository(one.place.as_str());
    let name = RelPath::parse(&name)
        .map_err(|error| Refusal::new(Exit::Failed, format!("the template's name {error}")))?;
    below("templates", &name).map(Some)
}

/// The path of a library place, relative to the state directory.
pub(super) fn in_library(place: &RelPath) -> Result<RelPath, Refusal> {
    below("library", place)
}

pub(super) fn below(folder: &str, place: &RelPath) -> Result<RelPath, Refusal> {
    RelPath::parse(&format!("{folder}/{place}")).map_err(|error: PathError| {
        Refusal::new(Exit::Failed, format!("the path `{folder}/{place}` {error}"))
    })
}
