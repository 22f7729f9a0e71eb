# What scripts say. Everything goes to standard error, each line with the word for its weight, so that
# whoever runs the script can tell errors from remarks.

package UBOS::Logging;

use strict;
use warnings;

use Exporter qw( import );

our @EXPORT = qw(
    fatal error warning notice info debug trace
    isInfoActive isDebugActive isTraceActive
);

# Tracing may show what scripts handle, so it is asked for.
sub isTraceActive { return $ENV{UBOS_TRACE} ? 1 : 0; }
sub isDebugActive { return isTraceActive(); }
sub isInfoActive  { return 1; }

# Whoever runs the script has decided where its words go.
sub initialize { return 1; }

sub trace   { _say( 'TRACE', @_ ) if isTraceActive(); return 1; }
sub debug   { _say( 'DEBUG', @_ ) if isDebugActive(); return 1; }
sub info    { _say( 'INFO', @_ );    return 1; }
sub notice  { _say( 'NOTICE', @_ );  return 1; }
sub warning { _say( 'WARNING', @_ ); return 1; }
sub error   { _say( 'ERROR', @_ );   return 1; }

# Ends the script, which counts as its failure.
sub fatal {
    _say( 'ERROR', @_ ) if @_;
    exit( 1 );
}

# Code is called, so that what is costly to say is only made where somebody listens.
sub _say {
    my( $weight, @words ) = @_;

    my $text = join( ' ', map { _word( $_ ) } @words );
    utf8::encode( $text ) if $text =~ m/[^\x00-\xff]/;
    print STDERR map { "$weight: $_\n" } length( $text ) ? split( /\r?\n/, $text ) : ( '' );
}

sub _word {
    my $word = shift;

    return '<undef>' unless defined( $word );
    return join( ' ', map { _word( $_ ) } $word->() ) if ref( $word ) eq 'CODE';
    return "$word";
}

1;
