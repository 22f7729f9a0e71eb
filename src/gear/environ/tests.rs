//! The laws of loading an environment.

use super::{Environment, Origin, SYSTEM_PATH, Shared, SharedVariable, Sources, load, overridden};
use crate::sys::fs::Dir;
use crate::sys::host;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

struct Gear {
    _temp: tempfile::TempDir,
    home: Dir,
    node: Dir,
    shared: Shared,
    defaults: BTreeMap<String, OsString>,
}

impl Gear {
    fn with(files: &[(&str, &str)]) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let top = Dir::open(temp.path()).unwrap();
        top.make_dir("node", 0o755).unwrap();
        top.make_dirs("home/.env", 0o755).unwrap();
        let (home, node) = (top.dir("home").unwrap(), top.dir("node").unwrap());
        for (path, value) in files {
            let (dir, path) = match path.strip_prefix("node:") {
                Some(path) => (&node, path),
                None => (&home, *path),
            };
            if let Some((parent, _)) = path.rsplit_once('/') {
                dir.make_dirs(parent, 0o755).unwrap();
            }
            dir.write_new(path, value.as_bytes(), 0o644).unwrap();
        }
        Self { _temp: temp, home, node, shared: Shared::default(), defaults: BTreeMap::new() }
    }

    fn sources(&self) -> Sources<'_> {
        Sources {
            home: &self.home,
            node: Some(&self.node),
            defaults: &self.defaults,
            shared: &self.shared,
            cartridges: &[],
            primary: None,
            script_of: None,
            commands: None,
            account: "gear",
        }
    }
}

fn value<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.variables.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn a_later_place_wins_over_an_earlier_one() {
    let gear = Gear::with(&[
        ("node:A", "node"),
        ("node:B", "node"),
        ("node:C", "node"),
        ("node:D", "node"),
        ("node:E", "node"),
        (".env/B", "gear"),
        (".env/C", "gear"),
        (".env/D", "gear"),
        (".env/E", "gear"),
        ("one/env/C", "cartridge"),
        ("one/env/D", "cartridge"),
        ("one/env/E", "cartridge"),
        (".env/publisher/D", "event"),
        (".env/publisher/E", "event"),
        ("two/env/E", "named"),
    ]);
    let names = ["two".to_owned()];
    let loaded = load(&Sources { cartridges: &names, ..gear.sources() });
    let all: Vec<_> = ["A", "B", "C", "D", "E"].iter().map(|n| value(&loaded, n)).collect();
    assert_eq!(all, [Some("node"), Some("gear"), Some("cartridge"), Some("event"), Some("named")]);
    assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
}

#[test]
fn the_primary_wins_over_every_other_cartridge_and_the_scripts_own_over_all() {
    let gear = Gear::with(&[
        ("aaa/env/JDK", "aaa"),
        ("mid/env/JDK", "mid"),
        ("zzz/env/JDK", "zzz"),
        ("zzz/env/PATH", "/zzz"),
    ]);
    let names = ["mid".to_owned(), "zzz".to_owned()];
    let with = Sources { cartridges: &names, primary: Some("mid"), ..gear.sources() };
    assert_eq!(value(&load(&with), "JDK"), Some("mid"));
    let script = load(&Sources { script_of: Some("zzz"), ..with });
    assert_eq!(value(&script, "JDK"), Some("zzz"));
    assert_eq!(value(&script, "PATH"), Some(SYSTEM_PATH), "never a cartridge's own PATH");
}

#[test]
fn user_variables_beat_cartridges_but_not_the_platform() {
    let gear = Gear::with(&[
        ("node:NODE", "node"),
        (".env/GEAR", "gear"),
        (".env/OPENSHIFT_SECRET_TOKEN", "old"),
        ("one/env/CART", "cart"),
        ("one/env/NODE", "cart"),
        (".env/user_vars/NODE", "user"),
        (".env/user_vars/GEAR", "user"),
        (".env/user_vars/CART", "user"),
        (".env/user_vars/PATH", "/evil"),
        (".env/user_vars/OPENSHIFT_X_IDENT", "user"),
        (".env/user_vars/OPENSHIFT_SECRET_TOKEN", "new"),
    ]);
    let loaded = load(&gear.sources());
    assert_eq!(value(&loaded, "NODE"), Some("cart"));
    assert_eq!(value(&loaded, "GEAR"), Some("gear"));
    assert_eq!(value(&loaded, "CART"), Some("user"));
    assert_eq!(value(&loaded, "PATH"), Some(SYSTEM_PATH));
    assert_eq!(value(&loaded, "OPENSHIFT_X_IDENT"), None);
    assert_eq!(value(&loaded, "OPENSHIFT_SECRET_TOKEN"), Some("new"));
    let script = load(&Sources { script_of: Some("one"), ..gear.sources() });
    assert_eq!(value(&script, "CART"), Some("user"), "also over the script's own");
    assert_eq!(value(&script, "GEAR"), Some("gear"));
}

#[test]
fn shared_variables_stand_beside_the_gears_and_never_replace_them() {
    let mut gear = Gear::with(&[(".env/A", "gear"), (".env/user_vars/B", "user")]);
    let one = SharedVariable { value: "shared".into(), publisher: "db/mysql".into() };
    gear.shared = Shared(["A", "B"].map(|name| (name.to_owned(), one.clone())).into());
    let loaded = load(&gear.sources());
    assert_eq!(value(&loaded, "A"), Some("gear"));
    assert_eq!(value(&loaded, "B"), Some("shared"), "a platform's name now");
    assert_eq!(loaded.origins["B"], Origin::Domain("db/mysql".into()));
    assert_eq!(loaded.origins["B"].to_string(), "domain, from db/mysql");
}

#[test]
fn search_paths_have_the_primary_first_and_libraries_have_it_last() {
    let gear = Gear::with(&[
        ("node:PATH", "/sys\n"),
        ("mock-plugin/env/OPENSHIFT_MOCKPLUGIN_IDENT", "x"),
        ("mock-plugin/env/OPENSHIFT_MOCKPLUGIN_PATH_ELEMENT", "/primary"),
        ("mock-plugin/env/OPENSHIFT_MOCKPLUGIN_LD_LIBRARY_PATH_ELEMENT", "/primary/lib"),
        ("cart/env/OPENSHIFT_ZCART_PATH_ELEMENT", "/cart"),
        ("cart/env/OPENSHIFT_ZCART_LD_LIBRARY_PATH_ELEMENT", "/cart/lib"),
        ("second/env/OPENSHIFT_A_PATH_ELEMENT", "/second"),
        ("second/env/OPENSHIFT_A_LD_LIBRARY_PATH_ELEMENT", "/second/lib"),
    ]);
    let commands = Path::new("/lib/ours");
    let primary = Some("mock-plugin");
    let loaded = load(&Sources { primary, commands: Some(commands), ..gear.sources() });
    assert_eq!(
        value(&loaded, "PATH"),
        Some("/primary:/cart:/second:/lib/ours:/sys:/lib/fallbacks")
    );
    assert_eq!(value(&loaded, "LD_LIBRARY_PATH"), Some("/cart/lib:/second/lib:/primary/lib"));
    let empty = Gear::with(&[]);
    assert_eq!(value(&load(&empty.sources()), "LD_LIBRARY_PATH"), Some(""));
}

#[test]
fn the_content_is_the_value_but_for_one_newline_and_nuls() {
    let gear = Gear::with(&[
        (".env/ONE", "a\n"),
        (".env/TWO", "a\n\n"),
        (".env/NUL", "a\0b"),
        (".env/EQUALS", "k=v=w"),
        (".env/QUOTED", "export X='y'"),
        (".env/.hidden", "no"),
        (".env/X.erb", "no"),
        (".env/Y.rpmnew", "no"),
        (".env/A=B", "no"),
        ("one/env/.gitkeep", ""),
    ]);
    gear.home.make_link(".env/LINK", "/etc/passwd").unwrap();
    gear.home.make_link("out", "/etc").unwrap();
    gear.home.write_new(".env/LONG", &vec![b'x'; 200_000], 0o644).unwrap();
    let loaded = load(&gear.sources());
    assert_eq!(value(&loaded, "ONE"), Some("a"));
    assert_eq!(value(&loaded, "TWO"), Some("a\n"));
    assert_eq!(value(&loaded, "NUL"), Some("ab"));
    assert_eq!(value(&loaded, "EQUALS"), Some("k=v=w"));
    assert_eq!(value(&loaded, "QUOTED"), Some("export X='y'"));
    for absent in [".hidden", "X.erb", "X", "Y.rpmnew", "LINK", "A=B", "A", ".gitkeep", "LONG"] {
        assert_eq!(value(&loaded, absent), None, "{absent}");
    }
    assert_eq!(loaded.notes.len(), 2, "the impossible name, the long value: {:?}", loaded.notes);
}

#[test]
fn a_cartridge_that_would_replace_the_platforms_variables_is_found_out() {
    let gear = Gear::with(&[
        (".env/HOME", "/g/"),
        (".env/PATH", "/x"),
        ("one/env/HOME", "/elsewhere"),
        ("one/env/PATH", "/y"),
        ("one/env/OWN", "fine"),
    ]);
    assert_eq!(overridden(&gear.home, "one"), ["HOME"]);
    assert!(overridden(&gear.home, "none").is_empty());
}

#[test]
fn every_variable_says_where_it_comes_from() {
    let gear = Gear::with(&[
        ("node:A", "node"),
        ("node:B", "node"),
        (".env/B", "gear"),
        (".env/pub/C", "event"),
        ("one/env/D", "cartridge"),
        (".env/user_vars/D", "user"),
    ]);
    let loaded = load(&gear.sources());
    let origins = |name: &str| loaded.origins[name].clone();
    assert_eq!(origins("A"), Origin::File(gear.node.path_of("A")));
    assert_eq!(origins("B"), Origin::File(gear.home.path_of(".env/B")));
    assert_eq!(origins("C"), Origin::File(gear.home.path_of(".env/pub/C")));
    assert_eq!(origins("D"), Origin::File(gear.home.path_of(".env/user_vars/D")));
    assert_eq!((origins("PATH"), origins("USER")), (Origin::Computed, Origin::Cart));
    assert_eq!(loaded.origins.len(), loaded.variables.len());
}

#[test]
fn a_file_that_cannot_be_read_is_left_out_with_a_note() {
    let gear = Gear::with(&[(".env/A", "secret"), (".env/B", "b")]);
    gear.home.set_mode(".env/A", 0).unwrap();
    let loaded = load(&gear.sources());
    assert_eq!(value(&loaded, "B"), Some("b"));
    // Nothing is closed to root.
    let expected = if host::is_root() { (Some("secret"), 0) } else { (None, 1) };
    assert_eq!((value(&loaded, "A"), loaded.notes.len()), expected, "{:?}", loaded.notes);
}

#[test]
fn a_gear_stays_usable_whatever_is_written_into_its_variables() {
    let gear = Gear::with(&[(".env/HOME", "/g/"), (".env/user_vars/SMALL", "kept")]);
    gear.home.make_dirs("one/env", 0o755).unwrap();
    for number in 0..40 {
        let value = vec![b'x'; 100_000 + number];
        gear.home.write_new(format!("one/env/LONG{number}"), &value, 0o644).unwrap();
    }
    gear.home.write_new("one/env/BINARY", &[0, 255, b'=', 10, 10], 0o644).unwrap();
    let loaded = load(&gear.sources());
    let total: usize = loaded.variables.iter().map(|(name, v)| name.len() + v.len() + 10).sum();
    assert!(total <= super::MOST, "{total}");
    assert_eq!((value(&loaded, "HOME"), value(&loaded, "SMALL")), (Some("/g/"), Some("kept")));
    assert_eq!(loaded.variables["BINARY"].as_encoded_bytes(), [255, b'=', 10]);
    assert!(!loaded.variables.contains_key("LONG39"), "the longest goes first");
    assert!(loaded.variables.contains_key("LONG0"));
    assert!(loaded.notes.iter().all(|note| note.contains("too long")));
}

#[test]
fn an_events_variables_win_over_cartridges_and_lose_against_the_primary_and_users() {
    let gear = Gear::with(&[
        ("php/env/HOST", "php"),
        ("mysql/env/HOST", "mysql"),
        (".env/mysql/HOST", "event"),
        (".env/mysql/USERS", "event"),
        (".env/mysql/.hidden", "no"),
        (".env/user_vars/USERS", "user"),
    ]);
    let loaded = load(&gear.sources());
    assert_eq!((value(&loaded, "HOST"), value(&loaded, "USERS")), (Some("event"), Some("user")));
    let names = ["mysql".to_owned(), "php".to_owned()];
    let named = load(&Sources { cartridges: &names, primary: Some("php"), ..gear.sources() });
    assert_eq!(value(&named, "HOST"), Some("php"));
}
