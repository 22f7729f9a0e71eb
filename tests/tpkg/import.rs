//! Taking over what tpkg itself has installed.

use crate::host::Host;
use crate::old_tpkg::{install, installed};
use crate::scripts::{externals, log};
use crate::support::tpkg::Tpkg;

fn app(version: &str) -> Tpkg {
    Tpkg::new("app", version)
        .script("reloc/bin/app", &format!("echo {version}"))
        .with_mode("reloc/share/app/data", version, 0o640)
        .file("root/etc/app/conf", version)
        .of("/etc/app/conf", "    config: true")
}

/// A host with `app` and `base`, which it needs, as tpkg has left them.
fn host() -> Host {
    let host = Host::new();
    install(&host, (&Tpkg::new("low", "1").file("reloc/lib/low", "x"), "low-1.tpkg"), &[], &[]);
    let app = app("1.0").says("dependencies:\n- name: low");
    install(&host, (&app, "app-1.0.tpkg"), &["root/etc/app/conf"], &[]);
    host
}

fn import(host: &Host) -> String {
    host.must(&["import", "tpkg", "/opt/tpkg"])
}

#[test]
fn everything_is_known_afterwards_and_nothing_has_changed() {
    let host = host();
    let before = host.look();
    let said = host.must(&["import", "tpkg", "/opt/tpkg", "--dry-run"]);
    assert!(said.contains("take over 2 packages"), "{said}");
    assert!(host.installed().is_empty());
    import(&host);
    assert_eq!(host.look(), before);
    assert_eq!(host.installed(), ["app-1.0", "low-1"]);
    host.must(&["verify"]);
    let conf = host.at("etc/app/conf").display().to_string();
    assert!(host.must(&["owns", &conf]).contains("app-1.0"));
    host.must(&["info", "app"]);
    // The second time there is nothing to do.
    assert!(import(&host).contains("`app-1.0.tpkg` is known already"));
    assert_eq!(host.installed().len(), 2);
}

#[test]
fn what_was_changed_since_is_found() {
    let host = host();
    host.write("opt/tpkg/share/app/data", "changed");
    std::fs::remove_file(host.at("opt/tpkg/bin/app")).unwrap();
    assert!(import(&host).contains("1 of its files are not there"));
    let said = host.fails(&["verify", "app"], 6, "share/app/data");
    assert!(said.contains("bin/app"), "{said}");
}

#[test]
fn they_are_removed_as_if_they_were_our_own() {
    let host = host();
    import(&host);
    host.fails(&["remove", "low"], 4, "`app-1.0`");
    host.must(&["remove", "app", "low"]);
    for path in ["opt/tpkg/bin", "opt/tpkg/share", "opt/tpkg/lib", "etc/app"] {
        assert!(!host.has(path), "{path}");
    }
    assert!(installed(&host).join("app-1.0.tpkg").exists(), "the database is tpkg's own");
    // Its files are gone, so nothing of it can be taken over once more.
    let said = import(&host);
    assert!(said.contains("`app-1.0.tpkg` is left out: none of its files is there"), "{said}");
    assert!(host.installed().is_empty());
}

#[test]
fn a_config_file_that_somebody_has_changed_stays() {
    let host = host();
    host.write("etc/app/conf", "mine");
    import(&host);
    host.must(&["verify"]);
    host.must(&["remove", "app"]);
    assert_eq!(host.read("etc/app/conf"), "mine");
}

#[test]
fn they_are_upgraded_in_their_base() {
    let host = host();
    import(&host);
    host.must(&["upgrade", &host.pack(&app("2.0"))]);
    assert_eq!(host.installed(), ["app-2.0", "low-1"]);
    assert_eq!(host.read("opt/tpkg/share/app/data"), "2.0");
    assert_eq!(host.read("etc/app/conf"), "2.0");
    host.must(&["verify"]);
    let said = import(&host);
    assert!(said.contains("belongs to `app-2.0`"), "{said}");
}

#[test]
fn externals_are_taken_back_by_the_name_and_with_the_data_that_they_were_given() {
    let host = Host::new();
    externals(&host, &["user", "sysctl"]);
    let package = Tpkg::new("asking", "1")
        .says("externals:\n- name: user\n  data: myuser\n- name: sysctl\n  datascript: ./calculate")
        .script("calculate", "echo wrong")
        .file("reloc/x", "x");
    // The file was renamed before tpkg got it.
    let asked = [("user", "myuser"), ("sysctl", "shmmax=9")];
    install(&host, (&package, "renamed.tpkg"), &[], &asked);
    import(&host);
    assert!(log(&host).is_empty(), "nobody is called");
    let said = host.must(&["external", "list"]);
    assert!(said.contains("shmmax=9"), "{said}");
    host.must(&["remove", "asking"]);
    assert_eq!(
        log(&host),
        [
            "user 2 renamed.tpkg remove remove BASE <myuser>",
            "sysctl 2 renamed.tpkg remove remove BASE <shmmax=9>"
        ]
    );
}

#[test]
fn links_that_start_services_and_crontabs_go_with_them() {
    let host = Host::new();
    for level in 2..=5 {
        std::fs::create_dir_all(host.at(&format!("etc/rc{level}.d"))).unwrap();
    }
    std::fs::create_dir_all(host.at("etc/cron.d")).unwrap();
    let package = Tpkg::new("serving", "1")
        .script("reloc/etc/init.d/serving", "true")
        .of("etc/init.d/serving", "    init: {start: 80}")
        .file("reloc/etc/cron.d/serving", "# nothing\n")
        .of("etc/cron.d/serving", "    crontab: {}");
    install(&host, (&package, "serving-1.tpkg"), &[], &[]);
    let (script, crontab) = (host.base("etc/init.d/serving"), host.base("etc/cron.d/serving"));
    std::os::unix::fs::symlink("/elsewhere", host.at("etc/rc3.d/S80serving")).unwrap();
    std::os::unix::fs::symlink(&script, host.at("etc/rc3.d/S80serving1")).unwrap();
    std::os::unix::fs::symlink(&script, host.at("etc/rc5.d/S80serving")).unwrap();
    std::os::unix::fs::symlink(crontab, host.at("etc/cron.d/serving")).unwrap();
    import(&host);
    host.must(&["verify"]);
    host.must(&["remove", "serving"]);
    assert!(!host.has("etc/rc3.d/S80serving1") && !host.has("etc/rc5.d/S80serving"));
    assert!(!host.has("etc/cron.d/serving"));
    assert!(host.has("etc/rc3.d/S80serving"), "somebody else's");
}

#[test]
fn folders_that_have_more_in_them_are_nobody_s() {
    let host = Host::new();
    host.write("usr/share/theirs", "x");
    let package = Tpkg::new("rooted", "1").file("root/usr/share/rooted/x", "x");
    install(&host, (&package, "rooted-1.tpkg"), &[], &[]);
    import(&host);
    let said = host.must(&["files", "rooted"]);
    assert!(said.contains("share/rooted"), "{said}");
    std::fs::remove_file(host.at("usr/share/theirs")).unwrap();
    host.must(&["remove", "rooted"]);
    assert!(host.has("usr/share") && !host.has("usr/share/rooted"));
}

#[test]
fn a_damaged_entry_is_left_out_and_said() {
    let host = host();
    let folder = installed(&host);
    let good = std::fs::read(folder.join("app-1.0.tpkg")).unwrap();
    std::fs::write(folder.join("cut-1.tpkg"), &good[..good.len() / 2]).unwrap();
    std::fs::write(folder.join("notes.txt"), "x").unwrap();
    std::fs::write(folder.join("metadata/low-1/file_metadata.bin"), b"\x04\x08o:\x06X\0").unwrap();
    let said = import(&host);
    for why in ["`cut-1.tpkg` is left out", "`notes.txt` is no package", "`low-1.tpkg` is left out"]
    {
        assert!(said.contains(why), "{why}: {said}");
    }
    assert_eq!(host.installed(), ["app-1.0"]);
    host.must(&["verify"]);
}

#[test]
fn a_package_of_old_without_records_is_taken_as_it_is_packed() {
    let host = Host::new();
    install(&host, (&app("1.0"), "app-1.0.tpkg"), &[], &[]);
    std::fs::remove_dir_all(installed(&host).join("metadata")).unwrap();
    std::fs::create_dir_all(host.base("var/tpkg/lock")).unwrap();
    std::fs::write(host.base("var/tpkg/lock/pid"), "999999999").unwrap();
    import(&host);
    host.must(&["verify"]);
    host.must(&["remove", "app"]);
    assert!(!host.has("etc/app"));
}

#[test]
fn no_database_or_one_in_use_is_refused() {
    let host = Host::new();
    host.fails(&["import", "tpkg", "/opt/tpkg"], 3, "no database of tpkg");
    host.fails(&["import", "tpkg", "opt/tpkg"], 2, "absolute");
    install(&host, (&app("1.0"), "app-1.0.tpkg"), &[], &[]);
    std::fs::create_dir_all(host.base("var/tpkg/lock")).unwrap();
    let own = std::process::id().to_string();
    std::fs::write(host.base("var/tpkg/lock/pid"), own).unwrap();
    host.fails(&["import", "tpkg", "/opt/tpkg"], 8, "works on its database");
}
