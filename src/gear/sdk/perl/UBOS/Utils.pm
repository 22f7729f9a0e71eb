# What scripts do with commands, files, names and texts. Functions that change something say with a
# true value that they did, and say as an error why not.

package UBOS::Utils;

use strict;
use warnings;

use Exporter qw( import );
use Fcntl qw( O_WRONLY O_CREAT SEEK_SET );
use File::Path ();
use IO::Handle ();
use JSON::PP ();
use POSIX ();
use UBOS::Logging;

our @EXPORT    = qw( saveFile slurpFile );
our @EXPORT_OK = qw(
    myexec deleteFile deleteRecursively isDirEmpty mkdirDashP
    readJsonFromFile readJsonFromString writeJsonToFile writeJsonToString
    escapeSquote escapeDquote trim cr2space
    randomHex randomIdentifier randomPassword randomBytes
    getUid getGid getUname getGname now time2string invokeMethod
);

my $SHELL = '/bin/bash';

## Commands

# Runs a command by bash, with this on its standard input; its outputs go into the scalars referred to
# (one for both, if it is the same), else where the script's go. Gives the status as `system` does.
sub myexec {
    my( $command, $stdin, $outRef, $errRef, $tee ) = @_;

    trace( 'Running a command' );
    my %files;
    $files{in} = _scratch( defined( $stdin ) && !ref( $stdin ) ? $stdin : '' );
    $files{out} = _scratch() if $outRef;
    $files{err} = $outRef && $errRef && $outRef == $errRef ? $files{out} : _scratch() if $errRef;
    foreach my $file ( values %files ) {
        return -1 unless $file;
    }
    STDOUT->flush();
    STDERR->flush();
    my $child = fork();
    unless( defined( $child )) {
        error( 'Cannot begin a process:', $! );
        return -1;
    }
    unless( $child ) {
        _become( $command, \%files );
    }
    waitpid( $child, 0 );
    my $status = $?;
    $$outRef = _content( $files{out} ) if $outRef;
    $$errRef = _content( $files{err} ) if $errRef && !( $outRef && $outRef == $errRef );
    if( $tee ) {
        print STDOUT $$outRef if $outRef;
        print STDERR $$errRef if $errRef && !( $outRef && $outRef == $errRef );
    }
    $? = $status;
    return $status;
}

# The child: never comes back.
sub _become {
    my( $command, $files ) = @_;

    POSIX::dup2( fileno( $files->{in} ), 0 );
    POSIX::dup2( fileno( $files->{out} ), 1 ) if $files->{out};
    POSIX::dup2( fileno( $files->{err} ), 2 ) if $files->{err};
    { no warnings 'exec'; exec { $SHELL } 'bash', '-c', $command; }
    POSIX::_exit( 127 );
}

# A file without a name.
sub _scratch {
    my $content = shift;

    my $file;
    unless( open( $file, '+>', undef )) {
        error( 'Cannot make a temporary file:', $! );
        return undef;
    }
    binmode( $file );
    if( defined( $content ) && length( $content )) {
        print $file _octets( $content );
        $file->flush();
        sysseek( $file, 0, SEEK_SET );
    }
    return $file;
}

sub _content {
    my $file = shift;

    seek( $file, 0, SEEK_SET );
    local $/ = undef;
    my $content = <$file>;
    return defined( $content ) ? $content : '';
}

# Texts with letters beyond bytes are written as UTF-8.
sub _octets {
    my $text = shift;

    $text = '' unless defined( $text );
    utf8::encode( $text ) if $text =~ m/[^\x00-\xff]/;
    return $text;
}

## Files

# Gives the content; nothing if it cannot be read.
sub slurpFile {
    my $name = shift;

    my $file;
    unless( open( $file, '<', $name )) {
        error( 'Cannot read file:', $name, $! );
        return undef;
    }
    binmode( $file );
    local $/ = undef;
    my $content = <$file>;
    close( $file );
    return defined( $content ) ? $content : '';
}

# Writes the content. The mode is as it is said, whatever the umask; the file is never more open
# than that.
sub saveFile {
    my( $name, $content, $mode, $uname, $gname ) = @_;

    $mode = 0644 unless defined( $mode );
    my $file;
    unless( sysopen( $file, $name, O_WRONLY | O_CREAT, $mode & 0700 )) {
        error( 'Cannot write file:', $name, $! );
        return 0;
    }
    binmode( $file );
    my $octets = _octets( $content );
    my $ret = chmod( $mode & 0700, $file ) && truncate( $file, 0 ) && print( $file $octets );
    $ret = close( $file ) && $ret;
    unless( $ret ) {
        error( 'Cannot write file:', $name, $! );
        return 0;
    }
    return _giveTo( $name, $mode, $uname, $gname );
}

# Owners first: changing them takes special bits away.
sub _giveTo {
    my( $name, $mode, $uname, $gname ) = @_;

    if( defined( $uname ) || defined( $gname )) {
        my $uid = defined( $uname ) ? getUid( $uname ) : -1;
        my $gid = defined( $gname ) ? getGid( $gname ) : -1;
        unless( chown( $uid, $gid, $name )) {
            error( 'Cannot change the owner of:', $name, $! );
            return 0;
        }
    }
    unless( chmod( $mode, $name )) {
        error( 'Cannot change the mode of:', $name, $! );
        return 0;
    }
    return 1;
}

# Removes files and links; one that is not there is an error.
sub deleteFile {
    my @names = @_;

    my $ret = 1;
    foreach my $name ( @names ) {
        next if unlink( $name );
        error( 'Cannot remove file:', $name, $! );
        $ret = 0;
    }
    return $ret;
}

# A folder that is there already is well, with a warning.
sub mkdir {
    my( $name, $mode, $uname, $gname ) = @_;

    $mode = 0755 unless defined( $mode );
    if( -d $name ) {
        warning( 'Folder is there already:', $name );
        return 1;
    }
    unless( CORE::mkdir( $name, $mode & 0700 )) {
        error( 'Cannot make folder:', $name, $! );
        return 0;
    }
    return _giveTo( $name, $mode, $uname, $gname );
}

# The same with everything that leads there.
sub mkdirDashP {
    my( $name, $mode, $uname, $gname ) = @_;

    return 1 if -d $name;
    my( $above ) = $name =~ m!^(.*[^/])/+[^/]+/*$!;
    if( defined( $above ) && !-d $above ) {
        return 0 unless mkdirDashP( $above, $mode, $uname, $gname );
    }
    return UBOS::Utils::mkdir( $name, $mode, $uname, $gname );
}

# Removes empty folders.
sub rmdir {
    my @names = @_;

    my $ret = 1;
    foreach my $name ( @names ) {
        next if CORE::rmdir( $name );
        error( 'Cannot remove folder:', $name, $! );
        $ret = 0;
    }
    return $ret;
}

# Removes whatever is there, links themselves and not what they lead to.
sub deleteRecursively {
    my @names = @_;

    my $ret = 1;
    foreach my $name ( @names ) {
        next unless -l $name || -e $name;
        if( -l $name || !-d $name ) {
            $ret &= deleteFile( $name );
            next;
        }
        File::Path::remove_tree( $name, { error => \my $errors } );
        foreach my $one ( @{ $errors || [] } ) {
            error( 'Cannot remove:', %$one );
            $ret = 0;
        }
    }
    return $ret;
}

sub symlink {
    my( $target, $name, $uname, $gname ) = @_;

    unless( CORE::symlink( $target, $name )) {
        error( 'Cannot make link:', $name, $! );
        return 0;
    }
    return 1 unless defined( $uname ) || defined( $gname );
    my $uid   = defined( $uname ) ? getUid( $uname ) : '';
    my $gid   = defined( $gname ) ? getGid( $gname ) : '';
    my $owner = "$uid:$gid";
    # Perl itself only changes what a link leads to.
    return 1 if system( { 'chown' } 'chown', '-h', '--', $owner, $name ) == 0;
    error( 'Cannot change the owner of:', $name );
    return 0;
}

# A folder that is not there is empty.
sub isDirEmpty {
    my( $name, $pattern ) = @_;

    opendir( my $folder, $name ) or return 1;
    while( defined( my $entry = readdir( $folder ))) {
        next if $entry eq '.' || $entry eq '..';
        next if defined( $pattern ) && $entry !~ $pattern;
        return 0;
    }
    return 1;
}

## JSON, with comments and commas too many

sub _json { return JSON::PP->new->relaxed->allow_nonref->utf8->canonical; }

sub readJsonFromFile {
    my $name = shift;

    my $text = slurpFile( $name );
    return undef unless defined( $text );
    my $ret = eval { _json()->decode( $text ) };
    error( 'Not JSON:', $name ) unless defined( $ret );
    return $ret;
}

sub readJsonFromString {
    my $text = shift;

    my $ret = eval { _json()->decode( _octets( $text )) };
    error( 'Not JSON' ) unless defined( $ret );
    return $ret;
}

sub writeJsonToFile {
    my( $name, $json, $mode, $uname, $gname ) = @_;

    return saveFile( $name, writeJsonToString( $json ), $mode, $uname, $gname );
}

sub writeJsonToString { return _json()->pretty->encode( shift ); }

sub isJsonBoolean { return ref( $_[0] ) && JSON::PP::is_bool( $_[0] ) ? 1 : 0; }

# The same tree with its texts as bytes, which is how files are read and written here.
sub asBytes {
    my $tree = shift;

    if( ref( $tree ) eq 'HASH' ) {
        return { map { asBytes( $_ ) => asBytes( $tree->{$_} ) } keys %$tree };
    }
    return [ map { asBytes( $_ ) } @$tree ] if ref( $tree ) eq 'ARRAY';
    return $tree if !defined( $tree ) || ref( $tree );
    my $text = $tree;
    utf8::encode( $text ) if $text =~ m/[^\x00-\x7f]/;
    return $text;
}

## Texts

sub escapeSquote {
    my $text = shift;
    $text =~ s/'/\\'/g if defined( $text );
    return $text;
}

sub escapeDquote {
    my $text = shift;
    $text =~ s/"/\\"/g if defined( $text );
    return $text;
}

sub trim {
    my $text = shift;
    $text =~ s/^\s+|\s+$//g if defined( $text );
    return $text;
}

# Each run of white space becomes one space.
sub cr2space {
    my $text = shift;
    $text =~ s/\s+/ /g if defined( $text );
    return $text;
}

## What nobody can guess

sub randomBytes {
    my $count = shift;

    my $bytes = '';
    open( my $source, '<:raw', '/dev/urandom' ) or fatal( 'Cannot read /dev/urandom:', $! );
    while( length( $bytes ) < $count ) {
        my $got = sysread( $source, $bytes, $count - length( $bytes ), length( $bytes ));
        fatal( 'Cannot read /dev/urandom:', $! ) unless $got;
    }
    return $bytes;
}

# Bytes that would make some letters likelier than others are thrown away.
sub _randomOf {
    my( $count, @letters ) = @_;

    my $most = 256 - 256 % @letters;
    my $ret  = '';
    while( length( $ret ) < $count ) {
        foreach my $byte ( unpack( 'C*', randomBytes( $count ))) {
            $ret .= $letters[ $byte % @letters ] if $byte < $most && length( $ret ) < $count;
        }
    }
    return $ret;
}

sub randomHex { return _randomOf( shift, 0 .. 9, 'a' .. 'f' ); }

# A name: letters first, digits from the second on.
sub randomIdentifier {
    my $count = shift;

    return '' unless $count > 0;
    my @letters = ( 'a' .. 'z', 'A' .. 'Z' );
    return _randomOf( 1, @letters ) . _randomOf( $count - 1, @letters, 0 .. 9 );
}

sub randomPassword { return _randomOf( shift, 'a' .. 'z', 'A' .. 'Z', 0 .. 9 ); }

## Accounts, by names or numbers; unknown ones are nobody

sub getUid {
    my $uname = shift;

    return $> unless defined( $uname ) && length( $uname );
    return $uname if $uname =~ m/^[0-9]+$/;
    my $uid = getpwnam( $uname );
    return $uid if defined( $uid );
    error( 'Unknown user:', $uname );
    return scalar( getpwnam( 'nobody' )) // 65534;
}

sub getGid {
    my $gname = shift;

    return ( split( / /, $) ))[0] unless defined( $gname ) && length( $gname );
    return $gname if $gname =~ m/^[0-9]+$/;
    my $gid = getgrnam( $gname );
    return $gid if defined( $gid );
    error( 'Unknown group:', $gname );
    return scalar( getgrnam( 'nogroup' )) // 65534;
}

sub getUname {
    my $uid = shift;
    return scalar( getpwuid( defined( $uid ) ? $uid : $> ));
}

sub getGname {
    my $gid = shift;
    return scalar( getgrgid( defined( $gid ) ? $gid : ( split( / /, $) ))[0] ));
}

## Times, in UTC

sub now { return time(); }

sub time2string { return POSIX::strftime( '%Y%m%d-%H%M%S', gmtime( shift )); }

# Calls the function of this whole name.
sub invokeMethod {
    my( $name, @arguments ) = @_;

    fatal( 'Not the whole name of a function:', $name ) unless $name =~ m/^\w+(?:::\w+)+$/;
    no strict 'refs';
    fatal( 'No such function:', $name ) unless defined( &$name );
    return &$name( @arguments );
}

1;
