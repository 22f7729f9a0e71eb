//! The official mock cartridge through three releases and back. Its project has but one; the others are
//! made of it here, by another `Cartridge-Version` and other endpoints.

use super::host::Host;
use super::markers::{MOCK, set, touched};
use super::public::fetch;
use serde_json::Value;
use std::path::Path;

/// The last of its endpoints on an address of its own, as the manifest has it.
const LAST: &str =
    "- Private-IP-Name: EXAMPLE_IP2\n  Private-Port-Name: EXAMPLE_PORT4\n  Private-Port: 9090\n";
const ANOTHER: &str =
    "- Private-IP-Name: EXAMPLE_IP3\n  Private-Port-Name: EXAMPLE_PORT5\n  Private-Port: 9191\n";

/// Makes the cartridge another release.
fn becomes(folder: &Path, version: &str, more: &str) {
    let path = folder.join("metadata/manifest.yml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, tail) = text.split_once("Cartridge-Version: ").unwrap();
    let (_, tail) = tail.split_once('\n').unwrap();
    let text = format!("{head}Cartridge-Version: {version}\n{more}{tail}");
    std::fs::write(&path, text).unwrap();
}

fn replace(folder: &Path, what: &str, by: &str) {
    let path = folder.join("metadata/manifest.yml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(what), "the manifest has changed");
    std::fs::write(&path, text.replacen(what, by, 1)).unwrap();
}

fn forget_marks(host: &Host) {
    // By this one it knows that it runs.
    for name in touched(host).iter().filter(|name| *name != "mock_process") {
        let place = host.home("mock").join("app-root/data/.mock_cartridge_state");
        std::fs::remove_file(place.join(name)).unwrap();
    }
}

/// The ports that the gear listens on, and the version of its cartridge.
fn shown(host: &Host) -> (Vec<u64>, String) {
    let gear = host.json(&["gear", "show", "mock"]);
    let port = |row: &Value| row["port"].as_u64().unwrap();
    let mut ports: Vec<u64> = gear["endpoints"].as_array().unwrap().iter().map(port).collect();
    ports.sort_unstable();
    let (status, ident) =
        host.run(&["gear", "exec", "mock", "--", "printenv", "OPENSHIFT_MOCK_IDENT"]);
    assert_eq!(status, 0, "{ident}");
    (ports, ident.trim().rsplit(':').next().unwrap_or_default().to_owned())
}

#[test]
#[ignore = "needs the network and ruby: `make test-real`"]
fn the_official_mock_goes_through_three_releases_and_back() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("cartridge");
    if let Err(why) = fetch(&MOCK, &folder) {
        println!("SKIP: real::upgrades: {why}");
        return;
    }
    let source = folder.display().to_string();
    let host = Host::new();
    host.must(&["gear", "create", "mock", &source, "--start"]);
    let first = (vec![8080, 8081, 8082, 8443, 9090], "0.0.1".to_owned());
    assert_eq!(shown(&host), first);

    becomes(&folder, "0.0.2", "Compatible-Versions: [0.0.1]\n");
    host.must(&["install", &source]);
    forget_marks(&host);
    let processes = host.processes();
    host.must(&["gear", "upgrade", "mock"]);
    assert_eq!(
        touched(&host),
        set(["mock_process"]),
        "the gear goes on, and none of its scripts is called"
    );
    assert_eq!(host.processes(), processes);
    let second = (first.0.clone(), "0.0.2".to_owned());
    assert_eq!(shown(&host), second);

    becomes(&folder, "0.0.3", "");
    replace(&folder, LAST, ANOTHER);
    host.must(&["install", &source]);
    host.must(&["gear", "upgrade", "mock"]);
    // Its setup forgets what was called before.
    let called = touched(&host);
    for mark in ["setup_called", "setup_succeed", "control_start", "mock_process"] {
        assert!(called.contains(mark), "{mark}: {called:?}");
    }
    for mark in ["install_called", "post_install_called", "setup_failure", "teardown_called"] {
        assert!(!called.contains(mark), "{mark}: {called:?}");
    }
    assert_eq!(shown(&host), (vec![8080, 8081, 8082, 8443, 9191], "0.0.3".to_owned()));

    host.must(&["gear", "rollback", "mock"]);
    assert_eq!(shown(&host), second, "the endpoint is another again");
    host.must(&["gear", "rollback", "mock"]);
    assert_eq!(shown(&host), first);
    assert!(touched(&host).contains("mock_process"), "it runs");
    host.must(&["gear", "destroy", "mock"]);
}
