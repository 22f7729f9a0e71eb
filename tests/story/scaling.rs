//! Applications of several gears behind a web proxy: made, scaled up and down, deployed to by batches,
//! destroyed. The proxy writes down what it is told, the framework what is done to it, each with the
//! time, so that what happened in several gears is one story.

use super::alone;
use super::host::{Host, get};
use super::support::pages::SERVE;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes down each action with the time, and serves the page of the deployment while it is started.
const WEB: &str = r#"#!/bin/bash
page=$(cat "$OPENSHIFT_REPO_DIR/page" 2>/dev/null)
echo "$(date +%s%N) ${OPENSHIFT_GEAR_NAME/#g????????????/g} web $1 $page" >>"$OPENSHIFT_DATA_DIR/order"
[[ -e $OPENSHIFT_REPO_DIR/fail-in && $(<"$OPENSHIFT_REPO_DIR/fail-in") == "$1 $OPENSHIFT_GEAR_NAME" ]] && exit 7
[[ -e $OPENSHIFT_DATA_DIR/fail-in && $(<"$OPENSHIFT_DATA_DIR/fail-in") == "$1 $page" ]] && exit 7
pid=$OPENSHIFT_DATA_DIR/web.pid
case $1 in
restart) kill "$(<"$pid")"; while kill -0 "$(<"$pid")" 2>/dev/null; do sleep 0.02; done ;&
start)
    perl "$OPENSHIFT_WEB_DIR/bin/serve" "$OPENSHIFT_WEB_IP" "$OPENSHIFT_WEB_PORT" "$page" >/dev/null 2>&1 &
    echo $! >"$pid" ;;
stop) [[ -f $pid ]] && kill "$(<"$pid")" 2>/dev/null; rm -f "$pid" ;;
esac
exit 0
"#;

/// Writes down what it is told and of which gears it knows.
const PROXY: &str = r#"#!/bin/bash
. "$OPENSHIFT_CARTRIDGE_SDK_BASH"
words=$(for word in "$@"; do echo "${word%%[-.|]*}"; done |
    sed "s/^$OPENSHIFT_GEAR_UUID\$/app/; s/^g[0-9a-f]\{12\}\$/child/" | sort | xargs)
known=$(web_gears | wc -l)
echo "$(date +%s%N) app proxy ${words:-none} of $known" >>"$OPENSHIFT_DATA_DIR/order"
echo "$@" >>"$OPENSHIFT_DATA_DIR/words"
[[ -e $OPENSHIFT_DATA_DIR/fail-proxy && $(<"$OPENSHIFT_DATA_DIR/fail-proxy") == "$1" ]] && exit 9
pid=$OPENSHIFT_DATA_DIR/proxy.pid
case $1 in
start) sleep 1000 >/dev/null 2>&1 & echo $! >"$pid" ;;
stop) [[ -f $pid ]] && kill "$(<"$pid")" 2>/dev/null; rm -f "$pid" ;;
esac
exit 0
"#;

/// A scaled application `app`, and its developer's working copy.
pub(super) struct Scene {
    pub(super) host: Host,
}

fn cartridge(host: &Host, name: &str, more: &str, control: &str) -> String {
    let manifest = format!(
        "Name: {name}\nCartridge-Short-Name: {}\nCartridge-Vendor: test\n\
         Cartridge-Version: '1.0'\nVersion: '1'\n{more}",
        name.to_uppercase()
    );
    host.write(&format!("{name}/metadata/manifest.yml"), &manifest, 0o644);
    host.write(&format!("{name}/bin/control"), control, 0o755);
    host.place(name)
}

impl Scene {
    /// `least` is the least number of gears that the framework wants.
    pub(super) fn new(least: usize) -> Self {
        let host = Host::new();
        let endpoint = format!(
            "Categories: [web_framework]\nScaling: {{Min: {least}, Max: 6}}\nEndpoints:\n\
             - Private-IP-Name: IP\n  Private-Port-Name: PORT\n  Private-Port: 8080\n"
        );
        let web = cartridge(&host, "web", &endpoint, WEB);
        host.write("web/bin/serve", SERVE, 0o755);
        host.write("web/template/page", "first", 0o644);
        let post = "#!/bin/bash\necho \"$(date +%s%N) ${OPENSHIFT_GEAR_NAME/#g????????????/g} web post_install\" >>\"$OPENSHIFT_DATA_DIR/order\"\n";
        host.write("web/bin/post_install", post, 0o755);
        for hook in ["deploy", "post_deploy"] {
            let text = format!(
                "#!/bin/bash\necho \"$(date +%s%N) ${{OPENSHIFT_GEAR_NAME/#g????????????/g}} hook {hook}\" \
                 >>\"$OPENSHIFT_DATA_DIR/order\"\n"
            );
            host.write(&format!("web/template/.openshift/action_hooks/{hook}"), &text, 0o755);
        }
        let side = cartridge(
            &host,
            "side",
            "Categories: [plugin]\n",
            &WEB.replace("web", "side").replace("start)", "begin)"),
        );
        let store = cartridge(&host, "store", "Categories: [service]\n", "#!/bin/bash\nexit 0\n");
        let proxy = cartridge(&host, "proxy", "Categories: [web_proxy]\n", PROXY);
        host.must(&["gear", "create", "app", &web, &side, &store, &proxy, "--scale", "--start"]);
        let repository = host.home("app").join("git/app.git").display().to_string();
        let scene = Self { host };
        scene.git(&["clone", "-q", &repository, "work"]).expect("a clone");
        scene
    }

    pub(super) fn git(&self, line: &[&str]) -> Result<String, String> {
        let mut git = Command::new("git");
        let folder = PathBuf::from(self.host.place("work"));
        let folder = if folder.is_dir() { folder } else { PathBuf::from(self.host.place(".")) };
        git.current_dir(folder).args(["-c", "user.name=dev", "-c", "user.email=dev@localhost"]);
        git.args(line).env("GIT_CONFIG_GLOBAL", "/dev/null").env("LC_ALL", "C");
        let output = git.output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// Commits these files and pushes.
    pub(super) fn push(&self, files: &[(&str, &str)]) -> Result<String, String> {
        for (name, text) in files {
            let path = Path::new(&self.host.place("work")).join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]).unwrap();
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]).unwrap();
        self.git(&["push", "-q", "origin", "HEAD:master"])
    }

    /// The names of the application's gears.
    pub(super) fn gears(&self) -> Vec<String> {
        let list = self.host.json(&["gear", "list"]);
        let gears = list["gears"].as_array().unwrap().iter();
        gears.map(|gear| gear["name"].as_str().unwrap().to_owned()).collect()
    }

    /// What happened in all gears since the last time, without the times. A child is called `g`.
    pub(super) fn order(&self) -> String {
        let mut lines = Vec::new();
        for gear in self.gears() {
            let path = self.host.home(&gear).join("app-root/data/order");
            lines.extend(
                std::fs::read_to_string(&path).unwrap_or_default().lines().map(str::to_owned),
            );
            let _ = std::fs::remove_file(path);
        }
        lines.sort();
        let lines = lines.iter().map(|line| line.split_once(' ').unwrap().1.trim());
        lines.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn show(&self, gear: &str) -> Value {
        self.host.json(&["gear", "show", gear])
    }

    /// What each gear answers.
    pub(super) fn pages(&self) -> Vec<String> {
        let page = |gear: String| {
            let shown = self.show(&gear);
            let at = shown["endpoints"][0]["address"].as_str().unwrap().to_owned();
            let answer = get(&at, 8080).unwrap_or_default();
            answer.rsplit("\r\n").next().unwrap().to_owned()
        };
        self.gears().into_iter().map(page).collect()
    }

    pub(super) fn file(&self, gear: &str, name: &str) -> String {
        let path = self.host.home(gear).join(name);
        std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
    }

    /// Writes a file of the gear's, as the gear.
    pub(super) fn put(&self, gear: &str, path: &str, text: &str) {
        let script = format!("printf %s '{text}' >~/'{path}'");
        self.host.must(&["gear", "exec", gear, "--", "bash", "-c", &script]);
    }

    pub(super) fn link(&self, gear: &str, path: &str) -> PathBuf {
        std::fs::read_link(self.host.home(gear).join(path)).unwrap()
    }

    pub(super) fn registry(&self) -> Value {
        let text = self.file("app", "gear-registry/gear-registry.json");
        serde_json::from_str(&text).unwrap()
    }
}

#[test]
fn gears_come_and_go_and_the_proxy_knows() {
    let _alone = alone();
    let scene = Scene::new(1);
    let host = &scene.host;
    assert_eq!(scene.gears(), ["app"]);
    assert_eq!(scene.registry()["web"].as_object().unwrap().len(), 1);
    assert!(scene.order().ends_with("app proxy app update of 1"));

    host.must(&["gear", "scale", "app", "3"]);
    let up = host.last();
    assert_eq!(scene.gears(), ["app", "app-1", "app-2"]);
    let new = "g web update-configuration first, g web deploy first, g hook deploy, g web start first, \
               g web post-deploy first, g hook post_deploy, g web post_install";
    let order = scene.order().replace("g side start first, ", "");
    assert_eq!(order.matches(new).count(), 2, "{order}");
    assert!(order.ends_with("app proxy app child child update of 3"), "{order}");
    assert_eq!(scene.pages(), ["first", "first", "first"]);
    // The registry is as the original writes it, and each child is a gear of its own.
    let registry = scene.registry();
    for gear in ["app-1", "app-2"] {
        let shown = scene.show(gear);
        let uuid = shown["uuid"].as_str().unwrap();
        let entry = &registry["web"][uuid];
        assert_eq!(entry["proxy_hostname"], shown["endpoints"][0]["address"]);
        assert_eq!(
            (entry["proxy_port"].as_u64(), entry["namespace"].as_str()),
            (Some(8080), Some("local"))
        );
        assert_eq!(entry["dns"], shown["dns"]);
        assert_eq!(scene.file(gear, ".env/OPENSHIFT_GEAR_NAME"), uuid);
        assert_eq!(scene.file(gear, ".env/OPENSHIFT_APP_NAME"), "app");
        assert_eq!(
            scene.file(gear, ".env/OPENSHIFT_APP_DNS"),
            scene.file("app", ".env/OPENSHIFT_GEAR_DNS")
        );
        assert_eq!((shown["role"].as_str(), shown["app"].as_str()), (Some("web"), Some("app")));
        let home = host.home(gear);
        assert!(home.join("side").is_dir(), "plugins are everywhere");
        assert!(!home.join("store").exists() && !home.join("proxy").exists());
        assert!(!home.join("git/app.git").exists(), "the repository is the head's");
    }
    let head = scene.show("app");
    assert_eq!(head["role"], "head");
    assert_eq!(registry["proxy"][head["uuid"].as_str().unwrap()]["proxy_port"], 0);
    host.must(&["verify"]);

    // What nobody can do to a child alone, and what cannot be.
    for (line, words) in [
        (&["gear", "destroy", "app-1"][..], "is a part of the scaled application `app`"),
        (&["gear", "deploy", "app-1"], "is a part of the scaled application `app`"),
        (&["gear", "scale", "app-1", "2"], "is a part of the scaled application `app`"),
        (&["gear", "scale", "app", "7"], "at most 6 gears"),
        (&["gear", "scale", "app", "0"], "0 is not in 1..=100"),
    ] {
        let (status, said) = host.run(line);
        assert!(status != 0 && said.contains(words), "{line:?}: {said}");
    }

    host.must(&["gear", "scale", "app", "2"]);
    let down = host.last();
    assert_eq!(scene.gears(), ["app", "app-1"]);
    assert_eq!(scene.registry()["web"].as_object().unwrap().len(), 2);
    assert!(scene.order().starts_with("app proxy app child update of 2"));
    // What was taken away comes back, and goes again.
    host.must(&["undo", &down]);
    assert_eq!(scene.gears(), ["app", "app-1", "app-2"]);
    assert_eq!(scene.pages(), ["first", "first", "first"]);
    assert_eq!(scene.registry()["web"].as_object().unwrap().len(), 3);
    host.must(&["undo", &up]);
    assert_eq!(scene.gears(), ["app"]);
    assert_eq!(scene.registry()["web"].as_object().unwrap().len(), 1);
    host.must(&["verify"]);
    host.must(&["gear", "destroy", "app"]);
    assert!(scene.gears().is_empty());
}

#[test]
fn all_gears_of_an_application_stop_start_and_go_together() {
    let _alone = alone();
    let scene = Scene::new(2);
    let host = &scene.host;
    assert_eq!(scene.gears(), ["app", "app-1"], "its framework wants two");
    assert_eq!(scene.pages(), ["first", "first"]);
    host.must(&["gear", "stop", "app"]);
    assert_eq!(scene.pages(), ["", ""]);
    host.must(&["gear", "start", "app"]);
    assert_eq!(scene.pages(), ["first", "first"]);
    let (status, said) = host.run(&["gear", "scale", "app", "1"]);
    assert!(status != 0 && said.contains("at least 2"), "{said}");
    host.must(&["gear", "destroy", "app"]);
    let destroyed = host.last();
    assert!(scene.gears().is_empty());
    host.must(&["undo", &destroyed]);
    assert_eq!(scene.pages(), ["first", "first"]);
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_failure_while_scaling_leaves_everything_as_it_was() {
    let _alone = alone();
    let scene = Scene::new(1);
    let host = &scene.host;
    host.must(&["gear", "scale", "app", "2"]);
    let before = scene.registry();
    host.write(
        "host/var/lib/cartwright/gears/app/app-root/data/fail-proxy",
        "update-cluster",
        0o644,
    );
    for many in ["4", "1"] {
        let (status, said) = host.run(&["gear", "scale", "app", many]);
        assert!(
            status != 0
                && said.contains("`control-update-cluster` of `proxy` exited with status 9"),
            "{said}"
        );
        assert_eq!(
            (scene.gears(), scene.registry()),
            (vec!["app".into(), "app-1".into()], before.clone())
        );
        assert_eq!(scene.pages(), ["first", "first"]);
    }
    host.must(&["verify"]);
    host.must(&["gear", "destroy", "app"]);
}

/// What a restart says: to the proxy first, then to one gear after the other.
fn restarted(many: usize) -> String {
    let one = |gear: &str, name: &str, side: &str| {
        format!(
            "app proxy {name} disable of {many}, {side}{gear} web restart first, \
             app proxy {name} enable of {many}"
        )
    };
    let children = vec![one("g", "child", "g side restart first, "); many - 1];
    let head = one("app", "app", "app side restart first, ");
    format!("app proxy restart of {many}, {}, {head}", children.join(", "))
}

/// The application is never whole out of rotation, and a gear that does not come back stops it.
#[test]
fn a_restart_goes_through_the_gears_one_batch_after_the_other() {
    let _alone = alone();
    let scene = Scene::new(1);
    let host = &scene.host;
    host.must(&["gear", "scale", "app", "3"]);
    scene.order();
    host.must(&["gear", "restart", "app"]);
    assert_eq!(scene.order(), restarted(3));
    assert_eq!(scene.pages(), ["first"; 3]);
    host.must(&["gear", "restart", "--all", "--no-rotation"]);
    let order = scene.order();
    assert!(order.contains("g web restart first") && !order.contains("disable"), "{order}");

    // The first child does not come back, so nobody else is restarted.
    scene.put("app-1", "app-root/data/fail-in", "restart first");
    let (status, said) = host.run(&["gear", "restart", "app"]);
    assert!(
        status == 9 && said.contains("`control-restart` of `side` exited with status 7"),
        "{said}"
    );
    let order = scene.order();
    assert_eq!(order.matches(" side restart").count(), 1, "{order}");
    assert!(order.contains("app proxy child enable of 3"), "{order}");
    assert_eq!(scene.pages(), ["first"; 3]);
    scene.put("app-1", "app-root/data/fail-in", "");

    // From inside it is this gear alone.
    let inside = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        host.must(&[&["gear", "exec", "app", "--"], &*words].concat());
        scene.order()
    };
    let own = "app proxy app disable of 3, app web restart first, app proxy app enable of 3";
    assert_eq!(inside("gear restart --cart web"), own);
    assert_eq!(inside("gear restart --cart proxy"), "app proxy restart of 3");
    let silent = inside("gear restart --all-cartridges --no-rotation");
    assert!(silent.contains("app web restart") && !silent.contains("disable"), "{silent}");

    // Where the application does not run, there is nobody to tell.
    host.must(&["gear", "stop", "app"]);
    scene.order();
    host.must(&["gear", "restart", "app"]);
    assert!(!scene.order().contains("disable"));
    host.must(&["gear", "destroy", "app"]);
}

/// What is done to one gear while it is out of rotation.
fn rolled(page: &str) -> String {
    format!(
        "app proxy child disable of 4, g web stop first, g web update-configuration {page}, \
         g web deploy {page}, g hook deploy, g web start {page}, g web post-deploy {page}, \
         g hook post_deploy, app proxy child enable of 4"
    )
}

#[test]
fn a_version_is_rolled_through_the_gears_or_through_none() {
    let _alone = alone();
    let scene = Scene::new(1);
    let host = &scene.host;
    host.must(&["gear", "configure", "app", "--keep-deployments", "2"]);
    host.must(&["gear", "scale", "app", "4"]);
    scene.order();
    scene.push(&[("page", "second")]).unwrap();
    let order: Vec<String> = scene
        .order()
        .split(", ")
        .filter(|line| !line.contains(" side "))
        .map(str::to_owned)
        .collect();
    let child = rolled("second");
    let expected = [
        "app proxy app disable of 4",
        "app web stop first",
        "app web pre-receive first",
        "app web pre-repo-archive first",
        "app web update-configuration second",
        "app web pre-build second",
        "app web build second",
        "app web update-configuration second",
        "app proxy deploy of 4",
        &child,
        &child,
        &child,
        "app web deploy second",
        "app hook deploy",
        "app web start second",
        "app web post-deploy second",
        "app hook post_deploy",
        "app proxy app enable of 4",
    ];
    assert_eq!(order.join(", "), expected.join(", "));
    assert_eq!(scene.pages(), ["second"; 4]);
    let deployment = |gear: &str| {
        let text = scene.file(gear, "app-deployments/current/metadata.json");
        let metadata: Value = serde_json::from_str(&text).unwrap();
        (metadata["id"].clone(), metadata["checksum"].clone())
    };
    for gear in ["app-1", "app-2", "app-3"] {
        assert_eq!(deployment(gear), deployment("app"));
    }
    host.must(&["verify"]);

    // One that fails in the last child is put back in all of them.
    let last = scene.file("app-3", ".env/OPENSHIFT_GEAR_NAME");
    let said =
        scene.push(&[("page", "third"), ("fail-in", &format!("deploy {last}"))]).unwrap_err();
    assert!(said.contains("`control-deploy` of `web` exited with status 7"), "{said}");
    assert_eq!(scene.pages(), ["second"; 4]);
    for gear in scene.gears() {
        assert_eq!(scene.file(&gear, "app-root/runtime/repo/page"), "second");
        assert_eq!(scene.file(&gear, "app-root/runtime/.state"), "started");
    }
    let words = scene.file("app", "app-root/data/words");
    assert!(
        words.ends_with(&format!("enable-server {}", scene.show("app")["uuid"].as_str().unwrap()))
    );

    // The one before is activated everywhere; without rotation nobody tells the proxy.
    scene.order();
    host.must(&["gear", "activate", "app", "--previous", "--no-rotation"]);
    assert_eq!(scene.pages(), ["first"; 4]);
    assert!(!scene.order().contains("disable"));
    host.must(&["gear", "destroy", "app"]);
}
