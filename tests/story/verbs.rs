//! The verbs of `gear` inside a gear that build, deploy and show deployments: as the original's, on the
//! gear's own files, whatever transaction the gear may be in.

use super::alone;
use super::deploy::{Scene, cartridge};
use super::host::Host;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;

/// Runs a command in the gear; gives its exit status and everything that it said.
fn inside(scene: &Scene, line: &str) -> (i32, String) {
    let words: Vec<&str> = line.split(' ').collect();
    scene.host.run(&[&["gear", "exec", "app", "--"], words.as_slice()].concat())
}

fn said(scene: &Scene, line: &str) -> String {
    let (status, said) = inside(scene, line);
    assert_eq!(status, 0, "{line}: {said}");
    said
}

/// The same with a file as its input.
fn fed(scene: &Scene, line: &str, input: &Path) -> (i32, String) {
    let words: Vec<&str> = line.split(' ').collect();
    let line = [&["gear", "exec", "app", "--"], words.as_slice()].concat();
    let output = scene.host.command(&line).stdin(File::open(input).unwrap()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// A version that lies in the repository, and was not deployed.
fn waiting(scene: &Scene, files: &[(&str, Option<&str>)]) {
    scene.host.must(&["gear", "configure", "app", "--auto-deploy", "false"]);
    scene.commit(files);
    scene.push().unwrap();
    scene.host.must(&["gear", "configure", "app", "--auto-deploy", "true"]);
    scene.order();
}

/// The identifiers that `gear deployments` shows, and which one is in use.
fn listed(scene: &Scene) -> Vec<(String, bool)> {
    let text = said(scene, "gear deployments");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("Activation time - Deployment ID - Git Ref - Git SHA1"));
    let line = |line: &str| {
        let id = line.split(" - ").nth(1).unwrap().to_owned();
        (id, line.ends_with(" - ACTIVE"))
    };
    lines.map(line).collect()
}

const BUILT: &str = "side stop side first, web stop web first, web pre-receive web first, \
    web pre-repo-archive web first, web update-configuration web second, \
    web pre-build web second, hook pre_build, web build web second, hook build, hook prepare, \
    web update-configuration web second, side start side second, web deploy web second, \
    hook deploy, web start web second, web post-deploy web second, hook post_deploy";

#[test]
fn gear_deploy_walks_the_life_cycle_and_goes_back_when_it_fails() {
    let _alone = alone();
    let scene = Scene::new();
    waiting(&scene, &[("page", Some("second"))]);
    let text = said(&scene, "gear deploy");
    assert!(text.contains("Building git ref 'master', commit "), "{text}");
    assert!(text.contains("this is build of web") && text.contains("Deployment id is "), "{text}");
    assert_eq!(scene.order(), BUILT);
    assert_eq!((scene.state().as_str(), scene.deployments().len()), ("started", 1));
    assert_eq!(scene.file("app-root/runtime/repo/page"), "second");
    assert!(scene.runs("web") && scene.runs("side"));
    // The host sees the same, and goes on from there.
    let seen = scene.host.json(&["gear", "deployments", "app"])["deployments"].clone();
    assert_eq!(seen[0]["id"].as_str().unwrap(), listed(&scene)[0].0);
    assert_eq!((&seen[0]["active"], seen[0]["sha1"].as_str().unwrap().len()), (&true.into(), 7));
    let (before, repo) = (scene.deployments(), scene.link("app-root/runtime/repo"));
    for step in ["build", "deploy", "post-deploy"] {
        waiting(&scene, &[("fail-in", Some(&format!("web {step}"))), ("page", Some("bad"))]);
        let (status, said) = inside(&scene, "gear deploy");
        assert_eq!(status, 255, "{step}: {said}");
        assert!(said.contains(&format!("Failed to execute: 'control {step}'")), "{said}");
        assert_eq!(scene.deployments(), before, "{step}");
        assert_eq!(scene.link("app-root/runtime/repo"), repo, "{step}");
        assert_eq!(scene.file("app-root/runtime/repo/modules/one"), "one", "{step}");
        assert_eq!(scene.state(), "started", "{step}");
        assert!(scene.runs("web") && scene.runs("side"), "{step}");
        assert!(scene.order().ends_with("side start side second, web start web second"), "{step}");
    }
    scene.commit(&[("fail-in", None), ("page", Some("third"))]);
    scene.push().unwrap();
    assert_eq!(scene.file("app-root/runtime/repo/page"), "third");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn verbs_are_refused_with_the_originals_status() {
    let _alone = alone();
    let scene = Scene::new();
    for (line, status, words) in [
        ("gear deploy no-such-branch", 255, "Git ref no-such-branch is invalid"),
        ("gear build --upload-pack=x", 255, "unknown option"),
        ("gear deploy $(id)", 255, "is invalid"),
        ("gear activate", 255, "you must specify a deployment id"),
        ("gear activate ffffffff", 255, "Deployment id ffffffff is invalid"),
        ("gear activate ../../git", 255, "is invalid"),
        ("gear distribute ../x", 255, "is invalid"),
        ("gear prepare", 255, "a deployment artifact file to prepare"),
        ("gear prepare no-such-file", 255, "File 'no-such-file' does not exist"),
        ("gear binary-deploy x", 255, "binary deployments are disabled"),
        ("gear remotedeploy --deployment-datetime ../../git", 255, "no deployment"),
        ("gear archive-deployment --deployment-id none", 1, "no deployment"),
        ("gear rotate-out", 1, "no web proxy"),
        ("gear restore", 1, "this is no snapshot"),
        ("gear postreceive --init", 255, "no deployment to build"),
    ] {
        let (code, said) = inside(&scene, line);
        assert_eq!(code, status, "{line}: {said}");
        assert!(said.contains(words), "{line}: {said}");
    }
    assert_eq!(scene.order(), "");
    assert!(scene.runs("web"));
    scene.host.must(&["gear", "configure", "app", "--deployment-type", "binary"]);
    for line in ["gear deploy", "gear prereceive --init", "gear postreceive --init"] {
        let (code, said) = inside(&scene, line);
        assert!(code == 255 && said.contains("git-based deployments are disabled"), "{said}");
    }
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn the_two_halves_of_a_push_are_two_verbs() {
    let _alone = alone();
    let scene = Scene::new();
    waiting(
        &scene,
        &[("page", Some("second")), (".openshift/markers/force_clean_build", Some(""))],
    );
    let commit = scene.git(&["rev-parse", "HEAD"]).unwrap();
    let told = scene.host.path("told");
    let zeros = "0".repeat(40);
    std::fs::write(&told, format!("{zeros} {} refs/heads/other\n", commit.trim())).unwrap();
    assert_eq!(fed(&scene, "gear prereceive", &told), (0, String::new()));
    assert_eq!(scene.order(), "", "another branch");
    std::fs::write(&told, format!("{zeros} {} refs/heads/master\n", commit.trim())).unwrap();
    let (status, said) = fed(&scene, "gear prereceive", &told);
    assert_eq!(status, 0, "{said}");
    let stopped = "side stop side first, web stop web first, web pre-receive web first";
    assert_eq!(scene.order(), stopped);
    assert_eq!(scene.state(), "stopped");
    let (status, said) = fed(&scene, "gear postreceive", &told);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("Force clean build enabled"), "{said}");
    assert!(said.ends_with("Deployment completed with status: success\n"), "{said}");
    assert_eq!(format!("{stopped}, {}", scene.order()), BUILT);
    assert!(scene.runs("web") && scene.runs("side"));
    // What fails in the second half is put back to what was before the first.
    waiting(&scene, &[("fail-in", Some("web build"))]);
    assert_eq!(inside(&scene, "gear prereceive --init").0, 0);
    assert!(!scene.runs("web"));
    let (status, said) = inside(&scene, "gear postreceive --init");
    assert!(status == 255 && said.contains("Git Post-Receive Result: failure"), "{said}");
    assert_eq!(
        (scene.state().as_str(), scene.file("app-root/runtime/repo/page")),
        ("started", "second".into())
    );
    assert!(scene.runs("web") && scene.runs("side"));
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn deployments_are_listed_activated_packed_and_deployed_again() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    host.must(&["gear", "configure", "app", "--keep-deployments", "3"]);
    for page in ["one", "two"] {
        waiting(&scene, &[("page", Some(page))]);
        said(&scene, "gear deploy");
    }
    let all = listed(&scene);
    assert_eq!(all.iter().map(|one| one.1).collect::<Vec<_>>(), [true, false, false]);
    scene.order();
    // The answer of an activation is the original's.
    let text = said(&scene, &format!("gear activate {} --as-json --no-rotation", all[1].0));
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&answer["status"], &answer["errors"]), (&"success".into(), &serde_json::json!([])));
    assert_eq!(answer["deployment_id"], all[1].0);
    assert_eq!(scene.file("app-root/runtime/repo/page"), "one");
    let order = scene.order();
    assert!(
        order.starts_with("side stop side two, web stop web two, web update-configuration web one")
    );
    assert!(scene.runs("web"));
    assert_eq!(said(&scene, &format!("gear distribute {}", all[1].0)), "");
    // The present one as an archive, without what it says of itself.
    let words = ["gear", "exec", "app", "--", "gear", "archive-deployment"];
    let output = host.command(&words).output().unwrap();
    assert!(output.status.success());
    host.write("none", "", 0o644);
    let archive = host.home("app").join("app-root/data/made.tar.gz");
    std::fs::write(&archive, &output.stdout).unwrap();
    let text = said(&scene, "gear prepare app-root/data/made.tar.gz");
    assert!(text.contains("Preparing build for deployment"), "{text}");
    let id = text.lines().find_map(|line| line.strip_prefix("Deployment id is ")).unwrap();
    assert_eq!(scene.order(), "hook prepare");
    assert_eq!(scene.file(&format!("app-deployments/by-id/{id}/repo/page")), "one");
    assert!(!host.home("app").join(format!("app-deployments/by-id/{id}/metadata.json.x")).exists());
    said(&scene, &format!("gear activate {id} --all"));
    assert!(listed(&scene).contains(&(id.to_owned(), true)));
    assert_eq!(scene.file("app-root/runtime/repo/built"), "built");
    // What cannot be activated leaves what is.
    let repo = host.home("app").join("app-root/runtime/repo");
    let (old, new) = (&all[0].0, std::fs::canonicalize(&repo).unwrap());
    std::fs::write(
        host.home("app").join(format!("app-deployments/by-id/{old}/repo/fail-in")),
        "web deploy",
    )
    .unwrap();
    let (status, text) = inside(&scene, &format!("gear activate {old} --as-json"));
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &answer["status"]), (0, &"failure".into()), "{text}");
    assert_eq!(std::fs::canonicalize(&repo).unwrap(), new);
    assert_eq!(inside(&scene, &format!("gear activate {old}")).0, 255);
    assert!(scene.runs("web") && scene.runs("side"));
    // From the input, where the gear is deployed from archives.
    host.must(&["gear", "configure", "app", "--deployment-type", "binary"]);
    let (status, text) = fed(&scene, "gear binary-deploy", &archive);
    assert!(status == 0 && text.contains("Deployment status: success"), "{text}");
    assert_eq!(scene.file("app-root/runtime/repo/page"), "one");
    std::fs::write(&archive, b"no archive at all").unwrap();
    let before = scene.deployments();
    let (status, text) = inside(&scene, "gear binary-deploy app-root/data/made.tar.gz");
    assert!(status == 255 && text.contains("no .tar"), "{text}");
    assert_eq!(scene.deployments(), before);
    assert!(scene.runs("web"));
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_builder_deploys_with_verbs_while_the_push_holds_the_gear() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    cartridge(host, ("builder", "ci_builder"));
    let control = "#!/bin/bash -e\n[[ $1 == post-receive ]] || exit 0\n\
        git --git-dir \"$OPENSHIFT_HOMEDIR/git/$OPENSHIFT_APP_NAME.git\" log -1 --format='built by a builder: %s'\n\
        dir=$(gear create-deployment-dir)\n\
        gear build \"$OPENSHIFT_DEPLOYMENT_BRANCH\"\n\
        gear remotedeploy --deployment-datetime \"$dir\"\n";
    host.write("builder/bin/control", control, 0o755);
    host.must(&["gear", "add", "app", &host.place("builder")]);
    scene.order();
    scene.commit(&[("page", Some("second"))]);
    let said = scene.push().unwrap();
    assert!(said.contains("this is build of web") && said.contains("Deployment id is"), "{said}");
    assert_eq!(scene.file("app-root/runtime/repo/page"), "second");
    assert_eq!(scene.file("app-root/runtime/repo/built"), "built");
    assert_eq!(scene.state(), "started");
    assert!(scene.runs("web") && scene.runs("side"));
    assert_eq!(scene.deployments().len(), 1);
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_verb_that_calls_itself_or_was_killed_harms_nobody() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    let hook = ".openshift/action_hooks/build";
    waiting(&scene, &[(hook, Some("#!/bin/bash\ngear deploy\n"))]);
    let (status, text) = inside(&scene, "gear deploy");
    assert!(status == 255 && text.contains("`gear deploy` is at work in this gear"), "{text}");
    assert!(scene.runs("web") && scene.runs("side"));
    // Killed in the middle of its build: the next one puts it back first.
    let slow = "#!/bin/bash\necho $PPID >\"$OPENSHIFT_DATA_DIR/slow\"; exec sleep 600\n";
    waiting(&scene, &[(hook, Some(slow)), ("page", Some("half"))]);
    let line = ["gear", "exec", "app", "--", "gear", "deploy"];
    let mut first = host.command(&line).stdin(Stdio::null()).spawn().unwrap();
    Host::until(|| !scene.file("app-root/data/slow").is_empty());
    assert_eq!(scene.file("app-root/runtime/repo/page"), "half");
    let (status, text) = inside(&scene, "gear binary-deploy x");
    assert_eq!(status, 255, "{text}");
    let (status, text) = inside(&scene, "gear build");
    assert!(status == 255 && text.contains("`gear deploy` is at work"), "{text}");
    let killed = format!("kill -9 {}", scene.file("app-root/data/slow"));
    said(&scene, &killed);
    assert!(!first.wait().unwrap().success());
    waiting(&scene, &[(hook, None), ("fail-in", Some("web build"))]);
    let (status, text) = inside(&scene, "gear deploy");
    assert!(status == 255 && text.contains("was cut off, and is put back first"), "{text}");
    assert_eq!(
        (scene.state().as_str(), scene.file("app-root/runtime/repo/page")),
        ("started", "first".into())
    );
    assert!(scene.runs("web") && scene.runs("side"));
    host.must(&["gear", "destroy", "app"]);
}
