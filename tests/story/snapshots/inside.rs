//! `gear snapshot` inside a gear, as the original's: the archive on the output, nothing else.

use super::Scene;
use crate::alone;
use std::fs::File;
use std::process::Stdio;

/// Takes a snapshot from inside; gives the exit status and what was said beside the archive.
fn from_inside(scene: &Scene, to: &str) -> (i32, String) {
    let file = File::create(scene.host.path(to)).unwrap();
    let mut cart = scene.host.command(&["gear", "exec", "app", "--", "gear", "snapshot"]);
    // What runs in the gear afterwards keeps the error output open: a pipe would not end.
    let beside = File::create(scene.host.path("beside")).unwrap();
    let status = cart.stdin(Stdio::null()).stdout(file).stderr(beside).status().unwrap();
    let said = std::fs::read_to_string(scene.host.path("beside")).unwrap();
    (status.code().unwrap_or(-1), said)
}

const INSIDE: &str = "side stop side one, web stop web one, side pre-snapshot side one, \
    web pre-snapshot web one, side post-snapshot side one, web post-snapshot web one, \
    side start side one, web start web one";

#[test]
fn a_gear_writes_its_own_snapshot_which_the_host_restores() {
    let _alone = alone();
    let scene = Scene::new();
    let (status, said) = from_inside(&scene, "a.tar.gz");
    assert_eq!((status, said.contains("Creating and sending tar.gz")), (0, true), "{said}");
    assert_eq!(scene.order("app"), INSIDE);
    assert!(scene.runs("app"));
    assert_eq!(scene.file("app", "app-root/runtime/.state"), "started");
    assert!(!scene.has("app", "app-root/runtime/.stop_lock"));
    assert!(!scene.has("app", "app-deployments/.before.json"));
    scene.must_snapshot(&[], "b.tar.gz");
    scene.order("app");
    let names = |archive: &str| {
        let mut names = scene.names(archive);
        // Inside it is a user who stops the gear, as in the original; the lock is restored by nobody.
        names.retain(|name| !name.ends_with("/order") && !name.ends_with("/.stop_lock"));
        names.sort();
        names
    };
    assert_eq!(names("a.tar.gz"), names("b.tar.gz"));
    let before = scene.seen("app");
    scene.put("app", "app-root/data/page", "two");
    let (status, said) = scene.restore(&["app"], "a.tar.gz");
    assert_eq!(status, 0, "{said}");
    scene.same(&before, "restored");
    assert_eq!(scene.file("app", "web/web.db"), "web one");

    // One that is stopped stays so.
    scene.host.must(&["gear", "stop", "app"]);
    scene.order("app");
    assert_eq!(from_inside(&scene, "c.tar.gz").0, 0);
    assert!(!scene.order("app").contains(" start"));
    assert_eq!(scene.file("app", "app-root/runtime/.state"), "stopped");
    assert!(scene.has("app", "app-root/runtime/.stop_lock"));
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn what_fails_in_it_hands_out_nothing_and_the_gear_goes_on() {
    let _alone = alone();
    let scene = Scene::new();
    let before = scene.seen("app");
    for step in ["side stop", "web pre-snapshot", "side post-snapshot"] {
        scene.put("app", "web/fail-in", step);
        let (status, said) = from_inside(&scene, "a.tar.gz");
        let action = step.split(' ').next_back().unwrap();
        assert_eq!(status, 255, "{step}: {said}");
        assert!(said.contains(&format!("Failed to execute: 'control {action}'")), "{said}");
        assert_eq!(std::fs::metadata(scene.host.path("a.tar.gz")).unwrap().len(), 0, "{step}");
        scene.put("app", "web/fail-in", "");
        if step == "side post-snapshot" {
            // What would have cleared it away is what failed.
            std::fs::remove_file(scene.path("app", "app-root/data/side.dump")).unwrap();
        }
        if step == "side stop" {
            // It could not be ended, and was started a second time.
            scene.host.must(&["gear", "stop", "app"]);
            scene.host.must(&["gear", "start", "app"]);
        }
        scene.same(&before, step);
        assert!(!scene.has("app", ".tmp/.gear-snapshot.tar.gz"), "{step}");
    }
    scene.host.must(&["gear", "destroy", "app"]);
}
