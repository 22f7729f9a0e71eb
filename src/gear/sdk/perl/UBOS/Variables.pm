# The variables of a deployment. What came from outside is final: whatever looks like a variable in
# somebody's own value is text. What a script puts here itself is a template.

package UBOS::Variables;

use strict;
use warnings;

use MIME::Base64 ();
use UBOS::Logging;
use UBOS::Utils;

# How deep templates may name each other.
my $DEEPEST = 16;

my $MENTION = qr/(?<!\\)\$\{\s*([^}\s]+(?:\s+[^}\s]+)*)\s*\}/;

my %FUNCTIONS = (
    base64encode     => \&_base64encode,
    base64decode     => \&MIME::Base64::decode_base64,
    escapeSquote     => \&UBOS::Utils::escapeSquote,
    escapeDquote     => \&UBOS::Utils::escapeDquote,
    trim             => \&UBOS::Utils::trim,
    cr2space         => \&UBOS::Utils::cr2space,
    uid              => \&UBOS::Utils::getUid,
    gid              => \&UBOS::Utils::getGid,
    randomHex        => \&UBOS::Utils::randomHex,
    randomIdentifier => \&UBOS::Utils::randomIdentifier,
    randomPassword   => \&UBOS::Utils::randomPassword,
    randomBytes      => \&UBOS::Utils::randomBytes,
);

# A name for messages, a nested or dotted hash, and objects of this kind that are asked next.
sub new {
    my( $class, $name, $values, @delegates ) = @_;

    my $self = bless {
        name      => $name,
        values    => {},
        templates => {},
        delegates => [ grep { defined } @delegates ],
    }, $class;
    my $flat = _flat( $values || {} );
    $self->{values} = $flat;
    $self->{templates} = { map { $_ => 1 } keys %$flat };
    return $self;
}

# The same of values that are what they are.
sub ofFinal {
    my( $class, $name, $values ) = @_;

    my $self = $class->new( $name, $values );
    $self->{templates} = {};
    return $self;
}

sub name { return $_[0]->{name}; }

sub keys {
    my $self = shift;

    my %all = map { $_ => 1 } CORE::keys( %{ $self->{values} } ),
        map { $_->keys() } @{ $self->{delegates} };
    return sort( CORE::keys( %all ));
}

# What is there under the name, as it is.
sub get {
    my( $self, $name, $default ) = @_;

    my( $owner ) = $self->_owner( $name );
    return defined( $owner ) ? $owner->{values}->{$name} : $default;
}

# The first value wins; another one is an error.
sub put {
    my( $self, @pairs ) = @_;

    my $ret  = 1;
    my $flat = @pairs == 1 ? _flat( $pairs[0] ) : _flat( { @pairs } );
    foreach my $name ( sort( CORE::keys( %$flat ))) {
        my $old = $self->{values}->{$name};
        my $new = $flat->{$name};
        if( exists( $self->{values}->{$name} )) {
            next if $old eq $new;
            error( 'Variable has a value already:', $name );
            $ret = 0;
            next;
        }
        $self->{values}->{$name}    = $new;
        $self->{templates}->{$name} = 1;
    }
    return $ret;
}

# The value, which has to be there unless there is a default or the fourth argument is true: then the
# mention itself is the answer.
sub getResolve {
    my( $self, $name, $default, $unresolvedOk ) = @_;

    my $found = $self->_resolved( $name, $default, $unresolvedOk, $DEEPEST );
    return $found if defined( $found );
    return '${' . $name . '}' if $unresolvedOk;
    return _unresolved( $name );
}

# The same; nothing where there is none.
sub getResolveOrNull {
    my( $self, $name, $default, $unresolvedOk ) = @_;

    return $self->_resolved( $name, $default, $unresolvedOk, $DEEPEST );
}

# The text with its mentions replaced. One that means nothing is fatal, or empty if that is allowed.
sub replaceVariables {
    my( $self, $text, @unresolvedOk ) = @_;

    my $unresolvedOk = grep { $_ } @unresolvedOk;
    return $self->_replaced( $text, $unresolvedOk, $DEEPEST );
}

# The names alone: values may be secrets.
sub dump {
    my $self = shift;

    return join( '', map { "$_\n" } $self->keys() );
}

sub asJson {
    my $self = shift;

    my $tree = {};
    foreach my $name ( $self->keys() ) {
        my @way  = split( /\./, $name );
        my $last = pop( @way );
        my $at   = $tree;
        foreach my $step ( @way ) {
            $at->{$step} = {} unless ref( $at->{$step} ) eq 'HASH';
            $at = $at->{$step};
        }
        my $value = $self->get( $name );
        $at->{$last} = ref( $value ) ? $value : $self->getResolveOrNull( $name );
    }
    return $tree;
}

sub _owner {
    my( $self, $name ) = @_;

    return $self if exists( $self->{values}->{$name} );
    foreach my $delegate ( @{ $self->{delegates} } ) {
        my $owner = $delegate->_owner( $name );
        return $owner if $owner;
    }
    return undef;
}

sub _resolved {
    my( $self, $name, $default, $unresolvedOk, $depth ) = @_;

    my $argument;
    my $function;
    if( $name =~ m/^([A-Za-z0-9_]+)\s*\(\s*(.*?)\s*\)$/s ) {
        ( $function, $argument ) = ( $1, $2 );
        my $value = $argument =~ m/^[0-9]+$/
            ? $argument
            : $self->_resolved( $argument, $default, $unresolvedOk, $depth );
        return $value unless defined( $value );
        return $FUNCTIONS{$function}->( $value ) if $FUNCTIONS{$function};
        error( 'Unknown function:', $function );
        return $value;
    }
    my $owner = $self->_owner( $name );
    my $value = $owner ? $owner->{values}->{$name} : undef;
    unless( defined( $value )) {
        return undef unless defined( $default );
        return $self->_replaced( $default, $unresolvedOk, $depth - 1 );
    }
    return $value ? 1 : 0 if UBOS::Utils::isJsonBoolean( $value );
    return join( ',', map { defined( $_ ) ? $_ : '' } @$value ) if ref( $value ) eq 'ARRAY';
    return $value if ref( $value ) || !$owner->{templates}->{$name};
    fatal( 'Variable is defined by itself:', $name ) if $depth <= 0;
    return $self->_replaced( $value, $unresolvedOk, $depth - 1 );
}

sub _replaced {
    my( $self, $text, $unresolvedOk, $depth ) = @_;

    return $text if !defined( $text ) || ref( $text );
    my $line = 1;
    my $ret  = '';
    my $done = 0;
    while( $text =~ m/$MENTION/g ) {
        my( $from, $to, $name ) = ( $-[0], $+[0], $1 );
        my $before = substr( $text, $done, $from - $done );
        $line += ( $before =~ tr/\n// );
        my $value = $self->_resolved( $name, undef, $unresolvedOk, $depth );
        _unresolved( $name, $line ) unless defined( $value ) || $unresolvedOk;
        $ret .= $before . ( defined( $value ) ? $value : '' );
        $line += ( substr( $text, $from, $to - $from ) =~ tr/\n// );
        $done = $to;
    }
    return $ret . substr( $text, $done );
}

# Says what is missing, and no value of anything.
sub _unresolved {
    my( $name, $line ) = @_;

    fatal( 'Cannot find variable:', $name, defined( $line ) ? ( 'in line', $line ) : ());
}

sub _base64encode {
    my $raw = shift;

    utf8::encode( $raw ) if $raw =~ m/[^\x00-\xff]/;
    return MIME::Base64::encode_base64( $raw );
}

# Nested hashes become dotted names; lists are values; what has no value is not there.
sub _flat {
    my( $tree, $prefix, $into ) = @_;

    $into ||= {};
    foreach my $key ( CORE::keys( %$tree )) {
        my $name  = defined( $prefix ) ? "$prefix.$key" : $key;
        my $value = $tree->{$key};
        if( ref( $value ) eq 'HASH' ) {
            _flat( $value, $name, $into );
        } elsif( defined( $value )) {
            $into->{$name} = $value;
        }
    }
    return $into;
}

1;
