//! Whole packages, read. Numbers are those of specification 6.

use crate::format::sample::Sample;
use crate::package::Package;
use crate::package::digest::Sha256;
use crate::package::external::ExternalData;
use crate::package::note::Notes;
use crate::package::tpkg::{Cipher, Place, RequirementKind, Tpkg, TpkgFile};

const MINIMAL: &str = "name: a\nversion: '1.0'\nmaintainer: m\ndescription: d\n";

fn read_tree(files: &[(&str, &[u8])]) -> (Result<Package, String>, Vec<String>) {
    let mut notes = Notes::default();
    let read = crate::format::read(&Sample::new(files), &mut notes);
    let notes = notes.into_vec().into_iter().map(|note| note.text).collect();
    (read.map_err(|error| error.to_string()), notes)
}

fn yml(more: &str, files: &[(&str, &[u8])]) -> Tpkg {
    let text = format!("{MINIMAL}{more}");
    let all = [&[("tpkg.yml", text.as_bytes())], files].concat();
    let (package, notes) = read_tree(&all);
    *package.unwrap_or_else(|error| panic!("{error} {notes:?}")).tpkg.unwrap()
}

fn refused(more: &str) -> String {
    let text = format!("{MINIMAL}{more}");
    read_tree(&[("tpkg.yml", text.as_bytes()), ("reloc/f", b"x")]).0.unwrap_err()
}

fn file<'a>(tpkg: &'a Tpkg, path: &str) -> &'a TpkgFile {
    tpkg.files.iter().find(|file| file.path_in_tree() == path).unwrap()
}

#[test]
fn a_package_of_yaml_is_read_whole() {
    let text = "name: Apache\nversion: 2.2.4\npackage_version: 12\nmaintainer: m@example.com\n\
        description: a server\nbugreporting: http://b.invalid\noperatingsystem: [RedHat-5, CentOS-5]\n\
        architecture:\n- x86_64\ntpkg_version: 2.3.6\n\
        dependencies:\n- name: ssl\n  minimum_version: '1.10'\n  native: true\n\
        - name: b\n  allowed_versions: 1.*\n- name: c\n  type: :tpkg\n\
        conflicts:\n- name: nginx\n  maximum_version: 3\n\
        externals:\n- name: user\n  data: apache\n- name: nfs\n  datafile: mounts\n\
        files:\n  file_defaults:\n    posix: {owner: root, group: 5, perms: 0444}\n\
        \x20 dir_defaults:\n    posix:\n      owner: www\n\
        \x20 files:\n  - path: /etc/httpd.conf\n    config: true\n    posix: {perms: 0640}\n\
        \x20 - path: bin/start\n    init:\n      start: 05\n      levels: [2, 3]\n\
        \x20 - path: cron\n    crontab:\n      user: www\n";
    let (package, notes) = read_tree(&[
        ("tpkg.yml", text.as_bytes()),
        ("root/etc/httpd.conf", b"c"),
        ("reloc/bin/start", b"s"),
        ("reloc/cron", b"*"),
        ("reloc/link -> /etc/passwd", b""),
        ("preinstall", b"#!"),
        ("mounts", b"m"),
    ]);
    let package = package.unwrap();
    assert_eq!(package.title(), "Apache-2.2.4-12-redhat5-x86_64");
    assert_eq!(package.package_version.as_str(), "2.2.4-12");
    assert_eq!(package.default_software().description, "a server");
    assert_eq!(package.externals.len(), 2);
    let tpkg = package.tpkg.unwrap();
    let kinds: Vec<_> = tpkg.dependencies.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [RequirementKind::Native, RequirementKind::Tpkg, RequirementKind::Tpkg]);
    assert_eq!(tpkg.dependencies[0].minimum_version.as_deref(), Some("1.10"));
    assert_eq!(tpkg.conflicts[0].maximum_version.as_deref(), Some("3"));
    let conf = file(&tpkg, "root/etc/httpd.conf");
    assert_eq!((conf.mode(), conf.config, conf.owner()), (0o640, true, Some("root")));
    let start = file(&tpkg, "reloc/bin/start");
    let init = start.init.as_ref().unwrap();
    assert_eq!((start.mode(), init.start.as_deref()), (0o444, Some("05")));
    assert_eq!(init.levels.as_deref(), Some(&['2', '3'][..]));
    assert_eq!(start.group(), Some("5"));
    assert_eq!(file(&tpkg, "reloc/bin").owner(), Some("www"));
    let user = file(&tpkg, "reloc/cron").crontab.as_ref().unwrap().user.as_deref();
    assert_eq!(user, Some("www"));
    assert!(tpkg.scripts.preinstall && !tpkg.scripts.postinstall);
    assert!(notes.iter().any(|note| note.contains("not executable")), "{notes:?}");
    assert_eq!(tpkg.files.first().unwrap().place, Place::Reloc);
    let order: Vec<String> = tpkg.files.iter().map(TpkgFile::path_in_tree).collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn a_package_of_xml_is_read_whole() {
    let text = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tpkg SYSTEM "http://tpkg.invalid/tpkg-1.0.1.dtd">
<tpkg>
  <name>a</name><version>1.10</version><package_version>010</package_version>
  <maintainer>m</maintainer>
  <operatingsystem>RedHat-4, CentOS-4</operatingsystem><operatingsystem>Debian-5</operatingsystem>
  <architecture>i386</architecture>
  <dependencies><dependency><name>d</name><native/></dependency>
    <dependency><name>e</name><minimum_version>1.20</minimum_version></dependency></dependencies>
  <conflicts><conflict><name>x</name></conflict></conflicts>
  <externals><external><name>user</name><data><one a='b'/>&amp;</data></external>
    <external><name>n</name><datascript>./run</datascript></external></externals>
  <files>
    <file_defaults><posix><owner>root</owner><perms>444</perms></posix></file_defaults>
    <file><path>f</path><config/><encrypt algorithm="aes-128-cbc"/></file>
    <file><path>g</path><encrypt precrypt="true"/></file>
    <file><path>/etc/i</path><init><start>5</start><levels>234</levels></init></file>
    <file><path>/etc/j</path><init><levels/></init><crontab/></file>
  </files>
</tpkg>"#;
    let (package, notes) = read_tree(&[
        ("tpkg.xml", text.as_bytes()),
        ("reloc/f", b"f"),
        ("reloc/g", b"g"),
        ("root/etc/i", b"i"),
        ("root/etc/j", b"j"),
        ("run", b"#!"),
    ]);
    let package = package.unwrap();
    assert_eq!(package.title(), "a-1.10-010-multios-i386");
    assert_eq!(package.externals[0].data, ExternalData::Inline(b"<one a='b'/>&amp;".to_vec()));
    assert!(matches!(package.externals[1].data, ExternalData::Script(_)));
    let tpkg = package.tpkg.unwrap();
    assert_eq!(tpkg.dependencies[0].kind, RequirementKind::Native);
    assert_eq!(tpkg.dependencies[1].minimum_version.as_deref(), Some("1.20"));
    let f = file(&tpkg, "reloc/f");
    assert_eq!((f.mode(), f.config), (0o444, true));
    assert_eq!(f.encrypt.as_ref().unwrap().cipher, Cipher::Aes128Cbc);
    assert!(file(&tpkg, "reloc/g").encrypt.as_ref().unwrap().precrypt);
    let levels = |path: &str| file(&tpkg, path).init.as_ref().unwrap().levels.clone().unwrap();
    assert_eq!(levels("root/etc/i"), ['2', '3', '4']);
    assert!(levels("root/etc/j").is_empty() && file(&tpkg, "root/etc/j").crontab.is_some());
    assert_eq!(notes.len(), 1, "{notes:?}");
}

#[test]
fn yaml_comes_before_xml() {
    let (package, _) = read_tree(&[
        ("tpkg.yml", MINIMAL.as_bytes()),
        ("tpkg.xml", b"<tpkg><name>b</name></tpkg>"),
    ]);
    assert_eq!(package.unwrap().name.as_str(), "a");
}

#[test]
fn versions_of_others_are_what_the_original_makes_of_them() {
    let text = "name: x\nversion: 1.10\npackage_version: 010\n";
    let (package, notes) = read_tree(&[("tpkg.yml", text.as_bytes())]);
    assert_eq!(package.unwrap().title(), "x-1.1-8");
    assert_eq!(notes.iter().filter(|note| note.contains("put it in quotes")).count(), 2);
}

#[test]
fn case_7_name_and_version_are_needed_and_what_older_packages_lack_is_not() {
    for (text, missing) in [
        ("version: '1'\n", "`name`"),
        ("name: a\n", "`version`"),
        ("name: a\nversion: ''\n", "`version`"),
        ("name: a\nversion: [1]\n", "`version`"),
        ("", "is empty"),
        ("- a\n", "is a list"),
    ] {
        let error = read_tree(&[("tpkg.yml", text.as_bytes())]).0.unwrap_err();
        assert!(error.contains(missing), "{error}");
    }
    assert!(read_tree(&[("tpkg.yml", b"name: a\nversion: '1'\n")]).0.is_ok());
}

#[test]
fn case_8_every_optional_field_may_be_absent() {
    let tpkg = yml("", &[]);
    assert_eq!(tpkg.file_name, "a-1.0.tpkg");
    assert!(tpkg.files.is_empty() && tpkg.dependencies.is_empty());
}

#[test]
fn case_54_modes_are_octal_however_they_are_written() {
    for (perms, mode) in [
        ("0444", 0o444),
        ("444", 0o444),
        ("644", 0o644),
        ("\"0644\"", 0o644),
        ("04755", 0o4755),
        ("4755", 0o4755),
        ("'1777'", 0o1777),
    ] {
        let text = format!(
            "files:\n  file_defaults:\n    posix:\n      perms: {perms}\n  files:\n  \
             - path: own\n    posix:\n      perms: {perms}\n"
        );
        let tpkg = yml(&text, &[("reloc/own", b"x"), ("reloc/other", b"x")]);
        assert_eq!(file(&tpkg, "reloc/own").mode(), mode, "{perms}");
        assert_eq!(file(&tpkg, "reloc/other").mode(), mode, "{perms}");
        assert_eq!(file(&tpkg, "reloc/own").default.perms, Some(mode));
    }
    for perms in ["u+x", "99", "17777", "-644", "[1]"] {
        let text = format!("files:\n  file_defaults:\n    posix:\n      perms: {perms}\n");
        assert!(refused(&text).contains("`perms`"), "{perms}");
    }
    let tpkg = yml("", &[("reloc/d/f", b"x")]);
    assert_eq!((file(&tpkg, "reloc/d").mode(), file(&tpkg, "reloc/d/f").mode()), (0o755, 0o644));
}

#[test]
fn the_original_s_own_records_have_decimal_modes() {
    let text = "filename: a-1.0.tpkg\nfiles:\n  files:\n  - path: f\n    posix: {perms: 420}\n";
    assert_eq!(file(&yml(text, &[("reloc/f", b"x")]), "reloc/f").mode(), 0o644);
}

#[test]
fn case_55_links_are_what_they_are_and_get_no_mode_of_a_file() {
    let tpkg = yml("", &[("reloc/broken -> nowhere", b""), ("root/d -> /usr", b"")]);
    assert_eq!(file(&tpkg, "reloc/broken").packed_mode & 0o111, 0);
    assert_eq!(tpkg.files.len(), 2);
}

#[test]
fn legacy_spellings_of_encryption_are_read_and_unknown_ciphers_are_not() {
    for (encrypt, precrypt) in
        [("true", false), ("precrypt", true), ("{precrypt: true}", true), ("{}", false)]
    {
        let text = format!("files:\n  files:\n  - path: f\n    encrypt: {encrypt}\n");
        let tpkg = yml(&text, &[("reloc/f", b"x")]);
        let how = file(&tpkg, "reloc/f").encrypt.clone().unwrap();
        assert_eq!((how.precrypt, how.cipher), (precrypt, Cipher::Aes256Cbc), "{encrypt}");
    }
    let text = "files:\n  files:\n  - path: f\n    encrypt: {algorithm: rc4}\n";
    assert!(refused(text).contains("rc4"));
}

#[test]
fn an_encrypted_directory_means_every_file_in_it() {
    let text = "files:\n  files:\n  - path: /etc/keys/\n    encrypt: true\n";
    let tpkg = yml(text, &[("root/etc/keys/a/b", b"x"), ("root/etc/keysother", b"x")]);
    assert!(file(&tpkg, "root/etc/keys/a/b").encrypt.is_some());
    assert!(file(&tpkg, "root/etc/keysother").encrypt.is_none());
    assert!(file(&tpkg, "root/etc/keys").encrypt.is_none());
}

#[test]
fn the_published_digest_is_that_of_the_decrypted_file() {
    let digest = Sha256([7; 32]);
    let lines = [
        super::file_metadata::Line {
            path: "f".into(),
            relocatable: true,
            config: false,
            sha256: Some(digest),
        },
        super::file_metadata::Line {
            path: "/g".into(),
            relocatable: false,
            config: false,
            sha256: Some(digest),
        },
    ];
    let bin = super::file_metadata::write(&lines);
    let text = format!(
        "{MINIMAL}files:\n  files:\n  - path: f\n    encrypt: true\n  - path: /g\n    encrypt: precrypt\n"
    );
    let all: [(&str, &[u8]); 4] = [
        ("tpkg.yml", text.as_bytes()),
        ("reloc/f", b"x"),
        ("root/g", b"x"),
        ("file_metadata.bin", &bin),
    ];
    let (package, notes) = read_tree(&all);
    let tpkg = package.unwrap().tpkg.unwrap();
    let plain = |path: &str| file(&tpkg, path).encrypt.as_ref().unwrap().plain;
    assert_eq!([plain("reloc/f"), plain("root/g")], [Some(digest), None]);
    assert!(notes.iter().any(|note| note.contains("another digest")), "{notes:?}");
}

#[test]
fn what_becomes_a_path_an_account_or_a_command_is_checked() {
    let listed = |what: &str| format!("files:\n  files:\n  - path: {what}\n");
    for (more, word) in [
        (listed("../x"), "climbs"),
        (listed("/../x"), "climbs"),
        (listed("\"a\\nb\""), "control"),
        (listed("missing"), "there is no"),
        (listed("f\n    posix: {owner: \"a:b\"}"), "account"),
        (listed("f\n    posix: {group: \"a\\nb\"}"), "account"),
        (listed("f\n    crontab: {user: -x}"), "account"),
        (listed("f\n    init: {start: ../5}"), "start"),
        (listed("f\n    init: {levels: [2, /x]}"), "levels"),
        (listed("f\n    init: {levels: [../2]}"), "levels"),
        (listed("f\n    encrypt: maybe"), "encrypt"),
        ("dependencies:\n- name: ../x\n".into(), "name"),
        ("dependencies:\n- {}\n".into(), "name"),
        ("dependencies: x\n".into(), "dependencies"),
        ("externals:\n- name: ../x\n".into(), "external"),
        ("externals:\n- name: x\n  datafile: ../../etc/shadow\n".into(), "datafile"),
    ] {
        let error = refused(&more);
        assert!(error.contains(word), "{more}: {error}");
    }
    for name in ["../x", "a/b", "\"a\\nb\"", "-rf", "."] {
        let text = format!("name: {name}\nversion: '1'\n");
        assert!(read_tree(&[("tpkg.yml", text.as_bytes())]).0.is_err(), "{name}");
    }
    for version in ["1/2", "\"1 2\"", "../1", "$(id)", "1;2"] {
        let text = format!("name: a\nversion: {version}\n");
        assert!(read_tree(&[("tpkg.yml", text.as_bytes())]).0.is_err(), "{version}");
    }
    for name in ["'a b'", "\"it's\"", "'$(id)'", "'a;b'"] {
        let text = format!("name: {name}\nversion: '1'\n");
        assert!(read_tree(&[("tpkg.yml", text.as_bytes())]).0.is_ok(), "{name}");
    }
}

#[test]
fn bombs_of_yaml_end_as_a_message() {
    let laugh = |n: u32| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","));
    let laughs = (1..30).map(laugh).collect::<Vec<_>>().concat();
    let text = format!("{MINIMAL}a0: &a0 x\n{laughs}");
    let deep = format!("{MINIMAL}files: {}", "[".repeat(10_000));
    for text in [text, deep] {
        assert!(read_tree(&[("tpkg.yml", text.as_bytes())]).0.is_err());
    }
}

#[test]
fn unknown_elements_are_said_and_kept() {
    let text = format!("{MINIMAL}desciption: x\nvendor_thing: 5\n");
    let (package, notes) = read_tree(&[("tpkg.yml", text.as_bytes())]);
    assert!(package.unwrap().extra.contains_key("vendor_thing"));
    assert!(notes.iter().any(|note| note.contains("did you mean `description`")), "{notes:?}");
}
