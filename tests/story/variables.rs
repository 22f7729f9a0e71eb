//! Variables and what scripts say: those that users set, those of the platform, those of the whole
//! domain, and the platform's protocol, with the real program.

use crate::alone;
use crate::host::Host;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// A cartridge whose `install` does what `script` says.
fn cartridge(host: &Host, folder: &str, script: &str) -> String {
    let more = "Version: '1'\nCartridge-Version: '1.0'\n";
    host.cartridge(folder, more, ("install", &format!("#!/bin/bash\n{script}\n")))
}

/// A variable as a command in the gear sees it.
fn seen(host: &Host, gear: &str, name: &str) -> Option<String> {
    let (status, said) = host.run(&["gear", "exec", gear, "--", "printenv", name]);
    (status == 0).then(|| said.trim_end_matches('\n').to_owned())
}

fn home(host: &Host, gear: &str) -> std::path::PathBuf {
    host.root().join("var/lib/cartwright/gears").join(gear)
}

#[test]
fn users_set_variables_of_a_gear_within_limits() {
    let _alone = alone();
    let host = Host::new();
    let package = cartridge(&host, "ours", "echo -n ours >env/COLOUR; echo -n ours >env/OWN");
    host.must(&["gear", "create", "blog", &package]);
    assert_eq!(seen(&host, "blog", "COLOUR").as_deref(), Some("ours"));
    host.must(&["gear", "env", "set", "blog", "COLOUR=blue=sky", "SIZE=10"]);
    assert_eq!(seen(&host, "blog", "COLOUR").as_deref(), Some("blue=sky"), "over a cartridge's");
    let file = home(&host, "blog").join(".env/user_vars/COLOUR");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o440);
    let set = host.last();
    // Nothing is written when one of several is refused.
    for (refused, status) in [
        ("PATH=/evil", 5),
        ("OPENSHIFT_DATA_DIR=/x", 5),
        ("OPENSHIFT_OURS_IDENT=x", 5),
        ("no-name=x", 2),
        ("../../evil=x", 2),
    ] {
        let (told, said) = host.run(&["gear", "env", "set", "blog", "NEW=x", refused]);
        assert_eq!(told, status, "{refused}: {said}");
    }
    let long = format!("NEW={}", "x".repeat(513));
    assert_eq!(host.run(&["gear", "env", "set", "blog", &long]).0, 2);
    let list = host.json(&["gear", "env", "list", "blog"]);
    assert_eq!(list["variables"], json!({"COLOUR": "blue=sky", "SIZE": "10"}));
    host.must(&["gear", "env", "set", "blog", "OPENSHIFT_SECRET_TOKEN=mine"]);
    assert_eq!(seen(&host, "blog", "OPENSHIFT_SECRET_TOKEN").as_deref(), Some("mine"));
    // The values are in no history.
    let history = host.json(&["history", &set])["transaction"]["command"].to_string();
    assert!(history.contains("COLOUR=…") && !history.contains("sky"), "{history}");
    host.must(&["gear", "env", "unset", "blog", "SIZE", "NONE"]);
    assert_eq!(seen(&host, "blog", "SIZE"), None);
    host.must(&["undo", &host.last()]);
    assert_eq!(seen(&host, "blog", "SIZE").as_deref(), Some("10"));
    host.must(&["undo", &set]);
    assert_eq!(seen(&host, "blog", "COLOUR").as_deref(), Some("ours"));
    assert!(!file.exists());
    let many: Vec<String> = (0..49).map(|number| format!("V{number}=x")).collect();
    let mut line = vec!["gear", "env", "set", "blog"];
    line.extend(many.iter().map(String::as_str));
    host.must(&line);
    host.must(&["gear", "env", "set", "blog", "V48=changed"]);
    assert_eq!(host.run(&["gear", "env", "set", "blog", "V49=one too many"]).0, 5);
    host.must(&["verify"]);
    host.must(&["gear", "env", "set", "blog", "V1=y", "--dry-run"]);
    assert_eq!(seen(&host, "blog", "V1").as_deref(), Some("x"));
    // What was changed since is not undone.
    let before = host.last();
    host.must(&["gear", "env", "set", "blog", "V48=again"]);
    assert_eq!(host.run(&["undo", &before]).0, 4);
}

#[test]
fn every_variable_tells_its_origin_and_the_platforms_can_be_changed() {
    let _alone = alone();
    let host = Host::new();
    host.node_variable("NODE_WIDE", "node\n");
    let package = cartridge(&host, "ours", "echo -n ours >env/OWN");
    host.must(&["gear", "create", "blog", &package]);
    host.must(&["env", "set", "SHARED=a=b"]);
    host.must(&["gear", "env", "set", "blog", "--platform", "OPENSHIFT_KEEP_DEPLOYMENTS=3"]);
    host.must(&["gear", "env", "set", "blog", "MINE=1"]);
    let answer = host.json(&["gear", "env", "show-origin", "blog"]);
    let home = home(&host, "blog");
    let origin = |name: &str| -> String {
        let all = answer["variables"].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == name).unwrap();
        one["origin"].as_str().unwrap().to_owned()
    };
    assert!(origin("NODE_WIDE").ends_with("etc/cartwright/env/NODE_WIDE"));
    assert_eq!(origin("OWN"), home.join("ours/env/OWN").display().to_string());
    assert_eq!(origin("MINE"), home.join(".env/user_vars/MINE").display().to_string());
    assert_eq!(origin("SHARED"), "domain, from administrator");
    assert_eq!((origin("PATH"), origin("USER")), ("computed".to_owned(), "cart".to_owned()));
    let list = host.json(&["gear", "env", "list", "blog", "--platform"]);
    assert_eq!(list["variables"]["OPENSHIFT_KEEP_DEPLOYMENTS"], "3");
    host.must(&["gear", "env", "show-origin", "blog", "--cartridge", "ours"]);
    assert_eq!(host.run(&["gear", "env", "show-origin", "blog", "--cartridge", "none"]).0, 3);
    assert_eq!(host.run(&["gear", "env", "list", "none"]).0, 3);
    // A folder of the platform is no variable.
    assert_eq!(host.run(&["gear", "env", "set", "blog", "--platform", "user_vars=x"]).0, 4);
    assert!(home.join(".env/user_vars/MINE").is_file());
}

#[test]
fn the_originals_commands_write_into_one_gears_folder() {
    let _alone = alone();
    let host = Host::new();
    let package = cartridge(&host, "ours", "");
    host.must(&["gear", "create", "blog", &package]);
    let uuid = host.json(&["gear", "show", "blog"])["uuid"].as_str().unwrap().to_owned();
    let link = host.root().join("oo-env-var-add");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cart"), &link).unwrap();
    let mut add = Command::new(link);
    add.env("CART_ROOT", host.root()).args(["--with-app-uuid", &uuid]);
    add.args(["--with-container-uuid", &uuid, "--with-key", "K", "--with-value", "a=b"]);
    let output = add.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_to_string(home(&host, "blog").join(".env/K")).unwrap(), "a=b");
    assert_eq!(seen(&host, "blog", "K").as_deref(), Some("a=b"));
    let history = host.json(&["history", &host.last()])["transaction"]["command"].to_string();
    assert!(!history.contains("a=b"), "{history}");
    let remove = ["oo-env-var-remove", "--with-app-name", "blog", "--with-key", "K"];
    host.must(&remove);
    assert_eq!(seen(&host, "blog", "K"), None);
    host.must(&remove);
    assert_eq!(host.run(&["oo-env-var-remove", "-c", "g000", "--with-key", "K"]).0, 3);
    host.must(&["undo", &host.last()]);
    assert_eq!(seen(&host, "blog", "K").as_deref(), Some("a=b"));
}

#[test]
fn variables_of_the_domain_reach_every_gear_also_later_ones() {
    let _alone = alone();
    let host = Host::new();
    let plain = cartridge(&host, "ours", "");
    host.must(&["env", "set", "COLOUR=red", "URL=http://x/?a=b&c=d"]);
    host.must(&["gear", "create", "one", &plain]);
    assert_eq!(seen(&host, "one", "URL").as_deref(), Some("http://x/?a=b&c=d"));
    let publisher = cartridge(
        &host,
        "theirs",
        ". \"$OPENSHIFT_CARTRIDGE_SDK_BASH\"\nadd_domain_env_var 'COLOUR=blue=sky'\n\
         add_domain_env_var_unique URL=other\nremove_env_var NONE\n\
         echo 'ENV_VAR_ADD: LD_PRELOAD=/evil.so'",
    );
    host.must(&["gear", "create", "two", &publisher]);
    let created = host.last();
    assert_eq!(seen(&host, "one", "COLOUR").as_deref(), Some("blue=sky"));
    assert_eq!(seen(&host, "one", "LD_PRELOAD"), None);
    let list = host.json(&["env", "list"]);
    assert_eq!(
        list["variables"],
        json!([
            {"name": "COLOUR", "value": "blue=sky", "publisher": "two/ours"},
            {"name": "URL", "value": "http://x/?a=b&c=d", "publisher": "administrator"},
        ])
    );
    // A user cannot override what is the platform's now.
    assert_eq!(host.run(&["gear", "env", "set", "one", "COLOUR=mine"]).0, 5);
    host.must(&["env", "unset", "COLOUR"]);
    assert_eq!(seen(&host, "one", "COLOUR"), None);
    host.must(&["undo", &host.last()]);
    let undoing = host.last();
    assert_eq!(seen(&host, "one", "COLOUR").as_deref(), Some("blue=sky"));
    host.must(&["undo", &undoing]);
    assert_eq!(seen(&host, "one", "COLOUR"), None, "the undoing was undone");
    host.must(&["undo", &host.last()]);
    // Undoing the creation takes its rows back, and what they had covered is seen again.
    host.must(&["undo", &created]);
    assert_eq!(seen(&host, "one", "COLOUR").as_deref(), Some("red"));
    assert_eq!(host.json(&["gear", "list"])["gears"].as_array().unwrap().len(), 1);
    host.must(&["undo", &host.last()]);
    assert_eq!(seen(&host, "two", "COLOUR").as_deref(), Some("blue=sky"));
    host.must(&["verify"]);
    for (refused, status) in [("LD_PRELOAD=x", 5), ("PATH=x", 5), ("1=x", 2)] {
        assert_eq!(host.run(&["env", "set", refused]).0, status, "{refused}");
    }
}

#[test]
fn a_failed_script_publishes_nothing_and_says_why() {
    let _alone = alone();
    let host = Host::new();
    let failing = cartridge(
        &host,
        "ours",
        "echo 'ENV_VAR_ADD: LEAKED=1'\necho 'CART_DATA: k=v'\necho working\n\
         echo 'CLIENT_ERROR: the disk is full' >&2\necho 'CLIENT_ERROR: call somebody'\nexit 3",
    );
    let output = host.command(&["gear", "create", "blog", &failing, "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(9));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let causes = answer["error"].to_string();
    assert!(causes.contains("exited with status 3 (code 157)"), "{causes}");
    for words in ["\"working\"", "\"the disk is full\"", "\"call somebody\""] {
        assert!(causes.contains(words), "{words}: {causes}");
    }
    assert_eq!(host.json(&["env", "list"])["variables"], json!([]));
    assert!(!host.has_gear_folder("blog"));
}

#[test]
fn what_cartridges_say_is_shown_and_kept() {
    let _alone = alone();
    let host = Host::new();
    let talking = cartridge(
        &host,
        "ours",
        ". \"$OPENSHIFT_CARTRIDGE_SDK_BASH\"\nclient_message 'one message'\n\
         client_result 'one result'\nclient_error 'one error'\nclient_debug 'one detail'\n\
         cart_data user=admin\ncart_data 'token=a=b'\ncart_props size=10\nsend_attr colour=blue\n\
         set_app_info 'about this'\nhead -c 100000 /dev/urandom\necho\n\
         yes 'garbage = where: values should be' | head -n 50000\necho 'CART_DATA: last=1'",
    );
    let output = host.command(&["gear", "create", "blog", &talking, "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["messages"], json!(["one message"]));
    assert_eq!(answer["results"], json!(["one result"]));
    assert_eq!(answer["errors"], json!(["one error"]));
    let cartridge = &host.json(&["gear", "show", "blog"])["cartridges"][0];
    assert_eq!(cartridge["cart_data"], json!({"user": "admin", "token": "a=b", "last": "1"}));
    assert_eq!(cartridge["cart_properties"], json!({"size": "10"}));
    assert_eq!(cartridge["attributes"], json!({"colour": "blue"}));
    assert_eq!(cartridge["app_info"], "about this");
    let (_, text) = host.run(&["gear", "show", "blog"]);
    assert!(text.contains("user = admin") && text.contains("about this"), "{text}");
    host.must(&["gear", "destroy", "blog"]);
    host.must(&["undo", &host.last()]);
    let cartridge = &host.json(&["gear", "show", "blog"])["cartridges"][0];
    assert_eq!(cartridge["cart_data"]["user"], "admin", "it came back with its data");
}

#[test]
fn variables_that_a_script_writes_are_there_for_the_next() {
    let _alone = alone();
    let host = Host::new();
    let package = cartridge(&host, "ours", "echo -n \"from $STAGE\" >env/RESULT");
    host.write("ours/bin/setup", "#!/bin/bash\necho -n setup >env/STAGE\n", 0o755);
    host.write(
        "ours/bin/control",
        "#!/bin/bash\necho -n \"$RESULT, $COLOUR\" >\"$OPENSHIFT_DATA_DIR/$1\"\n",
        0o755,
    );
    host.must(&["gear", "create", "blog", &package]);
    host.must(&["gear", "env", "set", "blog", "COLOUR=blue"]);
    host.must(&["gear", "start", "blog"]);
    let told = std::fs::read_to_string(home(&host, "blog").join("app-root/data/start")).unwrap();
    assert_eq!(told, "from setup, blue");
}

#[test]
fn a_script_removes_a_variable_from_its_gear_and_undoing_brings_it_back() {
    let _alone = alone();
    let host = Host::new();
    let package = cartridge(&host, "ours", "");
    host.write(
        "ours/bin/control",
        "#!/bin/bash\n. \"$OPENSHIFT_CARTRIDGE_SDK_BASH\"\n\
         if [ \"$1\" = start ]; then app_remove_env_var LOOSE; app_remove_env_var HOME; fi\n",
        0o755,
    );
    host.must(&["gear", "create", "blog", &package]);
    host.must(&["gear", "env", "set", "blog", "--platform", "LOOSE=1"]);
    host.must(&["gear", "start", "blog"]);
    assert_eq!(seen(&host, "blog", "LOOSE"), None);
    assert!(seen(&host, "blog", "HOME").is_some(), "no gear can do without it");
    host.must(&["undo", &host.last()]);
    assert_eq!(seen(&host, "blog", "LOOSE").as_deref(), Some("1"));
    assert_eq!(host.json(&["gear", "show", "blog"])["state"], "stopped");
}

#[test]
fn a_gear_whose_cartridge_writes_far_too_much_can_still_be_stopped() {
    let _alone = alone();
    let host = Host::new();
    let script = "for number in {1..40}; do head -c 100000 /dev/zero | tr '\\0' x >env/V$number; done\n\
                  head -c 3000 /dev/urandom >env/NOISE; mkdir env/FOLDER; ln -s /etc/shadow env/LINK";
    let package = cartridge(&host, "ours", script);
    host.must(&["gear", "create", "blog", &package, "--start"]);
    assert_eq!(seen(&host, "blog", "LINK"), None);
    host.must(&["gear", "stop", "blog"]);
    host.must(&["gear", "destroy", "blog"]);
}
