//! Old releases in the library: kept up to a quota, as a rollback and an undo need them.

use super::install::{in_library, package_resource, template_of};
use super::{Plan, Refusal};
use crate::db::{Change, InversePart};
use crate::facts::Installed;
use crate::step::stash_trees::StashTrees;
use crate::sys::path::RelPath;
use std::collections::BTreeSet;

/// How old releases are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// The bytes that they may take together.
    pub limit: u64,
    /// The places of those to which a gear can still be rolled back: they stay, and do not count.
    pub ways_back: &'a BTreeSet<RelPath>,
}

/// Adds to `plan` what takes away those of `old` that do not fit, the oldest first; gives the others that
/// can go. All of `old` are releases that no gear uses.
pub(super) fn add_leaving<'a>(
    plan: &mut Plan,
    keeping: Keeping<'_>,
    old: &[&'a Installed],
) -> Result<Vec<&'a Installed>, Refusal> {
    let mut stay = Vec::new();
    let mut newest_first: Vec<&Installed> = old.to_vec();
    newest_first.sort_by_key(|one| std::cmp::Reverse(one.row.id));
    let (mut total, mut trees, mut bytes) = (0_u64, Vec::new(), 0);
    for one in newest_first {
        if keeping.ways_back.contains(&one.place) {
            continue;
        }
        total = total.saturating_add(one.row.size);
        if total <= keeping.limit || one.hold.is_some() {
            stay.push(one);
            continue;
        }
        trees.push(in_library(&one.place)?);
        trees.extend(template_of(one)?);
        bytes += one.row.size;
        plan.records.push(Change::RemovePackage { id: one.row.id });
        plan.resources.insert(package_resource(&one.row.vendor, &one.row.name));
        let name = format!("{}-{}-{}", one.row.vendor, one.row.name, one.package.package_version);
        plan.summary
            .push(format!("no gear uses `{name}`: it leaves, as `old_releases_limit` says"));
    }
    if !trees.is_empty() {
        plan.step(StashTrees { trees });
        plan.keeps = Some(plan.keeps.unwrap_or_default() + bytes);
        if !plan.inverse.parts.contains(&InversePart::RestorePackages) {
            plan.inverse.parts.push(InversePart::RestorePackages);
        }
    }
    stay.reverse();
    Ok(stay)
}
