//! The whole way, as a person walks it: a cartridge comes from a URL or a repository, is verified,
//! made into a gear, started, answers over HTTP, is stopped, destroyed, and any of it undone.
//!
//! `tests/real` walks the same way with the official `diy` cartridge.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests that drive the program from outside, and fail where they cannot"
)]

mod apache;
mod application;
mod bad_cartridges;
mod bad_pushes;
mod commands;
mod confined;
mod control;
mod deploy;
mod disk;
mod elsewhere;
mod externals;
mod frontend;
mod host;
mod managed;
mod outdated;
mod records;
mod scaled;
mod scaling;
mod several;
mod snapshots;
mod ssh;
#[path = "../support/mod.rs"]
mod support;
mod templates;
mod trouble;
mod upgrades;
mod variables;
mod verbs;
mod versions;

use host::{Host, get, md5};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use support::http::{Reply, Server};
use support::pack;

/// Gears of two hosts would choose the same loopback addresses.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(crate) fn alone() -> std::sync::MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The static web server of the default index.
fn cartridge() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("repo-index/static-web")
}

/// Its files, below a top folder as archives of forges have one.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![cartridge()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(cartridge()).unwrap().display().to_string();
                found.push((format!("static-web-main/{name}"), std::fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn packed(pack: fn(&[pack::File<'_>]) -> Vec<u8>) -> Vec<u8> {
    let files = files();
    let files: Vec<_> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    pack(&files)
}

/// From an installed package to a page and back to nothing.
pub(crate) fn walk(host: &Host, package: &str, words: &str) {
    host.must(&["gear", "create", "blog", package, "--start"]);
    let gear = host.json(&["gear", "show", "blog"]);
    assert_eq!((&gear["name"], &gear["state"]), (&"blog".into(), &"started".into()));
    let endpoint = &gear["endpoints"][0];
    let at = (endpoint["address"].as_str().unwrap(), endpoint["port"].as_u64().unwrap());
    let page = get(at.0, u16::try_from(at.1).unwrap()).unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains(words), "{page}");
    host.must(&["gear", "status", "blog"]);
    host.must(&["verify"]);
    assert_eq!(host.run(&["remove", package]).0, 4, "a package in use stays");
    host.must(&["gear", "start", "blog"]);
    host.must(&["gear", "stop", "blog"]);
    assert!(get(at.0, u16::try_from(at.1).unwrap()).is_none(), "a stopped gear is silent");
    host.must(&["gear", "stop", "blog"]);
    host.must(&["gear", "destroy", "blog"]);
    assert_eq!(host.run(&["gear", "show", "blog"]).0, 3);
    host.must(&["undo", &host.last()]);
    assert_eq!(host.json(&["gear", "show", "blog"])["state"], "stopped");
    host.must(&["gear", "destroy", "blog"]);
    host.must(&["remove", package]);
    assert_eq!(host.json(&["list"])["packages"].as_array().unwrap().len(), 0);
    host.must(&["undo", &host.last()]);
    host.must(&["verify"]);
    host.must(&["remove", package]);
}

#[test]
fn from_an_archive_behind_a_url() {
    let _alone = alone();
    let host = Host::new();
    let server = Server::start();
    let archive = packed(pack::tar_gz);
    let url = server.route("/get?file=static-web", [Reply::bytes(archive.clone())]);
    // A wrong digest first: nothing comes of it.
    let wrong = "0".repeat(32);
    assert_eq!(host.run(&["install", &url, "--md5", &wrong]).0, 6);
    assert_eq!(host.json(&["list"])["packages"].as_array().unwrap().len(), 0);
    host.must(&["install", &url, "--md5", &md5(&archive).to_uppercase()]);
    let package = &host.json(&["list"])["packages"][0];
    assert_eq!(package["trust"], "md5-only");
    assert_eq!(package["md5"], md5(&archive));
    assert_eq!(package["sha256"].as_str().unwrap().len(), 64);
    for (name, value) in [
        ("format", "cartridge"),
        ("vendor", "cartwright"),
        ("name", "static-web"),
        ("version", "1.0"),
        ("package_version", "1.0.0"),
    ] {
        assert_eq!(package[name], value);
    }
    // The second time there is nothing to do.
    let before = host.json(&["history"])["transactions"].as_array().unwrap().len();
    host.must(&["install", &url, "--md5", &md5(&archive)]);
    assert_eq!(host.json(&["history"])["transactions"].as_array().unwrap().len(), before);
    walk(&host, "static-web", "Your static web site is running");
}

#[test]
fn from_a_repository_with_its_commit() {
    let _alone = alone();
    let host = Host::new();
    let (repository, commit) = host.repository(&cartridge());
    host.must(&["install", &format!("{repository}#{commit}")]);
    let package = &host.json(&["list"])["packages"][0];
    assert_eq!((&package["commit"], &package["trust"]), (&commit.into(), &"git".into()));
    walk(&host, "static-web", "Your static web site is running");
}

#[test]
fn from_a_manifest_that_names_its_archive() {
    let _alone = alone();
    let host = Host::new();
    let server = Server::start();
    let archive = packed(pack::zip);
    let url = server.route("/static-web.zip", [Reply::bytes(archive.clone())]);
    let own = std::fs::read_to_string(cartridge().join("metadata/manifest.yml")).unwrap();
    let manifest = format!("{own}\nSource-Url: {url}\nSource-Md5: {}\n", md5(&archive));
    let url = server.route("/manifest.yml", [Reply::bytes(manifest.clone())]);
    host.must(&["gear", "create", "web", &url]);
    let package = host.json(&["list"])["packages"][0].clone();
    assert_eq!(package["trust"], "md5-only");
    host.must(&["gear", "destroy", "web"]);
    let wrong = manifest.replace(&md5(&archive), &"0".repeat(32));
    let wrong = server.route("/wrong.yml", [Reply::bytes(wrong)]);
    let (status, said) = host.run(&["gear", "create", "other", &wrong]);
    assert_eq!(status, 6, "{said}");
    assert_eq!(host.run(&["gear", "show", "other"]).0, 3);
}

#[test]
fn the_cartridges_of_the_index_work_side_by_side() {
    let _alone = alone();
    let host = Host::new();
    host.node_variable("OPENSHIFT_CRON_WORKER_INTERVAL", "1");
    host.must(&["gear", "create", "app", "perl-app", "cron-worker", "--start"]);
    let gear = host.json(&["gear", "show", "app"]);
    let address = gear["endpoints"][0]["address"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let page = get(&address, 8080).unwrap();
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("app"), "{page}");
    }
    Host::until(|| host.run(&["gear", "logs", "app"]).1.contains("tick 2"));
    host.must(&["gear", "create", "web", "static-web", "--start"]);
    assert_eq!(host.json(&["gear", "list"])["gears"].as_array().unwrap().len(), 2);
    let (status, environment) = host.run(&["gear", "exec", "app", "--", "env"]);
    assert_eq!(status, 0);
    assert!(environment.contains("OPENSHIFT_PERL_APP_IP=127."), "{environment}");
    host.must(&["gear", "destroy", "app"]);
    host.must(&["gear", "destroy", "web"]);
    host.must(&["verify"]);
}

#[test]
fn what_cannot_be_had_is_told_and_changes_nothing() {
    let host = Host::new();
    let server = Server::start();
    let page = server.route("/page.zip", [Reply::page()]);
    let nothing = server.url("/nothing.zip");
    let half = server.route("/half.tgz", [Reply::bytes(packed(pack::tar_gz)).cut_after(900)]);
    let hostile = pack::zip(&[("a/../../escape", b"x")]);
    let hostile = server.route("/hostile.zip", [Reply::bytes(hostile)]);
    let broken = pack::tar_gz(&[("t/metadata/manifest.yml", b"Name: x\n"), ("t/bin/control", b"")]);
    let broken = server.route("/broken.tgz", [Reply::bytes(broken)]);
    host.settings("download:\n  retries: 1\n");
    for (line, status, words) in [
        (&["install", "gopher://x/y"][..], 2, "gopher"),
        (&["install", &nothing], 7, "404"),
        (&["install", &page], 7, "page"),
        (&["install", &half], 7, "half.tgz"),
        (&["install", &hostile], 6, "escape"),
        (&["install", &broken], 1, "required element"),
        (&["install", "no-such-package"], 3, "no-such-package"),
        (&["gear", "create", "../up", "static-web"], 2, "../up"),
        (&["gear", "create", "admin", "static-web"], 5, "admin"),
        (&["gear", "start", "nobody"], 3, "nobody"),
        (&["undo", "7"], 3, "7"),
    ] {
        let (code, said) = host.run(line);
        assert_eq!(code, status, "{line:?}: {said}");
        assert!(said.contains(words) && said.starts_with("error: "), "{line:?}: {said}");
        assert_eq!(host.json(&["list"])["packages"].as_array().unwrap().len(), 0);
        assert_eq!(host.json(&["gear", "list"])["gears"].as_array().unwrap().len(), 0);
        host.must(&["verify"]);
        assert!(host.staging_is_empty(), "{line:?} left something in staging");
    }
}

#[test]
fn an_interrupted_download_leaves_nothing() {
    let host = Host::new();
    let server = Server::start();
    let slow = Reply::bytes(packed(pack::tar_gz)).stall_after(500);
    let url = server.route("/slow.tgz", [slow]);
    let status = host.interrupted(&["install", &url], std::time::Duration::from_millis(600));
    assert_eq!(status, Some(130));
    assert!(host.staging_is_empty());
    host.must(&["verify"]);
}

#[test]
fn two_at_once_are_told_of_each_other() {
    let host = Host::new();
    let folder = host.slow_cartridge();
    let mut first = host.command(&["gear", "create", "slow", &folder]).spawn().unwrap();
    Host::until(|| host.has_gear_folder("slow"));
    let (status, said) = host.run(&["gear", "create", "slow", "static-web"]);
    assert!(status == 8 || status == 4, "{status}: {said}");
    let (status, said) = host.run(&["install", &folder]);
    assert_eq!(status, 8, "{said}");
    assert!(said.contains("gear create slow") && said.contains("--wait"), "{said}");
    host.must(&["install", "static-web"]);
    assert!(first.wait().unwrap().success());
    host.must(&["gear", "destroy", "slow"]);
    println!("story: both went their way");
}
