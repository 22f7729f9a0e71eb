//! `cart lint` on good, bad and broken trees: what it says, its status, and that nothing remains.

use crate::support::Host;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const GOOD: &[(&str, &str)] = &[
    (
        "metadata/manifest.yml",
        "Name: good\nCartridge-Short-Name: GOOD\nCartridge-Vendor: acme\n\
         Cartridge-Version: '1.0.0'\nCompatible-Versions: []\nVersion: '1.0'\n\
         Categories: [service]\n",
    ),
    ("bin/control", "#!/bin/bash\nexit 0\n"),
    ("bin/setup", "#!/bin/bash\nexit 0\n"),
    ("env/OPENSHIFT_GOOD_LOG_DIR.erb", "<%= ENV['OPENSHIFT_HOMEDIR'] + \"good/log/\" %>\n"),
];

const BAD: &[(&str, &str)] = &[
    (
        "metadata/manifest.yml",
        "Name: Bad\nCartridge-Short-Name: BAD\nCartridge-Vendor: redhat\n\
         Cartridge-Version: '1.0.0'\nCompatible-Versions: []\nVersion: 5.10\n\
         Categories: [service]\nSuscribes:\n",
    ),
    ("metadata/managed_files.yml", "locked_files:\n- ~/.ssh/x\nprocessed_templates:\n- conf/*\n"),
    ("bin/control", "echo start\r\n"),
    ("bin/setup", "#!/usr/bin/python3\nprint(1)\n"),
    ("env/OPENSHIFT_BAD_LOG_DIR", "/log"),
    ("env/URL.erb", "<% ENV['X'] %>"),
    ("conf/bad.conf.erb", "a\n<%= `id` %>\n"),
];

/// Makes a directory of `files` below the root; what lies in `bin/` is executable.
fn write(host: &Host, files: &[(&str, &str)]) -> String {
    let folder = host.root().join("package");
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let mode = if path.parent().unwrap().ends_with("bin") { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }
    folder.display().to_string()
}

/// Makes a tree on a host and gives its path.
type Make<'a> = &'a dyn Fn(&Host) -> String;

/// Asserts that nothing was recorded and nothing is left in staging.
fn is_clean(host: &Host) {
    let tree = host.tree();
    assert!(!tree.contains("cart.db"), "{tree}");
    let state = host.root().join("var/lib/cartwright");
    let names = |folder: &Path| std::fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!(names(&state.join("staging")), 0, "{tree}");
    assert_eq!(names(&state.join("library")), 0, "{tree}");
}

#[test]
fn a_good_cartridge_has_nothing_to_remark() {
    let host = Host::new();
    let folder = write(&host, GOOD);
    let ran = host.cart(&["lint", &folder, "-q"]);
    ran.is(0, "", "");
    let json = host.cart(&["lint", &folder, "--json"]).json();
    assert_eq!(json["notes"], serde_json::json!([]));
    is_clean(&host);
}

#[test]
fn a_bad_cartridge_is_told_everything_by_file_and_line() {
    let host = Host::new();
    let folder = write(&host, BAD);
    host.cart(&["lint", &folder, "-q"]).is(0, include_str!("lint.expected"), "");
    let json = host.cart(&["lint", &folder, "--json"]).json();
    let notes = json["notes"].as_array().unwrap();
    assert_eq!(notes.len(), include_str!("lint.expected").lines().count());
    for note in notes {
        let level = note["level"].as_str().unwrap();
        assert!(matches!(level, "advice" | "warning"), "{note}");
        assert!(note["file"].is_string() && note["text"].is_string(), "{note}");
    }
    is_clean(&host);
}

#[test]
fn what_cannot_be_installed_is_an_error_with_its_place_and_status_1() {
    let (manifest, rest) = GOOD.split_first().unwrap();
    let with = |text: &'static str| {
        let text = [manifest.1, text].concat();
        move |host: &Host| write(host, &[&[(manifest.0, text.as_str())], rest].concat())
    };
    let without = |prefix: &'static str| {
        move |host: &Host| {
            let files = GOOD.iter().copied().filter(|(path, _)| !path.starts_with(prefix));
            write(host, &files.collect::<Vec<_>>())
        }
    };
    let cases: [(Make, &str); 6] = [
        (&with("Endpoints: yes\n"), "metadata/manifest.yml:8:12: error: `Endpoints` is not valid"),
        (&with("x: [\n"), "metadata/manifest.yml:"),
        (&with("Source-Url: Bad Url\n"), "metadata/manifest.yml:8:13: error: `Source-Url`"),
        (&without("metadata/"), "error: "),
        (&without("bin/"), "error: "),
        (&|host: &Host| write(host, &[("README", "no cartridge\n")]), "error: "),
    ];
    for (make, expected) in cases {
        let host = Host::new();
        let folder = make(&host);
        let ran = host.cart(&["lint", &folder, "-q"]);
        assert_eq!(ran.status, 1, "{ran}");
        let error = ran.stdout.lines().find(|line| line.contains("error: "));
        assert!(error.is_some_and(|line| line.contains(expected)), "{expected}: {ran}");
        let json = host.cart(&["lint", &folder, "--json"]);
        assert_eq!(json.status, 1, "{json}");
        let json = json.json();
        let levels = json["notes"].as_array().unwrap().iter().map(|note| note["level"].as_str());
        assert_eq!(levels.filter(|level| *level == Some("error")).count(), 1, "{json}");
        is_clean(&host);
        let refused = host.cart(&["install", &folder, "-y"]);
        assert!(refused.status == 1 && refused.stdout.is_empty(), "{refused}");
        assert_eq!(host.cart(&["list", "--json"]).json()["packages"], serde_json::json!([]));
    }
}

#[test]
fn a_source_that_is_not_there_is_a_failure_and_no_note() {
    let host = Host::new();
    let ran = host.cart(&["lint", "./nowhere"]);
    assert!(ran.status != 0 && ran.status != 1 && ran.stdout.is_empty(), "{ran}");
    is_clean(&host);
}

#[test]
fn a_ubos_app_is_checked_and_not_installed() {
    let manifest = r#"# relaxed
{ "type" : "app", "roles" : { "apache2" : { "defaultcontext" : "/a", "appconfigitems" : [
    { "type" : "file", "name" : "x", "template" : "tmpl/x", "templatelang" : "varsubst" },
] } }, }
"#;
    let write_with = |template: &str, manifest: &str| {
        let host = Host::new();
        let files = [("ubos-manifest.json", manifest), ("tmpl/x", template)];
        let folder = write(&host, &files);
        (host, folder)
    };
    let (host, folder) = write_with("a\n${appconfig.contextt}\n", manifest);
    let ran = host.cart(&["lint", &folder, "-q"]);
    let said = "tmpl/x:2:1: warning: cannot be rendered at any site: line 2, column 1: \
                `${appconfig.contextt}` is not known here\n";
    ran.is(0, said, "");
    is_clean(&host);
    let installed = host.cart(&["install", &folder, "-y"]);
    assert!(installed.status == 0, "{installed}");
    let (host, folder) = write_with("${site.hostname}", &manifest.replace("\"/a\"", "\"/A\""));
    let ran = host.cart(&["lint", &folder, "-q"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.starts_with("ubos-manifest.json:2:64: error: `defaultcontext`"), "{ran}");
}
