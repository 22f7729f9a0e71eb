//! Who needs whom: what comes must find what it needs, and what stays must keep it.

use super::{TpkgAsk, tpkg_of};
use crate::error::Exit;
use crate::facts::tpkg::{Candidate, WayBack};
use crate::package::tpkg::{Requirement, RequirementKind, requirement};
use crate::plan::Refusal;

/// Refuses what would leave somebody without what they need, or beside what they cannot bear.
pub(super) fn check(ask: &TpkgAsk<'_>) -> Result<(), Refusal> {
    let gone: Vec<i64> = ask
        .leaving
        .iter()
        .chain(ask.coming.iter().flat_map(|one| &one.replaces))
        .map(|one| one.row.id)
        .collect();
    let mut after: Vec<Candidate> = ask.facts.needs.installed.clone();
    after.retain(|one| one.id.is_none_or(|id| !gone.contains(&id)));
    for one in &ask.coming {
        let package = &one.arrival.new.package;
        after.push(Candidate {
            id: None,
            name: package.name.to_string(),
            kind: RequirementKind::Tpkg,
            version: package.version.to_string(),
            package_version: tpkg_of(one)?.package_version.as_ref().map(ToString::to_string),
        });
    }
    for one in &ask.coming {
        let (tpkg, title) = (tpkg_of(one)?, one.arrival.new.package.title());
        refuse_host(ask, &title, tpkg)?;
        for need in &tpkg.dependencies {
            if !after.iter().any(|candidate| candidate.meets(need)) {
                return Err(lacking(&title, need, &after));
            }
        }
        for clash in &tpkg.conflicts {
            let own = package_name(one);
            if let Some(other) = after.iter().find(|other| other.name != own && other.meets(clash))
            {
                return Err(clashing(&title, other));
            }
        }
    }
    for (id, title, need) in &ask.facts.needs.dependents {
        let stays = !gone.contains(id);
        let was = ask.facts.needs.installed.iter().any(|candidate| candidate.meets(need));
        if stays && was && !after.iter().any(|candidate| candidate.meets(need)) {
            let text = format!("`{title}`, which is installed, needs {need}");
            return Err(Refusal::new(Exit::Conflict, text)
                .hint("`--rd` removes what needs it, too; or upgrade both together"));
        }
    }
    let fresh: Vec<&Candidate> = after.iter().filter(|one| one.id.is_none()).collect();
    for (id, title, clash) in &ask.facts.needs.clashes {
        let mut others = fresh.iter().filter(|one| one.kind == RequirementKind::Tpkg);
        if !gone.contains(id)
            && let Some(other) = others.find(|one| one.meets(clash))
        {
            return Err(clashing(title, other));
        }
    }
    Ok(())
}

/// Refuses a way back that would leave somebody without what they need.
pub(super) fn check_back(way: &WayBack) -> Result<(), Refusal> {
    let gone: Vec<i64> = way.facts.leaving.iter().map(|one| one.row.id).collect();
    let before = &way.facts.needs.installed;
    let mut after: Vec<Candidate> = before.clone();
    after.retain(|one| one.id.is_none_or(|id| !gone.contains(&id)));
    after.extend(way.back.iter().map(|one| Candidate::of_row(&one.row)));
    for one in &way.back {
        let Some(tpkg) = &one.package.tpkg else { continue };
        let lacks = tpkg.dependencies.iter().find(|need| !after.iter().any(|it| it.meets(need)));
        if let Some(need) = lacks {
            return Err(lacking(&one.package.title(), need, &after));
        }
        let clashes = |other: &&Candidate| tpkg.conflicts.iter().any(|clash| other.meets(clash));
        let others = after.iter().filter(|other| other.name != one.row.name);
        if let Some(other) = others.into_iter().find(clashes) {
            return Err(clashing(&one.package.title(), other));
        }
    }
    for (id, title, need) in &way.facts.needs.dependents {
        let was = before.iter().any(|candidate| candidate.meets(need));
        if !gone.contains(id) && was && !after.iter().any(|candidate| candidate.meets(need)) {
            let text = format!("`{title}`, which is installed, needs {need}");
            return Err(Refusal::new(Exit::Conflict, text).hint("remove it first"));
        }
    }
    Ok(())
}

fn package_name(one: &super::Coming<'_>) -> String {
    one.arrival.new.package.name.to_string()
}

fn refuse_host(
    ask: &TpkgAsk<'_>,
    title: &str,
    tpkg: &crate::package::tpkg::Tpkg,
) -> Result<(), Refusal> {
    for (wanted, actual, what) in [
        (&tpkg.operating_systems, &ask.facts.host.system, "system"),
        (&tpkg.architectures, &ask.facts.host.hardware, "hardware"),
    ] {
        if !requirement::runs_on(wanted, actual) {
            let wanted = wanted.join(", ").escape_debug().to_string();
            let text = format!("`{title}` is for the {what} {wanted}, and this is {actual}");
            return Err(Refusal::new(Exit::Conflict, text));
        }
    }
    Ok(())
}

fn lacking(title: &str, need: &Requirement, after: &[Candidate]) -> Refusal {
    let there = after.iter().find(|one| one.name == need.name && one.kind == need.kind);
    let there = match there {
        Some(one) => format!("; there is {}", version(one)),
        None => String::new(),
    };
    let refusal = Refusal::new(Exit::Conflict, format!("`{title}` needs {need}{there}"));
    match need.kind {
        RequirementKind::Native => refusal.hint("install it with the system's package manager"),
        RequirementKind::Tpkg => refusal.hint("name it, too, or a `--source` that has it"),
    }
}

fn clashing(title: &str, other: &Candidate) -> Refusal {
    let text = format!("`{title}` cannot be installed beside `{}` {}", other.name, version(other));
    Refusal::new(Exit::Conflict, text)
        .hint("remove one of them first; `--force-replace` removes what is installed")
}

fn version(one: &Candidate) -> String {
    match &one.package_version {
        Some(packaging) => format!("{}-{packaging}", one.version),
        None => one.version.clone(),
    }
}
