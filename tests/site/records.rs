//! Every script in Perl of the public packages of UBOS: that the runtime compiles it, and what it leaves.
//! The scripts are fetched; `record/expected.txt` has facts about them, never their text.
//! `make test-real` alone runs these.

use crate::fetch::{Public, fetch};
use crate::servers::is_root;
use crate::skip;
use std::path::Path;
use std::process::Command;

const EXPECTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site/record/expected.txt");

/// Repository, commit, folders with scripts.
const SCRIPTS: &[(&str, &str, &[&str])] = &[
    ("uboslinux/ubos-app-jenkins", "6d6522202046d16b62d585ea4b48e6b9803424d2", &["jenkins/bin"]),
    ("uboslinux/ubos-app-mastodon", "4e01b8735e460b8366dcd182a3f09f3b4386d691", &["mastodon/bin"]),
    ("uboslinux/ubos-app-matomo", "42fee01ff9d9ab18bd306b80aa3dfc10e3ce8aa7", &["matomo/bin"]),
    (
        "uboslinux/ubos-app-mattermost",
        "64b276f0231902a8e2592bdc54e8e7e5fb798af4",
        &["mattermost/bin"],
    ),
    (
        "uboslinux/ubos-app-mediagoblin",
        "aeb6afc8bc5f17b62452633afbcac78298a6caea",
        &["mediagoblin/bin"],
    ),
    (
        "uboslinux/ubos-app-mediawiki",
        "76170fd362a0dbe110ce635ea0ad56a34bf9bed3",
        &["mediawiki/bin", "mediawiki/tmpl"],
    ),
    (
        "uboslinux/ubos-app-nextcloud",
        "2d7cd35591b2c4e87e1fa99b9338d64f66b7e748",
        &[
            "nextcloud/bin",
            "nextcloud26/bin",
            "nextcloud27/bin",
            "nextcloud28/bin",
            "nextcloud29/bin",
            "nextcloud-cache-redis/bin",
            "nextcloud-files-fulltextsearch/bin",
            "nextcloud-fulltextsearch/bin",
            "nextcloud-fulltextsearch-elasticsearch/bin",
        ],
    ),
    ("uboslinux/ubos-app-owncloud", "3ef8172f5aff4b65158c19babc31e01e698039af", &["owncloud/bin"]),
    ("uboslinux/ubos-app-phpbb", "cfaa0158b7ade4b1679486c6c5deda88b0d2b04c", &["phpbb/bin"]),
    ("uboslinux/ubos-app-river", "05ca155823d960bde75562cd36402fc4381e0392", &["river/bin"]),
    ("uboslinux/ubos-app-selfoss", "a1148cd0f28548618ba9b47381a58e9b74d8a7c9", &["selfoss/bin"]),
    ("uboslinux/ubos-app-shaarli", "af47aa7e0166ee598ef3fd57ce2915f88c631d2f", &["shaarli/bin"]),
    ("uboslinux/ubos-app-webtrees", "8783822dc0d2c26f1a68c8d37098727d7d22321b", &["webtrees/bin"]),
    (
        "uboslinux/ubos-app-wordpress",
        "93bf95c3543f02b0457907ae082a03ebad31f78e",
        &["wordpress/bin", "wordpress/tmpl"],
    ),
    ("uboslinux/ubos-tools", "4923a46d25a771a1ccef2c1ea06adb9e6fc4ed03", &["ubos-repo/bin"]),
    ("uboslinux/ubos-utilapps", "e1a047296873cb2709315a071eba12b371d29cf0", &["htproxy/bin"]),
    (
        "uboslinux/ubos-workout",
        "07e0153f5b7de1a3748f7c508cac8a9332253961",
        &[
            "installupgrade",
            "installupgrade-acc",
            "workout-exec1",
            "workout-file1",
            "workout-perlscript1",
        ],
    ),
];

/// Whether a file is a script of a package: what else lies beside it is none of ours.
fn is_script(path: &Path) -> bool {
    let is_perl = path.extension().is_some_and(|ending| ending == "pl");
    is_perl || (path.ends_with("workout-exec1/script") || path.ends_with("workout-exec1/cleanup"))
}

/// Keeps the scripts in `folder`, and counts them.
fn keep_scripts(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += keep_scripts(&path);
        } else if is_script(&path) {
            count += 1;
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
    count
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn scripts_leave_what_the_record_says() {
    const TEST: &str = "records";
    if !is_root() {
        return skip(TEST, "scripts that know paths by heart need a root of their own, which root makes");
    }
    let temp = tempfile::tempdir().unwrap();
    let scripts = temp.path().join("scripts");
    for (repository, commit, folders) in SCRIPTS {
        for folder in *folders {
            let name = repository.rsplit('/').next().unwrap();
            let into = scripts.join(name).join(folder);
            std::fs::create_dir_all(into.parent().unwrap()).unwrap();
            match fetch(&Public { repository, commit, folder }, &into) {
                Ok(absent) => assert!(absent.iter().all(|path| !is_script(Path::new(path)))),
                Err(why) => return skip(TEST, &format!("{repository}: {why}")),
            }
        }
    }
    let count = keep_scripts(&scripts);
    let own = |path: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let root = temp.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let output = Command::new("unshare")
        .args(["--mount", "--"])
        .arg(own("tests/site/record/scene"))
        .args([&root, &own("src/gear/sdk/perl"), &own("tests/site/record/driver.pl"), &scripts])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("unshare failed") {
        return skip(TEST, said.trim());
    }
    assert!(output.status.success(), "{said}");
    let record = format!("scripts: {count}\n{}", String::from_utf8(output.stdout).unwrap());
    if std::env::var_os("UPDATE_RECORD").is_some() {
        std::fs::write(EXPECTED, &record).unwrap();
    }
    let expected = std::fs::read_to_string(EXPECTED).unwrap();
    let different = expected.lines().zip(record.lines()).find(|(one, other)| one != other);
    assert!(expected == record, "the first that is different: {different:?}");
    println!("real: {count} scripts of UBOS compile and leave what the record says");
}
