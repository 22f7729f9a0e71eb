//! Coming, going, and other releases.

use crate::host::Host;
use crate::support::tpkg::Tpkg;

fn small(version: &str) -> Tpkg {
    Tpkg::new("small", version)
        .script("reloc/bin/hello", &format!("echo {version}"))
        .file("reloc/share/small/data", version)
        .file("root/etc/small/motd", version)
}

#[test]
fn installed_by_file_listed_found_and_removed() {
    let host = Host::new();
    let before = host.look();
    let file = host.pack(&small("1.0"));
    host.must(&["install", &file]);
    assert_eq!(host.installed(), ["small-1.0"]);
    assert_eq!(host.read("opt/tpkg/share/small/data"), "1.0");
    assert_eq!(host.read("etc/small/motd"), "1.0");
    assert_eq!(host.mode("opt/tpkg/bin/hello"), 0o755);
    let motd = host.at("etc/small/motd").display().to_string();
    assert!(host.must(&["owns", &motd]).contains("small-1.0"));
    assert!(host.must(&["files", "small"]).contains(&motd));
    host.must(&["info", "small"]);
    host.must(&["verify"]);
    host.must(&["remove", "small"]);
    assert_eq!(host.look(), before);
    assert!(host.installed().is_empty());
}

#[test]
fn removed_by_the_name_of_its_file() {
    let host = Host::new();
    host.must(&["install", &host.pack(&small("1.0"))]);
    host.must(&["remove", "small-1.0.tpkg"]);
    assert!(host.installed().is_empty());
    // The name may tell of the hardware.
    let machine = std::process::Command::new("uname").arg("-m").output().unwrap().stdout;
    let machine = String::from_utf8(machine).unwrap().trim().to_owned();
    host.must(&["install", &host.pack(&small("1.0").says(&format!("architecture: [{machine}]")))]);
    host.must(&["remove", &format!("small-1.0-{machine}.tpkg")]);
    assert!(host.installed().is_empty());
}

#[test]
fn the_second_time_there_is_nothing_to_do() {
    let host = Host::new();
    let file = host.pack(&small("1.0"));
    host.must(&["install", &file]);
    assert!(host.must(&["install", &file]).contains("installed already"));
}

#[test]
fn an_upgrade_replaces_brings_and_takes_away() {
    let host = Host::new();
    let old = small("1.0").file("reloc/share/old/gone", "x");
    host.must(&["install", &host.pack(&old)]);
    let new = small("1.1").file("reloc/share/new/come", "y");
    host.must(&["upgrade", &host.pack(&new)]);
    assert_eq!(host.installed(), ["small-1.1"]);
    assert_eq!(host.read("opt/tpkg/share/small/data"), "1.1");
    assert!(host.has("opt/tpkg/share/new/come") && !host.has("opt/tpkg/share/old"));
    host.must(&["verify"]);
    host.must(&["remove", "small"]);
    assert!(!host.has("opt/tpkg/bin") && !host.has("etc/small"));
}

#[test]
fn a_first_installation_may_come_as_an_upgrade() {
    let host = Host::new();
    host.must(&["upgrade", &host.pack(&small("1.0"))]);
    assert_eq!(host.installed(), ["small-1.0"]);
}

#[test]
fn an_older_release_comes_only_where_that_is_allowed() {
    let host = Host::new();
    host.must(&["install", &host.pack(&small("1.10"))]);
    let older = host.pack(&small("1.9"));
    host.fails(&["upgrade", &older], 5, "--allow-downgrade");
    assert_eq!(host.read("etc/small/motd"), "1.10");
    host.must(&["upgrade", "--allow-downgrade", &older]);
    assert_eq!(host.read("etc/small/motd"), "1.9");
}

#[test]
fn a_higher_version_with_a_lower_package_version_is_newer() {
    let host = Host::new();
    host.must(&["install", &host.pack(&small("1.0").says("package_version: 9"))]);
    host.must(&["upgrade", &host.pack(&small("1.1").says("package_version: 1"))]);
    assert_eq!(host.installed(), ["small-1.1-1"]);
}

#[test]
fn two_releases_live_side_by_side_where_they_share_no_file() {
    for versions in [["1", "2"], ["2", "1"]] {
        let host = Host::new();
        for version in versions {
            let package = Tpkg::new("side", version).file(&format!("reloc/{version}/x"), version);
            host.must(&["install", &host.pack(&package)]);
        }
        assert_eq!(host.installed().len(), 2);
        host.must(&["remove", "side-1"]);
        assert!(!host.has("opt/tpkg/1") && host.has("opt/tpkg/2/x"));
    }
    let host = Host::new();
    host.must(&["install", &host.pack(&small("1.0"))]);
    host.fails(&["install", &host.pack(&small("2.0"))], 4, "small-1.0");
}

#[test]
fn the_base_is_that_of_the_command_line_then_of_the_environment() {
    let host = Host::new();
    let file = host.pack(&small("1.0"));
    host.must(&["install", "--base", "/srv/apps", &file]);
    assert!(host.has("srv/apps/bin/hello"));
    // Another release stays where the package is.
    host.must(&["upgrade", &host.pack(&small("1.1"))]);
    assert_eq!(host.read("srv/apps/share/small/data"), "1.1");
    host.must(&["remove", "small"]);
    let mut command = host.command(&["install", &file]);
    assert!(command.env("TPKG_HOME", "/usr/apps").status().unwrap().success());
    assert!(host.has("usr/apps/bin/hello"));
    host.fails(&["install", "--base", "apps", &file], 2, "absolute");
}

#[test]
fn a_dry_run_changes_nothing() {
    let host = Host::new();
    let before = host.look();
    let said = host.must(&["install", "--dry-run", &host.pack(&small("1.0"))]);
    assert!(said.contains("small-1.0"), "{said}");
    assert_eq!(host.look(), before);
}

#[test]
fn encrypted_files_are_installed_as_they_were_written() {
    let host = Host::new();
    let folder = host.outside("secret");
    std::fs::create_dir_all(folder.join("reloc")).unwrap();
    std::fs::write(folder.join("reloc/key"), "the secret").unwrap();
    let yml = "name: secret\nversion: \"1\"\nmaintainer: x@example.org\ndescription: x\n\
               files:\n  files:\n  - path: key\n    encrypt: true\n";
    std::fs::write(folder.join("tpkg.yml"), yml).unwrap();
    let cart = |words: &[&str], passphrase: &str| {
        let output = host.command(words).env("CART_PASSPHRASE", passphrase).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, said) = cart(&["build", "secret"], "right");
    assert_eq!(status, Some(0), "{said}");
    let file = host.outside("secret-1.tpkg").display().to_string();
    let (status, said) = cart(&["install", &file], "wrong");
    assert_eq!(status, Some(6), "{said}");
    assert!(!host.has("opt"), "nothing came of it");
    let (status, said) = cart(&["install", &file], "right");
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(host.read("opt/tpkg/key"), "the secret");
    host.must(&["verify"]);
}
