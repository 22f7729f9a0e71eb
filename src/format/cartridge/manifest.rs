//! `metadata/manifest.yml` as a whole (node specification, 1.1).

use super::elements;
use super::endpoint;
use super::fields::{self, Fields};
use super::names::{self, Names};
use super::overrides;
use super::source;
use super::versions::{self, Versions};
use crate::format::externals;
use crate::format::reading::Reading;
use crate::format::yaml::{Node, Value};
use crate::package::ident::FormatName;
use crate::package::managed::Managed;
use crate::package::version::Version;
use crate::package::{Package, Parts, Software};
use serde_json::{Map, Value as Json};

/// Reads the manifest `root`; nothing where a fault was left in `reading`. The tree's own facts
/// (`managed`, `parts`) are still to be filled in.
pub(super) fn package(root: &Node, reading: &mut Reading) -> Option<Package> {
    if root.pairs().is_none() {
        let text = format!("a manifest is a mapping of elements, not {}", root.kind());
        reading.fault(root.place, text);
        return None;
    }
    let known = [elements::PACKAGE, elements::SOFTWARE, elements::INFORMATION];
    fields::unknown(root, &known, "", reading);
    let fields = Fields::of(root);
    let versions = versions::software(&fields, reading);
    let names = names::read(&fields, reading);
    let package_version = versions::packaging(&fields, reading);
    let compatible_versions = versions::compatible(&fields, reading);
    let source_url = source::url(&fields, reading);
    let source_md5 = source::md5(&fields, reading);
    let externals = fields.get("Externals");
    let externals = externals.map(|node| externals::externals("Externals", node, reading));
    let externals = externals.unwrap_or_default();
    let (Some(versions), Some(names)) = (versions, names) else {
        // There is no version to read them for; what is wrong in them is said all the same.
        endpoint::endpoints(&fields, reading);
        return None;
    };
    let software = every_version(&fields, &versions, &names, reading);
    let mut extra = information(&fields);
    extra.append(&mut reading.take_kept());
    Some(Package {
        format: FormatName::Cartridge,
        vendor: names.vendor,
        name: names.name,
        short_name: names.short_name,
        package_version,
        compatible_versions,
        version: versions.default,
        software,
        source_url,
        source_md5,
        externals,
        managed: Managed::default(),
        parts: Parts::default(),
        tpkg: None,
        ubos: None,
        extra,
    })
}

/// Each software version, with its overrides over the manifest.
fn every_version(
    fields: &Fields,
    versions: &Versions,
    names: &Names,
    reading: &mut Reading,
) -> Vec<Software> {
    let overrides = overrides::read(fields, versions, reading);
    let mut all = Vec::with_capacity(versions.all.len());
    for version in versions.all.iter().cloned() {
        let (over, extra) = match overrides.of(&version) {
            Some(node) => (fields.with(node), overrides::extra(node)),
            None => (*fields, Map::new()),
        };
        all.push(Software { extra, ..software(&over, version, names, reading) });
    }
    all
}

/// What `fields` say of the software version `version`.
fn software(fields: &Fields, version: Version, names: &Names, reading: &mut Reading) -> Software {
    let endpoints = endpoint::endpoints(fields, reading);
    endpoint::check_variables(&endpoints, &names.short_name, fields, reading);
    let text = |key: &str, reading: &mut Reading| fields::text(fields, key, reading);
    Software {
        version,
        display_name: text("Display-Name", reading).unwrap_or_else(|| names.name.to_string()),
        description: text("Description", reading).unwrap_or_default(),
        license: text("License", reading).unwrap_or_default(),
        website: text("Website", reading).unwrap_or_default(),
        categories: fields::texts(fields, "Categories", reading),
        provides: fields::texts(fields, "Provides", reading),
        endpoints,
        install_build_required: fields::flag(fields, "Install-Build-Required", reading),
        additional_control_actions: fields::texts(fields, "Additional-Control-Actions", reading),
        configure_order: configure_order(fields, reading),
        extra: Map::new(),
    }
}

/// Reads `Configure-Order`, whose items may be lists of alternatives.
fn configure_order(fields: &Fields, reading: &mut Reading) -> Vec<Vec<String>> {
    let key = "Configure-Order";
    let Some(Value::Sequence(items)) = fields.get(key).map(|node| &node.value) else {
        let single = fields::texts(fields, key, reading).into_iter();
        return single.map(|name| vec![name]).collect();
    };
    let places = items.iter().map(|item| fields::texts_of(item, key, reading));
    places.filter(|alternatives| !alternatives.is_empty()).collect()
}

/// The elements that no field holds, as JSON; empty sections are absent.
fn information(fields: &Fields) -> Map<String, Json> {
    let element = |key: &&str| fields.get(key).map(|node| ((*key).to_owned(), node.to_json()));
    elements::INFORMATION.iter().filter_map(element).collect()
}
