//! Databases on real servers: fresh ones at each deployment, filled with what was kept.

use crate::host::Host;
use crate::package::{file, package, site, told, with};
use crate::servers::Server;
use serde_json::{Value, json};

/// A kind of databases, as the tests look at it from outside.
trait Databases {
    /// The role at which manifests name them.
    fn role(&self) -> &'static str;
    /// What `cart` has to be told.
    fn settings(&self) -> &str;
    /// What is answered in a database.
    fn ask(&self, database: &str, sql: &str) -> String;
    /// All that is in a database.
    fn dump(&self, database: &str) -> Vec<String>;
    /// All that there are.
    fn all(&self, host: &Host) -> Vec<String>;
}

impl Databases for Server {
    fn role(&self) -> &'static str {
        self.role
    }
    fn settings(&self) -> &str {
        &self.settings
    }
    fn ask(&self, database: &str, sql: &str) -> String {
        Self::ask(self, database, sql)
    }
    fn dump(&self, database: &str) -> Vec<String> {
        Self::dump(self, database)
    }
    fn all(&self, _host: &Host) -> Vec<String> {
        self.databases()
    }
}

/// Databases that are files.
struct Files;

impl Databases for Files {
    fn role(&self) -> &'static str {
        "sqlite"
    }
    fn settings(&self) -> &'static str {
        ""
    }
    fn ask(&self, database: &str, sql: &str) -> String {
        let database = rusqlite::Connection::open(database).unwrap();
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }
    fn dump(&self, database: &str) -> Vec<String> {
        let schema = "SELECT group_concat(sql, ';') FROM sqlite_schema";
        ["SELECT what FROM t ORDER BY 1", schema].map(|sql| self.ask(database, sql)).into()
    }
    fn all(&self, host: &Host) -> Vec<String> {
        let folder = std::fs::read_dir(host.at("ubos/lib/sqlite"));
        let names = folder.into_iter().flatten().flatten();
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

const TASK: &str = "#!/bin/bash\necho \"task $1\" >>\"$HOME/told\"\n";
const FAILS: &str = "#!/bin/bash\n[[ $1 == uninstall ]] || exit 3\n";

fn manifest(role: &str) -> Value {
    let task = json!([ { "type" : "exec", "source" : "bin/task" } ]);
    json!({
        "type" : "app",
        "roles" : {
            role : {
                "appconfigitems" : [ { "type" : "database", "name" : "main",
                    "retentionpolicy" : "keep", "retentionbucket" : "maindb",
                    "privileges" : "select, insert" } ],
                "installers" : [ { "type" : "sqlscript", "name" : "main",
                    "template" : "sql/make.sql", "templatelang" : "varsubst" } ],
                "upgraders" : [ { "type" : "sqlscript", "name" : "main",
                    "source" : "sql/more.sql" } ]
            },
            "generic" : { "appconfigitems" : [
                { "type" : "directory", "name" : "/srv/files", "retentionpolicy" : "keep",
                  "retentionbucket" : "files" },
                { "type" : "file", "name" : "/srv/conf", "template" : "conf",
                  "templatelang" : "varsubst" } ],
                "installers" : task, "upgraders" : task },
            "apache2" : { "defaultcontext" : "/app" }
        }
    })
}

fn release(host: &Host, server: &dyn Databases, (version, task): (&str, &str)) {
    let role = server.role();
    let conf = ["dbname", "dbuser", "dbusercredential", "dbhost"]
        .map(|name| format!("${{appconfig.{role}.{name}.main}}\n"))
        .concat();
    let files = [
        ("conf", conf.as_str()),
        (
            "sql/make.sql",
            "CREATE TABLE t (what VARCHAR(99));\nINSERT INTO t VALUES ('${site.hostname}');\n",
        ),
        ("sql/more.sql", "INSERT INTO t VALUES ('upgraded');\n"),
        ("bin/task", task),
    ];
    let folder = package(host, ("app", version), &manifest(role), &files);
    host.must(&["install", &folder]);
}

/// Name, user, password.
fn conf(host: &Host) -> [String; 3] {
    let text = host.read("srv/conf");
    let mut lines = text.lines().map(str::to_owned);
    [(); 3].map(|()| lines.next().unwrap())
}

fn rows(host: &Host, server: &dyn Databases) -> String {
    let [name, ..] = conf(host);
    server.ask(&name, "SELECT what FROM t ORDER BY what").replace('\n', " ")
}

fn whole_life(server: &dyn Databases) {
    let host = Host::new();
    host.write("etc/cartwright/config.yml", server.settings());
    let others = server.all(&host);
    release(&host, server, ("1", TASK));
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    host.must(&["site", "deploy", &path]);
    assert_eq!(
        (rows(&host, server).as_str(), told(&host)),
        ("blog.example.org", vec!["task install".into()])
    );
    let first = conf(&host);
    assert!(!host.read("srv/conf").contains("9999"));
    server.ask(&first[0], "INSERT INTO t VALUES ('mine')");
    host.write("srv/files/a", "data");

    // A redeployment has another database, with what was in the old one.
    host.must(&["site", "redeploy", "blog.example.org"]);
    assert_eq!(rows(&host, server), "blog.example.org mine upgraded");
    let second = conf(&host);
    assert!((0..3).all(|at| first[at] != second[at]), "{first:?} {second:?}");
    assert_eq!(server.all(&host).len(), others.len() + 1, "the old one is gone");
    assert_eq!(told(&host), ["task upgrade"]);

    // What fails leaves the old one as it was, and no new one.
    release(&host, server, ("2", FAILS));
    let (before, databases) = (host.look(), server.all(&host));
    let dump = server.dump(&second[0]);
    assert!(dump.iter().any(|line| line.contains("upgraded")), "{dump:?}");
    let said = host.fails(&["site", "update"], 9, "`bin/task` of `app`");
    assert!(!said.contains(&second[2]), "{said}");
    assert_eq!((host.look(), server.all(&host)), (before, databases));
    assert_eq!(server.dump(&second[0]), dump);
    assert_eq!(
        (rows(&host, server).as_str(), conf(&host)),
        ("blog.example.org mine upgraded", second)
    );

    // A backup, restored beside the site and into it.
    let archive = host.outside("blog.ubos-backup").display().to_string();
    release(&host, server, ("3", TASK));
    host.must(&["site", "backup", "blog.example.org", "--out", &archive]);
    host.must(&["site", "undeploy", "blog.example.org"]);
    assert_eq!(server.all(&host), others);
    told(&host);
    let before = host.look();
    host.must(&["site", "restore", &archive, "--dry-run"]);
    assert_eq!(host.look(), before);
    host.must(&["site", "restore", &archive, "--new", "--hostname", "copy.example.org"]);
    assert_eq!(rows(&host, server), "blog.example.org mine upgraded upgraded");
    assert_eq!(
        (host.read("srv/files/a").as_str(), told(&host)),
        ("data", vec!["task upgrade".into()])
    );
    let list = host.must(&["site", "list"]);
    assert!(list.contains("copy.example.org") && !list.contains("blog.example.org"), "{list}");
    host.must(&["site", "undeploy", "--all"]);
    assert_eq!((server.all(&host), host.has("srv")), (others, false));
}

#[test]
fn the_whole_life_on_mariadb() {
    if let Some(server) = Server::mariadb("the_whole_life_on_mariadb") {
        whole_life(&server);
    }
}

#[test]
fn the_whole_life_on_postgresql() {
    if let Some(server) = Server::postgresql("the_whole_life_on_postgresql") {
        whole_life(&server);
    }
}

#[test]
fn the_whole_life_in_files() {
    whole_life(&Files);
}

#[test]
fn a_server_that_does_not_answer_is_met_with_nothing_changed() {
    let host = Host::new();
    let settings = "databases:\n  mysql:\n    socket: /nonexistent/socket\n";
    host.write("etc/cartwright/config.yml", settings);
    let files = [("conf", "x"), ("sql/make.sql", ""), ("sql/more.sql", ""), ("bin/task", TASK)];
    let folder = package(&host, ("app", "1"), &manifest("mysql"), &files);
    host.must(&["install", &folder]);
    let before = host.look();
    let path = file(&host, &site("blog.example.org", '1', &[with('1', &[])]));
    let (status, said) = host.run(&["site", "deploy", &path]);
    assert!(status != 0 && said.contains("MariaDB"), "{said}");
    assert_eq!(host.look(), before);
}
