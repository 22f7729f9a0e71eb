//! The manifest as a whole (UBOS specification, 1.1).

use super::{fields, points, role};
use crate::format::externals;
use crate::format::json::Node;
use crate::format::reading::Reading;
use crate::package::ubos::name::PackageName;
use crate::package::ubos::role::{Role, RoleName};
use crate::package::ubos::{Accessory, Info, Kind, Manifest};
use std::collections::BTreeMap;

const KNOWN: &[&str] = &[
    "type",
    "roles",
    "customizationpoints",
    "accessoryinfo",
    "info",
    "requirestls",
    "allowswildcardhostname",
    "externals",
];

/// Reads the object that a manifest is; nothing when it has a fault.
pub(super) fn manifest(root: &Node, reading: &mut Reading) -> Option<Manifest> {
    for pair in root.pairs()?.iter().filter(|pair| !KNOWN.contains(&pair.key.as_str())) {
        reading.keep(&pair.key, pair.value.to_json());
    }
    fields::unknown(root, &[KNOWN], "the manifest", reading);
    let kind = kind(root, reading);
    let roles = roles(root, kind.as_ref(), reading);
    let points = points::points(root, reading);
    let info = info(root, reading);
    let requires_tls = fields::truth(root, "requirestls", reading).unwrap_or(false);
    let allows_wildcard = fields::truth(root, "allowswildcardhostname", reading).unwrap_or(true);
    let externals = root.get("externals").map(Node::to_yaml);
    let externals = externals.map(|list| externals::externals("externals", &list, reading));
    let extra = reading.take_kept();
    Some(Manifest {
        kind: kind?,
        roles,
        points,
        info,
        requires_tls,
        allows_wildcard,
        externals: externals.unwrap_or_default(),
        extra,
    })
}

fn kind(root: &Node, reading: &mut Reading) -> Option<Kind> {
    let word = fields::needed(root, "type", reading)?;
    let place = root.get("type")?.place;
    let info = root.get("accessoryinfo");
    match word {
        "app" => {
            if let Some(info) = info {
                let text = "an app has no `accessoryinfo`: remove it, or write `\"type\" : \
                            \"accessory\"`";
                reading.fault(info.place, text);
            }
            Some(Kind::App)
        }
        "accessory" => {
            let Some(info) = info else {
                let text = "an accessory needs `accessoryinfo`: add it with the `appid` of its app";
                reading.fault(place, text);
                return None;
            };
            accessory(info, reading).map(Kind::Accessory)
        }
        other => {
            let text = format!("`type` is `{}`: write `app` or `accessory`", fields::shown(other));
            reading.fault(place, text);
            None
        }
    }
}

fn accessory(node: &Node, reading: &mut Reading) -> Option<Accessory> {
    const KNOWN: &[&str] = &["appid", "appids", "accessoryid", "accessorytype", "requires"];
    if node.pairs().is_none() {
        let text = format!("`accessoryinfo` is {}: write an object", node.kind());
        reading.fault(node.place, text);
        return None;
    }
    fields::unknown(node, &[KNOWN], "`accessoryinfo`", reading);
    let mut apps = fields::names(node, "appids", PackageName::parse, reading);
    if let Some(app) = fields::parsed(node, "appid", PackageName::parse, reading)
        && !apps.contains(&app)
    {
        apps.insert(0, app);
    }
    if node.get("appid").is_none() && apps.is_empty() {
        let text = "`accessoryinfo` names no app: add `appid`, or `appids` with at least one";
        reading.fault(node.place, text);
    }
    let items = fields::list(node, "requires", reading);
    for (at, item) in items.iter().enumerate() {
        if item.text().is_some() && items.iter().take(at).any(|one| one.text() == item.text()) {
            reading.fault(item.place, "stands in `requires` twice: keep one of them");
        }
    }
    Some(Accessory {
        apps,
        id: fields::text(node, "accessoryid", reading).map(str::to_owned),
        kind: fields::text(node, "accessorytype", reading).map(str::to_owned),
        requires: fields::names(node, "requires", PackageName::parse, reading),
    })
}

fn roles(root: &Node, kind: Option<&Kind>, reading: &mut Reading) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    let mut buckets = BTreeMap::new();
    for pair in fields::object(root, "roles", reading) {
        let Some(name) = RoleName::named(&pair.key) else {
            let text = format!(
                "`{}` is no role, so nothing is done there: write `mysql`, `postgresql`, \
                 `generic`, `tomcat8` or `apache2`",
                fields::shown(&pair.key)
            );
            reading.warn(pair.place, text);
            continue;
        };
        // Repeated keys: the last one counts.
        roles.retain(|role| role.name != name);
        let found = role::role(name, &pair.value, kind, reading);
        role::buckets(name, &pair.value, &mut buckets, reading);
        roles.extend(found);
    }
    roles.sort_by_key(|role| role.name);
    roles
}

fn info(root: &Node, reading: &mut Reading) -> BTreeMap<String, Info> {
    let mut all = BTreeMap::new();
    for pair in fields::object(root, "info", reading) {
        fields::unknown(&pair.value, &[&["name", "tagline"]], "`info`", reading);
        let name = fields::text(&pair.value, "name", reading).map(str::to_owned);
        let tagline = fields::text(&pair.value, "tagline", reading).map(str::to_owned);
        all.insert(pair.key.clone(), Info { name, tagline });
    }
    all
}
