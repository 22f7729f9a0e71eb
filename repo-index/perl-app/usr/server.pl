#!/usr/bin/perl
# A small application server: runs CGI scripts (RFC 3875), each request in processes of its own,
# with a time limit, and needs nothing but perl's core modules.
#
# It listens first and goes to the background then, so that whoever starts it learns whether the
# address could be had. For each request there are two processes: one that speaks with the client
# and holds the watch, and the script, which leads a process group that ends with the request.
use strict;
use warnings;

use Cwd qw(realpath);
use File::Basename qw(dirname);
use IO::Select;
use IO::Socket::INET;
use POSIX qw(WNOHANG setsid);

my $TAG      = 'perl_app';
my $LONGEST  = 65_536;    # bytes of a head, the request's as well as the script's
my $CART_DIR = setting_of_gear('OPENSHIFT_PERL_APP_DIR');
my $PID_FILE = "${CART_DIR}run/server.pid";
my $SETTINGS = "${CART_DIR}conf/app.conf";

my %REASON = (
    200 => 'OK',
    302 => 'Found',
    400 => 'Bad Request',
    404 => 'Not Found',
    405 => 'Method Not Allowed',
    408 => 'Request Timeout',
    411 => 'Length Required',
    413 => 'Content Too Large',
    431 => 'Request Header Fields Too Large',
    500 => 'Internal Server Error',
    504 => 'Gateway Timeout',
);

# What a script finds in its environment about the request is ours to say, whatever the gear's own
# environment holds; the others would make a shell run something.
my $NOT_FOR_SCRIPTS = qr/\A(?:HTTP_.*|AUTH_TYPE|CONTENT_.*|GATEWAY_INTERFACE
    |PATH_(?:INFO|TRANSLATED)|QUERY_STRING|REMOTE_.*|REQUEST_.*
    |SCRIPT_.*|SERVER_.*|BASH_ENV|ENV|OLDPWD|PWD|SHLVL|_)\z/x;

my %settings = read_settings();
my $log_pid  = 0;

$SIG{PIPE} = 'IGNORE';
my $listener = listen_at(setting_of_gear('OPENSHIFT_PERL_APP_IP'),
    setting_of_gear('OPENSHIFT_PERL_APP_PORT'));
go_to_background();
serve();

sub setting_of_gear {
    my ($name) = @_;
    my $value = $ENV{$name};
    die "perl-app: $name is not set; this program is started by `control start` in a gear\n"
        if !defined $value || $value eq '';
    return $value;
}

sub read_settings {
    my %found = (
        server_name => 'localhost', workers => 16, patience => 20, time_limit => 30,
        max_body => 16 << 20,
    );
    open my $file, '<', $SETTINGS or die "perl-app: cannot read $SETTINGS: $!\n";
    while (my $line = <$file>) {
        next if $line =~ /^\s*(?:#|$)/;
        my ($name, $value) = $line =~ /^\s*(\w+)\s+(.*?)\s*$/;
        die "perl-app: $SETTINGS line $.: not a name and a value\n" if !defined $name;
        die "perl-app: $SETTINGS line $.: there is no setting `$name`\n" if !exists $found{$name};
        die "perl-app: $SETTINGS line $.: `$name` is a number above 0\n"
            if $found{$name} =~ /^\d+$/ && $value !~ /^[1-9]\d{0,8}$/;
        $found{$name} = $value;
    }
    my $limit = $ENV{OPENSHIFT_PERL_APP_TIME_LIMIT} // '';
    $found{time_limit} = $limit if $limit =~ /^[1-9]\d{0,8}$/;
    return %found;
}

sub listen_at {
    my ($address, $port) = @_;
    return IO::Socket::INET->new(
        LocalAddr => $address, LocalPort => $port, Proto => 'tcp', Listen => 128, ReuseAddr => 1,
    ) || die "perl-app: cannot listen at $address:$port: $!\n";
}

# The parent ends when the server is ready, with the server's own message when it is not.
sub go_to_background {
    pipe my $news, my $teller or die "perl-app: cannot make a pipe: $!\n";
    my $child = fork;
    die "perl-app: cannot start a process: $!\n" if !defined $child;
    if ($child) {
        close $teller;
        my $said = do { local $/; <$news> };
        exit 0 if defined $said && $said eq "ready\n";
        print STDERR defined $said && $said ne '' ? $said : "perl-app: ended at once\n";
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
    open my $file, '>', "$PID_FILE.new" or die "perl-app: cannot write $PID_FILE: $!\n";
    print {$file} "$$\n";
    close $file or die "perl-app: cannot write $PID_FILE: $!\n";
    rename "$PID_FILE.new", $PID_FILE or die "perl-app: cannot write $PID_FILE: $!\n";
    return;
}

# The log goes through the platform's `logshifter`, which rolls it, where there is one. Nothing of
# the caller's output may stay open, or the caller would wait for this server for ever.
sub open_log {
    open STDIN,  '<', '/dev/null' or die "perl-app: cannot open /dev/null: $!\n";
    open STDOUT, '>', '/dev/null' or die "perl-app: cannot open /dev/null: $!\n";
    open STDERR, '>', '/dev/null' or die "perl-app: cannot open /dev/null: $!\n";
    my ($shifter) = grep { -x } map { "$_/logshifter" } split /:/, $ENV{PATH} // '';
    my $pid = $shifter ? open(my $log, '|-', $shifter, '-tag', $TAG) : undef;
    return log_to_file() if !$pid;
    $log_pid = $pid;
    return log_to($log);
}

sub log_to_file {
    $log_pid = 0;
    my $path = setting_of_gear('OPENSHIFT_LOG_DIR') . "/$TAG.log";
    open my $log, '>>', $path or die "perl-app: cannot write $path: $!\n";
    return log_to($log);
}

sub log_to {
    my ($log) = @_;
    open STDOUT, '>&', $log or die "perl-app: cannot write the log: $!\n";
    open STDERR, '>&', $log or die "perl-app: cannot write the log: $!\n";
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
    %new ? (%settings = %new) : print STDERR "$@perl-app: the settings stay as they were\n";
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
    my $line   = '-';
    my $status = eval {
        alarm $settings{patience};
        my ($head, $rest) = read_head($client);
        POSIX::_exit(0) if $head eq '';    # somebody only looked whether we listen
        ($line) = split /\r?\n/, $head;
        answer($client, $head, $rest);
    } // failed($@);
    alarm 0;
    $line = substr $line, 0, 512;
    $line =~ s/([^\x20-\x7e]|["\\])/sprintf '\\x%02x', ord $1/ge;
    note(($client->peerhost // '-') . " \"$line\" $status");
    let_go($client);
    POSIX::_exit(0);    # no handle of the parent's is flushed or closed a second time
}

sub failed {
    my ($error) = @_;
    return 408 if $error eq "too slow\n";
    print STDERR "perl-app: $error";
    return 500;
}

# The head of the request, and what of its body came with it.
sub read_head {
    my ($client) = @_;
    my $bytes = '';
    while ($bytes !~ /\r?\n\r?\n/) {
        my $count = sysread $client, $bytes, 4096, length $bytes;
        return ('', '') if !$count;
        return ($bytes, '') if length $bytes > $LONGEST;
    }
    return $bytes =~ /\A(.*?\r?\n)\r?\n(.*)\z/s;
}

sub answer {
    my ($client, $head, $rest) = @_;
    return refuse($client, 431) if length $head > $LONGEST;
    my ($method, $target) = $head =~ m{\A([A-Z]{1,20}) (\S+) HTTP/1\.[01]\r?\n};
    return refuse($client, 400) if !defined $method;
    return refuse($client, 405) if $method =~ /\A(?:TRACE|CONNECT)\z/;
    my %field = fields_of($head) or return refuse($client, 400);
    return refuse($client, 411) if defined $field{'TRANSFER_ENCODING'};
    my $length = $field{CONTENT_LENGTH} // 0;
    return refuse($client, 400) if $length !~ /\A\d{1,15}\z/;
    return refuse($client, 413) if $length > $settings{max_body};

    $target =~ s{\Ahttp://[^/]*}{}i;
    my ($path, $query) = $target =~ m{\A(/[^?#]*)(?:\?([^#]*))?};
    return refuse($client, 400) if !defined $path || $path =~ /%(?![0-9A-Fa-f]{2})/;
    $path =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return refuse($client, 400) if $path =~ m{\0|/\.\.(?:/|\z)};
    my ($script, $name, $info) = script_for($path);
    return refuse($client, 404) if !defined $script;

    my $body = take_body($client, $rest, $length, $field{EXPECT});
    alarm 0;
    my %environment = (
        environment_of_gear(), fields_for_script(%field), about_connection($client, $field{HOST}),
        GATEWAY_INTERFACE => 'CGI/1.1',
        SERVER_SOFTWARE   => 'perl-app/1.0',
        SERVER_PROTOCOL   => 'HTTP/1.1',
        REQUEST_METHOD    => $method,
        REQUEST_URI       => $target,
        QUERY_STRING      => $query // '',
        SCRIPT_FILENAME   => $script,
        SCRIPT_NAME       => $name,
        PATH_INFO         => $info,
    );
    return run($client, $method, $script, $body, %environment);
}

# The fields of a request by their upper-case names; nothing when one of them makes no sense.
sub fields_of {
    my ($head) = @_;
    my (undef, @lines) = split /\r?\n/, $head;
    my %field = (HOST => undef);
    for my $line (@lines) {
        my ($name, $value) = $line =~ /\A([A-Za-z0-9!#\$%&'*+.^_`|~-]+):[ \t]*(.*?)[ \t]*\z/;
        return if !defined $name || $value =~ /[\x00-\x08\x0a-\x1f\x7f]/;
        # `A_B` and `A-B` would become the same variable: a known way to smuggle a field.
        next if $name !~ /\A[A-Za-z0-9-]+\z/;
        $name = uc $name =~ tr/-/_/r;
        return if $name eq 'CONTENT_LENGTH' && defined $field{$name};
        $field{$name} = defined $field{$name} ? "$field{$name}, $value" : $value;
    }
    return %field;
}

# The script for a path: its file, the part of the path that names it, and the rest.
sub script_for {
    my ($path) = @_;
    my $root = realpath(setting_of_gear('OPENSHIFT_REPO_DIR')) // return;
    if ($path =~ m{\A(/cgi-bin/[A-Za-z0-9][A-Za-z0-9_.-]*\.cgi)(/.*)?\z}s) {
        my ($name, $info) = ($1, $2 // '');
        my $script = below($root, "$root$name");
        return defined $script && -f $script ? ($script, $name, $info) : ();
    }
    for my $file ("$root/cgi-bin/app.cgi", "$root/index.pl") {
        my $script = below($root, $file);
        return ($script, '', $path) if defined $script && -f $script;
    }
    note("there is neither cgi-bin/app.cgi nor index.pl in $root");
    return;
}

# The real path of `$path` when it exists and lies in `$root`.
sub below {
    my ($root, $path) = @_;
    my $real = -e $path ? realpath($path) : undef;
    return defined $real && ($real eq $root || index($real, "$root/") == 0) ? $real : undef;
}


# The body of the request as an open file without a name, read from its beginning by the script.
sub take_body {
    my ($client, $rest, $length, $expect) = @_;
    open my $body, '+>', undef or die "cannot make a temporary file: $!\n";
    send_all($client, "HTTP/1.1 100 Continue\r\n\r\n")
        if $length > length $rest && lc($expect // '') eq '100-continue';
    my $block = substr $rest, 0, $length;
    while (1) {
        my $wrote = syswrite $body, $block;
        die "cannot keep the body of a request: $!\n" if !defined $wrote || $wrote < length $block;
        $length -= $wrote;
        last if !$length;
        alarm $settings{patience};
        my $count = sysread $client, $block, $length < 65_536 ? $length : 65_536;
        die "a request ended in the middle of its body\n" if !$count;
    }
    sysseek $body, 0, 0;
    return $body;
}

sub environment_of_gear {
    return map { ($_ => $ENV{$_}) } grep { $_ !~ $NOT_FOR_SCRIPTS } keys %ENV;
}

sub fields_for_script {
    my (%field) = @_;
    my %found;
    $found{CONTENT_TYPE}   = $field{CONTENT_TYPE}   if defined $field{CONTENT_TYPE};
    $found{CONTENT_LENGTH} = $field{CONTENT_LENGTH} if defined $field{CONTENT_LENGTH};
    # `Proxy` would become HTTP_PROXY, which many programs take for the proxy to use.
    my $unwanted = qr/\A(?:PROXY|PROXY_.*|CONTENT_.*|CONNECTION)\z/;
    for my $name (grep { defined $field{$_} && !/$unwanted/ } keys %field) {
        $found{"HTTP_$name"} = $field{$name};
    }
    return %found;
}

sub about_connection {
    my ($client, $host) = @_;
    $host = '' if !defined $host || $host !~ /\A[A-Za-z0-9.-]+(?::\d+)?\z/;
    $host =~ s/:\d+\z//;
    return (
        SERVER_NAME => $host eq '' ? $settings{server_name} : $host,
        SERVER_PORT => $client->sockport,
        REMOTE_ADDR => $client->peerhost // '',
        REMOTE_PORT => $client->peerport // '',
    );
}

# Runs the script and passes on what it says.
sub run {
    my ($client, $method, $script, $body, %environment) = @_;
    pipe my $output, my $writer or die "cannot make a pipe: $!\n";
    my $child = fork;
    die "cannot start a process: $!\n" if !defined $child;
    become($script, $body, $writer, %environment) if !$child;
    setpgrp $child, $child;    # here as well as there: whoever comes first
    close $writer;
    local $SIG{TERM} = sub { kill 'KILL', -$child; POSIX::_exit(0) };
    my $status = eval { relay($client, $method, $output, time + $settings{time_limit}) };
    my $error = $@;
    # A script that has ended may have left others behind, and its request is over.
    kill 'KILL', -$child;
    waitpid $child, 0;
    die $error if !defined $status;
    note("$script was ended after $settings{time_limit} seconds") if $status == 504;
    return $status;
}

# Becomes the script: this process does not come back.
sub become {
    my ($script, $body, $writer, %environment) = @_;
    setpgrp 0, 0;
    my $perl = $^X;
    $SIG{PIPE} = 'DEFAULT';
    if (open(STDIN, '<&', $body) && open(STDOUT, '>&', $writer) && chdir dirname($script)) {
        %ENV = %environment;
        no warnings 'exec';    # the reason is told below
        -x $script ? exec { $script } $script : exec { $perl } $perl, $script;
    }
    print STDERR "perl-app: cannot run $script: $!\n";
    POSIX::_exit(127);
}

# Reads what the script writes until `$until` and sends it on as a response.
sub relay {
    my ($client, $method, $output, $until) = @_;
    my $said = '';
    while ($said !~ /\r?\n\r?\n/) {
        my $more = next_block($output, $until);
        return refuse($client, 504) if !defined $more;
        last if $more eq '';
        $said .= $more;
        last if length $said > $LONGEST;
    }
    my ($head, $rest) = $said =~ /\A(.*?\r?\n)\r?\n(.*)\z/s;
    my ($status, @fields) = response_of($head // '');
    if (!$status) {
        print STDERR "perl-app: the script's output does not begin with header fields\n";
        return refuse($client, 500);
    }
    my $reason = $REASON{$status} // 'Status';
    send_all($client,
        join "\r\n", "HTTP/1.1 $status $reason", @fields, 'Connection: close', '', '');
    return $status if $method eq 'HEAD';
    do {
        send_all($client, $rest);
        $rest = next_block($output, $until);
    } while (defined $rest && $rest ne '');
    # Too late for another status; the log says that the answer was cut off.
    note('the answer was cut off by the time limit') if !defined $rest;
    return $status;
}

# The next bytes of the script; empty at their end, undefined when time is over.
sub next_block {
    my ($output, $until) = @_;
    alarm 0;
    my $left = $until - time;
    return undef if $left <= 0 || !IO::Select->new($output)->can_read($left);
    my $count = sysread $output, my $block, 65_536;
    return $count ? $block : '';
}

# Status and fields of a script's response; nothing when it is none.
sub response_of {
    my ($head) = @_;
    my ($status, $type, @fields);
    for my $line (split /\r?\n/, $head) {
        my ($name, $value) = $line =~ /\A([A-Za-z0-9-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)\z/
            or return;
        if (lc $name eq 'status') {
            ($status) = $value =~ /\A([1-5]\d\d)\b/ or return;
            next;
        }
        next if $name =~ /\A(?:connection|keep-alive|transfer-encoding)\z/i;
        $status //= 302 if lc $name eq 'location';
        $type = 1 if lc $name eq 'content-type';
        push @fields, "$name: $value";
    }
    return if !$status && !$type;
    return ($status // 200, @fields);
}

# Answers with a page that says nothing but the status.
sub refuse {
    my ($client, $status) = @_;
    my $page = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        . "<title>$status $REASON{$status}</title></head>\n"
        . "<body><h1>$status $REASON{$status}</h1></body></html>\n";
    send_all($client, join "\r\n", "HTTP/1.1 $status $REASON{$status}",
        'Content-Length: ' . length $page, 'Content-Type: text/html; charset=utf-8',
        'Connection: close', '', $page);
    return $status;
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
