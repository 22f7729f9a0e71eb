package Cartwright::Host;

# How the externals touch the host: files (written beside, checked, then renamed), programs (never
# through a shell), and the alternate root that CART_EXTERNAL_ROOT names.

use strict;
use warnings;
use Exporter 'import';
use Errno qw(EEXIST ENOENT);
use Fcntl qw(O_CREAT O_DIRECTORY O_EXCL O_NOFOLLOW O_RDONLY O_WRONLY);
use IO::Handle;
use POSIX ();

our @EXPORT_OK = qw(
    accounts beside command end_with fail fingerprint folders have is_live is_root make_host_ready name_of need path program_says
    read_file remove_file root sync_folder write_file write_own
);

my $root;

# Ends the program with the exit status that $work gives; 1, and why, where it dies.
sub end_with {
    my ($work) = @_;
    my $code = eval { $work->() };
    if (!defined $code) {
        print STDERR name_of() . ": $@";
        $code = 1;
    }
    close STDOUT or $code ||= 1;
    exit $code;
}

# Sets up a known environment and umask. The marks of cart and tpkg stay: a `cart` that is called from
# inside knows by them where it is.
sub make_host_ready {
    my %kept = map { $_ => $ENV{$_} } grep { /^(?:HOME\z|TPKG_|CART_)/ } keys %ENV;
    %ENV = (%kept, PATH => '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL => 'C.UTF-8');
    umask 022;
    chdir '/' or fail("cannot change to /: $!");
    return;
}

# FNV-1a, 64 bits: tells pieces of data apart; nothing depends on it being hard to forge.
sub fingerprint {
    my ($text) = @_;
    use integer;
    my $sum = -3750763034362895579;
    $sum = ($sum ^ $_) * 1099511628211 for unpack 'C*', $text;
    return sprintf '%016x', $sum;
}

# The name that the script was called by.
sub name_of {
    my ($name) = $0 =~ m{([A-Za-z0-9_.-]+)\z};
    return $name // 'external';
}

# A failure, in words for people; `run` names the external, and ends with status 1.
sub fail {
    my ($message) = @_;
    die "$message\n" if $^S;
    print STDERR name_of() . ": $message\n";
    exit 1;
}

# The root that all paths are below: empty on the running host. Known from the first question on, since
# scripts ask before anything else happens.
sub root {
    return $root if defined $root;
    my $given = ($ENV{CART_EXTERNAL_ROOT} // '') =~ s{/+\z}{}r;
    return $root = '' if $given eq '';
    my ($clean) = $given =~ m{^(/[^\0\n]+)\z} or fail('CART_EXTERNAL_ROOT is not an absolute path');
    fail("CART_EXTERNAL_ROOT: `$clean` is no directory") if !-d $clean;
    return $root = $clean;
}

sub path { return root() . $_[0] }

# Whether this is about the running host, and not about files below another root.
sub is_live { return root() eq '' }
sub is_root { return $> == 0 }

# The place of a program, or undef.
sub have {
    my ($program) = @_;
    for my $folder (split /:/, $ENV{PATH}) {
        return "$folder/$program" if -x "$folder/$program";
    }
    return;
}

# Dies unless a program is there, naming the Debian package that brings it.
sub need {
    my ($program, $package) = @_;
    return have($program) // fail("`$program` is missing (Debian: apt-get install $package)");
}

# Runs a program; its output goes to ours, and a failure is an error.
sub command {
    my (@words) = @_;
    my ($status, $said) = program_says(@words);
    $said =~ s/\s+\z//;
    fail("`$words[0]` failed: " . ($said || "status $status")) if $status;
    return $said;
}

# Runs a program without a shell, standard input empty; gives its exit status and all it said.
sub program_says {
    my (@words) = @_;
    my $child = open(my $output, '-|') // fail("cannot fork: $!");
    if (!$child) {
        open STDIN, '<', '/dev/null' or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
        { no warnings 'exec'; exec { $words[0] } @words; }
        print "$words[0]: $!\n";
        STDOUT->flush;
        POSIX::_exit(127);
    }
    local $/;
    my $said = <$output> // '';
    close $output;
    return ($? >> 8 || $? & 127, $said);
}

# A file's bytes; undef if there is none.
sub read_file {
    my ($file) = @_;
    open my $handle, '<:raw', $file or do {
        return if $! == ENOENT;
        fail("cannot read `$file`: $!");
    };
    local $/;
    my $text = <$handle> // '';
    close $handle or fail("cannot read `$file`: $!");
    return $text;
}

# Makes a folder and those above it.
sub folders {
    my ($folder, $mode) = @_;
    return if -d $folder;
    my ($above) = $folder =~ m{^(.+)/[^/]+\z};
    folders($above, 0755) if defined $above;
    mkdir $folder, $mode // 0755 or $! == EEXIST or fail("cannot make `$folder`: $!");
    return;
}

# Puts a file in place as a whole: written beside, synced, checked by $check, renamed.
sub write_file {
    my ($file, $mode, $text, $check) = @_;
    my ($folder) = $file =~ m{^(.+)/[^/]+\z} or fail("`$file` has no folder");
    folders($folder);
    my $beside = beside($file);
    unlink $beside;
    my $is_done = eval {
        sysopen my $handle, $beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600
            or fail("cannot make `$beside`: $!");
        binmode $handle;
        print {$handle} $text or fail("cannot write `$beside`: $!");
        $handle->flush && chmod($mode, $handle) && $handle->sync
            or fail("cannot write `$beside`: $!");
        close $handle or fail("cannot write `$beside`: $!");
        $check->($beside) if $check;
        rename $beside, $file or fail("cannot rename `$beside` to `$file`: $!");
        1;
    };
    my $why = $@;
    if (!$is_done) {
        unlink $beside;
        die $why;
    }
    sync_folder($folder);
    return;
}

# Where a file is written before it is renamed; what a killed call left there is removed by the next one.
sub beside {
    my ($file) = @_;
    return $file =~ s{([^/]+)\z}{.$1.cart-new}r;
}

# Renames and removals in a folder are on the disk from here on.
sub sync_folder {
    my ($folder) = @_;
    sysopen my $handle, $folder, O_RDONLY | O_DIRECTORY or return;
    $handle->sync;
    close $handle;
    return;
}

sub remove_file {
    my ($file) = @_;
    unlink beside($file);
    unlink $file or $! == ENOENT or fail("cannot remove `$file`: $!");
    my ($folder) = $file =~ m{^(.+)/};
    sync_folder($folder);
    return;
}

# A file that is wholly this external's: known by its first line, written anew from all lines, removed
# with the last of them. A file of somebody else's at that place is left alone.
sub write_own {
    my ($file, $mode, $lines, $check) = @_;
    my $mark = q{# Written by cart's external } . name_of() . "; changes made here are lost.\n";
    my $present = read_file($file);
    fail("`$file` is there, and not of this external's making")
        if defined $present && index($present, $mark) != 0;
    if (!@$lines) {
        remove_file($file);
        return;
    }
    write_file($file, $mode, join('', $mark, map { "$_\n" } @$lines), $check);
    return;
}

# The lines of /etc/passwd or /etc/group of the root in question, by name: lists of fields.
# On the running host accounts may come from elsewhere, too: those are looked up by getent.
sub accounts {
    my ($base, $name) = @_;
    if (is_live()) {
        my ($status, $said) = program_says('getent', $base, $name);
        fail("`getent $base` failed: $said") if $status != 0 && $status != 2;
        return $status ? () : fields($said, $name);
    }
    return fields(read_file(path("/etc/$base")) // '', $name);
}

sub fields {
    my ($text, $name) = @_;
    for my $line (split /\n/, $text) {
        my ($clean) = $line =~ /^([^\0-\x1f]*)\z/ or next;
        my @fields = split /:/, $clean, -1;
        return @fields if @fields > 2 && $fields[0] eq $name;
    }
    return;
}

1;
