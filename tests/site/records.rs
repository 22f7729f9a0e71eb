//! Every script in Perl of the public packages of UBOS: that the runtime compiles it, and what it leaves.
//! The scripts are fetched; `record/expected.txt` has facts about them, never their text. It is what the
//! original's own `UBOS::Utils` and `UBOS::Variables` leave as well, but for the clients of databases and
//! the order of keys; `UPDATE_RECORD=1` writes it anew. What systemd or sshd starts is only compiled.
//! `make test-real` alone runs these.

use crate::fetch::{Public, fetch};
use crate::host::Host;
use crate::package::{file, id, package, site};
use crate::servers::{Server, is_root};
use crate::skip;
use serde_json::{Value, json};
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
        return skip(
            TEST,
            "scripts that know paths by heart need a root of their own, which root makes",
        );
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

/// The text of a script of `SCRIPTS`; the error is why it cannot be had here.
fn script(host: &Host, folder: &'static str, name: &str) -> Result<String, String> {
    let (repository, commit, _) = SCRIPTS.iter().find(|one| one.2.contains(&folder)).unwrap();
    let into = host.outside("public").join(folder);
    std::fs::create_dir_all(into.parent().unwrap()).unwrap();
    fetch(&Public { repository, commit, folder }, &into)?;
    Ok(std::fs::read_to_string(into.join(name)).unwrap())
}

/// An app called `name` with a database, its tables made by `sql`, and a public script at `moment`.
fn app_with(
    (host, server): (&Host, &Server),
    (name, moment): (&str, &str),
    (sql, perl): (&str, &str),
) -> String {
    let manifest = json!({ "type" : "app", "roles" : {
        server.role : {
            "appconfigitems" : [ { "type" : "database", "name" : "maindb",
                "retentionpolicy" : "keep", "retentionbucket" : "maindb",
                "privileges" : "all privileges" } ],
            "installers" : [ { "type" : "sqlscript", "name" : "maindb", "source" : "make.sql" } ] },
        "apache2" : { "defaultcontext" : "/app",
            moment : [ { "type" : "perlscript", "source" : "script.pl" } ] } } });
    host.write("etc/cartwright/config.yml", &server.settings);
    let files = [("make.sql", sql), ("script.pl", perl)];
    host.must(&["install", &package(host, (name, "1"), &manifest, &files)]);
    let app: Value = json!({ "appconfigid" : id('a', '7'), "appid" : name });
    file(host, &site("blog.example.org", '7', &[app]))
}

/// The database that is there now, and was not before.
fn new_database(server: &Server, before: &[String]) -> String {
    server.databases().into_iter().find(|one| !before.contains(one)).unwrap()
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn an_administrator_is_in_the_rows_that_webtrees_script_leaves() {
    const TEST: &str = "webtrees";
    let host = Host::new();
    let perl = match script(&host, "webtrees/bin", "set-admin.pl") {
        Ok(perl) => perl,
        Err(why) => return skip(TEST, &why),
    };
    if !Path::new("/usr/bin/php").exists() {
        return skip(TEST, "the script asks `php`");
    }
    let Some(server) = Server::mariadb(TEST) else { return };
    let before = server.databases();
    let sql = "CREATE TABLE wt_user (user_id INT, user_name VARCHAR(99), email VARCHAR(99),\n\
        real_name VARCHAR(99), password VARCHAR(255));\n\
        INSERT INTO wt_user VALUES (1, '', '', '', ''), (2, 'b', '', '', '');\n";
    let path = app_with((&host, &server), ("webtrees", "installers"), (sql, &perl));
    host.must(&["site", "deploy", &path]);
    let rows = "SELECT user_id, user_name, email, real_name, password LIKE '$2y$%' FROM wt_user";
    let rows = server.ask(&new_database(&server, &before), rows);
    assert_eq!(rows, "1\tadmin\ta@example.org\tA\t1\n2\tb\t\t\t0");
    host.must(&["site", "undeploy", "blog.example.org"]);
    assert_eq!(server.databases(), before);
    println!("real: webtrees' administrator is there");
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn tables_belong_to_the_apps_user_after_mastodons_script() {
    const TEST: &str = "mastodon";
    if !is_root() {
        return skip(TEST, "the script works as the server's administrator, whom root can become");
    }
    let host = Host::new();
    let perl = match script(&host, "mastodon/bin", "db-pre-migrate.pl") {
        Ok(perl) => perl,
        Err(why) => return skip(TEST, &why),
    };
    let Some(server) = Server::postgresql(TEST) else { return };
    let before = server.databases();
    let sql = "CREATE TABLE one (x int);\nINSERT INTO one VALUES (5);\n";
    let path = app_with((&host, &server), ("mastodon", "upgraders"), (sql, &perl));
    host.must(&["site", "deploy", &path]);
    let owner = "SELECT rolcanlogin, (SELECT x FROM one) FROM pg_tables \
        JOIN pg_roles ON rolname = tableowner WHERE tablename = 'one' AND rolname <> 'postgres'";
    let owner = |before: &[String]| server.ask(&new_database(&server, before), owner);
    assert_ne!(owner(&before), "t|5", "it is nobody's who can log in until the script has run");
    host.must(&["site", "redeploy", "blog.example.org"]);
    assert_eq!(owner(&before), "t|5");
    host.must(&["site", "undeploy", "blog.example.org"]);
    assert_eq!(server.databases(), before);
    println!("real: mastodon's tables belong to its user");
}
