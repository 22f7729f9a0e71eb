//! Public cartridges, unmodified: pinned by commit, fetched where the network allows it, never
//! committed. `make test-real` alone runs these; everything that they use is also covered by
//! cartridges of our own in `tests/story`.
//!
//! `CART_REAL_MIRROR` may name a directory with bare repositories, `owner+name` each, to take them
//! from instead.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests that drive the program from outside, and fail where they cannot"
)]

#[expect(dead_code, reason = "the story uses the rest of it")]
#[path = "../story/host.rs"]
mod host;
#[path = "../support/mod.rs"]
mod support;

mod corpus;
mod haproxy;
mod listed;
mod markers;
mod public;
mod pushes;
mod tpkg;
mod upgrades;

use host::{Host, get, md5};
use public::{Public, fetch};
use std::process::Command;
use support::http::{Reply, Server};

/// The official do-it-yourself cartridge, at the last commit of its project. Its hook starts a web
/// server with Ruby and pipes into `/usr/bin/logshifter`.
const DIY: Public = Public {
    repository: "openshift/origin-server",
    commit: "7fd191093ac5a07133108e5583fe30270494306d",
    folder: "cartridges/openshift-origin-cartridge-diy",
};

/// Starts a gear, sees its page, stops and destroys it.
fn lives(host: &Host) {
    host.must(&["gear", "create", "diy", "diy", "--start"]);
    let gear = host.json(&["gear", "show", "diy"]);
    let address = gear["endpoints"][0]["address"].as_str().unwrap().to_owned();
    let page = get(&address, 8080).unwrap_or_default();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    host.must(&["gear", "status", "diy"]);
    if gear["sandbox"] == "namespaces" {
        Host::until(|| host.run(&["gear", "logs", "diy"]).1.contains("GET / HTTP/1.1"));
    }
    host.must(&["gear", "stop", "diy"]);
    assert_eq!(get(&address, 8080), None, "a stopped gear is silent");
    host.must(&["gear", "destroy", "diy"]);
    host.must(&["verify"]);
    host.must(&["remove", "diy"]);
}

#[test]
#[ignore = "needs the network and ruby: `make test-real`"]
fn the_official_diy_lives_from_a_repository_and_from_an_archive() {
    let place = tempfile::tempdir().unwrap();
    if let Err(why) = fetch(&DIY, &place.path().join("cartridge")) {
        println!("SKIP: real::diy: {} cannot be fetched: {why}", DIY.repository);
        return;
    }
    if Command::new("ruby").arg("-rwebrick").args(["-e", "1"]).status().is_err() {
        println!("SKIP: real::diy: its web server needs ruby");
        return;
    }
    let folder = place.path().join("cartridge");
    let host = Host::new();
    let (repository, commit) = host.repository(&folder);
    host.must(&["install", &format!("{repository}#{commit}")]);
    assert_eq!(host.json(&["list"])["packages"][0]["commit"], commit);
    lives(&host);

    // Packed by tar itself, for the modes.
    let packed = place.path().join("diy.tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(place.path()).arg("-czf").arg(&packed).arg("cartridge");
    assert!(tar.status().unwrap().success());
    let archive = std::fs::read(packed).unwrap();
    let server = Server::start();
    let url = server.route("/diy.tar.gz", [Reply::bytes(archive.clone())]);
    assert_eq!(host.run(&["install", &url, "--md5", &"0".repeat(32)]).0, 6);
    host.must(&["install", &url, "--md5", &md5(&archive)]);
    assert_eq!(host.json(&["list"])["packages"][0]["trust"], "md5-only");
    lives(&host);
}
