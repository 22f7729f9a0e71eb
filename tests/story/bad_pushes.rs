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

/// A build that goes on until it may end.
const SLOW: &str = "#!/bin/bash\ntouch \"$OPENSHIFT_DATA_DIR/slow\"\n\
    until [[ -e $OPENSHIFT_DATA_DIR/go ]]; do sleep 0.1; done\n";

#[test]
fn of_two_who_push_at_once_one_goes_and_the_other_is_told_who_and_then_goes_too() {
    let _alone = alone();
    let scene = Scene::new();
    let data = scene.host.home("app").join("app-root/data");
    let other = scene.host.place("other");
    scene
        .git(&[
            "clone",
            "-q",
            &scene.host.home("app").join("git/app.git").display().to_string(),
            &other,
        ])
        .unwrap();
    let theirs = |line: &[&str]| scene.git(&[&["-C", &other], line].concat());
    scene.host.write("other/more", "more", 0o644);
    theirs(&["add", "-A"]).unwrap();
    theirs(&["commit", "-q", "-m", "more"]).unwrap();
    scene.commit(&[(HOOK, Some(SLOW)), ("page", Some("one"))]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| scene.push());
        Host::until(|| data.join("slow").exists());
        let said = theirs(&["push", "-q", "origin", "HEAD:master"]).unwrap_err();
        std::fs::write(data.join("go"), "").unwrap();
        first.join().unwrap().unwrap();
        let errors: Vec<_> =
            lines(&said).into_iter().filter(|line| line.starts_with("error:")).collect();
        assert_eq!(errors.len(), 1, "{said}");
        let held = "the gear app is locked by process ";
        let holder: Vec<_> = lines(&said).into_iter().filter(|line| line.contains(held)).collect();
        assert!(holder.len() == 1 && holder[0].contains("gear receive app pre-receive"), "{said}");
        assert!(
            said.contains("push again when that is over") && !said.contains("--wait"),
            "{said}"
        );
    });
    is_whole(&scene, "one");
    // By now it is behind, which git says itself.
    let said = theirs(&["push", "-q", "origin", "HEAD:master"]).unwrap_err();
    assert!(said.contains("fetch first") || said.contains("non-fast-forward"), "{said}");
    theirs(&["pull", "-q", "--rebase", "origin", "master"]).unwrap();
    theirs(&["push", "-q", "origin", "HEAD:master"]).unwrap();
    is_whole(&scene, "one");
    assert_eq!(scene.file("app-root/runtime/repo/more"), "more");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn what_leads_back_or_nowhere_is_refused_before_anything_stops() {
    let _alone = alone();
    let scene = Scene::new();
    scene.commit(&[("page", Some("second"))]);
    scene.push().unwrap();
    scene.order();
    let before = scene.deployments();
    // Not fast-forward: git says so, and the branch stays where it is.
    let head = scene.git(&["rev-parse", "HEAD"]).unwrap();
    scene.git(&["reset", "-q", "--hard", "HEAD~1"]).unwrap();
    scene.commit(&[("page", Some("aside"))]);
    let said = scene.push().unwrap_err();
    assert!(said.contains("rejected"), "{said}");
    let theirs = scene.git(&["ls-remote", "origin", "master"]).unwrap();
    assert!(theirs.starts_with(head.trim()), "{theirs}");
    // A commit that is not there.
    for name in ["no-such-branch", "v9.9", "0123456789abcdef0123456789abcdef01234567", "HEAD~99"] {
        let (status, said) = scene.host.run(&["gear", "deploy", "app", "--ref", name]);
        assert_eq!(status, 3, "{name}: {said}");
        assert!(said.contains(&format!("no commit `{name}`")), "{name}: {said}");
        assert!(said.contains("push it first, or name another"), "{name}: {said}");
    }
    assert_eq!((scene.order().as_str(), scene.deployments()), ("", before));
    is_whole(&scene, "second");
    // What is pushed over it all the same is deployed.
    scene.git(&["push", "-q", "--force", "origin", "HEAD:master"]).unwrap();
    is_whole(&scene, "aside");
    scene.host.must(&["gear", "destroy", "app"]);
}

/// A hot deployment is built apart, and what comes before finds the application that is in use.
#[test]
fn what_scripts_put_into_the_application_in_use_is_not_in_a_hot_one() {
    let _alone = alone();
    let scene = Scene::new();
    let control = scene.host.home("app").join("web/bin/control");
    let text = std::fs::read_to_string(&control).unwrap();
    let own = "[[ $1 == pre-re* ]] && mkdir -p \"$OPENSHIFT_REPO_DIR/left\"\n";
    std::fs::write(&control, text.replacen('\n', &format!("\n{own}"), 1)).unwrap();
    scene.commit(&[("page", Some("hot")), (".openshift/markers/hot_deploy", Some(""))]);
    scene.push().unwrap();
    is_whole(&scene, "hot");
    let metadata = scene.file("app-deployments/current/metadata.json");
    assert!(metadata.contains("\"hot_deploy\":true"), "{metadata}");
    assert_eq!(scene.file("app-root/runtime/dependencies/builds"), "one");
    assert!(!scene.host.home("app").join("app-root/runtime/repo/left").exists());
    scene.host.must(&["gear", "destroy", "app"]);
}
