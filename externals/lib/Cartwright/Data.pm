package Cartwright::Data;

# What packages send to the externals, taken apart. All of it is hostile: every word has to match a
# pattern of what it may be, and nothing else of it is ever used.
#
# An entry has: key (what it is about; two entries with one key are the same thing), about (for people),
# fields of its own, and, where packages could contradict each other, value (what is wanted of key).
# Blank lines and lines that begin with # are skipped everywhere.

use strict;
use warnings;
use Exporter 'import';

use Cartwright::Host qw(fail);

our @EXPORT_OK = qw($NAME entries entry_of);

our $NAME = qr/[a-z_][a-z0-9_-]{0,31}/;
my $NUMBER = qr/(?:0|[1-9][0-9]{0,9})/;
my $PATH = qr{/[A-Za-z0-9_.,+\@:/-]*};
my $HOST = qr/(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])/;

# Settings of the kernel by which a program of one's choice is run as root.
my $RUNS_PROGRAMS = qr{^(?:kernel[./](?:core_pattern|modprobe|hotplug|poweroff_cmd)|fs[./]binfmt_misc)\b};

my $LIMIT = join '|', qw(core data fsize memlock nofile rss stack cpu nproc as maxlogins maxsyslogins
    priority locks sigpending msgqueue nice rtprio nonewprivs);

# Trees that nothing is mounted into.
my $SYSTEM = qr{^/(?:bin|boot|dev|etc|lib[^/]*|proc|root|run|sbin|sys|usr)(?:/|\z)};

my %LINES = (
    user => \&user,
    group => \&group,
    supplemental_groups => \&supplemental_group,
    sudo => \&sudo,
    sysctl => \&sysctl,
    limits => \&limit,
    nfs => \&mount,
    nftables => \&rule,
);
my %WHOLE = (cron => \&jobs, authorized_keys => \&keys_of, 'systemd-unit' => \&units);

# The entries in the data of one of the known externals; dies at the first word that does not fit.
sub entries {
    my ($external, $text) = @_;
    fail('the data is empty') if $text !~ /\S/;
    my ($clean) = $text =~ /^([^\0-\x08\x0b\x0c\x0e-\x1f\x7f]*)\z/ or fail('the data has control characters');
    $clean =~ s/\r\n/\n/g;
    return $WHOLE{$external}->(split /\n/, $clean) if $WHOLE{$external};
    my $parse = $LINES{$external} or fail("nothing is known about the data of `$external`");
    my (@entries, %seen);
    for my $line (split /\n/, $clean) {
        next if $line =~ /^\s*(?:#|\z)/;
        $line =~ s/^\s+|\s+\z//g;
        my $entry = $parse->($line) // fail('cannot read ' . quote($line));
        push @entries, $entry if !$seen{ $entry->{key} }++;
    }
    fail('the data has nothing but comments') if !@entries;
    return @entries;
}

sub knows {
    my ($external) = @_;
    return exists $LINES{$external} || exists $WHOLE{$external};
}

# Foreign text for people: short, and without what could steer a terminal.
sub quote {
    my ($text) = @_;
    my $short = length $text > 100 ? substr($text, 0, 100) . '…' : $text;
    return '`' . ($short =~ s/([^ -~]|`)/sprintf '\\x%02x', ord $1/ger) . '`';
}

# NAME [uid=N] [group=NAME] [home=PATH] [shell=PATH] [system=yes] [create-home=yes]
sub user {
    my ($line) = @_;
    my ($name, $rest) = $line =~ /^($NAME)((?:\s.*)?)\z/ or return;
    my %may = (
        uid => $NUMBER, group => $NAME, home => $PATH, shell => $PATH,
        system => qr/yes/, 'create-home' => qr/yes/,
    );
    return { key => $name, about => "user `$name`", name => $name, options($rest, %may) };
}

# NAME [gid=N] [system=yes]
sub group {
    my ($line) = @_;
    my ($name, $rest) = $line =~ /^($NAME)((?:\s.*)?)\z/ or return;
    my %may = (gid => $NUMBER, system => qr/yes/);
    return { key => $name, about => "group `$name`", name => $name, options($rest, %may) };
}

sub options {
    my ($text, %may) = @_;
    my %found;
    for my $word (split ' ', $text) {
        my ($option, $value) = $word =~ /^([a-z-]+)=(.*)\z/ or fail('not an option: ' . quote($word));
        my $pattern = $may{$option} // fail('no such option: ' . quote($option));
        my ($clean) = $value =~ /^($pattern)\z/ or fail('not a value: ' . quote($word));
        fail('`..` in a path: ' . quote($word)) if $clean =~ m{(?:^|/)\.\.(?:/|\z)};
        $found{ $option =~ tr/-/_/r } = $clean;
    }
    return %found;
}

# GROUP:USER, as tpkg's own external has it
sub supplemental_group {
    my ($line) = @_;
    my ($group, $user) = $line =~ /^($NAME):($NAME)\z/ or return;
    return { key => "$group:$user", about => "user `$user` in group `$group`", group => $group, user => $user };
}

# USER, group:GROUP (both: everything, with their password), or a rule of sudoers for a user or %group
sub sudo {
    my ($line) = @_;
    my $rule;
    if ($line =~ /^($NAME)\z/) { $rule = "$1 ALL=(ALL:ALL) ALL" }
    elsif ($line =~ /^group:($NAME)\z/) { $rule = "%$1 ALL=(ALL:ALL) ALL" }
    elsif ($line =~ /^(%?$NAME\s+[A-Za-z0-9_.,!-]+\s*=[ -~]*[^ \\])\z/ && index($line, '#') < 0) { $rule = $1 }
    else { return }
    return { key => $rule, about => 'sudo rule ' . quote($rule), line => $rule };
}

# KEY = VALUE; dots or slashes in the key, as sysctl has them
sub sysctl {
    my ($line) = @_;
    my ($name, $value) = $line =~ m{^([a-z0-9_][A-Za-z0-9_./-]*[A-Za-z0-9_])\s*=\s*([A-Za-z0-9_.,:/+%\@ \t-]+)\z}
        or return;
    $name =~ tr{./}{/.} if $name =~ m{^[^/]*\.};
    fail(quote($line) . ': not the name of a setting') if $name =~ m{//|\.\.|^/|(?:^|/)\.};
    my $dotted = $name =~ tr{./}{/.}r;
    fail("`$dotted` would run programs as root") if $dotted =~ $RUNS_PROGRAMS;
    $value = join ' ', split ' ', $value;
    return {
        key => $dotted, about => "sysctl `$dotted`", value => $value, line => "$dotted = $value",
        file => "/proc/sys/$name",
    };
}

# DOMAIN TYPE ITEM VALUE, as in limits.conf
sub limit {
    my ($line) = @_;
    my $who = qr/(?:\*|[@%]?$NAME|[@%]?$NUMBER?:$NUMBER?)/;
    my ($domain, $type, $item, $value)
        = $line =~ /^($who)\s+(soft|hard|-)\s+($LIMIT)\s+(unlimited|infinity|-?[0-9]{1,18})\z/ or return;
    return {
        key => "$domain $type $item", about => "limit `$domain $type $item`", value => $value,
        line => "$domain $type $item $value",
    };
}

# A line of an automount map, KEY [-OPTIONS] HOST:/PATH, where a relative KEY lies below /auto; or a line
# of fstab, HOST:/PATH FOLDER [nfs|nfs4 [OPTIONS [0 0]]].
sub mount {
    my ($line) = @_;
    my $options = qr/[A-Za-z0-9_.,=:\@+-]+/;
    my ($folder, $wishes, $type);
    my $source;
    if ($line =~ m{^([A-Za-z0-9_][A-Za-z0-9_.-]*|$PATH)\s+(?:-($options)\s+)?($HOST:$PATH)\z}) {
        ($folder, $wishes, $source) = ($1, $2, $3);
        $folder = "/auto/$folder" if $folder !~ m{^/};
        ($wishes, my @types) = without_type($wishes);
        $type = $types[-1];
    } elsif ($line =~ m{^($HOST:$PATH)\s+($PATH)(?:\s+(nfs4?)(?:\s+($options)(?:\s+0\s+0)?)?)?\z}) {
        ($source, $folder, $type, $wishes) = ($1, $2, $3, $4);
    } else {
        return;
    }
    $folder =~ s{/+}{/}g;
    $folder =~ s{(?<=.)/\z}{};
    fail(quote($line) . ': `..` in a path') if "$source/$folder/" =~ m{/\.\.?/};
    fail("nothing is mounted on `$folder`") if $folder eq '/' || $folder =~ $SYSTEM;
    my $how = join ' ', $type // 'nfs', join ',', grep { defined && length } $wishes, '_netdev', 'nofail';
    return {
        key => $folder, about => "mount `$folder`", value => "$source $how", line => "$source $folder $how 0 0",
        source => $source, folder => $folder,
    };
}

sub without_type {
    my ($options) = @_;
    my @all = split /,/, $options // '';
    my @types = map { /^fstype=(nfs4?)\z/ ? $1 : /^fstype=/ ? fail('not NFS: ' . quote($_)) : () } @all;
    return (join(',', grep { !/^fstype=/ } @all), @types);
}

# CHAIN RULE, in the words of nft
sub rule {
    my ($line) = @_;
    fail('iptables blocks are not read: send `CHAIN RULE` in the words of nft') if $line =~ /^[<*:]|^-[A-Z] /;
    my ($chain, $rule) = $line =~ m{^(input|output|forward|prerouting|postrouting)\s+([A-Za-z0-9_.,:/@"!=<>*&|{}() -]+)\z}
        or return;
    fail(quote($line) . ': words in quotes are not closed') if ($rule =~ tr/"//) % 2;
    my $depth = 0;
    for my $brace ($rule =~ /"[^"]*"|([{}])/g) {
        next if !defined $brace;
        $depth += $brace eq '{' ? 1 : -1;
        fail(quote($line) . ': a brace too many') if $depth < 0;
    }
    fail(quote($line) . ': a brace is not closed') if $depth;
    fail(quote($line) . ': leads elsewhere') if $rule =~ /\b(?:jump|goto|include|define|redefine)\b/;
    return { key => "$chain $rule", about => 'rule ' . quote("$chain $rule"), line => "$chain $rule" };
}

# Lines of /etc/cron.d: five fields or @WORD, the user, the command. A setting NAME=VALUE holds for the
# jobs after it.
sub jobs {
    my (@lines) = @_;
    my (@settings, @entries);
    for my $line (@lines) {
        next if $line =~ /^\s*(?:#|\z)/;
        $line =~ s/^\s+|\s+\z//g;
        if ($line =~ /^([A-Za-z_][A-Za-z0-9_]*)\s*=\s*([^\0-\x1f]*)\z/) {
            push @settings, "$1=$2";
            next;
        }
        my ($when, $user, $command) = job($line) or fail('cannot read ' . quote($line));
        my $text = join "\n", @settings, "$when $user $command";
        push @entries, { key => $text, about => 'job ' . quote($line), line => $text, user => $user };
    }
    fail('the data has no job') if !@entries;
    return @entries;
}

sub job {
    my ($line) = @_;
    return ($1, $2, $3)
        if $line =~ /^(\@(?:reboot|yearly|annually|monthly|weekly|daily|midnight|hourly))\s+($NAME)\s+(\S.*)\z/;
    my @words = $line =~ /^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+($NAME)\s+(\S.*)\z/ or return;
    my ($user, $command) = splice @words, 5;
    my @ranges = ([0, 59], [0, 23], [1, 31], [1, 12], [0, 7]);
    my @names = ('', '', '', 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec', 'sun|mon|tue|wed|thu|fri|sat');
    for my $place (0 .. 4) {
        my $value = $names[$place] ? qr/[0-9]{1,2}|$names[$place]/i : qr/[0-9]{1,2}/;
        for my $part (split /,/, $words[$place], -1) {
            $part =~ m{^(?:\*|$value(?:-$value)?)(?:/[1-9][0-9]?)?\z} or return;
            my ($least, $most) = @{ $ranges[$place] };
            my $bare = $part =~ s{/.*}{}r;
            return if grep { $_ < $least || $_ > $most } $bare =~ /([0-9]+)/g;
        }
    }
    return (join(' ', @words), $user, $command);
}

# The home (as the etch external has it) or the name of a user, then that user's keys, each on a line.
sub keys_of {
    my (@lines) = @_;
    my ($whose, @entries, %is_whose);
    for my $line (@lines) {
        next if $line =~ /^\s*(?:#|\z)/;
        $line =~ s/^\s+|\s+\z//g;
        if ($line =~ m{^($PATH|$NAME)\z}) {
            $whose = $1 =~ s{(?<=.)/+\z}{}r;
            fail(quote($line) . ': not the home of anybody') if "$whose/" =~ m{^//|/\.\.?/};
            $is_whose{$whose} = 0;
            next;
        }
        fail('the first line names no user and no home') if !defined $whose;
        my $key = key_line($line) // fail('not a public key: ' . quote($line));
        my $short = $key =~ /(\S{12})(?:\s[^"]*)?\z/ ? $1 : '';
        $is_whose{$whose}++;
        push @entries, { key => "$whose $key", about => "key …$short of `$whose`", whose => $whose, line => $key };
    }
    # A home alone: the file is there, as in etch's layout, and who owns the home fills it.
    push @entries, map { { key => $_, about => "keys of `$_`", whose => $_ } } grep { !$is_whose{$_} } sort keys %is_whose;
    fail('the data names no user') if !@entries;
    return @entries;
}

sub key_line {
    my ($line) = @_;
    my $kind = qr/(?:sk-)?(?:ssh-ed25519|ecdsa-sha2-nistp256)(?:\@openssh\.com)?|ssh-rsa|ecdsa-sha2-nistp(?:384|521)/;
    my $option = qr/[a-zA-Z0-9-]+(?:="[^"\\\0-\x1f]*")?/;
    my ($options, $type, $blob, $comment)
        = $line =~ m{^((?:$option(?:,$option)*\s+)??)($kind)\s+([A-Za-z0-9+/]{40,}={0,2})((?:\s[^\0-\x1f]*)?)\z} or return;
    # The blob tells its own kind, by length and name.
    my $bytes = unpack 'u', join '', map { pack('C', 32 + length($_) * 3 / 4) . tr{A-Za-z0-9+/}{ -_}r . "\n" }
        ($blob =~ s/=+\z//r) =~ /(.{1,60})/g;
    return if index($bytes, pack('N', length $type) . $type) != 0;
    return "$options$type $blob$comment";
}

# For each unit: a line NAME.KIND [enable] [start], then its text.
sub units {
    my (@lines) = @_;
    my @entries;
    my $continues = 0;
    for my $line (@lines) {
        if (!$continues && $line =~ /^\s*([A-Za-z0-9_][A-Za-z0-9_.:\@-]{0,200}\.(?:service|timer|socket|path|mount|automount|target|slice))((?:\s+(?:enable|start))*)\s*\z/) {
            my ($name, %does) = ($1, map { $_ => 1 } split ' ', $2);
            push @entries, { key => $name, about => "unit `$name`", name => $name, text => '', %does };
            next;
        }
        $continues = $line =~ /\\\z/;
        next if !@entries && $line =~ /^\s*(?:#|\z)/;
        fail('the first line is not `NAME.KIND [enable] [start]`') if !@entries;
        $entries[-1]{text} .= "$line\n";
    }
    my %seen;
    for my $entry (@entries) {
        fail("$entry->{about} is there twice") if $seen{ $entry->{name} }++;
        $entry->{text} =~ s/\s+\z/\n/;
        fail("$entry->{about} has no section") if $entry->{text} !~ /^\[[A-Z][A-Za-z]*\]$/m;
        $entry->{value} = join ' ', grep({ $entry->{$_} } qw(enable start)), $entry->{text};
        $entry->{all} = \@entries;
    }
    fail('the data has no unit') if !@entries;
    return @entries;
}

1;
