# Runs every script below /scripts with each operation, in the order of a site's life, and tells for each
# what came of it: its result, what it has changed of files, and which programs it has called.

use strict;
use warnings;

use Digest::SHA qw( sha256_hex );
use File::Find ();
use JSON::PP ();

my @PLACES = qw( ubos var etc/elasticsearch home usr-local srv tmp );
my $APP = 'a' . '6' x 40;
my $SITE = 's' . '5' x 40;
my $DIR = "/ubos/http/sites/$SITE/app";

# What runs as a program of its own, by systemd or by sshd, is none of a deployment's.
my %NOT_OURS = map { $_ => 1 } qw( index.pl safe-rsync.pl );

my @scripts;
File::Find::find( { no_chdir => 1, wanted => sub { push @scripts, $_ if -f $_ }}, '/scripts' );
my %seen;
foreach my $script ( sort @scripts ) {
    my $text = content( $script );
    my $name = $script =~ s!^/scripts/!!r;
    my( $file ) = $name =~ m!([^/]+)$!;
    compiles( $name, $script ) unless $text =~ m!^#.*\bperl\b!m && $name !~ m!\.pl$!;
    next if $NOT_OURS{$file} || $seen{ sha256_hex( $text ) }++;
    print "== $name\n";
    my @operations = $name =~ m!/tmpl/|template! ? qw( template )
        : qw( deploy install upgrade uninstall undeploy );
    prepare( $name );
    foreach my $operation ( @operations ) {
        run( $name, $script, $operation );
    }
}

sub compiles {
    my( $name, $script ) = @_;
    prepare( $name );
    my @line = ( '/runtime/run.pl', '--check', '/result', 'deploy', $script, '/variables.json' );
    my $said = `perl @line 2>&1`;
    print "does not compile: $name\n$said" if $?;
    unlink( '/result' );
    return;
}

sub run {
    my( $name, $script, $operation ) = @_;
    my $before = look();
    unlink( '/calls', '/programs', '/result' );
    my $is_program = $name !~ m!\.pl$!;
    chmod( 0755, $script ) if $is_program;
    my @kind = $operation eq 'template' ? ( '--template' ) : ();
    my @line = $is_program ? ( $script, $operation, '/variables.json' )
        : ( 'perl', '/runtime/run.pl', @kind, "--from=/ubos/share/app", "--to=$DIR", "--source=$name", '--',
            '/result', $operation, $script, '/variables.json' );
    my $status = system( "@line >/said 2>/errors </dev/null" );
    my $is_good = $status == 0 && ( $is_program || -e '/result' );
    my $errors = grep { m!\S! } split( m!\n!, content( '/errors' ));
    print $operation, $is_good ? ' succeeds' : ' fails', $errors ? ", lines of errors: $errors" : '', "\n";
    value() if $operation eq 'template';
    printed() if -s '/said';
    difference( $before, look() );
    programs() if -e '/calls';
    return;
}

# Secrets that a template draws are different each time.
sub value {
    my $text = content( '/result' ) =~ s!^(define\('\w+_(?:KEY|SALT)',).*$!$1!mgr;
    print '  value ', short( $text ), "\n";
    return;
}

sub printed {
    print '  prints ', short( content( '/said' )), "\n";
    return;
}

sub programs {
    my %count;
    $count{$_}++ foreach split( m!\n!, content( '/programs' ));
    my $calls = content( '/calls' ) =~ s!/tmp/\w{10}\b!/tmp/*!gr;
    my $names = join( ' ', map { "$_ $count{$_}" } sort keys %count );
    print "  calls $names: ", short( $calls ), "\n";
    return;
}

sub short {
    my $text = shift;
    return sprintf( '%d bytes, %s', length( $text ), substr( sha256_hex( $text ), 0, 16 ));
}

sub content {
    my $name = shift;
    open( my $file, '<', $name ) or return '';
    local $/ = undef;
    my $text = <$file>;
    return defined( $text ) ? $text : '';
}

# What lies in the places that scripts change.
sub look {
    my %found;
    my @places = grep { -e $_ } map { "/$_" } @PLACES;
    my $wanted = sub {
        my @meta = lstat( $_ );
        my $owner = getpwuid( $meta[4] ) . ':' . getgrgid( $meta[5] );
        my $mode = sprintf( '%04o', $meta[2] & 07777 );
        $found{$_} = -l _ ? "$owner link to " . readlink( $_ )
            : -d _ ? "$mode $owner folder"
            : "$mode $owner " . short( content( $_ ));
    };
    File::Find::find( { no_chdir => 1, wanted => $wanted }, @places );
    return \%found;
}

sub difference {
    my( $before, $after ) = @_;
    foreach my $path ( sort keys %{{ %$before, %$after }} ) {
        my( $was, $is ) = ( $before->{$path}, $after->{$path} );
        next if defined( $was ) && defined( $is ) && $was eq $is;
        print defined( $is ) ? '  ' . ( defined( $was ) ? '~' : '+' ) . " $path $is\n" : "  - $path\n";
    }
    return;
}

# The host as each script finds it, with what apps have there.
sub prepare {
    my $name = shift;
    system( 'rm', '-rf', map { "/$_" } @PLACES );
    my $data = "/ubos/lib/app/$APP";
    my @folders = ( '/tmp', '/ubos/tmp', '/ubos/log', "/etc/elasticsearch/$APP", '/home/ubos-repo/.ssh',
        '/ubos/share/phpbb/phpbb/install', '/ubos/share/river/lists', "/var/cache/$APP",
        "$DIR/config", "$DIR/data", "$DIR/apps", "$DIR/wp-admin", "$DIR/resources/assets", "$DIR/jenkins-plugins",
        "$DIR/jenkins-home/plugins", "$data/mastodon/bin", "$data/data", "$data/lists",
        '/ubos/http/fragments' );
    system( 'mkdir', '-p', @folders );
    symlink( '/bin.own/tootctl', "$data/mastodon/bin/tootctl" );
    system( 'mkdir', '-p', '/usr-local' );
    my $config = "  'dbname' => 'old',\n  'dbhost' => 'old',\n  'dbuser' => 'old',\n  'dbpassword' => 'old',\n"
        . "  'trusted_domains' => array ( 0 => 'localhost', ),\n  'datadirectory' => '/old',\n";
    my $auto = join( '', map { "  \"$_\" => \"new-$_\",\n" } qw( dbname dbuser dbpass dbhost directory ));
    my %files = ( "$DIR/config.php" => '', "$DIR/config/autoconfig.php" => $auto, "$DIR/config/config.php" => $config, "$DIR/index.html" => 'x',
        "$DIR/apps/one" => 'x', "$DIR/jenkins-home/plugins/one" => 'x', '/ubos/share/river/lists/one' => 'x',
        '/ubos/share/phpbb/phpbb/install/one' => 'x', "$DIR/resources/assets/mediawiki.png" => 'x' );
    foreach my $path ( keys %files ) {
        open( my $file, '>', $path ) or die "$path: $!";
        print $file $files{$path};
    }
    open( my $file, '>', '/variables.json' ) or die $!;
    print $file JSON::PP->new->canonical->encode( variables( $name, $data ));
    return;
}

sub variables {
    my( $name, $data ) = @_;
    my( $package ) = $name =~ m!^[^/]+/([^/]+)/!;
    my %points = map { $_ => { value => "the $_", filename => "/ubos/lib/ubos/appconfigpars/$APP/$package/$_" } }
        qw( title tagline timezone salt redispass wikilogo publicsshkey targetroot paperclip_secret
            secret_key_base otp_secret defaultlocale email_domain_blacklist email_domain_whitelist );
    $points{singleusermode} = { value => JSON::PP::false };
    my %database = map { $_ => { maindb => "my$_" } } qw( dbname dbhost dbport dbuser dbusercredential );
    return {
        apache2 => { uname => 'http', gname => 'http', sitesdir => '/ubos/http/sites', ssldir => '/etc/ssl',
            appconfigfragmentdir => '/ubos/http/fragments', sitefragmentdir => '/etc/sites' },
        appconfig => { appid => $package, appconfigid => $APP, context => '/app', contextorslash => '/app',
            contextnoslashorroot => 'app', datadir => $data, cachedir => "/var/cache/$APP",
            cronjobfile => "/etc/cron.d/50-$APP", mysql => \%database, postgresql => \%database,
            tcpport => { main => 5001, redis => 5002 }, tomcat8 => { dir => $DIR },
            apache2 => { dir => $DIR, appconfigfragmentfile => '/ubos/http/fragments/one.conf' } },
        installable => { customizationpoints => \%points,
            accessoryinfo => { appid => 'app', accessoryid => 'the-accessory', accessorytype => '' } },
        package => { name => $package, codedir => "/ubos/share/$package", datadir => "/ubos/lib/$package",
            manifestdir => '/ubos/lib/ubos/manifests' },
        host => { tmpdir => '/ubos/tmp' },
        hostname => 'host.example.org',
        now => { tstamp => '20200102-030405', unixtime => 1577934245 },
        site => { siteid => $SITE, hostname => 'blog.example.org', hostnameorlocalhost => 'blog.example.org',
            protocol => 'https', protocolport => 443, apache2 => { sitedocumentdir => "/ubos/http/sites/$SITE",
                sitefragmentfile => '/etc/sites/one.conf', authgroupfile => '/etc/sites/one.groups',
                htdigestauthuserfile => '/etc/sites/one.htdigest' },
            admin => { userid => 'admin', username => "A. O'Person", credential => 'very secret',
                email => 'a@example.org' } },
    };
}
