//! What a script, a disk or a daemon can do to an upgrade: the gear is as it was before, and says so.

use super::family::{Family, difference, release};
use crate::alone;
use crate::host::Host;
use std::process::Command;

/// What there is of a gear, from every side.
struct Side {
    files: std::collections::BTreeMap<String, String>,
    database: Vec<String>,
    processes: Vec<String>,
    rows: serde_json::Value,
}

impl Side {
    fn of(family: &Family) -> Self {
        Self {
            files: family.look(),
            database: family.database(),
            processes: family.processes(),
            rows: family.rows(),
        }
    }

    fn is_again(&self, family: &Family, what: &str) {
        let now = Self::of(family);
        assert!(now.files == self.files, "{what}: {}", difference(&self.files, &now.files));
        assert_eq!(now.database, self.database, "{what}");
        assert_eq!(now.processes, self.processes, "{what}");
        assert_eq!(now.rows, self.rows, "{what}");
        assert!(family.answers(), "{what}: it listens where it did");
    }
}

fn families() -> impl Iterator<Item = (bool, Family)> {
    [true, false].into_iter().map(|compatible| {
        let family = Family::new();
        if compatible {
            family.compatible();
        } else {
            family.incompatible();
        }
        (compatible, family)
    })
}

#[test]
fn a_script_that_fails_hangs_or_kills_its_parent_changes_nothing() {
    let _alone = alone();
    for (compatible, family) in families() {
        family.host.settings("scripts:\n  install_timeout: 2\n");
        for (mode, expected) in
            [("fail", "exited with status 3"), ("hang", "2 seconds"), ("parent", "upgrade")]
        {
            // The first time, the second, and as often as anybody likes.
            for attempt in 1..=2 {
                family.mode(mode);
                let before = Side::of(&family);
                let (status, said) = family.upgrade(&[]);
                let what = format!("compatible: {compatible}, {mode}, {attempt}: {said}");
                assert_eq!(status, 9, "{what}");
                assert!(said.contains(expected) && said.contains("put back"), "{what}");
                before.is_again(&family, &what);
            }
        }
        family.mode("");
        let (status, said) = family.upgrade(&[]);
        assert_eq!(status, 0, "and once it works, it is upgraded: {said}");
        assert_eq!(family.seen("OPENSHIFT_FAM_IDENT"), family.expected(compatible));
    }
}

#[test]
fn a_script_that_succeeds_at_its_third_attempt_is_tried_until_then() {
    let _alone = alone();
    for (compatible, family) in families() {
        family.mode("until 3");
        let (status, said) = family.upgrade(&["--on-failure", "hold"]);
        assert_eq!(status, 1, "{said}");
        let (status, said) = family.upgrade(&["--resume", "--on-failure", "hold"]);
        assert_eq!(status, 1, "{said}");
        assert!(family.has("app-root/runtime/.upgrade_itinerary"), "it is still open");
        let (status, said) = family.upgrade(&["--resume"]);
        assert_eq!(status, 0, "{said}");
        let told = family.read("app-root/data/upgraded");
        assert!((1..=3).all(|number| told.contains(&format!("attempt {number} in"))), "{told}");
        assert_eq!(family.seen("OPENSHIFT_FAM_IDENT"), family.expected(compatible));
        assert!(!family.has("app-root/runtime/.upgrade_itinerary"));
        assert!(family.answers());
    }
}

#[test]
fn a_gear_that_does_not_answer_any_more_goes_back() {
    let _alone = alone();
    let family = Family::new();
    family.incompatible();
    family.mode("deaf");
    let before = Side::of(&family);
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 9, "{said}");
    assert!(said.contains("nothing listens on") && said.contains("put back"), "{said}");
    before.is_again(&family, &said);
}

/// Unmounts what it names.
struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_script_that_fills_the_disk_changes_nothing() {
    let _alone = alone();
    for compatible in [true, false] {
        let host = Host::new();
        std::fs::create_dir_all(host.root()).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "mode=755,size=24m", "none"]).arg(host.root());
        if !mount.output().is_ok_and(|output| output.status.success()) {
            println!("SKIP: story::upgrades: a full disk: mounting a tmpfs needs root");
            return;
        }
        let mounted = Mounted(host.root());
        let family = Family::on(host);
        if compatible {
            family.compatible();
        } else {
            family.incompatible();
        }
        family.mode("disk");
        let before = Side::of(&family);
        let (status, said) = family.upgrade(&[]);
        assert_eq!(status, 9, "{said}");
        assert!(said.contains("put back"), "{said}");
        before.is_again(&family, &said);
        family.mode("");
        let (status, said) = family.upgrade(&[]);
        assert_eq!(status, 0, "{said}");
        drop(family);
        drop(mounted);
    }
}

#[test]
fn a_gear_whose_cartridge_does_not_even_start_is_mended_by_its_upgrade() {
    let _alone = alone();
    let family = Family::new();
    let broken = family.host.home("blog").join("fam/bin/control");
    std::fs::write(&broken, "#!/bin/bash\nexit 7\n").unwrap();
    let (status, said) = family.host.talk(&["gear", "restart", "blog"]);
    assert_ne!(status, 0, "{said}");
    let newer = release(&family.host, "2.0", "", "", &[]);
    family.host.must(&["install", &newer]);
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    assert!(family.answers(), "its daemon runs again");
}
