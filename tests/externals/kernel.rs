//! What the running host takes up at once: sysctl, nftables, mounts, units. On a host of namespaces.

use crate::scene::{MOUNT_NFS, Scene};

#[test]
fn settings_hold_at_once_and_go_back() {
    let Some(scene) = Scene::host("settings_hold_at_once", &[]) else { return };
    let domain = || scene.sh("cat /proc/sys/kernel/domainname");
    let before = domain();
    let data = "kernel.domainname = one.example\nkernel/hostname=two\n";
    scene.install("sysctl", "p", data).ok();
    assert_eq!(domain(), "one.example");
    let file = scene.read("/etc/sysctl.d/60-cartwright.conf");
    assert!(file.ends_with("\nkernel.domainname = one.example\nkernel.hostname = two"), "{file}");
    assert!(!scene.would_change("sysctl", data));
    scene.install("sysctl", "q", "kernel.domainname = one.example").ok();
    scene
        .install("sysctl", "q", "kernel.hostname = three")
        .refused("`p` asked for `two`, not for `three`");
    // Changed by hand: put right again, and not taken for what was there before.
    scene.sh("sysctl -qw kernel.domainname=odd");
    assert!(scene.would_change("sysctl", "kernel.domainname = one.example"));
    scene.install("sysctl", "p", data).ok();
    scene.remove("sysctl", "p", data).ok();
    assert_eq!(domain(), "one.example", "`q` still asks for it");
    scene.remove("sysctl", "q", "kernel.domainname = one.example").ok();
    assert_eq!(domain(), before);
    assert_eq!(scene.read("/etc/sysctl.d/60-cartwright.conf"), "");
}

#[test]
fn a_setting_that_somebody_changed_since_stays() {
    let Some(scene) = Scene::host("a_setting_that_somebody_changed", &[]) else { return };
    scene.install("sysctl", "p", "kernel.domainname = ours").ok();
    scene.sh("sysctl -qw kernel.domainname=theirs");
    scene.remove("sysctl", "p", "kernel.domainname = ours").ok();
    assert_eq!(scene.sh("cat /proc/sys/kernel/domainname"), "theirs");
}

#[test]
fn what_the_kernel_refuses_is_refused() {
    let Some(scene) = Scene::host("what_the_kernel_refuses", &[]) else { return };
    let domain = scene.sh("cat /proc/sys/kernel/domainname");
    scene
        .install("sysctl", "p", "kernel.domainname = x\nkernel.no_such_thing = 1")
        .refused("no setting");
    scene
        .install("sysctl", "p", "kernel.domainname = x\nnet.ipv4.ip_forward = many")
        .refused("refuses");
    let long = format!("kernel.domainname = {}", "x".repeat(100));
    scene.install("sysctl", "p", &long).refused("the kernel made");
    assert_eq!(scene.sh("cat /proc/sys/kernel/domainname"), domain);
    assert_eq!(scene.read("/etc/sysctl.d/60-cartwright.conf"), "");
}

#[test]
fn rules_are_loaded_in_their_order() {
    let Some(scene) = Scene::host("rules_are_loaded", &["nft"]) else { return };
    scene.sh("nft add table inet theirs");
    let rules =
        "input tcp dport { 80, 443 } accept\ninput iifname \"lo\" accept\npostrouting masquerade\n";
    scene.install("nftables", "p", rules).ok();
    scene.install("nftables", "q", "input tcp dport 22 drop").ok();
    let table = scene.sh("nft list table inet cartwright");
    let places =
        ["80, 443", "\"lo\"", "dport 22 drop", "masquerade"].map(|part| table.find(part).unwrap());
    assert!(places.is_sorted(), "{table}");
    assert!(!scene.would_change("nftables", rules));
    scene.install("nftables", "r", "input tcp dport 80 accpt").refused("syntax error");
    scene.install("nftables", "r", "input tcp dport 80 masquerade").refused("nft");
    assert_eq!(scene.sh("nft list table inet cartwright"), table);
    scene.sh("nft flush ruleset");
    assert!(scene.would_change("nftables", rules), "nobody loaded it again");
    scene.install("nftables", "p", rules).ok();
    assert_eq!(scene.sh("nft list table inet cartwright"), table);
    scene.remove("nftables", "p", rules).ok();
    assert!(!scene.sh("nft list ruleset").contains("443"));
    scene.remove("nftables", "q", "input tcp dport 22 drop").ok();
    assert_eq!(scene.sh("nft list ruleset"), "");
    assert_eq!(scene.read("/etc/nftables.d/cartwright.nft"), "");
}

#[test]
fn mounts_are_mounted_and_unmounted() {
    let Some(scene) = Scene::host("mounts_are_mounted", &["mount", "findmnt"]) else { return };
    scene.sh("rm -f /usr/sbin/mount.nfs");
    scene.install("nfs", "p", "/opt/data filer:/data").refused("apt-get install nfs-common");
    scene.sh(MOUNT_NFS);
    let before = scene.read("/etc/fstab");
    let data = "/opt/data -ro,hard filer:/data\nfiler:/tools /opt/tools nfs4 soft 0 0\n";
    scene.sh("ln -sf mount.nfs /usr/sbin/mount.nfs4");
    scene.install("nfs", "p", data).ok();
    assert_eq!(scene.sh("findmnt -no SOURCE /opt/data"), "filer:/data");
    assert_eq!(scene.sh("findmnt -no SOURCE /opt/tools"), "filer:/tools");
    assert!(
        scene
            .read("/etc/fstab")
            .contains("\nfiler:/tools /opt/tools nfs4 soft,_netdev,nofail 0 0\n")
    );
    assert!(!scene.would_change("nfs", data));
    scene.sh("umount /opt/data");
    assert!(scene.would_change("nfs", data));
    scene.install("nfs", "p", data).ok();
    scene.install("nfs", "q", "/opt/data other:/data").refused("`p` asked for");
    scene.remove("nfs", "p", data).ok();
    scene.sh("! findmnt /opt/data && ! findmnt /opt/tools && test ! -e /opt/data");
    assert_eq!(scene.read("/etc/fstab"), before);
}

#[test]
fn mounts_of_others_stay_and_failures_leave_nothing() {
    let Some(scene) = Scene::host("mounts_of_others_stay", &["mount", "findmnt"]) else { return };
    scene.sh(MOUNT_NFS);
    scene.sh("echo 'filer:/mine /opt/mine nfs defaults 0 0' >>/etc/fstab; mkdir /opt/full; touch /opt/full/file");
    let before = scene.read("/etc/fstab");
    scene.install("nfs", "p", "/opt/mine filer:/mine").ok();
    scene.install("nfs", "p", "/opt/mine other:/mine").refused("fstab has `filer:/mine`");
    scene.install("nfs", "p", "/opt/full filer:/full").refused("not empty");
    scene.sh("printf '#!/bin/sh\\necho no route >&2; exit 32\\n' >/usr/sbin/mount.nfs");
    scene.install("nfs", "p", "/opt/gone filer:/gone").refused("no route");
    scene.remove("nfs", "p", "/opt/mine filer:/mine").ok();
    assert_eq!(scene.read("/etc/fstab"), before);
    scene.sh("test ! -e /opt/gone");
}

const UNITS: &str = "blog.service enable start
[Unit]
Description=Blog
[Service]
ExecStart=/opt/tpkg/not/there/yet
[Install]
WantedBy=multi-user.target
blog.socket
[Socket]
ListenStream=8080
";

#[test]
fn units_are_checked_made_and_enabled() {
    let Some(scene) = Scene::host("units_are_checked", &["systemctl", "systemd-analyze"]) else {
        return;
    };
    let folder = || scene.sh("find /etc/systemd/system | sort");
    let before = folder();
    scene
        .install("systemd-unit", "p", &UNITS.replace("ExecStart", "ExcecStart"))
        .refused("ExcecStart");
    scene.install("systemd-unit", "p", &UNITS.replace("8080", "lots")).refused("blog.socket");
    assert_eq!(folder(), before, "of two units none came");
    scene.install("systemd-unit", "p", UNITS).ok();
    assert_eq!(scene.sh("systemctl --root=/ is-enabled blog.service"), "enabled");
    assert!(!scene.would_change("systemd-unit", UNITS));
    let other = UNITS.replace("Blog", "Other");
    scene.install("systemd-unit", "q", &other).refused("`p` asked for");
    scene.install("systemd-unit", "p", &other).ok();
    scene.remove("systemd-unit", "p", UNITS).ok();
    assert!(scene.read("/etc/systemd/system/blog.service").contains("Description=Other"));
    scene.install("systemd-unit", "p", &other.replace("Exec", "Excec")).refused("ExcecStart");
    assert!(!scene.would_change("systemd-unit", &other));
    scene.remove("systemd-unit", "p", &other).ok();
    assert_eq!(folder(), before);
}
