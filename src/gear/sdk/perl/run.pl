# Runs one script of a package: run.pl [--from DIR] [--to DIR] [--source TEXT] [--after-resume]
# [--template | --check] RESULT OPERATION SCRIPT VARIABLES
#
# VARIABLES is a JSON file. The script has succeeded when its last value is true: then RESULT says
# `true`, or holds that value if the script is a template. Whatever else happens, a call of `exit`
# with status 0 included, leaves no RESULT. With --check it is only compiled, as a check before
# anything is changed.

use strict;
use warnings;

use File::Spec ();
use Getopt::Long qw( :config require_order no_auto_abbrev );
use UBOS::AppConfigurationItems::Perlscript;
use UBOS::Host;
use UBOS::Logging;
# Some scripts call it without a word: the original has it loaded.
use UBOS::ResourceManager;
use UBOS::Utils;
use UBOS::Variables;
use UBOS::Configuration;

my %OPERATIONS = map { $_ => 1 } qw( deploy undeploy install uninstall upgrade template );

my $process = $$;
my $isOver  = 0;

# What ends before its end has failed, with whatever status.
END {
    $? = 1 if $$ == $process && !$isOver && $? == 0;
}

main();

sub main {
    my %given = ( from => '', to => '' );
    GetOptions( \%given, 'from:s', 'to:s', 'source:s', 'after-resume', 'template', 'check' ) && @ARGV == 4
        or fatal( 'Not called as it should be' );
    my( $result, $operation, $script, $variables ) = @ARGV;
    fatal( 'Not an operation:', $operation ) unless $OPERATIONS{$operation};
    # The script may go elsewhere.
    $result = File::Spec->rel2abs( $result );
    @ARGV = ();

    my $tree = UBOS::Utils::readJsonFromFile( $variables );
    fatal( 'Cannot read the variables' ) unless ref( $tree ) eq 'HASH';
    my $vars = UBOS::Configuration->ofFinal( 'Script', UBOS::Utils::asBytes( $tree ));
    UBOS::Host::setVars( $vars );

    my $text = slurpFile( $script );
    fatal( 'Cannot read the script' ) unless defined( $text );
    my $call = bless {
        operation   => $operation,
        vars        => $vars,
        from        => $given{from},
        to          => $given{to},
        source      => defined( $given{source} ) ? $given{source} : $script,
        script      => $script,
        content     => ( $given{check} ? "return 1;\n" : '' ) . _named( $script ) . $text,
        raw         => $text,
        afterResume => $given{'after-resume'} ? 1 : 0,
    }, 'UBOS::AppConfigurationItems::Perlscript';

    $@ = '';
    my $value = $call->evaluate();
    my $error = $@;
    # A child that the script has begun, and that has come here, has nothing to say.
    exit( 0 ) if $$ != $process;
    if( !defined( $value ) && ( ref( $error ) || length( $error ))) {
        fatal( 'The script died:', $error );
    }
    unless( $value ) {
        fatal( 'The last value of the script is not true' );
    }
    saveFile( $result, $given{template} ? $value : 'true', 0600 )
        or fatal( 'Cannot write the result' );
    $isOver = 1;
    exit( 0 );
}

# Errors name the script, and its own lines.
sub _named {
    my $script = shift;

    $script =~ s/["\r\n]/_/g;
    return "#line 1 \"$script\"\n";
}
