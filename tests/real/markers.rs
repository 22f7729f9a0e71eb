//! The official mock cartridge writes down what it is told: each call of the platform touches a file
//! of its own. All of them are there, and none before its time.

use super::host::Host;
use super::public::{Public, fetch};
use std::collections::BTreeSet;

pub(super) const MOCK: Public = Public {
    repository: "openshift/origin-server",
    commit: "7fd191093ac5a07133108e5583fe30270494306d",
    folder: "cartridges/openshift-origin-cartridge-mock",
};

/// The actions that are called by hand here, and the file that each touches.
const BY_HAND: [(&str, &str); 11] = [
    ("pre-build", "control_pre_build"),
    ("build", "control_build"),
    ("deploy", "control_deploy"),
    ("post-deploy", "control_post_deploy"),
    ("pre-snapshot", "control_pre_snapshot"),
    ("post-snapshot", "control_post_snapshot"),
    ("pre-restore", "control_pre_restore"),
    ("post-restore", "control_post_restore"),
    ("pre-repo-archive", "control_pre_repo_archive"),
    ("update-configuration", "control_update_configuration"),
    ("status", "control_status"),
];

/// The files that the cartridge has touched.
pub(super) fn touched(host: &Host) -> BTreeSet<String> {
    let place = host.home("mock").join("app-root/data/.mock_cartridge_state");
    let entries = std::fs::read_dir(place).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What a command touches beyond what was there.
fn adds(host: &Host, line: &[&str]) -> BTreeSet<String> {
    let before = touched(host);
    host.must(line);
    touched(host).difference(&before).cloned().collect()
}

pub(super) fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
#[ignore = "needs the network and ruby: `make test-real`"]
fn every_marker_of_the_official_mock_is_touched_by_its_action() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("cartridge");
    if let Err(why) = fetch(&MOCK, &folder) {
        println!("SKIP: real::markers: {why}");
        return;
    }
    let host = Host::new();
    host.must(&["gear", "create", "mock", &folder.display().to_string()]);
    let made = set([
        "setup_called",
        "setup_version",
        "setup_succeed",
        "install_called",
        "install_version",
        "install_succeed",
    ]);
    assert_eq!(touched(&host), made);
    let hooks = |action: &str| {
        let all = ["pre", "post"].map(|when| {
            [format!("action_hook_{when}_{action}"), format!("action_hook_{when}_{action}_mock")]
        });
        all.concat()
    };
    let with_hooks = |action: &str, more: &[&str]| -> BTreeSet<String> {
        hooks(action).into_iter().chain(more.iter().map(|name| (*name).to_owned())).collect()
    };
    let post_install = ["post_install_called", "post_install_version", "post_install_succeed"];
    let started = [&["control_start", "mock_process"], post_install.as_slice()].concat();
    assert_eq!(adds(&host, &["gear", "start", "mock"]), with_hooks("start", &started));
    assert_eq!(adds(&host, &["gear", "reload", "mock"]), with_hooks("reload", &["control_reload"]));
    // Its restart is its stop and its start.
    let restarted = ["control_restart", "control_stop"];
    assert_eq!(adds(&host, &["gear", "restart", "mock"]), with_hooks("restart", &restarted));
    for (action, marker) in BY_HAND {
        let added = adds(&host, &["gear", "control", "mock", action]);
        assert!(added.contains(marker), "{action}: {added:?}");
    }
    let tidied = adds(&host, &["gear", "tidy", "mock"]);
    assert!(tidied.contains("control_tidy"), "{tidied:?}");
    assert!(hooks("tidy").iter().all(|hook| tidied.contains(hook)), "{tidied:?}");
    host.must(&["gear", "stop", "mock"]);
    let now = touched(&host);
    assert!(hooks("stop").iter().all(|hook| now.contains(hook)), "{now:?}");
    assert!(!now.contains("mock_process"), "it is stopped");
    host.must(&["gear", "destroy", "mock"]);
}
