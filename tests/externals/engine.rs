//! The shipped externals as `cart` itself calls them: the seed's example without anything of an
//! administrator's, from the cartridge to the host and back.

use crate::bridges::link_on_host;
use crate::scene::{MOUNT_NFS, Scene};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The gears of all hosts here get the same number for their account, and see each other's processes: one
/// that is destroyed would end the scripts of another, as those of a user that is its own.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A cartridge that asks for a user with data, a mount with a file of data, and a setting with a script.
const CARTRIDGE: &str = r#"
folder=/opt/asker-$1
mkdir -p $folder/metadata $folder/bin $folder/env
printf '#!/bin/bash\nexit 0\n' | tee $folder/bin/setup >$folder/bin/control
printf '#!/bin/sh\necho "kernel.domainname = release-%s"\n' "$1" >$folder/calculate_kernel_memory_settings
chmod 755 $folder/bin/* $folder/calculate_kernel_memory_settings
echo '/opt/mounted filer:/export/data' >$folder/nfsmountsfile
cat >$folder/metadata/manifest.yml <<END
Name: asker
Cartridge-Short-Name: ASKER
Cartridge-Vendor: us
Version: '1'
Cartridge-Version: '$1'
Compatible-Versions: []
Categories: [web_framework]
Externals:
- name: user
  data: myuser
- name: nfs
  datafile: nfsmountsfile
- name: sysctl
  datascript: ./calculate_kernel_memory_settings
END
"#;

#[test]
fn the_seeds_example_comes_upgrades_and_goes() {
    let _alone = alone();
    let Some(scene) = Scene::host("the_seeds_example", &["useradd", "mount", "findmnt"]) else {
        return;
    };
    let cart = Path::new(env!("CARGO_BIN_EXE_cart")).display();
    let cart = |arguments: &str| scene.sh(&format!("'{cart}' -y --strict-externals {arguments}"));
    let reads =
        |arguments: &str| scene.sh(&format!("'{}' {arguments}", env!("CARGO_BIN_EXE_cart")));
    let domain = || scene.sh("cat /proc/sys/kernel/domainname");
    let before = (domain(), scene.sh(MOUNT_NFS), scene.read("/etc/fstab"));
    for release in ["1", "2"] {
        scene.sh(&format!("set -- {release}; {CARTRIDGE}"));
    }
    cart("install /opt/asker-1");
    cart("gear create blog us-asker-1");
    let number = scene.sh("id -u myuser");
    assert_eq!(scene.sh("findmnt -no SOURCE /opt/mounted"), "filer:/export/data");
    assert_eq!(domain(), "release-1");
    reads("external check");
    cart("install /opt/asker-2");
    cart("gear upgrade blog");
    assert_eq!((domain().as_str(), scene.sh("id -u myuser")), ("release-2", number));
    assert_eq!(scene.sh("findmnt -no SOURCE /opt/mounted"), "filer:/export/data");
    cart("gear destroy blog");
    scene.sh("! getent passwd myuser && ! findmnt /opt/mounted && test ! -e /opt/mounted");
    assert_eq!((domain(), String::new(), scene.read("/etc/fstab")), before);
}

/// Package, cart, bridge, tool: the tool makes what a package asks for, and the requests go with it.
fn a_tool_makes_what_a_cartridge_asks_for(scene: &Scene, tool: &str) {
    let _alone = alone();
    link_on_host(scene, tool);
    scene.sh(MOUNT_NFS);
    scene.sh(&format!("set -- 1; {CARTRIDGE}"));
    let cart = |arguments: &str| {
        scene.sh(&format!("'{}' -y --strict-externals {arguments}", env!("CARGO_BIN_EXE_cart")))
    };
    cart("install /opt/asker-1");
    cart("gear create blog us-asker-1");
    scene.sh("getent passwd myuser");
    assert_eq!(scene.sh("cat /proc/sys/kernel/domainname"), "release-1");
    let requests =
        || scene.sh(&format!("find /var/lib/cartwright/requests/{tool} -type f | wc -l"));
    assert_eq!(requests(), "2");
    let own = format!("/etc/cartwright/bridges/{tool}-run");
    scene.sh(&format!("mkdir -p /etc/cartwright/bridges; ln -s /bin/true {own}"));
    cart("gear destroy blog");
    assert_eq!(requests(), "0");
}

#[test]
fn ansible_makes_what_a_cartridge_asks_for() {
    let needs = ["ansible-playbook", "useradd", "findmnt"];
    let Some(scene) = Scene::host("ansible_through_cart", &needs) else { return };
    a_tool_makes_what_a_cartridge_asks_for(&scene, "ansible");
}

#[test]
fn puppet_makes_what_a_cartridge_asks_for() {
    let needs = ["puppet", "useradd", "findmnt"];
    let Some(scene) = Scene::host("puppet_through_cart", &needs) else { return };
    a_tool_makes_what_a_cartridge_asks_for(&scene, "puppet");
}
