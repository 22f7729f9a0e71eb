//! A database's whole life on a real server: made, filled by statements, written down, loaded into the
//! one that follows it, dropped; and what goes wrong on the way.

use super::{ProvisionDatabase, read};
use crate::error::Failure;
use crate::site::database::servers::{MariaDb, Postgres};
use crate::site::database::{Provisioned, Server, Wanted};
use crate::step::drop_database::DropDatabase;
use crate::step::dump_database::DumpDatabase;
use crate::step::laws::World;
use crate::step::load_database::LoadDatabase;
use crate::step::run_sql::RunSql;
use crate::step::{AnyStep, Said};
use crate::sys::checkpoint::in_process::cut_at;
use serde_json::Value;

struct Scene {
    world: World,
    server: Server,
}

impl Scene {
    fn new(server: Server) -> Self {
        let world = World::new();
        Self { world, server }
    }

    /// Does a step, and gives what going back needs.
    fn try_to(&self, step: impl Into<AnyStep>) -> Result<(AnyStep, Value, Said), Failure> {
        let step = step.into();
        let undo = step.prepare(&self.world.cx(1))?;
        let said = step.apply(&undo, &self.world.cx(1))?;
        Ok((step, undo, said))
    }

    #[track_caller]
    fn must(&self, step: impl Into<AnyStep>) -> (AnyStep, Value) {
        let (step, undo, _) = self.try_to(step).unwrap();
        (step, undo)
    }

    fn wanted(&self, privileges: &str) -> Wanted {
        Wanted::parse(self.server, privileges, (None, None)).unwrap()
    }

    fn making(&self, name: &str, privileges: &str) -> ProvisionDatabase {
        ProvisionDatabase {
            title: format!("`{name}`"),
            wanted: self.wanted(privileges),
            owner: None,
            result: format!("{name}.json"),
        }
    }

    fn make(&self, name: &str, privileges: &str) -> Provisioned {
        self.must(self.making(name, privileges));
        read(&self.world.cx(1), &format!("{name}.json")).unwrap()
    }

    fn sql(&self, name: &str, statements: &str) -> RunSql {
        self.world.state.replace_file("staging/sql", statements.as_bytes(), 0o600).unwrap();
        RunSql {
            package: "wiki".into(),
            source: "sql/make.sql".into(),
            server: self.server,
            database: format!("{name}.json"),
            file: "staging/sql".into(),
            delimiter: ';',
        }
    }

    fn dump(&self, there: &Provisioned) -> String {
        let (title, database) = ("`old`".into(), there.database.clone());
        self.world.state.remove_file("staging/dump").unwrap();
        self.must(DumpDatabase { title, database, to: "staging/dump".into() });
        let bytes = self.world.state.read("staging/dump", 1 << 24).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn loading(name: &str) -> LoadDatabase {
        LoadDatabase {
            title: format!("`{name}`"),
            database: format!("{name}.json"),
            from: "staging/dump".into(),
        }
    }

    fn gone(&self, there: &Provisioned) {
        let (title, database) = ("`old`".into(), there.database.clone());
        self.must(DropDatabase { title, database });
    }

    fn hostile(&self, text: &str, name: &str) -> String {
        self.world.state.replace_file("staging/dump", text.as_bytes(), 0o600).unwrap();
        let failure = self.try_to(Self::loading(name)).unwrap_err();
        format!("{} {}", failure.summary, failure.causes.join("\n"))
    }
}

/// The lines of a dump that are about what is in it.
fn content(dump: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = dump
        .lines()
        .filter(|line| {
            !line.starts_with("--") && !line.starts_with('\\') && !line.contains("DEFINER")
        })
        .collect();
    lines.sort_unstable();
    lines
}

#[test]
fn mariadb() {
    let Some(server) = MariaDb::start("step::provision_database::mariadb") else { return };
    let mut scene = Scene::new(Server::Mysql);
    scene.world.config.databases.mysql = server.settings.clone();
    let as_user = |there: &Provisioned, sql: &str| {
        let user = there.database.user.as_str();
        server.ask_as(user, &there.credential.0, &format!("USE {}; {sql}", there.called))
    };
    let old = scene.make("old", "select, insert");
    // Without a last delimiter, as packages write it.
    scene.must(scene.sql("old", "CREATE TABLE t (a INT, b VARCHAR(200), c BLOB)"));
    scene.must(scene.sql("old", "CREATE VIEW v AS SELECT a FROM t; INSERT INTO t VALUES (1, 'it''s\n/*!50 DEFINER=`x`@`y`\\n\u{fc}', x'00ff')"));
    let with = RunSql { delimiter: '|', ..scene.sql("old", "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = NEW.a + 1; END|\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END|") };
    scene.must(with);
    // The user may do what the manifest says.
    assert_eq!(as_user(&old, "SELECT a FROM t").as_deref(), Some("1\n"));
    assert!(as_user(&old, "INSERT INTO t (a) VALUES (5)").is_some());
    assert!(
        as_user(&old, "DELETE FROM t").is_none()
            && as_user(&old, "CREATE TABLE u (a INT)").is_none()
    );
    assert_eq!(server.ask(&format!("SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{}'", old.called)), "utf8mb4\n");
    // What was in the old one is in the new one.
    let dump = scene.dump(&old);
    assert!(!dump.contains(&old.called), "nobody's names are in a dump");
    let new = scene.make("new", "select, insert");
    scene.must(Scene::loading("new"));
    scene.gone(&old);
    let again = scene.dump(&new);
    assert_eq!(content(&dump), content(&again));
    assert!(dump.contains("TRIGGER") && dump.contains("PROCEDURE") && dump.contains("VIEW"));
    assert_eq!(as_user(&new, "SELECT a FROM v ORDER BY a").as_deref(), Some("1\n6\n"), "{again}");
    assert!(as_user(&new, "INSERT INTO t (a) VALUES (8)").is_some(), "by its trigger");
    assert!(as_user(&new, "DROP TABLE t").is_none(), "loading has left it no more rights");
    let owner = crate::site::database::owner(&new.database);
    assert!(server.ask_as(&owner, &new.credential.0, "SELECT 1").is_none(), "it is locked");
    // A statement that fails shows no secret and names the file.
    let failure = scene.try_to(scene.sql("new", "SELEC 1")).unwrap_err();
    assert!(failure.summary.contains("MariaDB cannot run `sql/make.sql` of `wiki`"), "{failure:?}");
    // Dumps that want more than their own database.
    let trap = scene.world.state.path_of("trap");
    for hostile in [
        format!("\\! touch {}\n", trap.display()),
        format!("system touch {};\n", trap.display()),
        "source /etc/passwd\n".to_owned(),
        "GRANT ALL ON *.* TO root@localhost;\n".to_owned(),
        format!("SELECT 'x' INTO OUTFILE '{}';\n", trap.display()),
        "CREATE DATABASE other;\n".to_owned(),
    ] {
        let said = scene.hostile(&hostile, "new");
        assert!(said.contains("cannot load the database"), "{hostile}: {said}");
    }
    assert!(!scene.world.state.has("trap").unwrap());
    scene.gone(&new);
    everything_goes_back(&scene, || {
        server.ask("SHOW DATABASES; SELECT User FROM mysql.user ORDER BY 1")
    });
}

#[test]
fn postgresql() {
    let Some(server) = Postgres::start("step::provision_database::postgresql") else { return };
    let mut scene = Scene::new(Server::Postgresql);
    scene.world.config.databases.postgresql = server.settings.clone();
    let as_user = |there: &Provisioned, sql: &str| {
        server.ask_as((there.database.user.as_str(), &there.credential.0, &there.called), sql)
    };
    let old = scene.make("old", "select, insert");
    scene.must(scene.sql("old", "CREATE TABLE t (a SERIAL, b VARCHAR(200), PRIMARY KEY(a))"));
    scene.must(scene.sql("old", "INSERT INTO t (b) VALUES ('it''s\n\\! \\\\restrict \u{fc}'); CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 7';"));
    assert_eq!(as_user(&old, "SELECT a FROM t").as_deref(), Some("1\n"));
    assert!(as_user(&old, "INSERT INTO t (b) VALUES ('x')").is_some(), "with its sequence");
    assert!(
        as_user(&old, "DELETE FROM t").is_none()
            && as_user(&old, "CREATE TABLE u (a INT)").is_none()
    );
    let dump = scene.dump(&old);
    assert!(!dump.contains(&old.called) && !dump.contains(old.database.user.as_str()));
    let new = scene.make("new", "select, insert");
    scene.must(Scene::loading("new"));
    scene.gone(&old);
    assert_eq!(content(&dump), content(&scene.dump(&new)));
    assert_eq!(as_user(&new, "SELECT a FROM v ORDER BY a").as_deref(), Some("1\n2\n"));
    assert!(as_user(&new, "INSERT INTO t (b) VALUES ('y')").is_some());
    assert!(as_user(&new, "DROP TABLE t").is_none() && as_user(&new, "DELETE FROM t").is_none());
    // Nobody else gets in, and the owner not at all.
    let other = scene.make("other", "all privileges");
    let who = (other.database.user.as_str(), other.credential.0.as_str(), new.called.as_str());
    assert!(server.ask_as(who, "SELECT 1").is_none());
    let owner = crate::site::database::owner(&new.database);
    assert!(server.ask_as((&owner, "", &new.called), "SELECT 1").is_none());
    assert_eq!(
        server.ask(
            "postgres",
            &format!("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = '{owner}'")
        ),
        "f|f\n"
    );
    // An app with all privileges can change what was loaded for it.
    scene.dump(&new);
    scene.must(Scene::loading("other"));
    assert!(
        as_user(&other, "ALTER TABLE t ADD c INT; CREATE TABLE own (a INT); DROP TABLE own")
            .is_some()
    );
    let failure = scene.try_to(scene.sql("new", "SELEC 1")).unwrap_err();
    assert!(
        failure.summary.contains("PostgreSQL cannot run `sql/make.sql` of `wiki`"),
        "{failure:?}"
    );
    let trap = scene.world.state.path_of("trap");
    for hostile in [
        format!("\\! touch {}\n", trap.display()),
        format!("SELECT 1;\n\\unrestrict x\n\\! touch {}\n", trap.display()),
        format!("COPY (SELECT 1) TO PROGRAM 'touch {}';\n", trap.display()),
        "RESET SESSION AUTHORIZATION; ALTER ROLE postgres PASSWORD 'x';\n".to_owned(),
        "CREATE ROLE evil SUPERUSER;\n".to_owned(),
    ] {
        let said = scene.hostile(&hostile, "other");
        assert!(said.contains("cannot load the database"), "{hostile}: {said}");
    }
    assert!(!scene.world.state.has("trap").unwrap());
    scene.gone(&new);
    scene.gone(&other);
    let all = "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles ORDER BY 1";
    everything_goes_back(&scene, || server.ask("postgres", all));
}

#[test]
fn files_without_a_server() {
    let scene = Scene::new(Server::Sqlite);
    let old = scene.make("old", "");
    scene.must(scene.sql("old", "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x')"));
    let failure =
        scene.try_to(scene.sql("old", "INSERT INTO t VALUES ('y'); SELEC 1")).unwrap_err();
    assert!(failure.summary.contains("SQLite"), "{failure:?}");
    let attach = scene.sql("old", "ATTACH 'other.db' AS o");
    assert!(scene.try_to(attach).is_err(), "other files are none of its business");
    let (title, database) = ("`old`".into(), old.database.clone());
    scene.must(DumpDatabase { title, database, to: "staging/dump".into() });
    let new = scene.make("new", "");
    scene.must(Scene::loading("new"));
    let there = |there: &Provisioned| {
        let database = rusqlite::Connection::open(&there.called).unwrap();
        database
            .query_row("SELECT group_concat(a) FROM t", [], |row| row.get::<_, String>(0))
            .unwrap()
    };
    assert_eq!(
        (there(&old), there(&new)),
        ("x".into(), "x".into()),
        "half of a file is none of it"
    );
    let said = scene.hostile("no database", "new");
    assert!(said.contains("no database of SQLite"), "{said}");
    scene.gone(&old);
    assert!(
        rusqlite::Connection::open_with_flags(
            &old.called,
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY
        )
        .is_err()
    );
}

/// Whatever was done when it was cut off, reverting leaves the server as it was.
fn everything_goes_back(scene: &Scene, look: impl Fn() -> String) {
    let before = look();
    for cut in 1..20 {
        let step: AnyStep = scene.making("late", "all privileges").into();
        let undo = step.prepare(&scene.world.cx(1)).unwrap();
        assert_eq!(look(), before, "preparing changes nothing");
        let whole = cut_at(cut, || step.apply(&undo, &scene.world.cx(1)).unwrap()).is_some();
        if whole {
            assert_ne!(look(), before);
            step.apply(&undo, &scene.world.cx(2)).unwrap();
        }
        step.revert(&undo, &scene.world.cx(1)).unwrap();
        step.revert(&undo, &scene.world.cx(1)).unwrap();
        assert_eq!(look(), before, "cut at {cut}");
        assert!(!scene.world.state.has("late.json").unwrap());
        if whole {
            return;
        }
    }
    panic!("too many cuts");
}
