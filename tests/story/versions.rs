//! Releases and software versions side by side, every kind of archive, action hooks.

use crate::host::{Host, md5};
use crate::support::http::{Reply, Server};
use crate::support::pack;
use crate::{alone, cartridge, packed};

#[test]
fn every_kind_of_archive_gives_the_same_tree() {
    let host = Host::new();
    let server = Server::start();
    let mut seen = Vec::new();
    for (name, archive) in [
        ("a.tar", packed(pack::tar)),
        ("a.tgz", packed(pack::tar_gz)),
        ("a.tar.gz", packed(pack::tar_gz)),
        ("a.zip", packed(pack::zip)),
    ] {
        let url = server.route(&format!("/{name}"), [Reply::bytes(archive.clone())]);
        host.must(&["install", &url, "--md5", &md5(&archive).to_uppercase()]);
        let tree = host.tree();
        host.must(&["remove", "static-web"]);
        seen.push((name, tree));
        host.must(&["undo", &host.last()]);
        host.must(&["verify"]);
        host.must(&["remove", "static-web"]);
    }
    for (name, tree) in &seen {
        // What was removed before waits in the stash.
        let library = |tree: &str| {
            let lines = tree.lines().filter(|line| line.starts_with("library"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(library(tree), library(&seen[0].1), "{name}");
    }
}

#[test]
fn a_manifest_by_path_is_followed_to_its_archive() {
    let host = Host::new();
    let server = Server::start();
    let archive = packed(pack::tar);
    let url = server.route("/files/web.tar", [Reply::bytes(archive.clone())]);
    let own = std::fs::read_to_string(cartridge().join("metadata/manifest.yml")).unwrap();
    let digest = md5(&archive).to_uppercase();
    host.write("manifest.yml", &format!("{own}\nSource-Url: {url}\nSource-Md5: {digest}\n"), 0o644);
    let path = host.root().with_file_name("manifest.yml").display().to_string();
    host.must(&["install", &path]);
    assert_eq!(host.json(&["list"])["packages"][0]["md5"], md5(&archive));
}

#[test]
fn releases_and_software_versions_stand_side_by_side() {
    let _alone = alone();
    let host = Host::new();
    let show = "#!/bin/bash\necho \"setup with $2\" >\"$OPENSHIFT_DATA_DIR/seen\"\n\
                echo \"$@\" >>\"$OPENSHIFT_DATA_DIR/seen\"\n";
    for release in ["1.0", "2.0"] {
        let more =
            format!("Cartridge-Version: '{release}'\nVersion: '1.1'\nVersions: ['1.1', '1.0']\n");
        host.must(&["install", &host.cartridge(release, &more, ("install", show))]);
    }
    let packages = host.json(&["list"])["packages"].clone();
    assert_eq!(packages.as_array().unwrap().len(), 2, "{packages}");
    for (gear, wanted, version) in [("old", "ours-1.0", "1.0"), ("new", "ours-1.1", "1.1")] {
        host.must(&["gear", "create", gear, wanted]);
        let (status, seen) = host.run(&["gear", "exec", gear, "--", "cat", "app-root/data/seen"]);
        assert_eq!(status, 0, "{seen}");
        assert!(seen.contains(&format!("--version {version}")), "{seen}");
    }
    host.must(&["verify"]);
    host.must(&["gear", "destroy", "old"]);
    host.must(&["gear", "destroy", "new"]);
}

#[test]
fn action_hooks_are_run_and_sourced_around_a_start() {
    let _alone = alone();
    let host = Host::new();
    let more = "Cartridge-Version: '1.0'\nVersion: '1'\n";
    let control = "#!/bin/bash\necho \"control $1 ${FROM_HOOK-}\" >>\"$OPENSHIFT_DATA_DIR/seen\"\n";
    let folder = host.cartridge("hooked", more, ("control", control));
    let note = |word: &str| format!("#!/bin/bash\necho {word} >>\"$OPENSHIFT_DATA_DIR/seen\"\n");
    for (name, text) in [
        ("pre_start", note("before")),
        ("pre_start_ours", "export FROM_HOOK=sourced\n".to_owned()),
        ("post_start", note("after")),
        ("pre_stop", note("leaving")),
    ] {
        host.write(&format!("hooked/template/.openshift/action_hooks/{name}"), &text, 0o755);
    }
    host.must(&["gear", "create", "x", &folder]);
    host.must(&["gear", "start", "x"]);
    host.must(&["gear", "stop", "x"]);
    host.must(&["undo", &host.last()]);
    assert_eq!(host.json(&["gear", "show", "x"])["state"], "started");
    host.must(&["undo", &host.last()]);
    let (status, seen) = host.run(&["gear", "exec", "x", "--", "cat", "app-root/data/seen"]);
    assert_eq!(status, 0, "{seen}");
    assert!(seen.contains("before\ncontrol start sourced\nafter\n"), "{seen}");
    assert!(seen.contains("leaving\ncontrol stop"), "{seen}");
    host.must(&["gear", "destroy", "x"]);
}
