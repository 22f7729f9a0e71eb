//! What goes wrong while somebody pushes: one clear line to them, the old version running, and the next
//! push works.

use super::alone;
use super::deploy::Scene;
use super::disk::Mounted;
use super::host::Host;

const HOOK: &str = ".openshift/action_hooks/build";

/// The old version runs, and is what is seen.
fn is_whole(scene: &Scene, page: &str) {
    assert_eq!(scene.file("app-root/runtime/repo/page"), page);
    assert_eq!(scene.state(), "started");
    assert!(scene.runs("web") && scene.runs("side"));
    assert_eq!(scene.deployments().len(), 1);
}

/// What the pusher is told, without what the cartridges say.
fn lines(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("remote: ")).map(str::trim).collect()
}

#[test]
fn a_hook_that_hangs_is_ended() {
    let _alone = alone();
    let scene = Scene::new();
    scene.host.settings("scripts:\n  build_timeout: 5\n");
    scene.commit(&[(HOOK, Some("#!/bin/bash\ntrap '' TERM\nsleep 600\n")), ("page", Some("bad"))]);
    let said = scene.push().unwrap_err();
    assert!(said.contains("was not over after 5 seconds, and was ended"), "{said}");
    assert_eq!(lines(&said).iter().filter(|line| line.starts_with("error:")).count(), 1, "{said}");
    is_whole(&scene, "first");
    scene.host.settings("scripts:\n  build_timeout: 600\n");
    scene.commit(&[(HOOK, None), ("page", Some("good"))]);
    scene.push().unwrap();
    is_whole(&scene, "good");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_hook_that_prints_megabytes_is_heard_and_one_that_never_ends_is_ended() {
    let _alone = alone();
    let scene = Scene::new();
    let loud =
        "#!/bin/bash\nhead -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 100\necho\necho the end\n";
    scene.commit(&[(HOOK, Some(loud)), ("page", Some("loud"))]);
    let said = scene.push().unwrap();
    assert!(said.contains("remote: the end"), "{}", said.len());
    is_whole(&scene, "loud");
    scene.commit(&[(HOOK, Some("#!/bin/bash\nyes\n")), ("page", Some("bad"))]);
    let said = scene.push().unwrap_err();
    let last = said.split_at(said.len().saturating_sub(3000)).1;
    assert!(last.contains("printed without end, and was ended"), "{last}");
    is_whole(&scene, "loud");
    // One long line, and bytes that no terminal should see.
    let odd = "#!/bin/bash\nprintf '\\033[2J\\000\\377'\nhead -c 200000 /dev/zero | tr '\\0' 'x'\n";
    scene.commit(&[(HOOK, Some(odd)), ("page", Some("odd"))]);
    let said = scene.push().unwrap();
    assert!(!said.contains('\u{1b}') || !said.contains("\u{1b}[2J"), "it reached the terminal");
    is_whole(&scene, "odd");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_build_gives_all_of_it_back() {
    let _alone = alone();
    let host = Host::new();
    let Some(_mounted) = Mounted::under(&host, "size=24m") else {
        println!("SKIP: story::full_disk_push: mounting a tmpfs needs root");
        return;
    };
    let scene = Scene::on(host, &[]);
    let greedy =
        "#!/bin/bash\nset -e\ndd if=/dev/zero of=\"$OPENSHIFT_REPO_DIR/big\" bs=64k status=none\n";
    for place in ["$OPENSHIFT_REPO_DIR", "$OPENSHIFT_DEPENDENCIES_DIR"] {
        let hook = greedy.replace("$OPENSHIFT_REPO_DIR", place);
        scene.commit(&[(HOOK, Some(&hook)), ("page", Some("bad"))]);
        let said = scene.push().unwrap_err();
        assert!(said.contains("space") && said.contains("put back"), "{said}");
        is_whole(&scene, "first");
    }
    // A push that is too large by itself.
    let noise = {
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + u8::try_from(state >> 28).unwrap())
        };
        std::iter::repeat_with(next).take(40 << 20).collect::<String>()
    };
    scene.commit(&[(HOOK, None), ("page", Some("bad")), ("large", Some(&noise))]);
    scene.push().unwrap_err();
    is_whole(&scene, "first");
    scene.git(&["reset", "-q", "--hard", "HEAD~1"]).unwrap();
    scene.commit(&[(HOOK, None), ("page", Some("good"))]);
    scene.push().unwrap();
    is_whole(&scene, "good");
    scene.host.must(&["gear", "destroy", "app"]);
}
