# Databases and ports that a deployment has, by the names that its manifest gives them. A script sees
# those of its own package.

package UBOS::ResourceManager;

use strict;
use warnings;

use UBOS::Host;
use UBOS::Logging;

# Gives name, host, port, user, credential and kind of credential; nothing where there is none.
sub findProvisionedDatabaseFor {
    my( $type, $appConfigId, $package, $name ) = @_;

    return unless _isOurs( $appConfigId, $package );
    my @all = map { UBOS::Host::vars()->getResolveOrNull( "appconfig.$type.$_.$name" ) }
        qw( dbname dbhost dbport dbuser dbusercredential );
    return unless defined( $all[0] );
    return ( @all, 'simple-password' );
}

# Gives the number; nothing where there is none.
sub findProvisionedPortFor {
    my( $protocol, $appConfigId, $package, $name ) = @_;

    return undef unless _isOurs( $appConfigId, $package );
    return UBOS::Host::vars()->getResolveOrNull( "appconfig.${protocol}port.$name" );
}

sub _isOurs {
    my( $appConfigId, $package ) = @_;

    my %own = (
        'appconfig.appconfigid' => $appConfigId,
        'package.name'          => $package,
    );
    foreach my $name ( sort( keys( %own ))) {
        my $is = UBOS::Host::vars()->getResolveOrNull( $name );
        next if defined( $is ) && defined( $own{$name} ) && $is eq $own{$name};
        warning( 'Not a resource of this package and deployment:', $package, $appConfigId );
        return 0;
    }
    return 1;
}

1;
