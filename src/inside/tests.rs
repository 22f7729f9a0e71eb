//! The commands, each as a cartridge calls it. Those that become other programs are called through
//! the real binary, in `tests/story`.

use super::{Call, Refused, is_command, run};
use crate::gear::sdk::{COMMANDS, FALLBACK_COMMANDS, STAND_INS};
use crate::sys::fs::Dir;
use std::collections::BTreeMap;
use std::ffi::OsString;

struct Gear {
    temp: tempfile::TempDir,
    dir: Dir,
    variables: BTreeMap<OsString, OsString>,
}

impl Gear {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dirs("app-root/runtime", 0o755).unwrap();
        for part in ["repo", "dependencies", "build-dependencies"] {
            let link = format!("app-root/runtime/{part}");
            dir.make_link(link, format!("../../app-deployments/first/{part}")).unwrap();
        }
        dir.make_dir(".env", 0o755).unwrap();
        let mut gear = Self { temp, dir, variables: BTreeMap::new() };
        let home = format!("{}/", gear.temp.path().display());
        gear.set("OPENSHIFT_HOMEDIR", &home);
        gear.set("OPENSHIFT_PRIMARY_CARTRIDGE_DIR", &format!("{home}web/"));
        gear.set("PATH", "/usr/bin:/bin");
        gear.cartridge("web", "WEB", "[web_framework]");
        gear.cartridge("aaa", "AAA", "[service]");
        gear
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }

    fn cartridge(&self, dir: &str, short: &str, categories: &str) {
        for folder in ["metadata", "env", "bin"] {
            self.dir.make_dirs(format!("{dir}/{folder}"), 0o755).unwrap();
        }
        let manifest = format!("Name: {dir}\nCategories: {categories}\n");
        self.dir
            .write_new(format!("{dir}/metadata/manifest.yml"), manifest.as_bytes(), 0o644)
            .unwrap();
        let ident = format!("{dir}/env/OPENSHIFT_{short}_IDENT");
        self.dir.write_new(ident, format!("test:{dir}:1.5:0.1").as_bytes(), 0o644).unwrap();
        let control = "echo \"$1 ${PWD##*/}\" >>../calls; [ ! -e fail ]\n";
        self.dir.write_new(format!("{dir}/bin/control"), control.as_bytes(), 0o644).unwrap();
    }

    fn call(&self, line: &str) -> Result<(u8, String), Refused> {
        let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
        let (name, arguments) = words.split_first().unwrap();
        let mut out = Vec::new();
        let name = name.to_str().unwrap();
        let mut call = Call { name, arguments, variables: &self.variables, out: &mut out };
        let status = run(&mut call)?;
        Ok((status, String::from_utf8(out).unwrap()))
    }

    fn said(&self, line: &str) -> String {
        let (status, said) = self.call(line).unwrap();
        assert_eq!(status, 0, "{line}: {said}");
        said
    }

    fn calls(&self) -> String {
        let calls = self.dir.read("calls", 1 << 16).map(|all| String::from_utf8(all).unwrap());
        self.dir.remove_file("calls").unwrap();
        calls.unwrap_or_default().replace('\n', ";")
    }

    fn state(&self) -> (String, bool) {
        let state = self.dir.read("app-root/runtime/.state", 99).unwrap_or_default();
        let state = String::from_utf8(state).unwrap().trim().to_owned();
        (state, self.dir.has("app-root/runtime/.stop_lock").unwrap())
    }
}

#[test]
fn gear_starts_secondaries_first_and_keeps_the_state_as_the_original() {
    let gear = Gear::new();
    assert_eq!(gear.said("gear start"), "Starting gear...\n");
    assert_eq!(
        (gear.calls().as_str(), gear.state()),
        ("start aaa;start web;", ("started".into(), false))
    );
    gear.said("gear stop --cart aaa");
    assert_eq!((gear.calls().as_str(), gear.state()), ("stop aaa;", ("started".into(), false)));
    assert_eq!(gear.said("gear stop"), "Stopping gear...\n");
    assert_eq!(
        (gear.calls().as_str(), gear.state()),
        ("stop aaa;stop web;", ("stopped".into(), true))
    );
    assert_eq!(gear.said("gear status --cart web"), "ATTR: status=ALREADY_STOPPED\n");
    gear.said("gear reload --cart web-1.5");
    gear.said("gear restart --cart web");
    gear.said("gear reload --cart web");
    assert_eq!(gear.calls(), "status web;force-reload web;restart web;reload web;");
    assert_eq!(gear.state(), ("started".into(), false), "restarting lifts the stop");
    let json: serde_json::Value =
        serde_json::from_str(&gear.said("gear restart --all-cartridges --as-json")).unwrap();
    assert_eq!(json["status"], "success");
    assert_eq!(gear.calls(), "restart aaa;restart web;");
}

#[test]
fn gear_leaves_the_web_proxy_running_when_it_is_told_to() {
    let gear = Gear::new();
    gear.cartridge("proxy", "PROXY", "[web_proxy]");
    gear.said("gear stop --exclude-web-proxy --conditional --git-ref master");
    assert_eq!(gear.calls(), "stop aaa;stop web;");
}

#[test]
fn gear_fails_as_the_original_and_status_never() {
    let gear = Gear::new();
    gear.dir.write_new("aaa/fail", b"", 0o644).unwrap();
    let refused = gear.call("gear start").unwrap_err();
    assert_eq!(refused.status, 255);
    assert!(refused.failure.summary.contains("Failed to execute: 'control start' for"));
    assert_eq!(gear.calls(), "start aaa;", "what follows is skipped");
    assert!(gear.said("gear status --cart aaa").contains("ERROR: Non-zero exitcode"));
    for (line, words) in [
        ("gear reload", "--cart"),
        ("gear stop --cart none", "`none`"),
        ("gear build", "no repository"),
    ] {
        let refused = gear.call(line).unwrap_err();
        assert_eq!(refused.status, 255, "{line}");
        assert!(refused.failure.summary.contains(words), "{line}: {}", refused.failure.summary);
    }
    let mut outside = Gear::new();
    outside.set("OPENSHIFT_HOMEDIR", "/usr");
    assert_eq!(outside.call("gear start").unwrap_err().status, 254);
}

#[test]
fn hooks_of_the_developer_stand_around_and_the_environment_is_read_anew() {
    let mut gear = Gear::new();
    gear.dir.make_dirs("app-deployments/first/repo/.openshift/action_hooks", 0o755).unwrap();
    let hook = |name: &str, text: &str, mode: u32| {
        let path = format!("app-deployments/first/repo/.openshift/action_hooks/{name}");
        gear.dir.write_new(&path, text.as_bytes(), mode).unwrap();
        gear.dir.set_mode(&path, mode).unwrap();
    };
    hook("pre_start", "#!/bin/bash\necho before >>calls\n", 0o755);
    hook("pre_start_web", "export FROM_HOOK=sourced\n", 0o644);
    hook("post_start", "#!/bin/bash\n", 0o644);
    let control = "echo \"$FROM_HOOK $FRESH $PATH\" >>../calls\n";
    gear.dir.replace_file("web/bin/control", control.as_bytes(), 0o644).unwrap();
    gear.dir.write_new("web/env/FRESH", b"new\n", 0o644).unwrap();
    gear.dir.write_new("web/env/OPENSHIFT_WEB_PATH_ELEMENT", b"/web", 0o644).unwrap();
    gear.set("FRESH", "stale");
    gear.set("OPENSHIFT_CARTRIDGE_SDK_BASH", "/lib/1/sdk/bash/cartridge_sdk");
    gear.set("PATH", "/web:/lib/1/bin:/usr/bin:/bin:/lib/1/fallbacks");
    let said = gear.said("gear start --cart web");
    assert!(said.contains("NOTE: the hook") && said.contains("not executable"), "{said}");
    let path = "/web:/lib/1/bin:/usr/bin:/bin:/lib/1/fallbacks";
    assert_eq!(gear.calls(), format!("before;sourced new {path};"));
}

#[test]
fn facts_are_the_gears() {
    let mut gear = Gear::new();
    assert_eq!(gear.said("facter ipaddress"), "127.0.0.1\n");
    gear.set("OPENSHIFT_AAA_DB_IP", "127.0.0.9");
    assert_eq!(gear.said("facter ipaddress"), "127.0.0.9\n");
    gear.set("OPENSHIFT_WEB_IP", "127.1.2.3");
    gear.set("OPENSHIFT_GEAR_DNS", "blog-me.example.org");
    assert_eq!(gear.said("facter ipaddress"), "127.1.2.3\n", "the primary's comes first");
    assert_eq!(gear.said("facter hostname"), "blog-me\n");
    assert_eq!(
        gear.said("facter fqdn domain"),
        "fqdn => blog-me.example.org\ndomain => example.org\n"
    );
    assert_eq!(gear.said("facter no_such_fact"), "\n");
    assert!(gear.said("facter -p").contains("kernel => Linux\n"));
    assert!(gear.call("facter --puppet").is_err());
}

#[test]
fn limits_have_their_old_names() {
    let mut gear = Gear::new();
    gear.set("OPENSHIFT_GEAR_MEMORY_MB", "512");
    assert_eq!(gear.said("oo-cgroup-read memory.limit_in_bytes"), "536870912\n");
    let used = gear.said("oo-cgroup-read memory.usage_in_bytes");
    assert!(used.trim().parse::<u64>().unwrap() > 0, "{used}");
    assert_eq!(
        gear.call("oo-cgroup-read none").unwrap(),
        (2, "Could not find attribute none\n".into())
    );
    assert_eq!(gear.call("oo-cgroup-read ../x").unwrap().0, 1);
}

#[test]
fn without_a_registry_the_application_is_this_gear() {
    let mut gear = Gear::new();
    for (name, value) in [
        ("GEAR_UUID", "g1"),
        ("NAMESPACE", "me"),
        ("GEAR_DNS", "a-me.b"),
        ("WEB_IP", "127.0.0.3"),
        ("WEB_PORT", "8080"),
        ("WEB_PROXY_PORT", "9"),
    ] {
        gear.set(&format!("OPENSHIFT_{name}"), value);
    }
    assert_eq!(gear.said("oo-gear-registry web"), "g1,me,a-me.b,127.0.0.3,8080,linux\n");
    assert_eq!(gear.said("oo-gear-registry proxy"), "");
    gear.dir.make_dir("gear-registry", 0o755).unwrap();
    let registry = br#"{"web":{"u1":{"namespace":"n","dns":"d","proxy_hostname":"h","proxy_port":"1"}},
        "proxy":{"u2":{"namespace":"n","dns":"e","proxy_hostname":"i","proxy_port":2,"platform":"linux"}}}"#;
    gear.dir.write_new("gear-registry/gear-registry.json", registry, 0o644).unwrap();
    assert_eq!(gear.said("oo-gear-registry all"), "u1,n,d,h,1,\nu2,n,e,i,2,linux\n");
    assert_eq!(gear.call("oo-gear-registry").unwrap_err().status, 255);
}

#[test]
fn listeners_are_found_by_what_cartridges_ask() {
    let mut gear = Gear::new();
    // No `lsof` of the host here: its own is what is tested.
    gear.set("PATH", "/nonexistent");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    gear.set("OPENSHIFT_WEB_IP", "127.0.0.1");
    let ports = gear.said("oo-lists-ports");
    assert!(ports.contains(&format!(" -> 127.0.0.1:{port}\n")), "{ports}");
    let choice = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        super::lsof::look(&words).unwrap()
    };
    let id = std::process::id().to_string();
    for line in [
        format!("-P @127.0.0.1:{port}"),
        format!("-nP -iTCP@127.0.0.1:{port} -sTCP:LISTEN"),
        format!("-i :{port}"),
        format!("-w -a -i 4tcp:1-65535 -p {id}"),
    ] {
        let lines = choice(&line);
        let name = format!("TCP 127.0.0.1:{port} (LISTEN)");
        assert!(lines.iter().any(|one| one.ends_with(&name)), "{line}: {lines:?}");
    }
    assert_eq!(choice(&format!("-ti:{port}")), [id.as_str()]);
    assert!(choice(&format!("-t -i udp:{port}")).is_empty());
    assert!(choice(&format!("-ti@127.0.0.2:{port}")).is_empty());
    for bad in ["/some/file", "-F", "-i x", "", "-p x"] {
        let words: Vec<String> = bad.split_whitespace().map(str::to_owned).collect();
        assert_eq!(super::lsof::look(&words).unwrap_err().status, 1, "{bad}");
    }
}

#[test]
fn what_has_no_counterpart_is_refused_in_words() {
    let gear = Gear::new();
    for line in ["rhc app show", "oo-ssh host"] {
        let refused = gear.call(line).unwrap_err();
        assert_eq!((refused.status, refused.failure.hints.len()), (1, 1), "{line}");
    }
    assert!(
        COMMANDS.iter().chain(&FALLBACK_COMMANDS).chain(&STAND_INS).all(|name| is_command(name))
    );
    assert!(!is_command("cart"));
}
