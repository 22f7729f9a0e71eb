//! Installers, upgraders and uninstallers of a role (UBOS specification, 1.2 and 1.3).

use super::{fields, items};
use crate::format::json::Node;
use crate::format::reading::Reading;
use crate::package::ubos::item::{Run, Task, TaskPhase};
use crate::package::ubos::role::RoleName;

const KNOWN: &[&str] =
    &["type", "name", "source", "template", "templatelang", "delimiter", "phase"];

/// Reads the list `key` of the role in `node`.
pub(super) fn tasks(role: RoleName, key: &str, node: &Node, reading: &mut Reading) -> Vec<Task> {
    let items = fields::list(node, key, reading);
    items.iter().filter_map(|item| task(role, key, item, reading)).collect()
}

fn task(role: RoleName, key: &str, node: &Node, reading: &mut Reading) -> Option<Task> {
    let allowed: &[&str] = match role {
        RoleName::Mysql | RoleName::Postgresql | RoleName::Sqlite => {
            &["perlscript", "sqlscript", "exec"]
        }
        // The original lets every type stand here, and runs the scripts among them.
        RoleName::Generic => items::allowed(role),
        RoleName::Tomcat8 | RoleName::Apache2 => &["perlscript", "exec"],
    };
    let word = items::word(key, allowed, role, node, reading)?;
    fields::unknown(node, &[KNOWN], &format!("an item of `{key}`"), reading);
    let run = match word {
        "sqlscript" => Run::Sql(items::sql(node, reading)?),
        "perlscript" | "exec" => Run::Script(items::script(word, node, reading)?),
        other => {
            let text = format!(
                "`{other}` in `{key}` has no effect: move it to `appconfigitems`, or write \
                 `perlscript` or `exec`"
            );
            reading.warn(node.place, text);
            return None;
        }
    };
    Some(Task { run, phase: phase(node, reading) })
}

fn phase(node: &Node, reading: &mut Reading) -> TaskPhase {
    match fields::text(node, "phase", reading) {
        None => TaskPhase::Deployed,
        Some("resume") => TaskPhase::Resumed,
        Some(other) => {
            let place = node.get("phase").map_or(node.place, |phase| phase.place);
            let text = format!("`phase` is `{}`: write `resume`", fields::shown(other));
            reading.fault(place, text);
            TaskPhase::Deployed
        }
    }
}
