//! Through every release of the family, and back.

use super::family::{Family, difference, release};
use crate::alone;

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
        all.keys().filter(|path| path.starts_with("fam/")).cloned().collect()
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
