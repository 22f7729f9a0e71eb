//! Pushing to public cartridges, unmodified: the new version answers, or the old one still does.

use super::host::{Host, get};
use super::markers::{MOCK, set, touched};
use super::public::{Public, fetch};
use std::path::PathBuf;
use std::process::Command;

/// A cartridge of many for Node.js, with a `package.json` and `npm`.
const NODEJS: Public = Public {
    repository: "icflorescu/openshift-cartridge-nodejs",
    commit: "c14f74cce3e456f9fcae63cfa010fc18073b2626",
    folder: "",
};

/// A gear of a public cartridge, and a working copy of its repository.
struct Scene {
    host: Host,
    gear: &'static str,
}

impl Scene {
    fn new(public: &Public, gear: &'static str) -> Result<Self, String> {
        let host = Host::new();
        let folder = host.path("cartridge");
        fetch(public, &folder)?;
        host.must(&["install", &folder.display().to_string(), "--allow-external-links"]);
        let name = host.json(&["list"])["packages"][0]["name"].as_str().unwrap().to_owned();
        host.must(&["gear", "create", gear, &name, "--start"]);
        let scene = Self { host, gear };
        let repository = scene.host.json(&["gear", "show", gear])["repository"].clone();
        let (repository, work) = (repository.as_str().unwrap(), scene.work());
        scene.git(&["clone", "-q", repository, work.to_str().unwrap()]).unwrap();
        Ok(scene)
    }

    fn work(&self) -> PathBuf {
        self.host.path("work")
    }

    fn git(&self, line: &[&str]) -> Result<String, String> {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=dev", "-c", "user.email=dev@localhost"]).args(line);
        let folder = self.work();
        git.current_dir(if folder.is_dir() { folder } else { self.host.path(".") });
        let output = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    fn push(&self, files: &[(&str, &str)]) -> Result<String, String> {
        for (name, text) in files {
            std::fs::write(self.work().join(name), text).unwrap();
        }
        self.git(&["add", "-A"]).unwrap();
        self.git(&["commit", "-q", "-m", "change"]).unwrap();
        self.git(&["push", "-q", "origin", "HEAD:master"])
    }

    /// Waits until the gear's first endpoint answers with these words.
    fn says(&self, words: &str) {
        let gear = self.host.json(&["gear", "show", self.gear]);
        let endpoints = gear["endpoints"].as_array().unwrap();
        let first = endpoints.iter().find(|one| one["port"] == 8080).unwrap();
        let address = first["address"].as_str().unwrap();
        Host::until(|| get(address, 8080).is_some_and(|page| page.contains(words)));
    }
}

fn skipped(why: &str) {
    println!("SKIP: real::pushes: {why}");
}

#[test]
#[ignore = "needs the network and ruby: `make test-real`"]
fn the_official_diy_is_pushed_to() {
    let scene = match Scene::new(&super::DIY, "diy") {
        Ok(scene) => scene,
        Err(why) => return skipped(&why),
    };
    scene.push(&[("diy/index.html", "<p>pushed</p>\n")]).unwrap();
    scene.says("<p>pushed</p>");
    // Its hook starts the server: one that fails fails the push, and the old version answers.
    let hook = ".openshift/action_hooks/start";
    let good = std::fs::read_to_string(scene.work().join(hook)).unwrap();
    let bad = [("diy/index.html", "<p>bad</p>\n"), (hook, "#!/bin/bash\nexit 3\n")];
    let said = scene.push(&bad).unwrap_err();
    assert!(said.contains("exited with status 3"), "{said}");
    scene.says("<p>pushed</p>");
    scene.push(&[("diy/index.html", "<p>good</p>\n"), (hook, &good)]).unwrap();
    scene.says("<p>good</p>");
    scene.host.must(&["gear", "destroy", "diy"]);
}

#[test]
#[ignore = "needs the network and ruby: `make test-real`"]
fn the_official_mock_is_pushed_to() {
    let scene = match Scene::new(&MOCK, "mock") {
        Ok(scene) => scene,
        Err(why) => return skipped(&why),
    };
    let place = scene.host.home("mock").join("app-root/data/.mock_cartridge_state");
    for mark in touched(&scene.host).iter().filter(|mark| *mark != "mock_process") {
        std::fs::remove_file(place.join(mark)).unwrap();
    }
    scene.push(&[("index.html", "<p>pushed</p>\n")]).unwrap();
    let called = touched(&scene.host);
    for mark in [
        "control_stop",
        "control_pre_repo_archive",
        "control_update_configuration",
        "control_pre_build",
        "action_hook_pre_build",
        "control_build",
        "action_hook_build",
        "control_deploy",
        "action_hook_deploy",
        "control_start",
        "control_post_deploy",
        "action_hook_post_deploy",
        "mock_process",
    ] {
        assert!(called.contains(mark), "{mark}: {called:?}");
    }
    assert!(called.is_disjoint(&set(["setup_called", "install_called", "post_install_called"])));
    scene.says("<p>pushed</p>");
    scene.host.must(&["gear", "destroy", "mock"]);
}

#[test]
#[ignore = "needs the network, node and npm: `make test-real`"]
fn a_nodejs_cartridge_is_pushed_to() {
    if ["node", "npm"].iter().any(|name| Command::new(name).arg("--version").output().is_err()) {
        return skipped("needs node, npm");
    }
    let scene = match Scene::new(&NODEJS, "node") {
        Ok(scene) => scene,
        Err(why) => return skipped(&why),
    };
    let app = |text: &str| {
        format!(
            "const said = require('said');\n\
             require('http').createServer((_, answer) => answer.end(said + '{text}'))\n\
             .listen(8080, process.env.OPENSHIFT_NODEJS_IP);\n"
        )
    };
    // What `npm` brings without a network.
    let package = "{ \"name\": \"app\", \"version\": \"1.0.0\", \"scripts\": { \"start\": \"node ours.js\" }, \
        \"dependencies\": { \"said\": \"file:./said\" } }\n";
    std::fs::create_dir_all(scene.work().join("said")).unwrap();
    let said = "{ \"name\": \"said\", \"version\": \"1.0.0\" }\n";
    let files = [
        ("package.json", package),
        ("ours.js", &app("one")),
        ("said/package.json", said),
        ("said/index.js", "module.exports = 'version ';\n"),
    ];
    scene.push(&files).unwrap();
    scene.says("version one");
    // It moves `node_modules` out of the old version before it builds: what fails brings them back.
    let said = scene.push(&[("package.json", "{ broken")]).unwrap_err();
    assert!(said.contains("error:"), "{said}");
    scene.says("version one");
    let modules = scene.host.home("node").join("app-root/runtime/repo/node_modules/said");
    assert!(modules.is_symlink(), "{}", modules.display());
    scene.host.must(&["gear", "stop", "node"]);
    scene.host.must(&["gear", "start", "node"]);
    scene.says("version one");
    scene.push(&[("package.json", package), ("ours.js", &app("two"))]).unwrap();
    scene.says("version two");
    scene.host.must(&["gear", "destroy", "node"]);
}
