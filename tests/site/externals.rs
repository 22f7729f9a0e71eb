//! What packages at a site ask externals for, by the seed's own example: `user` with data, `nfs` with
//! a file of data, `sysctl` with a script that prints them. What each was given is written down.

use crate::host::Host;
use crate::package::{accessory, file, id, package, site, with};
use crate::servers::is_root;
use crate::skip;
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;

/// An external that writes down how it was called, and reads what it is given.
const RECORDER: &str = "#!/bin/bash\n\
    { printf 'call %s' \"${0##*/}\"; printf ' [%s]' \"$@\"; printf ' %s in %s of %s\\n' \
    \"$TPKG_ACTION\" \"$PWD\" \"$TPKG_HOME\"; cat; echo '<'; } >>\"$HOME/record\"\n";

fn external(host: &Host, name: &str, text: &str) {
    let path = format!("etc/cartwright/externals/{name}");
    host.write(&path, text);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(host.at(&path), mode).unwrap();
}

/// A host whose administrator has the three externals of the seed.
fn host() -> Host {
    let host = Host::new();
    for name in ["user", "nfs", "sysctl"] {
        external(&host, name, RECORDER);
    }
    host
}

/// What was called since the last look.
fn since(host: &Host) -> String {
    let path = host.outside("record");
    let seen = std::fs::read_to_string(&path).unwrap_or_default();
    drop(std::fs::remove_file(path));
    seen
}

/// The calls alone, each with what it is given for its first argument.
fn calls(host: &Host) -> Vec<String> {
    let seen = since(host);
    let lines = seen.lines().filter_map(|line| line.strip_prefix("call "));
    lines.map(|line| line.split(" in ").next().unwrap().to_owned()).collect()
}

/// Installs a release of the app that asks for `externals`, with a script that says so as well.
fn release(host: &Host, version: &str, externals: &Value) {
    let tell = "#!/bin/bash\necho \"call script [$1] in it\" >>\"$HOME/record\"\n";
    let calculate =
        "#!/bin/bash\necho \"of $TPKG_ACTION\"\n[[ -r ubos-manifest.json ]] && printf 'a = 1'\n";
    let scripts = json!([ { "type" : "exec", "source" : "bin/tell" } ]);
    let manifest = json!({
        "type" : "app",
        "externals" : externals,
        "roles" : {
            "apache2" : { "defaultcontext" : "/app" },
            "generic" : { "appconfigitems" : scripts, "installers" : scripts, "upgraders" : scripts },
        },
    });
    let files = [
        ("mounts", "server:/export /data\n\n\\ $(touch x) `y`"),
        ("bin/tell", tell),
        ("bin/calculate", calculate),
    ];
    host.must(&["install", &package(host, ("app", version), &manifest, &files)]);
}

fn seed() -> Value {
    json!([
        { "name" : "user", "data" : "myuser" },
        { "name" : "nfs", "datafile" : "mounts" },
        { "name" : "sysctl", "datascript" : "./bin/calculate" },
    ])
}

fn requests(host: &Host) -> Vec<Value> {
    let answer: Value = serde_json::from_str(&host.must(&["external", "list", "--json"])).unwrap();
    answer["requests"].as_array().unwrap().clone()
}

fn home(host: &Host, digit: char) -> String {
    host.at(&format!("ubos/lib/app/{}", id('a', digit))).display().to_string()
}

#[test]
fn the_seeds_example_on_coming_and_going() {
    let host = host();
    release(&host, "1.0", &seed());
    assert_eq!(since(&host), "", "the library asks for nothing");
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    let before = host.look();
    host.must(&["site", "deploy", &path]);
    let home = home(&host, '1');
    let called = |word: &str| {
        let call = |name: &str, data: &str| {
            format!("call {name} [ubos-app-1.0-1] [{word}] {word} in / of {home}\n{data}<\n")
        };
        // What the script has printed once is what is given back.
        call("user", "myuser")
            + &call("nfs", "server:/export /data\n\n\\ $(touch x) `y`")
            + &call("sysctl", "of install\na = 1")
    };
    let script = |word: &str| format!("call script [{word}] in it\n");
    assert_eq!(since(&host), called("install") + &script("deploy") + &script("install"));
    let list = requests(&host);
    assert_eq!(list.len(), 3);
    for (request, name) in list.iter().zip(["user", "nfs", "sysctl"]) {
        assert_eq!((&request["external"], &request["state"]), (&name.into(), &"done".into()));
        assert_eq!(request["asked_by"]["name"], "app");
        assert_eq!(
            (&request["site"], &request["gear"]),
            (&"blog.example.org".into(), &Value::Null)
        );
    }
    // Another site asks for itself.
    let path = file(&host, &site("wiki.example.org", '2', &[with('2', &[])]));
    host.must(&["site", "deploy", &path]);
    assert_eq!((calls(&host).len(), requests(&host).len()), (5, 6));
    host.must(&["site", "undeploy", "wiki.example.org"]);
    assert_eq!((calls(&host).len(), requests(&host).len()), (5, 3));

    host.must(&["site", "undeploy", "blog.example.org"]);
    let expected = script("uninstall") + &script("undeploy") + &called("remove");
    assert_eq!(since(&host), expected, "nothing of the app is left when they go");
    assert!(requests(&host).is_empty());
    assert_eq!(host.look(), before);
}

#[test]
fn another_release_calls_what_has_changed_and_keeps_the_rest_under_its_name() {
    let host = host();
    let all = |user: &str| {
        json!([
            { "name" : "user", "data" : user },
            { "name" : "nfs", "datafile" : "mounts" },
        ])
    };
    release(&host, "1.0", &all("one"));
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &path]);
    since(&host);
    host.must(&["site", "redeploy", "blog.example.org"]);
    let scripts = ["script [undeploy]", "script [deploy]", "script [upgrade]"];
    assert_eq!(calls(&host), scripts, "what is the same is not asked for again");
    release(&host, "2.0", &all("two"));
    host.must(&["site", "update"]);
    let expected = [
        "script [undeploy]",
        "user [ubos-app-1.0-1] [remove] upgrade",
        "user [ubos-app-2.0-1] [install] upgrade",
        "script [deploy]",
        "script [upgrade]",
    ];
    assert_eq!(calls(&host), expected);
    for request in requests(&host) {
        assert_eq!(request["asked_by"]["version"], "ubos-app-2.0-1", "{request}");
    }
    // The external knows what has stayed by the name under which it was asked.
    host.must(&["site", "undeploy", "blog.example.org"]);
    let expected =
        ["user [ubos-app-2.0-1] [remove] remove", "nfs [ubos-app-1.0-1] [remove] remove"];
    assert_eq!(calls(&host)[2..], expected);
}

#[test]
fn a_deployment_that_fails_leaves_what_was_asked_for() {
    let host = host();
    release(&host, "1.0", &json!([ { "name" : "user", "data" : "one" }, { "name" : "nfs" } ]));
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &path]);
    let before = requests(&host);
    since(&host);
    let refusing = format!("{RECORDER}[[ $2 == remove ]]\n");
    external(&host, "sysctl", &refusing);
    let tree = host.look();
    release(
        &host,
        "2.0",
        &json!([ { "name" : "user", "data" : "two" }, { "name" : "sysctl", "strict" : true } ]),
    );
    host.fails(&["site", "update"], 9, "the external `sysctl` did not succeed");
    let expected = [
        "script [undeploy]",
        "user [ubos-app-1.0-1] [remove] upgrade",
        "nfs [ubos-app-1.0-1] [remove] upgrade",
        "user [ubos-app-2.0-1] [install] upgrade",
        "sysctl [ubos-app-2.0-1] [install] upgrade",
        "sysctl [ubos-app-2.0-1] [remove] upgrade",
        "user [ubos-app-2.0-1] [remove] upgrade",
        "nfs [ubos-app-1.0-1] [install] upgrade",
        "user [ubos-app-1.0-1] [install] upgrade",
        "script [deploy]",
    ];
    assert_eq!(calls(&host), expected);
    assert_eq!((requests(&host), host.look()), (before, tree));
    // Where success is not demanded, it is a warning.
    release(&host, "3.0", &json!([ { "name" : "user", "data" : "one" }, { "name" : "sysctl" } ]));
    let said = host.must(&["site", "update"]);
    assert!(said.contains("`sysctl` did not succeed with `install`"), "{said}");
    assert_eq!(requests(&host)[1]["state"], "failed");
    host.fails(&["external", "check"], 20, "blog.example.org");
}

#[test]
fn an_accessory_asks_for_itself_and_a_missing_external_is_refused() {
    let host = host();
    release(&host, "1.0", &json!([ { "name" : "user", "data" : "one" } ]));
    let mut more = accessory(&json!({}));
    more["externals"] = json!([ { "name" : "nfs" } ]);
    host.must(&["install", &package(&host, ("acc", "1"), &more, &[])]);
    let both = site("blog.example.org", '1', &[with('1', &["acc"])]);
    host.must(&["site", "deploy", &file(&host, &both)]);
    let expected =
        ["user [ubos-app-1.0-1] [install] install", "nfs [ubos-acc-1-1] [install] install"];
    assert_eq!(
        calls(&host).into_iter().filter(|one| !one.contains("script")).collect::<Vec<_>>(),
        expected
    );
    let alone = site("blog.example.org", '1', &[with('1', &[])]);
    host.must(&["site", "deploy", &file(&host, &alone)]);
    assert_eq!(calls(&host)[0], "nfs [ubos-acc-1-1] [remove] remove");

    release(&host, "2.0", &json!([ { "name" : "none-such" } ]));
    let before = (requests(&host), host.look());
    host.fails(&["site", "update"], 4, "needs the external `none-such`");
    assert_eq!((calls(&host).len(), (requests(&host), host.look())), (0, before));
    host.must(&["site", "update", "--allow-missing-externals"]);
    assert_eq!(requests(&host)[0]["state"], "missing");
}

#[test]
fn an_item_may_belong_to_a_user_that_an_external_makes() {
    if !is_root() {
        return skip("an_item_may_belong_to_a_user_that_an_external_makes", "only root gives away");
    }
    let host = host();
    let passwd = host.at("etc/passwd").display().to_string();
    let making = format!("#!/bin/bash\necho \"$(cat):x:4242:4343::/:/bin/sh\" >>{passwd}\n");
    external(&host, "user", &making);
    host.write("etc/group", "mygroup:x:4343:\n");
    let items = json!([ { "type" : "file", "name" : "/srv/x", "source" : "x", "uname" : "myuser",
        "gname" : "mygroup" } ]);
    let manifest = |externals: Value| {
        json!({ "type" : "app", "externals" : externals, "roles" : {
            "apache2" : { "defaultcontext" : "/app" }, "generic" : { "appconfigitems" : items } } })
    };
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    let files = [("x", "x")];
    host.must(&["install", &package(&host, ("app", "1"), &manifest(json!([])), &files)]);
    host.fails(&["site", "deploy", &path], 3, "which the host does not have");
    let asks = manifest(json!([ { "name" : "user", "data" : "myuser" } ]));
    host.must(&["install", &package(&host, ("app", "2"), &asks, &files)]);
    host.must(&["site", "deploy", &path]);
    let meta = std::fs::metadata(host.at("srv/x")).unwrap();
    assert_eq!((meta.uid(), meta.gid()), (4242, 4343));
    // It may be gone by the time that the site goes.
    std::fs::remove_file(host.at("etc/passwd")).unwrap();
    host.must(&["site", "undeploy", "blog.example.org"]);
}
