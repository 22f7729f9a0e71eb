//! The seed's example, word for word, as a package: what each external was called with, compared
//! byte for byte with the specification of tpkg (3): arguments, standard input, environment,
//! directory, order.

use crate::host::Host;
use crate::support::tpkg::Tpkg;
use std::collections::BTreeMap;

const SEED: &str = "externals:\n- name: user\n  data: myuser\n- name: nfs\n  datafile: nfsmountsfile\n\
                    - name: sysctl\n  datascript: ./calculate_kernel_memory_settings";
const MOUNTS: &str = "server:/export /data\n\n\\ $(touch x) `y` 'z \"";
const CALCULATED: &str = "kernel.shmmax = 17\nfrom helper";

/// An external that keeps all that it is given. Perl adds nothing to its environment.
const RECORDER: &str = r#"#!/usr/bin/perl
use strict; use warnings; use Cwd;
my $calls = 'CALLS';
my @there = glob "$calls/*";
my $own = sprintf '%s/%02d', $calls, scalar @there;
mkdir $own or die;
sub keep { my ($name, $text) = @_; open my $out, '>', "$own/$name" or die; print $out $text; close $out or die }
local $/;
keep('data', scalar <STDIN>);
keep('argv', join "\0", $0, @ARGV);
keep('env', join "\0", map { "$_=$ENV{$_}" } sort keys %ENV);
keep('folder', getcwd());
keep('placed', (-e 'BASE/x' ? 'there' : 'not there'));
"#;

/// One call: the external and its arguments, what it read, its environment, its directory, and
/// whether the file of the package was there.
#[derive(Debug, PartialEq)]
struct Call {
    argv: Vec<String>,
    data: Vec<u8>,
    env: BTreeMap<String, String>,
    folder: String,
    placed: String,
}

fn prepared() -> Host {
    let host = Host::new();
    std::fs::create_dir(host.outside("calls")).unwrap();
    let recorder = RECORDER.replace("CALLS", &host.outside("calls").display().to_string());
    let recorder = recorder.replace("BASE", host.base("").to_str().unwrap().trim_end_matches('/'));
    for name in ["user", "nfs", "sysctl"] {
        let path = format!("usr/lib/tpkg/externals/{name}");
        host.write(&path, &recorder);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(host.at(&path), mode).unwrap();
    }
    host
}

/// A script that runs where the package is, and has what it needs.
const CALCULATE: &str = "[[ -e tpkg.yml && -x $0 && $TPKG_HOME == */opt/tpkg ]] && cat helper";

fn package(version: &str, mounts: &str, calculate: &str) -> Tpkg {
    Tpkg::new("seed", version)
        .says(SEED)
        .file("nfsmountsfile", mounts)
        .file("helper", CALCULATED)
        .script("calculate_kernel_memory_settings", calculate)
        .file("reloc/x", version)
}

/// Runs `cart` as a caller with variables of their own does, and gives the calls that it makes.
fn calls(host: &Host, words: &[&str]) -> Vec<Call> {
    let mut command = host.command(words);
    let output = command.env("CALLER", "a b\nc").output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    let mut folders: Vec<_> = std::fs::read_dir(host.outside("calls")).unwrap().flatten().collect();
    folders.sort_by_key(std::fs::DirEntry::file_name);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let calls = folders.iter().map(|entry| {
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap();
        let variable = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        Call {
            argv: text(read("argv")).split('\0').map(str::to_owned).collect(),
            data: read("data"),
            env: text(read("env")).split('\0').map(variable).collect(),
            folder: text(read("folder")),
            placed: text(read("placed")),
        }
    });
    let calls = calls.collect();
    for entry in folders {
        std::fs::remove_dir_all(entry.path()).unwrap();
    }
    calls
}

/// What the specification says of one call.
fn expected(
    host: &Host,
    (name, data): (&str, &str),
    (file, word, action): (&str, &str, &str),
    placed: &str,
) -> Call {
    let base = host.base("").display().to_string();
    let program = host.at("usr/lib/tpkg/externals").join(name);
    let home = host.outside("").display().to_string();
    let env = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", home.trim_end_matches('/')),
        ("CALLER", "a b\nc"),
        ("TPKG_HOME", base.trim_end_matches('/')),
        ("TPKG_ACTION", action),
    ];
    Call {
        argv: vec![program.display().to_string(), file.into(), word.into()],
        data: data.as_bytes().to_vec(),
        env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        folder: "/".into(),
        placed: placed.into(),
    }
}

/// Compares calls; what `cart` tells of itself comes beside what the contract says.
#[track_caller]
fn same(host: &Host, calls: Vec<Call>, wanted: &[(&str, &str, &str, &str, &str, &str)]) {
    assert_eq!(calls.len(), wanted.len(), "{calls:#?}");
    for (mut call, (name, data, file, word, action, placed)) in calls.into_iter().zip(wanted) {
        let own: Vec<String> =
            call.env.keys().filter(|name| name.starts_with("CART_")).cloned().collect();
        for name in own {
            call.env.remove(&name);
        }
        assert_eq!(call, expected(host, (name, data), (file, word, action), placed));
    }
}

#[test]
fn install_upgrade_and_removal_call_as_the_specification_says() {
    let host = prepared();
    let seen = calls(&host, &["install", &host.pack(&package("1", MOUNTS, CALCULATE))]);
    let call = |file, word, action, placed| {
        [("user", "myuser"), ("nfs", MOUNTS), ("sysctl", CALCULATED)]
            .map(|(name, data)| (name, data, file, word, action, placed))
    };
    same(&host, seen, &call("seed-1.tpkg", "install", "install", "not there"));
    // Nothing of it changes: nobody is called, and the requests belong to the new release.
    let seen = calls(&host, &["upgrade", &host.pack(&package("2", MOUNTS, CALCULATE))]);
    same(&host, seen, &[]);
    // Where it changes, the old is taken back and the new is asked for; `upgrade` is in both halves.
    let third = package("3", "other\n", "printf '\\0\\377'");
    let seen = calls(&host, &["upgrade", &host.pack(&third)]);
    let text = seen.iter().map(|call| (call.argv[1].as_str(), call.argv[2].as_str()));
    let text: Vec<_> = text.collect();
    assert_eq!(
        text,
        [
            ("seed-1.tpkg", "remove"),
            ("seed-1.tpkg", "remove"),
            ("seed-3.tpkg", "install"),
            ("seed-3.tpkg", "install")
        ],
        "by the name that they were asked for with"
    );
    assert!(seen.iter().all(|call| call.env["TPKG_ACTION"] == "upgrade"), "{seen:#?}");
    assert_eq!(seen[0].data, MOUNTS.as_bytes());
    assert_eq!(seen[2].data, b"other\n");
    assert_eq!(seen[3].data, b"\0\xff", "bytes, and no text");
    // In the order of the list, not reversed; what was re-keyed goes by the name that it came with.
    let seen = calls(&host, &["remove", "seed"]);
    assert_eq!(seen[2].data, b"\0\xff");
    let text: Vec<_> =
        seen.iter().map(|call| (call.argv[1].as_str(), call.placed.as_str())).collect();
    assert_eq!(
        text,
        [("seed-1.tpkg", "there"), ("seed-3.tpkg", "there"), ("seed-3.tpkg", "there")]
    );
    let user = seen.into_iter().take(1).collect();
    same(&host, user, &[("user", "myuser", "seed-1.tpkg", "remove", "remove", "there")]);
}

#[test]
fn undoing_calls_the_opposite_with_the_same_data() {
    let host = prepared();
    calls(&host, &["install", &host.pack(&package("1", MOUNTS, CALCULATE))]);
    let seen = calls(&host, &["undo", "1"]);
    let call = |file, word, action, placed| {
        [("user", "myuser"), ("nfs", MOUNTS), ("sysctl", CALCULATED)]
            .map(|(name, data)| (name, data, file, word, action, placed))
    };
    same(&host, seen, &call("seed-1.tpkg", "remove", "remove", "there"));
    calls(&host, &["install", &host.pack(&package("1", MOUNTS, CALCULATE))]);
    calls(&host, &["remove", "seed"]);
    let seen = calls(&host, &["undo", "4"]);
    same(&host, seen, &call("seed-1.tpkg", "install", "install", "not there"));
}

#[test]
fn one_that_fails_is_told_and_counts_as_maybe_done_unless_success_is_demanded() {
    let host = prepared();
    let failing = "#!/bin/bash\necho \"${1%.tpkg} $2\" >>LOG\n[[ $2 == remove ]]\n";
    let log = host.outside("log").display().to_string();
    host.write("usr/lib/tpkg/externals/nfs", &failing.replace("LOG", &log));
    // It does not read what is more than a pipe holds.
    let big = package("1", &"x".repeat(1 << 20), CALCULATE);
    let file = host.pack(&big);
    let before = host.look();
    let said = host.fails(&["install", "--strict-externals", &file], 9, "nfs");
    assert!(said.contains("nothing changed") || said.contains("put back"), "{said}");
    assert_eq!(host.look(), before);
    let told = |host: &Host| {
        let text = std::fs::read_to_string(host.outside("log")).unwrap();
        std::fs::remove_file(host.outside("log")).unwrap();
        text
    };
    assert_eq!(told(&host), "seed-1 install\nseed-1 remove\n", "maybe done");
    let said = host.must(&["install", &file]);
    assert!(said.contains("nfs") && said.contains("status 1"), "{said}");
    let said = host.must(&["history", "2"]);
    assert!(said.contains("nfs"), "{said}");
    let said = host.must(&["external", "list"]);
    assert!(said.contains("failed"), "{said}");
    host.must(&["remove", "seed"]);
    assert_eq!(told(&host), "seed-1 install\nseed-1 remove\n");
    // Data that cannot be made end it, whatever the flags.
    let unmade = package("1", MOUNTS, "exit 5");
    let before = host.look();
    host.fails(&["install", &host.pack(&unmade)], 9, "calculate_kernel_memory_settings");
    assert_eq!(host.look(), before);
}

/// On installation externals come before ownership is set, so that accounts exist by then.
#[test]
fn an_account_that_an_external_makes_owns_files_of_the_same_package() {
    if !crate::host::is_root() {
        println!("SKIP: tpkg::account_of_external: only root makes accounts and gives files away");
        return;
    }
    let host = Host::new();
    host.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    host.write("etc/group", "root:x:0:\n");
    for file in ["etc/shadow", "etc/gshadow"] {
        host.write(file, "root:*::\n");
    }
    let package = Tpkg::new("seed", "1")
        .says("externals:\n- name: user\n  data: myuser")
        .file("reloc/owned", "x")
        .of("owned", "    posix:\n      owner: myuser");
    host.must(&["install", &host.pack(&package)]);
    let accounts = host.read("etc/passwd");
    let id = accounts.lines().find_map(|line| line.strip_prefix("myuser:x:")).unwrap();
    let id: u32 = id.split(':').next().unwrap().parse().unwrap();
    let meta = std::fs::metadata(host.base("owned")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&meta), id);
    host.must(&["verify"]);
}
