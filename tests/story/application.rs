//! What gears of one application share: variables, events, and what their developer puts into the
//! repository for scripts: markers and hooks.

use crate::alone;
use crate::host::Host;
use serde_json::json;

fn cartridge(host: &Host, name: &str, more: &str, files: &[(&str, &str)]) -> String {
    let manifest = format!(
        "Name: {name}\nCartridge-Short-Name: {}\nCartridge-Vendor: test\nVersion: '1'\n\
         Cartridge-Version: '1.0'\n{more}",
        name.to_uppercase()
    );
    host.write(&format!("{name}/metadata/manifest.yml"), &manifest, 0o644);
    host.write(&format!("{name}/bin/control"), "#!/bin/bash\nexit 0\n", 0o755);
    for (path, text) in files {
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        host.write(&format!("{name}/{path}"), text, mode);
    }
    host.place(name)
}

fn seen(host: &Host, gear: &str, name: &str) -> Option<String> {
    let (status, said) = host.run(&["gear", "exec", gear, "--", "printenv", name]);
    (status == 0).then(|| said.trim_end_matches('\n').to_owned())
}

#[test]
fn variables_are_set_and_removed_in_every_gear_of_an_application_at_once() {
    let _alone = alone();
    let host = Host::new();
    let web = cartridge(&host, "web", "Categories: [web_framework]\n", &[]);
    let db = cartridge(&host, "db", "Categories: [service]\n", &[]);
    host.must(&["gear", "create", "shop", &web, "--dns", "shop.example.net"]);
    host.must(&["gear", "create", "store", &db, "--app", "shop"]);
    host.must(&["gear", "create", "other", &web]);
    // What the gears of an application have alike from the beginning.
    for name in ["OPENSHIFT_SECRET_TOKEN", "OPENSHIFT_APP_DNS", "OPENSHIFT_APP_UUID"] {
        let of = |gear: &str| seen(&host, gear, name).unwrap();
        assert_eq!(of("shop"), of("store"), "{name}");
        assert_ne!(of("shop"), of("other"), "{name}");
    }
    assert_ne!(
        seen(&host, "shop", "OPENSHIFT_GEAR_DNS"),
        seen(&host, "store", "OPENSHIFT_GEAR_DNS")
    );
    host.must(&["gear", "env", "set", "store", "SIZE=small"]);
    host.must(&["gear", "env", "set", "--app", "shop", "SIZE=10", "COLOUR=a=b"]);
    let done = host.last();
    for gear in ["shop", "store"] {
        assert_eq!(seen(&host, gear, "COLOUR").as_deref(), Some("a=b"));
        assert_eq!(seen(&host, gear, "SIZE").as_deref(), Some("10"));
    }
    assert_eq!(seen(&host, "other", "COLOUR"), None, "another application");
    let listed = host.json(&["gear", "env", "list", "--app", "shop"]);
    let variables = json!({"COLOUR": "a=b", "SIZE": "10"});
    assert_eq!(listed["app"], "shop");
    assert_eq!(
        listed["gears"],
        json!([
            {"gear": "shop", "variables": variables},
            {"gear": "store", "variables": variables}
        ])
    );
    let (_, said) = host.run(&["gear", "env", "list", "--app", "shop"]);
    assert!(said.contains("store") && said.contains("COLOUR=a=b"), "{said}");
    // One gear that must not have it keeps it from all.
    host.must(&["gear", "env", "set", "store", "--platform", "THEIRS=1"]);
    let tree = host.tree();
    for (line, status, words) in [
        (vec!["gear", "env", "set", "--app", "shop", "THEIRS=2"], 2, "THEIRS"),
        (vec!["gear", "env", "set", "--app", "none", "A=1"], 3, "no application `none`"),
        (vec!["gear", "env", "unset", "--app", "none", "A"], 3, "no application `none`"),
        (vec!["gear", "env", "list", "--app", "none"], 3, "no application `none`"),
        (vec!["gear", "env", "set", "--app", "shop", "shop", "A=1"], 2, "NAME=VALUE"),
        (vec!["gear", "env", "set", "A=1", "B=2"], 2, "no gear's name"),
        (vec!["gear", "env", "set", "shop"], 2, "no variable"),
    ] {
        let (told, said) = host.run(&line);
        assert!(told != 0 && said.contains(words), "{line:?}: {told} ({status}): {said}");
        assert_eq!(host.tree(), tree, "{line:?}");
    }
    assert_eq!(seen(&host, "shop", "THEIRS"), None);
    host.must(&["gear", "env", "unset", "--app", "shop", "COLOUR"]);
    assert_eq!(seen(&host, "store", "COLOUR"), None);
    host.must(&["undo", &host.last()]);
    host.must(&["undo", &done]);
    assert_eq!(seen(&host, "shop", "SIZE"), None);
    assert_eq!(seen(&host, "store", "SIZE").as_deref(), Some("small"));
    host.must(&["gear", "env", "set", "--app", "shop", "--platform", "DEPTH=3"]);
    assert_eq!(seen(&host, "store", "DEPTH").as_deref(), Some("3"));
    for gear in ["store", "shop", "other"] {
        host.must(&["gear", "destroy", gear]);
    }
}

#[test]
fn a_script_removes_a_variable_from_every_gear_of_its_application() {
    let _alone = alone();
    let host = Host::new();
    let control = "#!/bin/bash\n. \"$OPENSHIFT_CARTRIDGE_SDK_BASH\"\n\
        if [ \"$1\" = start ]; then app_remove_env_var SHARED; fi\nexit 0\n";
    let web = cartridge(&host, "web", "Categories: [web_framework]\n", &[("bin/control", control)]);
    let db = cartridge(&host, "db", "Categories: [service]\n", &[]);
    host.must(&["gear", "create", "shop", &web]);
    host.must(&["gear", "create", "store", &db, "--app", "shop"]);
    host.must(&["gear", "create", "other", &db]);
    for gear in ["store", "other"] {
        host.must(&["gear", "env", "set", gear, "--platform", "SHARED=yes"]);
    }
    host.must(&["gear", "start", "shop"]);
    let started = host.last();
    assert_eq!(seen(&host, "store", "SHARED"), None);
    assert_eq!(seen(&host, "other", "SHARED").as_deref(), Some("yes"), "another application");
    host.must(&["undo", &started]);
    assert_eq!(seen(&host, "store", "SHARED").as_deref(), Some("yes"));
    for gear in ["store", "shop", "other"] {
        host.must(&["gear", "destroy", gear]);
    }
}

/// The guide's example over two gears: a database that comes to one is heard of in the other, and
/// one that leaves is forgotten there.
#[test]
fn what_comes_to_one_gear_is_told_in_the_others_of_its_application() {
    let _alone = alone();
    let host = Host::new();
    let mysql = "Categories: [service]\nEndpoints:\n- Private-IP-Name: DB_HOST\n  \
        Private-Port-Name: DB_PORT\n  Private-Port: 23306\nPublishes:\n  \
        publish-mysql-connection-info:\n    Type: NET_TCP:db:mysql\n  \
        publish-env:\n    Type: ENV:NET_TCP:db:connection-info\n";
    let info = "#!/bin/bash\necho \"OPENSHIFT_MYSQL_DB_USERNAME=username;\"\n\
        echo \"OPENSHIFT_MYSQL_DB_HOST=$OPENSHIFT_MYSQL_DB_HOST;\"\n";
    let env = "#!/bin/bash\necho \"mysql_url=mysql://$OPENSHIFT_MYSQL_DB_HOST\"\n";
    let hooks = [("hooks/publish-mysql-connection-info", info), ("hooks/publish-env", env)];
    let mysql = cartridge(&host, "mysql", mysql, &hooks);
    let php = "Categories: [web_framework]\nSubscribes:\n  set-mysql-connection-info:\n    \
        Type: NET_TCP:db:mysql\n  set-env:\n    Type: ENV:*\n";
    let hook = "#!/bin/bash\necho -n \"$4\" >env/GIVEN\n";
    let php = cartridge(&host, "php", php, &[("hooks/set-mysql-connection-info", hook)]);
    let store = cartridge(&host, "store", "Categories: [service]\n", &[]);
    host.must(&["gear", "create", "shop", &php]);
    host.must(&["gear", "create", "back", &store, "--app", "shop"]);
    let given = || std::fs::read_to_string(host.home("shop").join("php/env/GIVEN")).ok();
    assert_eq!(given(), None);
    host.must(&["gear", "add", "back", &mysql]);
    let shown = host.json(&["gear", "show", "back"]);
    let (uuid, address) = (&shown["uuid"], &shown["endpoints"][0]["address"]);
    let (uuid, address) = (uuid.as_str().unwrap(), address.as_str().unwrap());
    let info = format!("OPENSHIFT_MYSQL_DB_USERNAME=username;\nOPENSHIFT_MYSQL_DB_HOST={address};");
    assert_eq!(given(), Some(format!("'{uuid}'='{info}'")));
    assert_eq!(seen(&host, "shop", "MYSQL_URL"), Some(format!("mysql://{address}")));
    host.must(&["gear", "remove", "back", "mysql"]);
    assert_eq!(seen(&host, "shop", "MYSQL_URL"), None);
    host.must(&["undo", &host.last()]);
    assert_eq!(seen(&host, "shop", "MYSQL_URL"), Some(format!("mysql://{address}")));
    host.must(&["gear", "destroy", "back"]);
    host.must(&["gear", "destroy", "shop"]);
}

#[test]
fn markers_of_the_repository_are_read_by_scripts_and_hooks_surround_status() {
    let _alone = alone();
    let host = Host::new();
    let control = "#!/bin/bash\n. \"$OPENSHIFT_CARTRIDGE_SDK_BASH\"\n\
        echo \"control $1 ${FROM_HOOK-}\" >>\"$OPENSHIFT_DATA_DIR/seen\"\n\
        for one in hot_deploy force_clean_build use_npm none; do\n\
        if marker_present $one; then echo \"marker $one\" >>\"$OPENSHIFT_DATA_DIR/seen\"; fi; done\n\
        [[ ! -e $OPENSHIFT_DATA_DIR/ill ]]\n";
    let hook = |word: &str| format!("#!/bin/bash\necho {word} >>\"$OPENSHIFT_DATA_DIR/seen\"\n");
    let (before, after) = (hook("before"), hook("after"));
    let hooks = "template/.openshift/action_hooks";
    let files = [
        ("bin/control", control),
        ("template/.openshift/markers/hot_deploy", ""),
        ("template/.openshift/markers/use_npm", ""),
        (&*format!("{hooks}/pre_status"), &*before),
        (&*format!("{hooks}/post_status"), &*after),
        (&*format!("{hooks}/pre_status_web"), "FROM_HOOK=sourced; export FROM_HOOK\n"),
        (&*format!("{hooks}/post_status_web-1"), "echo since >>\"$OPENSHIFT_DATA_DIR/seen\"\n"),
        (&*format!("{hooks}/pre_status_web-2"), "exit 9\n"),
    ];
    let web = cartridge(&host, "web", "Categories: [web_framework]\n", &files);
    host.must(&["gear", "create", "shop", &web, "--start"]);
    let data = host.home("shop").join("app-root/data");
    let seen = || {
        let text = std::fs::read_to_string(data.join("seen")).unwrap_or_default();
        let _ = std::fs::remove_file(data.join("seen"));
        text
    };
    assert_eq!(seen(), "control start \nmarker hot_deploy\nmarker use_npm\n");
    assert_eq!(host.run(&["gear", "status", "shop"]).0, 0);
    let whole = "before\ncontrol status sourced\nmarker hot_deploy\nmarker use_npm\nsince\nafter\n";
    assert_eq!(seen(), whole);
    // What fails ends it there, as with every action.
    assert_eq!(host.run(&["gear", "exec", "shop", "--", "touch", "app-root/data/ill"]).0, 0);
    assert_ne!(host.run(&["gear", "status", "shop"]).0, 0);
    assert!(seen().ends_with("marker use_npm\n"));
    host.must(&["gear", "destroy", "shop"]);
}

#[test]
fn what_a_manifest_offers_is_shown_with_its_values() {
    let _alone = alone();
    let host = Host::new();
    let more = "Categories: [web_framework]\nDescription: A shop\nLicense: MIT\n\
        Website: https://shop.example/\nHelp-Topics:\n  Guide: https://shop.example/guide\n\
        Install-Build-Required: true\n\
        Cart-Data:\n- Key: username\n  Type: cart_data\n  Description: who may enter\n\
        - Key: OPENSHIFT_SHOP_URL\n  Type: environment\n  Description: where it is\n";
    let install = "#!/bin/bash\n. \"$OPENSHIFT_CARTRIDGE_SDK_BASH\"\ncart_data username=admin\n\
        cart_props 'password=a=b'\nset_app_info 'enter by the door'\n\
        set_env_var OPENSHIFT_SHOP_URL http://shop env\n";
    let package = cartridge(&host, "shop", more, &[("bin/install", install)]);
    host.must(&["install", &package]);
    let (status, said) = host.run(&["info", "shop"]);
    assert_eq!(status, 0, "{said}");
    for words in [
        "A shop",
        "MIT",
        "https://shop.example/",
        "/guide",
        "username",
        "who may enter",
        "where it is",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("Install-Build-Required"), "{said}");
    host.must(&["gear", "create", "mine", "shop"]);
    let (_, said) = host.run(&["gear", "show", "mine"]);
    for words in ["username = admin", "password = a=b", "enter by the door", "who may enter"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("OPENSHIFT_SHOP_URL = http://shop"), "{said}");
    host.must(&["gear", "destroy", "mine"]);
}
