//! `cart build` and what becomes of its packages: the cases of tpkg's own tests that need files, each
//! by its number in specification 6, read back by us, by `tar` and by `openssl`.

use crate::support::{Host, Ran};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = "name: my\nversion: 1.10\npackage_version: 2\nmaintainer: m@example.com\n\
    description: a package\nfiles:\n  files:\n  - path: secret\n    encrypt: true\n\
    \x20 - path: /etc/my.conf\n    config: true\n    posix: {perms: 640}\n";

/// A source directory with an encrypted file, modes of its own, a link and an odd name.
fn source(host: &Host, manifest: &str) -> PathBuf {
    let folder = host.root().join("work/src");
    let put = |path: &str, bytes: &[u8], mode: u32| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    };
    put("tpkg.yml", manifest.as_bytes(), 0o644);
    put("reloc/secret", b"top secret\n", 0o600);
    put("reloc/bin/run", b"#!/bin/sh\n", 0o711);
    put("reloc/it's a $(name)", b"x", 0o444);
    put("root/etc/my.conf", b"a = 1\n", 0o644);
    put("postinstall", b"#!/bin/sh\nexit 0\n", 0o755);
    std::os::unix::fs::symlink("../../../etc/passwd", folder.join("reloc/bin/out")).unwrap();
    folder
}

fn build(host: &Host, arguments: &[&str]) -> Ran {
    let all = [&["build", "work/src"], arguments].concat();
    host.call(&all).env("CART_PASSPHRASE", "geheim").run()
}

fn done(ran: &Ran) {
    assert_eq!(ran.status, 0, "{ran:?}");
}

/// Takes a package apart with the programs that everybody has.
fn shell(host: &Host, script: &str) -> String {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).current_dir(host.root().join("work"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

#[test]
fn case_18_each_compression_gives_the_same_tree_and_any_tar_reads_it() {
    let host = Host::new();
    source(&host, MANIFEST);
    for (how, member) in [("gzip", "tpkg.tar.gz"), ("bz2", "tpkg.tar.bz2"), ("no", "tpkg.tar")] {
        let ran = build(&host, &["--compress", how]);
        done(&ran);
        assert_eq!(ran.stdout, "[ROOT]/work/my-1.10-2.tpkg\n");
        let members = shell(&host, "tar tf my-1.10-2.tpkg");
        let expected = format!("my-1.10-2/\nmy-1.10-2/checksum.xml\nmy-1.10-2/{member}\n");
        assert_eq!(members, expected);
        // The content decides, whatever the file is called.
        std::fs::rename(host.root().join("work/my-1.10-2.tpkg"), host.root().join("x.bin"))
            .unwrap();
        done(&host.cart(&["fetch", "x.bin", "--into", how]));
        let tree = host.root().join(how);
        assert_eq!(mode(&tree.join("reloc/bin/run")), 0o711);
        assert_eq!(mode(&tree.join("reloc/secret")), 0o600, "case 19: the mode is kept");
        assert_eq!(mode(&tree.join("reloc/it's a $(name)")), 0o444);
        let target = tree.join("reloc/bin/out").read_link().unwrap();
        assert_eq!(target, Path::new("../../../etc/passwd"));
        let manifest = std::fs::read_to_string(tree.join("tpkg.yml")).unwrap();
        assert!(manifest.contains("version: '1.10'\n"), "{manifest}");
        assert!(manifest.contains("perms: 0640}"), "{manifest}");
        assert!(manifest.ends_with("tpkg_version: 2.3.6\n"), "case 17: {manifest}");
    }
    // The source directory itself is taken by the same rules.
    done(&host.cart(&["fetch", "work/src", "--into", "plain"]));
    let tree = host.root().join("plain");
    assert_eq!(
        (mode(&tree.join("reloc/bin/run")), mode(&tree.join("reloc/secret"))),
        (0o711, 0o600)
    );
    assert!(tree.join("reloc/bin/out").is_symlink());
    let refused = build(&host, &["--compress", "zip"]);
    assert_eq!(refused.status, 2, "a kind that there is not: {refused:?}");
}

#[test]
fn the_same_directory_always_gives_the_same_bytes() {
    let host = Host::new();
    let folder = source(&host, MANIFEST);
    let sum = |host: &Host| shell(host, "sha256sum my-1.10-2.tpkg");
    for how in ["gzip", "bz2", "no"] {
        done(&build(&host, &["--compress", how]));
        let first = sum(&host);
        // A copy has other times and other inodes.
        shell(&host, "cp -r src copy && rm -rf src && mv copy src && touch src/tpkg.yml");
        std::fs::set_permissions(folder.join("reloc/secret"), PermissionsExt::from_mode(0o600))
            .unwrap();
        done(&build(&host, &["--compress", how]));
        assert_eq!(sum(&host), first, "{how}");
    }
    let call = host.call(&["build", "work/src", "--compress", "no"]);
    let call = call.env("CART_PASSPHRASE", "geheim").env("SOURCE_DATE_EPOCH", "1000000000");
    done(&call.run());
    let listed = shell(&host, "TZ=UTC tar tvf my-1.10-2.tpkg");
    assert!(listed.lines().all(|line| line.contains("2001-09-09 01:46")), "{listed}");
    let call = host.call(&["build", "work/src"]).env("SOURCE_DATE_EPOCH", "yesterday");
    assert_eq!(call.run().status, 2);
}

#[test]
fn case_19_openssl_reads_what_was_encrypted_and_nobody_else() {
    let host = Host::new();
    source(&host, MANIFEST);
    done(&build(&host, &["--compress", "no"]));
    if Command::new("openssl").arg("version").output().is_err() {
        println!("SKIP: cli::openssl: there is no openssl");
        return;
    }
    let decrypted = |passphrase: &str| {
        let script = format!(
            "tar xOf my-1.10-2.tpkg my-1.10-2/tpkg.tar | tar xOf - tpkg/reloc/secret > packed; \
             openssl enc -d -aes-256-cbc -md md5 -pass pass:{passphrase} -in packed 2>/dev/null || true"
        );
        shell(&host, &script)
    };
    assert_eq!(decrypted("geheim"), "top secret\n");
    assert_ne!(decrypted("falsch"), "top secret\n");
    let clear = shell(&host, "grep -c 'top secret' my-1.10-2.tpkg || true");
    assert_eq!(clear, "0\n");
}

#[test]
fn cases_10_and_14_without_a_passphrase_nothing_is_built_and_the_question_names_the_package() {
    let host = Host::new();
    source(&host, MANIFEST);
    let ran = host.cart(&["build", "work/src"]);
    assert_eq!(ran.status, 5, "{ran:?}");
    assert!(ran.stderr.contains("passphrase for `my-1.10-2`"), "{ran:?}");
    assert!(ran.stderr.contains("--passphrase-file"), "{ran:?}");
    assert_eq!(shell(&host, "ls -A"), "src\n", "nothing is left");
    std::fs::write(host.root().join("pass"), "geheim\nsecond line\n").unwrap();
    done(&host.cart(&["build", "work/src", "--passphrase-file", "pass"]));
    let with_file = shell(&host, "sha256sum my-1.10-2.tpkg");
    done(&build(&host, &[]));
    assert_eq!(shell(&host, "sha256sum my-1.10-2.tpkg"), with_file, "the same passphrase");
}

#[test]
fn case_11_what_says_that_it_is_encrypted_has_to_be() {
    let host = Host::new();
    let folder = source(&host, &MANIFEST.replace("encrypt: true", "encrypt: precrypt"));
    let ran = build(&host, &[]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("`reloc/secret`") && ran.stderr.contains("precrypt"), "{ran:?}");
    std::fs::write(folder.join("reloc/secret"), b"Salted__12345678").unwrap();
    done(&build(&host, &[]));
}

#[test]
fn case_12_a_file_that_is_there_is_replaced_whole_and_anything_else_is_not() {
    let host = Host::new();
    source(&host, MANIFEST);
    let path = host.root().join("work/my-1.10-2.tpkg");
    std::fs::write(&path, b"old").unwrap();
    done(&build(&host, &[]));
    assert!(path.metadata().unwrap().len() > 1000);
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/nowhere", &path).unwrap();
    assert_eq!(build(&host, &[]).status, 4);
    assert!(path.is_symlink(), "no link is followed, and none replaced");
    assert_eq!(shell(&host, "ls -A"), "my-1.10-2.tpkg\nsrc\n", "nothing is left");
}

#[test]
fn case_13_the_directory_may_be_the_present_one_relative_or_absolute() {
    let host = Host::new();
    let folder = source(&host, MANIFEST);
    for (from, place) in
        [(folder.as_path(), "."), (host.root().as_path(), "work/src/../src/"), (Path::new("/"), "")]
    {
        let absolute = folder.display().to_string();
        let argument = if place.is_empty() { absolute.as_str() } else { place };
        let mut command = host.call(&["build", argument]).into_command();
        command.current_dir(from).env("CART_PASSPHRASE", "geheim");
        assert!(command.output().unwrap().status.success(), "{argument}");
        std::fs::remove_file(host.root().join("work/my-1.10-2.tpkg")).unwrap();
    }
}

#[test]
fn case_16_the_target_is_a_directory_outside_the_source() {
    let host = Host::new();
    source(&host, MANIFEST);
    std::fs::write(host.root().join("plain"), b"").unwrap();
    for (out, status) in [("nowhere", 1), ("plain", 1), ("work/src", 2), ("work/src/reloc", 2)] {
        let ran = build(&host, &["--out", out]);
        assert_eq!(ran.status, status, "{out}: {ran:?}");
        assert!(ran.stderr.contains(out), "{ran:?}");
    }
    std::fs::create_dir(host.root().join("dist")).unwrap();
    let ran = build(&host, &["-o", "dist", "--json"]);
    done(&ran);
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answer["path"], "[ROOT]/dist/my-1.10-2.tpkg");
    assert_eq!(answer["title"], "my-1.10-2");
    assert_eq!(answer["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn case_9_and_others_an_error_names_the_place_and_the_remedy() {
    let host = Host::new();
    for (manifest, words) in [
        (MANIFEST.replace("path: secret", "path: missing"), ["tpkg.yml:8:", "`missing`"]),
        (MANIFEST.replace("description: a package\n", ""), ["tpkg.yml:1:", "`description`"]),
        (MANIFEST.replace("version: 1.10", "version: ten"), ["tpkg.yml:2:", "digit"]),
        (format!("{MANIFEST}nonsense: 1\n"), ["`nonsense`", "remove"]),
    ] {
        let _ = std::fs::remove_dir_all(host.root().join("work"));
        source(&host, &manifest);
        let ran = build(&host, &[]);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(words.iter().all(|word| ran.stderr.contains(word)), "{words:?} {ran:?}");
        assert_eq!(shell(&host, "ls -A"), "src\n", "nothing is left");
    }
}

#[test]
fn a_cartridge_becomes_an_archive_that_can_be_fetched() {
    let host = Host::new();
    let folder = host.root().join("work/src");
    for (path, text) in [
        (
            "metadata/manifest.yml",
            "Name: good\nCartridge-Short-Name: GOOD\nCartridge-Vendor: acme\n\
             Cartridge-Version: '1.0.1'\nCompatible-Versions: []\nVersion: '1.0'\n\
             Categories: [service]\n",
        ),
        ("bin/control", "#!/bin/bash\nexit 0\n"),
        ("bin/setup", "#!/bin/bash\nexit 0\n"),
        ("env/X", "1"),
    ] {
        std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        std::fs::write(folder.join(path), text).unwrap();
    }
    std::fs::set_permissions(folder.join("bin/setup"), PermissionsExt::from_mode(0o755)).unwrap();
    for (how, ending) in [("gzip", "tar.gz"), ("no", "tar")] {
        let ran = build(&host, &["--compress", how]);
        done(&ran);
        assert_eq!(ran.stdout, format!("[ROOT]/work/acme-good-1.0-1.0.1.{ending}\n"));
        let archive = format!("work/acme-good-1.0-1.0.1.{ending}");
        done(&host.cart(&["fetch", &archive, "--into", how]));
        assert_eq!(mode(&host.root().join(how).join("bin/setup")), 0o755);
    }
    assert_eq!(build(&host, &["--compress", "bz2"]).status, 2);
    assert_eq!(host.cart(&["build", "work"]).status, 1, "no package at all");
}

#[test]
fn what_is_no_package_says_so_under_its_name() {
    let host = Host::new();
    std::fs::write(host.root().join("a.tpkg"), b"no archive at all").unwrap();
    let ran = host.cart(&["fetch", "a.tpkg", "--into", "x"]);
    assert_eq!(ran.status, 7, "case 4: {ran:?}");
    source(&host, MANIFEST);
    shell(&host, "mkdir -p a/b && echo x > a/b/c && tar cf two.tpkg a src");
    let ran = host.cart(&["fetch", "work/two.tpkg", "--into", "x"]);
    assert_eq!(ran.status, 6, "case 5: {ran:?}");
    assert!(ran.stderr.contains("top level") && ran.stderr.contains("cart build"), "{ran:?}");
    let list = "<tpkg_checksums></tpkg_checksums>";
    let script = format!(
        "mkdir e && echo '{list}' > e/checksum.xml && \
         tar cf e/tpkg.tar --transform s/^src/tpkg/ src && tar cf e.tpkg e"
    );
    shell(&host, &script);
    let ran = host.cart(&["fetch", "work/e.tpkg", "--into", "x"]);
    assert_eq!(ran.status, 6, "{ran:?}");
    assert!(ran.stderr.contains("no checksum"), "{ran:?}");
    assert!(!host.root().join("x").exists());
}
