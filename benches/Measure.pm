package Measure;
# Runs a command and says how long it took, how long it took to be safe on the disk, and how much
# memory it used.
#
# Commands run in folders that are new for each run, and nothing is removed until the end: ext4 without
# a journal does not reuse the inode of a removed file for minutes and searches past all of them, which
# makes unpacking after a removal many times slower than it is. What removes files itself, as deployments
# do, needs $BENCH_DIR on a filesystem with a journal to be measured at all.
use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);
use POSIX ();
use Time::HiRes qw(time);

our @EXPORT_OK = qw(timed peak_memory median fresh_dir work_dir has);

my ($work, $number);

sub work_dir { ($work) = @_ if @_; return $work }

# A new empty folder.
sub fresh_dir {
    my $dir = sprintf '%s/run/%05d', $work, ++$number;
    make_path($dir);
    return $dir;
}

# Tells whether there is a program of that name.
sub has {
    my ($program) = @_;
    return scalar grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin';
}

# Milliseconds until `@$command` has ended, and until its files under `$dir` are on the disk.
sub timed {
    my ($command, $dir) = @_;
    system 'sync';    # what others left to write is not this command's to wait for
    my $begin = time;
    run_quietly(@$command);
    my $wall = time - $begin;
    system 'sync', '-f', $dir if defined $dir;
    return { wall => 1000 * $wall, durable => 1000 * (time - $begin) };
}

# The most memory that `@$command` had, in KiB; nothing without GNU time. It stands between us and
# the command because the kernel counts what a process had before it became another program.
sub peak_memory {
    my ($command) = @_;
    return if !-x '/usr/bin/time';
    my $report = fresh_dir() . '/memory';
    run_quietly('/usr/bin/time', '-f', '%M', '-o', $report, @$command);
    open my $file, '<', $report or die "cannot read $report: $!\n";
    my ($kib) = grep { /^\d+$/ } map { chomp; $_ } <$file>;
    return $kib;
}

sub run_quietly {
    my @command = @_;
    my $log = "$work/output";
    my $child = fork;
    die "cannot start a process: $!\n" if !defined $child;
    if (!$child) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', $log;
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    waitpid $child, 0;
    return if $? == 0;
    open my $file, '<', $log;
    my @said = defined $file ? <$file> : ();
    my $status = $? >> 8;
    splice @said, 0, -4 if @said > 4;
    die "status $status from `@command[0 .. ($#command > 6 ? 6 : $#command)]`: @said";
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted % 2 ? $sorted[ $#sorted / 2 ] : ($sorted[ @sorted / 2 - 1 ] + $sorted[ @sorted / 2 ]) / 2;
}

1;
