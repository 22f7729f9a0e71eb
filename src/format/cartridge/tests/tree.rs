//! Trees, managed files, and manifests by themselves.

use super::{load_tree, manifest};
use crate::format::sample::Sample;
use crate::format::{ManifestError, source_of};
use crate::package::Template;
use serde_json::json;

#[test]
fn the_tree_must_be_that_of_a_cartridge() {
    let good = manifest("");
    let good = good.as_bytes();
    for (files, part) in [
        (vec![("README", &b"x"[..])], "`metadata/`, `bin/`, `metadata/manifest.yml` are missing"),
        (vec![("metadata/x", &b""[..]), ("bin/y", b"")], "`metadata/manifest.yml` is missing"),
        (vec![("metadata/manifest.yml", good)], "`bin/` is missing"),
        (vec![("metadata/manifest.yml -> /etc/passwd", good), ("bin/", b"")], "no regular file"),
    ] {
        let error = load_tree(&Sample::new(&files)).0.unwrap_err();
        assert!(matches!(error, ManifestError::Malformed { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let inner = Sample::new(&[("a/b/metadata/manifest.yml", good), ("a/b/bin/control", b"")]);
    let error = load_tree(&inner).0.unwrap_err();
    assert!(crate::error::Explain::hint(&error).unwrap().contains("`a/b/`"));
}

#[test]
fn the_parts_are_read_off_the_tree_and_what_is_missing_is_noted() {
    let text = manifest("");
    let (package, notes) =
        load_tree(&Sample::new(&[("metadata/manifest.yml", text.as_bytes()), ("bin/", b"")]));
    assert_eq!(package.unwrap().parts, crate::package::Parts::default());
    let files: Vec<&str> = notes.iter().filter_map(|note| note.split(' ').next()).collect();
    assert_eq!(files, ["bin/control", "bin/setup", "env"]);
    let more: &[(&str, &[u8])] = &[
        ("bin/install -> setup", b""),
        ("bin/post-install", b""),
        ("bin/teardown", b""),
        ("usr/template.git/HEAD", b""),
        ("usr/template/x", b""),
    ];
    let (package, notes) = load_tree(&Sample::cartridge(text.as_bytes(), more));
    let parts = package.unwrap().parts;
    assert!(parts.control && parts.setup && parts.install && parts.post_install && parts.teardown);
    assert!(parts.usr);
    assert_eq!(parts.template, Some(Template::UsrDirectory));
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn managed_files_are_read_in_both_spellings_and_never_cost_the_package() {
    let load = |managed: &str| {
        let more: &[(&str, &[u8])] = &[("metadata/managed_files.yml", managed.as_bytes())];
        let (package, notes) = load_tree(&Sample::cartridge(manifest("").as_bytes(), more));
        (package.unwrap(), notes)
    };
    let (package, notes) = load(
        "---
locked_files:
- env/
- ' ~/.foorc '
:locked_files:
- ~/../x
:setup_rewritten: [conf/*]
snapshot_exclusions:
restore_transforms:
- s|${OPENSHIFT_GEAR_NAME}/data|app-root/data|
process_templates:
- '**/*.erb'
processed_templates:
- conf/x.erb
dependency_dirs:
- phplib
- standalone/deployments: deployments
build_dependency_dirs: ~/.m2
",
    );
    let managed = package.managed;
    assert_eq!(managed.locked_files, ["env/", "~/.foorc", "~/../x"]);
    assert_eq!(managed.setup_rewritten, ["conf/*"]);
    assert_eq!(managed.snapshot_exclusions, Vec::<String>::new());
    assert_eq!(managed.restore_transforms, ["s|${OPENSHIFT_GEAR_NAME}/data|app-root/data|"]);
    assert_eq!(managed.processed_templates, ["conf/x.erb", "**/*.erb"]);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        managed.dependency_dirs,
        [pair("phplib", "phplib"), pair("standalone/deployments", "deployments")]
    );
    assert_eq!(managed.build_dependency_dirs, [pair("~/.m2", "~/.m2")]);
    assert_eq!(notes, Vec::<String>::new());

    let (package, notes) = load("processed_templates:\n- **/*.erb\nlocked_fils: [x]\n");
    assert_eq!(package.managed.processed_templates, ["**/*.erb"]);
    assert!(notes[0].contains("managed_files.yml:2 `**/*.erb` begins with `*`"), "{notes:?}");
    assert!(notes[1].contains("did you mean `locked_files`?"), "{notes:?}");
    assert_eq!(package.extra["managed_files.locked_fils"], json!(["x"]));

    for broken in ["a: [", "- x\n", "a: b: c\n"] {
        let (package, notes) = load(broken);
        assert_eq!(package.managed, crate::package::managed::Managed::default());
        assert!(notes[0].contains("no managed file is known"), "{notes:?}");
    }
    assert_eq!(load("").1, Vec::<String>::new());
}

#[test]
fn a_manifest_by_itself_leads_to_its_source() {
    let source = source_of(
        b"Name: Mock\nSource-Url: https://example.org/a.zip\n\
          Source-Md5: 835ED97B00A61F0DAE2E2B7A75C672DB\n",
    )
    .unwrap();
    assert_eq!(source.url, "https://example.org/a.zip");
    assert_eq!(source.name.as_deref(), Some("mock"));
    assert_eq!(source.md5.unwrap().to_string(), "835ed97b00a61f0dae2e2b7a75c672db");
    for url in
        ["git://example.org/a.git", "git@example.org:a/b.git", "file:///x", "git+ssh://a/b#c"]
    {
        let manifest = format!("Source-Url: {url}\n");
        assert_eq!(source_of(manifest.as_bytes()).unwrap().url, url);
    }
    for (text, part) in [
        ("Name: x\n", "`Source-Url` is a required element"),
        ("Source-Url: ''\n", "`Source-Url` is a required element"),
        ("Source-Url: Bad Url\n", "is not valid"),
        ("Source-Url: -o@x:y\n", "is not valid"),
        ("", "is no manifest"),
        ("<html>\n", "is no manifest"),
        ("a: [", "is no valid YAML"),
    ] {
        let error = source_of(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
