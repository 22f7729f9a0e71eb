#!/usr/bin/perl
# A small static web server: one process for each request, and nothing but perl's core modules.
#
# It listens first and goes to the background then, so that whoever starts it learns whether the
# address could be had. Paths are resolved below the served folder: neither `..` nor a symbolic link
# leads out of it, and names that begin with a dot are not served.
use strict;
use warnings;

use Cwd qw(realpath);
use Fcntl qw(O_RDONLY O_NONBLOCK O_NOCTTY);
use IO::Select;
use IO::Socket::INET;
use POSIX qw(WNOHANG setsid);

my $TAG      = 'static_web';
my $LONGEST  = 16_384;    # bytes of a request's head
my $CART_DIR = setting_of_gear('OPENSHIFT_STATIC_WEB_DIR');
my $PID_FILE = "${CART_DIR}run/server.pid";
my $SETTINGS = "${CART_DIR}conf/server.conf";

my %TYPE = (
    html  => 'text/html; charset=utf-8',
    htm   => 'text/html; charset=utf-8',
    css   => 'text/css; charset=utf-8',
    js    => 'text/javascript; charset=utf-8',
    mjs   => 'text/javascript; charset=utf-8',
    txt   => 'text/plain; charset=utf-8',
    md    => 'text/markdown; charset=utf-8',
    csv   => 'text/csv; charset=utf-8',
    xml   => 'application/xml',
    json  => 'application/json',
    pdf   => 'application/pdf',
    wasm  => 'application/wasm',
    zip   => 'application/zip',
    gz    => 'application/gzip',
    svg   => 'image/svg+xml',
    png   => 'image/png',
    jpg   => 'image/jpeg',
    jpeg  => 'image/jpeg',
    gif   => 'image/gif',
    webp  => 'image/webp',
    avif  => 'image/avif',
    ico   => 'image/x-icon',
    woff  => 'font/woff',
    woff2 => 'font/woff2',
    mp3   => 'audio/mpeg',
    mp4   => 'video/mp4',
    webm  => 'video/webm',
);

my %REASON = (
    200 => 'OK',
    301 => 'Moved Permanently',
    304 => 'Not Modified',
    400 => 'Bad Request',
    403 => 'Forbidden',
    404 => 'Not Found',
    405 => 'Method Not Allowed',
    408 => 'Request Timeout',
    414 => 'URI Too Long',
);

my %settings = read_settings();
my $log_pid  = 0;

$SIG{PIPE} = 'IGNORE';
my $listener = listen_at(setting_of_gear('OPENSHIFT_STATIC_WEB_IP'),
    setting_of_gear('OPENSHIFT_STATIC_WEB_PORT'));
go_to_background();
serve();

sub setting_of_gear {
    my ($name) = @_;
    my $value = $ENV{$name};
    die "static-web: $name is not set; this program is started by `control start` in a gear\n"
        if !defined $value || $value eq '';
    return $value;
}

sub read_settings {
    my %found = (
        server_name => 'localhost', index => 'index.html', cache_seconds => 60,
        workers => 32, patience => 20,
    );
    open my $file, '<', $SETTINGS or die "static-web: cannot read $SETTINGS: $!\n";
    while (my $line = <$file>) {
        next if $line =~ /^\s*(?:#|$)/;
        my ($name, $value) = $line =~ /^\s*(\w+)\s+(.*?)\s*$/;
        die "static-web: $SETTINGS line $.: not a name and a value\n" if !defined $name;
        die "static-web: $SETTINGS line $.: there is no setting `$name`\n" if !exists $found{$name};
        die "static-web: $SETTINGS line $.: `$name` is a number above 0\n"
            if $found{$name} =~ /^\d+$/ && $value !~ /^[1-9]\d{0,8}$/;
        $found{$name} = $value;
    }
    die "static-web: $SETTINGS: `index` is the name of a file\n" if $found{index} =~ m{/};
    return %found;
}

sub listen_at {
    my ($address, $port) = @_;
    return IO::Socket::INET->new(
        LocalAddr => $address, LocalPort => $port, Proto => 'tcp', Listen => 128, ReuseAddr => 1,
    ) || die "static-web: cannot listen at $address:$port: $!\n";
}

# The parent ends when the server is ready, with the server's own message when it is not.
sub go_to_background {
    pipe my $news, my $teller or die "static-web: cannot make a pipe: $!\n";
    my $child = fork;
    die "static-web: cannot start a process: $!\n" if !defined $child;
    if ($child) {
        close $teller;
        my $said = do { local $/; <$news> };
        exit 0 if defined $said && $said eq "ready\n";
        print STDERR defined $said && $said ne '' ? $said : "static-web: ended at once\n";
        exit 1;
    }
    close $news;
    my $fine = eval {
        setsid();
        chdir '/';
        write_pid_file();
        open_log();
        1;
    };
    syswrite $teller, $fine ? "ready\n" : $@;
    close $teller;
    exit 1 if !$fine;
    return;
}

sub write_pid_file {
    open my $file, '>', "$PID_FILE.new" or die "static-web: cannot write $PID_FILE: $!\n";
    print {$file} "$$\n";
    close $file or die "static-web: cannot write $PID_FILE: $!\n";
    rename "$PID_FILE.new", $PID_FILE or die "static-web: cannot write $PID_FILE: $!\n";
    return;
}

# The log goes through the platform's `logshifter`, which rolls it, where there is one. Nothing of
# the caller's output may stay open, or the caller would wait for this server for ever.
sub open_log {
    open STDIN,  '<', '/dev/null' or die "static-web: cannot open /dev/null: $!\n";
    open STDOUT, '>', '/dev/null' or die "static-web: cannot open /dev/null: $!\n";
    open STDERR, '>', '/dev/null' or die "static-web: cannot open /dev/null: $!\n";
    my ($shifter) = grep { -x } map { "$_/logshifter" } split /:/, $ENV{PATH} // '';
    my $pid = $shifter ? open(my $log, '|-', $shifter, '-tag', $TAG) : undef;
    return log_to_file() if !$pid;
    $log_pid = $pid;
    return log_to($log);
}

sub log_to_file {
    $log_pid = 0;
    my $path = setting_of_gear('OPENSHIFT_LOG_DIR') . "/$TAG.log";
    open my $log, '>>', $path or die "static-web: cannot write $path: $!\n";
    return log_to($log);
}

sub log_to {
    my ($log) = @_;
    open STDOUT, '>&', $log or die "static-web: cannot write the log: $!\n";
    open STDERR, '>&', $log or die "static-web: cannot write the log: $!\n";
    # Closing a pipe's handle waits for its process, so the handle is kept until the end.
    our $kept = $log;
    STDOUT->autoflush(1);
    return;
}

sub note {
    my ($text) = @_;
    my ($sec, $min, $hour, $day, $month, $year) = gmtime;
    printf "%04d-%02d-%02dT%02d:%02d:%02dZ %s\n", $year + 1900, $month + 1, $day, $hour, $min, $sec,
        $text;
    return;
}

sub serve {
    my (%workers, $stopping, $reloading);
    local $SIG{TERM} = sub { $stopping  = 1 };
    local $SIG{INT}  = sub { $stopping  = 1 };
    local $SIG{HUP}  = sub { $reloading = 1 };
    local $SIG{CHLD} = sub { };    # only wakes the wait below
    my $ready = IO::Select->new($listener);
    note('ready at http://' . $listener->sockhost . ':' . $listener->sockport . '/');
    while (!$stopping) {
        reap(\%workers);
        if ($reloading) {
            $reloading = 0;
            reload();
        }
        if (keys %workers >= $settings{workers}) {
            select undef, undef, undef, 0.05;
            next;
        }
        next if !$ready->can_read(1);
        my $client = $listener->accept or next;
        my $worker = fork;
        if (!defined $worker) {
            note("cannot start a process: $!");
            select undef, undef, undef, 0.5;
        }
        elsif ($worker) {
            $workers{$worker} = 1;
        }
        else {
            work($client);
        }
        close $client;
    }
    close $listener;
    end_workers(\%workers);
    note('stopped');
    unlink $PID_FILE;
    # Not `exit`: perl would close the log pipe first, and wait for a process that waits for our
    # STDOUT to end.
    POSIX::_exit(0);
}

sub reload {
    my %new = eval { read_settings() };
    %new ? (%settings = %new) : print STDERR "$@static-web: the settings stay as they were\n";
    note('settings read again') if %new;
    return;
}

sub reap {
    my ($workers) = @_;
    while ((my $pid = waitpid -1, WNOHANG) > 0) {
        delete $workers->{$pid};
        log_to_file() if $pid == $log_pid;
    }
    return;
}

# Requests that are being answered get five seconds to finish.
sub end_workers {
    my ($workers) = @_;
    for (1 .. 50) {
        reap($workers);
        last if !%$workers;
        select undef, undef, undef, 0.1;
    }
    kill 'KILL', keys %$workers if %$workers;
    return;
}

# Answers one request and ends this process.
sub work {
    my ($client) = @_;
    close $listener;
    $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP CHLD);
    $SIG{ALRM} = sub { die "too slow\n" };
    my ($head, $line) = ('', '-');
    my ($status, $length) = eval {
        alarm $settings{patience};
        $head = read_head($client);
        POSIX::_exit(0) if $head eq '';    # somebody only looked whether we listen
        ($line) = split /\r?\n/, $head;
        answer($client, $head);
    };
    ($status, $length) = $@ eq "too slow\n" ? (408, 0) : (500, 0) if !defined $status;
    alarm 0;
    $line = substr $line, 0, 512;
    $line =~ s/([^\x20-\x7e]|["\\])/sprintf '\\x%02x', ord $1/ge;
    note(($client->peerhost // '-') . " \"$line\" $status $length");
    let_go($client);
    POSIX::_exit(0);    # no handle of the parent's is flushed or closed a second time
}

sub read_head {
    my ($client) = @_;
    my $head = '';
    while ($head !~ /\r?\n\r?\n/) {
        my $count = sysread $client, $head, 4096, length $head;
        return '' if !$count;
        last if length $head > $LONGEST;
    }
    return $head;
}

sub answer {
    my ($client, $head) = @_;
    my $whole = $head =~ /\r?\n\r?\n/;
    my ($method, $target) = $head =~ m{\A([A-Z]+) (\S+) HTTP/1\.[01]\r?\n};
    return refuse($client, 'GET', $whole ? 400 : 414) if !$whole || !defined $method;
    return refuse($client, $method, 405, 'Allow: GET, HEAD') if $method !~ /\A(?:GET|HEAD)\z/;

    $target =~ s{\Ahttp://[^/]*}{}i;
    $target =~ s/[?#].*//s;
    return refuse($client, $method, 400) if $target !~ m{\A/} || $target =~ /%(?![0-9A-Fa-f]{2})/;
    $target =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return refuse($client, $method, 400) if $target =~ /\0/;

    my @names = grep { $_ ne '' && $_ ne '.' } split m{/}, $target;
    return refuse($client, $method, 404) if grep { /\A\./ && $_ ne '.well-known' } @names;
    my $root = served_folder();
    my $path = below($root, join '/', $root, @names);
    return refuse($client, $method, 404) if !defined $path;
    if (-d $path) {
        return move($client, $method, \@names) if $target !~ m{/\z};
        $path = below($root, "$path/$settings{index}");
        return refuse($client, $method, 404) if !defined $path;
    }
    elsif ($target =~ m{/\z}) {
        return refuse($client, $method, 404);
    }
    return send_file($client, $method, $root, $path, $head);
}

# Looked up for each request: a deployment may put another folder in its place.
sub served_folder {
    my $public = $ENV{OPENSHIFT_STATIC_WEB_PUBLIC_DIR};
    my $folder = defined $public && -d $public ? $public : setting_of_gear('OPENSHIFT_REPO_DIR');
    return realpath($folder) // die "no such folder: $folder\n";
}

# The real path of `$path` when it exists and lies in `$root`.
sub below {
    my ($root, $path) = @_;
    my $real = -e $path ? realpath($path) : undef;
    return defined $real && ($real eq $root || index($real, "$root/") == 0) ? $real : undef;
}

sub send_file {
    my ($client, $method, $root, $path, $head) = @_;
    # A named pipe must not hold this process, hence O_NONBLOCK.
    sysopen my $file, $path, O_RDONLY | O_NONBLOCK | O_NOCTTY
        or return refuse($client, $method, $!{EACCES} ? 403 : 404);
    # A link may have been put into the path since it was looked at: what counts is what was opened.
    my $opened = readlink '/proc/self/fd/' . fileno $file;
    return refuse($client, $method, 404)
        if !-f $file || !defined $opened || index($opened, "$root/") != 0;

    my ($size, $changed) = (stat _)[7, 9];
    my $date = http_date($changed);
    my ($suffix) = $path =~ /\.([A-Za-z0-9]+)\z/;
    my @fields = (
        "Last-Modified: $date",
        "Cache-Control: max-age=$settings{cache_seconds}",
        'X-Content-Type-Options: nosniff',
    );
    if ($head =~ /^If-Modified-Since:[ \t]*(.*?)[ \t]*\r?$/mi && $1 eq $date) {
        send_all($client, head_of(304, @fields));
        return (304, 0);
    }
    push @fields, "Content-Length: $size",
        'Content-Type: ' . ($TYPE{ lc($suffix // '') } // 'application/octet-stream');
    send_all($client, head_of(200, @fields));
    return (200, 0) if $method eq 'HEAD';
    my $left = $size;
    while ($left > 0) {
        my $count = sysread $file, my $block, $left < 65_536 ? $left : 65_536;
        last if !$count;
        send_all($client, $block);
        $left -= $count;
    }
    return (200, $size - $left);
}

sub move {
    my ($client, $method, $names) = @_;
    my @encoded = map { (my $name = $_) =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge; $name }
        @$names;
    # Made of its parts, so that it cannot begin with `//` and lead to another host.
    return refuse($client, $method, 301, 'Location: /' . join('/', @encoded) . '/');
}

# Answers with a page that says nothing but the status.
sub refuse {
    my ($client, $method, $status, @fields) = @_;
    my $name = $settings{server_name};
    $name =~ s/([<>&"])/'&#' . ord($1) . ';'/ge;
    my $page = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        . "<title>$status $REASON{$status}</title></head>\n"
        . "<body><h1>$status $REASON{$status}</h1><p>$name</p></body></html>\n";
    my $length = length $page;
    push @fields, "Content-Length: $length", "Content-Type: $TYPE{html}";
    send_all($client, head_of($status, @fields));
    return ($status, 0) if $method eq 'HEAD';
    send_all($client, $page);
    return ($status, $length);
}

sub head_of {
    my ($status, @fields) = @_;
    return join "\r\n", "HTTP/1.1 $status $REASON{$status}", 'Date: ' . http_date(time), @fields,
        'Connection: close', '', '';
}

sub send_all {
    my ($client, $bytes) = @_;
    my $sent = 0;
    while ($sent < length $bytes) {
        alarm $settings{patience};
        my $count = syswrite $client, $bytes, length($bytes) - $sent, $sent;
        die "the other end is gone\n" if !defined $count;
        $sent += $count;
    }
    return;
}

# Ends the connection so that the answer arrives: closing while bytes of the request are unread
# would reset it.
sub let_go {
    my ($client) = @_;
    shutdown $client, 1;
    my $rest = IO::Select->new($client);
    for (1 .. 64) {
        last if !$rest->can_read(1) || !sysread $client, my $ignored, 65_536;
    }
    close $client;
    return;
}

sub http_date {
    my ($time) = @_;
    my ($sec, $min, $hour, $day, $month, $year, $weekday) = gmtime $time;
    my @days   = qw(Sun Mon Tue Wed Thu Fri Sat);
    my @months = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);
    return sprintf '%s, %02d %s %04d %02d:%02d:%02d GMT', $days[$weekday], $day, $months[$month],
        $year + 1900, $hour, $min, $sec;
}
