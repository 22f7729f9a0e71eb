//! Archives that the original made, names that cartridges change, and archives for others' eyes.

use super::{Scene, packed, write};
use crate::alone;
use age::secrecy::ExposeSecret;
use std::path::Path;
use std::process::{Command, Stdio};

/// An identifier of a gear, as the original makes them.
const UUID: &str = "5361f3a7e0b8cd1b2d000001";

/// A home as the original has it, of an application called `old`.
fn originals(home: &Path, source: &Path) {
    write(home, "app-root/data/page", "old");
    write(home, ".env/OPENSHIFT_GEAR_NAME", "old");
    write(home, ".env/OPENSHIFT_APP_NAME", "old");
    write(home, ".env/OPENSHIFT_PRIMARY_CARTRIDGE_DIR", "/var/lib/openshift/0123/web/");
    for (dir, short) in [("web", "WEB"), ("side", "SIDE")] {
        write(home, &format!("{dir}/metadata/manifest.yml"), "Name: x\n");
        let ident = format!("test:{dir}:1:0.0.9");
        write(home, &format!("{dir}/env/OPENSHIFT_{short}_IDENT"), &ident);
    }
    let copied = Command::new("cp").arg("-r").arg(source).arg(home.join("git")).status();
    assert!(copied.unwrap().success());
    write(home, "git/old.git/hooks/pre-receive", "#!/bin/bash\ntouch /tmp/never\n");
    write(home, "git/old.git/config", "[core]\n\tbare = true\n\tfsmonitor = touch /tmp/never\n");
    let _ = std::os::unix::fs::symlink("../data", home.join("app-root/runtime-data"));
}

#[test]
fn archives_of_the_original_are_restored() {
    let _alone = alone();
    let scene = Scene::new();
    // The repository as a new clone of ours, in a folder for `git`.
    let source = scene.host.path("source");
    std::fs::create_dir_all(&source).unwrap();
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").args([
        "-c",
        "safe.directory=*",
        "clone",
        "-q",
        "--bare",
    ]);
    git.arg(scene.path("app", "git/app.git")).arg(source.join("old.git"));
    assert!(git.output().unwrap().status.success());
    let one = "2014-05-01_10-11-12.345";
    packed(&scene, "new.tar.gz", &[UUID], |home| {
        originals(home, &source);
        write(home, &format!("app-deployments/{one}/repo/page"), "theirs");
        write(
            home,
            &format!("app-deployments/{one}/metadata.json"),
            "{\"id\":\"aabbccdd\",\"git_ref\":\"master\",\"activations\":[1398939072.1]}",
        );
        let whole = format!("/var/lib/openshift/{UUID}/app-deployments/{one}");
        std::os::unix::fs::symlink(whole, home.join("app-deployments/current")).unwrap();
        write(home, "app-deployments/by-id/rubbish", "");
    });
    let (status, said) = scene.restore(&["app"], "new.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("app", "app-root/data/page"), "old");
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "theirs");
    let link = |path: &str| std::fs::read_link(scene.path("app", path)).unwrap();
    assert_eq!(link("app-deployments/current"), Path::new(one));
    assert_eq!(link("app-deployments/by-id/aabbccdd"), Path::new(&format!("../{one}")));
    assert!(!scene.has("app", "app-deployments/by-id/rubbish"));
    let config = scene.file("app", "git/app.git/config");
    assert!(!config.contains("fsmonitor"), "{config}");
    assert!(scene.runs("app"));
    // One without deployments is built anew, and so is a gear of another name.
    packed(&scene, "older.tar.gz", &[UUID], |home| originals(home, &source));
    scene.order("app");
    let (status, said) = scene.restore(&["app"], "older.tar.gz");
    assert_eq!(status, 0, "{said}");
    let order = scene.order("app");
    for step in ["web pre-receive", "web pre-repo-archive", "web build", "web deploy", "web start"]
    {
        assert!(order.contains(step), "{step}: {order}");
    }
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "first");
    assert!(scene.runs("app"));
    let (status, said) = scene.restore(&["--as", "copy"], "new.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("copy", "app-root/runtime/repo/page"), "theirs");
    assert!(scene.has("copy", "git/copy.git/HEAD") && scene.runs("copy"));
    assert!(!Path::new("/tmp/never").exists());
    scene.host.must(&["gear", "destroy", "copy"]);
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn transforms_of_a_cartridge_give_other_names() {
    let _alone = alone();
    let managed = "restore_transforms:\n- s|app-root/data/\\(old\\)/|app-root/data/new-\\1-${OPENSHIFT_GEAR_NAME}/|\n";
    let scene = Scene::with(managed);
    scene.put("app", "app-root/data/old/file", "text");
    scene.must_snapshot(&[], "a.tar.gz");
    let (status, said) = scene.restore(&["app"], "a.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("app", "app-root/data/new-old-app/file"), "text");
    assert!(!scene.has("app", "app-root/data/old/file"));
    assert_eq!(scene.file("app", "app-root/data/page"), "one");
    scene.host.must(&["gear", "destroy", "app"]);
    let managed = "restore_transforms:\n- s|app-root/data/|web/bin/|\n";
    let scene = Scene::with(managed);
    scene.must_snapshot(&[], "a.tar.gz");
    let before = scene.seen("app");
    let (status, said) = scene.restore(&["app"], "a.tar.gz");
    assert!(status == 4 && said.contains("no restore brings back"), "{status}: {said}");
    scene.same(&before, "a transform that leads elsewhere");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn an_archive_that_leaves_the_host_is_encrypted_for_who_may_read_it() {
    let _alone = alone();
    let scene = Scene::new();
    let own = age::x25519::Identity::generate();
    let public = own.to_public().to_string();
    let secret = own.to_string();
    scene.host.write("key", &format!("# mine\n{}\n", secret.expose_secret()), 0o600);
    scene.must_snapshot(&["--encrypt", "--recipient", &public], "a.age");
    let bytes = std::fs::read(scene.host.path("a.age")).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1"));
    scene.put("app", "app-root/data/page", "two");
    let before = scene.seen("app");
    let (status, said) = scene.restore(&["app"], "a.age");
    assert!(status == 2 && said.contains("--identity"), "{status}: {said}");
    std::fs::write(scene.host.path("cut.age"), &bytes[..bytes.len() - 20]).unwrap();
    let key = scene.host.place("key");
    let (status, said) = scene.restore(&["app", "--identity", &key], "cut.age");
    assert!(status != 0 && said.starts_with("error: "), "{status}: {said}");
    scene.same(&before, "a cut one");
    let (status, said) = scene.restore(&["app", "--identity", &key], "a.age");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("app", "app-root/data/page"), "one");
    // With a passphrase.
    scene.host.write("phrase", "correct horse\n", 0o600);
    scene.host.write("wrong", "battery staple\n", 0o600);
    let (phrase, wrong) = (scene.host.place("phrase"), scene.host.place("wrong"));
    scene.must_snapshot(&["--encrypt", "--passphrase-file", &phrase], "b.age");
    let (status, said) = scene.restore(&["app", "--passphrase-file", &wrong], "b.age");
    assert!(status == 5 && said.contains("passphrase is wrong"), "{status}: {said}");
    let (status, said) = scene.restore(&["app", "--passphrase-file", &phrase], "b.age");
    assert_eq!(status, 0, "{said}");
    let (status, said) = scene.snapshot(&["--recipient", &public], "c.age");
    assert!(status == 2, "{said}");
    let (status, said) = scene.snapshot(&["--encrypt", "--recipient", "age1nobody"], "c.age");
    assert!(status == 2 && said.contains("no public key"), "{said}");
    let mut nobody = scene.host.command(&["gear", "snapshot", "app", "--encrypt"]);
    nobody.env_remove("CART_PASSPHRASE").stdout(Stdio::piped());
    assert!(!nobody.output().unwrap().status.success(), "nobody can be asked for a passphrase");
    assert!(scene.runs("app"));
    scene.host.must(&["gear", "destroy", "app"]);
}
