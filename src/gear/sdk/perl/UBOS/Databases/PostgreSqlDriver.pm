# PostgreSQL by its own client, as the server's administrator.

package UBOS::Databases::PostgreSqlDriver;

use strict;
use warnings;

use UBOS::Host;
use UBOS::Logging;
use UBOS::Utils;

# Everything that is in the schema `public` of the database, and the schema, belongs to the user
# from now on.
sub changeSchemaOwnership {
    my( $database, $user ) = @_;

    foreach my $name ( $database, $user ) {
        next if defined( $name ) && $name =~ m/^[A-Za-z_][A-Za-z0-9_]*$/;
        error( 'Not the name of a database and a user' );
        return 0;
    }
    my $sql = <<'SQL';
\set ON_ERROR_STOP on
BEGIN;
ALTER SCHEMA public OWNER TO :"owner";
SELECT format('ALTER TABLE %I.%I OWNER TO %I', schemaname, tablename, :'owner')
    FROM pg_tables WHERE schemaname = 'public' \gexec
SELECT format('ALTER VIEW %I.%I OWNER TO %I', schemaname, viewname, :'owner')
    FROM pg_views WHERE schemaname = 'public' \gexec
SELECT format('ALTER MATERIALIZED VIEW %I.%I OWNER TO %I', schemaname, matviewname, :'owner')
    FROM pg_matviews WHERE schemaname = 'public' \gexec
SELECT format('ALTER SEQUENCE %I.%I OWNER TO %I', n.nspname, c.relname, :'owner')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'S'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
        AND d.objid = c.oid AND d.deptype IN ('a', 'i')) \gexec
COMMIT;
SQL
    my( $out, $err );
    my $command = _administrator() . " psql --no-psqlrc --quiet --set=owner='$user'"
        . _placeOf( $database ) . " --dbname='$database'";
    return 1 if UBOS::Utils::myexec( $command, $sql, \$out, \$err ) == 0;
    error( 'The database refuses:', $err );
    return 0;
}

# The server knows its administrator by the account.
sub _administrator {
    return $> == 0 ? 'cd / && runuser -u postgres --' : '';
}

# The port, and the folder of the socket, where the deployment knows them.
sub _placeOf {
    my $database = shift;

    my $vars = UBOS::Host::vars();
    foreach my $name ( $vars->keys() ) {
        next unless $name =~ m/^appconfig\.postgresql\.dbname\.(.+)$/;
        my $item = $1;
        next unless ( $vars->getResolveOrNull( $name ) // '' ) eq $database;
        my $port = $vars->getResolveOrNull( "appconfig.postgresql.dbport.$item" ) // '';
        my $host = $vars->getResolveOrNull( "appconfig.postgresql.dbhost.$item" ) // '';
        return ( $port =~ m/^[0-9]+$/ ? " --port=$port" : '' )
            . ( $host =~ m!^/[-A-Za-z0-9_./]*$! ? " --host='$host'" : '' );
    }
    return '';
}

1;
