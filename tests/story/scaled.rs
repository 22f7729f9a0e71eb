//! Applications of several gears: what is kept of them and brought back, and what is refused, by name
//! and with nothing done.

use super::alone;
use super::scaling::Scene;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What is done to the head, which is out of rotation meanwhile; its proxy is stopped by nobody.
const KEPT: &str = "app proxy app disable of 3, app web stop second, app side stop second, \
    app side pre-snapshot second, app proxy pre of 3, app web pre-snapshot second, \
    app side post-snapshot second, app proxy post of 3, app web post-snapshot second, \
    app side start second, app web start second, app proxy app enable of 3";

/// How the head goes on with what was restored, the others serving what they did.
const HEAD_FIRST: &str = "app web update-configuration second, app proxy start of 3, \
    app web deploy second, app hook deploy, app web start second, app web post-deploy second, \
    app hook post_deploy, app proxy deploy of 3";

/// An application of `many` gears, all of which show the page `second`.
fn at_second(many: &str) -> Scene {
    let scene = Scene::new(1);
    scene.host.must(&["gear", "scale", "app", many]);
    scene.push(&[("page", "second")]).unwrap();
    scene.order();
    scene
}

/// What happened to the framework and the proxy since the snapshot's own data came back.
fn since_restored(order: &str) -> String {
    let lines: Vec<&str> = order.split(", ").collect();
    let from = lines.iter().rposition(|line| line.contains(" post-restore")).unwrap();
    let lines = lines[from + 1..].iter().filter(|line| !line.contains(" side "));
    lines.copied().collect::<Vec<_>>().join(", ")
}

#[test]
fn the_head_is_kept_while_the_others_serve_and_brings_all_of_them_back() {
    let _alone = alone();
    let scene = at_second("3");
    let host = &scene.host;
    let file = host.place("a.tar.gz");
    let proxy = scene.file("app", "app-root/data/proxy.pid");
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    let order = scene.order();
    assert_eq!(order, KEPT);
    assert_eq!(scene.file("app", "app-root/data/proxy.pid"), proxy, "the proxy ran on");
    assert_eq!(scene.pages(), ["second"; 3]);

    scene.push(&[("page", "third")]).unwrap();
    assert_eq!(scene.pages(), ["third"; 3]);
    scene.order();
    host.must(&["gear", "restore", "app", "--from", &file]);
    let restored = host.last();
    let child = "app proxy child disable of 3, g web stop third, \
                 g web update-configuration second, g web deploy second, g hook deploy, \
                 g web start second, g web post-deploy second, g hook post_deploy, \
                 app proxy child enable of 3";
    let expected = format!("{HEAD_FIRST}, {child}, {child}");
    assert_eq!(since_restored(&scene.order()), expected);
    assert_eq!(scene.pages(), ["second"; 3]);
    host.must(&["verify"]);
    // The gears go back together, too.
    host.must(&["undo", &restored]);
    assert_eq!(scene.pages(), ["third"; 3]);
    host.must(&["undo", &host.last()]);
    assert_eq!(scene.pages(), ["second"; 3]);
    host.must(&["verify"]);
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_restore_that_fails_in_another_gear_is_put_back_in_all_of_them() {
    let _alone = alone();
    let scene = at_second("3");
    let host = &scene.host;
    let file = host.place("a.tar.gz");
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    scene.push(&[("page", "third")]).unwrap();
    let deployments = |gear: &str| scene.link(gear, "app-deployments/current");
    let before: Vec<_> = scene.gears().iter().map(|gear| deployments(gear)).collect();
    scene.put("app-2", "app-root/data/fail-in", "deploy second");
    let (status, said) = host.run(&["gear", "restore", "app", "--from", &file]);
    assert!(
        status == 9 && said.contains("`control-deploy` of `web` exited with status 7"),
        "{said}"
    );
    assert_eq!(scene.pages(), ["third"; 3]);
    let after: Vec<_> = scene.gears().iter().map(|gear| deployments(gear)).collect();
    assert_eq!(after, before);
    for gear in scene.gears() {
        assert_eq!(scene.file(&gear, "app-root/runtime/repo/page"), "third");
        assert_eq!(scene.file(&gear, "app-root/runtime/.state"), "started");
    }
    host.must(&["verify"]);
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_stopped_application_stays_stopped_and_has_what_was_restored() {
    let _alone = alone();
    let scene = at_second("2");
    let host = &scene.host;
    let file = host.place("a.tar.gz");
    host.must(&["gear", "stop", "app"]);
    scene.order();
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    assert!(!scene.order().contains("start"));
    host.must(&["gear", "start", "app"]);
    scene.push(&[("page", "third")]).unwrap();
    host.must(&["gear", "stop", "app"]);
    scene.order();
    host.must(&["gear", "restore", "app", "--from", &file]);
    assert!(!scene.order().contains("start"));
    assert_eq!(scene.pages(), ["", ""]);
    host.must(&["gear", "start", "app"]);
    assert_eq!(scene.pages(), ["second", "second"]);
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn another_application_is_made_of_what_was_kept_with_as_many_gears_as_it_needs() {
    let _alone = alone();
    for (least, all) in [(1, &["copy"][..]), (2, &["copy", "copy-1"])] {
        let scene = Scene::new(least);
        let host = &scene.host;
        let file = host.place("a.tar.gz");
        host.must(&["gear", "env", "set", "app", "COLOUR=red"]);
        scene.push(&[("page", "second")]).unwrap();
        host.must(&["gear", "snapshot", "app", "--output", &file]);
        host.must(&["gear", "destroy", "app"]);
        host.must(&["gear", "restore", "--as", "copy", "--from", &file]);
        let made = host.last();
        assert_eq!(scene.gears(), all);
        assert_eq!(scene.pages(), vec!["second"; all.len()]);
        for gear in all {
            let role = if *gear == "copy" { "head" } else { "web" };
            assert_eq!(scene.show(gear)["role"], role);
            let said = host.run(&["gear", "exec", gear, "--", "printenv", "COLOUR"]).1;
            assert_eq!(said.trim(), "red", "{gear}");
        }
        host.must(&["verify"]);
        host.must(&["gear", "scale", "copy", "3"]);
        assert_eq!(scene.pages(), ["second"; 3]);
        host.must(&["gear", "scale", "copy", &least.to_string()]);
        host.must(&["undo", &made]);
        assert!(scene.gears().is_empty());
    }
}

/// Makes the archive `to` of the archive `from`, of which `change` gets the home.
fn remade(scene: &Scene, (from, to): (&str, &str), change: impl Fn(&Path)) {
    let folder = scene.host.path("unpacked");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let tar = |line: &[&str]| {
        let mut tar = Command::new("tar");
        assert!(tar.arg("-C").arg(&folder).args(line).status().unwrap().success());
    };
    tar(&["-xzf", from]);
    // A home is locked by its mode where it is no other account's.
    let mut chmod = Command::new("chmod");
    assert!(chmod.args(["-R", "u+w"]).arg(&folder).status().unwrap().success());
    change(&std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path());
    tar(&["-czf", to, "."]);
}

#[test]
fn archives_that_the_other_gears_could_not_follow_are_refused_and_nothing_happens() {
    let _alone = alone();
    let scene = Scene::new(2);
    let host = &scene.host;
    scene.push(&[("page", "second")]).unwrap();
    let (file, changed) = (host.place("a.tar.gz"), host.place("b.tar.gz"));
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    scene.order();
    let look = || (scene.gears(), scene.registry(), scene.pages(), host.last(), host.tree());
    let before = look();
    let refused = |line: &[&str], words: &str, remedy: &str| {
        let (status, said) = host.run(line);
        assert_eq!(status, 4, "{line:?}: {said}");
        assert!(said.contains(words) && said.contains(remedy), "{line:?}: {said}");
        assert_eq!(scene.order(), "", "{line:?}");
        assert_eq!(look(), before, "{line:?}");
    };
    // A repository alone would have to be built in a head that has its other gears already.
    remade(&scene, (&file, &changed), |home| {
        std::fs::remove_dir_all(home.join("app-deployments")).unwrap();
    });
    refused(
        &["gear", "restore", "--as", "copy", "--from", &changed],
        "no deployment that several gears could share",
        "push the repository",
    );
    // Another deployment of the same name than the one that the other gear has.
    let name = scene.link("app", "app-deployments/current");
    remade(&scene, (&file, &changed), |home| {
        let path = home.join("app-deployments").join(&name).join("metadata.json");
        let mut metadata: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        metadata["id"] = "01234567".into();
        std::fs::write(path, metadata.to_string()).unwrap();
    });
    refused(
        &["gear", "restore", "app", "--from", &changed],
        &format!("the gear `app-1` has another deployment called {}", name.display()),
        "`cart gear scale app 1`",
    );
    // Nobody else has one of that name, or it is the same.
    host.must(&["gear", "restore", "--as", "copy", "--from", &changed]);
    host.must(&["gear", "destroy", "copy"]);
    host.must(&["gear", "restore", "app", "--from", &file]);
    host.must(&["verify"]);
    host.must(&["gear", "destroy", "app"]);
}

/// Everything that is refused of scaled applications: what is said, the exit status, and what to do
/// instead; nothing of the host is changed by any of it.
#[test]
fn what_is_not_done_with_several_gears_is_refused_by_name() {
    let _alone = alone();
    let scene = at_second("2");
    let host = &scene.host;
    let file = host.place("a.tar.gz");
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    let (web, proxy) = (host.place("web"), host.place("proxy"));
    host.write("other/metadata/manifest.yml", OTHER, 0o644);
    host.write("other/bin/control", "#!/bin/bash\nexit 0\n", 0o755);
    let other = host.place("other");
    scene.order();
    let look =
        || (scene.gears(), scene.registry(), scene.pages(), host.last(), host.json(&["list"]));
    let before = look();
    let part = "is a part of the scaled application `app`";
    let head = "say it to its head, the gear `app`";
    for (line, status, words, remedy) in [
        (&["gear", "snapshot", "app-1", "--output", &file][..], 4, part, head),
        (&["gear", "restore", "app-1", "--from", &file], 4, part, head),
        (&["gear", "deploy", "app-1"], 4, part, head),
        (&["gear", "activate", "app-1", "--previous"], 4, part, head),
        (&["gear", "activate", "app-1", "none"], 4, part, head),
        (
            &["gear", "add", "app", &other],
            4,
            "has one web proxy",
            "cart gear create NAME … --scale",
        ),
        (&["gear", "remove", "app", "proxy"], 4, "has one web proxy", "another application"),
        (
            &["gear", "create", "two", &web, &proxy, &other, "--scale"],
            4,
            "one web proxy, not several",
            "name one of them",
        ),
        (
            &["gear", "create", "apart", &other, "--app", "app"],
            4,
            "is in its first gear",
            "`cart gear scale app N`",
        ),
        (&["gear", "scale", "app", "auto"], 2, "`auto` is no value for `<N>`", ""),
    ] {
        let (code, said) = host.run(line);
        assert_eq!(code, status, "{line:?}: {said}");
        assert!(said.contains(words) && said.contains(remedy), "{line:?}: {said}");
    }
    let alone = "this gear cannot write to the other gears of the application";
    let host_does = "`cart gear deploy` on the host, deploys to all of them";
    let text = scene.file("app", "app-deployments/current/metadata.json");
    let metadata: Value = serde_json::from_str(&text).unwrap();
    let id = metadata["id"].as_str().unwrap();
    for (line, status, words, remedy) in [
        ("gear deploy".to_owned(), 255, alone, host_does),
        ("gear prereceive --init".into(), 255, alone, host_does),
        ("gear remotedeploy".into(), 255, alone, host_does),
        (format!("gear distribute {id}"), 255, alone, "`cart gear activate NAME ID` on the host"),
        (
            format!("gear activate --all {id}"),
            255,
            alone,
            "`cart gear activate NAME ID` on the host",
        ),
        (
            "gear restart --all --cart web".into(),
            255,
            alone,
            "`cart gear restart NAME` on the host",
        ),
        // What the original's proxy asks of the broker where there is much to do.
        ("rhc cartridge scale web --min 2".into(), 1, "no broker", "`cart gear` does what"),
        (
            "gear restore --restore-git-repo".into(),
            1,
            alone,
            "`cart gear restore NAME < FILE` on the host",
        ),
    ] {
        let words_of: Vec<&str> = line.split(' ').collect();
        let (code, said) = host.run(&[&["gear", "exec", "app", "--"], &*words_of].concat());
        assert_eq!(code, status, "{line}: {said}");
        assert!(said.contains(words) && said.contains(remedy), "{line}: {said}");
    }
    assert_eq!(scene.order(), "", "nobody was told of anything");
    assert_eq!(look(), before);
    host.must(&["verify"]);
    host.must(&["gear", "destroy", "app"]);
}

/// Another web proxy.
const OTHER: &str = "Name: other\nCartridge-Short-Name: OTHER\nCartridge-Vendor: test\n\
    Cartridge-Version: '1.0'\nVersion: '1'\nCategories: [web_proxy]\n";
