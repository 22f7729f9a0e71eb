//! The contract that all externals keep.

use crate::scene::{Scene, scripts};

/// Every shipped external with data that it takes anywhere, and that changes something.
pub(crate) const ALL: [(&str, &str); 11] = [
    ("user", "myuser"),
    ("group", "mygroup"),
    ("supplemental_groups", "staff:web"),
    ("sudo", "web"),
    ("sysctl", "kernel.shmmax = 68719476736"),
    ("limits", "web soft nofile 4096"),
    ("nfs", "data -ro,hard filer.example.com:/export/data"),
    ("cron", "5 4 * * * web true"),
    (
        "authorized_keys",
        concat!(
            "/home/web\n",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFiYmJiYmJiYmJiYmJiYmJi"
        ),
    ),
    ("nftables", "input tcp dport 8080 accept"),
    ("systemd-unit", "web.service\n[Service]\nExecStart=/bin/true"),
];

/// The folder has exactly these externals: nothing else there can be called by a package.
#[test]
fn every_external_is_listed_here() {
    use std::os::unix::fs::PermissionsExt;
    let mut found: Vec<String> = std::fs::read_dir(scripts())
        .unwrap()
        .flatten()
        .filter(|entry| {
            entry.metadata().is_ok_and(|is| is.is_file() && is.permissions().mode() & 0o111 != 0)
        })
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut listed = ALL.map(|(name, _)| name.to_owned()).to_vec();
    listed.sort();
    assert_eq!(found, listed);
}

#[test]
fn arguments_that_are_none_are_answered_with_the_usage() {
    let scene = Scene::below();
    for (external, data) in ALL {
        for arguments in [
            &[][..],
            &["p"],
            &["p", "upgrade"],
            &["p", "install", "x"],
            &["a/b", "install"],
            &["", "install"],
        ] {
            let outcome = scene.call(external, arguments, data.as_bytes());
            assert_eq!(outcome.code, Some(2), "{external} {arguments:?}: {outcome:?}");
            assert!(outcome.stderr.contains("PACKAGE install|remove"), "{outcome:?}");
        }
    }
}

#[test]
fn check_tells_of_changes_and_makes_none() {
    let scene = Scene::below();
    std::fs::create_dir_all(scene.path("/home/web")).unwrap();
    let before = scene.tree();
    for (external, data) in ALL {
        assert!(scene.would_change(external, data), "{external}");
        let outcome = scene.call(external, &["--check", "p", "remove"], data.as_bytes());
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(0), ""),
            "{external}: {outcome:?}"
        );
    }
    assert_eq!(scene.tree(), before);
}

#[test]
fn nothing_is_taken_back_that_was_not_asked_for() {
    let scene = Scene::below();
    std::fs::create_dir_all(scene.path("/home/web")).unwrap();
    let before = scene.tree();
    for (external, data) in ALL {
        let outcome = scene.remove(external, "p", data);
        assert!(outcome.ok().stdout.contains("it was not asked for"), "{external}: {outcome:?}");
    }
    assert_eq!(scene.tree(), before);
}

#[test]
fn data_is_read_to_its_end_and_has_a_limit() {
    let scene = Scene::below();
    let long = "# a comment\n".repeat(400_000);
    for (external, data) in ALL {
        scene.install(external, "p", &format!("{data}\n{long}")).refused("more than 1 MiB");
        let outcome = scene.call(external, &[], &long.as_bytes()[..500_000]);
        assert_eq!(outcome.code, Some(2), "{external}: {outcome:?}");
    }
}

#[test]
fn notes_that_are_not_ours_are_not_guessed_at() {
    let scene = Scene::below();
    std::fs::create_dir_all(scene.path("/../state")).unwrap();
    std::fs::write(scene.path("/../state/limits"), "cartwright external 9\nentry\tx\n").unwrap();
    scene.install("limits", "p", "web soft nofile 4096").refused("not a note of this version");
}

/// The seed's own examples, as they stand there.
#[test]
fn the_seeds_examples_are_understood() {
    let scene = Scene::below();
    for (external, data) in [
        ("user", "myuser"),
        ("nfs", "tools filer:/vol/tools\n"),
        ("sysctl", "kernel.shmmax = 4294967295\n"),
    ] {
        assert!(scene.would_change(external, data), "{external}");
    }
}
