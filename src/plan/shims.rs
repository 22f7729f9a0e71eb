//! The commands that cartridges call by absolute paths, as links of the host.

use super::{Plan, Refusal, Resource};
use crate::db::{HostLink, InversePart};
use crate::error::Exit;
use crate::facts::shims::{Found, Shim};
use crate::step::host_links::HostLinks;

/// Plans links to `program` at every place where nothing of anybody else's stands.
pub fn install(shims: &[Shim], program: &str) -> Result<Plan, Refusal> {
    if shims.is_empty() {
        return Err(Refusal::new(Exit::NotFound, "there is no `usr/bin` to put the commands into")
            .hint("below `--root` it has to be there already"));
    }
    let mut plan = Plan::new("install the commands that cartridges call by absolute paths");
    let mut links = Vec::new();
    for shim in shims {
        let was = match &shim.found {
            Found::Nothing => None,
            Found::Ours(target) if target == program => continue,
            Found::Ours(target) => Some(target.clone()),
            Found::Foreign => {
                let path = &shim.path;
                plan.warnings.push(format!("`/{path}` is another program's, and stays"));
                continue;
            }
        };
        links.push(HostLink { path: shim.path.clone(), was, becomes: Some(program.to_owned()) });
    }
    add(&mut plan, links);
    Ok(plan)
}

/// Plans the removal of every link of ours.
pub fn remove(shims: &[Shim]) -> Plan {
    let mut plan = Plan::new("remove the commands that cartridges call by absolute paths");
    let ours = shims.iter().filter_map(|shim| match &shim.found {
        Found::Ours(target) => {
            Some(HostLink { path: shim.path.clone(), was: Some(target.clone()), becomes: None })
        }
        Found::Nothing | Found::Foreign => None,
    });
    add(&mut plan, ours.collect());
    plan
}

/// Adds what changes `links`, and its inverse.
pub(super) fn add(plan: &mut Plan, links: Vec<HostLink>) {
    if links.is_empty() {
        return;
    }
    let turned = |link: &HostLink| HostLink {
        path: link.path.clone(),
        was: link.becomes.clone(),
        becomes: link.was.clone(),
    };
    let back = links.iter().map(turned).collect();
    plan.inverse.parts.insert(0, InversePart::HostLinks { links: back });
    plan.resources.insert(Resource::HostLinks);
    plan.step(HostLinks { links });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::path::RelPath;

    fn shim(name: &str, found: Found) -> Shim {
        Shim { path: RelPath::parse(&format!("usr/bin/{name}")).unwrap(), found }
    }

    #[test]
    fn strangers_stay_and_a_second_time_there_is_nothing_to_do() {
        let ours = |target: &str| Found::Ours(target.into());
        let shims = [
            shim("gear", Found::Nothing),
            shim("scl", ours("/old/cart")),
            shim("facter", Found::Foreign),
        ];
        let plan = install(&shims, "/usr/bin/cart").unwrap();
        assert_eq!(plan.descriptions(), ["link gear, scl"]);
        assert_eq!(plan.warnings, ["`/usr/bin/facter` is another program's, and stays"]);
        assert_eq!(plan.inverse.parts.len(), 1);
        let done = [shim("gear", ours("/usr/bin/cart")), shim("facter", Found::Foreign)];
        assert!(install(&done, "/usr/bin/cart").unwrap().is_empty());
        assert_eq!(remove(&done).descriptions(), ["remove the links gear"]);
        assert!(remove(&[shim("facter", Found::Foreign)]).is_empty());
        assert!(install(&[], "/usr/bin/cart").is_err());
    }
}
