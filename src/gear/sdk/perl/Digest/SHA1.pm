# The interface of an older module, which is not part of Perl, over the one that is.

package Digest::SHA1;

use strict;
use warnings;

use Digest::SHA ();
use Exporter ();

our @ISA       = qw( Digest::SHA Exporter );
our @EXPORT_OK = qw( sha1 sha1_hex sha1_base64 );
our $VERSION   = '2.13';

*sha1        = \&Digest::SHA::sha1;
*sha1_hex    = \&Digest::SHA::sha1_hex;
*sha1_base64 = \&Digest::SHA::sha1_base64;

sub new {
    my $self = shift;

    return $self->reset() if ref( $self );
    return $self->SUPER::new( 1 );
}

1;
