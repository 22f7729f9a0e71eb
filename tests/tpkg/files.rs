//! Modes, links, folders, and who was there first.

use crate::host::{Host, is_root};
use crate::support::tpkg::Tpkg;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

#[test]
fn removal_leaves_a_shared_folder_and_takes_it_when_it_is_empty() {
    let host = Host::new();
    for name in ["one", "two"] {
        let package = Tpkg::new(name, "1").file(&format!("reloc/shared/{name}"), name);
        host.must(&["install", &host.pack(&package)]);
    }
    host.must(&["remove", "one"]);
    assert!(host.has("opt/tpkg/shared/two"));
    host.must(&["remove", "two"]);
    assert!(!host.has("opt/tpkg/shared"));
}

#[test]
fn a_folder_that_was_there_before_stays_with_its_mode() {
    let host = Host::new();
    host.write("srv/old/keep", "");
    std::fs::remove_file(host.at("srv/old/keep")).unwrap();
    std::fs::set_permissions(host.at("srv/old"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let package = Tpkg::new("p", "1").file("root/srv/old/x", "x");
    host.must(&["install", &host.pack(&package)]);
    assert_eq!(host.mode("srv/old"), 0o700);
    host.must(&["remove", "p"]);
    assert!(host.has("srv/old"));
}

#[test]
fn a_missing_file_and_a_stray_one_are_only_warnings_on_removal() {
    let host = Host::new();
    let package = Tpkg::new("p", "1").file("reloc/d/a", "a").file("reloc/d/b", "b");
    host.must(&["install", &host.pack(&package)]);
    std::fs::remove_file(host.base("d/a")).unwrap();
    host.write("opt/tpkg/d/stray", "s");
    assert!(host.must(&["remove", "p"]).contains("gone already"));
    assert!(host.has("opt/tpkg/d/stray") && !host.has("opt/tpkg/d/b"));
}

#[test]
fn modes_are_those_of_the_path_else_of_all_else_of_the_archive() {
    let host = Host::new();
    let package = Tpkg::new("p", "1")
        .with_mode("reloc/own", "", 0o666)
        .with_mode("reloc/all", "", 0o666)
        .says("files:\n file_defaults:\n  posix:\n   perms: 0444\n files:\n  - path: own\n    posix:\n      perms: 0400");
    // A person's umask has no say.
    let mut command = host.command(&["install", &host.pack(&package)]);
    assert!(command.status().unwrap().success());
    assert_eq!((host.mode("opt/tpkg/own"), host.mode("opt/tpkg/all")), (0o400, 0o444));
    assert_eq!(host.mode("opt/tpkg"), 0o755);
    let packed = Tpkg::new("q", "1").with_mode("reloc/packed", "", 0o640);
    host.must(&["install", &host.pack(&packed)]);
    assert_eq!(host.mode("opt/tpkg/packed"), 0o640);
}

#[test]
fn links_are_put_as_they_are_and_never_followed() {
    let host = Host::new();
    host.write("victim/file", "v");
    let package = Tpkg::new("p", "1")
        .link("reloc/broken", "nowhere")
        .link("reloc/folder", "/victim")
        .link("reloc/file", "../../victim/file");
    host.must(&["install", &host.pack(&package)]);
    assert_eq!(host.target("opt/tpkg/broken"), "nowhere");
    host.must(&["verify"]);
    host.must(&["remove", "p"]);
    assert!(!host.has("opt/tpkg/broken") && host.read("victim/file") == "v");
}

#[test]
fn a_link_of_the_host_that_leads_to_a_folder_is_the_folder() {
    let host = Host::new();
    std::fs::create_dir_all(host.at("usr/lib")).unwrap();
    std::os::unix::fs::symlink("usr/lib", host.at("lib")).unwrap();
    let package = Tpkg::new("p", "1").file("root/lib/x/y", "y");
    host.must(&["install", &host.pack(&package)]);
    assert_eq!(host.read("usr/lib/x/y"), "y");
    host.must(&["verify"]);
    host.must(&["remove", "p"]);
    assert!(host.has("lib") && host.has("usr/lib") && !host.has("usr/lib/x"));
}

#[test]
fn a_file_of_another_package_or_of_nobody_is_in_the_way_whatever_the_flags() {
    let host = Host::new();
    host.must(&["install", &host.pack(&Tpkg::new("one", "1").file("reloc/x", "1"))]);
    let before = host.look();
    // The same place in another spelling: below the base, and below the root.
    let other = host.pack(&Tpkg::new("two", "1").file("root/opt/tpkg/x", "2"));
    host.fails(&["install", &other], 4, "one-1");
    host.fails(&["install", "--replace-foreign", &other], 4, "one-1");
    host.write("etc/foreign", "f");
    let foreign = host.pack(&Tpkg::new("three", "1").file("root/etc/foreign", "3"));
    host.fails(&["install", &foreign], 4, "--replace-foreign");
    assert_eq!(host.read("etc/foreign"), "f");
    std::fs::remove_file(host.at("etc/foreign")).unwrap();
    std::fs::remove_dir(host.at("etc")).unwrap();
    assert_eq!(host.look(), before);
    host.write("etc/foreign", "f");
    host.must(&["install", "--replace-foreign", &foreign]);
    assert_eq!(host.read("etc/foreign"), "3");
}

#[test]
fn two_packages_that_want_one_place_do_not_come_together() {
    let host = Host::new();
    let one = host.pack(&Tpkg::new("one", "1").file("reloc/x", "1"));
    let two = host.pack(&Tpkg::new("two", "1").file("root/opt/tpkg/x", "2"));
    host.fails(&["install", &one, &two], 4, "both have");
    assert!(host.installed().is_empty() && !host.has("opt"));
}

#[test]
fn verify_finds_what_was_changed_and_what_is_gone() {
    let host = Host::new();
    let mut package = Tpkg::new("p", "1");
    for name in ["mode", "content", "gone", "fine"] {
        package = package.file(&format!("reloc/{name}"), name);
    }
    host.must(&["install", &host.pack(&package)]);
    host.must(&["verify", "p"]);
    std::fs::set_permissions(host.base("mode"), std::fs::Permissions::from_mode(0o600)).unwrap();
    host.write("opt/tpkg/content", "changed");
    std::fs::remove_file(host.base("gone")).unwrap();
    let (status, said) = host.run(&["verify", "p"]);
    assert_eq!(status, 6, "{said}");
    for (what, name) in [("mode", "mode"), ("content", "content"), ("missing", "gone")] {
        let path = host.base(name).display().to_string();
        let line = said.lines().find(|line| line.contains(&path)).unwrap();
        assert!(line.starts_with(what), "{line}");
    }
    assert!(said.contains("3 different"), "{said}");
}

#[test]
fn owners_are_those_of_the_host_below_the_root() {
    if !is_root() {
        println!("SKIP: tpkg::owners: only root gives files away");
        return;
    }
    let host = Host::new();
    host.write("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:4711:4711::/:/bin/sh\n");
    host.write("etc/group", "root:x:0:\napps:x:4712:\n");
    let package = Tpkg::new("p", "1")
        .file("reloc/x", "x")
        .file("reloc/y", "y")
        .of("x", "    posix:\n      owner: app\n      group: apps\n      perms: 04750")
        .of("y", "    posix:\n      owner: nobody-knows");
    let said = host.must(&["install", &host.pack(&package)]);
    assert!(said.contains("no user is called `nobody-knows`"), "{said}");
    let meta = host.base("x").metadata().unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (4711, 4712, 0o4750));
    assert_eq!(host.base("y").metadata().unwrap().uid(), 0);
    host.must(&["verify"]);
}

#[test]
fn folders_that_were_made_for_packages_go_with_the_last_of_them_after_upgrades_too() {
    let host = Host::new();
    let before = host.look();
    let package = |name: &str, version: &str| {
        Tpkg::new(name, version)
            .file(&format!("reloc/{name}"), version)
            .file(&format!("root/srv/deep/{name}"), version)
    };
    host.must(&["install", &host.pack(&package("one", "1"))]);
    for version in ["2", "3"] {
        host.must(&["upgrade", &host.pack(&package("one", version))]);
    }
    host.must(&["install", &host.pack(&package("two", "1"))]);
    host.must(&["verify"]);
    host.must(&["remove", "one"]);
    assert!(host.has("opt/tpkg/two") && host.has("srv/deep/two"));
    host.must(&["verify"]);
    host.must(&["remove", "two"]);
    assert_eq!(host.look(), before, "the base, and what led there");
}

#[test]
fn a_shared_folder_stays_as_the_first_has_made_it_and_goes_when_all_go_at_once() {
    let host = Host::new();
    let before = host.look();
    let one = Tpkg::new("one", "1").file("reloc/d/one", "x");
    let one = one.of("d", "    posix:\n      perms: 0700");
    host.must(&["install", &host.pack(&one)]);
    let two = Tpkg::new("two", "1").file("reloc/d/two", "x");
    host.must(&["install", &host.pack(&two)]);
    assert_eq!(host.mode("opt/tpkg/d"), 0o700);
    host.must(&["verify"]);
    host.must(&["remove", "one", "two"]);
    assert_eq!(host.look(), before);
}

struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// A base that was mounted there, or that the administrator has made, is none of a package's.
#[test]
fn everything_works_across_filesystems() {
    let host = Host::new();
    let base = host.base("");
    std::fs::create_dir_all(&base).unwrap();
    let mut mount = std::process::Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "mode=755", "none"]).arg(&base);
    if !mount.output().is_ok_and(|output| output.status.success()) {
        println!("SKIP: tpkg::another_filesystem: mounting a tmpfs needs root");
        return;
    }
    let _mounted = Mounted(base.clone());
    assert_ne!(base.metadata().unwrap().dev(), host.at("").metadata().unwrap().dev());
    let before = host.look();
    let package = |version: &str| {
        Tpkg::new("p", version)
            .file("reloc/x", version)
            .with_mode("reloc/bin/y", version, 0o755)
            .link("reloc/link", version)
            .file("reloc/etc/conf", version)
            .of("etc/conf", "    config: true")
            .file("root/etc/p", version)
            .of("x", "    posix:\n      owner: '12'\n      perms: 04750")
    };
    host.must(&["install", &host.pack(&package("1"))]);
    assert_eq!((host.mode("opt/tpkg/x"), host.mode("opt/tpkg/bin/y")), (0o4750, 0o755));
    host.must(&["verify"]);
    let first = host.look();
    host.write("opt/tpkg/foreign", "x");
    let third = package("3").file("reloc/foreign", "ours");
    host.fails(&["upgrade", &host.pack(&third)], 4, "foreign");
    std::fs::remove_file(host.base("foreign")).unwrap();
    // What fails late comes back file by file over the border.
    let second = package("2").script("preinstall", "true").file("root/proc/x/no", "x");
    host.write("proc", "no folder");
    let with_file = host.look();
    let (status, said) = host.run(&["upgrade", &host.pack(&second)]);
    assert_ne!(status, 0, "{said}");
    assert_eq!(host.look(), with_file, "{said}");
    std::fs::remove_file(host.at("proc")).unwrap();
    host.must(&["upgrade", &host.pack(&package("2"))]);
    assert_eq!((host.read("opt/tpkg/x"), host.target("opt/tpkg/link")), ("2".into(), "2".into()));
    host.must(&["verify"]);
    host.must(&["undo", "2"]);
    assert_eq!(host.look(), first);
    host.must(&["remove", "p"]);
    assert_eq!(host.look(), before);
    host.must(&["undo", "4"]);
    assert_eq!(host.look(), first);
}
