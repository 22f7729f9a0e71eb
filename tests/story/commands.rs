//! A cartridge whose scripts call everything that the guide's authors may call, at both levels of
//! the sandbox: with the host's view changed, and without.

use super::alone;
use super::host::Host;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = "\
Name: caller
Cartridge-Short-Name: CALLER
Cartridge-Vendor: test
Cartridge-Version: '1.0'
Version: '1.5'
Categories: [web_framework]
Endpoints:
- Private-IP-Name: IP
  Private-Port-Name: PORT
  Private-Port: 8080
";

/// Every call is a line of the answers: `name: status: output`.
const SETUP: &str = r#"set -eu
source "$OPENSHIFT_CARTRIDGE_SDK_BASH"
tell() {
    local name=$1 status=0 said
    shift
    said=$("$@" 2>&1 </dev/null) || status=$?
    printf '%s: %s: %s\n' "$name" "$status" "${said%%$'\n'*}" >>"$OPENSHIFT_DATA_DIR/answers"
}
at() { if [ -e /usr/bin/oo-lists-ports ]; then "/usr/$1/$2" "${@:3}"; else "$2" "${@:3}"; fi; }
tell facter facter ipaddress
tell facter-absolute at bin facter ipaddress
tell scl scl enable nodejs010 'echo "$LD_LIBRARY_PATH"'
tell scl-absolute at bin scl enable a b 'echo "$X_SCLS"'
tell scl-words scl enable nodejs010 -- printf '%s-' 'a  b' c
tell scl-nothing scl enable nodejs010
tell cgroup oo-cgroup-read memory.limit_in_bytes
tell registry oo-gear-registry web
tell ports oo-lists-ports
tell quota quota
tell lsof at sbin lsof -P -i "@$OPENSHIFT_CALLER_IP:8080"
tell rhc rhc app show
tell oo-ssh oo-ssh other
tell gear-build gear build
tell gear-unknown gear dance
tell nested bash bin/nested
tell logshifter bash -c 'echo logged | logshifter -tag caller'
tell logshifter-absolute bash -c 'if [ -e /usr/bin/oo-lists-ports ]; then echo absolute | /usr/bin/logshifter -tag caller; fi'
set_env_var OPENSHIFT_CALLER_LIBS "$(scl enable nodejs010 'printenv LD_LIBRARY_PATH')" env
client_result "all was called"
"#;

const CONTROL: &str = r#"#!/bin/bash -eu
echo "$1" >>"$OPENSHIFT_DATA_DIR/actions"
"#;

fn cartridge(host: &Host) -> String {
    host.write("caller/metadata/manifest.yml", MANIFEST, 0o644);
    // Neither a first line nor the bit to execute it.
    host.write("caller/bin/setup", SETUP, 0o644);
    host.write("caller/bin/control", CONTROL, 0o755);
    host.write("caller/bin/nested", "oo-cgroup-read memory.failcnt >/dev/null\necho deep\n", 0o755);
    host.write("caller/template/index.html", "hello\n", 0o644);
    folder(host, "caller")
}

fn folder(host: &Host, name: &str) -> String {
    host.root().parent().unwrap().join(name).display().to_string()
}

fn read(host: &Host, path: &str) -> String {
    let path = host.root().join("var/lib/cartwright/gears/caller").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| format!("{}: {error}", path.display()))
}

/// Creates the gear, and checks what its scripts were answered.
fn call_everything(host: &Host, level: &str, more: &[&str]) {
    host.must(&[&["gear", "create", "caller", &cartridge(host)], more].concat());
    assert_eq!(host.json(&["gear", "show", "caller"])["sandbox"], level);
    let address = host.json(&["gear", "show", "caller"])["endpoints"][0]["address"].clone();
    let address = address.as_str().unwrap();
    let answers = read(host, "app-root/data/answers");
    let answer = |name: &str| {
        let line = answers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no `{name}` in {answers}")).to_owned()
    };
    let ours = format!("0: {address}");
    assert_eq!((answer("facter"), answer("facter-absolute")), (ours.clone(), ours));
    assert_eq!(answer("scl"), "0: /opt/rh/nodejs010/root/usr/lib64");
    assert_eq!(answer("scl-absolute"), "0: a b ");
    assert_eq!(answer("scl-words"), "0: a  b-c-");
    assert!(answer("scl-nothing").starts_with("1: error: scl: "), "{answers}");
    let limit = answer("cgroup");
    assert!(limit.strip_prefix("0: ").unwrap().parse::<u64>().is_ok(), "{limit}");
    let registry = answer("registry");
    assert!(registry.contains(&format!(",{address},8080,linux")), "{registry}");
    assert_eq!((answer("ports").as_str(), answer("lsof").as_str()), ("0: ", "1: "));
    // A host that has the real one is asked itself, and may have nothing to say.
    let is_ours = !Path::new("/usr/bin/quota").exists();
    assert!(!is_ours || answer("quota").contains("Disk quotas for"), "{answers}");
    assert!(answer("rhc").starts_with("1: error: rhc: "), "{answers}");
    assert!(answer("oo-ssh").starts_with("1: error: oo-ssh: "), "{answers}");
    assert_eq!(answer("gear-build"), "255: error: gear: this gear has no repository");
    assert_eq!(answer("gear-unknown"), "255: error: gear: unknown verb `dance`");
    assert_eq!(answer("nested"), "0: deep");
    assert_eq!((answer("logshifter"), answer("logshifter-absolute")), ("0: ".into(), "0: ".into()));
    let logged = read(host, "app-root/logs/caller.log");
    assert_eq!(logged, if level == "plain" { "logged\n" } else { "logged\nabsolute\n" });
    assert_eq!(
        read(host, "caller/env/OPENSHIFT_CALLER_LIBS").trim(),
        "/opt/rh/nodejs010/root/usr/lib64"
    );
    gear_inside(host);
    host.must(&["gear", "destroy", "caller"]);
}

/// `gear` from inside: it changes the gear's own files alone.
fn gear_inside(host: &Host) {
    let exec = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        host.run(&[&["gear", "exec", "caller", "--"], words.as_slice()].concat())
    };
    assert_eq!(exec("gear start"), (0, "Starting gear...\n".into()));
    assert_eq!(read(host, "app-root/runtime/.state"), "started\n");
    assert_eq!(exec("gear restart --cart caller-1.5"), (0, String::new()));
    assert_eq!(exec("gear stop").0, 0);
    assert_eq!(read(host, "app-root/runtime/.state"), "stopped\n");
    assert_eq!(exec("gear status --cart caller"), (0, "ATTR: status=ALREADY_STOPPED\n".into()));
    assert_eq!(read(host, "app-root/data/actions"), "start\nrestart\nstop\nstatus\n");
    let (status, said) = exec("gear deploy master");
    assert_eq!(status, 0, "{said}");
    assert_eq!(read(host, "app-root/runtime/repo/index.html"), "hello\n");
    let (status, said) = exec("gear deployments");
    assert!(
        status == 0 && said.contains(" - master - ") && said.ends_with(" - ACTIVE\n"),
        "{said}"
    );
    assert_eq!(read(host, "app-root/runtime/.state"), "started\n");
}

#[test]
fn scripts_call_everything_with_the_hosts_view_changed() {
    let _alone = alone();
    let host = Host::new();
    if !has_namespaces(&host) {
        println!("SKIP: story::commands_namespaces: no mount namespaces here");
        return;
    }
    call_everything(&host, "namespaces", &[]);
}

#[test]
fn scripts_call_everything_on_the_plain_host() {
    let _alone = alone();
    // The options of the overlay cannot carry a comma, so that this host has no such view.
    let host = Host::called("a,b");
    call_everything(&host, "plain", &[]);
}

#[test]
fn scripts_call_everything_as_accounts_of_their_own() {
    let _alone = alone();
    if !Host::is_root() {
        println!("SKIP: story::commands_account: making accounts needs root");
        return;
    }
    if !Host::lets_accounts_pass() {
        println!("SKIP: story::commands_account: the gear's user cannot reach the program");
        return;
    }
    let host = Host::new();
    let level = if has_namespaces(&host) { "namespaces" } else { "plain" };
    call_everything(&host, level, &["--host-users"]);
    let host = Host::called("a,b");
    call_everything(&host, "plain", &["--host-users"]);
}

/// What a gear of a host like this gets, asked of the program itself.
fn has_namespaces(host: &Host) -> bool {
    let probe =
        host.cartridge("probe", "Version: '1'\nCartridge-Version: '1'\n", ("setup", "true\n"));
    host.must(&["gear", "create", "probe", &probe]);
    let level = host.json(&["gear", "show", "probe"])["sandbox"].clone();
    host.must(&["gear", "destroy", "probe"]);
    level == "namespaces"
}

#[test]
fn ruby_is_the_systems_or_missed_in_words() {
    let _alone = alone();
    let host = Host::new();
    if !Path::new("/usr/bin/ruby").exists() {
        println!("SKIP: story::commands_ruby: this host has no `ruby`");
        return;
    }
    let cartridge = cartridge(&host);
    host.write("caller/bin/install", "#!/usr/bin/oo-ruby -w\nrequire ENV['OPENSHIFT_CARTRIDGE_SDK_RUBY']\ninclude OpenShift::CartridgeSdk\nFile.write(\"#{ENV['OPENSHIFT_DATA_DIR']}/ruby\", primary_cartridge.full_name + primary_cartridge_manifest['Endpoints'][0]['Private-IP-Name'])\n", 0o755);
    host.must(&["gear", "create", "caller", &cartridge]);
    assert_eq!(read(&host, "app-root/data/ruby"), "test-caller-1.5IP");
    let ask = |expression: &str| {
        let script = format!("source $OPENSHIFT_CARTRIDGE_SDK_BASH; ruby_sdk '{expression}'");
        host.run(&["gear", "exec", "caller", "--", "bash", "-euc", &script])
    };
    assert_eq!(ask("primary_cartridge.short_name"), (0, "CALLER\n".into()));
    assert_eq!(ask("latest_deployment_metadata.hot_deploy"), (0, "false\n".into()));
    assert_eq!(ask("get_path_from_elements \"PATH\""), (0, "\n".into()));
    let (status, said) = ask("app_web_to_proxy_ratio_and_colocated_gears");
    assert!(status == 1 && said.contains("no registry"), "{said}");
}

#[test]
fn what_scripts_lack_is_said_with_the_remedy() {
    let _alone = alone();
    let host = Host::new();
    for (text, words) in [
        ("#!/bin/bash\r\ntrue\r\n", "CRLF"),
        ("true\r\n", "CRLF"),
        ("#!/bin/bash\npython2 -c 1\n", "Python 2"),
        ("#!/usr/bin/python2\n", "Python 2"),
        (
            "#!/bin/bash\nno-such-program-of-ours\n",
            "install what provides `no-such-program-of-ours`",
        ),
    ] {
        if words == "Python 2"
            && ["/usr/bin/python2", "/bin/python2"].iter().any(|p| Path::new(p).exists())
        {
            println!("SKIP: story::commands_python: this host has Python 2");
            continue;
        }
        let cartridge =
            host.cartridge("ours", "Version: '1'\nCartridge-Version: '1'\n", ("setup", text));
        let (status, said) = host.run(&["gear", "create", "blog", &cartridge]);
        assert!(status == 1 || status == 9, "{said}");
        assert!(said.contains(words), "{text:?}: {said}");
        assert!(words != "CRLF" || said.contains("bin/setup"), "{said}");
        assert!(!host.has_gear_folder("blog"));
    }
}

/// The commands of the state by their own paths, as a plain user calls them.
fn command(host: &Host, folder: &str, name: &str) -> Command {
    let version = env!("CARGO_PKG_VERSION");
    let place: PathBuf = host.root().join("var/lib/cartwright/lib").join(version).join(folder);
    let mut command = Command::new(place.join(name));
    command.env_clear().env("PATH", "/nonexistent");
    command
}

#[test]
fn commands_keep_the_callers_mask_and_miss_ruby_in_words() {
    let _alone = alone();
    let host = Host::new();
    host.must(&["gear", "create", "caller", &cartridge(&host)]);
    let output = command(&host, "bin", "gear").arg("start").output().unwrap();
    assert_eq!(output.status.code(), Some(254), "outside of any gear");
    let masked = Command::new("/bin/bash")
        .arg("-c")
        .arg("umask 077; \"$1\" enable x umask")
        .arg("x")
        .arg(command(&host, "fallbacks", "scl").get_program())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&masked.stdout), "0077\n");
    let place = host.root().join("var/lib/cartwright/lib").join(env!("CARGO_PKG_VERSION"));
    for name in ["sdk/bash/cartridge_sdk", "sdk/ruby/sdk.rb"] {
        let mode = std::fs::metadata(place.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "every gear reads {name}");
    }
}

#[test]
fn shims_are_links_of_the_host_that_come_and_go() {
    let _alone = alone();
    let host = Host::new();
    assert_eq!(host.run(&["doctor", "--install-shims"]).0, 3, "no folder to put them into");
    host.write("host/usr/bin/facter", "#!/bin/sh\necho theirs\n", 0o755);
    std::fs::create_dir_all(host.root().join("usr/sbin")).unwrap();
    let at = |name: &str| std::fs::read_link(host.root().join("usr").join(name)).ok();
    let plan = &host.json(&["doctor", "--install-shims", "--dry-run"])["plan"];
    assert_eq!(plan["notes"][0], "`/usr/bin/facter` is another program's, and stays");
    assert_eq!(at("bin/gear"), None);
    host.must(&["doctor", "--install-shims"]);
    let program = std::fs::canonicalize(env!("CARGO_BIN_EXE_cart")).unwrap();
    for name in ["bin/logshifter", "bin/oo-erb", "bin/scl", "sbin/lsof"] {
        assert_eq!(at(name).as_ref(), Some(&program), "{name}");
    }
    let facter = std::fs::read_to_string(host.root().join("usr/bin/facter")).unwrap();
    assert!(facter.contains("theirs"));
    host.must(&["undo", &host.last()]);
    assert_eq!(at("bin/gear"), None);
    host.must(&["undo", &host.last()]);
    assert_eq!(at("bin/gear").as_ref(), Some(&program));
    // One that somebody has replaced meanwhile stays.
    std::fs::remove_file(host.root().join("usr/bin/gear")).unwrap();
    host.write("host/usr/bin/gear", "theirs", 0o755);
    assert_eq!(host.run(&["undo", &host.last()]).0, 4);
    host.must(&["doctor", "--remove-shims"]);
    assert!(host.root().join("usr/bin/gear").exists() && at("bin/logshifter").is_none());
    assert!(host.root().join("usr/bin/facter").exists());
}
