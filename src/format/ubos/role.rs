//! What a package does at one role (UBOS specification, 1.2).

use super::{fields, items, tasks, wellknown};
use crate::format::json::Node;
use crate::format::place::Place;
use crate::format::reading::Reading;
use crate::package::ubos::Kind;
use crate::package::ubos::name::{Context, HostName};
use crate::package::ubos::role::{AppContext, Role, RoleName};
use std::collections::BTreeMap;

const EVERYWHERE: &[&str] = &["appconfigitems", "installers", "upgraders", "uninstallers"];
const WEB: &[&str] = &["defaultcontext", "fixedcontext"];
const APACHE: &[&str] = &["apache2modules", "phpmodules", "wellknown"];

/// Reads what `node` says about the role `name`.
pub(super) fn role(
    name: RoleName,
    node: &Node,
    kind: Option<&Kind>,
    reading: &mut Reading,
) -> Option<Role> {
    if node.pairs().is_none() {
        let text = format!("`{}` is {}: write an object", name.as_str(), node.kind());
        reading.fault(node.place, text);
        return None;
    }
    let mut known = vec![EVERYWHERE];
    known.extend(name.is_web().then_some(WEB));
    known.extend((name == RoleName::Apache2).then_some(APACHE));
    // Forbidden, not unknown.
    known.push(&["depends"]);
    fields::unknown(node, &known, &format!("role `{}`", name.as_str()), reading);
    let mut role = Role::new(name);
    role.items = items::items(name, node, reading);
    role.installers = tasks::tasks(name, "installers", node, reading);
    role.upgraders = tasks::tasks(name, "upgraders", node, reading);
    role.uninstallers = tasks::tasks(name, "uninstallers", node, reading);
    if let Some(depends) = node.get("depends").filter(|_| name.is_database()) {
        let text = format!(
            "role `{}` cannot have `depends`: move it to `generic` or `apache2`",
            name.as_str()
        );
        reading.fault(depends.place, text);
    } else {
        role.depends = fields::names(node, "depends", HostName::parse, reading);
    }
    if name.is_web() {
        role.context = context(name, node, kind, reading);
    }
    if name == RoleName::Apache2 {
        role.apache_modules = fields::names(node, "apache2modules", HostName::parse, reading);
        role.php_modules = fields::names(node, "phpmodules", HostName::parse, reading);
        role.well_known = wellknown::all(node, reading);
    }
    Some(role)
}

fn context(
    name: RoleName,
    node: &Node,
    kind: Option<&Kind>,
    reading: &mut Reading,
) -> Option<AppContext> {
    let given = WEB.iter().find_map(|key| node.get(key));
    match (kind, given) {
        (Some(Kind::Accessory(_)), Some(given)) => {
            let text = "an accessory lies where its app lies: remove `defaultcontext` and \
                        `fixedcontext`";
            reading.fault(given.place, text);
            return None;
        }
        (Some(Kind::App), None) => {
            let text = format!(
                "role `{}` does not say where the app lies: add `defaultcontext` or `fixedcontext`",
                name.as_str()
            );
            reading.fault(node.place, text);
            return None;
        }
        _ => {}
    }
    if let Some(fixed) = node.get("fixedcontext").filter(|_| node.get("defaultcontext").is_some()) {
        let text = "`defaultcontext` and `fixedcontext` exclude each other: keep one of them";
        reading.fault(fixed.place, text);
    }
    let default = fields::parsed(node, "defaultcontext", Context::in_manifest, reading);
    let fixed = fields::parsed(node, "fixedcontext", Context::in_manifest, reading);
    default.map(AppContext::Default).or_else(|| fixed.map(AppContext::Fixed))
}

/// Says which retention buckets of the manifest have the same name: in a backup one would overwrite
/// the other. `seen` holds those of the roles before.
pub(super) fn buckets<'a>(
    name: RoleName,
    node: &'a Node,
    seen: &mut BTreeMap<&'a str, (RoleName, Place)>,
    reading: &mut Reading,
) {
    let items = node.get("appconfigitems").and_then(Node::items).unwrap_or_default();
    for bucket in items.iter().filter_map(|item| item.get("retentionbucket")) {
        let Some(text) = bucket.text() else { continue };
        match seen.get(text) {
            Some((role, place)) => {
                let text = format!(
                    "retention bucket `{}` is that of the item at line {} in role `{}` too: \
                     rename one of them",
                    fields::shown(text),
                    place.line,
                    role.as_str()
                );
                reading.fault(bucket.place, text);
            }
            None => {
                seen.insert(text, (name, bucket.place));
            }
        }
    }
}
