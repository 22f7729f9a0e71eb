//! `user`, `group`, `supplemental_groups`: on a host, with the tools of the host.

use crate::scene::Scene;

#[test]
fn a_user_comes_and_goes_with_who_asked() {
    let Some(scene) = Scene::host("a_user_comes_and_goes", &["useradd"]) else { return };
    let before = scene.sh("sort /etc/passwd /etc/group");
    assert!(scene.would_change("user", "myuser"));
    scene.install("user", "a-1.tpkg", "myuser").ok();
    let first = scene.sh("id -u myuser");
    assert!(!scene.would_change("user", "myuser"));
    scene.install("user", "a-1.tpkg", "myuser").ok();
    scene.install("user", "b-1.tpkg", "# ours\nmyuser\n\n").ok();
    scene.remove("user", "b-1.tpkg", "myuser").ok();
    scene.remove("user", "a-1.tpkg", "myuser").ok();
    scene.remove("user", "a-1.tpkg", "myuser").ok();
    assert_eq!(scene.sh("id -u myuser"), first, "the other package still has it");
    let check = scene.call("user", &["--check", "b-1.tpkg", "remove"], b"# ours\nmyuser\n\n");
    assert_eq!(check.code, Some(20), "{check:?}");
    scene.remove("user", "b-1.tpkg", "# ours\nmyuser\n\n").ok();
    assert_eq!(scene.sh("sort /etc/passwd /etc/group"), before);
    // Its files would have lost their owner.
    scene.sh(&format!("useradd --uid $(({first} + 1)) other"));
    scene.install("user", "a-2.tpkg", "myuser").ok();
    assert_eq!(scene.sh("id -u myuser"), first, "the number from before");
}

#[test]
fn an_account_that_was_there_stays() {
    let Some(scene) = Scene::host("an_account_that_was_there_stays", &["useradd"]) else { return };
    scene.sh("useradd mine && groupadd ours");
    let before = scene.sh("cat /etc/passwd /etc/group /etc/shadow");
    for operation in ["install", "remove", "remove"] {
        scene.call("user", &["p", operation], b"mine shell=/bin/false").ok();
        scene.call("group", &["p", operation], b"ours").ok();
    }
    assert_eq!(scene.sh("cat /etc/passwd /etc/group /etc/shadow"), before);
}

#[test]
fn a_group_of_the_users_name_that_was_there_stays() {
    let Some(scene) = Scene::host("a_group_of_the_users_name_stays", &["useradd"]) else { return };
    scene.sh("groupadd myuser");
    let before = scene.sh("sort /etc/passwd /etc/group");
    scene.install("user", "p", "myuser").ok();
    assert_eq!(scene.sh("id -gn myuser"), "myuser");
    scene.remove("user", "p", "myuser").ok();
    assert_eq!(scene.sh("sort /etc/passwd /etc/group"), before);
}

#[test]
fn users_get_what_was_asked_for() {
    let Some(scene) = Scene::host("users_get_what_was_asked_for", &["useradd"]) else { return };
    scene.install("group", "p", "data gid=45678\n").ok();
    let wish = "svc uid=45679 group=data home=/home/svc shell=/bin/false create-home=yes";
    scene.install("user", "p", wish).ok();
    assert_eq!(scene.sh("getent passwd svc"), "svc:x:45679:45678::/home/svc:/bin/false");
    scene.sh("touch /home/svc/kept");
    // Packages are removed in the order of their lists, too: the group goes with its user.
    let kept = scene.remove("group", "p", "data gid=45678\n");
    assert!(kept.ok().stdout.contains("primary group of `svc`"), "{kept:?}");
    scene.remove("user", "p", wish).ok();
    scene.sh("test -e /home/svc/kept && ! getent passwd svc && ! getent group data");
}

#[test]
fn a_user_whose_processes_run_is_kept_until_they_are_gone() {
    let Some(scene) = Scene::host("a_user_whose_processes_run", &["useradd", "setpriv"]) else {
        return;
    };
    // Processes of the host count: a number that no other test has.
    scene.install("user", "p", "myuser uid=45681").ok();
    let number = scene.sh("id -u myuser");
    let process = scene.sh(
        "setpriv --reuid myuser --regid myuser --clear-groups sleep 30 >/dev/null 2>&1 & echo $!",
    );
    // Not `myuser` yet is `sleep` as long as setpriv did not become it.
    scene.sh(&format!("until [[ $(ps -o user= -p {process}) == myuser ]]; do sleep 0.01; done"));
    scene.remove("user", "p", "myuser uid=45681").refused("userdel");
    assert_eq!(scene.call("user", &["--finish"], b"").code, Some(1), "it still runs");
    // The next version, which asks for the same, finds it as it was.
    scene.install("user", "p-2", "myuser uid=45681").ok();
    assert_eq!(scene.sh("id -u myuser"), number);
    scene.sh(&format!("kill {process}; while kill -0 {process} 2>/dev/null; do sleep 0.01; done"));
    scene.call("user", &["--finish"], b"").ok();
    assert_eq!(scene.sh("id -u myuser"), number, "somebody asks for it");
    scene.remove("user", "p-2", "myuser uid=45681").ok();
    scene.sh("! getent passwd myuser");
}

#[test]
fn of_several_users_all_come_or_none() {
    let Some(scene) = Scene::host("of_several_users_all_come_or_none", &["useradd"]) else {
        return;
    };
    let before = scene.sh("sort /etc/passwd /etc/group");
    scene.install("user", "p", "one\ntwo uid=0\nthree").refused("not unique");
    assert_eq!(scene.sh("sort /etc/passwd /etc/group"), before);
    assert_eq!(scene.call("user", &["--check", "p", "remove"], b"one\ntwo\nthree").ok().stdout, "");
}

#[test]
fn members_come_and_go() {
    let Some(scene) = Scene::host("members_come_and_go", &["useradd", "gpasswd"]) else { return };
    scene.sh("groupadd team && useradd one && useradd -G team two");
    scene.install("supplemental_groups", "p", "team:one\nteam:two").ok();
    assert_eq!(scene.sh("getent group team | cut -d: -f4"), "two,one");
    assert!(!scene.would_change("supplemental_groups", "team:one"));
    scene.install("supplemental_groups", "p", "team:absent").refused("no user `absent`");
    scene.install("supplemental_groups", "p", "absent:one").refused("no group `absent`");
    scene.remove("supplemental_groups", "p", "team:one\nteam:two").ok();
    assert_eq!(scene.sh("getent group team | cut -d: -f4"), "two", "who was a member stays one");
}

/// A package may name an external several times; what one piece of its data has in common with another
/// stays until both are gone.
#[test]
fn each_piece_of_data_counts() {
    let Some(scene) = Scene::host("each_piece_of_data_counts", &["useradd"]) else { return };
    scene.install("user", "p", "one\ntwo").ok();
    scene.install("user", "p", "two").ok();
    scene.remove("user", "p", "one\ntwo").ok();
    scene.sh("! getent passwd one && getent passwd two");
    scene.remove("user", "p", "two").ok();
    scene.sh("! getent passwd two");
}

/// An engine that knows versions of one package as one says so.
#[test]
fn one_key_is_one_package() {
    let Some(mut scene) = Scene::host("one_key_is_one_package", &["useradd"]) else { return };
    scene.set("CART_EXTERNAL_KEY", "blog");
    scene.install("user", "blog-1.0.tpkg", "myuser").ok();
    scene.remove("user", "blog-1.1.tpkg", "myuser").ok();
    scene.sh("! getent passwd myuser");
}

/// Below another root, with the tools' own options for that.
#[test]
fn accounts_below_another_root() {
    if !crate::scene::is_root() {
        println!(
            "SKIP: externals::accounts_below_another_root: gpasswd changes roots as root alone"
        );
        return;
    }
    let scene = Scene::below();
    let before = (scene.read("/etc/passwd"), scene.read("/etc/group"));
    scene.install("user", "p", "myuser uid=45680").ok();
    scene.install("group", "p", "mygroup").ok();
    scene.install("supplemental_groups", "p", "staff:myuser").ok();
    assert!(scene.read("/etc/passwd").contains("\nmyuser:!:45680:"));
    assert!(scene.read("/etc/group").contains("staff:x:701:myuser"));
    for (external, data) in [
        ("supplemental_groups", "staff:myuser"),
        ("group", "mygroup"),
        ("user", "myuser uid=45680"),
    ] {
        scene.remove(external, "p", data).ok();
    }
    assert_eq!((scene.read("/etc/passwd"), scene.read("/etc/group")), before);
}
