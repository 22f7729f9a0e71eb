#!/usr/bin/perl
# The application: it answers every request whose path names no other script in cgi-bin/.
use strict;
use warnings;
use Fcntl qw(LOCK_EX O_CREAT O_RDWR SEEK_SET);

my $count = count_this_visit("$ENV{OPENSHIFT_DATA_DIR}/visits");
my ($gear, $path) = map { escape($_) } $ENV{OPENSHIFT_GEAR_NAME}, $ENV{PATH_INFO};
my $perl = sprintf '%vd', $^V;

print "Content-Type: text/html; charset=utf-8\n\n", <<"PAGE";
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Welcome to $gear</title>
<style>
body { margin: 0; font: 1.1rem/1.6 system-ui, sans-serif; color: #1d2b36; background: #f3f6f8; }
main { max-width: 40rem; margin: 12vh auto; padding: 2rem 2.5rem; background: #fff; border-radius: 8px; }
h1 { margin-top: 0; font-size: 1.7rem; color: #0b5d7a; }
code { background: #eef3f6; padding: 0.1em 0.3em; border-radius: 4px; }
</style>
</head>
<body>
<main>
<h1>The gear $gear is running</h1>
<p>This is request number $count, answered by perl $perl for the path <code>$path</code>.</p>
<p>The page is made by <code>cgi-bin/app.cgi</code> in the repository of your gear. The number is
kept in the gear's data folder, which deployments leave alone.</p>
</main>
</body>
</html>
PAGE

# The lock makes the number right when requests run at the same time.
sub count_this_visit {
    my ($name) = @_;
    sysopen my $file, $name, O_RDWR | O_CREAT or die "cannot open $name: $!\n";
    flock $file, LOCK_EX or die "cannot lock $name: $!\n";
    my $text = <$file> // 0;
    my $visits = ($text =~ /^(\d+)/ ? $1 : 0) + 1;
    seek $file, 0, SEEK_SET;
    print {$file} "$visits\n";
    close $file or die "cannot write $name: $!\n";
    return $visits;
}

sub escape {
    my ($text) = @_;
    $text = '' if !defined $text;
    $text =~ s/([&<>"'])/'&#' . ord($1) . ';'/ge;
    return $text;
}
