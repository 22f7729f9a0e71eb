//! A web server that is small enough to be a cartridge's: one page for whoever asks.

/// The program; its arguments are address, port and page.
pub(crate) const SERVE: &str = r#"#!/usr/bin/perl
use strict;
use Socket;
my ($at, $port, $page) = @ARGV;
socket(my $ear, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt($ear, SOL_SOCKET, SO_REUSEADDR, 1);
bind($ear, sockaddr_in($port, inet_aton($at))) or die $!;
listen($ear, 64) or die $!;
while (accept(my $guest, $ear)) {
    while (my $line = <$guest>) { last if $line =~ /^\r?\n$/ }
    syswrite($guest, "HTTP/1.0 200 OK\r\nContent-Length: " . length($page) . "\r\n\r\n$page");
    close($guest);
}
"#;
