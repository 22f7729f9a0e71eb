# Evaluates a script. Only what is declared in `evaluate` is seen in it, and the functions imported
# here.

package UBOS::AppConfigurationItems::Perlscript;

use strict;
use warnings;

use UBOS::Logging;
use UBOS::Utils;

# Takes what the lexicals are to be; gives the script's last value.
sub evaluate {
    my $self            = shift;
    my $operation       = $self->{operation};
    my $config          = $self->{vars};
    my $vars            = $self->{vars};
    my $defaultFromDir  = $self->{from};
    my $defaultToDir    = $self->{to};
    my $source          = $self->{source};
    my $script          = $self->{script};
    my $scriptcontent   = $self->{content};
    my $raw             = $self->{raw};
    my $rawSourceLabel  = $self->{script};
    my $methodName      = $self->{operation};
    my $afterResume     = $self->{afterResume};
    my $doIt            = 1;

    return scalar( eval( $scriptcontent ));
}

1;
