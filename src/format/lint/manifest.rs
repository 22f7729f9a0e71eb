//! Advice about what a manifest says (node specification, 1.1; survey of real cartridges, 2 and 6).

use super::{about, files_in, shown};
use crate::format::Tree;
use crate::package::note::{Level, Note};
use crate::package::{Package, Software};
use serde_json::Value as Json;

const FILE: &str = "metadata/manifest.yml";
/// What the original's broker wants at least one of.
const CATEGORIES: &[&str] =
    &["web_framework", "plugin", "service", "embedded", "web_proxy", "ci_builder", "external"];
/// How the name of an archive ends; every other source is git or a directory.
const ARCHIVES: &[&str] = &[".zip", ".tar", ".tar.gz", ".tgz"];

/// Looks at the manifest of `package`.
pub(super) fn advice(package: &Package, tree: &dyn Tree) -> Vec<Note> {
    let mut notes: Vec<Note> = package.software.iter().flat_map(about_software).collect();
    let mut say = |level, text: String| notes.push(about(level, FILE, text));
    if package.vendor.as_str() == "redhat" {
        let text = "the vendor `redhat` is the original platform's own: choose another one";
        say(Level::Advice, text.into());
    }
    let path = package.source_url.as_deref().map(|url| url.split(['?', '#']).next().unwrap_or(url));
    let archive = path.is_some_and(|path| ARCHIVES.iter().any(|ending| path.ends_with(ending)));
    if archive && package.source_md5.is_none() {
        let text = "`Source-Url` is an archive without `Source-Md5`: nothing tells damage";
        say(Level::Advice, text.into());
    }
    if package.extra.contains_key("Metrics") && tree.table().get("bin/metrics").is_none() {
        say(Level::Warning, "`Metrics` needs a script `bin/metrics`: add it".into());
    }
    for hook in required(package) {
        let text = format!(
            "`Subscribes` requires `{}`: a gear where no cartridge publishes it gets a warning",
            shown(&hook)
        );
        say(Level::Advice, text);
    }
    notes.extend(hooks(package, tree));
    notes
}

/// Looks at what is true for one software version.
fn about_software(software: &Software) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut say = |level, text: String| notes.push(about(level, FILE, text));
    if !software.categories.iter().any(|own| CATEGORIES.contains(&own.as_str())) {
        let known = CATEGORIES.join("`, `");
        say(Level::Advice, format!("`Categories` has none of `{known}`: name one"));
    }
    if software.is("web_framework") && software.is("external") {
        let text = "`Categories` has both `web_framework` and `external`: keep one of them";
        say(Level::Warning, text.into());
    }
    let other = |action: &&String| *action != "threaddump";
    for action in software.additional_control_actions.iter().filter(other) {
        let text = format!(
            "`Additional-Control-Actions` has `{}`, which nothing calls: only `threaddump` is known",
            shown(action)
        );
        say(Level::Advice, text);
    }
    notes
}

/// The entries of `section` in the package, its components and its overrides.
fn connectors<'a>(package: &'a Package, section: &str) -> Vec<(&'a String, &'a Json)> {
    let overrides = package.software.iter().map(|software| &software.extra);
    let mut places = vec![];
    for extra in overrides.chain([&package.extra]) {
        places.push(extra);
        if let Some(Json::Object(components)) = extra.get("Components") {
            places.extend(components.values().filter_map(Json::as_object));
        }
    }
    let sections = places.into_iter().filter_map(|place| place.get(section)?.as_object());
    sections.flatten().collect()
}

fn required(package: &Package) -> Vec<String> {
    let needed = |connector: &Json| connector.get("Required") == Some(&Json::Bool(true));
    let all = connectors(package, "Subscribes").into_iter();
    all.filter(|(_, connector)| needed(connector)).map(|(name, _)| name.clone()).collect()
}

/// A hook that no event leads to is never run.
fn hooks(package: &Package, tree: &dyn Tree) -> Vec<Note> {
    let mut known = connectors(package, "Publishes");
    known.extend(connectors(package, "Subscribes"));
    files_in(tree, "hooks")
        .filter(|(_, name)| !known.iter().any(|(own, _)| own == name))
        .map(|(entry, _)| {
            let text = "has no entry under `Publishes` or `Subscribes`, so it is never run";
            about(Level::Advice, entry.path.as_str(), text)
        })
        .collect()
}
