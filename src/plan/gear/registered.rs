//! What a web proxy is told of the gears of a scaled application.

use super::configure::Wanted;
use super::rolling::refuse_child;
use super::scene::proxy_of;
use crate::db::GearRole;
use crate::error::Exit;
use crate::facts::{Gear, MemberFacts};
use crate::gear::endpoints;
use crate::gear::registry::{Entry, Registry};
use crate::package::Package;
use crate::package::endpoint::Endpoint;
use crate::package::version::Version;
use crate::plan::{Plan, Refusal};
use crate::step::update_cluster::UpdateCluster;
use std::net::Ipv4Addr;

/// The most gears that one application has.
const MOST: usize = 100;

/// How many gears an application made of these cartridges may have.
pub fn scalable(wanted: &[Wanted]) -> Result<(usize, usize), Refusal> {
    let find = |category: &str| wanted.iter().find(|one| one.software().is(category));
    let (Some(framework), Some(_)) = (find("web_framework"), find("web_proxy")) else {
        let text = "a scaled application is made of a web framework and a web proxy";
        return Err(Refusal::new(Exit::Conflict, text).hint(
            "name a cartridge with `web_framework`, and one with `web_proxy`, among its Categories",
        ));
    };
    if wanted.iter().filter(|one| is_proxy(one)).count() > 1 {
        let text = "a scaled application has one web proxy, not several";
        return Err(Refusal::new(Exit::Conflict, text).hint("name one of them"));
    }
    let (least, most) = framework.package.scaling(framework.software());
    Ok((least.min(MOST), most.unwrap_or(MOST).min(MOST)))
}

fn is_proxy(one: &Wanted) -> bool {
    one.software().is("web_proxy")
}

/// Refuses another gear of the scaled application `app` that has a web proxy: `others` are its gears.
pub(super) fn refuse_proxy_apart(
    (app, others): (&str, &[Gear]),
    wanted: &[Wanted],
) -> Result<(), Refusal> {
    let is_scaled = others.iter().any(|one| one.row.role.is_some());
    if !(is_scaled && wanted.iter().any(is_proxy)) {
        return Ok(());
    }
    let text = format!("the web proxy of the scaled application `{app}` is in its first gear");
    Err(Refusal::new(Exit::Conflict, text).hint(format!(
        "leave `--app` out, or the proxy; `cart gear scale {app} N` makes more gears"
    )))
}

/// Whether each gear of the application has this cartridge, not the head alone: the framework and what
/// extends it, no services, and nothing that says there is one of it.
pub(super) fn is_replicated(one: &Wanted) -> bool {
    let software = one.software();
    let is_of_the_head = ["web_proxy", "service", "ci_builder"].iter().any(|is| software.is(is));
    let (_, most) = one.package.scaling(software);
    software.is("web_framework") || !(is_of_the_head || most == Some(1))
}

/// Refuses to change one of several gears that have to be alike, and to take the proxy away.
pub(super) fn refuse_uneven(facts: &MemberFacts, changing: &[Wanted]) -> Result<(), Refusal> {
    let gear = &facts.gear;
    refuse_child(gear)?;
    let app = &gear.row.app;
    let is_scaled = facts.application.iter().any(|one| one.row.role == Some(GearRole::Head));
    if is_scaled && changing.iter().any(is_proxy) {
        let text = format!("the scaled application `{app}` has one web proxy, and needs it");
        return Err(Refusal::new(Exit::Conflict, text)
            .hint("another proxy makes another application: `cart gear create NAME … --scale`"));
    }
    if gear.row.role != Some(GearRole::Head) {
        return Ok(());
    }
    let has_children = facts.application.iter().any(|one| one.row.role == Some(GearRole::Web));
    match changing.iter().find(|one| has_children && is_replicated(one)) {
        None => Ok(()),
        Some(one) => {
            let name = &one.package.name;
            let text = format!("the gears of the application `{app}` would differ in `{name}`");
            Err(Refusal::new(Exit::Conflict, text)
                .hint(format!("scale it down to one first: `cart gear scale {app} 1`")))
        }
    }
}

/// Where a gear serves its application: the endpoint of its framework that is shown at the top, else
/// the first.
pub(super) fn served_at(gear: &Gear) -> Option<(Ipv4Addr, u16)> {
    let mut pairs = gear.identity.cartridges.iter().zip(&gear.packages);
    let (primary, package) = pairs.find(|(cartridge, _)| cartridge.is_primary)?;
    let endpoint = endpoint_of(package, &primary.software)?;
    let name = endpoints::variable(primary.short_name.as_str(), &endpoint.port_name);
    let row = gear.endpoints.iter().find(|row| row.dir == primary.dir && row.name == name)?;
    Some((row.address.parse().ok()?, row.port))
}

fn endpoint_of<'a>(package: &'a Package, version: &Version) -> Option<&'a Endpoint> {
    let software = package.software(version).unwrap_or_else(|| package.default_software());
    let is_top = |one: &&Endpoint| {
        one.mappings.iter().any(|mapping| ["", "/"].contains(&mapping.frontend.as_str()))
    };
    software.endpoints.iter().find(is_top).or_else(|| software.endpoints.first())
}

/// Adds what tells the proxy of `head` of these gears, the head among them.
pub(super) fn add_update(plan: &mut Plan, (head, gears): (&Gear, &[&Gear])) -> Result<(), Refusal> {
    let Some(proxy) = proxy_of(head) else {
        let text = format!("the gear `{}` has no web proxy", head.identity.name);
        return Err(Refusal::new(Exit::Conflict, text));
    };
    let mut becomes = Registry::default();
    for gear in gears {
        becomes.web.insert(gear.row.uuid.clone(), entry(gear)?);
    }
    let own = Entry { proxy_port: 0, ..entry(head)? };
    becomes.proxy.insert(head.row.uuid.clone(), own);
    plan.step(UpdateCluster { gear: head.identity.clone(), dir: proxy.dir.clone(), becomes });
    Ok(())
}

fn entry(gear: &Gear) -> Result<Entry, Refusal> {
    let Some((address, port)) = served_at(gear) else {
        let text = format!("the web framework of `{}` has no endpoint", gear.identity.name);
        return Err(Refusal::new(Exit::Conflict, text)
            .hint("a scaled application is reached through `Endpoints` of its framework"));
    };
    let dns = gear.row.dns.clone().unwrap_or_default();
    // A host name is `NAME-NAMESPACE.DOMAIN`, the name of a child being its identifier.
    let label = dns.split('.').next().unwrap_or_default();
    let namespace = [gear.row.uuid.as_str(), &gear.row.name]
        .iter()
        .find_map(|name| label.strip_prefix(name)?.strip_prefix('-'));
    Ok(Entry {
        namespace: namespace.unwrap_or_default().to_owned(),
        dns,
        proxy_hostname: address,
        proxy_port: port,
        platform: "linux".into(),
    })
}
