//! Goldens: what the original finds with the same patterns in the same tree.

use super::{expand, lockable};
use crate::sys::fs::Dir;

fn gear() -> (tempfile::TempDir, Dir) {
    let temp = tempfile::tempdir().unwrap();
    let home = Dir::open(temp.path()).unwrap();
    for file in [
        "php/metadata/manifest.yml",
        "php/metadata/managed_files.yml",
        "php/env/OPENSHIFT_PHP_IDENT",
        "php/env/OPENSHIFT_PHP_DIR",
        "php/env/OPENSHIFT_PHP_LOG_DIR",
        "php/conf/php.ini.erb",
        "php/conf/.hidden.erb",
        "php/conf/.d/deep.erb",
        "php/conf/plain",
        "php/bin/control",
        "php/usr/file",
        "php/usr/lib/file",
        "library/secret.erb",
        ".foorc",
        "app-root/data/x",
    ] {
        let (parent, _) = file.rsplit_once('/').unwrap_or(("", file));
        if !parent.is_empty() {
            home.make_dirs(parent, 0o755).unwrap();
        }
        home.write_new(file, b"", 0o644).unwrap();
    }
    home.make_link("php/linked", "../library").unwrap();
    home.make_link("php/conf/link.erb", "plain").unwrap();
    (temp, home)
}

fn found(home: &Dir, patterns: &[&str]) -> Vec<String> {
    let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
    expand(home, "php", &patterns).paths.into_iter().collect()
}

#[test]
fn globs_find_plain_files_hidden_ones_too_and_no_links() {
    let (_temp, home) = gear();
    for (pattern, expected) in [
        ("**/*.erb", vec!["php/conf/.d/deep.erb", "php/conf/.hidden.erb", "php/conf/php.ini.erb"]),
        ("conf/*", vec!["php/conf/.hidden.erb", "php/conf/php.ini.erb", "php/conf/plain"]),
        ("conf/*.erb", vec!["php/conf/.hidden.erb", "php/conf/php.ini.erb"]),
        ("usr/**", vec!["php/usr/file"]),
        ("usr/**/*", vec!["php/usr/file", "php/usr/lib/file"]),
        ("linked/*", vec![]),
        ("*", vec![]),
        ("metadata/*", vec![]),
        ("env/*", vec!["php/env/OPENSHIFT_PHP_LOG_DIR"]),
        ("~/.f*", vec![".foorc"]),
        ("conf/{plain,none}*", vec!["php/conf/plain"]),
        ("conf/*/", vec![]),
        ("bin/../conf/pl*", vec!["php/conf/plain"]),
    ] {
        assert_eq!(found(&home, &[pattern]), expected, "{pattern}");
    }
}

#[test]
fn entries_without_a_star_are_taken_as_they_are() {
    let (_temp, home) = gear();
    for (pattern, expected) in [
        ("bin/", vec!["php/bin/"]),
        ("not/there", vec!["php/not/there"]),
        ("/rooted", vec!["php/rooted"]),
        ("what?[x]", vec!["php/what?[x]"]),
        ("~/.foorc", vec![".foorc"]),
        ("../.pearrc", vec![".pearrc"]),
        ("  spaced  ", vec!["php/spaced"]),
        ("", vec![]),
        ("metadata/manifest.yml", vec![]),
        ("env/OPENSHIFT_PHP_DIR", vec![]),
    ] {
        assert_eq!(found(&home, &[pattern]), expected, "{pattern}");
    }
}

#[test]
fn what_lies_outside_the_gear_is_dropped_and_said() {
    let (_temp, home) = gear();
    let patterns = ["~/../bad", "../../bad*", "~/", "~/x/../../y", "../../../etc/passwd"];
    let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
    let named = expand(&home, "php", &patterns);
    assert!(named.paths.is_empty(), "{:?}", named.paths);
    assert_eq!(named.notes.len(), patterns.len());
}

#[test]
fn only_the_cartridges_own_and_free_hidden_names_can_be_locked() {
    let all = [
        ".envrc",
        ".env/X",
        ".ssh/key",
        ".tmpfoo",
        ".sandboxed",
        ".pearrc",
        "php/conf/",
        "php",
        "app-root/data/x",
        "other/file",
        "git/x",
        "visible",
    ];
    let (_temp, home) = gear();
    let all = all.map(|path| format!("~/{path}"));
    let named = lockable(&home, "php", &all);
    let kept: Vec<String> = named.paths.into_iter().collect();
    assert_eq!(kept, [".pearrc", "app-root/data/x", "php/conf/"]);
    assert_eq!(named.notes.len(), all.len() - kept.len(), "{:?}", named.notes);
}
