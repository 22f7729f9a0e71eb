//! Public packages of UBOS, unmodified: pinned by commit, built and deployed with real servers.
//! `make test-real` alone runs these.

use crate::fetch::{Public, fetch};
use crate::host::Host;
use crate::package::{file, id, site};
use crate::servers::{Server, is_root};
use crate::skip;
use crate::web::{Apache, More};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;

const WORKOUT: (&str, &str) =
    ("uboslinux/ubos-workout", "07e0153f5b7de1a3748f7c508cac8a9332253961");
const TOYAPPS: (&str, &str) =
    ("uboslinux/ubos-toyapps", "9084115b18ba42a16031e94fb130f264170d8412");

/// Builds and installs a public package; the error is why it cannot be had here.
fn install(
    host: &Host,
    (repository, commit): (&'static str, &'static str),
    name: &'static str,
) -> Result<(), String> {
    let into = host.outside(&format!("public/{name}"));
    let absent = fetch(&Public { repository, commit, folder: name }, &into)?;
    assert!(absent.is_empty(), "{name}: {absent:?}");
    let out = host.outside("built");
    std::fs::create_dir_all(&out).unwrap();
    host.must(&["build", &into.display().to_string(), "--out", &out.display().to_string()]);
    let built = std::fs::read_dir(&out).unwrap().flatten();
    let mut built = built.filter(|entry| {
        let file = entry.file_name().into_string().unwrap();
        let rest = file.strip_prefix(&format!("{name}-")).map(str::to_owned);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    host.must(&["install", &built.next().unwrap().path().display().to_string()]);
    Ok(())
}

/// Installs them all; says so and gives false where one cannot be had.
fn all(
    test: &str,
    host: &Host,
    from: (&'static str, &'static str),
    names: &[&'static str],
) -> bool {
    for name in names {
        if let Err(why) = install(host, from, name) {
            skip(test, &format!("{name}: {why}"));
            return false;
        }
    }
    true
}

fn app(digit: char, name: &str, accessories: &[&str], points: &Value) -> Value {
    json!({
        "appconfigid" : id('a', digit), "appid" : name, "context" : "/app",
        "accessoryids" : accessories, "customizationpoints" : points,
    })
}

/// The words `deploy` and so on that the scripts of these packages print, in their order.
fn operations(said: &str) -> Vec<String> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("XXX "));
    lines.map(|line| line.split(" (").next().unwrap().replace(" script.pl", "")).collect()
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn installers_and_upgraders_hear_what_the_seed_says() {
    let host = Host::new();
    let names = ["installupgrade", "installupgrade-acc"];
    if !all("installupgrade", &host, WORKOUT, &names) {
        return;
    }
    let with = |accessories: &[&str]| {
        file(&host, &site("*", '1', &[app('1', "installupgrade", accessories, &json!({}))]))
    };
    let alone = with(&[]);
    let said = host.must(&["site", "deploy", &alone]);
    assert_eq!(operations(&said), ["installupgrade deploy", "installupgrade install"]);
    let said = host.must(&["site", "deploy", &with(&["installupgrade-acc"])]);
    assert_eq!(
        operations(&said),
        [
            "installupgrade undeploy",
            "installupgrade deploy",
            "installupgrade-acc deploy",
            "installupgrade upgrade",
            "installupgrade-acc install"
        ]
    );
    let said = host.must(&["site", "deploy", &with(&[])]);
    assert_eq!(
        operations(&said),
        [
            "installupgrade-acc uninstall",
            "installupgrade-acc undeploy",
            "installupgrade undeploy",
            "installupgrade deploy",
            "installupgrade upgrade"
        ]
    );
    let said = host.must(&["site", "undeploy", "*"]);
    assert_eq!(operations(&said), ["installupgrade uninstall", "installupgrade undeploy"]);
}

/// Takes an app through the life of a site: deployed, deployed again, backed up, undeployed, restored,
/// and away. `holds` looks at it whenever it is there.
fn lives(host: &Host, app: &Value, holds: impl Fn(&Host)) {
    let name = app["appid"].as_str().unwrap();
    let before = host.look();
    let path = file(host, &site("blog.example.org", '3', std::slice::from_ref(app)));
    host.must(&["site", "deploy", &path]);
    holds(host);
    host.must(&["site", "redeploy", "blog.example.org"]);
    holds(host);
    let backup = host.outside(&format!("{name}.zip")).display().to_string();
    host.must(&["site", "backup", "blog.example.org", "--out", &backup]);
    holds(host);
    host.must(&["site", "undeploy", "blog.example.org"]);
    assert!(host.look() == before, "{name}: something is left");
    host.must(&["site", "restore", &backup]);
    holds(host);
    host.must(&["site", "undeploy", "blog.example.org"]);
    assert!(host.look() == before, "{name}: something is left");
    println!("real: {name} lives");
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn items_of_every_type_live() {
    let host = Host::new();
    let names = [
        "workout-exec1",
        "workout-perlscript1",
        "workout-file1",
        "workout-file2",
        "workout-dir1",
        "workout-tree1",
        "workout-tree2",
        "workout-symlink1",
    ];
    if !all("workout", &host, WORKOUT, &names) {
        return;
    }
    let app_folder = format!("ubos/http/sites/{}/app", id('s', '3'));
    let cron = format!("etc/cron.d/50-{}", id('a', '3'));
    let expected: &[(&str, &[(&str, u32)])] = &[
        ("workout-exec1", &[("file", 0o644)]),
        ("workout-perlscript1", &[("file", 0o644)]),
        ("workout-file1", &[("file-copy-2.txt", 0o1234), ("file-copy-1.TXT", 0o644)]),
        ("workout-file2", &[(&cron, 0o644)]),
        ("workout-dir1", &[("dir2", 0o555), ("multi/multi", 0o101)]),
        ("workout-tree1", &[("tree-1-asis", 0o755)]),
        ("workout-tree2", &[("dir", 0o755)]),
        ("workout-symlink1", &[("symlink-1", 0o777)]),
    ];
    for (name, expected) in expected {
        lives(&host, &app('3', name, &[], &json!({})), |host| {
            for (file, mode) in *expected {
                let at_app = format!("{app_folder}/{file}");
                let path = if file.starts_with("etc/") { *file } else { &at_app };
                assert_eq!(host.mode(path), *mode, "{name}: {path}");
            }
        });
    }
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn points_of_every_type_live() {
    let host = Host::new();
    let names =
        ["wollmilchsau", "wollmilchsau-one", "wollmilchsau-two", "custpoints", "randomcustpoints"];
    if !all("wollmilchsau", &host, TOYAPPS, &names) {
        return;
    }
    lives(
        &host,
        &app('3', "wollmilchsau", &["wollmilchsau-one", "wollmilchsau-two"], &json!({})),
        |_| {},
    );
    // Its accessory says that it is one of another app.
    let given = json!({ "custpoints" : { "aaa" : { "value" : "one" } } });
    lives(&host, &app('3', "custpoints", &[], &given), |_| {});
    lives(&host, &app('3', "randomcustpoints", &[], &json!({})), |_| {});
}

/// How Debian has it with PHP.
const PHP: &str = "IncludeOptional /etc/apache2/mods-available/php*.load\n\
    IncludeOptional /etc/apache2/mods-available/php*.conf\nDirectoryIndex index.php index.html\n";

/// Whether the ports that the guest books know by heart are free.
fn ports_are_free(test: &str) -> bool {
    let taken =
        [3306, 5432].into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_err());
    if let Some(port) = taken {
        skip(test, &format!("port {port} is taken"));
    }
    taken.is_none()
}

fn has_php(test: &str) -> bool {
    let has = Path::new("/etc/apache2/mods-available").read_dir().is_ok_and(|names| {
        names.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("php"))
    });
    if !has {
        skip(test, "Apache has no module for PHP (libapache2-mod-php)");
    }
    has
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn guest_books_keep_what_guests_write() {
    const TEST: &str = "guest_books";
    if !is_root() {
        return skip(TEST, "the web server's own account reads what root has installed");
    }
    if !ports_are_free(TEST) || !has_php(TEST) {
        return;
    }
    let names =
        ["gladiwashere-php-mysql", "gladiwashere-php-mysql-footer", "gladiwashere-php-postgresql"];
    let host = Host::new();
    if !all(TEST, &host, TOYAPPS, &names) {
        return;
    }
    let (Some(mysql), Some(postgresql)) =
        (Server::mariadb_at(TEST, Some(3306)), Server::postgresql_at(TEST, Some(5432)))
    else {
        return;
    };
    let second = postgresql.settings.strip_prefix("databases:\n").unwrap();
    let more = More {
        mpm: "mpm_prefork",
        text: PHP.into(),
        settings: format!("{}{second}", mysql.settings),
    };
    let Some(apache) = Apache::start(TEST, &host, &more) else { return };
    for (name, server) in
        [("gladiwashere-php-mysql", &mysql), ("gladiwashere-php-postgresql", &postgresql)]
    {
        let blog = "blog.example.org";
        let databases = server.databases();
        let path = file(&host, &site(blog, '4', &[app('4', name, &[], &json!({}))]));
        host.must(&["site", "deploy", &path]);
        apache.answers((blog, "/app/"), "Glad-I-Was-Here");
        apache.send((blog, "/app/"), "name=Ann&email=ann%40example.org&comment=kept+words");
        let keeps = || apache.answers((blog, "/app/"), "kept words");
        keeps();
        host.must(&["site", "redeploy", blog]);
        keeps();
        if name == "gladiwashere-php-mysql" {
            let footer = "gladiwashere-php-mysql-footer";
            let points = json!({ footer : { "message" : { "value" : "words below" } } });
            let path = file(&host, &site(blog, '4', &[app('4', name, &[footer], &points)]));
            host.must(&["site", "deploy", &path]);
            keeps();
            apache.answers((blog, "/app/"), "words below");
        }
        let backup = host.outside(&format!("{name}.zip")).display().to_string();
        host.must(&["site", "backup", blog, "--out", &backup]);
        host.must(&["site", "undeploy", blog]);
        assert_eq!(server.databases(), databases);
        host.must(&["site", "restore", &backup]);
        keeps();
        host.must(&["site", "undeploy", blog]);
        assert_eq!(server.databases(), databases);
        println!("real: {name} lives and answers");
    }
}

/// What happened to a database, each with how often, by the rows that the scripts of an app write.
fn happenings(host: &Host, server: &Server) -> Vec<String> {
    let file = host.read(&format!("ubos/http/sites/{}/app/db", id('s', '3')));
    let name = file.lines().find_map(|line| line.strip_prefix("$dbName")).unwrap();
    let name = name.split('\'').nth(1).unwrap();
    let sql = "SELECT event, count(*) FROM happenings GROUP BY event ORDER BY event";
    server.ask(name, sql).lines().map(|line| line.replace('\t', " ")).collect()
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn databases_have_one_row_for_each_thing_that_happened() {
    const TEST: &str = "workout-mysql";
    let host = Host::new();
    if !all(TEST, &host, WORKOUT, &["workout-mysql1", "workout-mysql2"]) {
        return;
    }
    let Some(server) = Server::mariadb(TEST) else { return };
    host.write("etc/cartwright/config.yml", &server.settings);
    let before = server.databases();
    for (name, kind) in [("workout-mysql1", "sql"), ("workout-mysql2", "tmpl")] {
        let seen = |upgrades: u32| {
            let mut expected = vec![format!("create.{kind} 1"), format!("install.{kind} 1")];
            expected.extend((upgrades > 0).then(|| format!("upgrade.{kind} {upgrades}")));
            assert_eq!(happenings(&host, &server), expected, "{name}");
        };
        let blog = "blog.example.org";
        let path = file(&host, &site(blog, '3', &[app('3', name, &[], &json!({}))]));
        host.must(&["site", "deploy", &path]);
        seen(0);
        host.must(&["site", "redeploy", blog]);
        seen(1);
        let backup = host.outside(&format!("{name}.zip")).display().to_string();
        host.must(&["site", "backup", blog, "--out", &backup]);
        seen(1);
        host.must(&["site", "redeploy", blog]);
        seen(2);
        host.must(&["site", "restore", &backup]);
        seen(2);
        host.must(&["site", "undeploy", blog]);
        host.must(&["site", "restore", &backup]);
        seen(2);
        host.must(&["site", "undeploy", blog]);
        assert_eq!(server.databases(), before, "{name}");
        println!("real: {name} lives with its rows");
    }
}

#[test]
#[ignore = "needs the network: `make test-real`"]
fn what_is_well_known_is_answered() {
    const TEST: &str = "wellknown";
    let host = Host::new();
    if !all(TEST, &host, WORKOUT, &["workout-wellknown"])
        || !all(TEST, &host, TOYAPPS, &["wellknown", "wellknown-acc"])
    {
        return;
    }
    let Some(apache) = Apache::start(TEST, &host, &More::default()) else { return };
    let blog = "blog.example.org";
    let of = |name: &str, accessories: &[&str]| json!({ "appconfigid" : id('a', '5'), "appid" : name, "accessoryids" : accessories });
    // As the test plan for it: with entries of the site, and without.
    let plain = site(blog, '5', &[of("workout-wellknown", &[])]);
    let mut with = plain.clone();
    with["wellknown"] = json!({
        "robots.txt" : { "disallow" : [ "/" ] },
        "sitemap.xml" : { "value" : "<urlset/>" },
        "favicon.ico" : { "value" : "aWNvbg==", "encoding" : "base64" },
    });
    host.must(&["site", "deploy", &file(&host, &with)]);
    for (name, content) in
        [("robots.txt", "Disallow: /\n"), ("sitemap.xml", "<urlset/>"), ("favicon.ico", "icon")]
    {
        apache.answers((blog, &format!("/.well-known/{name}")), content);
        apache.answers((blog, &format!("/{name}")), content);
    }
    let said = host.must(&["site", "deploy", &file(&host, &plain)]);
    let why = "my-default/.well-known/delegate` has a port that is no number";
    assert!(said.contains(why), "{said}");
    apache.answers((blog, "/robots.txt"), " 404 ");
    let links = "{\"links\":[{\"rel\":\"http://nodeinfo.diaspora.software/ns/schema/2.0\",\
        \"href\":\"http://blog.example.org/nodeinfo/2.0\"}]}";
    apache.answers((blog, "/.well-known/nodeinfo"), links);
    apache.answers((blog, "/.well-known/other"), "static-value");
    apache.answers((blog, "/.well-known/webfinger"), " 404 ");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || crate::web::say(&listener));
    let mut asked = plain.clone();
    asked["appconfigs"][0]["customizationpoints"] =
        json!({ "workout-wellknown" : { "mycp" : { "value" : port } } });
    host.must(&["site", "deploy", &file(&host, &asked)]);
    let answer = "asked for /.well-known/delegate?resource=a";
    apache.answers((blog, "/.well-known/webfinger?resource=a"), answer);
    host.must(&["site", "undeploy", blog]);

    let both = site(blog, '5', &[of("wellknown", &["wellknown-acc"])]);
    host.must(&["site", "deploy", &file(&host, &both)]);
    let text = host.read(&format!("ubos/http/sites/{}/test", id('s', '5')));
    let port = text.trim().trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap();
    let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) else {
        return skip(TEST, &format!("port {port} is taken"));
    };
    std::thread::spawn(move || crate::web::say(&listener));
    apache.answers((blog, "/.well-known/webfinger?resource=a"), "asked for /?resource=a");
    apache.answers((blog, "/test-acc"), "port is");
    host.must(&["site", "undeploy", blog]);
    println!("real: wellknown answers");
}
