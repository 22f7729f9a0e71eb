//! The elements of a manifest, in their order of weight: who it is, which versions, what it does.

use super::{Reader, endpoints, managed, parts, versions};
use crate::format::Tree;
use crate::format::yaml::Node;
use crate::package::digest::Md5;
use crate::package::ident::{FormatName, IdentError, Name, ShortName, Vendor};
use crate::package::version::Version;
use crate::package::{Package, Software};
use serde_json::{Map, Value as Json};

/// The elements that become typed parts of a [`Package`].
const TYPED: [&str; 24] = [
    "Name",
    "Cartridge-Short-Name",
    "Cartridge-Version",
    "Cartridge-Vendor",
    "Compatible-Versions",
    "Version",
    "Versions",
    "Version-Overrides",
    "Source-Url",
    "Source-Md5",
    "Display-Name",
    "Description",
    "License",
    "Website",
    "Categories",
    "Provides",
    "Endpoints",
    "Install-Build-Required",
    "Additional-Control-Actions",
    "Configure-Order",
    "Vendor",
    "License-Url",
    "Architecture",
    "Platform",
];

/// The elements that are kept as they are, and shown.
const KEPT: [&str; 19] = [
    "Scaling",
    "Publishes",
    "Subscribes",
    "Components",
    "Connections",
    "Group-Overrides",
    "Requires",
    "Conflicts",
    "Suggests",
    "Native-Requires",
    "Cart-Data",
    "Metrics",
    "Help-Topics",
    "Obsolete",
    "Id",
    "Start-Order",
    "Reservations",
    "Namespace",
    "Externals",
];

/// Reads the whole manifest; nothing when a required element is unusable. What is wrong is said to
/// `reader`.
pub(super) fn package(
    manifest: &Node,
    tree: &dyn Tree,
    reader: &mut Reader<'_>,
) -> Option<Package> {
    note_unknown(manifest, reader);
    let name = name(manifest, reader);
    let short_name = short_name(manifest, reader);
    let vendor = vendor(manifest, reader);
    let version = if let Some(node) = manifest.get("Version") {
        versions::advise_quotes("Version", node, reader);
        versions::version(node, reader)
    } else {
        reader.missing("Version");
        None
    };
    let package_version = versions::package(manifest, reader);
    let compatible_versions = versions::compatible(manifest, reader);
    let managed = match managed::managed(tree, reader.notes) {
        Ok(managed) => managed,
        Err(error) => {
            reader.problem(manifest, error);
            return None;
        }
    };
    let parts = parts::parts(tree, reader.notes);
    let (name, short_name, vendor, version) = (name?, short_name?, vendor?, version?);
    let software = software(manifest, &version, reader);
    Some(Package {
        format: FormatName::Cartridge,
        vendor,
        name,
        short_name,
        package_version,
        compatible_versions,
        version,
        software,
        source_url: text(manifest, "Source-Url"),
        source_md5: md5(manifest, reader),
        managed,
        parts,
        extra: extra(manifest),
    })
}

/// Every software version with its overrides; problems of the base are told once.
fn software(manifest: &Node, default: &Version, reader: &mut Reader<'_>) -> Vec<Software> {
    let all = versions::software(manifest, default, reader);
    if let Some(overrides) = manifest.get("Version-Overrides") {
        for (key, node) in overrides.pairs() {
            if !all.iter().any(|version| version.as_str() == key) {
                let key = key.escape_debug();
                reader.warn(
                    node,
                    format!("`Version-Overrides` for `{key}`, which is no version of it"),
                );
            }
        }
    }
    let (said, problems) = (reader.notes.as_slice().len(), reader.problems.len());
    let mut software = Vec::new();
    for (index, version) in all.into_iter().enumerate() {
        let projected = versions::project(manifest, &version);
        let (mut notes, mut again) = (crate::package::note::Notes::default(), Vec::new());
        let mut own = Reader { file: reader.file, notes: &mut notes, problems: Vec::new() };
        software.push(one(&projected, version, &mut own));
        again.append(&mut own.problems);
        for note in notes.into_vec() {
            let known = reader.notes.as_slice().iter().skip(said).any(|old| *old == note);
            if index == 0 || !known {
                reader.notes.push(note);
            }
        }
        for problem in again {
            if !reader.problems.iter().skip(problems).any(|old| *old == problem) {
                reader.problems.push(problem);
            }
        }
    }
    software
}

fn one(manifest: &Node, version: Version, reader: &mut Reader<'_>) -> Software {
    let plain = |key: &str| text(manifest, key).unwrap_or_default();
    Software {
        version,
        display_name: plain("Display-Name"),
        description: plain("Description"),
        license: plain("License"),
        website: plain("Website"),
        categories: texts(manifest, "Categories"),
        provides: texts(manifest, "Provides"),
        endpoints: endpoints::endpoints(manifest, reader),
        install_build_required: plain("Install-Build-Required").trim() == "true",
        additional_control_actions: texts(manifest, "Additional-Control-Actions"),
        configure_order: texts(manifest, "Configure-Order"),
    }
}

/// `Name`; upper case is the guide's own and accepted, the folder is lower case.
fn name(manifest: &Node, reader: &mut Reader<'_>) -> Option<Name> {
    let node = required(manifest, "Name", reader)?;
    lowered(node, ("Name", Name::parse), reader)
}

/// `Cartridge-Vendor`; upper case and dots occur (`Jelastic`, `iron.io`) and become lower case and
/// `_`.
fn vendor(manifest: &Node, reader: &mut Reader<'_>) -> Option<Vendor> {
    let node = required(manifest, "Cartridge-Vendor", reader)?;
    lowered(node, ("Cartridge-Vendor", |text| Vendor::parse(&text.replace('.', "_"))), reader)
}

/// An element's name, and how its text is read.
type Named<T> = (&'static str, fn(&str) -> Result<T, IdentError>);

fn lowered<T: std::fmt::Display>(
    node: &Node,
    (element, parse): Named<T>,
    reader: &mut Reader<'_>,
) -> Option<T> {
    let given = node.text().unwrap_or_default().trim();
    match parse(&given.to_lowercase()) {
        Ok(value) => {
            if value.to_string() != given {
                reader.warn(node, format!("`{element}` should be written `{value}`"));
            }
            Some(value)
        }
        Err(error) => {
            reader.problem(node, format!("`{element}`: {error}"));
            None
        }
    }
}

fn short_name(manifest: &Node, reader: &mut Reader<'_>) -> Option<ShortName> {
    let node = required(manifest, "Cartridge-Short-Name", reader)?;
    match ShortName::parse(&node.text().unwrap_or_default().trim().to_uppercase()) {
        Ok(name) => Some(name),
        Err(error) => {
            reader.problem(node, format!("`Cartridge-Short-Name`: {error}"));
            None
        }
    }
}

fn required<'a>(manifest: &'a Node, element: &str, reader: &mut Reader<'_>) -> Option<&'a Node> {
    let node = manifest.get(element);
    if node.is_none() {
        reader.missing(element);
    }
    node
}

fn md5(manifest: &Node, reader: &mut Reader<'_>) -> Option<Md5> {
    let node = manifest.get("Source-Md5")?;
    match Md5::parse(node.text().unwrap_or_default().trim()) {
        Ok(md5) => Some(md5),
        Err(error) => {
            reader.problem(node, format!("`Source-Md5`: {error}"));
            None
        }
    }
}

fn text(manifest: &Node, key: &str) -> Option<String> {
    manifest.get(key).and_then(Node::text).map(str::to_owned)
}

fn texts(manifest: &Node, key: &str) -> Vec<String> {
    let items = manifest.get(key).map(Node::items).unwrap_or_default();
    items.into_iter().filter_map(Node::text).map(str::to_owned).collect()
}

fn note_unknown(manifest: &Node, reader: &mut Reader<'_>) {
    let known = || TYPED.iter().chain(&KEPT);
    for (key, node) in manifest.pairs() {
        if known().any(|name| name == key) {
            continue;
        }
        let shown = key.escape_debug();
        let near = known().find(|name| strsim::damerau_levenshtein(name, key) <= 2);
        let text = match near {
            Some(name) => format!("unknown element `{shown}`: did you mean `{name}`?"),
            None => format!("unknown element `{shown}`; it is kept, and means nothing here"),
        };
        reader.warn(node, text);
    }
}

/// Everything that has no typed place.
fn extra(manifest: &Node) -> Map<String, Json> {
    const SHOWN: [&str; 4] = ["Vendor", "License-Url", "Architecture", "Platform"];
    let untyped = manifest
        .pairs()
        .iter()
        .filter(|(key, _)| SHOWN.contains(&key.as_str()) || !TYPED.contains(&key.as_str()));
    untyped.map(|(key, node)| (key.clone(), node.json())).collect()
}
