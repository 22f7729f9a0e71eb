//! Removing packages: trees from the library into the stash, from where `undo` brings them back.

use super::install::{in_library, package_resource, template_of};
use super::{Consent, Plan, Refusal, hold};
use crate::db::{Change, InversePart};
use crate::error::Exit;
use crate::facts::Installed;
use crate::step::stash_trees::StashTrees;
use crate::sys::path::RelPath;

/// Plans the removal of `leaving`. A package that a gear uses is refused.
pub fn remove(leaving: &[Installed]) -> Result<Plan, Refusal> {
    let mut plan = Plan::new(match leaving {
        [one] => format!("remove `{}`", one.package.title()),
        many => format!("remove {} packages", many.len()),
    });
    if let Some(hold) = leaving.iter().find_map(|one| one.hold.as_ref()) {
        return Err(hold::refuse_removal(hold));
    }
    add_removal(&mut plan, leaving)?;
    plan.consent = Consent::Courtesy;
    Ok(plan)
}

/// Adds to `plan` what takes `leaving` out of the library.
pub(super) fn add_removal(plan: &mut Plan, leaving: &[Installed]) -> Result<(), Refusal> {
    let mut trees: Vec<RelPath> = Vec::new();
    for one in leaving {
        let title = one.package.title();
        if !one.used_by.is_empty() {
            let text = format!("`{title}` is in use by {}", gears(&one.used_by));
            return Err(Refusal::new(Exit::Conflict, text)
                .hint("destroy what uses it first: `cart gear destroy NAME`"));
        }
        trees.push(in_library(&one.place)?);
        trees.extend(template_of(one)?);
        plan.records.push(Change::RemovePackage { id: one.row.id });
        plan.resources.insert(package_resource(&one.row.vendor, &one.row.name));
        plan.summary.push(format!("`{title}` {} leaves", one.package.package_version));
    }
    if !trees.is_empty() {
        plan.step(StashTrees { trees });
        let bytes: u64 = leaving.iter().map(|one| one.row.size).sum();
        plan.keeps = Some(plan.keeps.unwrap_or_default() + bytes);
        plan.inverse.parts.insert(0, InversePart::RestorePackages);
    }
    Ok(())
}

fn gears(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [one] => format!("the gear {one}"),
        many => format!("the gears {}", many.join(", ")),
    }
}
