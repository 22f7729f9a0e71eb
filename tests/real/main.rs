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

use host::{Host, get, md5};
use std::path::Path;
use std::process::Command;
use support::http::{Reply, Server};

/// A cartridge in a public repository.
struct Public {
    repository: &'static str,
    commit: &'static str,
    folder: &'static str,
}

/// The official do-it-yourself cartridge, at the last commit of its project. Its hook starts a web
/// server with Ruby and pipes into `/usr/bin/logshifter`.
const DIY: Public = Public {
    repository: "openshift/origin-server",
    commit: "7fd191093ac5a07133108e5583fe30270494306d",
    folder: "cartridges/openshift-origin-cartridge-diy",
};

/// Brings a cartridge into `into`; the error says why it cannot be had here.
fn fetch(public: &Public, into: &Path) -> Result<(), String> {
    let git = |arguments: &[&str], bare: &Path| -> Result<Vec<u8>, String> {
        let output = Command::new("git")
            .env("GIT_DIR", bare)
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(arguments)
            .output()
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        output.status.success().then_some(output.stdout).ok_or(said)
    };
    let bare = if let Ok(mirror) = std::env::var("CART_REAL_MIRROR") {
        Path::new(&mirror).join(public.repository.replace('/', "+"))
    } else {
        let bare = into.join("repository");
        git(&["init", "--quiet", "--bare"], &bare)?;
        let url = format!("https://github.com/{}.git", public.repository);
        git(&["fetch", "--quiet", "--depth", "1", &url, public.commit], &bare)?;
        bare
    };
    let bare = if bare.join("repo").is_dir() { bare.join("repo") } else { bare };
    let listed = git(&["ls-tree", "-r", public.commit, &format!("{}/", public.folder)], &bare)?;
    for line in String::from_utf8_lossy(&listed).lines() {
        let (head, path) = line.split_once('\t').ok_or("git lists oddly")?;
        let mut words = head.split(' ');
        let (mode, object) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
        let path = path.strip_prefix(public.folder).unwrap().trim_start_matches('/');
        let file = into.join("cartridge").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, git(&["cat-file", "blob", object], &bare)?).unwrap();
        if mode == "100755" {
            Command::new("chmod").arg("+x").arg(&file).status().unwrap();
        }
    }
    Ok(())
}

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
    if let Err(why) = fetch(&DIY, place.path()) {
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
