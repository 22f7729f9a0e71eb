//! What goes wrong with snapshots: nothing of it changes the gear.

use super::{Scene, packed, write};
use crate::alone;

#[test]
fn a_snapshot_that_fails_hands_out_nothing_and_the_gear_goes_on() {
    let _alone = alone();
    let scene = Scene::new();
    let before = scene.seen("app");
    for step in ["web pre-snapshot", "web post-snapshot", "web stop"] {
        scene.put("app", "web/fail-in", step);
        let (status, said) = scene.snapshot(&[], "a.tar.gz");
        assert!(status == 9 && said.contains("status 7"), "{step}: {status} {said}");
        assert_eq!(std::fs::metadata(scene.host.path("a.tar.gz")).unwrap().len(), 0, "{step}");
        scene.put("app", "web/fail-in", "");
        if step == "web post-snapshot" {
            // What would have cleared it away is what failed.
            std::fs::remove_file(scene.path("app", "app-root/data/web.dump")).unwrap();
        }
        scene.same(&before, step);
    }
    let (status, said) = scene.host.run(&["gear", "snapshot", "app", "--json"]);
    assert!(status == 2 && said.contains("--output"), "{said}");
    let (status, said) = scene.host.run(&["gear", "snapshot", "app", "-o", "/nowhere/x/a.tar.gz"]);
    assert!(status != 0 && said.contains("/nowhere"), "{said}");
    assert_eq!(scene.host.run(&["gear", "snapshot", "nobody"]).0, 3);
    scene.order("app");
    let plan = scene.host.json(&["gear", "snapshot", "app", "--dry-run"]);
    assert!(plan["plan"]["steps"].as_array().unwrap().len() > 8, "{plan}");
    assert_eq!(scene.order("app"), "");
    // A file that is there is replaced when all is well.
    let file = scene.host.place("b.tar.gz");
    scene.host.write("b.tar.gz", "old", 0o644);
    let answer = scene.host.json(&["gear", "snapshot", "app", "--output", &file]);
    assert_eq!(answer["changed"], true);
    assert!(scene.names("b.tar.gz").len() > 20);
    scene.same(&before, "afterwards");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_restore_that_fails_leaves_the_gear_as_it_was() {
    let _alone = alone();
    let scene = Scene::new();
    scene.must_snapshot(&[], "a.tar.gz");
    scene.put("app", "app-root/data/page", "two");
    let before = scene.seen("app");
    for step in
        ["web pre-receive", "side pre-restore", "web post-restore", "web deploy", "web start"]
    {
        scene.put("app", "web/fail-in", step);
        let (status, said) = scene.restore(&["app"], "a.tar.gz");
        assert!(status == 9 && said.contains("status 7"), "{step}: {status} {said}");
        // What fails to start does so when it is started again, too.
        scene.put("app", "web/fail-in", "");
        if step == "web start" {
            scene.host.must(&["gear", "stop", "app"]);
            scene.host.must(&["gear", "start", "app"]);
        }
        scene.same(&before, step);
    }
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn what_is_no_snapshot_or_a_damaged_one_is_found_before_the_gear_is_stopped() {
    let _alone = alone();
    let scene = Scene::new();
    scene.must_snapshot(&[], "good.tar.gz");
    scene.order("app");
    let before = scene.seen("app");
    for (name, words) in bad(&scene) {
        for line in [&["app"][..], &["--as", "copy"]] {
            let (status, said) = scene.restore(line, name);
            assert!(status != 0 && said.starts_with("error: "), "{name}: {status} {said}");
            let is_nobodys = said.contains("of which cartridges");
            assert!(said.contains(words) || is_nobodys, "{name}: {said}");
            assert!(!scene.host.has_gear_folder("copy"), "{name}");
            scene.same(&before, name);
            assert_eq!(scene.order("app"), "", "{name}");
        }
    }
    scene.host.must(&["gear", "destroy", "app"]);
}

/// Archives that are no snapshots, made of the one called `good.tar.gz`: their names, and a word of what
/// is said of each.
pub(super) fn bad(scene: &Scene) -> [(&'static str, &'static str); 10] {
    let good = std::fs::read(scene.host.path("good.tar.gz")).unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(scene.host.path(name), bytes).unwrap();
    put("empty", b"");
    put("text", b"this is no archive");
    put("cut", &good[..good.len() / 2]);
    put("short", &good[..good.len() - 1]);
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    put("damaged", &damaged);
    packed(scene, "two", &["one", "two"], |home| write(home, "app-root/data/page", "x"));
    packed(scene, "none", &["g1"], |home| write(home, "other", "x"));
    packed(scene, "linked", &["g1"], |home| {
        std::fs::create_dir_all(home.join("app-root")).unwrap();
        std::os::unix::fs::symlink("/etc", home.join("app-root/data")).unwrap();
    });
    packed(scene, "git-link", &["g1"], |home| {
        write(home, "app-root/data/page", "x");
        write(home, "git/app.git/HEAD", "ref: refs/heads/master\n");
        std::os::unix::fs::symlink("/etc", home.join("git/app.git/refs")).unwrap();
    });
    // Names that climb, which no `tar` would write.
    let mut header = tar::Header::new_gnu();
    let name = b"./g1/app-root/data/../../../../x";
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_size(0);
    header.set_cksum();
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut climbing = tar::Builder::new(gzip);
    climbing.append(&header, std::io::empty()).unwrap();
    put("climbing", &climbing.into_inner().unwrap().finish().unwrap());
    [
        ("empty", "gzip"),
        ("text", "gzip"),
        ("cut", "snapshot"),
        ("short", "snapshot"),
        ("damaged", "snapshot"),
        ("two", "more than one folder"),
        ("none", "app-root/data"),
        ("linked", "app-root/data"),
        ("git-link", "repository"),
        ("climbing", ".."),
    ]
}
