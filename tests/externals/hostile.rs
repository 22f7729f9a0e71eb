//! Data of packages that mean ill: refused, with nothing changed.

use crate::contract::ALL;
use crate::scene::Scene;

const REFUSED: [(&str, &[&str]); 11] = [
    (
        "user",
        &[
            "-o root",
            "--help",
            "a b",
            "$(id)",
            "a;id",
            "a:0:0",
            "../x",
            "Root",
            "a\nb c",
            "x uid=-1",
            "x uid=0x0",
            "x shell=sh",
            "x home=/a/../../etc",
            "x nologin=yes",
            "x gid=0:0",
            "a123456789012345678901234567890123",
            "`id`",
            "a'b",
            "x home=/a:b\u{1}",
        ],
    ),
    ("group", &["-f", "a,b", "x gid=root", "x\0y", "x\u{7f}", "*"]),
    (
        "supplemental_groups",
        &["web", "web:", ":web", "staff:web:x", "staff,root:web", "-a:web", "staff: web"],
    ),
    (
        "sudo",
        &[
            "ALL",
            "ALL ALL=(ALL) NOPASSWD: ALL",
            "Defaults !authenticate",
            "@include /tmp/x",
            "#include /tmp/x",
            "#1000 ALL=(ALL) ALL",
            "User_Alias A = web",
            "web ALL=(ALL) ALL \\",
            "+netgroup ALL=(ALL) ALL",
            "web ALL=(#0) ALL",
            "group:",
            "group:web ALL",
        ],
    ),
    (
        "sysctl",
        &[
            "kernel.core_pattern = core",
            "kernel/modprobe = /tmp/x",
            "fs.binfmt_misc.register = x",
            "kernel.core_pattern=|/x",
            "../../etc/passwd = x",
            "kernel/../../x = 1",
            "/etc/passwd = 1",
            "-kernel.shmmax = 1",
            "net.*.rp_filter = 1",
            "kernel.shmmax",
            "kernel.shmmax =",
            "kernel.shmmax = $(id)",
            "kernel..x = 1",
            ".kernel = 1",
            "kernel.sh max = 1",
        ],
    ),
    (
        "limits",
        &[
            "web soft nofile",
            "web soft files 1",
            "web both nofile 1",
            "we b soft nofile 1",
            "web soft nofile 1 1",
            "web soft nofile x",
        ],
    ),
    (
        "nfs",
        &[
            "/etc filer:/x",
            "/usr/bin filer:/x",
            "/ filer:/x",
            "/a/../etc filer:/x",
            "x /dev/sda1",
            "filer:/x /mnt ext4",
            "data -fstype=ext4 filer:/x",
            "filer:/x /mnt nfs a\tb 0 0",
            "filer:/x /mnt nfs ro 1 1",
            "//smb/x /mnt",
            "-x:/y /mnt",
            "filer:/../x /mnt",
            "filer:/x /etc/cron.d nfs",
            "/root filer:/x",
            "//etc filer:/x",
        ],
    ),
    (
        "cron",
        &[
            "60 * * * * web true",
            "* 24 * * * web true",
            "* * 0 * * web true",
            "* * * 13 * web true",
            "* * * * 8 web true",
            "* * * * * true",
            "* * * * * Web true",
            "@often web true",
            "PATH=/x",
            "* * * * *",
            "*/0 * * * * web true",
            "a * * * * web true",
            "* * * * * web true\u{1b}[2J",
        ],
    ),
    (
        "authorized_keys",
        &[
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFiYmJiYmJiYmJiYmJiYmJi",
            "web\nssh-ed25519 AAAA",
            "web\nssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFiYmJiYmJiYmJiYmJiYmJi",
            "/home/../root",
            "//root",
            "/",
            "web\ncommand=\"x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFiYmJiYmJiYmJiYmJiYmJi",
            "web\n@revoked x",
            "absent\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFiYmJiYmJiYmJiYmJiYmJi",
        ],
    ),
    (
        "nftables",
        &[
            "input accept } table ip x {",
            "input accept; flush ruleset",
            "flush ruleset",
            "table inet x {}",
            "input {",
            "input jump other",
            "input include \"/etc/passwd\"",
            "prerouting \"x",
            "nat accept",
            "input $x accept",
            "<filter>-A INPUT -j ACCEPT</filter>",
            "-A INPUT -j ACCEPT",
            "*filter",
            "input accept # x",
            "input ip saddr { 1.2.3.4 accept",
        ],
    ),
    (
        "systemd-unit",
        &[
            "[Unit]\nDescription=x",
            "../x.service\n[Service]",
            "a/b.service\n[Service]",
            "x.conf\n[Service]",
            "x.service",
            "x.service restart\n[Service]",
            "x.service\nExecStart=/bin/true",
            "-x.service\n[Service]",
            "x.service\n[Service]\nx.service\n[Service]",
        ],
    ),
];

#[test]
fn hostile_data_is_refused_and_changes_nothing() {
    let scene = Scene::below();
    std::fs::create_dir_all(scene.path("/home/web")).unwrap();
    let before = scene.tree();
    for (external, refused) in REFUSED {
        // What no external takes, then what this one does not.
        let general = [
            "",
            "\n",
            "  # only a comment\n",
            "\u{0}",
            "a\u{0}b",
            "\u{1b}[2J",
            "!!binary x",
            "&a [*a]",
        ];
        for data in general.iter().chain(refused) {
            let outcome = scene.install(external, "p", data);
            assert_eq!(outcome.code, Some(1), "{external} {data:?}: {outcome:?}");
            assert!(outcome.stderr.starts_with(&format!("{external}: ")), "{outcome:?}");
            assert!(!outcome.stderr.contains(" at /"), "a message for people: {outcome:?}");
            assert!(!outcome.stderr.chars().any(|c| c.is_control() && c != '\n'), "{outcome:?}");
        }
        for arguments in [&["p", "remove"][..], &["--check"]] {
            let outcome = scene.call(external, arguments, refused[0].as_bytes());
            assert_eq!(outcome.code, Some(1), "{external} {arguments:?}: {outcome:?}");
        }
    }
    assert_eq!(scene.tree(), before);
}

/// A good line does not carry a bad one in.
#[test]
fn one_bad_line_refuses_all() {
    let scene = Scene::below();
    let before = scene.tree();
    for (external, good) in ALL {
        if !matches!(external, "authorized_keys" | "systemd-unit") {
            scene.install(external, "p", &format!("{good}\n$(touch x)\n")).refused("cannot read");
        }
    }
    assert_eq!(scene.tree(), before);
}

/// Names of packages are names, whatever is in them.
#[test]
fn names_of_packages_are_taken_as_they_are() {
    let scene = Scene::below();
    for package in ["a b'c\"d$(id)`id`;%0a.tpkg", "--check=1", "ä.tpkg", "%", "*"] {
        scene.install("limits", package, "web soft nofile 4096").ok();
        let again = scene.install("limits", "other", "web soft nofile 1");
        again.refused(package);
        scene.remove("limits", package, "web soft nofile 4096").ok();
        assert_eq!(scene.read("/etc/security/limits.d/60-cartwright.conf"), "", "{package}");
    }
    scene
        .call("limits", &["a\nb", "install"], b"web soft nofile 1")
        .code
        .filter(|code| *code == 2)
        .unwrap();
}
