//! The package that tpkg's own tests carry: built in 2009, without digests of its files, with one file
//! that tpkg encrypted and one that its author had. And back: the real tpkg takes what we build.

use super::host::Host;
use super::public::{Public, fetch};
use cartwright::format::tpkg::crypt::{self, CryptError, Passphrase};
use cartwright::package::tpkg::{Cipher, Encryption};
use std::path::Path;
use std::process::Command;

const CLIENT: Public = Public {
    repository: "tpkg/client",
    commit: "37e225c1fde29d04ff82599db2061ae6451da63d",
    folder: "",
};
const PREMADE: &str = "test/premadetestpkg/pkg_without_file_metadata-1.0-1.tpkg";

/// Brings the repository into `place`; tells, and gives nothing, where it cannot be had.
fn client(place: &Path) -> Option<std::path::PathBuf> {
    let folder = place.join("client");
    match fetch(&CLIENT, &folder) {
        Ok(_) if folder.join(PREMADE).is_file() => Some(folder),
        Ok(_) => {
            println!("SKIP: real::tpkg: the mirror lacks the package");
            None
        }
        Err(why) => {
            println!("SKIP: real::tpkg: {} cannot be fetched: {why}", CLIENT.repository);
            None
        }
    }
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn case_58_the_oldest_package_is_read_and_its_files_can_be_decrypted() {
    let place = tempfile::tempdir().unwrap();
    let Some(client) = client(place.path()) else { return };
    let host = Host::new();
    let into = place.path().join("tree");
    let package = client.join(PREMADE);
    host.must(&["fetch", package.to_str().unwrap(), "--into", into.to_str().unwrap()]);
    let passphrase = |text: &str| Passphrase::new(text.to_owned()).unwrap();
    let how = |precrypt| Encryption { cipher: Cipher::default(), precrypt, plain: None };
    let open = |name: &str, text: &str| -> Result<Vec<u8>, CryptError> {
        let mut packed = std::fs::File::open(into.join("reloc").join(name)).unwrap();
        let mut plain = Vec::new();
        crypt::decrypt(&how(false), &passphrase(text), &mut packed, &mut plain).map(|_| plain)
    };
    let expected = std::fs::read(into.join("reloc/precryptfile.plaintext")).unwrap();
    assert_eq!(open("precryptfile", "password").unwrap(), expected);
    assert!(!open("encfile", "password").unwrap().is_empty());
    assert!(open("precryptfile", "other").is_err());
}

#[test]
#[ignore = "needs the network and ruby with facter: `make test-real`"]
fn the_real_tpkg_verifies_and_lists_what_we_build_and_we_read_what_it_builds() {
    let place = tempfile::tempdir().unwrap();
    let Some(client) = client(place.path()) else { return };
    let tpkg = |arguments: &[&str]| {
        let mut command = Command::new("ruby");
        command.args(["-W0", "-I"]).arg(client.join("lib")).arg(client.join("bin/tpkg"));
        command.args(["--test-root", place.path().to_str().unwrap()]).args(arguments);
        command.output().ok().filter(|output| output.status.success())
    };
    if tpkg(&["--version"]).is_none() {
        println!("SKIP: real::tpkg: the original does not run here");
        return;
    }
    let source = place.path().join("src");
    std::fs::create_dir_all(source.join("reloc/bin")).unwrap();
    std::fs::write(source.join("reloc/bin/x y"), b"#!/bin/sh\n").unwrap();
    let manifest = "name: ours\nversion: '1.10'\nmaintainer: m\ndescription: d\n";
    std::fs::write(source.join("tpkg.yml"), manifest).unwrap();
    let host = Host::new();
    for how in ["gzip", "bz2", "no"] {
        host.must(&["build", source.to_str().unwrap(), "--compress", how]);
        let ours = place.path().join("ours-1.10.tpkg");
        assert!(tpkg(&["-V", ours.to_str().unwrap()]).is_some(), "{how}");
        let listed = tpkg(&["--ql", ours.to_str().unwrap()]).unwrap();
        assert!(String::from_utf8_lossy(&listed.stdout).contains("<relocatable>/bin/x y"), "{how}");
        std::fs::remove_file(&ours).unwrap();
        let arguments = ["-n", "-m", source.to_str().unwrap(), "--compress", how];
        assert!(tpkg(&arguments).is_some(), "{how}");
        let into = place.path().join(how);
        host.must(&["fetch", ours.to_str().unwrap(), "--into", into.to_str().unwrap()]);
        assert!(into.join("reloc/bin/x y").is_file(), "{how}");
    }
}
