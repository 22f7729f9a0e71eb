//! The apps of a site file (UBOS specification, 2.1).

use super::fields;
use super::site::{Fill, identifier};
use crate::format::json::Node;
use crate::format::reading::Reading;
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::name::{AppConfigId, Context, PackageName, PointName};
use crate::package::ubos::site::AppConfig;
use std::collections::BTreeMap;

const KNOWN: &[&str] =
    &["appconfigid", "context", "isdefault", "appid", "accessoryids", "customizationpoints"];

type Points = BTreeMap<PackageName, BTreeMap<PointName, Chosen>>;

/// Reads `appconfigs` of the site in `node`.
pub(super) fn apps(node: &Node, fill: Fill<'_>, reading: &mut Reading) -> Vec<AppConfig> {
    let items = fields::list(node, "appconfigs", reading);
    items.iter().filter_map(|item| app(item, fill, reading)).collect()
}

fn app(node: &Node, fill: Fill<'_>, reading: &mut Reading) -> Option<AppConfig> {
    if node.pairs().is_none() {
        let text = format!("an item of `appconfigs` is {}: write an object", node.kind());
        reading.fault(node.place, text);
        return None;
    }
    fields::unknown(node, &[KNOWN], "an item of `appconfigs`", reading);
    let id = identifier(node, ("appconfigid", 'a', fill), reading);
    let id = id.and_then(|(id, place)| {
        AppConfigId::parse(&id).map_err(|error| reading.fault(place, error.to_string())).ok()
    });
    let context = fields::parsed(node, "context", Context::in_site, reading);
    let is_default = fields::truth(node, "isdefault", reading).unwrap_or(false);
    let app = fields::needed_as(node, "appid", PackageName::parse, reading);
    let accessories = fields::names(node, "accessoryids", PackageName::parse, reading);
    let points = points(node, reading);
    Some(AppConfig { id: id?, context, is_default, app: app?, accessories, points })
}

fn points(node: &Node, reading: &mut Reading) -> Points {
    let mut all = Points::new();
    for pair in fields::object(node, "customizationpoints", reading) {
        let Ok(package) = PackageName::parse(&pair.key) else {
            let text = format!("`{}` is no name of a package", fields::shown(&pair.key));
            reading.fault(pair.place, text);
            continue;
        };
        let Some(pairs) = pair.value.pairs() else {
            let text = format!("`{package}` is {}: write an object", pair.value.kind());
            reading.fault(pair.value.place, text);
            continue;
        };
        let mut own = BTreeMap::new();
        for point in pairs {
            let name = PointName::parse(&point.key).map_err(|error| error.to_string());
            let name = name.map_err(|error| reading.fault(point.place, error)).ok();
            let chosen = Chosen::from_json(&point.value.to_json());
            let say = |error: &str| {
                let text = format!("`{}` {error}", fields::shown(&point.key));
                reading.fault(point.value.place, text);
            };
            own.extend(name.zip(chosen.map_err(say).ok()));
        }
        all.insert(package, own);
    }
    all
}
