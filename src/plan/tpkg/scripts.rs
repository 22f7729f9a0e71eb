//! The scripts of packages, as steps.

use super::Coming;
use crate::facts::tpkg::InstalledTpkg;
use crate::package::Package;
use crate::package::external::Action;
use crate::plan::install::in_library;
use crate::plan::{Plan, Refusal};
use crate::step::host_script::{HostScript, OnFailure};
use crate::sys::path::RelPath;

/// Adds a script of a package that comes, where it has one of that name.
pub(super) fn of_coming(
    plan: &mut Plan,
    one: &Coming<'_>,
    asked: (Action, &str),
) -> Result<(), Refusal> {
    let new = &one.arrival.new;
    add(plan, (&new.package, &in_library(&new.place)?, &one.places.base), asked);
    Ok(())
}

/// Adds a script of a package that goes, where it has one of that name.
pub(super) fn of_leaving(
    plan: &mut Plan,
    gone: &InstalledTpkg,
    asked: (Action, &str),
) -> Result<(), Refusal> {
    add(plan, (&gone.package, &in_library(&gone.place)?, &gone.home.base), asked);
    Ok(())
}

fn add(
    plan: &mut Plan,
    (package, tree, base): (&Package, &RelPath, &str),
    (action, script): (Action, &str),
) {
    let Some(tpkg) = &package.tpkg else { return };
    let has = match script {
        "preinstall" => tpkg.scripts.preinstall,
        "postinstall" => tpkg.scripts.postinstall,
        "preremove" => tpkg.scripts.preremove,
        _ => tpkg.scripts.postremove,
    };
    if !has {
        return;
    }
    let failure = if script.starts_with("pre") { OnFailure::Fail } else { OnFailure::Warn };
    plan.irreversible.push(format!("what `{script}` of `{}` does on the host", package.title()));
    plan.step(HostScript {
        package: package.title(),
        tree: tree.clone(),
        script: script.to_owned(),
        base: base.to_owned(),
        action,
        failure,
    });
}
