//! What a gear is told while it lives, and how it is looked at.

use super::alone;
use super::host::{Host, get};
use std::process::Stdio;
use std::time::Instant;

/// Writes down each action, and keeps a process while it is started.
const CONTROL: &str = r#"#!/bin/bash
echo "$CART_NAME $1" >>"$OPENSHIFT_DATA_DIR/order"
pid=$OPENSHIFT_DATA_DIR/NAME.pid
case $1 in
start) [[ -e $OPENSHIFT_DATA_DIR/refuse ]] && exit 7
    sleep 1000 & echo $! >"$pid" ;;
stop) [[ -f $pid ]] && kill "$(<"$pid")" 2>/dev/null; rm -f "$pid" ;;
restart) "$0" stop; "$0" start ;;
status) [[ -f $pid ]] && kill -0 "$(<"$pid")" ;;
threaddump) echo "CLIENT_RESULT: thread one" ;;
build) touch "$OPENSHIFT_REPO_DIR/built" ;;
broken) exit 3 ;;
esac
"#;

/// A gear `app` with the primary `web` and the plugin `side`, and hooks for each action.
fn gear(host: &Host) {
    let cartridges = [
        ("web", "Categories: [web_framework]\nAdditional-Control-Actions: [threaddump]\n"),
        ("side", "Categories: [plugin]\n"),
    ];
    let mut line = vec!["gear".to_owned(), "create".into(), "app".into()];
    for (name, more) in cartridges {
        let manifest = format!(
            "Name: {name}\nCartridge-Short-Name: {}\nCartridge-Vendor: test\n\
             Cartridge-Version: '1.0'\nVersion: '1'\n{more}",
            name.to_uppercase()
        );
        host.write(&format!("{name}/metadata/manifest.yml"), &manifest, 0o644);
        let control = CONTROL.replace("$CART_NAME", name).replace("NAME", name);
        host.write(&format!("{name}/bin/control"), &control, 0o755);
        line.push(host.place(name));
    }
    for hook in ["pre_restart", "post_restart", "build", "pre_build", "pre_tidy"] {
        let text = format!("#!/bin/bash\necho 'hook {hook}' >>\"$OPENSHIFT_DATA_DIR/order\"\n");
        host.write(&format!("web/template/.openshift/action_hooks/{hook}"), &text, 0o755);
    }
    let sourced = "[[ $OPENSHIFT_GEAR_NAME ]] && echo sourced >>\"$OPENSHIFT_DATA_DIR/order\"\n";
    let name = "web/template/.openshift/action_hooks/pre_restart_web-1";
    host.write(name, sourced, 0o644);
    let words: Vec<&str> = line.iter().map(String::as_str).collect();
    host.must(&words);
}

/// What was called since the last time.
fn order(host: &Host) -> String {
    let path = host.home("app").join("app-root/data/order");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let _ = std::fs::remove_file(path);
    text.trim().replace('\n', ", ")
}

fn is_locked(host: &Host) -> bool {
    host.home("app").join("app-root/runtime/.stop_lock").exists()
}

fn state(host: &Host) -> String {
    let path = host.home("app").join("app-root/runtime/.state");
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

#[test]
fn each_action_calls_secondaries_and_primary_in_order_with_their_hooks() {
    let _alone = alone();
    let host = Host::new();
    gear(&host);
    order(&host);
    // Not started yet.
    assert_eq!(host.run(&["gear", "threaddump", "app"]).0, 4);
    host.must(&["gear", "reload", "app"]);
    assert_eq!(order(&host), "side force-reload, web force-reload");
    host.must(&["gear", "start", "app"]);
    assert_eq!(order(&host), "side start, web start");
    host.must(&["gear", "reload", "app"]);
    assert_eq!(order(&host), "side reload, web reload");
    host.must(&["gear", "restart", "app"]);
    assert_eq!(
        order(&host),
        "hook pre_restart, side restart, side stop, side start, hook post_restart, \
         hook pre_restart, sourced, web restart, web stop, web start, hook post_restart"
    );
    assert_eq!((state(&host).as_str(), is_locked(&host)), ("started", false));
    let (status, said) = host.talk(&["gear", "threaddump", "app"]);
    assert_eq!((status, said.contains("thread one")), (0, true), "{said}");
    assert_eq!(order(&host), "web threaddump");
    assert_eq!(host.run(&["gear", "control", "app", "threaddump", "side"]).0, 4);
    // A build hook comes after control, and there is none before.
    host.must(&["gear", "control", "app", "build", "web"]);
    assert_eq!(order(&host), "web build, hook build");
    assert_eq!(host.run(&["gear", "control", "app", "build", "nobody"]).0, 3);
    assert_eq!(host.run(&["gear", "control", "app", "no-such-action"]).0, 2);
    // A secondary's stop is not the gear's.
    host.must(&["gear", "control", "app", "stop", "side"]);
    assert_eq!((state(&host).as_str(), is_locked(&host)), ("started", false));
    host.must(&["gear", "control", "app", "stop", "web"]);
    assert_eq!((state(&host).as_str(), is_locked(&host)), ("stopped", true));
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn tidy_empties_the_temporary_folder_and_leaves_a_stopped_gear_stopped() {
    let _alone = alone();
    let host = Host::new();
    gear(&host);
    host.must(&["gear", "start", "app"]);
    let scratch = host.home("app").join(".tmp/scratch/file");
    let make =
        "mkdir -p \"$OPENSHIFT_TMP_DIR/scratch\"; echo x >\"$OPENSHIFT_TMP_DIR/scratch/file\"";
    host.must(&["gear", "exec", "app", "--", "bash", "-c", make]);
    order(&host);
    host.must(&["gear", "tidy", "app"]);
    assert_eq!(
        order(&host),
        "web stop, side stop, hook pre_tidy, side tidy, hook pre_tidy, web tidy, \
         side start, web start"
    );
    assert!(!scratch.exists() && host.home("app").join(".tmp").is_dir());
    assert_eq!((state(&host).as_str(), is_locked(&host)), ("started", false));
    let packs = host.home("app").join("git/app.git/objects/pack");
    assert!(std::fs::read_dir(packs).unwrap().count() >= 2, "the repository was packed");
    // A start that fails puts everything back, the temporary folder too.
    host.must(&["gear", "exec", "app", "--", "bash", "-c", make]);
    let refuse = host.home("app").join("app-root/data/refuse");
    for action in ["tidy", "restart"] {
        std::fs::write(&refuse, "").unwrap();
        let (status, said) = host.run(&["gear", action, "app"]);
        // Nothing is stuck: the gear is open, marked as what it should be, and seen as what it is.
        assert_eq!(status, 9, "{action}: {said}");
        for words in ["of the gear `app` did not start again", "status 7", "were put back; but"] {
            assert!(said.contains(words), "{action}: {said}");
        }
        assert!(scratch.exists(), "what was thrown away came back");
        assert_eq!((state(&host).as_str(), is_locked(&host)), ("started", false), "{action}");
        let found = host.json(&["status"])["gears"][0]["found"].clone();
        assert!(action == "restart" || found == "failing", "{action}: {found}");
        let last = host.json(&["history"])["transactions"][0]["state"].clone();
        assert_eq!(last, "undone", "{action}");
        std::fs::remove_file(&refuse).unwrap();
        host.must(&["gear", "start", "app"]);
    }
    host.must(&["gear", "stop", "app"]);
    order(&host);
    host.must(&["gear", "tidy", "app"]);
    assert_eq!(order(&host), "hook pre_tidy, side tidy, hook pre_tidy, web tidy");
    assert_eq!((state(&host).as_str(), is_locked(&host)), ("stopped", true));
    assert!(!scratch.exists());
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn the_host_starts_again_what_it_stopped_and_nothing_else() {
    let _alone = alone();
    let host = Host::new();
    gear(&host);
    host.must(&["gear", "boot", "--all"]);
    assert_eq!(host.processes(), 0, "what was never started is not started");
    host.must(&["gear", "start", "app"]);
    host.must(&["gear", "halt", "--all"]);
    assert_eq!((host.processes(), state(&host).as_str(), is_locked(&host)), (0, "stopped", false));
    host.must(&["gear", "boot", "--all"]);
    assert_eq!((host.processes(), state(&host).as_str()), (2, "started"));
    host.must(&["gear", "stop", "app", "--force"]);
    assert_eq!((host.processes(), state(&host).as_str(), is_locked(&host)), (0, "stopped", true));
    order(&host);
    host.must(&["gear", "boot", "--all"]);
    assert_eq!((host.processes(), order(&host).as_str()), (0, ""), "its user has stopped it");
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_shell_and_the_logs_show_the_gear_from_inside() {
    let _alone = alone();
    let host = Host::new();
    gear(&host);
    let mut shell = host.command(&["gear", "shell", "app"]).stdin(Stdio::piped()).spawn().unwrap();
    let commands = "echo \"I am $OPENSHIFT_GEAR_NAME\"; grep NoNewPrivs /proc/self/status\n\
                    for n in 1 2 3; do echo \"line $n\"; done >$OPENSHIFT_LOG_DIR/web.log\n\
                    echo before >$OPENSHIFT_LOG_DIR/web.log.1; exit 5\n";
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), commands.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("I am app") && said.contains("NoNewPrivs:\t1"), "{said}");
    let (_, now) = host.run(&["gear", "logs", "app", "-n", "2"]);
    assert!(now.contains("line 3") && !now.contains("line 1") && !now.contains("before"), "{now}");
    let (_, before) = host.run(&["gear", "logs", "app", "--previous"]);
    assert!(before.contains("before") && !before.contains("line"), "{before}");
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_start_after_which_nothing_listens_is_told_with_the_log() {
    let _alone = alone();
    let host = Host::new();
    let more = "Cartridge-Version: '1.0'\nVersion: '1'\nEndpoints:\n- Private-IP-Name: IP\n  \
                Private-Port-Name: PORT\n  Private-Port: 8080\n";
    let control = "#!/bin/bash\n[[ $1 == start ]] && echo 'cannot open the book' \
                   >>\"$OPENSHIFT_LOG_DIR/ours.log\"\nexit 0\n";
    let folder = host.cartridge("silent", more, ("control", control));
    let began = Instant::now();
    let (status, said) = host.talk(&["gear", "create", "quiet", &folder, "--start"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("nothing listens") && said.contains("cannot open the book"), "{said}");
    assert!(began.elapsed().as_secs() < 9, "a gear without processes is not waited for");
    let told = host.json(&["status"]);
    assert_eq!(told["gears"][0]["found"], "failing");
    assert_eq!(told["gears"][0]["endpoints"][0]["listens"], false);
    host.must(&["gear", "destroy", "quiet"]);
}

/// Twenty in each run; two hundred when they are asked for.
#[test]
fn gears_made_at_the_same_time_find_places_of_their_own() {
    let _alone = alone();
    let host = Host::new();
    host.must(&["install", "static-web"]);
    let names: Vec<String> = (0..6).map(|number| format!("web{number}")).collect();
    let begun: Vec<_> = names
        .iter()
        .map(|name| host.command(&["gear", "create", name, "static-web"]).spawn().unwrap())
        .collect();
    for child in begun {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    }
    let addresses: std::collections::BTreeSet<String> = names
        .iter()
        .map(|name| host.json(&["gear", "show", name])["endpoints"][0]["address"].to_string())
        .collect();
    assert_eq!(addresses.len(), names.len(), "{addresses:?}");
}

fn side_by_side(count: usize) {
    let host = Host::new();
    host.must(&["install", "static-web"]);
    for number in 0..count {
        host.must(&["gear", "create", &format!("web{number}"), "static-web"]);
    }
    let timed = |line: &[&str]| {
        let began = Instant::now();
        host.must(line);
        println!("side by side: {count} gears: {}: {:?}", line.join(" "), began.elapsed());
    };
    timed(&["gear", "start", "--all", "-j", "4"]);
    timed(&["gear", "list"]);
    timed(&["status"]);
    let told = host.json(&["status"]);
    let gears = told["gears"].as_array().unwrap();
    assert_eq!(gears.len(), count);
    for gear in gears {
        assert_eq!(gear["found"], "running", "{gear}");
        assert!(gear["memory"].as_u64().unwrap() > 0 && gear["since"].is_string(), "{gear}");
        let address = gear["endpoints"][0]["address"].as_str().unwrap();
        assert!(get(address, 8080).unwrap().starts_with("HTTP/1.1 200"));
    }
    let answer = host.json(&["gear", "restart", "--all"]);
    let answers = answer["gears"].as_array().unwrap();
    assert!(answers.iter().all(|one| one["exit"] == 0 && one["answer"]["changed"] == true));
    timed(&["gear", "stop", "--all", "-j", "4"]);
    assert_eq!(host.processes(), 0);
    assert_eq!(host.json(&["status"])["gears"][0]["found"], "stopped");
}

#[test]
fn twenty_gears_live_side_by_side() {
    let _alone = alone();
    side_by_side(20);
}

#[test]
#[ignore = "takes minutes: `cargo test --test story -- --ignored two_hundred`"]
fn two_hundred_gears_live_side_by_side() {
    let _alone = alone();
    side_by_side(200);
}

#[test]
fn systemd_understands_the_unit_that_starts_gears() {
    let host = Host::new();
    host.must(&["doctor", "--install-unit"]);
    let unit = host.root().join("etc/systemd/system/cartwright-gears.service");
    let text = std::fs::read_to_string(&unit).unwrap();
    assert!(text.contains("gear boot --all") && text.contains("gear halt --all"), "{text}");
    let mut verify = std::process::Command::new("systemd-analyze");
    match verify.arg("verify").arg("--man=no").arg(&unit).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success() && !said.contains("cartwright-gears"), "{said}");
        }
        Err(error) => {
            println!("SKIP: story::systemd_understands_the_unit: systemd-analyze: {error}");
        }
    }
    // A second time there is nothing to do; somebody else's unit stays.
    host.must(&["doctor", "--install-unit"]);
    host.must(&["doctor", "--remove-unit"]);
    assert!(!unit.exists());
    std::fs::write(&unit, "[Unit]\n").unwrap();
    assert_eq!(host.run(&["doctor", "--install-unit"]).0, 4);
    assert_eq!(std::fs::read_to_string(&unit).unwrap(), "[Unit]\n");
}
