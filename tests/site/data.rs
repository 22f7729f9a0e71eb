//! Data: what a retention bucket keeps, and what a failure puts back.

use crate::host::Host;
use crate::package::{TELLS, accessory, app, file, package, site, told, with};
use serde_json::{Value, json};

const DATA: &str = "srv/data";

/// An app whose data are kept, and a folder whose are not.
fn manifest(more: &Value) -> Value {
    let mut items = json!([
        { "type" : "directory", "name" : "/srv/data", "dirpermissions" : "0750",
          "retentionpolicy" : "keep", "retentionbucket" : "data" },
        { "type" : "file", "name" : "/srv/data/version", "source" : "version" },
        { "type" : "directory", "name" : "/srv/cache" },
        { "type" : "exec", "source" : "bin/tell" },
    ]);
    items.as_array_mut().unwrap().extend(more.as_array().unwrap().clone());
    let tasks = json!([ { "type" : "exec", "source" : "bin/task" } ]);
    app(&json!({ "appconfigitems" : items, "installers" : tasks, "upgraders" : tasks }))
}

const TASK: &str =
    "#!/bin/bash\necho \"task $1\" >>\"$HOME/told\"\nls /nonexistent 2>/dev/null\ntrue\n";
const FAILS: &str = "#!/bin/bash\necho \"task $1\" >>\"$HOME/told\"\n\
    echo 'the credential is very secret'\n[[ $1 == uninstall ]] && exit 0\nexit 3\n";

fn release(host: &Host, version: &str, (more, task): (&Value, &str)) {
    let files = [("version", version), ("bin/tell", TELLS), ("bin/task", task)];
    let folder = package(host, ("app", version), &manifest(more), &files);
    host.must(&["install", &folder]);
}

fn deployed() -> (Host, String) {
    let host = Host::new();
    release(&host, "1", (&json!([]), TASK));
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &path]);
    host.write("srv/data/mine", "precious");
    host.write("srv/data/deep/er", "too");
    host.write("srv/cache/x", "y");
    told(&host);
    (host, path)
}

#[test]
fn buckets_are_kept_and_everything_else_is_new() {
    let (host, _) = deployed();
    release(&host, "2", (&json!([]), TASK));
    host.must(&["site", "update"]);
    assert_eq!(
        (host.read("srv/data/mine"), host.read("srv/data/deep/er")),
        ("precious".into(), "too".into())
    );
    assert_eq!(host.read("srv/data/version"), "2", "what the app brings is not data");
    assert!(!host.has("srv/cache/x"), "what has no bucket goes");
    assert_eq!(host.mode(DATA), 0o750);
    // A bucket that is new begins empty.
    let new = json!([ { "type" : "directory", "name" : "/srv/more",
        "retentionpolicy" : "keep", "retentionbucket" : "more" } ]);
    release(&host, "3", (&new, TASK));
    host.must(&["site", "update"]);
    assert!(host.has("srv/more") && host.read("srv/data/mine") == "precious");
    host.must(&["site", "undeploy", "blog.example.org"]);
    assert!(!host.has(DATA));
}

#[test]
fn a_failing_redeployment_leaves_the_old_one() {
    let (host, path) = deployed();
    release(
        &host,
        "2",
        (&json!([ { "type" : "file", "name" : "/srv/new", "source" : "version" } ]), FAILS),
    );
    let before = host.look();
    let said = host.fails(&["site", "update"], 9, "exited with status 3 (operation `upgrade`)");
    assert!(!said.contains("very secret") && said.contains("put back"), "{said}");
    assert_eq!(host.look(), before, "files, data and folders are what they were");
    assert_eq!(
        told(&host),
        ["tell undeploy", "tell deploy", "task upgrade", "tell undeploy", "tell deploy"],
        "each script hears the inverse, the old one last"
    );
    let status = host.must(&["site", "status"]);
    assert!(status.contains("deployed"), "{status}");
    // What can be put right works then.
    release(&host, "3", (&json!([]), TASK));
    host.must(&["site", "deploy", &path]);
    assert_eq!(host.read("srv/data/version"), "3");
}

#[test]
fn a_failing_first_deployment_leaves_nothing() {
    let host = Host::new();
    release(&host, "1", (&json!([]), FAILS));
    let before = host.look();
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.fails(&["site", "deploy", &path], 9, "operation `install`");
    assert_eq!(told(&host), ["tell deploy", "task install", "task uninstall", "tell undeploy"]);
    assert_eq!(host.look(), before);
    host.fails(&["site", "show", "blog.example.org"], 3, "there is no site");
}

#[test]
fn a_script_that_hangs_dies_or_exits_ends_alone() {
    for (text, said) in [
        ("sleep 1000; 1;", "was not over after 2 seconds"),
        ("die 'for a reason';", "for a reason"),
        ("exit( 0 );", "did not succeed"),
        ("chdir( '/' ); 0;", "did not succeed"),
    ] {
        let (host, _) = deployed();
        host.write("etc/cartwright/config.yml", "scripts:\n  install_timeout: 2\n");
        let perl = json!([ { "type" : "perlscript", "source" : "x.pl" } ]);
        let files = [("version", "2"), ("bin/tell", TELLS), ("bin/task", TASK), ("x.pl", text)];
        let folder = package(&host, ("app", "2"), &manifest(&perl), &files);
        host.must(&["install", &folder]);
        let before = host.look();
        host.fails(&["site", "update"], 9, said);
        assert_eq!(host.look(), before, "{text}");
    }
}

#[test]
fn a_site_whose_scripts_cannot_succeed_can_leave_all_the_same() {
    let host = Host::new();
    let stubborn = "#!/bin/bash\n[[ $1 != uninstall ]]\n";
    release(&host, "1", (&json!([]), stubborn));
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    let before = host.look();
    host.must(&["site", "deploy", &path]);
    let deployed = host.look();
    host.fails(&["site", "undeploy", "--all"], 9, "operation `uninstall`");
    assert_eq!(host.look(), deployed);
    host.must(&["site", "undeploy", "--all", "--skip-scripts"]);
    assert_eq!(host.look(), before);
    let said = host.fails(&["undo", "2"], 4, "the site `blog.example.org` is not undone");
    assert!(said.contains("cart site backup"), "{said}");
}

#[test]
fn what_was_uninstalled_and_stays_after_all_is_not_installed_anew() {
    let (host, _) = deployed();
    let tasks = json!([ { "type" : "exec", "source" : "bin/acc" } ]);
    let both = accessory(&json!({ "installers" : tasks, "upgraders" : tasks }));
    let starts = "#!/bin/bash\necho \"acc $1\" >>\"$HOME/told\"\n\
        [[ $1 != install ]] || echo new >\"${0%/var/lib/*}/srv/data/of-acc\"\n";
    host.must(&["install", &package(&host, ("acc", "1"), &both, &[("bin/acc", starts)])]);
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &["acc"])]));
    host.must(&["site", "deploy", &path]);
    assert_eq!(host.read("srv/data/of-acc"), "new\n");
    host.write("srv/data/of-acc", "living");
    told(&host);
    release(&host, "2", (&json!([]), FAILS));
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    let before = host.look();
    host.fails(&["site", "deploy", &path], 9, "operation `upgrade`");
    assert_eq!(host.look(), before);
    let told = told(&host);
    assert_eq!((told[0].as_str(), told.last().unwrap().as_str()), ("acc uninstall", "acc upgrade"));
    assert!(!told.contains(&"acc install".to_owned()), "{told:?}");
}

#[test]
fn a_restoration_says_what_it_does_not_take() {
    let (host, _) = deployed();
    host.write("etc/elsewhere", "not the app's");
    std::os::unix::fs::symlink(host.at("etc/elsewhere"), host.at("srv/data/link")).unwrap();
    let archive = host.outside("blog.ubos-backup").display().to_string();
    host.must(&["site", "backup", "blog.example.org", "--out", &archive]);
    std::fs::remove_file(host.at("srv/data/link")).unwrap();
    let before = host.look();
    let said = host.fails(&["site", "restore", &archive], 6, "data/link` is a symbolic link to");
    assert!(said.contains("--allow-external-links"), "{said}");
    assert_eq!(host.look(), before);
    let said = host.must(&["site", "restore", &archive, "--allow-external-links"]);
    assert!(!said.contains("not restored"), "{said}");
    assert_eq!(host.target("srv/data/link"), host.at("etc/elsewhere").display().to_string());
    assert_eq!(
        (host.mode("etc/elsewhere"), host.read("srv/data/mine")),
        (0o644, "precious".into())
    );

    // A release that has no such bucket any more.
    let files = [("bin/tell", TELLS)];
    let items = json!([ { "type" : "exec", "source" : "bin/tell" } ]);
    let newer = package(&host, ("app", "2"), &app(&json!({ "appconfigitems" : items })), &files);
    host.must(&["install", &newer]);
    let words = ["site", "restore", &archive, "--allow-external-links", "--dry-run"];
    let said = host.must(&words);
    assert!(
        said.contains("data of `app` are not restored: nothing has the bucket `data`"),
        "{said}"
    );
}

#[test]
fn restored_data_have_the_modes_that_the_manifest_says() {
    use std::os::unix::fs::PermissionsExt;
    let host = Host::new();
    for (version, modes, expected) in [
        ("1", json!({}), [0o755, 0o755, 0o644]),
        (
            "2",
            json!({ "dirpermissions" : "0750", "filepermissions" : "0640" }),
            [0o750, 0o750, 0o640],
        ),
    ] {
        let mut item = json!({ "type" : "directory", "name" : "/srv/data",
            "retentionpolicy" : "keep", "retentionbucket" : "data" });
        item.as_object_mut().unwrap().extend(modes.as_object().unwrap().clone());
        let manifest = app(&json!({ "appconfigitems" : [ item ] }));
        host.must(&["install", &package(&host, ("app", version), &manifest, &[])]);
        let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
        host.must(&["site", "deploy", &path]);
        host.write("srv/data/deep/er", "secret");
        let change = |path: &str, mode| {
            std::fs::set_permissions(host.at(path), PermissionsExt::from_mode(mode)).unwrap();
        };
        change("srv/data/deep", 0o770);
        change("srv/data/deep/er", 0o600);
        let archive = host.outside(&format!("{version}.zip")).display().to_string();
        host.must(&["site", "backup", "--all", "--out", &archive]);
        host.must(&["site", "restore", &archive]);
        let found = ["srv/data", "srv/data/deep", "srv/data/deep/er"].map(|path| host.mode(path));
        assert_eq!(found, expected, "{version}");
        host.must(&["site", "undeploy", "--all"]);
    }
}
