package Cartwright::External;

# What the shipped externals share: the contract (arguments, standard input, exit status), the notes of
# who asked for what and how the host was before, and the order of things: a note is on the disk before
# what it tells of is done, so that whatever is cut off can be undone.
#
# An external undoes only what it did itself, and only when the last package that asked is gone.
# Only modules of Debian's perl-base are used. All scripts run in taint mode: what a package sent is of
# no use to Perl before a pattern of Cartwright::Data took it apart.

use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(LOCK_EX O_CREAT O_NOFOLLOW O_RDWR);

use Cartwright::Data;
use Cartwright::Host qw(end_with fail fingerprint folders make_host_ready name_of read_file remove_file root write_file);

our @EXPORT_OK = qw(arguments input lines_wanted memory run);

my $LIMIT = 1 << 20;
my $CHANGES = 20;
my $FIRST_LINE = "cartwright external 1\n";

# The notes of this external: entry => { note => {…}, askers => { asker => 1 } }; and what is remembered of
# entries that are gone.
my (%known, %memory, $notes);

# Runs an external made of these parts, and ends the program:
#   change => sub ($entry, $note)   what would be done, in words; undef where the host is so already
#   before => sub ($entry)          how the host is, for the note (optional)
#   make   => sub ($entry, $note)   does it, or dies with the host as it was
#   undo   => sub ($entry, $note)   takes it back; may be called twice; may return what to remember of it,
#                                   or, as text, why that has to wait for `NAME --finish`
sub run {
    my (%external) = @_;
    return end_with(sub { main(\%external) });
}

sub main {
    my ($external) = @_;
    my $input = input();
    make_host_ready();
    return finish($external) if "@ARGV" eq '--finish';
    my ($checks, $package, $operation) = arguments();
    my @entries = Cartwright::Data::entries(name_of(), $input);
    open_notes($checks);
    # A package may name an external several times: who asks is the package with this data.
    my $asker = "$package\t" . fingerprint($input);
    return check($external, $asker, $operation, @entries) if $checks;
    return install($external, $asker, @entries) if $operation eq 'install';
    return remove($external, $asker, @entries);
}

# The arguments, as the contract has them: PACKAGE install|remove, or --check [PACKAGE install|remove].
# Externals that keep notes know --finish, too.
sub arguments {
    my @given = @ARGV;
    my $checks = @given && $given[0] eq '--check' && shift @given;
    @given = ('-', 'install') if $checks && !@given;
    my ($package) = ($given[0] // '') =~ m{^([^/\0-\x1f\x7f]{1,255})\z};
    my ($operation) = ($given[1] // '') =~ /^(install|remove)\z/;
    if (@given != 2 || !defined $package || !defined $operation) {
        print STDERR 'usage: ' . name_of() . " PACKAGE install|remove\n",
            '       ' . name_of() . " --check [PACKAGE install|remove]\n";
        exit 2;
    }
    # One name for all versions of a package, where the caller knows it.
    my ($stable) = ($ENV{CART_EXTERNAL_KEY} // '') =~ /^([^\0-\x1f\x7f]{1,255})\z/;
    return ($checks, $stable // $package, $operation);
}

# Standard input to its end, whatever comes of it: the writer is owed that.
sub input {
    my ($text, $part) = ('', '');
    binmode STDIN;
    while (my $got = sysread STDIN, $part, 65536) {
        $text .= $part if length $text <= $LIMIT;
    }
    fail('more than 1 MiB of data') if length $text > $LIMIT;
    return $text;
}

sub check {
    my ($external, $asker, $operation, @entries) = @_;
    my $changes = 0;
    for my $entry (@entries) {
        my $has = $known{ $entry->{key} };
        my $words;
        if ($operation eq 'install') {
            refuse_other_wish($entry, $asker);
            $words = $external->{change}->($entry, $has && $has->{note});
        } elsif ($has && $has->{note}{made} && is_last($has, $asker)) {
            $words = 'is taken back';
        }
        next if !defined $words;
        print "$entry->{about}: $words\n";
        $changes++;
    }
    return $changes ? $CHANGES : 0;
}

# Makes all entries, or none: what was made before one fails is taken back.
sub install {
    my ($external, $asker, @entries) = @_;
    my @taken;
    for my $entry (@entries) {
        my $is_new = eval { take($external, $asker, $entry) };
        if (my $why = $@) {
            for my $back (reverse @taken) {
                eval { release($external, $asker, $back); 1 } or print STDERR name_of() . ": $@";
            }
            die $why;
        }
        push @taken, $entry if $is_new;
    }
    return 0;
}

# Makes one entry for who asks; true if they did not have it yet.
sub take {
    my ($external, $asker, $entry) = @_;
    my $key = $entry->{key};
    refuse_other_wish($entry, $asker);
    my $had = $known{$key};
    my $change = $external->{change}->($entry, $had && $had->{note});
    my %note = $had ? %{ $had->{note} } : (order => 1 + last_order());
    %note = (%note, $external->{before}->($entry)) if !$had && $external->{before};
    $note{$_} = $entry->{$_} for grep { defined $entry->{$_} } qw(value line);
    $note{made} = 1 if defined $change;
    $note{"entry.$_"} = $entry->{$_} for grep { defined $entry->{$_} && !ref $entry->{$_} } keys %$entry;
    $known{$key} = { note => \%note, askers => { $had ? %{ $had->{askers} } : (), $asker => 1 } };
    save_notes();
    if (defined $change && !eval { $external->{make}->($entry, \%note); 1 }) {
        my $why = $@;
        $known{$key} = $had // { note => \%note, askers => {} };
        eval { $external->{undo}->($entry, \%note) } if !$had;
        delete $known{$key} if !$had && !$@;
        save_notes();
        die $why;
    }
    print "$entry->{about}: " . ($change // 'is there already') . "\n";
    return !$had || !$had->{askers}{$asker};
}

# Two packages that want one thing differently cannot both have it.
sub refuse_other_wish {
    my ($entry, $asker) = @_;
    my $has = $known{ $entry->{key} };
    return if !$has || !defined $entry->{value} || $entry->{value} eq ($has->{note}{value} // '');
    my ($package) = split /\t/, $asker;
    my @others = grep { $_ ne $package } map { (split /\t/)[0] } sort keys %{ $has->{askers} };
    return if !@others;
    fail("$entry->{about}: `$others[0]` asked for `$has->{note}{value}`, not for `$entry->{value}`");
}

# Takes everything back that is wanted by these alone; goes on after what cannot be undone.
sub remove {
    my ($external, $asker, @entries) = @_;
    my $failed = 0;
    for my $entry (reverse @entries) {
        next if eval { release($external, $asker, $entry); 1 };
        print STDERR name_of() . ": $@";
        $failed = 1;
    }
    return $failed;
}

sub release {
    my ($external, $asker, $entry) = @_;
    my ($key, $about) = @$entry{qw(key about)};
    my $has = $known{$key};
    if (!$has || !is_last($has, $asker)) {
        my $asked = $has && delete $has->{askers}{$asker};
        save_notes() if $asked;
        print "$about: stays, " . ($asked ? 'others asked for it, too' : 'it was not asked for') . "\n";
        return;
    }
    # Nobody wants it from here on. Where undoing fails, the note stays for another call.
    $has->{askers} = {};
    save_notes();
    return take_back($external, $entry);
}

sub take_back {
    my ($external, $entry) = @_;
    my ($key, $about) = @$entry{qw(key about)};
    my $note = $known{$key}{note};
    if ($note->{made}) {
        my $left = $external->{undo}->($entry, $note);
        if (defined $left && !ref $left && $left =~ / /) {
            print "$about: stays, $left\n";
            return;
        }
        $memory{$key} = $left if ref $left eq 'HASH';
    }
    print "$about: " . ($note->{made} ? 'taken back' : 'stays, it was there before') . "\n";
    delete $known{$key};
    save_notes();
    return;
}

# Takes back what nobody asks for any more and what could not be taken back when the last one left.
sub finish {
    my ($external) = @_;
    open_notes();
    my $failed = 0;
    for my $key (sort keys %known) {
        next if %{ $known{$key}{askers} };
        my $note = $known{$key}{note};
        my %entry = map { /^entry\.(.+)/ ? ($1 => $note->{$_}) : () } keys %$note;
        next if eval { take_back($external, \%entry); 1 };
        print STDERR name_of() . ": $@";
        $failed = 1;
    }
    return $failed;
}

sub is_last {
    my ($has, $asker) = @_;
    my @askers = keys %{ $has->{askers} };
    return !@askers || (@askers == 1 && $askers[0] eq $asker);
}

# The lines of all entries that somebody wants, in the order in which they came first, for externals
# that write one file of their own.
sub lines_wanted {
    my @notes = map { $_->{note} } grep { %{ $_->{askers} } && $_->{note}{made} } values %known;
    return map { $_->{line} } sort { $a->{order} <=> $b->{order} } @notes;
}

sub last_order {
    my $last = 0;
    for my $has (values %known) {
        $last = $has->{note}{order} if $has->{note}{order} > $last;
    }
    return $last;
}

# What was remembered of an entry when it was last taken back.
sub memory {
    my ($key) = @_;
    return $memory{$key} // {};
}

# Reads the notes and, unless only looking, keeps other calls of this external waiting until the end.
sub open_notes {
    my ($only_looks) = @_;
    my ($folder) = ($ENV{CART_EXTERNAL_STATE} // '') =~ m{^(/[^\0\n]*)\z};
    $folder //= root() . '/var/lib/cartwright/externals';
    $notes = "$folder/" . name_of();
    if (!$only_looks) {
        folders($folder, 0700);
        sysopen our $lock, "$notes.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600
            or fail("cannot open `$notes.lock`: $!");
        flock $lock, LOCK_EX or fail("cannot lock `$notes.lock`: $!");
    }
    my $text = read_file($notes) // return;
    $text =~ s/^\Q$FIRST_LINE\E// or fail("`$notes` is not a note of this version");
    my $entry;
    for my $line (split /\n/, $text) {
        my ($kind, @words) = map { decode($_) } split /\t/, $line, -1;
        if ($kind eq 'entry') { $entry = $known{ $words[0] } = { note => {}, askers => {} } }
        elsif ($kind eq 'note') { $entry->{note}{ $words[0] } = $words[1] }
        elsif ($kind eq 'asker') { $entry->{askers}{ $words[0] } = 1 }
        elsif ($kind eq 'memory') { $memory{ $words[0] }{ $words[1] } = $words[2] }
        else { fail("`$notes` has a line of an unknown kind") }
    }
    return;
}

sub save_notes {
    return remove_file($notes) if !%known && !%memory;
    my $text = $FIRST_LINE;
    for my $key (sort keys %known) {
        my ($note, $askers) = @{ $known{$key} }{qw(note askers)};
        $text .= record('entry', $key);
        $text .= record('note', $_, $note->{$_}) for sort keys %$note;
        $text .= record('asker', $_) for sort keys %$askers;
    }
    for my $key (sort keys %memory) {
        $text .= record('memory', $key, $_, $memory{$key}{$_}) for sort keys %{ $memory{$key} };
    }
    write_file($notes, 0600, $text);
    return;
}

sub record {
    return join("\t", map { s/([^ !-\$&-~])/sprintf '%%%02x', ord $1/ger } @_) . "\n";
}

# The notes are root's own, so what stands in them was checked when it was written.
sub decode {
    my ($word) = $_[0] =~ /^(.*)\z/;
    return $word =~ s/%([0-9a-f]{2})/chr hex $1/ger;
}

1;
