//! Going back: what came goes, what went comes again, and a release takes the place of its successor.

use crate::host::{Host, Seen};
use crate::old_tpkg;
use crate::scripts::{externals, log};
use crate::support::tpkg::Tpkg;

/// A package with something of every kind.
fn app(version: &str) -> Tpkg {
    let package = Tpkg::new("app", version)
        .says(&format!("externals:\n- name: same\n  data: s\n- name: other\n  data: v{version}"))
        .script("reloc/bin/app", &format!("echo {version}"))
        .of("bin/app", "    init: {start: 20, levels: [3]}")
        .with_mode("reloc/share/data", version, 0o640)
        .file("root/etc/app/conf", version)
        .of("/etc/app/conf", "    config: true")
        .file("reloc/lines", &format!("1 1 1 1 1 v{version}\n"))
        .of("lines", "    crontab: {user: root}")
        .link("reloc/link", version);
    let package = package.script("preremove", "true").script("postinstall", "true");
    package.file(&format!("reloc/only/{version}/x"), "x")
}

fn host() -> Host {
    let host = Host::new();
    externals(&host, &["same", "other"]);
    std::fs::create_dir_all(host.at("etc/rc3.d")).unwrap();
    host
}

/// Runs `cart`, and gives the number of the transaction.
fn done(host: &Host, words: &[&str]) -> String {
    let said = host.must(words);
    let number = said.rsplit("(transaction ").next().unwrap();
    number.split(')').next().unwrap().to_owned()
}

/// What is there, but for the log.
fn look(host: &Host) -> Seen {
    let mut seen = host.look();
    seen.remove("log");
    seen
}

#[test]
fn what_came_goes_and_comes_again() {
    let host = host();
    let before = look(&host);
    let came = done(&host, &["install", &host.pack(&app("1"))]);
    let with = look(&host);
    log(&host);
    let gone = done(&host, &["undo", &came]);
    assert_eq!(look(&host), before);
    assert!(host.installed().is_empty());
    assert_eq!(
        log(&host),
        ["same 2 app-1.tpkg remove remove BASE <s>", "other 2 app-1.tpkg remove remove BASE <v1>"]
    );
    host.fails(&["undo", &came], 4, "undone already");
    let again = done(&host, &["undo", &gone]);
    assert_eq!(look(&host), with);
    assert_eq!(host.installed(), ["app-1"]);
    host.must(&["verify"]);
    log(&host);
    done(&host, &["undo", &again]);
    assert_eq!(look(&host), before);
    assert_eq!(log(&host).len(), 2);
}

#[test]
fn what_went_comes_again_as_it_was() {
    let host = host();
    host.must(&["install", &host.pack(&app("1"))]);
    host.write("opt/tpkg/share/data", "changed since");
    let before = look(&host);
    let gone = done(&host, &["remove", "app"]);
    assert!(!host.has("opt/tpkg/share/data"));
    log(&host);
    done(&host, &["undo", &gone]);
    assert_eq!(look(&host), before);
    assert_eq!(
        log(&host),
        [
            "same 2 app-1.tpkg install install BASE <s>",
            "other 2 app-1.tpkg install install BASE <v1>"
        ]
    );
    host.must(&["remove", "app"]);
    assert_eq!(log(&host).len(), 2);
    assert!(!host.has("opt/tpkg/bin"));
}

#[test]
fn the_old_release_takes_the_place_of_the_new_one() {
    let host = host();
    host.must(&["install", &host.pack(&app("1"))]);
    let before = look(&host);
    let upgraded = done(&host, &["upgrade", &host.pack(&app("2"))]);
    let after = look(&host);
    log(&host);
    let back = done(&host, &["undo", &upgraded]);
    assert_eq!(look(&host), before);
    assert_eq!(host.installed(), ["app-1"]);
    assert_eq!(
        log(&host),
        [
            "other 2 app-2.tpkg remove upgrade BASE <v2>",
            "other 2 app-1.tpkg install upgrade BASE <v1>"
        ]
    );
    host.must(&["verify"]);
    done(&host, &["undo", &back]);
    assert_eq!(look(&host), after);
    assert_eq!(host.installed(), ["app-2"]);
    host.must(&["verify"]);
    host.must(&["remove", "app"]);
    assert!(!host.has("opt/tpkg/bin") && !host.has("etc/app"));
}

#[test]
fn what_was_changed_since_is_kept_or_in_the_way() {
    let host = host();
    host.must(&["install", &host.pack(&app("1"))]);
    let upgraded = done(&host, &["upgrade", &host.pack(&app("2"))]);
    host.write("etc/app/conf", "mine");
    host.write("opt/tpkg/only/1/x", "somebody's");
    let before = look(&host);
    host.fails(&["undo", &upgraded], 4, "`/opt/tpkg/only/1/x` is taken");
    assert_eq!(look(&host), before);
    std::fs::remove_dir_all(host.at("opt/tpkg/only/1")).unwrap();
    let said = host.must(&["undo", &upgraded]);
    assert!(said.contains("`/etc/app/conf` was changed, and stays"), "{said}");
    assert_eq!(host.read("etc/app/conf"), "mine");
    assert_eq!(host.read("opt/tpkg/share/data"), "1");
}

#[test]
fn who_is_needed_or_gone_since_cannot_go_back() {
    let host = host();
    let low = done(&host, &["install", &host.pack(&Tpkg::new("low", "1").file("reloc/low", "x"))]);
    let high = Tpkg::new("high", "1").says("dependencies:\n- name: low").file("reloc/high", "x");
    host.must(&["install", &host.pack(&high)]);
    host.fails(&["undo", &low], 4, "`high-1`, which is installed, needs `low`");
    host.must(&["remove", "high"]);
    host.must(&["remove", "low"]);
    host.fails(&["undo", &low], 4, "`low-1` is not installed any more");
}

#[test]
fn what_was_taken_over_from_tpkg_is_left_to_it_again() {
    let host = host();
    let asked = [("other", "x")];
    old_tpkg::install(&host, (&app("1"), "app-1.tpkg"), &["root/etc/app/conf"], &asked);
    let before = look(&host);
    let taken = done(&host, &["import", "tpkg", "/opt/tpkg"]);
    host.must(&["undo", &taken]);
    assert_eq!(look(&host), before);
    assert!(host.installed().is_empty() && log(&host).is_empty());
    host.must(&["import", "tpkg", "/opt/tpkg"]);
    assert_eq!(host.installed(), ["app-1"]);
}
