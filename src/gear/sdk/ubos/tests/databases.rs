//! The database drivers, against servers that the tests start.

use super::Place;
use crate::sys::fs::{Dir, Kind, kind_of};
use crate::sys::{host, process};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server in a place of its own, killed when the test is over.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has seen.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts it, and waits until `asking` succeeds.
    fn start(mut command: Command, mut asking: impl FnMut() -> Command) -> Self {
        let mut server = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        for _ in 0..600 {
            if asking().output().unwrap().status.success() {
                return server;
            }
            assert!(server.0.try_wait().unwrap().is_none(), "the server has ended");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not answer");
    }
}

#[expect(clippy::print_stdout, reason = "a test that says that it skips")]
fn program(test: &str, places: &[&str], name: &str) -> Option<PathBuf> {
    let mut files = places.iter().map(|place| Path::new(place).join(name));
    let found = files.find(|file| kind_of(file) == Some(Kind::File));
    if found.is_none() {
        println!("SKIP: gear::sdk::ubos::{test}: no `{name}`");
    }
    found
}

fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = process::command(program);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/").args(arguments);
    command
}

#[track_caller]
fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn variables(server: &str, host: &str, port: &Value) -> Value {
    json!({
        "appconfig": { "appconfigid": "a1", server: {
            "dbname": { "maindb": "data" }, "dbhost": { "maindb": host },
            "dbport": { "maindb": port }, "dbuser": { "maindb": "someone" },
            "dbusercredential": { "maindb": "p\"w\\x #'" },
        }},
        "package": { "name": "app" },
    })
}

#[test]
fn mariadb_is_asked_by_its_client() {
    let test = "mariadb_is_asked_by_its_client";
    let places = ["/usr/sbin", "/usr/bin"];
    let Some(install) = program(test, &places, "mariadb-install-db") else { return };
    let Some(daemon) = program(test, &places, "mariadbd") else { return };
    let Some(client) = program(test, &places, "mariadb") else { return };
    let place = Place::new();
    let path = |name: &str| place.temp.path().join(name).display().to_string();
    let user = if host::is_root() { &["--user=root"][..] } else { &[] };
    let data = format!("--datadir={}", path("data"));
    let socket = format!("--socket={}", path("socket"));
    let mut make = command(&install, &["--no-defaults", "--skip-test-db", &data]);
    make.arg("--auth-root-authentication-method=normal").args(user);
    succeed(make);
    let pid = format!("--pid-file={}", path("pid"));
    let mut serve = command(&daemon, &["--no-defaults", "--skip-networking", &data, &socket, &pid]);
    serve.args(user);
    let ask = |sql: &str| command(&client, &["--no-defaults", &socket, "--user=root", "-e", sql]);
    let _server = Server::start(serve, || ask("SELECT 1"));
    succeed(ask(
        "CREATE DATABASE data; CREATE USER someone@localhost IDENTIFIED BY 'p\"w\\\\x #\\''; \
         GRANT ALL ON data.* TO someone@localhost",
    ));
    let script = r#"
        use UBOS::Databases::MySqlDriver;
        use UBOS::ResourceManager;
        my( $name, $host, $port, $user, $password )
            = UBOS::ResourceManager::findProvisionedDatabaseFor( 'mysql', 'a1', 'app', 'maindb' );
        my $db = UBOS::Databases::MySqlDriver::dbConnect( $name, $user, $password, 'of an app' )
            or return 0;
        my $run = sub { UBOS::Databases::MySqlDriver::sqlPrepareExecute( $db, @_ ) };
        my $text = "it's \t\n\\ ? NULL";
        $run->( 'CREATE TABLE t (a VARCHAR(80), b INT)' )
            && $run->( 'INSERT INTO t VALUES (?, ?);', $text, 5 )
            && $run->( 'SELECT a, b FROM t WHERE b = ?', 5 )->fetchrow_hashref()->{a} eq $text
            && !$run->( "SELECT 'hidden words' FROM nowhere" )
            && !UBOS::Databases::MySqlDriver::dbConnect( $name, $user, 'wrong' );"#;
    let came = place.run_with(&[], script, &variables("mysql", &path("socket"), &Value::Null));
    assert!(came.is_good(), "{came:?}");
    assert!(came.said.contains("nowhere") && !came.said.contains("hidden words"), "{came:?}");
}

/// A command of the server's administrator, who is never root.
fn administrator(program: &Path, arguments: &[&str]) -> Command {
    if !host::is_root() {
        return command(program, arguments);
    }
    let mut command = command(Path::new("/usr/sbin/runuser"), &["-u", "postgres", "--"]);
    command.arg(program).args(arguments);
    command
}

#[test]
fn postgresql_gives_a_schema_to_its_user() {
    let test = "postgresql_gives_a_schema_to_its_user";
    let versions = Dir::open(Path::new("/usr/lib/postgresql")).and_then(|dir| dir.names());
    let places: Vec<String> = versions
        .unwrap_or_default()
        .iter()
        .map(|version| format!("/usr/lib/postgresql/{}/bin", version.to_string_lossy()))
        .collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let Some(initdb) = program(test, &places, "initdb") else { return };
    let Some(daemon) = program(test, &places, "postgres") else { return };
    let Some(client) = program(test, &["/usr/bin"], "psql") else { return };
    let place = Place::new();
    place.dir.set_mode("", 0o755).unwrap();
    place.dir.make_dir("pg", 0o777).unwrap();
    place.dir.set_mode("pg", 0o777).unwrap();
    let path = |name: &str| place.temp.path().join(name).display().to_string();
    succeed(administrator(&initdb, &["--auth=peer", "--no-sync", "-D", &path("pg/data")]));
    let (data, sockets) = (path("pg/data"), path("pg"));
    let serve = ["-D", &data, "-k", &sockets, "-c", "listen_addresses=", "-p", "5499"];
    let ask = |database: &str, sql: &str| {
        let target = format!("host={sockets} port=5499 dbname={database}");
        administrator(&client, &["-X", "-t", "-A", "-c", sql, &target])
    };
    let _server = Server::start(administrator(&daemon, &serve), || ask("postgres", "SELECT 1"));
    succeed(ask("postgres", "CREATE USER someone"));
    succeed(ask("postgres", "CREATE DATABASE data"));
    for made in [
        "TABLE t (a SERIAL)",
        "VIEW v AS SELECT 1",
        "MATERIALIZED VIEW m AS SELECT 1",
        "SEQUENCE s",
    ] {
        succeed(ask("data", &format!("CREATE {made}")));
    }
    let script = format!(
        "$ENV{{PGHOST}} = '{sockets}'; use UBOS::Databases::PostgreSqlDriver;
         my $give = sub {{ UBOS::Databases::PostgreSqlDriver::changeSchemaOwnership( @_ ) }};
         $give->( 'data', 'someone' ) && !$give->( 'data', 'nobody_there' )
         && !$give->( \"data'\", 'someone' );"
    );
    let came = place.run_with(&[], &script, &variables("postgresql", "", &json!(5499)));
    assert!(came.is_good(), "{came:?}");
    let owners = "SELECT relname, pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n \
                  ON n.oid = relnamespace WHERE nspname = 'public' ORDER BY 1";
    let owned = succeed(ask("data", owners));
    assert_eq!(owned, "m|someone\ns|someone\nt|someone\nt_a_seq|someone\nv|someone\n");
}
