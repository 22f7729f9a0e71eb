//! Scripts and externals of packages.

use crate::host::Host;
use crate::support::tpkg::Tpkg;
use std::os::unix::fs::PermissionsExt;

/// A package whose scripts write down where they run, and what they are told.
fn talking(host: &Host, version: &str) -> Tpkg {
    let log = host.at("log").display().to_string();
    let mut package =
        Tpkg::new("talking", version).file("reloc/share/x", version).file("help", "h");
    for name in ["preinstall", "postinstall", "preremove", "postremove"] {
        let line = format!(
            "[ -e help ] && echo \"{name} {version} $TPKG_ACTION $TPKG_HOME $# $(cat $TPKG_HOME/share/x 2>&1 | grep -v cat:)\" >> {log}"
        );
        package = package.script(name, &line);
    }
    package
}

pub(crate) fn log(host: &Host) -> Vec<String> {
    let base = host.base("").display().to_string();
    let base = base.trim_end_matches('/');
    let text = std::fs::read_to_string(host.at("log")).unwrap_or_default();
    drop(std::fs::remove_file(host.at("log")));
    text.lines().map(|line| line.replace(base, "BASE").trim_end().to_owned()).collect()
}

#[test]
fn they_run_in_the_package_with_its_home_before_and_after_its_files() {
    let host = Host::new();
    host.must(&["install", &host.pack(&talking(&host, "1"))]);
    assert_eq!(log(&host), ["preinstall 1 install BASE 0", "postinstall 1 install BASE 0 1"]);
    host.must(&["upgrade", &host.pack(&talking(&host, "2"))]);
    assert_eq!(
        log(&host),
        [
            "preremove 1 upgrade BASE 0 1",
            "postremove 1 upgrade BASE 0 1",
            "preinstall 2 upgrade BASE 0 1",
            "postinstall 2 upgrade BASE 0 2"
        ],
        "there is no moment without the program"
    );
    host.must(&["remove", "talking"]);
    assert_eq!(log(&host), ["preremove 2 remove BASE 0 2", "postremove 2 remove BASE 0"]);
}

#[test]
fn a_plan_names_the_scripts_and_that_they_are_not_confined() {
    let host = Host::new();
    let said = host.must(&["install", "--dry-run", &host.pack(&talking(&host, "1"))]);
    assert!(said.contains("run `preinstall` of `talking-1` on the host, unconfined"), "{said}");
}

#[test]
fn the_first_script_that_fails_ends_it_and_the_last_ones_only_warn() {
    for (script, status) in
        [("preinstall", 9), ("postinstall", 2), ("preremove", 9), ("postremove", 3)]
    {
        let host = Host::new();
        let package = Tpkg::new("failing", "1")
            .file("reloc/x", "x")
            .script(script, "echo the reason >&2; exit 7");
        let before = host.look();
        let file = host.pack(&package);
        if script.ends_with("install") {
            let said = host.fails(&["install", &file], status, "the reason");
            assert!(said.contains("status 7"), "{said}");
            assert_eq!(host.has("opt/tpkg/x"), status == 2, "as the original, it tells of it");
            if status == 9 {
                assert_eq!(host.look(), before, "{script}");
            }
        } else {
            host.must(&["install", &file]);
            host.fails(&["remove", "failing"], status, "the reason");
            assert_eq!(host.has("opt/tpkg/x"), status == 9, "{script}");
        }
    }
}

#[test]
fn a_new_release_that_fails_leaves_the_old_one_in_place() {
    let host = Host::new();
    let old = Tpkg::new("app", "1").file("reloc/bin/app", "1").file("reloc/old", "1");
    host.must(&["install", &host.pack(&old)]);
    let before = host.look();
    let new = Tpkg::new("app", "2").file("reloc/bin/app", "2").script("preinstall", "exit 1");
    host.fails(&["upgrade", &host.pack(&new)], 9, "preinstall");
    assert_eq!(host.look(), before);
    assert_eq!(host.installed(), ["app-1"]);
    host.must(&["verify"]);
}

/// Externals that write down how they are called.
pub(crate) fn externals(host: &Host, names: &[&str]) {
    let folder = host.at("etc/cartwright/externals");
    std::fs::create_dir_all(&folder).unwrap();
    let log = host.at("log").display().to_string();
    for name in names {
        let path = folder.join(name);
        let text = format!(
            "#!/bin/bash\necho \"{name} $# $1 $2 $TPKG_ACTION $TPKG_HOME <$(cat)>\" >> {log}\n"
        );
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// The example of the seed.
fn asking(version: &str, user: &str) -> Tpkg {
    Tpkg::new("asking", version)
        .says(&format!(
            "externals:\n- name: user\n  data: {user}\n- name: nfs\n  datafile: ./nfs\n- name: sysctl\n  \
             datascript: ./calculate"
        ))
        .file("nfs", "mount me\n")
        .script("calculate", "echo shmmax=9")
        .file("reloc/x", version)
}

#[test]
fn externals_are_asked_in_order_and_taken_back_with_the_same_data() {
    let host = Host::new();
    externals(&host, &["user", "nfs", "sysctl"]);
    host.must(&["install", &host.pack(&asking("1", "myuser"))]);
    assert_eq!(
        log(&host),
        [
            "user 2 asking-1.tpkg install install BASE <myuser>",
            "nfs 2 asking-1.tpkg install install BASE <mount me>",
            "sysctl 2 asking-1.tpkg install install BASE <shmmax=9>"
        ]
    );
    // Unchanged ones are not asked again; a changed one goes, then comes.
    host.must(&["upgrade", &host.pack(&asking("2", "other"))]);
    assert_eq!(
        log(&host),
        [
            "user 2 asking-1.tpkg remove upgrade BASE <myuser>",
            "user 2 asking-2.tpkg install upgrade BASE <other>"
        ]
    );
    host.must(&["remove", "asking"]);
    let calls = log(&host);
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert_eq!(calls[0], "user 2 asking-2.tpkg remove remove BASE <other>");
    assert!(calls.iter().all(|call| call.contains(" remove remove BASE <")), "{calls:?}");
}

#[test]
fn an_external_that_is_missing_is_refused_before_anything_changes() {
    let host = Host::new();
    externals(&host, &["user", "sysctl"]);
    let package = Tpkg::new("asking", "1").says("externals:\n- name: no-such-external");
    let before = host.look();
    host.fails(&["install", &host.pack(&package)], 4, "no-such-external");
    assert_eq!(host.look(), before);
    assert!(log(&host).is_empty());
}
