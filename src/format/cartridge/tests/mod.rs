//! What the reader of cartridges promises (node specification, 14; survey of real cartridges, 2).

mod endpoints;
mod manifest;
mod tree;

use crate::format::sample::Sample;
use crate::format::{ManifestError, read, source_of};
use crate::package::Package;
use crate::package::endpoint::Endpoint;
use crate::package::note::{Level, Notes};
use crate::package::version::Version;
use proptest::prelude::*;

/// What every manifest of these tests begins with, unless it says otherwise.
const HEAD: &str = "Name: mock\nCartridge-Short-Name: MOCK\nCartridge-Vendor: acme\n\
                    Cartridge-Version: '0.0.1'\nCompatible-Versions: []\nVersion: '0.1'\n";

/// The manifest `HEAD` with the lines of `changes` in the place of those with the same key.
fn manifest(changes: &str) -> String {
    let key = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let given: Vec<String> =
        changes.lines().filter(|line| !line.starts_with([' ', '-'])).map(key).collect();
    let kept = HEAD.lines().filter(|line| !given.contains(&key(line)));
    kept.flat_map(|line| [line, "\n"]).collect::<String>() + changes
}

fn load(text: &str) -> (Result<Package, ManifestError>, Vec<String>) {
    load_tree(&Sample::cartridge(text.as_bytes(), &[]))
}

fn load_tree(tree: &Sample) -> (Result<Package, ManifestError>, Vec<String>) {
    let mut notes = Notes::default();
    let package = read(tree, &mut notes);
    let notes = notes.into_vec().into_iter();
    let warnings = notes.filter(|note| note.level > Level::Advice).map(|note| {
        let line = note.line.map_or_else(String::new, |line| format!(":{line}"));
        format!("{}{line} {}", note.file, note.text)
    });
    (package, warnings.collect())
}

/// Loads a manifest that must be fine, and its warnings.
fn fine(text: &str) -> (Package, Vec<String>) {
    let (package, notes) = load(text);
    (package.unwrap_or_else(|error| panic!("{error}\n{text}")), notes)
}

fn fails(text: &str) -> String {
    load(text).0.expect_err(text).to_string()
}

/// The names of all variables of the default version's endpoints.
fn variables(package: &Package) -> Vec<String> {
    let names = |endpoint: &Endpoint| {
        let found = endpoint.variables(&package.short_name).unwrap();
        let given = [Some(found.ip), Some(found.port), found.websocket_port, found.public_port];
        given.into_iter().flatten().map(|name| name.to_string()).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = package.default_software().endpoints.iter().flat_map(names).collect();
    all.dedup();
    all
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

/// Manifests of real elements with odd values.
fn odd_manifest() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "Name",
        "Version",
        "Versions",
        "Version-Overrides",
        "Endpoints",
        "Cartridge-Vendor",
        "Cartridge-Short-Name",
        "Cartridge-Version",
        "Source-Url",
        "Categories",
        "Nam",
        "0.1",
    ]);
    let value = prop::sample::select(vec![
        " x",
        " '0.1'",
        " 5.10",
        "",
        " [1, 2]",
        " {a: b}",
        " [[a]]",
        " **",
        " [{Private-Port: 1}]",
        " [{Private-IP-Name: A, Private-Port-Name: 5, Public-Port-Name: P}]",
        " \u{e9}",
        " ~",
        "\n  0.1:\n    Endpoints: 1",
        " [{Private-Port: 1, Mappings: [{Frontend: a}, {Backend: b}]}]",
    ]);
    prop::collection::vec((key, value), 0..12)
        .prop_map(|pairs| pairs.iter().flat_map(|(key, value)| [*key, ":", *value, "\n"]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_manifest_makes_the_reader_panic(text in odd_manifest(), managed in odd_manifest()) {
        let more: &[(&str, &[u8])] = &[("metadata/managed_files.yml", managed.as_bytes())];
        let (package, _) = load_tree(&Sample::cartridge(text.as_bytes(), more));
        if let Ok(package) = package {
            prop_assert!(package.software(&package.version).is_some());
            let stored = serde_json::to_string(&package).unwrap();
            prop_assert_eq!(serde_json::from_str::<Package>(&stored).unwrap(), package);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = load_tree(&Sample::cartridge(&bytes, &[("metadata/managed_files.yml", &bytes)]));
        let _ = source_of(&bytes);
    }
}
