//! Files that are the administrator's once they are there.

use crate::host::Host;
use crate::support::tpkg::Tpkg;

fn package(version: &str, text: &str) -> Tpkg {
    Tpkg::new("conf", version)
        .file("reloc/etc/conf", text)
        .file("reloc/bin/x", "x")
        .of("etc/conf", "    config: true")
}

const CONF: &str = "opt/tpkg/etc/conf";
const NEW: &str = "opt/tpkg/etc/conf.tpkgnew";

#[test]
fn what_is_there_stays_and_the_new_one_comes_to_lie_beside_it() {
    let host = Host::new();
    host.write(CONF, "mine");
    let said = host.must(&["install", &host.pack(&package("1", "theirs"))]);
    assert!(said.contains(".tpkgnew"), "{said}");
    assert_eq!((host.read(CONF), host.read(NEW)), ("mine".into(), "theirs".into()));
    host.must(&["verify"]);
    host.must(&["remove", "conf"]);
    assert!(host.has(CONF) && !host.has(NEW), "the new one is known, and goes");
}

#[test]
fn one_that_is_the_same_needs_no_new_one() {
    let host = Host::new();
    host.write(CONF, "theirs");
    host.must(&["install", &host.pack(&package("1", "theirs"))]);
    assert!(!host.has(NEW));
    host.must(&["verify"]);
}

#[test]
fn removal_keeps_what_was_changed_and_takes_what_was_not() {
    for changed in [true, false] {
        let host = Host::new();
        host.must(&["install", &host.pack(&package("1", "theirs"))]);
        if changed {
            host.write(CONF, "mine");
        }
        host.must(&["remove", "conf"]);
        assert_eq!(host.has(CONF), changed);
        assert!(!host.has("opt/tpkg/bin"));
    }
}

#[test]
fn a_missing_one_is_only_a_warning_on_removal() {
    let host = Host::new();
    host.must(&["install", &host.pack(&package("1", "theirs"))]);
    std::fs::remove_file(host.at(CONF)).unwrap();
    let said = host.must(&["remove", "conf"]);
    assert!(said.contains("gone already"), "{said}");
    assert!(host.installed().is_empty());
}

#[test]
fn an_upgrade_replaces_what_nobody_changed_and_keeps_what_somebody_did() {
    let host = Host::new();
    host.must(&["install", &host.pack(&package("1", "one"))]);
    host.must(&["upgrade", &host.pack(&package("2", "two"))]);
    assert_eq!(host.read(CONF), "two");
    host.write(CONF, "mine");
    // The package brings nothing new: nothing comes to lie beside it.
    host.must(&["upgrade", &host.pack(&package("3", "two"))]);
    assert!(host.read(CONF) == "mine" && !host.has(NEW));
    host.must(&["upgrade", &host.pack(&package("4", "four"))]);
    assert_eq!((host.read(CONF), host.read(NEW)), ("mine".into(), "four".into()));
    host.must(&["upgrade", &host.pack(&package("5", "five"))]);
    assert_eq!((host.read(CONF), host.read(NEW)), ("mine".into(), "five".into()));
    host.must(&["verify"]);
}
