//! What the original's own tests state and no other file here does, by their numbers in the tpkg
//! specification, 6; and names that a shell would make something of.

use crate::host::{Host, write};
use crate::scripts::{externals, log};
use crate::support::tpkg::Tpkg;

fn plain(name: &str, version: &str) -> Tpkg {
    Tpkg::new(name, version).file(&format!("reloc/{name}"), version)
}

fn needing(name: &str, version: &str, need: &str) -> Tpkg {
    plain(name, version).says(&format!("dependencies:\n- name: {need}"))
}

#[test]
fn case_31_and_32_an_upgrade_that_adds_an_external_calls_that_one_alone_and_once() {
    let host = Host::new();
    externals(&host, &["one", "two"]);
    let asking = |version: &str, more: &str| {
        plain("p", version).says(&format!("externals:\n- name: one\n  data: x\n{more}"))
    };
    host.must(&["install", &host.pack(&asking("1", ""))]);
    assert_eq!(log(&host).len(), 1);
    host.must(&["upgrade", &host.pack(&asking("2", "- name: two\n  data: y"))]);
    assert_eq!(log(&host), ["two 2 p-2.tpkg install upgrade BASE <y>"]);
}

#[test]
fn case_34_a_dependency_is_upgraded_before_whoever_needs_it() {
    let host = Host::new();
    let both = [host.pack(&plain("low", "1")), host.pack(&needing("high", "1", "low"))];
    host.must(&["install", &both[0], &both[1]]);
    let low = host.base("low").display().to_string();
    let high = needing("high", "2", "low\n  minimum_version: \"2\"")
        .script("preinstall", &format!("[[ $(cat {low}) == 2 ]]"));
    host.must(&["upgrade", &host.pack(&high), &host.pack(&plain("low", "2"))]);
    assert_eq!(host.installed(), ["high-2", "low-2"]);
}

#[test]
fn case_35_an_upgrade_of_what_somebody_needs_leaves_them_alone() {
    let host = Host::new();
    let both = [host.pack(&plain("low", "1")), host.pack(&needing("high", "1", "low"))];
    host.must(&["install", &both[0], &both[1]]);
    host.must(&["upgrade", &host.pack(&plain("low", "2"))]);
    assert_eq!(host.installed(), ["high-1", "low-2"]);
    assert_eq!(host.read("opt/tpkg/high"), "1");
}

#[test]
fn case_39_and_41_a_dependency_gets_older_only_where_that_is_allowed_and_nobody_needs_the_newer() {
    let host = Host::new();
    let both = [host.pack(&plain("low", "2")), host.pack(&needing("high", "1", "low"))];
    host.must(&["install", &both[0], &both[1]]);
    let high = host.pack(&needing("high", "2", "low\n  maximum_version: \"1\""));
    let low = host.pack(&plain("low", "1"));
    host.fails(&["upgrade", &high, &low], 5, "--allow-downgrade");
    host.must(&["upgrade", "--allow-downgrade", &high, &low]);
    assert_eq!(host.installed(), ["high-2", "low-1"]);
    let strict = needing("strict", "1", "low\n  minimum_version: \"1\"");
    host.must(&["install", &host.pack(&strict)]);
    let older = host.pack(&plain("low", "0.9"));
    host.fails(&["upgrade", "--allow-downgrade", &older], 4, "`strict-1`");
    assert_eq!(host.read("opt/tpkg/low"), "1");
}

#[test]
fn case_64_a_source_is_a_folder_with_or_without_a_slash_relative_or_not_and_may_be_missing() {
    let host = Host::new();
    let folder = host.outside("here");
    std::fs::create_dir_all(&folder).unwrap();
    write(&plain("a", "1"), &folder);
    let index = "---\nname: a\nversion: \"1\"\nfilename: a-1.tpkg\n";
    std::fs::write(folder.join("metadata.yml"), index).unwrap();
    let path = folder.display().to_string();
    for source in [path.clone(), format!("{path}/"), "./here".into(), "here".into()] {
        let said = host.must(&["install", "--source", "/no/such/folder", "--source", &source, "a"]);
        assert!(said.contains("/no/such/folder"), "{said}");
        assert_eq!(host.installed(), ["a-1"], "{source}");
        host.must(&["remove", "a"]);
    }
}

#[test]
fn no_shell_sees_a_name_of_a_file() {
    let host = Host::new();
    std::fs::create_dir_all(host.at("etc/rc3.d")).unwrap();
    std::fs::create_dir_all(host.at("etc/cron.d")).unwrap();
    let before = host.look();
    let names =
        ["a b", "it's", "$(touch pwned)", "`touch pwned`", "\"q\"", ";touch pwned", "-rf", "é*"];
    let mut package = Tpkg::new("odd", "1");
    for name in names {
        package = package
            .script(&format!("reloc/init/{name}"), "true")
            .of(&format!("{:?}", format!("init/{name}")), "    init: {levels: [3]}")
            .file(&format!("root/etc/odd/{name}"), name)
            .of(&format!("{:?}", format!("/etc/odd/{name}")), "    crontab: {}\n    config: true");
    }
    host.must(&["install", &host.pack(&package)]);
    host.must(&["verify"]);
    for name in names {
        assert_eq!(host.read(&format!("etc/odd/{name}")), name);
        assert!(host.has(&format!("etc/rc3.d/S99{name}")), "{name}");
    }
    host.must(&["remove", "odd"]);
    assert_eq!(host.look(), before);
    let newline = Tpkg::new("odd", "1").file("reloc/a\nb", "x");
    host.fails(&["install", &host.pack(&newline)], 6, "control character");
    assert_eq!(host.look(), before);
    assert!(!host.outside("pwned").exists());
}
