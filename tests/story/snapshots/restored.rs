//! `gear restore` inside a gear, as the original's: what an archive on the input has comes into the gear,
//! or the gear is as it was.

use super::trouble::bad;
use super::{Scene, packed, write};
use crate::alone;
use crate::host::Host;
use std::fs::File;
use std::process::{Child, Stdio};

/// Begins a verb in the gear; what it says goes to the file `beside`, what scripts print to `printed`.
fn begun(scene: &Scene, verb: &[&str], input: Option<&str>) -> Child {
    let line = [&["gear", "exec", "app", "--", "gear"], verb].concat();
    let mut cart = scene.host.command(&line);
    cart.stdin(
        input.map_or_else(Stdio::null, |input| File::open(scene.host.path(input)).unwrap().into()),
    );
    // What runs in the gear afterwards keeps the outputs open: a pipe would not end.
    let file = |name: &str| File::create(scene.host.path(name)).unwrap();
    cart.stderr(file("beside")).stdout(file("printed")).spawn().unwrap()
}

/// Does it; gives the exit status, and what was said and printed.
fn verb(scene: &Scene, verb: &[&str], input: Option<&str>) -> (i32, String, String) {
    let status = begun(scene, verb, input).wait().unwrap();
    let text = |name: &str| std::fs::read_to_string(scene.host.path(name)).unwrap();
    (status.code().unwrap_or(-1), text("beside"), text("printed"))
}

/// Restores from the inside; gives the exit status and what was said beside what scripts print.
fn from_inside(scene: &Scene, more: &[&str], from: &str) -> (i32, String) {
    let (status, said, _) = verb(scene, &[&["restore"], more].concat(), Some(from));
    (status, said)
}

fn nothing_is_left(scene: &Scene, what: &str) {
    for name in [".before", ".before.json", ".before-restore"] {
        assert!(!scene.has("app", &format!("app-deployments/{name}")), "{what}: {name}");
    }
}

const DATA: &str = "side stop side two, web stop web two, side pre-restore side two, \
    web pre-restore web two, side post-restore side one, web post-restore web one, \
    side start side one, web start web one";

const WHOLE: &str = "side stop side two, web stop web two, side pre-restore side two, \
    web pre-restore web two, side post-restore side one, web post-restore web one, \
    web update-configuration web one, side start side one, web deploy web one, hook deploy, \
    web start web one, web post-deploy web one";

#[test]
fn the_data_come_back_and_with_the_option_what_was_deployed() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    let before = scene.seen("app");
    scene.must_snapshot(&[], "a.tar.gz");
    host.must(&["gear", "configure", "app", "--keep-deployments", "2"]);
    let link = || std::fs::read_link(scene.path("app", "app-root/runtime/repo")).unwrap();
    let (first, id) =
        (link(), host.json(&["gear", "deployments", "app"])["deployments"][0]["id"].clone());
    host.must(&["gear", "deploy", "app"]);
    let second = link();
    let two = || {
        scene.put("app", "app-root/data/page", "two");
        scene.put("app", "app-root/data/new", "n");
        scene.put("app", "web/web.db", "web two");
        scene.order("app");
    };
    two();
    let (status, said) = from_inside(&scene, &[], "a.tar.gz");
    assert_eq!((status, said.as_str()), (0, "Restoring ~/app-root/data\n"));
    assert_eq!(scene.order("app"), DATA);
    assert_eq!(scene.file("app", "web/web.db"), "web one", "the database came by its dump");
    assert_eq!(link(), second, "what is in use stays");
    assert!(!scene.has("app", "app-root/data/new") && scene.runs("app"));
    assert_eq!(scene.file("app", "app-root/runtime/.state"), "started");
    assert!(!scene.has("app", "app-root/runtime/.stop_lock"));
    nothing_is_left(&scene, "data");

    two();
    let (status, said) = from_inside(&scene, &["--restore-git-repo"], "a.tar.gz");
    assert!(status == 0 && said.contains("\nActivation status: success\n"), "{said}");
    assert!(said.contains("The repository stays as it is"), "{said}");
    assert_eq!(scene.order("app"), WHOLE);
    assert_eq!((link(), scene.seen("app")), (first.clone(), before));
    assert!(scene.runs("app"));
    nothing_is_left(&scene, "deployments");
    let all = host.json(&["gear", "deployments", "app"])["deployments"].clone();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["id"]), (1, &id));
    host.must(&["verify"]);

    // One that is stopped stays so, and what it lacks of the deployments comes by the side.
    host.must(&["gear", "stop", "app"]);
    packed(&scene, "b.tar.gz", &["g1"], |home| {
        write(home, "app-root/data/page", "three");
        write(home, "app-deployments/2014-05-01_10-11-12.345/repo/page", "theirs");
        let text = "{\"id\":\"aabbccdd\",\"git_ref\":\"master\",\"activations\":[1.5]}";
        write(home, "app-deployments/2014-05-01_10-11-12.345/metadata.json", text);
    });
    scene.order("app");
    assert_eq!(from_inside(&scene, &["--no-report-deployments"], "b.tar.gz").0, 0);
    assert!(!scene.order("app").contains(" start"));
    assert_eq!(scene.file("app", "app-root/runtime/.state"), "stopped");
    assert_eq!((scene.file("app", "app-root/data/page").as_str(), link()), ("three", first));
    assert_eq!(verb(&scene, &["activate", "aabbccdd"], None).0, 0);
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "theirs");
    // It has nothing that could be put to use, and nobody would build its repository.
    packed(&scene, "c.tar.gz", &["g1"], |home| write(home, "app-root/data/page", "x"));
    let (status, said) = from_inside(&scene, &["--restore-git-repo"], "c.tar.gz");
    assert!(status == 1 && said.contains("cart gear restore NAME < FILE"), "{said}");
    assert_eq!(scene.file("app", "app-root/data/page"), "three");
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn what_is_bad_or_fails_leaves_the_gear_as_it_was() {
    let _alone = alone();
    let scene = Scene::new();
    scene.must_snapshot(&[], "good.tar.gz");
    scene.put("app", "app-root/data/page", "two");
    scene.order("app");
    let before = scene.seen("app");
    for (name, words) in bad(&scene) {
        if name == "git-link" {
            continue;
        }
        for more in [&[][..], &["--restore-git-repo"]] {
            let (status, said) = from_inside(&scene, more, name);
            assert!(status == 1 && said.starts_with("error: "), "{name}: {status} {said}");
            let is_cut = words == "snapshot";
            assert!(is_cut || said.contains(words), "{name}: {said}");
            scene.same(&before, name);
            assert_eq!(scene.order("app"), "", "{name}");
            nothing_is_left(&scene, name);
        }
    }
    for step in ["side stop", "side pre-restore", "web post-restore", "web deploy", "web start"] {
        scene.put("app", "web/fail-in", step);
        let (status, said) = from_inside(&scene, &["--restore-git-repo"], "good.tar.gz");
        let action = step.split(' ').next_back().unwrap();
        assert_eq!(status, 1, "{step}: {said}");
        assert!(said.contains(&format!("Failed to execute: 'control {action}'")), "{said}");
        assert!(said.contains("Activation status: failure"), "{said}");
        scene.put("app", "web/fail-in", "");
        if ["side stop", "web start"].contains(&step) {
            // What failed does so when it is put back, too.
            scene.host.must(&["gear", "stop", "app"]);
            scene.host.must(&["gear", "start", "app"]);
        }
        scene.same(&before, step);
        nothing_is_left(&scene, step);
    }
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn one_that_was_killed_is_put_back_by_the_next_verb_or_left_where_it_is_used() {
    let _alone = alone();
    let scene = Scene::new();
    scene.must_snapshot(&[], "good.tar.gz");
    scene.put("app", "app-root/data/page", "two");
    let before = scene.seen("app");
    // A cartridge never ends what it does after the data have come.
    let control = scene.path("app", "web/bin/control");
    let text = std::fs::read_to_string(&control).unwrap();
    let slow = "post-restore) echo $PPID >\"$OPENSHIFT_WEB_DIR/slow\"; exec sleep 600 ;;\n";
    std::fs::write(&control, text.replacen("case $1 in\n", &format!("case $1 in\n{slow}"), 1))
        .unwrap();
    let killed = || {
        let _ = std::fs::remove_file(scene.path("app", "web/slow"));
        let mut first = begun(&scene, &["restore", "--restore-git-repo"], Some("good.tar.gz"));
        Host::until(|| !scene.file("app", "web/slow").is_empty());
        assert_eq!(scene.file("app", "app-root/data/page"), "one");
        let kill = ["gear", "exec", "app", "--", "kill", "-9", &scene.file("app", "web/slow")];
        scene.host.must(&kill);
        assert!(!first.wait().unwrap().success());
        assert!(scene.has("app", "app-deployments/.before-restore"));
    };
    killed();
    let (_, _, said) = verb(&scene, &["prepare", "/dev/null"], None);
    assert!(said.contains("was cut off, and is put back first"), "{said}");
    scene.same(&before, "killed");
    nothing_is_left(&scene, "killed");

    // Who starts it all the same has what was restored, and can take what was there.
    killed();
    scene.host.must(&["gear", "start", "app"]);
    let (_, _, said) = verb(&scene, &["prepare", "/dev/null"], None);
    assert!(said.contains("in ~/app-deployments/.before-restore"), "{said}");
    assert_eq!(scene.file("app", "app-root/data/page"), "one");
    assert_eq!(scene.file("app", "app-deployments/.before-restore/old/4"), "two");
    std::fs::write(&control, text).unwrap();
    assert_eq!(from_inside(&scene, &[], "good.tar.gz").0, 0);
    nothing_is_left(&scene, "restored again");
    scene.host.must(&["gear", "destroy", "app"]);
}
