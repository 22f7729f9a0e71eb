//! Real servers of the tests' own, each in a temporary folder and gone with its test.

use crate::skip;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// What asks a database with a statement.
type Asking = Box<dyn Fn(&str, &str) -> Command>;
/// What dumps a database.
type Dumping = Box<dyn Fn(&str) -> Command>;

/// A server of databases, killed when the test is over.
pub(crate) struct Server {
    child: Child,
    /// The role at which manifests name its databases.
    pub(crate) role: &'static str,
    /// How `cart` reaches it, for its settings.
    pub(crate) settings: String,
    asking: Asking,
    dumping: Dumping,
    _temp: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/");
    command.args(arguments);
    command
}

#[track_caller]
fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn found(test: &str, places: &[PathBuf], name: &str) -> Option<PathBuf> {
    let file = places.iter().map(|place| place.join(name)).find(|file| file.is_file());
    if file.is_none() {
        skip(test, &format!("no `{name}`"));
    }
    file
}

fn place() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let temp = tempfile::tempdir().unwrap();
    std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let around = temp.path().to_owned();
    (temp, move |name: &str| around.join(name).display().to_string())
}

impl Server {
    fn start(
        role: &'static str,
        (mut serve, settings): (Command, String),
        (asking, dumping): (Asking, Dumping),
        temp: tempfile::TempDir,
    ) -> Self {
        let child = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, role, settings, asking, dumping, _temp: temp };
        for _ in 0..600 {
            if (server.asking)("", "SELECT 1").output().unwrap().status.success() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not answer");
    }

    /// What its administrator is answered in a database.
    #[track_caller]
    pub(crate) fn ask(&self, database: &str, sql: &str) -> String {
        succeed((self.asking)(database, sql)).trim().to_owned()
    }

    /// All that is in a database, as the server's own tool writes it, its lines in order.
    #[track_caller]
    pub(crate) fn dump(&self, database: &str) -> Vec<String> {
        let text = succeed((self.dumping)(database));
        // Newer PostgreSQL begins and ends a dump with a word of that dump's own.
        let is_random = |line: &&str| line.contains("restrict ");
        let mut lines: Vec<_> =
            text.lines().filter(|line| !is_random(line)).map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// The databases that are there.
    pub(crate) fn databases(&self) -> Vec<String> {
        let sql = if self.role == "mysql" {
            "SELECT schema_name FROM information_schema.schemata ORDER BY 1"
        } else {
            "SELECT datname FROM pg_database ORDER BY 1"
        };
        self.ask("", sql).lines().map(str::to_owned).collect()
    }

    /// A `MariaDB` with an administrator `root` without a password.
    pub(crate) fn mariadb(test: &str) -> Option<Self> {
        Self::mariadb_at(test, None)
    }

    /// The same, which is reached on loopback's `port`.
    pub(crate) fn mariadb_at(test: &str, port: Option<u16>) -> Option<Self> {
        let places = ["/usr/sbin", "/usr/bin"].map(PathBuf::from);
        let install = found(test, &places, "mariadb-install-db")?;
        let daemon = found(test, &places, "mariadbd")?;
        let client = found(test, &places, "mariadb")?;
        let dump = found(test, &places, "mariadb-dump")?;
        let (temp, path) = place();
        let data = format!("--datadir={}", path("data"));
        let user = if is_root() { &["--user=root"][..] } else { &[] };
        let mut make = command(&install, &["--no-defaults", "--skip-test-db", &data]);
        make.arg("--auth-root-authentication-method=normal").args(user);
        succeed(make);
        let socket = format!("--socket={}", path("socket"));
        let pid = format!("--pid-file={}", path("pid"));
        let reached = match port {
            None => "--skip-networking".to_owned(),
            Some(port) => format!("--port={port}"),
        };
        let words = ["--no-defaults", &reached, "--bind-address=127.0.0.1", &data, &socket, &pid];
        let mut serve = command(&daemon, &words);
        serve.args(user);
        let host = if port.is_some() { "127.0.0.1".to_owned() } else { path("socket") };
        let settings =
            format!("databases:\n  mysql:\n    socket: {}\n    host: {host}\n", path("socket"));
        let reached = socket.clone();
        let dumping = Box::new(move |database: &str| {
            command(
                &dump,
                &["--no-defaults", &reached, "--user=root", "--skip-dump-date", database],
            )
        });
        let asking = Box::new(move |database: &str, sql: &str| {
            let words =
                ["--no-defaults", &socket, "--user=root", "--batch", "--skip-column-names", "-e"];
            let mut command = command(&client, &words);
            command.arg(sql);
            if !database.is_empty() {
                command.arg(database);
            }
            command
        });
        Some(Self::start("mysql", (serve, settings), (asking, dumping), temp))
    }

    /// A `PostgreSQL` whose administrator needs no password.
    pub(crate) fn postgresql(test: &str) -> Option<Self> {
        Self::postgresql_at(test, None)
    }

    /// The same, which is reached on loopback's `port`.
    pub(crate) fn postgresql_at(test: &str, port: Option<u16>) -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let places: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
        let initdb = found(test, &places, "initdb")?;
        let daemon = found(test, &places, "postgres")?;
        let client = found(test, &["/usr/bin".into()], "psql")?;
        let dump = found(test, &["/usr/bin".into()], "pg_dump")?;
        let (temp, path) = place();
        let folder = temp.path().join("pg");
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        let (data, socket, hba) = (path("pg/data"), path("pg"), path("pg/hba"));
        let known = "local all postgres trust\nlocal all all scram-sha-256\n\
            host all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(&hba, known).unwrap();
        let as_postgres = |program: &Path, words: &[&str]| {
            if !is_root() {
                return command(program, words);
            }
            let mut command = command(
                Path::new("/usr/bin/setpriv"),
                &["--reuid=postgres", "--regid=postgres", "--init-groups", "--"],
            );
            command.arg(program).args(words);
            command
        };
        succeed(as_postgres(&initdb, &["--no-sync", "--username=postgres", "-D", &data]));
        let hba = format!("hba_file={hba}");
        let (listens, host) = match port {
            None => ("listen_addresses=", socket.as_str()),
            Some(_) => ("listen_addresses=127.0.0.1", "127.0.0.1"),
        };
        let port = port.unwrap_or(5498);
        let words = ["-D", &data, "-k", &socket, "-c", listens, "-c", &hba, "-c"];
        let mut serve = as_postgres(&daemon, &words);
        serve.args(["fsync=off", "-p", &port.to_string()]);
        let settings = format!(
            "databases:\n  postgresql:\n    socket: {socket}\n    host: {host}\n    port: {port}\n"
        );
        let target = move |database: &str| {
            format!("host={socket} port={port} user=postgres dbname={database}")
        };
        let reached = target.clone();
        let dumping = Box::new(move |database: &str| command(&dump, &["-w", &reached(database)]));
        let asking = Box::new(move |database: &str, sql: &str| {
            let database = if database.is_empty() { "postgres" } else { database };
            command(&client, &["-X", "-w", "-t", "-A", "-c", sql, &target(database)])
        });
        Some(Self::start("postgresql", (serve, settings), (asking, dumping), temp))
    }
}
