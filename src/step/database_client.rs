//! The programs of database servers: how they are called, and what they answer.
//!
//! Statements go in by standard input and passwords by files that only the caller reads: a command
//! line is there for everybody to see. Nothing of this goes through a shell.

use super::Cx;
use super::accounts::{Accounts, Kind, Who};
use crate::error::{Exit, Failure};
use crate::package::ubos::site::Secret;
use crate::site::database::{Database, Server, owner};
use crate::sys::fs::Dir;
use crate::sys::process::{self, Confines, Limits};
use crate::sys::{host, interrupt};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The most of a program's words that is read.
const WORDS: u64 = 64 << 10;
/// How many of its last lines a failure shows.
const TAIL: usize = 12;

/// One call of a client.
pub(super) struct Call {
    server: Server,
    program: &'static str,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    account: Option<(u32, u32)>,
    /// What is read, from its beginning.
    input: Option<File>,
    /// Where the answer goes; it is given back where there is nothing.
    output: Option<File>,
    hidden: Vec<String>,
}

impl Call {
    /// The client of the server's administrator, for a database or none.
    pub(super) fn administrator(cx: &Cx<'_>, server: Server, name: &str) -> Result<Self, Failure> {
        if server == Server::Postgresql {
            let mut call = Self::postgresql(cx, "psql", name)?;
            call.add(&SESSION);
            return Ok(call);
        }
        let mut call = Self::mysql(cx, "mariadb");
        call.add(&["--batch", "--skip-column-names"]);
        if !name.is_empty() {
            call.arguments.push(format!("--database={name}").into());
        }
        Ok(call)
    }

    /// The program that writes a dump of a database to its standard output.
    pub(super) fn dump(cx: &Cx<'_>, database: &Database) -> Result<Self, Failure> {
        if database.server == Server::Postgresql {
            let mut call = Self::postgresql(cx, "pg_dump", database.name.as_str())?;
            call.add(&["--no-owner", "--no-privileges", "--encoding=UTF8"]);
            return Ok(call);
        }
        let mut call = Self::mysql(cx, "mariadb-dump");
        call.add(&["--single-transaction", "--quick", "--routines", "--triggers", "--events"]);
        call.add(&["--hex-blob", "--default-character-set=utf8mb4", "--no-tablespaces"]);
        call.add(&["--skip-comments"]);
        call.arguments.push(database.name.as_str().into());
        Ok(call)
    }

    /// The client of a database's owner, who reads a dump. Its password waits in `room`, in the file
    /// [`SECRET`].
    pub(super) fn loading(
        cx: &Cx<'_>,
        database: &Database,
        (room, credential): (&Dir, &Secret),
    ) -> Result<Self, Failure> {
        let settings = &cx.config.databases;
        let (name, owner) = (database.name.as_str(), owner(database));
        let password = &credential.0;
        let mut call = Self::new(database.server, "psql");
        if database.server == Server::Postgresql {
            let settings = &settings.postgresql;
            room.replace_file(SECRET, format!("*:*:*:*:{password}\n").as_bytes(), 0o600)?;
            call.environment.push(("PGPASSFILE", room.path_of(SECRET).into()));
            let from = [("host", settings.host.as_str()), ("username", &owner), ("dbname", name)];
            call.arguments.extend(from.map(|(one, value)| format!("--{one}={value}").into()));
            call.arguments.push(format!("--port={}", settings.port).into());
            call.add(&SESSION);
            call.add(&["--single-transaction"]);
        } else {
            let text = format!("[client]\npassword=\"{password}\"\n");
            room.replace_file(SECRET, text.as_bytes(), 0o600)?;
            call.program = "mariadb";
            let mut file = OsString::from("--defaults-file=");
            file.push(room.path_of(SECRET));
            call.arguments.push(file);
            call.at_socket(&settings.mysql.socket, &owner);
            // What the client understands beyond statements is off, in two ways.
            call.add(&["--batch", "--binary-mode", "--sandbox"]);
            call.add(&["--default-character-set=utf8mb4"]);
            call.arguments.push(format!("--database={name}").into());
        }
        call.hidden.push(password.clone());
        Ok(call)
    }

    fn new(server: Server, program: &'static str) -> Self {
        Self {
            server,
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            account: None,
            input: None,
            output: None,
            hidden: Vec::new(),
        }
    }

    fn mysql(cx: &Cx<'_>, program: &'static str) -> Self {
        let settings = &cx.config.databases.mysql;
        let mut call = Self::new(Server::Mysql, program);
        // It has to be the first one.
        call.arguments.push(match &settings.options {
            Some(file) => {
                let mut option = OsString::from("--defaults-file=");
                option.push(file);
                option
            }
            None => "--no-defaults".into(),
        });
        call.at_socket(&settings.socket, &settings.user);
        call
    }

    fn at_socket(&mut self, socket: &Path, user: &str) {
        let mut option = OsString::from("--socket=");
        option.push(socket);
        self.arguments.extend([option, "--protocol=socket".into()]);
        self.arguments.push(format!("--user={user}").into());
    }

    fn postgresql(cx: &Cx<'_>, program: &'static str, name: &str) -> Result<Self, Failure> {
        let settings = &cx.config.databases.postgresql;
        let mut call = Self::new(Server::Postgresql, program);
        let mut socket = OsString::from("--host=");
        socket.push(&settings.socket);
        call.arguments.push(socket);
        let name = if name.is_empty() { "postgres" } else { name };
        call.arguments.extend(
            [
                format!("--port={}", settings.port),
                format!("--username={}", settings.user),
                format!("--dbname={name}"),
                "--no-password".to_owned(),
            ]
            .map(OsString::from),
        );
        call.account = account(&settings.account)?;
        Ok(call)
    }

    fn add(&mut self, words: &[&str]) {
        self.arguments.extend(words.iter().map(OsString::from));
    }

    /// The same reading these statements.
    pub(super) fn saying(mut self, cx: &Cx<'_>, statements: &str) -> Result<Self, Failure> {
        let mut file = scratch(cx, "statements")?;
        file.write_all(statements.as_bytes()).map_err(|error| broken("write", &error))?;
        self.input = Some(file);
        Ok(self)
    }

    /// The same reading a file that was opened for reading.
    pub(super) fn reading(mut self, file: File) -> Self {
        self.input = Some(file);
        self
    }

    /// The same with another delimiter of statements.
    pub(super) fn delimited(mut self, delimiter: char) -> Self {
        self.arguments.push(format!("--delimiter={delimiter}").into());
        self
    }

    /// The same writing to a file.
    pub(super) fn writing(mut self, file: File) -> Self {
        self.output = Some(file);
        self
    }

    /// The same, with words that no message may show.
    pub(super) fn hiding(mut self, secret: &str) -> Self {
        self.hidden.push(secret.to_owned());
        self
    }

    /// Runs it to its end; gives what it printed, where that was not written to a file.
    pub(super) fn run(self, cx: &Cx<'_>, doing: &str) -> Result<String, Failure> {
        let title = self.server.title();
        let mut said = scratch(cx, "said")?;
        let mut errors = scratch(cx, "errors")?;
        let again = |file: &File| file.try_clone().map_err(|error| broken("open", &error));
        let input = match &self.input {
            Some(file) => {
                let mut file = again(file)?;
                file.rewind().map_err(|error| broken("read", &error))?;
                Stdio::from(file)
            }
            None => Stdio::null(),
        };
        let mut command = process::command(Path::new(self.program));
        command.env("PATH", host::PATH).env("LANG", "C.UTF-8").env("HOME", "/nonexistent");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(&self.arguments).current_dir("/").stdin(input);
        command.stdout(again(self.output.as_ref().unwrap_or(&said))?).stderr(again(&errors)?);
        let user = self.account;
        process::confine_as(
            &mut command,
            Confines { limits: Limits::default(), user, ..Confines::default() },
        );
        let child = command.spawn().map_err(|error| self.missing(&error))?;
        let limit = Duration::from_secs(cx.config.scripts.install_timeout);
        let status = wait(child, limit)?;
        if status.is_some_and(|status| status.success()) {
            return words(&mut said);
        }
        let mut failure = Failure::new(Exit::Failed, format!("{title} cannot {doing}"));
        failure.causes.extend(
            status.is_none().then(|| {
                format!("it was not over after {} seconds, and was ended", limit.as_secs())
            }),
        );
        let text = words(&mut errors)? + &words(&mut said)?;
        failure.causes.extend(self.last_words(&text));
        if let Some(signal) = status.and_then(|status| status.signal()) {
            failure.causes.push(format!("`{}` was ended by signal {signal}", self.program));
        }
        Err(self.with_hint(failure, &text))
    }

    fn last_words(&self, text: &str) -> Vec<String> {
        let text = self.hidden.iter().fold(text.to_owned(), |text, secret| {
            if secret.is_empty() { text } else { text.replace(secret, "[hidden]") }
        });
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
        last.iter()
            .map(|line| line.chars().take(300).collect::<String>())
            .map(|line| line.replace(char::is_control, " "))
            .collect()
    }

    fn missing(&self, error: &std::io::Error) -> Failure {
        let text = format!("cannot run `{}`: {error}", self.program);
        let failure = Failure::new(Exit::Failed, text);
        if error.kind() != std::io::ErrorKind::NotFound {
            return failure;
        }
        failure.hint(match self.server {
            Server::Postgresql => "install the packages `postgresql` and `postgresql-client`",
            _ => "install the packages `mariadb-server` and `mariadb-client`",
        })
    }

    fn with_hint(&self, failure: Failure, text: &str) -> Failure {
        let unreachable = ["Can't connect", "could not connect", "connection to server"];
        if unreachable.iter().any(|words| text.contains(words)) {
            return failure.hint(format!(
                "see whether {} runs, and whether `databases.{}` in cart-config(5) is right",
                self.server.title(),
                self.server.as_str()
            ));
        }
        if text.contains("invalid command \\restrict") {
            return failure.hint("this `psql` cannot load dumps safely: bring it up to date");
        }
        failure
    }
}

/// The file in which a password waits for a client.
pub(super) const SECRET: &str = "client";
/// How every session of `psql` is: the first failure ends it, and nobody's settings are read.
const SESSION: [&str; 6] =
    ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--file=-"];

/// Looks whether the server can be told anything, before anything is changed.
pub(super) fn check(cx: &Cx<'_>, server: Server) -> Result<(), Failure> {
    if server == Server::Sqlite {
        return Ok(());
    }
    let call = Call::administrator(cx, server, "")?.saying(cx, "SELECT 1;\n")?;
    call.run(cx, "be asked for anything").map(drop)
}

/// The account as which the administrator's programs run; the caller's own where that is not root.
fn account(name: &str) -> Result<Option<(u32, u32)>, Failure> {
    if !host::is_root() || name.is_empty() || name == "root" {
        return Ok(None);
    }
    let root = Dir::open(Path::new("/"))?;
    let who = Who::Name(name.to_owned());
    let user = Accounts::below(None, Kind::Users).id(&root, &who)?;
    let group = Accounts::below(None, Kind::Groups).id(&root, &who)?;
    if let (Some(user), Some(group)) = (user, group) {
        return Ok(Some((user, group)));
    }
    let text = format!("there is no account `{}`", name.escape_debug());
    Err(Failure::new(Exit::Failed, text)
        .hint("install `postgresql`, or set `databases.postgresql.account`"))
}

fn scratch(cx: &Cx<'_>, name: &str) -> Result<File, Failure> {
    let room = cx.room()?;
    // One that a crash has left.
    room.remove_file(name)?;
    Ok(room.scratch_file(name)?)
}

fn broken(verb: &str, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot {verb} a file for a database's client: {error}"))
}

fn words(file: &mut File) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.take(WORDS).read_to_end(&mut bytes))
        .map_err(|error| broken("read", &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Waits for its end; nothing when its time was over.
fn wait(mut child: Child, limit: Duration) -> Result<Option<ExitStatus>, Failure> {
    let until = Instant::now() + limit;
    let mut nap = Duration::from_millis(1);
    loop {
        let ended = child.try_wait().map_err(|error| broken("wait for", &error))?;
        if ended.is_some() {
            return Ok(ended);
        }
        let interrupted = interrupt::check();
        if interrupted.is_err() || Instant::now() > until {
            // It may have ended by itself this very moment.
            let _ = child.kill();
            let _ = child.wait();
            interrupted?;
            return Ok(None);
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(20));
    }
}
