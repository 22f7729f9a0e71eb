//! Real servers of the tests' own, each in a temporary folder and gone with its test.

use crate::config::{Mysql, Postgresql};
use crate::sys::fs::{Dir, Kind, kind_of};
use crate::sys::{host, process};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server, killed when the test is over.
#[derive(Debug)]
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has seen.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
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
        println!("SKIP: {test}: no `{name}`");
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

/// A folder that servers' accounts can reach.
fn place() -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    Dir::open(temp.path()).unwrap().set_mode("", 0o755).unwrap();
    temp
}

fn path(temp: &tempfile::TempDir, name: &str) -> String {
    temp.path().join(name).display().to_string()
}

/// A `MariaDB` with an administrator `root` without a password.
#[derive(Debug)]
pub(crate) struct MariaDb {
    _running: Running,
    client: PathBuf,
    /// How it is reached.
    pub(crate) settings: Mysql,
    _temp: tempfile::TempDir,
}

impl MariaDb {
    /// Starts one; nothing where there is none, which is said for `test`.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let places = ["/usr/sbin", "/usr/bin"];
        let install = program(test, &places, "mariadb-install-db")?;
        let daemon = program(test, &places, "mariadbd")?;
        let client = program(test, &places, "mariadb")?;
        let temp = place();
        let user = if host::is_root() { &["--user=root"][..] } else { &[] };
        let data = format!("--datadir={}", path(&temp, "data"));
        let socket = path(&temp, "socket");
        let mut make = command(&install, &["--no-defaults", "--skip-test-db", &data]);
        make.arg("--auth-root-authentication-method=normal").args(user);
        succeed(make);
        let options = [format!("--socket={socket}"), format!("--pid-file={}", path(&temp, "pid"))];
        let mut serve = command(&daemon, &["--no-defaults", "--skip-networking", &data]);
        serve.args(options).args(user);
        let settings = Mysql { socket: socket.clone().into(), host: socket, ..Mysql::default() };
        let asking = || Self::asking(&client, &settings, "root", "", "SELECT 1");
        let running = Running::start(serve, asking);
        Some(Self { _running: running, client, settings, _temp: temp })
    }

    fn asking(client: &Path, settings: &Mysql, user: &str, password: &str, sql: &str) -> Command {
        let socket = format!("--socket={}", settings.socket.display());
        let user = format!("--user={user}");
        let words = ["--no-defaults", &socket, &user, "--batch", "--skip-column-names", "-e", sql];
        let mut command = command(client, &words);
        command.env("MYSQL_PWD", password);
        command
    }

    /// What its administrator is answered.
    #[track_caller]
    pub(crate) fn ask(&self, sql: &str) -> String {
        succeed(Self::asking(&self.client, &self.settings, "root", "", sql))
    }

    /// What a user is answered, if that is no refusal.
    pub(crate) fn ask_as(&self, user: &str, password: &str, sql: &str) -> Option<String> {
        let output =
            Self::asking(&self.client, &self.settings, user, password, sql).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }
}

/// A `PostgreSQL`; who is not its administrator needs a password.
#[derive(Debug)]
pub(crate) struct Postgres {
    _running: Running,
    client: PathBuf,
    /// How it is reached.
    pub(crate) settings: Postgresql,
    _temp: tempfile::TempDir,
}

/// A command of the administrator, who is never root.
fn administrator(program: &Path, arguments: &[&str]) -> Command {
    if !host::is_root() {
        return command(program, arguments);
    }
    let mut command = command(
        Path::new("/usr/bin/setpriv"),
        &["--reuid=postgres", "--regid=postgres", "--init-groups", "--"],
    );
    command.arg(program).args(arguments);
    command
}

impl Postgres {
    /// Starts one; nothing where there is none, which is said for `test`.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let versions = Dir::open(Path::new("/usr/lib/postgresql")).and_then(|dir| dir.names());
        let places: Vec<String> = versions
            .unwrap_or_default()
            .iter()
            .map(|version| format!("/usr/lib/postgresql/{}/bin", version.to_string_lossy()))
            .collect();
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        let initdb = program(test, &places, "initdb")?;
        let daemon = program(test, &places, "postgres")?;
        let client = program(test, &["/usr/bin"], "psql")?;
        let temp = place();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dir("pg", 0o777).unwrap();
        dir.set_mode("pg", 0o777).unwrap();
        let (data, socket) = (path(&temp, "pg/data"), path(&temp, "pg"));
        let words = ["--auth=scram-sha-256", "--no-sync", "--username=postgres", "--pwfile"];
        dir.write_new("pg/password", b"unused\n", 0o644).unwrap();
        let password = path(&temp, "pg/password");
        let mut make = administrator(&initdb, &words);
        succeed({
            make.args([&password, "-D", &data]);
            make
        });
        // The test is the administrator; everybody else has to know a password.
        let known = "local all postgres trust\nlocal all all scram-sha-256\n";
        dir.write_new("pg/hba", known.as_bytes(), 0o644).unwrap();
        let hba = format!("hba_file={}", path(&temp, "pg/hba"));
        let serve = ["-D", &data, "-k", &socket, "-c", "listen_addresses=", "-c", &hba, "-c"];
        let mut serve = administrator(&daemon, &serve);
        serve.args(["fsync=off", "-p", "5499"]);
        let settings = Postgresql {
            socket: socket.clone().into(),
            host: socket,
            port: 5499,
            ..Postgresql::default()
        };
        let asking = || Self::asking(&client, &settings, ("postgres", "", "postgres"), "SELECT 1");
        let running = Running::start(serve, asking);
        Some(Self { _running: running, client, settings, _temp: temp })
    }

    fn asking(
        client: &Path,
        settings: &Postgresql,
        (user, password, database): (&str, &str, &str),
        sql: &str,
    ) -> Command {
        let (host, port) = (settings.socket.display(), settings.port);
        let target = format!("host={host} port={port} user={user} dbname={database}");
        let mut command = command(client, &["-X", "-w", "-t", "-A", "-c", sql, &target]);
        command.env("PGPASSWORD", password);
        command
    }

    /// What its administrator is answered in a database.
    #[track_caller]
    pub(crate) fn ask(&self, database: &str, sql: &str) -> String {
        succeed(Self::asking(&self.client, &self.settings, ("postgres", "", database), sql))
    }

    /// What a user is answered, if that is no refusal.
    pub(crate) fn ask_as(&self, who: (&str, &str, &str), sql: &str) -> Option<String> {
        let output = Self::asking(&self.client, &self.settings, who, sql).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }
}
