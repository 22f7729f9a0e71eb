//! Gears that are upgraded, and are not: a family of cartridges through its releases and back, with
//! the real program.

mod family;
mod trouble;
mod ways;

use crate::alone;
use crate::host::Host;
use family::{Family, difference};
use serde_json::Value;

#[test]
fn a_compatible_release_comes_while_the_gear_runs() {
    let _alone = alone();
    let family = Family::new();
    let running = family.processes();
    assert_eq!(running.len(), 1);
    // Times are told in whole seconds: what the user changes must be later than the setup.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    std::fs::write(family.host.home("blog").join("fam/conf/mine"), "mine\n").unwrap();
    family.compatible();
    family.host.must(&["hold", "fam", "--reason", "the fair"]);
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("`fam` is held: the fair") && said.contains("up to date"), "{said}");
    family.host.must(&["unhold", "fam"]);
    let (status, said) = family.upgrade(&["--dry-run"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("1.0 → 1.1, compatible: the gear goes on running"), "{said}");
    assert!(said.contains("bin/upgrade"), "{said}");
    assert_eq!(family.read("fam/conf/locked"), "1.0", "a dry run changes nothing");

    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(family.processes(), running, "its daemon never stopped");
    assert_eq!(family.read("fam/conf/locked"), "1.1");
    assert_eq!(family.read("fam/conf/more/new"), "1.1\n");
    assert_eq!(family.read("fam/usr/release"), "1.1", "the link leads to the new release");
    assert!(!family.has("fam/conf/old"), "what is shipped no more and nobody changed is gone");
    assert_eq!(family.read("fam/conf/mine"), "mine\n", "what the user changed stays");
    assert_eq!(family.read("fam/conf/mine.cart-new"), "1.1");
    assert!(said.contains("`fam/conf/mine` was changed and stays"), "{said}");
    assert!(family.read("fam/conf/shown").ends_with("of 1.0\n"), "what was rendered stays");
    assert!(!family.has("fam/conf/shown.erb"));
    assert_eq!(family.seen("OPENSHIFT_FAM_RELEASE").as_deref(), Some("1.0"));
    assert_eq!(family.seen("OPENSHIFT_FAM_IDENT").as_deref(), Some("test:fam:1:1.1"));
    let told = family.read("app-root/data/upgraded");
    assert!(told.starts_with("1 1.0 1.1 attempt 1 in "), "{told}");
    assert!(told.ends_with("told\n"), "the original's files are there meanwhile: {told}");
    assert!(!family.has("app-root/runtime/.upgrade_itinerary"), "and gone afterwards");
    assert_eq!(family.read("app-root/data/setups"), "1.0\n", "`setup` does not run");

    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("is up to date"), "the second run does nothing: {said}");
}

#[test]
fn an_incompatible_release_stops_the_gear_and_sets_it_up_again() {
    let _alone = alone();
    let family = Family::new();
    family.incompatible();
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("incompatible: the gear stops for it"), "{said}");
    assert_eq!(family.processes().len(), 1, "it runs again");
    assert_eq!(family.read("app-root/data/setups"), "1.0\n2.0\n", "what it rewrites was gone");
    assert!(family.read("fam/conf/shown").ends_with("of 2.0\n"));
    assert_eq!(family.seen("OPENSHIFT_FAM_RELEASE").as_deref(), Some("2.0"));
    let address = family.seen("OPENSHIFT_FAM_IP").unwrap();
    assert_eq!(family.seen("OPENSHIFT_FAM_ADMIN_PORT").as_deref(), Some("23412"));
    let rows = family.rows();
    let ports: Vec<_> = rows["endpoints"].as_array().unwrap().iter().collect();
    assert_eq!(ports.len(), 2, "{rows}");
    assert!(ports.iter().all(|row| row["address"] == address.as_str()), "{rows}");

    // And back, the data staying as it is.
    std::fs::write(family.host.home("blog").join("app-root/data/newer"), "newer").unwrap();
    let (status, said) = family.host.talk(&["gear", "rollback", "blog"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("2.0 → 1.0"), "{said}");
    assert_eq!(family.processes().len(), 1);
    assert_eq!(family.seen("OPENSHIFT_FAM_RELEASE").as_deref(), Some("1.0"));
    assert_eq!(family.seen("OPENSHIFT_FAM_ADMIN_PORT"), None);
    assert_eq!(family.seen("OPENSHIFT_FAM_IP").unwrap(), address);
    assert!(family.read("fam/conf/shown").ends_with("of 1.0\n"));
    assert_eq!(family.read("fam/conf/kept"), "the same\n");
    assert_eq!(family.read("app-root/data/newer"), "newer");
    assert_eq!(family.rows()["endpoints"].as_array().unwrap().len(), 1);

    // Forward again, and back with the data.
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    let (status, said) = family.host.talk(&["gear", "rollback", "blog", "--with-data"]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(family.seen("OPENSHIFT_FAM_RELEASE").as_deref(), Some("1.0"));
    assert_eq!(family.read("app-root/data/setups"), "1.0\n2.0\n", "as before the second upgrade");
    assert_eq!(family.processes().len(), 1);
    let (status, said) = family.host.talk(&["gear", "rollback", "blog"]);
    assert_eq!(status, 3, "there is no upgrade left to take back: {said}");
}

#[test]
fn a_failed_upgrade_leaves_everything_as_it_was() {
    let _alone = alone();
    for compatible in [true, false] {
        let family = Family::new();
        if compatible {
            family.compatible();
        } else {
            family.incompatible();
        }
        for mode in ["fail", "fill"] {
            family.mode(mode);
            let (files, rows, processes) = (family.look(), family.rows(), family.processes());
            let (status, said) = family.upgrade(&[]);
            assert_eq!(status, 9, "{said}");
            assert!(said.contains("put back") && said.contains("exited with status"), "{said}");
            let now = family.look();
            assert!(now == files, "{compatible} {mode}: {}", difference(&files, &now));
            assert_eq!(family.rows(), rows);
            assert_eq!(family.processes(), processes);
        }
        family.mode("");
        let (status, said) = family.upgrade(&[]);
        assert_eq!(status, 0, "and once it works, it is upgraded: {said}");
    }
}

#[test]
fn a_held_upgrade_goes_on_or_goes_back() {
    let _alone = alone();
    for compatible in [true, false] {
        let family = Family::new();
        if compatible {
            family.compatible();
        } else {
            family.incompatible();
        }
        family.mode("fail");
        let before = family.look();
        let (status, said) = family.upgrade(&["--on-failure", "hold"]);
        assert_eq!(status, 1, "{said}");
        assert!(said.contains("left as it is"), "{said}");
        assert!(family.has("app-root/runtime/.upgrade_itinerary"));
        let (status, said) = family.upgrade(&[]);
        assert_eq!(status, 5, "{said}");
        assert!(said.contains("--resume") && said.contains("cart undo"), "{said}");
        let (status, said) = family.host.talk(&["gear", "stop", "blog"]);
        assert_eq!(status, 5, "nobody else touches it: {said}");

        family.mode("");
        let (status, said) = family.upgrade(&["--resume"]);
        assert_eq!(status, 0, "{said}");
        let told = family.read("app-root/data/upgraded");
        assert!(told.contains("attempt 1 in") && told.contains("attempt 2 in"), "{told}");
        assert_eq!(family.seen("OPENSHIFT_FAM_IDENT"), family.expected(compatible));
        assert_eq!(family.processes().len(), 1);
        assert!(!family.has("app-root/runtime/.upgrade_itinerary"));

        let family = Family::new();
        if compatible {
            family.compatible();
        } else {
            family.incompatible();
        }
        family.mode("fail");
        let _ = before;
        let before = family.look();
        let (status, said) = family.upgrade(&["--on-failure", "hold"]);
        assert_eq!(status, 1, "{said}");
        let (status, said) = family.host.talk(&["undo", &family.host.last()]);
        assert_eq!(status, 0, "{said}");
        let now = family.look();
        assert!(now == before, "{}", difference(&before, &now));
        assert_eq!(family.processes().len(), 1);
    }
}

#[test]
fn an_upgrade_that_was_killed_goes_on() {
    let _alone = alone();
    for compatible in [true, false] {
        let family = Family::new();
        if compatible {
            family.compatible();
        } else {
            family.incompatible();
        }
        family.mode("slow");
        let mut child = family.host.command(&["gear", "upgrade", "blog"]).spawn().unwrap();
        Host::until(|| family.has("app-root/data/upgraded"));
        std::thread::sleep(std::time::Duration::from_millis(200));
        child.kill().unwrap();
        child.wait().unwrap();
        family.mode("");
        let (status, said) = family.upgrade(&[]);
        assert_eq!(status, 0, "{said}");
        assert!(said.contains("going on with transaction"), "{said}");
        let told = family.read("app-root/data/upgraded");
        assert!(told.contains("attempt 2 in"), "{told}");
        assert_eq!(family.seen("OPENSHIFT_FAM_IDENT"), family.expected(compatible));
        assert_eq!(family.processes().len(), 1);
        let (status, said) = family.host.talk(&["gear", "rollback", "blog"]);
        assert_eq!(status, 0, "{said}");
        assert_eq!(family.seen("OPENSHIFT_FAM_IDENT").as_deref(), Some("test:fam:1:1.0"));
    }
}

#[test]
fn many_gears_are_upgraded_and_a_failing_one_keeps_none_of_them_from_it() {
    let _alone = alone();
    let family = Family::new();
    let first = family.host.place("fam-1.0");
    for name in ["one", "two"] {
        family.host.must(&["gear", "create", name, &first]);
    }
    family.incompatible();
    // Its script cannot write there.
    let data = family.host.home("two").join("fam/conf/made");
    std::fs::remove_file(&data).unwrap();
    std::fs::create_dir(&data).unwrap();
    let (status, said) = family.host.talk(&["gear", "upgrade", "--all", "-j", "2"]);
    assert!(said.contains("upgraded"), "{said}");
    assert_eq!(status, 0, "`setup_rewritten` took the folder away: {said}");
    assert!(said.contains("3 upgraded, 0 unchanged, 0 failed"), "{said}");
    let (status, said) = family.host.talk(&["gear", "upgrade", "--all"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("0 upgraded, 3 unchanged, 0 failed"), "{said}");

    family.mode("fail");
    let output = family
        .host
        .command(&[
            "gear",
            "upgrade",
            "--all",
            "--force",
            "-j",
            "1",
            "--max-failures",
            "2",
            "--json",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(9));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["failed"], &answer["not_begun"]), (&2.into(), &1.into()), "{answer}");
}

#[test]
fn the_administrators_extension_runs_where_it_is_of_this_release() {
    let _alone = alone();
    let family = Family::new();
    family.compatible();
    let program = "#!/bin/bash\nset -e\n[[ $1 == blog && $CART_GEAR == blog ]]\n\
        echo \"${0##*/} $CART_ITINERARY\" >>\"$CART_GEAR_HOME/app-root/data/extension\"\n\
        if [[ $0 == *post* && -e $CART_GEAR_HOME/app-root/data/no ]]; then echo 'not so' >&2; exit 1; fi\n";
    for name in ["pre-upgrade", "post-upgrade"] {
        family.host.write(&format!("host/etc/cartwright/upgrade/{name}"), program, 0o755);
    }
    let (status, said) = family.upgrade(&["--dry-run"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("the upgrade extension is left out"), "{said}");
    family.host.write("host/etc/cartwright/upgrade/version", env!("CARGO_PKG_VERSION"), 0o644);
    std::fs::write(family.host.home("blog").join("app-root/data/no"), "").unwrap();
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 9, "{said}");
    assert!(said.contains("post-upgrade` did not succeed") && said.contains("not so"), "{said}");
    assert_eq!(family.read("fam/conf/locked"), "1.0");
    std::fs::remove_file(family.host.home("blog").join("app-root/data/no")).unwrap();
    let (status, said) = family.upgrade(&[]);
    assert_eq!(status, 0, "{said}");
    let told = family.read("app-root/data/extension");
    let expected = r#"{"entries":{"fam-1":{"upgrade_type":"compatible","upgrade_data":{}}},"has_incompatible":false}"#;
    let ends = format!("pre-upgrade {expected}\npost-upgrade {expected}\n");
    assert!(told.ends_with(&ends), "{told}");
}
