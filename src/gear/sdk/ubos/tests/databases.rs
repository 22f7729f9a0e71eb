//! The database drivers, against servers that the tests start.

use super::Place;
use crate::site::database::servers::{MariaDb, Postgres};
use serde_json::{Value, json};

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
    let Some(server) = MariaDb::start("gear::sdk::ubos::mariadb_is_asked_by_its_client") else {
        return;
    };
    let place = Place::new();
    server.ask(
        "CREATE DATABASE data; CREATE USER someone@localhost IDENTIFIED BY 'p\"w\\\\x #\\''; \
         GRANT ALL ON data.* TO someone@localhost",
    );
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
    let came =
        place.run_with(&[], script, &variables("mysql", &server.settings.host, &Value::Null));
    assert!(came.is_good(), "{came:?}");
    assert!(came.said.contains("nowhere") && !came.said.contains("hidden words"), "{came:?}");
}

#[test]
fn postgresql_gives_a_schema_to_its_user() {
    let Some(server) = Postgres::start("gear::sdk::ubos::postgresql_gives_a_schema_to_its_user")
    else {
        return;
    };
    let place = Place::new();
    server.ask("postgres", "CREATE USER someone");
    server.ask("postgres", "CREATE DATABASE data");
    for made in [
        "TABLE t (a SERIAL)",
        "VIEW v AS SELECT 1",
        "MATERIALIZED VIEW m AS SELECT 1",
        "SEQUENCE s",
    ] {
        server.ask("data", &format!("CREATE {made}"));
    }
    let sockets = server.settings.socket.display();
    // What the test runs as: root becomes `postgres`, anybody else has to say so.
    let script = format!(
        "$ENV{{PGUSER}} = 'postgres'; $ENV{{PGHOST}} = '{sockets}'; use UBOS::Databases::PostgreSqlDriver;
         my $give = sub {{ UBOS::Databases::PostgreSqlDriver::changeSchemaOwnership( @_ ) }};
         $give->( 'data', 'someone' ) && !$give->( 'data', 'nobody_there' )
         && !$give->( \"data'\", 'someone' );"
    );
    let came = place.run_with(&[], &script, &variables("postgresql", "", &json!(5499)));
    assert!(came.is_good(), "{came:?}");
    let owners = "SELECT relname, pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n \
                  ON n.oid = relnamespace WHERE nspname = 'public' ORDER BY 1";
    let owned = server.ask("data", owners);
    assert_eq!(owned, "m|someone\ns|someone\nt|someone\nt_a_seq|someone\nv|someone\n");
}
