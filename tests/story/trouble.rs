//! What goes wrong through scripts, settings, the database and Ctrl-C, and what is left then.

use crate::alone;
use crate::host::Host;
use std::time::Duration;

const ONE: &str = "Cartridge-Version: '1.0'\nVersion: '1'\n";

#[test]
fn a_failing_script_is_put_back_and_its_words_are_shown() {
    let _alone = alone();
    let host = Host::new();
    host.must(&["install", "static-web"]);
    let before = host.tree();
    for script in ["setup", "install", "control"] {
        let text = "#!/bin/bash\n[[ $0 == *control && $1 != start ]] && exit 0\n\
                    echo 'doomed, it seems' >&2\nexit 3\n";
        let folder = host.cartridge(script, ONE, (script, text));
        let (status, said) = host.run(&["gear", "create", "x", &folder, "--start"]);
        assert_eq!(status, 9, "{script}: {said}");
        for words in ["status 3", "doomed, it seems", "nothing changed", "cart history"] {
            assert!(said.contains(words), "{script}: {said}");
        }
        assert_eq!(host.tree(), before, "{script}");
        assert_eq!(host.processes(), 0, "{script}");
        assert_eq!(host.run(&["gear", "show", "x"]).0, 3, "{script}");
    }
    host.must(&["verify"]);
}

#[test]
fn a_script_that_calls_cart_is_told_where_it_is() {
    let _alone = alone();
    let host = Host::new();
    let cart = env!("CARGO_BIN_EXE_cart");
    let root = host.root().display().to_string();
    let text = format!("#!/bin/bash\n{cart} --root {root} -y gear start x\nexit 3\n");
    let folder = host.cartridge("nested", ONE, ("setup", &text));
    let (status, said) = host.run(&["gear", "create", "x", &folder]);
    assert_eq!(status, 9, "{said}");
    if said.contains("Permission denied") {
        println!("SKIP: story::nested: the gear's user cannot reach the program");
        return;
    }
    assert!(said.contains("inside") || said.contains("there is no gear"), "{said}");
}

#[test]
fn broken_settings_are_named_with_file_and_place() {
    let host = Host::new();
    for (text, words) in [
        ("download: [1", "line 1"),
        ("downlod: {retries: 1}\n", "downlod"),
        ("download: {retries: many}\n", "download.retries"),
    ] {
        host.settings(text);
        let (status, said) = host.run(&["install", "static-web"]);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains("config.yml") && said.contains(words), "{said}");
        assert!(said.contains("cart-config(5)"), "{said}");
        assert_eq!(host.tree(), "");
    }
}

#[test]
fn a_broken_database_is_never_taken_for_an_empty_one() {
    let host = Host::new();
    host.must(&["install", "static-web"]);
    let before = host.tree();
    let place = host.root().join("var/lib/cartwright/cart.db");
    for extra in ["cart.db-wal", "cart.db-shm"] {
        drop(std::fs::remove_file(place.with_file_name(extra)));
    }
    std::fs::write(&place, "this is no database, but long enough to be taken for one".repeat(99))
        .unwrap();
    for line in [&["list"][..], &["install", "perl-app"], &["remove", "static-web"], &["verify"]] {
        let (status, said) = host.run(line);
        assert_eq!(status, 1, "{line:?}: {said}");
        for words in ["cart.db", "not a database", "backup"] {
            assert!(said.contains(words), "{line:?}: {said}");
        }
    }
    assert_eq!(host.tree(), before);
    let (status, said) = host.run(&["doctor"]);
    assert_eq!(status, 1);
    assert!(said.contains("cart.db"), "{said}");
}

#[test]
fn ctrl_c_at_any_time_of_a_slow_script_leaves_the_host_as_it_was() {
    let _alone = alone();
    let host = Host::new();
    let folder = host.slow_cartridge();
    host.must(&["install", "static-web"]);
    let before = host.tree();
    for milliseconds in (50..1500).step_by(145) {
        let line = ["gear", "create", "slow", &folder];
        let status = host.interrupted(&line, Duration::from_millis(milliseconds));
        // Before anybody listens for it, the signal itself ends the program.
        assert!(matches!(status, Some(130) | None), "{milliseconds} ms: {status:?}");
        assert_eq!(host.tree(), before, "{milliseconds} ms");
        assert_eq!(host.processes(), 0, "{milliseconds} ms");
    }
    host.must(&["verify"]);
}

#[test]
fn the_second_one_may_wait_for_the_first() {
    let _alone = alone();
    let host = Host::new();
    let folder = host.slow_cartridge();
    let mut first = host.command(&["gear", "create", "slow", &folder]).spawn().unwrap();
    Host::until(|| host.has_gear_folder("slow"));
    let (status, said) = host.run(&["--wait", "30", "install", &folder]);
    assert_eq!(status, 0, "{said}");
    assert!(first.wait().unwrap().success());
    host.must(&["gear", "destroy", "slow"]);
}

#[test]
fn what_cannot_be_undone_needs_a_yes_where_nobody_can_be_asked() {
    let _alone = alone();
    let host = Host::new();
    let folder = host.cartridge("last", ONE, ("teardown", "#!/bin/bash\nexit 0\n"));
    host.must(&["gear", "create", "x", &folder]);
    let before = host.tree();
    let mut command = host.command(&["gear", "destroy", "x", "--teardown"]);
    let words: Vec<_> = command.get_args().filter(|word| *word != "-y").map(Into::into).collect();
    let words: Vec<std::ffi::OsString> = words;
    let output = std::process::Command::new(command.get_program()).args(words).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("teardown") && said.contains("-y"), "{said}");
    assert_eq!(host.tree(), before);
    assert!(command.status().unwrap().success());
    assert_eq!(host.run(&["gear", "show", "x"]).0, 3);
}
