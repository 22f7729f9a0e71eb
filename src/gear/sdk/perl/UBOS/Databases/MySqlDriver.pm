# MariaDB and MySQL by their own client, so that no module of Perl has to be installed for it. The
# password goes by a file that only this account can read, never by the command line.

package UBOS::Databases::MySqlDriver;

use strict;
use warnings;

use File::Temp ();
use UBOS::Host;
use UBOS::Logging;
use UBOS::Utils;

# Gives what the other functions want; nothing if the server refuses. What follows the password is a
# host and a port, or words for messages.
sub dbConnect {
    my( $database, $user, $password, $host, $port ) = @_;

    my $self = bless {
        database => $database,
        _placeOf( $database ),
    }, __PACKAGE__;
    if( defined( $host ) && $host =~ m/^[-A-Za-z0-9._:]+$/ ) {
        $self->{host} = $host;
    }
    $self->{port} = $port if defined( $port ) && $port =~ m/^[0-9]+$/;
    $self->{settings} = _settings( $user, $password, $self->{host}, $self->{port} );
    return undef unless $self->{settings};
    return _run( $self, 'SELECT 1;' ) ? $self : undef;
}

# Runs one statement, with values for its question marks. Gives its rows; nothing if it failed.
sub sqlPrepareExecute {
    my( $self, $sql, @values ) = @_;

    return undef unless $self;
    my $filled = _filled( $sql, @values );
    return undef unless defined( $filled );
    return _run( $self, $filled );
}

sub disconnect { return 1; }

# Where the deployment has this database.
sub _placeOf {
    my $database = shift;

    my $vars = UBOS::Host::vars();
    foreach my $name ( $vars->keys() ) {
        next unless $name =~ m/^appconfig\.mysql\.dbname\.(.+)$/;
        my $item = $1;
        next unless ( $vars->getResolveOrNull( $name ) // '' ) eq $database;
        my $host = $vars->getResolveOrNull( "appconfig.mysql.dbhost.$item" );
        my $port = $vars->getResolveOrNull( "appconfig.mysql.dbport.$item" );
        return ( host => $host, port => $port );
    }
    return ();
}

sub _settings {
    my( $user, $password, $host, $port ) = @_;

    my $file = File::Temp->new( TEMPLATE => 'client-XXXXXXXX', TMPDIR => 1, SUFFIX => '.cnf' );
    my $text = "[client]\n";
    my %all  = ( user => $user, password => $password );
    if( defined( $host ) && $host =~ m!^/! ) {
        $all{socket} = $host;
    } else {
        $all{host} = $host;
        $all{port} = $port;
    }
    foreach my $name ( sort( keys( %all ))) {
        next unless defined( $all{$name} ) && length( $all{$name} );
        my $value = $all{$name};
        if( $value =~ m/[\x00-\x1f]/ ) {
            error( 'Not a value for the client of the database:', $name );
            return undef;
        }
        $value =~ s/(["\\])/\\$1/g;
        $text .= "$name = \"$value\"\n";
    }
    print $file $text;
    $file->flush();
    return $file;
}

# Values in the place of question marks outside of quotes.
sub _filled {
    my( $sql, @values ) = @_;

    my $ret = '';
    while( $sql =~ m/\G('(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|\?|[^'"`?]+|.)/gs ) {
        my $piece = $1;
        if( $piece eq '?' ) {
            unless( @values ) {
                error( 'More question marks than values' );
                return undef;
            }
            $piece = _quoted( shift( @values ));
        }
        $ret .= $piece;
    }
    return $ret unless @values;
    error( 'More values than question marks' );
    return undef;
}

# In hexadecimal, so that no setting of the server makes anything else of it.
sub _quoted {
    my $value = shift;

    return 'NULL' unless defined( $value );
    return $value if $value =~ m/^-?(?:0|[1-9][0-9]{0,17})$/;
    utf8::encode( $value ) if $value =~ m/[^\x00-\xff]/;
    return length( $value ) ? '_utf8mb4 0x' . unpack( 'H*', $value ) : "''";
}

sub _run {
    my( $self, $sql ) = @_;

    my( $out, $err );
    my $client = ( grep { -x "/usr/bin/$_" } qw( mariadb mysql ))[0];
    unless( $client ) {
        error( 'The client of MariaDB is missing' );
        return undef;
    }
    my $named = $self->{database};
    unless( $named =~ m/^[A-Za-z0-9_\$-]+$/ && $named !~ m/^-/ ) {
        error( 'Not the name of a database' );
        return undef;
    }
    my $settings = $self->{settings}->filename();
    my $command  = "$client --defaults-file='$settings' --batch '$named'";
    if( UBOS::Utils::myexec( $command, $sql, \$out, \$err )) {
        # The client repeats the statement, which may hold anything.
        error( 'The database refuses:', grep { m/^ERROR/ } split( /\n/, $err ));
        return undef;
    }
    my( $head, @rows ) = map { [ map { _read( $_ ) } split( /\t/, $_, -1 ) ] } split( /\n/, $out );
    return bless { head => $head || [], rows => \@rows }, 'UBOS::Databases::Rows';
}

sub _read {
    my $field = shift;

    return undef if $field eq 'NULL';
    my %is = ( n => "\n", t => "\t", 0 => "\0", '\\' => '\\' );
    $field =~ s/\\([nt0\\])/$is{$1}/g;
    return $field;
}

package UBOS::Databases::Rows;

sub rows { return scalar( @{ $_[0]->{rows} } ); }

sub fetchrow_arrayref { return shift( @{ $_[0]->{rows} } ); }

sub fetchrow_array { return @{ $_[0]->fetchrow_arrayref() || [] }; }

sub fetchrow_hashref {
    my $self = shift;

    my $row = $self->fetchrow_arrayref() or return undef;
    my %ret;
    @ret{ @{ $self->{head} } } = @$row;
    return \%ret;
}

sub finish { return 1; }

1;
