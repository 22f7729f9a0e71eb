//! The bridges: requests where a configuration management tool looks, and runs of the tool, with the
//! real `ansible-core` and the real `puppet` on a host of namespaces.

use crate::scene::{Outcome, Scene, scripts};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

/// Links to the bridge of `tool` under the names of externals, as an administrator does; for a scene that
/// is a host.
pub(crate) fn link_on_host(scene: &Scene, tool: &str) {
    let bridge = scripts().join("bridges").join(tool).join("external");
    scene.sh(&format!(
        "mkdir -p /etc/cartwright/externals; for name in user group supplemental_groups sudo sysctl limits; do
             ln -s '{}' /etc/cartwright/externals/$name; done",
        bridge.display()
    ));
}

fn on_host(scene: &Scene, external: &str, operation: &str, data: &str) -> Outcome {
    let external = format!("/etc/cartwright/externals/{external}");
    scene.call(&external, &["blog-1.0.tpkg", operation], data.as_bytes())
}

/// A package asks for a user, a setting and more, the tool makes them; removal takes the requests away.
/// Runs take seconds, so most requests are written while a command that does nothing is in the tool's place.
fn makes_what_a_package_asks_for(scene: &Scene, tool: &str) {
    link_on_host(scene, tool);
    let own = format!("/etc/cartwright/bridges/{tool}-run");
    scene.sh(&format!("mkdir /etc/cartwright/bridges; ln -s /bin/true {own}"));
    let asked = [
        ("user", "cartone shell=/bin/false"),
        ("group", "cartteam gid=45690"),
        ("supplemental_groups", "cartteam:cartone"),
        ("limits", "cartone soft nofile 5000"),
        ("sudo", "cartone ALL=(root) NOPASSWD: /usr/bin/true"),
    ];
    for (external, data) in asked {
        on_host(scene, external, "install", data).ok();
    }
    scene.sh(&format!("rm {own}; ! getent passwd cartone"));
    on_host(scene, "sysctl", "install", "kernel.domainname = asked.example\n").ok();

    assert_eq!(scene.sh("cat /proc/sys/kernel/domainname"), "asked.example");
    assert!(scene.sh("getent passwd cartone").ends_with(":/bin/false"));
    assert_eq!(scene.sh("getent group cartteam"), "cartteam:x:45690:cartone");
    let limits = scene.read(&format!("/etc/security/limits.d/60-cartwright-{tool}.conf"));
    assert!(limits.ends_with("\ncartone soft nofile 5000"), "{limits}");
    let sudo = scene.read(&format!("/etc/sudoers.d/cartwright-{tool}"));
    assert!(sudo.ends_with("\ncartone ALL=(root) NOPASSWD: /usr/bin/true"), "{sudo}");

    let requests = || scene.sh(&format!("find /var/lib/cartwright/requests/{tool} -type f | sort"));
    let user = requests().lines().find(|path| path.contains("/user/")).unwrap().to_owned();
    let json: serde_json::Value = serde_json::from_str(&scene.read(&user)).unwrap();
    assert_eq!(json["package"], "blog-1.0.tpkg");
    assert_eq!(json["entries"][0]["name"], "cartone");

    // What the tool cannot do is not asked of it for ever.
    let before = requests();
    on_host(scene, "user", "install", "cartother uid=0").refused("");
    assert_eq!(requests(), before);

    scene.sh(&format!("ln -s /bin/true {own}"));
    for (external, data) in asked {
        on_host(scene, external, "remove", data).ok();
    }
    scene.sh(&format!("rm {own}"));
    on_host(scene, "sysctl", "remove", "kernel.domainname = asked.example\n").ok();
    assert_eq!(requests(), "");
    assert_eq!(
        scene.sh("find /etc/sysctl.d /etc/security /etc/sudoers.d -name '*cartwright*'"),
        ""
    );
}

#[test]
fn ansible_makes_what_a_package_asks_for() {
    let Some(scene) = Scene::host("ansible", &["ansible-playbook", "useradd", "visudo"]) else {
        return;
    };
    makes_what_a_package_asks_for(&scene, "ansible");
}

#[test]
fn puppet_makes_what_a_package_asks_for() {
    let Some(scene) = Scene::host("puppet", &["puppet", "useradd", "visudo"]) else { return };
    makes_what_a_package_asks_for(&scene, "puppet");
}

/// A scene with links to the bridge of `tool`, and a program in its place that `script` is.
fn below(
    tool: &str,
    script: &str,
) -> (Scene, impl Fn(&Scene, &str, &str, &str) -> Outcome + use<>) {
    let scene = Scene::below();
    let folder = scene.path("/etc/cartwright/externals");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["user", "sysctl", "authorized_keys", "iptables", "group", "cron"] {
        symlink(scripts().join("bridges").join(tool).join("external"), folder.join(name)).unwrap();
    }
    let own = scene.path(&format!("/etc/cartwright/bridges/{tool}-run"));
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    let script = script.replace("ROOT", scene.path("").to_str().unwrap().trim_end_matches('/'));
    std::fs::write(&own, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o755)).unwrap();
    let call = move |scene: &Scene, external: &str, operation: &str, data: &str| {
        let external = folder.join(external);
        scene.call(external.to_str().unwrap(), &["p-1.tpkg", operation], data.as_bytes())
    };
    (scene, call)
}

fn requests(scene: &Scene, folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(scene.path(folder)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// tool → cart → external → tool: the inner call does not wait for the outer one, and nothing is lost.
#[test]
fn a_call_from_inside_a_run_is_followed_by_another_run() {
    for tool in ["ansible", "puppet", "etch"] {
        let script = "echo run >>ROOT/runs
            [ -e ROOT/inner ] || { touch ROOT/inner; echo inner | ROOT/etc/cartwright/externals/user q install >ROOT/said; }";
        let (scene, call) = below(tool, script);
        call(&scene, "user", "install", "outer").ok();
        assert_eq!(scene.read("/runs"), "run\nrun\n", "{tool}");
        assert!(scene.read("/said").contains("will be followed by another"), "{tool}");
        call(&scene, "user", "remove", "outer").ok();
        assert_eq!(scene.read("/runs"), "run\nrun\nrun\n", "{tool}");
    }
}

#[test]
fn what_always_asks_again_is_an_error() {
    let script = "echo inner | ROOT/etc/cartwright/externals/user q install; echo run >>ROOT/runs";
    let (scene, call) = below("puppet", script);
    call(&scene, "user", "install", "outer").refused("asks for another");
    assert_eq!(scene.read("/runs").lines().count(), 3);
}

#[test]
fn what_the_tool_fails_on_is_taken_back() {
    for (tool, folder) in [("ansible", "ansible/user"), ("puppet", "puppet/user")] {
        let (scene, call) = below(tool, "echo no such thing; exit 4");
        let folder = format!("/var/lib/cartwright/requests/{folder}");
        call(&scene, "user", "install", "web").refused("no such thing");
        assert_eq!(requests(&scene, &folder), Vec::<PathBuf>::new(), "{tool}");
    }
}

#[test]
fn data_that_tools_would_evaluate_is_refused() {
    let (scene, call) = below("ansible", "touch ROOT/ran");
    for data in [
        "* * * * * web echo {{ lookup('pipe', 'id') }}",
        "* * * * * web {% x %}",
        "* * * * * web {# x",
    ] {
        call(&scene, "cron", "install", data).refused("Ansible");
    }
    call(&scene, "user", "install", "$(id)").refused("cannot read");
    assert!(!scene.path("/ran").exists());
}

/// etch's layout: the files of tpkg's own externals for etch.
#[test]
fn etch_finds_its_requests() {
    let (scene, call) = below("etch", "true");
    call(&scene, "user", "install", "myuser").ok();
    for target in ["/var/etch/requests/etc/passwd", "/var/etch/requests/etc/shadow"] {
        let found = requests(&scene, target);
        assert_eq!(std::fs::read_to_string(&found[0]).unwrap(), "<request>\nmyuser\n</request>\n");
        assert_eq!(std::fs::metadata(&found[0]).unwrap().permissions().mode() & 0o777, 0o644);
    }
    call(&scene, "user", "install", "other").ok();
    call(&scene, "user", "remove", "myuser").ok();
    assert_eq!(
        requests(&scene, "/var/etch/requests/etc/passwd").len(),
        1,
        "the other request stays"
    );
    let rules = "<filter>\n<accept port=\"80\"/>\n</filter>\n";
    call(&scene, "iptables", "install", rules).ok();
    assert_eq!(requests(&scene, "/var/etch/requests/var/lib/iptables/active").len(), 1);
    call(&scene, "authorized_keys", "install", "/home/web\n").ok();
    assert_eq!(requests(&scene, "/var/etch/requests/home/web/.ssh/authorized_keys").len(), 1);
    call(&scene, "group", "install", "any").ok();
    call(&scene, "cron", "install", "any").refused("no file for `cron`");
    for data in [
        "</request><request>x",
        "<a>",
        "<a></b>",
        "a & b",
        "<!DOCTYPE x>",
        "<?x?>",
        "<!-- x -->",
        "a\0b",
    ] {
        call(&scene, "user", "install", data).refused("user: ");
    }
    call(&scene, "authorized_keys", "install", "/../etc\n").refused("`..` in a path");
}
