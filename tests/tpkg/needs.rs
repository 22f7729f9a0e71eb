//! Packages that need each other, or cannot bear each other, and sources to choose from.

use crate::host::{Host, write};
use crate::support::http::{Reply, Server};
use crate::support::tpkg::Tpkg;

fn plain(name: &str, version: &str) -> Tpkg {
    Tpkg::new(name, version).file(&format!("reloc/{name}"), version)
}

fn needing(name: &str, version: &str, need: &str) -> Tpkg {
    plain(name, version).says(&format!("dependencies:\n- name: {need}"))
}

/// A directory with packages and what lists them.
fn source(host: &Host, packages: &[(Tpkg, &str, &str, &str)]) -> String {
    let folder = host.outside("source");
    std::fs::create_dir_all(&folder).unwrap();
    let mut index = String::new();
    for (package, name, version, more) in packages {
        let file = write(package, &folder);
        let file = file.file_name().unwrap().to_str().unwrap();
        let entry = format!("---\nname: {name}\nversion: \"{version}\"\nfilename: {file}\n{more}");
        index.push_str(&entry);
    }
    std::fs::write(folder.join("metadata.yml"), index).unwrap();
    folder.display().to_string()
}

#[test]
fn what_is_missing_is_named_and_nothing_is_changed() {
    let host = Host::new();
    let before = host.look();
    let file = host.pack(&needing("a", "1", "b\n  minimum_version: \"2\""));
    host.fails(&["install", &file], 4, "needs `b` (at least 2)");
    let older = host.pack(&plain("b", "1"));
    host.fails(&["install", &file, &older], 4, "there is 1");
    assert_eq!(host.look(), before);
    host.must(&["install", &file, &host.pack(&plain("b", "2"))]);
    assert_eq!(host.installed(), ["a-1", "b-2"]);
}

#[test]
fn whoever_is_needed_comes_first_whatever_the_order() {
    let host = Host::new();
    let log = host.at("log").display().to_string();
    let says =
        |package: Tpkg, name: &str| package.script("preinstall", &format!("echo {name} >> {log}"));
    let a = host.pack(&says(needing("a", "1", "c"), "a"));
    let b = host.pack(&says(plain("b", "1"), "b"));
    let c = host.pack(&says(needing("c", "1", "b"), "c"));
    host.must(&["install", &a, &b, &c]);
    assert_eq!(host.read("log"), "b\nc\na\n");
}

#[test]
fn a_circle_comes_as_one_group_and_goes_as_one() {
    let host = Host::new();
    let (a, b) = (host.pack(&needing("a", "1", "b")), host.pack(&needing("b", "1", "a")));
    host.fails(&["install", &a], 4, "needs `b`");
    host.must(&["install", &a, &b]);
    host.fails(&["remove", "a"], 4, "needs `a`");
    host.must(&["remove", "a", "b"]);
    assert!(host.installed().is_empty());
}

#[test]
fn what_somebody_needs_stays_unless_they_go_too() {
    let host = Host::new();
    let files = [plain("low", "1"), needing("middle", "1", "low"), needing("high", "1", "middle")];
    let files: Vec<String> = files.iter().map(|one| host.pack(one)).collect();
    host.must(&["install", &files[0], &files[1], &files[2]]);
    host.fails(&["remove", "low"], 4, "`middle-1`");
    host.must(&["remove", "--dependents", "low"]);
    assert!(host.installed().is_empty());
}

#[test]
fn what_nobody_else_needs_goes_with_it_where_that_is_asked_for() {
    let host = Host::new();
    let files = [
        plain("shared", "1"),
        plain("own", "1"),
        plain("top", "1").says("dependencies:\n- name: own\n- name: shared"),
        needing("other", "1", "shared"),
    ];
    let files: Vec<String> = files.iter().map(|one| host.pack(one)).collect();
    host.must(&["install", &files[0], &files[1], &files[2], &files[3]]);
    host.must(&["remove", "--prerequisites", "top"]);
    assert_eq!(host.installed(), ["other-1", "shared-1"]);
}

#[test]
fn an_upgrade_that_would_leave_somebody_without_what_they_need_is_refused() {
    let host = Host::new();
    let files = [
        host.pack(&plain("low", "1")),
        host.pack(&needing("high", "1", "low\n  maximum_version: \"1\"")),
    ];
    host.must(&["install", &files[0], &files[1]]);
    let newer = host.pack(&plain("low", "2"));
    host.fails(&["upgrade", &newer], 4, "`high-1`");
    let both = host.pack(&needing("high", "2", "low\n  minimum_version: \"2\""));
    host.must(&["upgrade", &newer, &both]);
    assert_eq!(host.installed(), ["high-2", "low-2"]);
}

#[test]
fn declared_conflicts_are_refused_whoever_declares_them() {
    let host = Host::new();
    let angry = plain("angry", "1").says("conflicts:\n- name: other");
    let (angry, other) = (host.pack(&angry), host.pack(&plain("other", "1")));
    host.fails(&["install", &angry, &other], 4, "beside `other`");
    host.must(&["install", &angry]);
    host.fails(&["install", &other], 4, "beside `other`");
}

#[test]
fn force_replaces_what_is_in_declared_conflict_but_nothing_that_is_needed() {
    let host = Host::new();
    let (angry, other) = (plain("angry", "1"), plain("other", "1"));
    let angry = angry.file("reloc/bin/same", "angry").says("conflicts:\n- name: other");
    let (angry, other) = (host.pack(&angry), host.pack(&other.file("reloc/bin/same", "other")));
    // Packages of one command that cannot be together are no matter of force.
    host.fails(&["install", "--force-replace", &angry, &other], 4, "beside `other`");
    host.must(&["install", &other]);
    let before = host.look();
    host.must(&["install", "--force-replace", "--dry-run", &angry]);
    assert_eq!(host.look(), before);
    host.must(&["install", "--force-replace", &angry]);
    assert_eq!(host.installed(), ["angry-1"]);
    assert!(!host.has("opt/tpkg/other"));
    assert_eq!(host.read("opt/tpkg/bin/same"), "angry");
    host.must(&["undo", "2"]);
    assert_eq!(host.look(), before);
    host.must(&["verify"]);
    host.must(&["install", "--force-replace", &angry]);
    host.must(&["install", "--force-replace", &other]);
    assert_eq!(host.installed(), ["other-1"]);
    host.must(&["verify"]);
    host.must(&["install", &host.pack(&needing("user", "1", "other"))]);
    host.fails(&["install", "--force-replace", &angry], 4, "`user-1`, which is installed, needs");
    assert_eq!(host.installed(), ["other-1", "user-1"]);
}

#[test]
fn another_system_or_hardware_is_refused() {
    let host = Host::new();
    host.write("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    for (says, status) in [
        ("operatingsystem: [RedHat-5, Solaris]", 4),
        ("operatingsystem: [Debian]", 0),
        ("operatingsystem: [Debian-12]", 0),
        ("architecture: [pdp11]", 4),
    ] {
        let (code, said) = host.run(&["install", "-n", &host.pack(&plain("a", "1").says(says))]);
        assert_eq!(code, status, "{says}: {said}");
    }
}

#[test]
fn packages_of_the_system_are_asked_of_it() {
    if !std::path::Path::new("/usr/bin/dpkg-query").exists() {
        println!("SKIP: tpkg::native: dpkg-query is not installed");
        return;
    }
    let host = Host::new();
    host.write(
        "var/lib/dpkg/status",
        "Package: libthing\nStatus: install ok installed\nVersion: 1:2.5-3\nArchitecture: all\n\
         Maintainer: x <x@example.org>\nDescription: x\n",
    );
    let file = |bounds: &str| host.pack(&needing("a", "1", &format!("{bounds}\n  native: true")));
    host.fails(&["install", &file("nothing-of-it")], 4, "package of the system");
    host.fails(&["install", &file("libthing\n  minimum_version: \"3\"")], 4, "there is 2.5-3");
    host.must(&["install", &file("libthing\n  minimum_version: \"2.1\"")]);
}

#[test]
fn packages_of_rpm_are_asked_of_its_own_database() {
    let rpm = |words: &[&str]| std::process::Command::new("rpm").args(words).output();
    if !std::path::Path::new("/usr/bin/rpmbuild").exists() {
        println!("SKIP: tpkg::rpm: rpm is not installed");
        return;
    }
    let host = Host::new();
    let file = |bounds: &str| host.pack(&needing("a", "1", &format!("{bounds}\n  native: true")));
    // A real package, in a real database of rpm.
    let spec = host.outside("thing.spec");
    let text = "Name: libthing\nVersion: 2.5\nRelease: 3\nEpoch: 1\nSummary: x\nLicense: x\n\
                BuildArch: noarch\n%description\nx\n%files\n";
    std::fs::write(&spec, text).unwrap();
    let top = format!("_topdir {}", host.outside("top").display());
    let out = format!("_rpmdir {}", host.outside("").display());
    let mut build = std::process::Command::new("rpmbuild");
    build.args(["-bb", "--quiet", "--define", &top, "--define", &out]).arg(&spec);
    let built = build.env("HOME", host.outside("")).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    host.fails(&["install", &file("libthing")], 4, "package of the system");
    let database = host.at("var/lib/rpm");
    std::fs::create_dir_all(&database).unwrap();
    let package = host.outside("noarch/libthing-2.5-3.noarch.rpm").display().to_string();
    let database = database.display().to_string();
    let put = rpm(&["--dbpath", &database, "-i", "--justdb", "--nodeps", "--noplugins", &package]);
    let put = put.unwrap();
    assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
    host.fails(&["install", &file("nothing-of-it")], 4, "package of the system");
    host.fails(&["install", &file("libthing\n  minimum_version: \"3\"")], 4, "there is 2.5-3");
    host.must(&["install", &file("libthing\n  minimum_version: \"2.1\"")]);
}

#[test]
fn names_are_found_in_sources_with_all_that_they_need() {
    let host = Host::new();
    let place = source(
        &host,
        &[
            (needing("app", "1.9", "lib"), "app", "1.9", "dependencies:\n- name: lib\n"),
            (needing("app", "1.10", "lib"), "app", "1.10", "dependencies:\n- name: lib\n"),
            (plain("lib", "1"), "lib", "1", ""),
        ],
    );
    let said = host.must(&["install", "--source", &place, "app"]);
    assert_eq!(host.installed(), ["app-1.10", "lib-1"], "{said}");
    host.must(&["remove", "app"]);
    host.must(&["install", "--source", &format!("{place}/"), "app<1.10"]);
    assert_eq!(host.installed(), ["app-1.9", "lib-1"]);
    host.must(&["upgrade", "--source", &place, "app"]);
    assert_eq!(host.installed(), ["app-1.10", "lib-1"]);
    let said = host.fails(&["install", "--source", &place, "nobody"], 4, "nowhere to be had");
    assert!(said.contains("cannot come together"), "{said}");
    // One that is gone is told, and no reason to fail.
    let gone = host.outside("gone").display().to_string();
    host.must(&["install", "--source", &gone, "--source", &place, "lib"]);
}

#[test]
fn the_settings_name_sources_and_one_may_be_a_server() {
    let host = Host::new();
    let package = plain("lib", "1");
    let server = Server::start();
    server.route("/tpkg/lib-1.tpkg", [Reply::bytes(package.bytes())]);
    let index = "---\n:name: lib\n:version: 1\n:filename: lib-1.tpkg\n";
    let url = server.route("/tpkg/metadata.yml", [Reply::bytes(index)]);
    let place = url.trim_end_matches("/metadata.yml");
    host.write("etc/cartwright/config.yml", &format!("tpkg:\n  sources: ['{place}']\n"));
    host.must(&["install", "lib"]);
    assert_eq!(host.installed(), ["lib-1"]);
}

#[test]
fn what_cannot_go_together_is_explained() {
    let host = Host::new();
    let a = "dependencies:\n- name: c\n  maximum_version: \"1\"\n";
    let b = "dependencies:\n- name: c\n  minimum_version: \"2\"\n";
    let place = source(
        &host,
        &[
            (plain("a", "1"), "a", "1", a),
            (plain("b", "1"), "b", "1", b),
            (plain("c", "1"), "c", "1", ""),
            (plain("c", "2"), "c", "2", ""),
        ],
    );
    let said = host.fails(&["install", "--source", &place, "a", "b"], 4, "cannot come together");
    assert!(said.contains("`a-1` needs `c` (at most 1)"), "{said}");
    assert!(said.contains("`b-1` needs `c` (at least 2)"), "{said}");
}

#[test]
fn everything_is_upgraded_from_sources_but_what_is_held() {
    let host = Host::new();
    for one in [plain("a", "1"), plain("b", "1"), plain("c", "1"), plain("d", "3")] {
        host.must(&["install", &host.pack(&one)]);
    }
    let place = source(
        &host,
        &[
            (plain("a", "2"), "a", "2", ""),
            (plain("b", "1"), "b", "1", "operatingsystem: [Linux, Debian]\n"),
            (plain("c", "2"), "c", "2", ""),
            (plain("d", "2"), "d", "2", ""),
        ],
    );
    host.must(&["hold", "c", "--reason", "why not"]);
    let said = host.fails(&["outdated", "--source", &place], 20, "why not");
    let of = |name: &str| said.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    assert!(of("a ").is_some_and(|line| line.contains(" 2 ")), "{said}");
    assert!(of("b ").is_none() && of("d ").is_none(), "{said}");
    host.must(&["upgrade", "--source", &place]);
    assert_eq!(host.installed(), ["a-2", "b-1", "c-1", "d-3"]);
    assert!(host.must(&["upgrade", "--source", &place]).contains("nothing to do"));
    host.must(&["unhold", "c"]);
    // The settings name sources as well.
    host.write("etc/cartwright/config.yml", &format!("tpkg:\n  sources: ['{place}']\n"));
    host.fails(&["outdated"], 20, "c ");
    host.must(&["outdated", "--offline"]);
    host.must(&["upgrade"]);
    assert_eq!(host.installed(), ["a-2", "b-1", "c-2", "d-3"]);
    host.must(&["outdated"]);
}

#[test]
fn who_needs_whom_and_what_sources_have_can_be_asked() {
    let host = Host::new();
    let tool = needing("tool", "1", "library\n  minimum_version: \"1.2\"");
    let tool = tool
        .says("conflicts:\n- name: enemy")
        .script("reloc/init/d", "exit 0")
        .of("init/d", "    init: {}");
    let tool = tool.says("externals:\n- name: sysctl\n  data: vm.swappiness = 1");
    let (library, tool) = (host.pack(&plain("library", "1.3")), host.pack(&tool));
    host.must(&["install", "--allow-missing-externals", &library, &tool]);
    let json = |name: &str| -> serde_json::Value {
        let output = host.command(&["info", name, "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(json("library")["tpkg"]["needed_by"][0], "tool-1");
    let told = json("tool")["tpkg"].clone();
    assert_eq!(told["needs"][0], "`library` (at least 1.2)");
    assert_eq!(
        (&told["conflicts"][0], &told["externals"][0]),
        (&"`enemy`".into(), &"sysctl".into())
    );
    assert_eq!((&told["services"][0], &told["placed"]), (&"init/d".into(), &2.into()));
    let said = host.must(&["info", "library"]);
    assert!(said.contains("tool-1") && said.contains("library-1.3.tpkg"), "{said}");
    assert!(host.must(&["list"]).contains("library-1.3 "), "no vendor that nobody knows");

    // The same of what is not installed.
    let other = plain("other", "2").file("root/etc/other", "x").says("conflicts:\n- name: enemy");
    let other = host.pack(&other);
    let said = host.must(&["info", &other]);
    assert!(said.contains("other-2.tpkg") && said.contains("`enemy`"), "{said}");
    let said = host.must(&["files", &other]);
    assert!(said.lines().any(|line| line == "/etc/other"), "{said}");
    assert!(said.lines().any(|line| line == "other"), "{said}");
    host.fails(&["info", "./nothing"], 3, "nothing");
    assert_eq!(host.installed(), ["library-1.3", "tool-1"]);

    let packages = [
        (plain("one", "1.9"), "one", "1.9", ""),
        (plain("one", "1.10"), "one", "1.10", ""),
        (plain("two", "1"), "two", "1", "operatingsystem: [Plan9-4]\n"),
    ];
    let source = source(&host, &packages);
    let said = host.must(&["list", "--available", "--source", &source]);
    let offers = said.lines().filter(|line| line.starts_with(['o', 't']));
    let offers = offers.map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    let offers: Vec<_> = offers.collect();
    assert_eq!(offers, [["one", "1.10"], ["one", "1.9"]], "what runs here, newest first: {said}");
    host.fails(&["list", "--available"], 2, "--source");
}
