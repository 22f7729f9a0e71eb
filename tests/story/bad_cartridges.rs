//! Cartridges that do what they should not: each gets a clear answer with its script's last words,
//! and the host stays as it was.

use crate::alone;
use crate::host::Host;
use std::net::TcpListener;
use std::time::{Duration, Instant};

const ONE: &str = "Cartridge-Version: '1.0'\nVersion: '1'\n";

/// Lets `bin/<script>` be `text` in a gear that is created and started, which must fail with `words`
/// and leave nothing behind. A gear that was there before goes on.
fn refused(host: &Host, (script, text): (&str, &str), words: &[&str]) {
    let folder = bad(host, (script, text));
    let before = (host.tree(), host.processes());
    let (status, said) = host.run(&["gear", "create", "x", &folder, "--start"]);
    assert!(status == 1 || status == 9, "{script}: {status}: {said}");
    for word in words {
        assert!(said.contains(word), "`{word}`: {said}");
    }
    assert_eq!((host.tree(), host.processes()), before, "{said}");
    assert_eq!(host.run(&["gear", "show", "x"]).0, 3, "{said}");
    let last = host.json(&["history"])["transactions"][0]["state"].clone();
    assert_ne!(last, "stuck", "{said}");
}

/// The folder of a cartridge that has this script alone.
fn bad(host: &Host, script: (&str, &str)) -> String {
    // Nothing of the one before.
    drop(std::fs::remove_dir_all(host.path("bad")));
    host.cartridge("bad", ONE, script)
}

/// A host with a gear that runs, so that there is something to spoil.
fn inhabited() -> Host {
    let host = Host::new();
    host.write("good/metadata/manifest.yml", &manifest("good", ""), 0o644);
    let control = "#!/bin/bash\ncase $1 in start) sleep 1000 & echo $! >\"$OPENSHIFT_DATA_DIR/pid\" ;;\n\
                   stop) kill \"$(<\"$OPENSHIFT_DATA_DIR/pid\")\" ;; esac\nexit 0\n";
    host.write("good/bin/control", control, 0o755);
    host.must(&["gear", "create", "good", &host.place("good"), "--start"]);
    host
}

fn manifest(name: &str, more: &str) -> String {
    format!(
        "Name: {name}\nCartridge-Short-Name: {}\nCartridge-Vendor: test\n{ONE}\
         Categories: [web_framework]\n{more}",
        name.to_uppercase()
    )
}

/// The value that a gear's scripts see.
fn seen(host: &Host, gear: &str, name: &str) -> String {
    let print = format!("printf %s \"${name}\"");
    host.run(&["gear", "exec", gear, "--", "bash", "-c", &print]).1
}

#[test]
fn a_script_that_never_returns_is_ended_with_all_that_it_began() {
    let _alone = alone();
    let host = inhabited();
    host.settings("scripts: {install_timeout: 2, control_timeout: 2}\n");
    let endless = "#!/bin/bash\n[[ $0 == *control && $1 != start ]] && exit 0\n\
                   echo 'waiting for nobody'\nsleep 1000 & sleep 1000\n";
    for script in ["setup", "install", "control"] {
        let began = Instant::now();
        refused(&host, (script, endless), &["was not over after 2 seconds", "waiting for nobody"]);
        assert!(began.elapsed() < Duration::from_secs(60), "{script}");
    }
    // One that heeds no signal but the last.
    let deaf = "#!/bin/bash\ntrap '' TERM INT HUP\necho 'not listening'\n\
                while true; do sleep 1000; done\n";
    refused(&host, ("setup", deaf), &["was not over after 2 seconds", "not listening"]);
    assert_eq!(host.run(&["gear", "status", "good"]).0, 0);
}

#[test]
fn what_forks_away_goes_with_a_failed_script() {
    let _alone = alone();
    let host = inhabited();
    let away = "#!/bin/bash\n(setsid bash -c 'sleep 1000 & disown; exec sleep 1000' &)\n\
                (setsid env -i /bin/sleep 1000 &)\nsleep 0.3\necho 'gone away' >&2\nexit 4\n";
    refused(&host, ("setup", away), &["status 4", "gone away"]);
    refused(&host, ("install", away), &["status 4", "gone away"]);
    // What a setup leaves running, although it succeeds, is ended.
    let quiet = away.replace("exit 4", "exit 0");
    let folder = bad(&host, ("setup", &quiet));
    let before = host.processes();
    host.must(&["gear", "create", "x", &folder]);
    assert_eq!(host.processes(), before);
    host.must(&["gear", "destroy", "x"]);
}

#[test]
fn what_prints_megabytes_is_kept_in_bounds() {
    let _alone = alone();
    let host = inhabited();
    let text = "#!/bin/bash\nhead -c 8000000 /dev/zero | tr '\\0' x | fold -w 100\n\
                echo 'the last line' >&2\nexit 5\n";
    let folder = bad(&host, ("setup", text));
    let before = host.tree();
    let (status, said) = host.run(&["gear", "create", "x", &folder]);
    assert_eq!(status, 9, "{}", said.len());
    assert!(said.contains("status 5") && said.contains("the last line"), "{said}");
    assert!(said.len() < 16_000, "{} bytes were shown", said.len());
    assert_eq!(host.tree(), before);
    // One line of megabytes, and bytes that a terminal would obey.
    let text = "#!/bin/bash\nhead -c 3000000 /dev/zero | tr '\\0' y\nprintf '\\033]0;owned\\007\\n'\n\
                exit 6\n";
    let folder = bad(&host, ("setup", text));
    let (status, said) = host.run(&["gear", "create", "x", &folder]);
    assert_eq!(status, 9);
    assert!(said.contains("status 6") && !said.contains('\u{1b}'), "{said}");
    assert!(said.len() < 16_000, "{} bytes were shown", said.len());
    // Without end.
    host.settings("scripts: {max_output: 10000}\n");
    refused(&host, ("setup", "#!/bin/bash\nexec yes 'on and on'\n"), &["printed without end"]);
}

#[test]
fn garbage_where_a_variable_should_be_is_named() {
    let _alone = alone();
    let host = inhabited();
    for (line, word) in [
        ("ENV_VAR_ADD: no equals sign", "ENV_VAR_ADD"),
        ("ENV_VAR_ADD: 1=2", "ENV_VAR_ADD"),
        ("ENV_VAR_ADD: LD_PRELOAD=/tmp/x.so", "LD_PRELOAD"),
        ("ENV_VAR_ADD: OPENSHIFT_HOMEDIR=/tmp", "OPENSHIFT_HOMEDIR"),
        ("CART_DATA: =", "CART_DATA"),
    ] {
        let text = format!("#!/bin/bash\necho '{line}'\nexit 0\n");
        let folder = bad(&host, ("install", &text));
        let (status, said) = host.talk(&["gear", "create", "x", &folder]);
        assert!(said.contains(word), "{line}: {status}: {said}");
        assert!([0, 1, 9].contains(&status), "{line}: {said}");
        if status == 0 {
            assert!(seen(&host, "x", "OPENSHIFT_HOMEDIR").ends_with("/gears/x/"), "{line}");
            assert_eq!(seen(&host, "x", "LD_PRELOAD"), "", "{line}");
            host.must(&["gear", "destroy", "x"]);
        }
    }
}

#[test]
fn scripts_with_dos_lines_or_a_mistake_are_named() {
    let _alone = alone();
    let host = inhabited();
    refused(&host, ("setup", "#!/bin/bash\r\nexit 0\r\n"), &["bin/setup", "CRLF", "sed -i"]);
    refused(&host, ("control", "#!/bin/bash\r\nexit 0\r\n"), &["bin/control", "CRLF"]);
    let mistake = "#!/bin/bash\necho 'so far'\nif [[ 1 == 1 ]]; then\necho then\n";
    refused(&host, ("setup", mistake), &["bin/setup", "syntax error", "line"]);
    refused(&host, ("install", mistake), &["bin/install", "syntax error", "line"]);
    refused(&host, ("control", mistake), &["bin/control", "syntax error", "line"]);
    refused(&host, ("setup", "#!/no/such/interpreter\n"), &["/no/such/interpreter"]);
}

#[test]
fn the_platforms_variables_stay_the_platforms() {
    let _alone = alone();
    let host = inhabited();
    let lies = "#!/bin/bash\nfor place in \"$OPENSHIFT_OURS_DIR/env\" \"$OPENSHIFT_HOMEDIR/.env\"; do\n\
                for name in OPENSHIFT_HOMEDIR OPENSHIFT_GEAR_UUID HOME PATH LD_PRELOAD CART_STATE; do\n\
                echo /tmp/lie >\"$place/$name\" 2>/dev/null || true\ndone; done\nexit 0\n";
    let folder = bad(&host, ("setup", lies));
    let before = (host.tree(), host.processes());
    let (status, said) = host.talk(&["gear", "create", "x", &folder, "--start"]);
    if status == 0 {
        assert!(seen(&host, "x", "OPENSHIFT_HOMEDIR").ends_with("/gears/x/"), "{said}");
        assert!(seen(&host, "x", "HOME").contains("/gears/x"), "{said}");
        assert_ne!(seen(&host, "x", "OPENSHIFT_GEAR_UUID"), "/tmp/lie", "{said}");
        assert_ne!(seen(&host, "x", "PATH"), "/tmp/lie", "{said}");
        assert_ne!(seen(&host, "x", "LD_PRELOAD"), "/tmp/lie", "{said}");
        host.must(&["gear", "stop", "x"]);
        host.must(&["gear", "destroy", "x"]);
    } else {
        assert!(said.contains("OPENSHIFT_") || said.contains(".env"), "{said}");
        assert_eq!((host.tree(), host.processes()), before, "{said}");
    }
    assert!(seen(&host, "good", "OPENSHIFT_HOMEDIR").ends_with("/gears/good/"));
}

#[test]
fn what_is_written_outside_its_place_is_refused_or_found() {
    let _alone = alone();
    let host = inhabited();
    // Into the gear's home, beside what the platform has made there.
    let stray = "#!/bin/bash\nmkdir \"$OPENSHIFT_HOMEDIR/stray\" && touch \"$OPENSHIFT_HOMEDIR/stray/x\" \
                 && echo 'made a stray' \nexit 0\n";
    refused(&host, ("setup", stray), &["stray"]);
    // Over what is the platform's.
    let over =
        "#!/bin/bash\nrm -rf \"$OPENSHIFT_HOMEDIR/.env\" && exit 0\necho 'cannot' >&2\nexit 3\n";
    let folder = bad(&host, ("setup", over));
    let before = host.tree();
    let (status, said) = host.run(&["gear", "create", "x", &folder]);
    assert!(status == 9 || status == 1, "{status}: {said}");
    assert_eq!(host.tree(), before, "{said}");
    // Into the library, and as root into another gear.
    let other = "#!/bin/bash\necho spoilt >\"$OPENSHIFT_OURS_DIR/usr/file\" && exit 0\n\
                 echo 'the library is not mine' >&2\nexit 3\n";
    let folder = bad(&host, ("setup", other));
    host.write("bad/usr/file", "whole", 0o644);
    let (status, said) = host.run(&["gear", "create", "x", &folder]);
    assert_eq!(status, 9, "{said}");
    assert!(said.contains("the library is not mine"), "{said}");
    assert_eq!(host.tree(), before, "{said}");
    if Host::is_root() {
        let other = "#!/bin/bash\necho spoilt >\"$OPENSHIFT_HOMEDIR/../good/app-root/data/pid\" && exit 0\n\
                     echo 'not my gear' >&2\nexit 3\n";
        refused(&host, ("setup", other), &["not my gear"]);
    }
    host.must(&["verify"]);
    assert_eq!(host.run(&["gear", "status", "good"]).0, 0);
}

#[test]
fn a_port_that_is_taken_is_named_before_anything_starts() {
    let _alone = alone();
    let host = inhabited();
    let more =
        "Endpoints:\n- Private-IP-Name: IP\n  Private-Port-Name: PORT\n  Private-Port: 18081\n";
    host.write("port/metadata/manifest.yml", &manifest("port", more), 0o644);
    let control = "#!/bin/bash\necho \"$1\" >>\"$OPENSHIFT_DATA_DIR/called\"\nexit 0\n";
    host.write("port/bin/control", control, 0o755);
    host.must(&["gear", "create", "x", &host.place("port")]);
    let address = host.json(&["gear", "show", "x"])["endpoints"][0]["address"].clone();
    let address = address.as_str().unwrap().to_owned();
    let taken = TcpListener::bind((address.as_str(), 18081)).unwrap();
    let (status, said) = host.run(&["gear", "start", "x"]);
    assert_eq!(status, 4, "{said}");
    assert!(said.contains(&address) && said.contains("18081"), "{said}");
    assert!(!host.home("x").join("app-root/data/called").exists(), "no script was called");
    drop(taken);
    host.must(&["gear", "destroy", "x"]);
    // On all addresses: no gear can have it.
    let taken = TcpListener::bind(("0.0.0.0", 18081)).unwrap();
    let before = host.tree();
    let (status, said) = host.run(&["gear", "create", "y", &host.place("port")]);
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("18081") && said.contains("ss -ltnp"), "{said}");
    assert_eq!(host.tree(), before);
    drop(taken);
}
