use super::lint;
use crate::format::sample::Sample;
use crate::package::note::{Level, Note};

const MANIFEST: &[u8] = b"Name: mock\nCartridge-Short-Name: MOCK\nCartridge-Vendor: acme
Cartridge-Version: '0.0.1'\nCompatible-Versions: []\nVersion: '0.1'
Categories: [service]\nPublishes:\n  publish-x: {Type: a}\n";

/// The notes of the sample cartridge with `more` files, each as `level file:line text`.
fn notes(manifest: &[u8], more: &[(&str, &[u8])]) -> Vec<String> {
    let shown = |note: &Note| {
        let line = note.line.map_or_else(String::new, |line| format!(":{line}"));
        format!("{:?} {}{line} {}", note.level, note.file, note.text)
    };
    lint(&Sample::cartridge(manifest, more)).as_slice().iter().map(shown).collect()
}

#[test]
fn a_good_cartridge_gets_no_advice() {
    let more: &[(&str, &[u8])] = &[
        ("hooks/publish-x", b"#!/bin/sh\necho $1\n"),
        ("bin/install", b"#!/usr/bin/env python3\nprint(')')\n"),
        ("env/OPENSHIFT_MOCK_LOG_DIR", b"/var/log/\n"),
        ("env/OPENSHIFT_MOCK_A_DIR.erb", b"<%= ENV['OPENSHIFT_HOMEDIR'] + \"mock/log/\" %>\n"),
        ("env/OPENSHIFT_MOCK_B_DIR.erb", b"<%= ENV['OPENSHIFT_HOMEDIR'] %>mock/log/\n"),
        ("env/OPENSHIFT_MOCK_C_DIR.erb", b"<%= ENV['OPENSHIFT_HOMEDIR'] %>"),
        ("env/.gitkeep", b""),
        ("template.git/refs/heads/", b""),
        ("conf/.gitignore", b""),
        (
            "metadata/managed_files.yml",
            b"locked_files: [~/.foorc, env/, ../.x, ~/app-root/data/y, conf/*, ~/mock/z]\n",
        ),
    ];
    assert_eq!(notes(MANIFEST, more), Vec::<String>::new());
}

#[test]
fn each_piece_of_the_guides_advice_is_given() {
    let elf = [&b"\x7fELF\x02\x01"[..], &[0; 12], &[8, 0]].concat();
    let cases: &[(&str, &[u8], &str)] = &[
        ("conf/", b"", "Advice conf is an empty directory"),
        ("template/public/", b"", "Advice template/public is an empty directory"),
        ("env/OPENSHIFT_MOCK_A_DIR", b"/a\n", "Advice env/OPENSHIFT_MOCK_A_DIR is a directory"),
        (
            "env/OPENSHIFT_MOCK_A_DIR.erb",
            b"<%= ENV['HOME'] + 'x' %>\n",
            "Advice env/OPENSHIFT_MOCK_A_DIR.erb is a directory",
        ),
        (
            "env/OPENSHIFT_MOCK_A_DIR.erb",
            b"<%= ENV['HOME'] %>x\n",
            "Advice env/OPENSHIFT_MOCK_A_DIR.erb is a directory",
        ),
        (
            "env/OPENSHIFT_MOCK_Y.erb",
            b"\n <% ENV['HOME'] + \"/x/\" %>\n",
            "Warning env/OPENSHIFT_MOCK_Y.erb:2 `<% … %>` prints nothing",
        ),
        ("env/JENKINS_URL", b"x", "Advice env/JENKINS_URL the name does not begin with"),
        (
            "env/OPENSHIFT_HOMEDIR",
            b"x/",
            "Warning env/OPENSHIFT_HOMEDIR `OPENSHIFT_HOMEDIR` is set",
        ),
        ("env/OPENSHIFT_MOCK_DIR", b"x/", "Warning env/OPENSHIFT_MOCK_DIR `OPENSHIFT_MOCK_DIR` is"),
        ("env/A-B", b"x", "Warning env/A-B variable `A-B` is not valid"),
        ("bin/install", b"#!/bin/sh\nx\r\n", "Warning bin/install:2 has DOS line ends"),
        ("bin/install", b"echo x\n", "Advice bin/install does not begin with `#!`"),
        ("versions/1/bin/x", b"#!/bin/sh\n", "Advice versions/1/bin/x is not executable"),
        ("hooks/set-y", b"#!/bin/sh\n", "Advice hooks/set-y has no entry"),
        ("bin/tool", &elf, "Warning bin/tool is a program for mips"),
        (
            "metadata/managed_files.yml",
            b"setup_rewritten: [../../x]",
            "Warning metadata/managed_files.yml `../../x` of `setup_rewritten` leads out of",
        ),
        (
            "metadata/managed_files.yml",
            b"locked_files: [~/.sshx]",
            "Warning metadata/managed_files.yml `~/.sshx` of `locked_files` is reserved",
        ),
        (
            "metadata/managed_files.yml",
            b"locked_files: [~/visible]",
            "Warning metadata/managed_files.yml `~/visible` of `locked_files` is no hidden file",
        ),
        (
            "metadata/managed_files.yml",
            b"locked_files: [",
            "Error metadata/managed_files.yml:2 no managed file is known",
        ),
    ];
    for (path, bytes, expected) in cases {
        let notes = notes(MANIFEST, &[(*path, *bytes)]);
        assert_eq!(notes.len(), 1, "{path}: {notes:?}");
        assert!(notes[0].starts_with(expected), "{path}: {notes:?}");
    }
}

#[test]
fn a_script_that_bash_cannot_read_is_named_with_its_line() {
    let said = notes(MANIFEST, &[("bin/install", b"#!/bin/bash\nif true; then\n  echo )\nfi\n")]);
    if crate::sys::fs::kind_of("/bin/bash".as_ref()).is_some() {
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("Warning bin/install:3 bash cannot read it"), "{said:?}");
    }
}

#[test]
fn no_script_is_run() {
    let temp = tempfile::tempdir().unwrap();
    let witness = temp.path().join("ran");
    let shown = witness.display();
    let script =
        format!("#!/bin/bash\ntouch {shown}\nx=$(touch {shown})\ntrap 'touch {shown}' EXIT\n");
    notes(MANIFEST, &[("bin/install", script.as_bytes())]);
    assert!(!witness.exists());
}

#[test]
fn what_a_manifest_should_say_otherwise_is_advised() {
    let manifest = |change: &str, by: &str| String::from_utf8_lossy(MANIFEST).replace(change, by);
    for (change, by, expected) in [
        ("acme", "redhat", "Advice metadata/manifest.yml the vendor `redhat`"),
        ("'0.1'", "0.1", "Advice metadata/manifest.yml:6 the version 0.1 stands without quotes"),
        ("[]", "[1.0]", "Advice metadata/manifest.yml:5 the version 1.0 stands without quotes"),
        (
            "Compatible-Versions: []\n",
            "",
            "Advice metadata/manifest.yml:1 `Compatible-Versions` is",
        ),
        ("service", "other", "Advice metadata/manifest.yml `Categories` has none of"),
        (
            "service",
            "web_framework, external",
            "Warning metadata/manifest.yml `Categories` has both",
        ),
        (
            "Publishes",
            "Source-Url: https://example.org/x.tgz?y\nPublishes",
            "Advice metadata/manifest.yml `Source-Url` is an archive without",
        ),
        ("a}", "a}\nAdditional-Control-Actions: [x]", "Advice metadata/manifest.yml `Additional"),
        ("a}", "a}\nMetrics: [x]", "Warning metadata/manifest.yml `Metrics` needs"),
        (
            "Publishes",
            "Subscribes: {set-y: {Type: b, Required: true}}\nPublishes",
            "Advice metadata/manifest.yml `Subscribes` requires `set-y`",
        ),
        ("Name: mock", "Name: git", "Error metadata/manifest.yml:1 name `git` is reserved"),
        (
            "'0.1'",
            "0.1\nVersion-Overrides: {0.1: {}}",
            "Advice metadata/manifest.yml:6 the version",
        ),
    ] {
        let notes = notes(manifest(change, by).as_bytes(), &[]);
        assert_eq!(notes.len(), 1, "{by}: {notes:?}");
        assert!(notes[0].starts_with(expected), "{by}: {notes:?}");
    }
}

#[test]
fn a_tree_that_is_no_package_is_an_error_and_not_a_crash() {
    let notes = lint(&Sample::new(&[("README", b"x")]));
    let errors = notes.as_slice().iter().filter(|note| note.level == Level::Error);
    assert_eq!(errors.count(), 1);
}
