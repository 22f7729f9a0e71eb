//! Externals that write files: below another root, so that everybody can run this.

use crate::scene::{KEY, Scene, has, is_root};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

const LIMITS: &str = "/etc/security/limits.d/60-cartwright.conf";

#[test]
fn limits_are_counted_by_package() {
    let scene = Scene::below();
    let before = scene.read("/etc/passwd");
    scene.install("limits", "p", "@dba soft nofile 65536\n@dba hard nofile unlimited\n").ok();
    scene.install("limits", "q", "@dba soft nofile 65536\n* - core 0\n").ok();
    let text = scene.read(LIMITS);
    assert!(text.starts_with("# Written by cart's external limits"), "{text}");
    assert!(
        text.ends_with("\n@dba soft nofile 65536\n@dba hard nofile unlimited\n* - core 0\n"),
        "{text}"
    );
    scene.install("limits", "q", "@dba hard nofile 5").refused("`p` asked for `unlimited`");
    assert_eq!(scene.read(LIMITS), text);
    scene.remove("limits", "p", "@dba soft nofile 65536\n@dba hard nofile unlimited\n").ok();
    assert!(scene.read(LIMITS).ends_with("lost.\n@dba soft nofile 65536\n* - core 0\n"));
    scene.remove("limits", "q", "@dba soft nofile 65536\n* - core 0\n").ok();
    assert!(!scene.path(LIMITS).exists());
    assert_eq!(scene.read("/etc/passwd"), before);
}

#[test]
fn a_file_of_somebody_elses_is_left_alone() {
    let scene = Scene::below();
    std::fs::create_dir_all(scene.path(LIMITS).parent().unwrap()).unwrap();
    std::fs::write(scene.path(LIMITS), "* - core 0\n").unwrap();
    scene.install("limits", "p", "* - nofile 5").refused("not of this external's making");
    assert_eq!(scene.read(LIMITS), "* - core 0\n");
}

/// What a killed call left beside the file is no hindrance, and no link is followed.
#[test]
fn leftovers_and_links_do_no_harm() {
    let scene = Scene::below();
    let folder = scene.path(LIMITS).parent().unwrap().to_owned();
    std::fs::create_dir_all(&folder).unwrap();
    symlink(scene.path("/etc/passwd"), folder.join(".60-cartwright.conf.cart-new")).unwrap();
    let before = scene.read("/etc/passwd");
    scene.install("limits", "p", "* - nofile 5").ok();
    assert_eq!(scene.read("/etc/passwd"), before);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::write(folder.join(".60-cartwright.conf.cart-new"), "half").unwrap();
    scene.remove("limits", "p", "* - nofile 5").ok();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn rules_of_sudo_are_checked_before_they_stand() {
    if !has("visudo") {
        println!("SKIP: externals::rules_of_sudo: there is no `visudo`");
        return;
    }
    let scene = Scene::below();
    let file = scene.path("/etc/sudoers.d/cartwright");
    let rule = "web ALL=(root) NOPASSWD: /usr/bin/systemctl restart blog";
    scene.install("sudo", "p", &format!("web\ngroup:staff\n{rule}\n")).ok();
    let text = scene.read("/etc/sudoers.d/cartwright");
    assert!(
        text.ends_with(&format!("web ALL=(ALL:ALL) ALL\n%staff ALL=(ALL:ALL) ALL\n{rule}\n")),
        "{text}"
    );
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o440);
    assert!(!scene.would_change("sudo", rule));
    scene.install("sudo", "q", "web ALL=(root NOPASSWD: ALL").refused("syntax error");
    scene.install("sudo", "q", "web ALL=(root) relative/path").refused("fully-qualified");
    assert_eq!(scene.read("/etc/sudoers.d/cartwright"), text);
    scene.remove("sudo", "p", &format!("web\ngroup:staff\n{rule}\n")).ok();
    assert!(!file.exists());
}

#[test]
fn jobs_have_a_file_each() {
    let scene = Scene::below();
    let data =
        "# m h\nMAILTO=web\n*/5 0-6,22 * jan-mar mon web date +%%s > /tmp/x\n@daily web true\n";
    scene.install("cron", "p", data).ok();
    assert!(
        scene
            .read("/etc/cron.d/cartwright-1")
            .ends_with("\nMAILTO=web\n*/5 0-6,22 * jan-mar mon web date +%%s > /tmp/x\n")
    );
    assert!(scene.read("/etc/cron.d/cartwright-2").ends_with("\nMAILTO=web\n@daily web true\n"));
    scene.install("cron", "q", "MAILTO=web\n@daily web true").ok();
    scene.install("cron", "q", "@daily absent true").refused("no user `absent`");
    assert_eq!(std::fs::read_dir(scene.path("/etc/cron.d")).unwrap().count(), 2);
    scene.remove("cron", "p", data).ok();
    assert!(!scene.path("/etc/cron.d/cartwright-1").exists());
    scene.remove("cron", "q", "MAILTO=web\n@daily web true").ok();
    assert_eq!(std::fs::read_dir(scene.path("/etc/cron.d")).unwrap().count(), 0);
}

/// A root with the home of `web`, whose owner is an ordinary user where this runs as root.
fn with_home() -> Scene {
    let scene = Scene::below();
    let home = scene.path("/home/web");
    std::fs::create_dir_all(&home).unwrap();
    if is_root() {
        // Temporary folders are root's own: the owner has to get there.
        let mut folder = home.as_path();
        while folder.parent().is_some_and(|above| above != std::env::temp_dir()) {
            folder = folder.parent().unwrap();
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::os::unix::fs::chown(&home, Some(12345), Some(12345)).unwrap();
    }
    scene
}

#[test]
fn keys_come_and_go() {
    let scene = with_home();
    let file = scene.path("/home/web/.ssh/authorized_keys");
    let limited = format!("command=\"/bin/true --now\",no-pty {KEY}");
    scene.install("authorized_keys", "p", &format!("web\n{KEY}\n{limited}\n")).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{KEY}\n{limited}\n"));
    let facts = std::fs::metadata(&file).unwrap();
    let home = std::fs::metadata(scene.path("/home/web")).unwrap();
    assert_eq!((facts.mode() & 0o777, facts.uid()), (0o600, home.uid()));
    assert!(!scene.would_change("authorized_keys", &format!("web\n{KEY}")));
    std::fs::write(&file, format!("ssh-rsa mine\n{KEY}\n{limited}")).unwrap();
    scene.remove("authorized_keys", "p", &format!("web\n{KEY}\n{limited}\n")).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "ssh-rsa mine\n");
}

/// The etch external's data: a home, and nothing more.
#[test]
fn a_home_alone_gets_its_file() {
    let scene = with_home();
    scene.install("authorized_keys", "p", "/home/web").ok();
    assert_eq!(std::fs::read(scene.path("/home/web/.ssh/authorized_keys")).unwrap(), b"");
    scene.remove("authorized_keys", "p", "/home/web").ok();
    assert!(!scene.path("/home/web/.ssh").exists());
}

#[test]
fn a_key_that_was_there_stays() {
    let scene = with_home();
    scene.install("authorized_keys", "mine", &format!("web\n{KEY}")).ok();
    std::fs::remove_dir_all(scene.path("/../state")).unwrap();
    scene.install("authorized_keys", "p", &format!("web\n{KEY}")).ok();
    scene.remove("authorized_keys", "p", &format!("web\n{KEY}")).ok();
    assert_eq!(
        std::fs::read_to_string(scene.path("/home/web/.ssh/authorized_keys")).unwrap(),
        format!("{KEY}\n")
    );
}

/// The owner's links lead where the owner may go, and root does not follow them.
#[test]
fn links_in_a_home_lead_nowhere() {
    let scene = with_home();
    if !is_root() {
        println!("SKIP: externals::links_in_a_home: root alone could be led astray");
        return;
    }
    let secret = scene.path("/etc/secret");
    std::fs::create_dir(&secret).unwrap();
    symlink(&secret, scene.path("/home/web/.ssh")).unwrap();
    scene.install("authorized_keys", "p", &format!("web\n{KEY}")).refused("Permission denied");
    assert_eq!(std::fs::read_dir(&secret).unwrap().count(), 0);
    std::fs::remove_file(scene.path("/home/web/.ssh")).unwrap();
    symlink("/root", scene.path("/home/link")).unwrap();
    scene.install("authorized_keys", "p", &format!("/home/link\n{KEY}")).refused("is no folder");
}

#[test]
fn mounts_stand_in_fstab_beside_those_of_others() {
    let scene = Scene::below();
    std::fs::write(scene.path("/etc/fstab"), "# mine\nfiler:/a /a nfs defaults 0 0").unwrap();
    scene.install("nfs", "p", "data -fstype=nfs4,ro filer:/vol/data").ok();
    let text = scene.read("/etc/fstab");
    assert!(
        text.starts_with("# mine\nfiler:/a /a nfs defaults 0 0\n# cart's external nfs: begin"),
        "{text}"
    );
    assert!(text.contains("\nfiler:/vol/data /auto/data nfs4 ro,_netdev,nofail 0 0\n"), "{text}");
    assert!(scene.path("/auto/data").is_dir());
    std::fs::write(scene.path("/etc/fstab"), format!("{text}tmpfs /t tmpfs defaults 0 0\n"))
        .unwrap();
    scene.remove("nfs", "p", "data -fstype=nfs4,ro filer:/vol/data").ok();
    let text = scene.read("/etc/fstab");
    assert_eq!(text, "# mine\nfiler:/a /a nfs defaults 0 0\ntmpfs /t tmpfs defaults 0 0\n");
    assert!(!scene.path("/auto").exists());
}

#[test]
fn units_of_others_are_left_alone() {
    let scene = Scene::below();
    for place in ["/usr/lib/systemd/system", "/etc/systemd/system"] {
        std::fs::create_dir_all(scene.path(place)).unwrap();
        let unit = scene.path(place).join("theirs.service");
        std::fs::write(&unit, "[Service]\nExecStart=/bin/true\n").unwrap();
        let refused =
            scene.install("systemd-unit", "p", "theirs.service\n[Service]\nExecStart=/bin/false");
        refused.refused("there");
        scene.remove("systemd-unit", "p", "theirs.service\n[Service]\nExecStart=/bin/false").ok();
        assert!(unit.exists());
        std::fs::remove_file(unit).unwrap();
    }
}

/// Killed at any point: the same call makes it whole, and `remove` leaves nothing.
#[test]
fn a_killed_call_is_made_good_by_the_next() {
    let mut others = vec![
        ("limits", "web soft nofile 5\nweb hard nofile 6"),
        ("cron", "@daily web one\n@daily web two"),
        ("nfs", "data filer:/data\ntools filer:/tools"),
        ("systemd-unit", "web.service\n[Service]\nExecStart=/bin/true"),
    ];
    others.retain(|(name, _)| *name != "systemd-unit" || has("systemd-analyze"));
    for (external, data) in others {
        let scene = Scene::below();
        scene.install(external, "first", data).ok();
        scene.remove(external, "first", data).ok();
        let before = scene.tree();
        scene.install(external, "p", data).ok();
        let after = scene.tree();
        scene.remove(external, "p", data).ok();
        for milliseconds in (10..130).step_by(20) {
            scene.kill(external, &["p", "install"], data, milliseconds);
            scene.remove(external, "p", data).ok();
            assert_eq!(scene.tree(), before, "{external}, removed after {milliseconds} ms");
            scene.kill(external, &["p", "install"], data, milliseconds);
            scene.install(external, "p", data).ok();
            assert_eq!(scene.tree(), after, "{external}, installed after {milliseconds} ms");
            scene.kill(external, &["p", "remove"], data, milliseconds);
            scene.remove(external, "p", data).ok();
            assert_eq!(scene.tree(), before, "{external}, removed again after {milliseconds} ms");
        }
    }
}
