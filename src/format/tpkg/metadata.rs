//! The metadata as a whole: `tpkg.yml`, or `tpkg.xml` made like it (specification, 1.2).

use super::cx::{Cx, Purpose, shown};
use super::file_name::{self, Parts};
use super::listed::{self, Files};
use crate::format::cartridge::fields;
use crate::format::externals;
use crate::format::yaml::Node;
use crate::package::external::External;
use crate::package::ident::Name;
use crate::package::tpkg::{Requirement, RequirementKind};
use crate::package::version::Version;

const TOP: &[&str] = &[
    "name",
    "version",
    "package_version",
    "maintainer",
    "description",
    "bugreporting",
    "tpkg_version",
    "schema_file",
    "filename",
    "operatingsystem",
    "architecture",
    "dependencies",
    "conflicts",
    "externals",
    "files",
];
const REQUIREMENT: &[&str] = &[
    "name",
    "minimum_version",
    "maximum_version",
    "minimum_package_version",
    "maximum_package_version",
    "allowed_versions",
    "native",
    "type",
];
/// The most dependencies, and the most conflicts, of one package.
const MOST: usize = 10_000;

/// What the metadata say.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) name: Name,
    pub(super) version: Version,
    pub(super) package_version: Option<Version>,
    pub(super) maintainer: String,
    pub(super) description: String,
    pub(super) bug_reporting: Option<String>,
    pub(super) built_by: Option<String>,
    pub(super) operating_systems: Vec<String>,
    pub(super) architectures: Vec<String>,
    pub(super) dependencies: Vec<Requirement>,
    pub(super) conflicts: Vec<Requirement>,
    pub(super) externals: Vec<External>,
    pub(super) files: Files,
}

/// Reads `root`; nothing where a fault was left in the reading.
pub(super) fn read(root: &Node, cx: &mut Cx<'_, '_>) -> Option<Metadata> {
    if root.pairs().is_none() {
        let text = format!("is {}: write the package's elements", root.kind());
        cx.fault(root.place, text);
        return None;
    }
    fields::unknown(root, &[TOP], "", cx.reading);
    cx.decimal_perms = root.get("filename").is_some();
    let name = name(root, cx);
    let version = version(root, cx);
    // An empty one is none, as for the original.
    let packaging = root.get("package_version").filter(|node| node.text() != Some(""));
    let package_version = packaging.and_then(|node| version_of(node, "package_version", cx));
    let demand = matches!(cx.purpose, Purpose::Build(_));
    let metadata = Metadata {
        maintainer: described(root, "maintainer", demand, cx),
        description: described(root, "description", demand, cx),
        bug_reporting: cx.text(root, "bugreporting"),
        built_by: cx.text(root, "tpkg_version"),
        operating_systems: cx.list(root, "operatingsystem"),
        architectures: cx.list(root, "architecture"),
        dependencies: requirements(root, "dependencies", cx),
        conflicts: requirements(root, "conflicts", cx),
        externals: root
            .get("externals")
            .map(|node| externals::externals("externals", node, cx.reading))
            .unwrap_or_default(),
        files: listed::read(root.get("files"), cx),
        name: name?,
        version: version?,
        package_version,
    };
    if metadata.file_name().len() > file_name::LONGEST {
        cx.fault(root.place, "name, version, systems and hardware make too long a name of a file");
    }
    Some(metadata)
}

impl Metadata {
    /// The name of the package's file.
    pub(super) fn file_name(&self) -> String {
        let stem = file_name::stem(&Parts {
            name: self.name.as_str(),
            version: self.version.as_str(),
            package_version: self.package_version.as_ref().map(Version::as_str),
            operating_systems: &self.operating_systems,
            architectures: &self.architectures,
        });
        format!("{stem}.tpkg")
    }
}

fn name(root: &Node, cx: &mut Cx<'_, '_>) -> Option<Name> {
    let Some(text) = cx.text(root, "name") else {
        cx.fault(root.place, "`name` is a required element: add `name: …`");
        return None;
    };
    let place = root.get("name").map_or(root.place, |node| node.place);
    Name::of_tpkg(&text).map_err(|error| cx.fault(place, error.to_string())).ok()
}

fn version(root: &Node, cx: &mut Cx<'_, '_>) -> Option<Version> {
    match root.get("version") {
        Some(node) if node.text().is_none_or(|text| !text.trim().is_empty()) => {
            version_of(node, "version", cx)
        }
        _ => {
            cx.fault(root.place, "`version` is a required element: add `version: …`");
            None
        }
    }
}

fn version_of(node: &Node, key: &str, cx: &mut Cx<'_, '_>) -> Option<Version> {
    let Some(text) = cx.scalar(node, key) else {
        let text = format!("`{key}` is {}: write a version", node.kind());
        cx.fault(node.place, text);
        return None;
    };
    let version = match Version::parse(&text) {
        Ok(version) => version,
        Err(error) => {
            cx.fault(node.place, format!("`{key}`: {error}"));
            return None;
        }
    };
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        let text = format!("`{key}` `{}` does not begin with a digit", shown(&text));
        match cx.purpose {
            Purpose::Install => cx.reading.warn(node.place, text),
            Purpose::Build(_) => cx.fault(node.place, format!("{text}, as tpkg demands")),
        }
    }
    Some(version)
}

/// A text that whoever builds a package has to give, and that older packages lack.
fn described(root: &Node, key: &str, demand: bool, cx: &mut Cx<'_, '_>) -> String {
    let text = cx.text(root, key);
    if text.is_none() && demand {
        cx.fault(root.place, format!("`{key}` is a required element: add `{key}: …`"));
    }
    text.unwrap_or_default()
}

fn requirements(root: &Node, key: &str, cx: &mut Cx<'_, '_>) -> Vec<Requirement> {
    let items = cx.mappings(root, key);
    if items.len() > MOST {
        cx.fault(root.place, format!("`{key}` has more than {MOST} items"));
        return Vec::new();
    }
    items.into_iter().filter_map(|item| requirement(item, key, cx)).collect()
}

fn requirement(item: &Node, key: &str, cx: &mut Cx<'_, '_>) -> Option<Requirement> {
    fields::unknown(item, &[REQUIREMENT], &format!("{key}."), cx.reading);
    let Some(name) = cx.text(item, "name") else {
        cx.fault(item.place, format!("an item of `{key}` has no `name`: add `name: …`"));
        return None;
    };
    // The name goes to the commands of the host's own system, and into messages.
    if let Err(error) = Name::of_tpkg(&name) {
        cx.fault(item.place, error.to_string());
        return None;
    }
    Some(Requirement {
        name,
        kind: kind(item, cx),
        minimum_version: cx.text(item, "minimum_version"),
        maximum_version: cx.text(item, "maximum_version"),
        minimum_package_version: cx.text(item, "minimum_package_version"),
        maximum_package_version: cx.text(item, "maximum_package_version"),
        allowed_versions: cx.text(item, "allowed_versions"),
    })
}

/// `type: native`, also as a symbol of Ruby, or else `native: true`.
fn kind(item: &Node, cx: &mut Cx<'_, '_>) -> RequirementKind {
    if let Some(node) = item.get("type") {
        match node.text().map(|text| text.trim_start_matches(':')) {
            Some("native") => return RequirementKind::Native,
            Some("tpkg") => return RequirementKind::Tpkg,
            _ => cx.fault(node.place, "`type` is neither `native` nor `tpkg`"),
        }
    }
    match item.get("native").map(|node| (node, node.truth())) {
        Some((_, Some(true))) => RequirementKind::Native,
        Some((node, None)) => {
            cx.fault(node.place, "`native` is neither `true` nor `false`");
            RequirementKind::Tpkg
        }
        _ => RequirementKind::Tpkg,
    }
}
