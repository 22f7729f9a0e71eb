//! Full and read-only disks, for real: a tmpfs of a size under the root. Only root can mount one.

use crate::alone;
use crate::host::Host;
use std::path::PathBuf;
use std::process::Command;

pub(super) struct Mounted(PathBuf);

impl Mounted {
    pub(super) fn under(host: &Host, options: &str) -> Option<Self> {
        let at = host.root();
        std::fs::create_dir_all(&at).unwrap();
        let options = format!("mode=755,{options}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "none"]).arg(&at);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then(|| Self(at))
    }

    fn remount(&self, mode: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{mode}")]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_half_done_stays() {
    let _alone = alone();
    let (mut refused, mut done) = (0, 0);
    // From too small for the reserve up to enough for everything, in steps of 64 KiB.
    for size in (1024..=2304).step_by(64) {
        let host = Host::new();
        let Some(_mounted) = Mounted::under(&host, &format!("size={size}k")) else {
            println!("SKIP: story::full_disk: mounting a tmpfs needs root");
            return;
        };
        let (status, said) = host.run(&["gear", "create", "web", "static-web", "--start"]);
        let gears = host.json(&["gear", "list"])["gears"].as_array().unwrap().len();
        let packages = host.json(&["list"])["packages"].as_array().unwrap().len();
        if status == 0 {
            done += 1;
            assert_eq!((gears, packages), (1, 1), "{size} KiB");
            // Stopping may find the disk full in its turn: it happened, or it did not.
            let (status, said) = host.run(&["gear", "stop", "web"]);
            let state = host.json(&["gear", "show", "web"])["state"].clone();
            let expected = if status == 0 { "stopped" } else { "started" };
            assert_eq!(state, expected, "{size} KiB: {status}: {said}");
            let is_told = matches!(status, 1 | 9) && said.contains("space");
            assert!(status == 0 || is_told, "{size} KiB: {status}: {said}");
        } else {
            refused += 1;
            assert!(matches!(status, 1 | 9), "{size} KiB: {status}: {said}");
            assert!(said.contains("space"), "{size} KiB: {said}");
            assert_eq!((gears, packages), (0, 0), "{size} KiB: {said}");
            assert_eq!(host.tree(), "", "{size} KiB: {said}");
            assert_eq!(host.processes(), 0, "{size} KiB");
        }
        host.must(&["verify"]);
    }
    assert!(refused > 0 && done > 0, "{refused} refused, {done} done: the sizes miss the limit");
}

#[test]
fn a_read_only_root_can_be_read_and_is_told_otherwise() {
    let _alone = alone();
    let host = Host::new();
    let Some(mounted) = Mounted::under(&host, "size=16m") else {
        println!("SKIP: story::read_only: mounting a tmpfs needs root");
        return;
    };
    host.must(&["install", "static-web"]);
    let before = host.tree();
    mounted.remount("ro");
    for line in
        [&["list"][..], &["info", "static-web"], &["verify"], &["history"], &["gear", "list"]]
    {
        host.must(line);
    }
    for line in [
        &["install", "perl-app"][..],
        &["remove", "static-web"],
        &["gear", "create", "x", "static-web"],
    ] {
        let (status, said) = host.run(line);
        assert_eq!(status, 1, "{line:?}: {said}");
        assert!(said.contains("mounted read-only") && said.contains("--root"), "{line:?}: {said}");
    }
    assert_eq!(host.tree(), before);
}
