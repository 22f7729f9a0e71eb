//! Through every release of the family, and back.

use super::family::{Family, difference, release};
use crate::alone;
use crate::host::Host;

const SECOND: &str =
    "- Private-IP-Name: IP\n  Private-Port-Name: ADMIN_PORT\n  Private-Port: 23412\n";

#[test]
fn a_gear_goes_through_all_releases_and_back_again() {
    let _alone = alone();
    let family = Family::new();
    // What is started again is written down again, at its own time.
    let look = || {
        let mut files = family.look();
        files.remove("app-root/runtime");
        files.insert("app-root/runtime/.state".into(), family.read("app-root/runtime/.state"));
        (files, family.rows())
    };
    let mut before = Vec::new();
    // Compatible, incompatible with one endpoint more, and incompatible with it gone.
    let releases = [("1.1", "'1.0'", ""), ("2.0", "", SECOND), ("3.0", "'1.1'", "")];
    for (version, compatible, endpoints) in releases {
        before.push(look());
        let place = release(&family.host, version, compatible, endpoints, &[]);
        family.host.must(&["install", &place]);
        let (status, said) = family.upgrade(&[]);
        assert_eq!(status, 0, "{said}");
        let expected = format!("test:fam:1:{version}");
        assert_eq!(family.seen("OPENSHIFT_FAM_IDENT"), Some(expected));
        let second = family.seen("OPENSHIFT_FAM_ADMIN_PORT");
        assert_eq!(second.is_some(), !endpoints.is_empty(), "{version}: {second:?}");
        let rows = family.rows()["endpoints"].as_array().unwrap().len();
        assert_eq!(rows, if endpoints.is_empty() { 1 } else { 2 }, "{version}");
        assert!(family.answers() && family.processes().len() == 1, "{version}");
    }
    let setups = family.read("app-root/data/setups");
    assert_eq!(setups, "1.0\n2.0\n3.0\n", "`setup` runs where a release is incompatible");

    // The newest upgrade first, each with the data that belongs to it.
    for (was, rows) in before.drain(1..).rev() {
        let (status, said) = family.host.talk(&["gear", "rollback", "blog", "--with-data"]);
        assert_eq!(status, 0, "{said}");
        let (now, rows_now) = look();
        assert!(now == was, "{}", difference(&was, &now));
        assert_eq!(rows_now["endpoints"], rows["endpoints"]);
        assert_eq!(rows_now["cartridges"], rows["cartridges"]);
        assert!(family.answers() && family.processes().len() == 1);
    }
    // The gear ran during the first one: its data is of no moment in particular.
    let (status, said) = family.host.talk(&["gear", "rollback", "blog", "--with-data"]);
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("ran during its upgrade"), "{said}");
    let (status, said) = family.host.talk(&["gear", "rollback", "blog"]);
    assert_eq!(status, 0, "{said}");
    let (was, rows) = before.remove(0);
    let (now, rows_now) = look();
    let of_the_cartridge = |all: &std::collections::BTreeMap<String, String>| -> Vec<String> {
        let is_its = |path: &&String| path.starts_with("fam/") && !path.ends_with("by-script");
        all.keys().filter(is_its).cloned().collect()
    };
    assert_eq!(of_the_cartridge(&now), of_the_cartridge(&was));
    assert_eq!(family.read("fam/conf/locked"), "1.0");
    assert_eq!(rows_now["endpoints"], rows["endpoints"]);
    assert_eq!(rows_now["cartridges"], rows["cartridges"]);
    assert!(family.answers() && family.processes().len() == 1);
    let (status, said) = family.host.talk(&["gear", "rollback", "blog"]);
    assert_eq!(status, 3, "there is none left to take back: {said}");
    // A release may be left out on the way.
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(family.seen("OPENSHIFT_FAM_IDENT").as_deref(), Some("test:fam:1:3.0"));
}

/// A family whose cartridge comes from a repository, which gets one release after the other.
struct Published {
    family: Family,
}

impl Published {
    fn new() -> Self {
        let host = Host::new();
        release(&host, "1.0", "", "", &[]);
        let (url, _) = host.repository(&host.path("fam-1.0"));
        host.must(&["gear", "create", "blog", &url, "--start"]);
        Self { family: Family { host } }
    }

    fn publish(&self, version: &str, compatible: &str) {
        let host = &self.family.host;
        release(host, version, compatible, "", &[]);
        host.repository(&host.path(&format!("fam-{version}")));
    }

    /// What the library has.
    fn versions(&self) -> Vec<String> {
        let all = self.family.host.json(&["list"])["packages"].clone();
        let all = all.as_array().unwrap().iter();
        let mut all: Vec<_> =
            all.map(|one| one["package_version"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    }
}

#[test]
fn newer_releases_are_fetched_from_where_the_cartridge_came() {
    let _alone = alone();
    let published = Published::new();
    let family = &published.family;
    published.publish("1.1", "'1.0'");
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("up to date with the library; `--fetch`"), "{said}");
    let (status, said) = family.upgrade(&["--fetch", "--dry-run"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("from 1.0 to 1.1"), "{said}");
    assert_eq!(published.versions(), ["1.0"], "a dry run brings nothing");
    let output = family.host.command(&["gear", "upgrade", "blog", "--fetch", "--json"]).output();
    let answer: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(answer["changed"], true, "{answer}");
    assert_eq!(family.seen("OPENSHIFT_FAM_IDENT").as_deref(), Some("test:fam:1:1.1"));
    assert_eq!(published.versions(), ["1.0", "1.1"]);
}

#[test]
fn old_releases_and_snapshots_are_kept_by_quotas() {
    let _alone = alone();
    let published = Published::new();
    let host = &published.family.host;
    published.publish("2.0", "");
    let (status, said) = published.family.upgrade(&["--fetch"]);
    assert_eq!(status, 0, "{said}");
    host.settings("old_releases_limit: 0\n");
    for version in ["2.1", "2.2"] {
        published.publish(version, "");
        host.must(&["upgrade"]);
    }
    assert_eq!(
        published.versions(),
        ["1.0", "2.0", "2.2"],
        "the gear can be rolled back to 1.0, and uses 2.0; nobody needs 2.1"
    );
    host.must(&["undo", &host.last()]);
    assert_eq!(published.versions(), ["1.0", "2.0", "2.1"], "and it can come back");

    let (status, said) = host.talk(&["cache", "clean", "--kept", "--dry-run"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("upgrade the gear `blog`"), "{said}");
    host.must(&["cache", "clean", "--kept"]);
    let (status, said) = host.talk(&["gear", "rollback", "blog"]);
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("is not kept") && said.contains("stash_limit"), "{said}");
    host.must(&["upgrade"]);
    assert_eq!(published.versions(), ["2.0", "2.2"], "nothing leads back to 1.0 any more");
}
