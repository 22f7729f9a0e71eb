//! From a push, or `cart gear deploy`, to a new version that runs, or to the old one that still does.
//! The cartridges write down each call, its directory and what it sees.

use super::alone;
use super::host::Host;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes down each action with its folder and the page that it sees, fails where it is told to, and
/// keeps a process while it is started.
const CONTROL: &str = r#"#!/bin/bash
log=$OPENSHIFT_DATA_DIR/order
echo "CART $1 $(basename "$PWD") $(cat "$OPENSHIFT_REPO_DIR/page" 2>/dev/null)" >>"$log"
echo "this is $1 of CART"
[[ -e $OPENSHIFT_REPO_DIR/fail-in && $(<"$OPENSHIFT_REPO_DIR/fail-in") == "CART $1" ]] && exit 7
pid=$OPENSHIFT_DATA_DIR/CART.pid
case $1 in
start) sleep 1000 >/dev/null 2>&1 & echo $! >"$pid" ;;
stop) [[ -f $pid ]] && kill "$(<"$pid")" 2>/dev/null; rm -f "$pid" ;;
pre-repo-archive) if [[ -d $OPENSHIFT_REPO_DIR/modules ]]; then mv "$OPENSHIFT_REPO_DIR/modules" "$OPENSHIFT_DATA_DIR/"; fi ;;
build)
    mkdir -p "$OPENSHIFT_REPO_DIR/modules" && echo one >"$OPENSHIFT_REPO_DIR/modules/one"
    rm -rf "$OPENSHIFT_DATA_DIR/modules"
    mkdir -p "$OPENSHIFT_DEPENDENCIES_DIR" && echo one >>"$OPENSHIFT_DEPENDENCIES_DIR/builds"
    echo built >"$OPENSHIFT_REPO_DIR/built" ;;
esac
exit 0
"#;

/// Makes a cartridge of that name and category, but for its scripts.
pub(super) fn cartridge(host: &Host, (name, category): (&str, &str)) {
    let short = name.to_uppercase();
    let manifest = format!(
        "Name: {name}\nCartridge-Short-Name: {short}\nCartridge-Vendor: test\n\
         Cartridge-Version: '1.0'\nVersion: '1'\nCategories: [{category}]\n"
    );
    host.write(&format!("{name}/metadata/manifest.yml"), &manifest, 0o644);
}

/// Makes the cartridges `web` and `side`, whose `control` this is (`CART` stands for the name), and
/// tells where they are.
pub(super) fn web_and_side(host: &Host, control: &str) -> [String; 2] {
    [("web", "web_framework"), ("side", "plugin")].map(|(name, category)| {
        cartridge(host, (name, category));
        host.write(&format!("{name}/bin/control"), &control.replace("CART", name), 0o755);
        host.place(name)
    })
}

/// A gear `app` with the primary `web`, the plugin `side`, and a developer with a working copy.
pub(super) struct Scene {
    pub(super) host: Host,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::on(Host::new(), &[])
    }

    /// The same on a host that is there already, the gear made with these options.
    pub(super) fn on(host: Host, options: &[&str]) -> Self {
        let mut line = vec!["gear".to_owned(), "create".into(), "app".into()];
        line.extend(web_and_side(&host, CONTROL));
        host.write("web/template/page", "first", 0o644);
        for hook in ["pre_build", "build", "prepare", "deploy", "post_deploy"] {
            let text = format!("#!/bin/bash\necho 'hook {hook}' >>\"$OPENSHIFT_DATA_DIR/order\"\n");
            host.write(&format!("web/template/.openshift/action_hooks/{hook}"), &text, 0o755);
        }
        line.push("--start".into());
        line.extend(options.iter().map(|&option| option.to_owned()));
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        host.must(&words);
        let scene = Self { host };
        let repository = scene.repository().display().to_string();
        scene.git(&["clone", "-q", &repository, "work"]).expect("a clone");
        scene.order();
        scene
    }

    fn repository(&self) -> PathBuf {
        self.host.home("app").join("git/app.git")
    }

    fn work(&self) -> PathBuf {
        PathBuf::from(self.host.place("work"))
    }

    /// Runs git in the working copy; what it says, good or bad.
    pub(super) fn git(&self, line: &[&str]) -> Result<String, String> {
        let mut git = Command::new("git");
        let folder = self.work();
        let folder = if folder.is_dir() { folder } else { PathBuf::from(self.host.place(".")) };
        git.current_dir(folder).args(["-c", "user.name=dev", "-c", "user.email=dev@localhost"]);
        git.args(line).env("GIT_CONFIG_GLOBAL", "/dev/null").env("LC_ALL", "C");
        let output = git.output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// Commits these files of the working copy; no text: the file goes.
    pub(super) fn commit(&self, files: &[(&str, Option<&str>)]) {
        for (name, text) in files {
            let path = self.work().join(name);
            match text {
                Some(text) => {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, text).unwrap();
                }
                None => drop(std::fs::remove_file(path)),
            }
        }
        self.git(&["add", "-A"]).unwrap();
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]).unwrap();
    }

    pub(super) fn push(&self) -> Result<String, String> {
        self.git(&["push", "-q", "origin", "HEAD:master"])
    }

    /// What was called since the last time.
    pub(super) fn order(&self) -> String {
        let path = self.host.home("app").join("app-root/data/order");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        text.trim().replace('\n', ", ")
    }

    pub(super) fn file(&self, name: &str) -> String {
        let path = self.host.home("app").join(name);
        std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
    }

    pub(super) fn state(&self) -> String {
        self.file("app-root/runtime/.state")
    }

    pub(super) fn link(&self, name: &str) -> PathBuf {
        std::fs::read_link(self.host.home("app").join(name)).unwrap()
    }

    /// The directories of the deployments.
    pub(super) fn deployments(&self) -> Vec<String> {
        let folder = self.host.home("app").join("app-deployments");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("20"))
            .collect();
        names.sort();
        names
    }

    pub(super) fn runs(&self, cartridge: &str) -> bool {
        let id = self.file(&format!("app-root/data/{cartridge}.pid"));
        !id.is_empty() && self.host.run(&["gear", "exec", "app", "--", "kill", "-0", &id]).0 == 0
    }
}

/// The seeds' order, from the stop to `post-deploy`, when the application is at `page`.
fn whole(old: &str, page: &str) -> String {
    [
        &format!("web stop web {old}"),
        &format!("side stop side {old}"),
        &format!("web pre-receive web {old}"),
        &format!("web pre-repo-archive web {old}"),
        &format!("web update-configuration web {page}"),
        &format!("web pre-build web {page}"),
        "hook pre_build",
        &format!("web build web {page}"),
        "hook build",
        "hook prepare",
        &format!("web update-configuration web {page}"),
        &format!("side start side {page}"),
        &format!("web deploy web {page}"),
        "hook deploy",
        &format!("web start web {page}"),
        &format!("web post-deploy web {page}"),
        "hook post_deploy",
    ]
    .join(", ")
}

#[test]
fn a_push_walks_the_seeds_life_cycle_and_streams_it() {
    let _alone = alone();
    let scene = Scene::new();
    let first = scene.deployments();
    scene.commit(&[("page", Some("second")), (".openshift/markers/none", Some(""))]);
    let said = scene.push().unwrap();
    for words in ["remote: this is build of web", "remote: this is post-deploy of web"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(scene.order(), whole("first", "second"));
    assert_eq!(scene.state(), "started");
    assert!(scene.runs("web") && scene.runs("side"));
    // On disk as the seed has it.
    let names = scene.deployments();
    assert_eq!(names.len(), 1, "one is kept: {names:?}");
    assert_ne!(names, first);
    let name = &names[0];
    for part in ["repo", "dependencies", "build-dependencies"] {
        let link = scene.link(&format!("app-root/runtime/{part}"));
        assert_eq!(link, Path::new(&format!("../../app-deployments/{name}/{part}")));
    }
    assert_eq!(scene.link("app-deployments/current"), Path::new(name));
    let text = scene.file("app-deployments/current/metadata.json");
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let id = metadata["id"].as_str().unwrap();
    assert_eq!(
        scene.link(&format!("app-deployments/by-id/{id}")),
        Path::new(&format!("../{name}"))
    );
    let commit = scene.git(&["rev-parse", "HEAD"]).unwrap();
    assert_eq!(metadata["git_sha1"].as_str().unwrap(), &commit[..7]);
    assert_eq!(metadata["git_ref"], "master");
    assert_eq!(metadata["checksum"].as_str().unwrap().len(), 64);
    assert_eq!(metadata["activations"].as_array().unwrap().len(), 1);
    let shown = scene.host.json(&["gear", "show", "app"])["repository"].clone();
    assert_eq!(shown, scene.repository().display().to_string());
    assert_eq!(scene.file("app-root/runtime/repo/built"), "built");
    // Dependencies are handed on from deployment to deployment, but for a clean build.
    scene.commit(&[("page", Some("third"))]);
    scene.push().unwrap();
    assert_eq!(scene.file("app-root/runtime/dependencies/builds"), "one\none");
    scene.commit(&[(".openshift/markers/force_clean_build", Some(""))]);
    scene.push().unwrap();
    assert_eq!(scene.file("app-root/runtime/dependencies/builds"), "one");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn what_fails_before_the_end_leaves_the_old_version_running() {
    let _alone = alone();
    let scene = Scene::new();
    scene.host.must(&["gear", "deploy", "app"]);
    let (before, repo) = (scene.deployments(), scene.link("app-root/runtime/repo"));
    for step in ["build", "deploy", "post-deploy"] {
        scene.commit(&[("fail-in", Some(&format!("web {step}"))), ("page", Some("bad"))]);
        let said = scene.push().unwrap_err();
        assert!(said.contains(&format!("control-{step}")) && said.contains("status 7"), "{said}");
        assert_eq!(scene.deployments(), before, "{step}");
        assert_eq!(scene.link("app-root/runtime/repo"), repo, "{step}");
        assert_eq!(scene.file("app-root/runtime/repo/page"), "first", "{step}");
        assert_eq!(scene.file("app-root/runtime/repo/modules/one"), "one", "{step}");
        assert_eq!(scene.state(), "started", "{step}");
        assert!(scene.runs("web") && scene.runs("side"), "{step}");
        // The branch stays, too.
        assert_eq!(scene.git(&["ls-remote", "-q", "origin", "master"]).unwrap().len(), 59);
        let theirs = scene.git(&["ls-remote", "origin", "master"]).unwrap();
        assert!(!theirs.starts_with(scene.git(&["rev-parse", "HEAD"]).unwrap().trim()));
        let order = scene.order();
        assert!(order.ends_with("web start web first"), "{step}: {order}");
    }
    // A hook of the developer's that fails, and then the next push works.
    let hook = ".openshift/action_hooks/deploy";
    scene.commit(&[("fail-in", None), (hook, Some("#!/bin/bash\necho no >&2\nexit 9\n"))]);
    let said = scene.push().unwrap_err();
    assert!(said.contains("`deploy` of `web` exited with status 9"), "{said}");
    assert!(scene.runs("web"));
    scene.commit(&[(hook, None), ("page", Some("good"))]);
    scene.push().unwrap();
    assert_eq!(scene.file("app-root/runtime/repo/page"), "good");
    assert!(scene.runs("web"));
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn deploying_without_git_takes_what_the_repository_has() {
    let _alone = alone();
    let scene = Scene::new();
    let (status, said) = scene.host.run(&["gear", "deploy", "app", "--ref", "no-such-branch"]);
    assert_eq!(status, 3, "{said}");
    // Another branch is taken, and not deployed.
    scene.commit(&[("page", Some("other"))]);
    let said = scene.git(&["push", "origin", "HEAD:other"]).unwrap();
    assert!(said.contains("nothing is deployed"), "{said}");
    assert_eq!(scene.order(), "");
    let said = scene.host.talk(&["gear", "deploy", "app", "--ref", "other"]);
    assert!(said.0 == 0 && said.1.contains("this is build of web"), "{}", said.1);
    assert_eq!(scene.order(), whole("first", "other"));
    assert_eq!(scene.file("app-root/runtime/repo/page"), "other");
    let plan = scene.host.json(&["gear", "deploy", "app", "--dry-run"]);
    assert!(plan["plan"]["steps"].as_array().unwrap().len() > 15, "{plan}");
    assert_eq!(scene.order(), "", "a dry run does nothing");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn with_its_marker_an_application_goes_on_running() {
    let _alone = alone();
    let scene = Scene::new();
    scene.commit(&[("page", Some("hot")), (".openshift/markers/hot_deploy", Some(""))]);
    scene.push().unwrap();
    let order = scene.order();
    assert!(!order.contains("stop") && !order.contains("start"), "{order}");
    // What is built is the new version, while the old one is seen.
    assert!(order.contains("web build web hot") && order.contains("web deploy web hot"), "{order}");
    assert_eq!(scene.file("app-root/runtime/repo/page"), "hot");
    assert_eq!(scene.file("app-root/runtime/repo/built"), "built");
    let repo = scene.link("app-root/runtime/repo");
    scene.commit(&[("fail-in", Some("web deploy"))]);
    scene.push().unwrap_err();
    assert_eq!(scene.link("app-root/runtime/repo"), repo);
    assert!(scene.runs("web"));
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn deployments_are_kept_listed_and_activated() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    host.must(&["gear", "configure", "app", "--keep-deployments", "3"]);
    assert_eq!(host.json(&["gear", "configure", "app"])["deployment"]["keep"], 3);
    for page in ["one", "two", "three"] {
        scene.commit(&[("page", Some(page))]);
        scene.push().unwrap();
    }
    scene.order();
    let list = host.json(&["gear", "deployments", "app"])["deployments"].clone();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 3);
    let active: Vec<bool> = list.iter().map(|one| one["active"].as_bool().unwrap()).collect();
    assert_eq!(active, [false, false, true]);
    assert!(list.iter().all(|one| one["size"].as_u64().unwrap() > 0 && one["ref"] == "master"));
    let first = list[0]["id"].as_str().unwrap();
    host.must(&["gear", "activate", "app", first]);
    assert_eq!(scene.file("app-root/runtime/repo/page"), "one");
    let order = scene.order();
    let expected = "web stop web three, side stop side three, web update-configuration web one, \
        side start side one, web deploy web one, hook deploy, web start web one, \
        web post-deploy web one, hook post_deploy";
    assert_eq!(order, expected);
    host.must(&["gear", "activate", "app", "--previous"]);
    assert_eq!(scene.file("app-root/runtime/repo/page"), "three");
    host.must(&["undo", &host.last()]);
    assert_eq!(scene.file("app-root/runtime/repo/page"), "one");
    host.must(&["gear", "activate", "app", "--previous"]);
    assert_eq!(host.run(&["gear", "activate", "app", "ffffffffffff"]).0, 3);
    let again = host.json(&["gear", "deployments", "app"])["deployments"].clone();
    assert_eq!(again[0]["activations"].as_array().unwrap().len(), 3);
    // With fewer to keep, those that were activated longest ago go.
    host.must(&["gear", "configure", "app", "--keep-deployments", "1"]);
    host.must(&["gear", "deploy", "app"]);
    assert_eq!(scene.deployments().len(), 1);
    assert_eq!(host.run(&["gear", "activate", "app", "--previous"]).0, 3);
    let (status, said) = host.run(&["undo", &host.last()]);
    assert!(status == 4 && said.contains("does not keep"), "{said}");
    assert!(scene.runs("web"));
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn archives_are_deployed_where_the_gear_says_so() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    host.must(&["gear", "deploy", "app"]);
    scene.order();
    let id = host.json(&["gear", "deployments", "app"])["deployments"][0]["id"].clone();
    let file = host.place("app.tar.gz");
    host.must(&["gear", "deployment", "save", "app", id.as_str().unwrap(), &file]);
    let (status, said) = host.run(&["gear", "deploy", "app", "--archive", &file]);
    assert!(status == 4 && said.contains("--deployment-type binary"), "{said}");
    host.must(&["gear", "configure", "app", "--deployment-type", "binary"]);
    let said = scene.push().unwrap_or_default();
    assert!(said.is_empty(), "there is nothing to push: {said}");
    scene.commit(&[("page", Some("pushed"))]);
    let said = scene.push().unwrap_err();
    assert!(said.contains("is deployed from archives"), "{said}");
    assert_eq!(host.run(&["gear", "deploy", "app"]).0, 4);
    host.must(&["gear", "deploy", "app", "--archive", &file]);
    let order = scene.order();
    assert!(!order.contains("build") && order.contains("hook prepare"), "{order}");
    assert_eq!(scene.file("app-root/runtime/repo/built"), "built", "it was built before");
    assert_eq!(scene.file("app-root/runtime/dependencies/builds"), "one");
    // From standard input.
    let mut command = host.command(&["gear", "deploy", "app", "--binary"]);
    let output = command.stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(scene.runs("web") && host.staging_is_empty());
    // What is no deployment is refused, and nothing is stopped for it.
    scene.order();
    host.write("stray/page", "x", 0o644);
    let stray = host.place("stray.tar.gz");
    let mut tar = Command::new("tar");
    tar.args(["-czf", &stray, "-C", &host.place("stray"), "page"]);
    assert!(tar.status().unwrap().success());
    let (status, said) = host.run(&["gear", "deploy", "app", "--archive", &stray]);
    assert!(status == 6 && said.contains("no folder `repo`"), "{said}");
    std::fs::write(&stray, &std::fs::read(&file).unwrap()[..200]).unwrap();
    assert_ne!(host.run(&["gear", "deploy", "app", "--archive", &stray]).0, 0);
    assert_eq!(scene.order(), "");
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn pushes_heed_what_the_gear_is_configured_to() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    host.must(&["gear", "configure", "app", "--auto-deploy", "false"]);
    scene.commit(&[("page", Some("waits"))]);
    let said = scene.git(&["push", "origin", "HEAD:master"]).unwrap();
    assert!(said.contains("cart gear deploy app"), "{said}");
    assert_eq!((scene.order().as_str(), &*scene.file("app-root/runtime/repo/page")), ("", "first"));
    host.must(&["gear", "deploy", "app"]);
    assert_eq!(scene.file("app-root/runtime/repo/page"), "waits");
    let line = ["gear", "configure", "app", "--auto-deploy", "true", "--deployment-branch", "live"];
    host.must(&line);
    scene.order();
    scene.commit(&[("page", Some("live"))]);
    scene.push().unwrap();
    assert_eq!(scene.order(), "", "another branch than that of deployments");
    scene.git(&["push", "-q", "origin", "HEAD:live"]).unwrap();
    assert_eq!(scene.file("app-root/runtime/repo/page"), "live");
    // What is not fast-forward is refused by git itself, the branch cannot be removed, and the next
    // push works.
    scene.order();
    scene.git(&["reset", "-q", "--hard", "HEAD~1"]).unwrap();
    scene.commit(&[("page", Some("aside"))]);
    scene.git(&["push", "-q", "origin", "HEAD:live"]).unwrap_err();
    let said = scene.git(&["push", "-q", "origin", ":live"]).unwrap_err();
    assert!(said.contains("is the one that is deployed"), "{said}");
    assert_eq!(scene.order(), "");
    scene.git(&["push", "-q", "--force", "origin", "HEAD:live"]).unwrap();
    assert_eq!(scene.file("app-root/runtime/repo/page"), "aside");
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn two_pushes_at_once_and_a_killed_build_harm_nobody() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    let hook = ".openshift/action_hooks/build";
    let slow = "#!/bin/bash\ntouch \"$OPENSHIFT_DATA_DIR/slow\"; sleep 600\n";
    scene.commit(&[(hook, Some(slow))]);
    scene.git(&["push", "-q", "origin", "HEAD:other"]).unwrap();
    let mut first = host.command(&["gear", "deploy", "app", "--ref", "other"]).spawn().unwrap();
    let mark = host.home("app").join("app-root/data/slow");
    Host::until(|| mark.exists());
    scene.commit(&[(hook, None), ("page", Some("second"))]);
    let said = scene.push().unwrap_err();
    assert!(said.contains("gear deploy app --ref other"), "it names who is at it: {said}");
    // The build is killed; the next push puts its half back first, and works.
    first.kill().unwrap();
    first.wait().unwrap();
    scene.push().unwrap();
    assert_eq!(scene.file("app-root/runtime/repo/page"), "second");
    assert_eq!(scene.deployments().len(), 1);
    assert!(scene.runs("web") && scene.runs("side"));
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_builder_gets_the_push_and_nobody_else_does_anything() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    cartridge(host, ("builder", "ci_builder"));
    let control = CONTROL.replace("CART", "builder").replace(
        "case $1 in",
        "[[ $1 == pre-receive && -e $OPENSHIFT_DATA_DIR/busy ]] && exit 5\ncase $1 in",
    );
    host.write("builder/bin/control", &control, 0o755);
    host.must(&["gear", "add", "app", &host.place("builder")]);
    scene.order();
    let before = scene.deployments();
    scene.commit(&[("page", Some("built elsewhere"))]);
    let said = scene.push().unwrap();
    assert!(said.contains("this is post-receive of builder"), "{said}");
    let both = "builder pre-receive builder first, builder post-receive builder first";
    assert_eq!(scene.order(), both);
    assert_eq!(scene.deployments(), before);
    host.must(&["gear", "deploy", "app"]);
    assert_eq!(scene.order(), both);
    // It can refuse a push.
    std::fs::write(host.home("app").join("app-root/data/busy"), "").unwrap();
    scene.commit(&[("page", Some("more"))]);
    assert!(scene.push().unwrap_err().contains("status 5"));
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_key_lets_somebody_push_over_ssh_and_do_nothing_else() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ0eHl6YWJjZGVmZ2hpamtsbW5vcHFy ann@home";
    host.write("key.pub", &format!("{key}\n"), 0o644);
    host.write("host/root/.ssh/authorized_keys", "ssh-rsa another's", 0o600);
    host.must(&["gear", "ssh-key", "add", "app", &host.place("key.pub")]);
    let keys = host.json(&["gear", "ssh-key", "list", "app"])["keys"].clone();
    assert_eq!(keys[0]["comment"], "ann@home");
    // What sshd does with the line: its command runs, and knows what was asked for.
    let file = host.place("host/root/.ssh/authorized_keys");
    let ssh = format!(
        "#!/bin/sh\nshift\nSSH_ORIGINAL_COMMAND=\"$*\"\nexport SSH_ORIGINAL_COMMAND\n\
         exec sh -c \"$(sed -n 's/^restrict,command=\"\\([^\"]*\\)\".*/\\1/p' '{file}')\"\n"
    );
    host.write("ssh", &ssh, 0o755);
    scene.commit(&[("page", Some("over ssh"))]);
    let command = format!("core.sshCommand={}", host.place("ssh"));
    let push = ["-c", &command, "push", "-q", "ssh://host/whatever", "HEAD:master"];
    let said = scene.git(&push).unwrap();
    assert!(said.contains("remote: this is build of web"), "{said}");
    assert_eq!(scene.file("app-root/runtime/repo/page"), "over ssh");
    let mut other = Command::new(host.place("ssh"));
    let output = other.args(["host", "rm", "-rf", "/"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    host.must(&["gear", "ssh-key", "remove", "app", "ann@home"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "ssh-rsa another's\n");
    assert_eq!(host.run(&["gear", "ssh-key", "remove", "app", "ann@home"]).0, 3);
    host.write("bad.pub", "command=\"sh\" ssh-ed25519 AAAA", 0o644);
    assert_eq!(host.run(&["gear", "ssh-key", "add", "app", &host.place("bad.pub")]).0, 2);
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn submodules_from_this_host_are_refused_and_nothing_stops() {
    let _alone = alone();
    let scene = Scene::new();
    let repository = scene.repository().display().to_string();
    let add =
        ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &repository, "sub"];
    scene.git(&add).unwrap();
    scene.commit(&[]);
    let said = scene.push().unwrap_err();
    assert!(said.contains("the submodule `sub` lies on this host"), "{said}");
    assert_eq!(scene.order(), "");
    assert!(scene.runs("web"));
    scene.host.must(&["gear", "destroy", "app"]);
}
