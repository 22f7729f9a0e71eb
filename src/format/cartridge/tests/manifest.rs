//! Elements, versions and overrides.

use super::super::{elements, managed};
use super::{fails, fine, load_tree, manifest, version};
use crate::format::sample::Sample;
use serde_json::json;

#[test]
fn elements_that_cannot_be_accepted_are_named_with_place_and_remedy() {
    let long = "x".repeat(33);
    for (change, place, part) in [
        ("Name: ''\n", "6:7:", "`Name` is a required element"),
        ("Name: [a, b]\n", "6:7:", "`Name` is a required element"),
        ("Name: 0a-\n", "6:7:", "name `0a-` is not valid"),
        ("Name: git\n", "6:7:", "name `git` is reserved"),
        ("Name: ../etc\n", "6:7:", "not valid"),
        (&format!("Name: {long}\n"), "6:7:", "not valid"),
        ("Cartridge-Vendor: 0a_\n", "6:19:", "vendor `0a_` is not valid"),
        ("Cartridge-Vendor: iron.io\n", "6:19:", "vendor `iron.io` is not valid"),
        (&format!("Cartridge-Vendor: {long}\n"), "6:19:", "not valid"),
        ("Cartridge-Vendor:\n", "1:1:", "`Cartridge-Vendor` is a required element"),
        ("Cartridge-Short-Name: A-B\n", "6:23:", "short name `A-B` is not valid"),
        ("Version:\n", "1:1:", "`Version` is a required element"),
        ("Version: '{GHC}'\n", "6:10:", "version `{GHC}` is not valid"),
        ("Versions: [../1]\n", "7:12:", "`Versions`"),
        ("Source-Url: Bad Url\n", "7:13:", "`Source-Url` `Bad Url` is not valid"),
        ("Source-Url: x.zip\n", "7:13:", "not valid"),
        ("Source-Md5: none\n", "7:13:", "32 hexadecimal digits"),
        ("Endpoints: yes\n", "7:12:", "`Endpoints` is not valid"),
    ] {
        let said = fails(&manifest(change));
        let place = format!("metadata/manifest.yml:{place}");
        assert!(said.starts_with(&place) && said.contains(part), "{change}: {said}");
    }
    assert!(fails("- a\n").contains("a manifest is a mapping of elements, not a list"));
    assert!(fails("").contains("is empty"));
}

#[test]
fn an_override_replaces_whole_elements_of_its_version_alone() {
    let text = manifest(
        "Version: 5.10
Versions: [5.3, '5.4', 5.10]
Display-Name: Base
Categories: [service, web_framework]
Group-Overrides:
- components: [mock-0.1, web_proxy]
Endpoints:
- {Private-IP-Name: IP, Private-Port-Name: PORT, Private-Port: 80}
Version-Overrides:
  5.3:
    Display-Name: Three
    Versions: ['9']
    Group-Overrides:
    - components: [mock-0.2]
    Endpoints:
    - {Private-IP-Name: IP3, Private-Port-Name: PORT3, Private-Port: 83}
  '5.4':
    Categories:
    Scaling: {Min: 2}
  5.1:
    Display-Name: Lost
",
    );
    let (package, notes) = fine(&text);
    let versions: Vec<&str> = package.software.iter().map(|s| s.version.as_str()).collect();
    assert_eq!(versions, ["5.3", "5.4", "5.10"]);
    assert_eq!(package.version, version("5.10"));
    let [three, four, ten] = package.software.as_slice() else { panic!() };
    assert_eq!((three.display_name.as_str(), three.endpoints[0].port), ("Three", 83));
    assert_eq!(three.endpoints.len(), 1);
    assert_eq!(three.extra["Group-Overrides"], json!([{"components": ["mock-0.2"]}]));
    assert_eq!((four.display_name.as_str(), four.endpoints[0].port), ("Base", 80));
    assert_eq!(four.categories, Vec::<String>::new(), "an empty element replaces as well");
    assert_eq!(four.extra["Scaling"], json!({"Min": 2}));
    assert_eq!((ten.display_name.as_str(), ten.endpoints[0].port), ("Base", 80));
    assert_eq!(ten.categories, ["service", "web_framework"]);
    assert!(ten.extra.is_empty());
    assert_eq!(
        package.extra["Group-Overrides"],
        json!([{"components": ["mock-0.1", "web_proxy"]}])
    );
    assert_eq!(package.extra["Version-Overrides.5.1"], json!({"Display-Name": "Lost"}));
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains(":17 `Versions` has no effect"), "{notes:?}");
    assert!(notes[1].contains(":25 the override for `5.1` has no effect"), "{notes:?}");
}

#[test]
fn without_overrides_every_version_is_the_same() {
    let (package, notes) = fine(&manifest("Versions: ['0.1', '0.2']\nDisplay-Name: M\n"));
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!(package.software.len(), 2);
    assert!(package.software.iter().all(|software| software.display_name == "M"));
}

#[test]
fn the_software_versions_are_the_list_and_the_default() {
    for (text, versions, warnings) in [
        ("Version: '7'\nVersions: ['5', '6', '5']\n", vec!["5", "6", "7"], 1),
        ("Version: 1.10\n", vec!["1.10"], 0),
        ("Version: 1.10\nVersions:\n", vec!["1.10"], 0),
        ("Version: '1'\nVersions: '1'\n", vec!["1"], 1),
        ("Version: ['1']\n", vec!["1"], 1),
    ] {
        let (package, notes) = fine(&manifest(text));
        let found: Vec<_> = package.software.iter().map(|s| s.version.as_str()).collect();
        assert_eq!(found, versions, "{text}");
        assert_eq!(notes.len(), warnings, "{text}: {notes:?}");
    }
}

#[test]
fn a_release_that_makes_no_sense_is_0_0_0() {
    for (text, release, warnings) in [
        ("Cartridge-Version: 1.0\n", "1.0", 0),
        ("Cartridge-Version: 1\n", "1", 0),
        ("Cartridge-Version: '1.'\n", "1.", 0),
        ("Cartridge-Version: 1..2\n", "1..2", 0),
        ("Cartridge-Version: ['1.0.2']\n", "1.0.2", 1),
        ("Cartridge-Version: 1.0-beta\n", "0.0.0", 1),
        ("Cartridge-Version: ../..\n", "0.0.0", 1),
        ("Cartridge-Version:\n", "0.0.0", 1),
    ] {
        let (package, notes) = fine(&manifest(text));
        assert_eq!(package.package_version.as_str(), release, "{text}");
        assert_eq!(notes.len(), warnings, "{text}: {notes:?}");
    }
    let (package, notes) = fine(&manifest("Compatible-Versions: ['1.0', x, 2]\n"));
    assert_eq!(package.compatible_versions, [version("1.0"), version("0.0.0"), version("2")]);
    assert_eq!(notes.len(), 1);
}

#[test]
fn what_real_manifests_do_costs_a_warning_and_nothing_else() {
    for (text, warning) in [
        ("Publishes:\nSuggests:\nEndpoints:\nCart-Data:\nWebsite:\n", ""),
        ("Requires: python\n", ""),
        ("Provides: mock\nConfigure-Order: web\n", ""),
        ("Categories: mock\n", "`Categories` is a text; `mock` is taken as its only item"),
        ("Categories:\n  -postgresql\n", "`postgresql` is taken as its only item: put a space"),
        ("Suscribes:\n  a: {Type: b}\n", "did you mean `Subscribes`?"),
        ("Getting Started Guide: x\n", "`Getting Started Guide` is no known element and has no"),
        ("publish-generic-java:\n  Type: x\n", "no known element"),
        ("display-name: x\n", "did you mean `Display-Name`?"),
        ("License-Url: a\nLicense-Url: b\n", ":8 `License-Url` stands here again"),
        ("Website: [a, b]\n", "`Website` is a list and left out"),
        ("Install-Build-Required: perhaps\n", "neither `true` nor `false`"),
        ("Cartridge-Vendor: Jelastic\n", "taken as `jelastic`"),
        ("Cartridge-Vendor: Red Hat\n", "taken as `redhat`"),
        ("Version-Overrides: [a]\n", "`Version-Overrides` is a list and left out"),
        ("Endpoints:\n- Public-Port-Name: X\n", "has no private address and port"),
        (
            "Endpoints:\n  Private-IP-Name: A\n  Private-Port-Name: B\n  Private-Port: 1\n",
            "put `-`",
        ),
        (
            "Endpoints:\n- {Private-IP-Name: A, Private-Port-Name: B, Private-Port: 1, PROXY_PORT: 2}\n",
            "`PROXY_PORT` is no known element",
        ),
        (
            "Endpoints:\n- {Private-IP-Name: A, Private-Port-Name: B, Private-Port: 1}\n\
             - {Private-IP-Name: A, Private-Port-Name: B, Private-Port: 2}\n",
            "`OPENSHIFT_MOCK_B` stands for two things, port 1 and port 2",
        ),
    ] {
        let (_, notes) = fine(&manifest(text));
        let notes = notes.join("\n");
        assert!(
            notes.contains(warning) && notes.is_empty() == warning.is_empty(),
            "{text}: {notes}"
        );
    }
}

#[test]
fn the_places_of_a_configure_order_may_have_alternatives() {
    for (text, expected) in [
        ("Configure-Order: web_proxy\n", vec![vec!["web_proxy"]]),
        ("Configure-Order: [mysql, php]\n", vec![vec!["mysql"], vec!["php"]]),
        (
            "Configure-Order:\n- - mysql\n  - mariadb\n- php\n",
            vec![vec!["mysql", "mariadb"], vec!["php"]],
        ),
    ] {
        let (package, notes) = fine(&manifest(text));
        assert_eq!(package.software[0].configure_order, expected);
        assert_eq!(notes, Vec::<String>::new());
    }
}

#[test]
fn what_no_field_holds_is_kept() {
    let (package, _) = fine(&manifest(
        "Suscribes: {a: {Type: b}}\nScaling: {Min: 3}\nRequires: python\n\
         Endpoints:\n- {Private-IP-Name: A, Private-Port-Name: B, Private-Port: 1, PROXY_PORT: 2}\n",
    ));
    assert_eq!(
        json!(package.extra),
        json!({
            "Scaling": {"Min": 3},
            "Requires": "python",
            "Suscribes": {"a": {"Type": "b"}},
            "Endpoints[0].PROXY_PORT": 2,
        })
    );
}

#[test]
fn the_manual_page_names_every_element_and_its_example_loads() {
    let page = include_str!("../../../../man/cart-manifest.5").replace("\\-", "-");
    let lists = [
        elements::PACKAGE,
        elements::SOFTWARE,
        elements::INFORMATION,
        elements::ENDPOINT,
        elements::MAPPING,
        managed::KEYS,
    ];
    for element in lists.into_iter().flatten() {
        assert!(page.contains(element), "cart-manifest(5) lacks `{element}`");
    }
    let example = page.split(".SH EXAMPLE\n.nf\n").nth(1).unwrap().split(".fi").next().unwrap();
    let tree = Sample::cartridge(example.as_bytes(), &[]);
    let (package, notes) = load_tree(&tree);
    assert_eq!(package.unwrap().title(), "example-hello-1.0");
    assert_eq!(notes, Vec::<String>::new());
    let advice = crate::format::lint(&tree).into_vec().into_iter();
    let advice: Vec<_> = advice.filter(|note| note.file.starts_with("metadata")).collect();
    assert_eq!(advice, []);
}
