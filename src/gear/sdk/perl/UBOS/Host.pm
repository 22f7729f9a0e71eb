# What a script may know of its host: what its variables say.

package UBOS::Host;

use strict;
use warnings;

use UBOS::Variables;

my $vars = UBOS::Variables->new( 'Host' );

# The runner says it once, before the script begins.
sub setVars {
    $vars = shift;
    return $vars;
}

sub vars   { return $vars; }
sub config { return $vars; }

sub hostname { return $vars->getResolveOrNull( 'hostname' ); }
sub tmpdir   { return $vars->getResolveOrNull( 'host.tmpdir', $ENV{TMPDIR} || '/tmp' ); }

1;
