package Cartwright::Bridge;

# Externals that hand their data to a configuration management tool: each request is a file where the
# tool looks, named after the package and the data; then the tool is run. Removing takes the file away
# and runs the tool again. A request that the tool fails on is taken back.
#
# A bridge is linked to under the names of the externals that it shall answer for.

use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(LOCK_EX O_CREAT O_NOFOLLOW O_RDWR);

use Cartwright::Data;
use Cartwright::External qw(arguments input);
use Cartwright::Host qw(end_with fail fingerprint folders make_host_ready name_of path read_file remove_file write_file);

our @EXPORT_OK = qw(json_request run_bridge);

my $CHANGES = 20;

# Runs a bridge made of these parts, and ends the program:
#   tool   => NAME
#   suffix => '.json'                           of the files' names (optional)
#   files  => sub ($external, $data, $package)  what to write: folder => text; dies where data does not do
#   run    => sub (@folders)                    has the tool look at what changed there
sub run_bridge {
    my (%bridge) = @_;
    return end_with(sub { main(\%bridge) });
}

sub main {
    my ($bridge) = @_;
    my $data = input();
    make_host_ready();
    my ($checks, $package, $operation) = arguments();
    my %text = $bridge->{files}->(name_of(), $data, $package);
    my %at = map { ("$_/" . file_name($package, $data) . ($bridge->{suffix} // '')) => $text{$_} } keys %text;
    my $wanted = $operation eq 'install';
    my @changing = grep { $wanted xor defined read_file($_) } sort keys %at;
    if ($checks) {
        print "request `$_`: " . ($wanted ? "is written\n" : "is taken away\n") for @changing;
        return @changing ? $CHANGES : 0;
    }
    put($_, $wanted ? $at{$_} : undef) for @changing;
    print "request `$_`: " . ($wanted ? "written\n" : "taken away\n") for @changing;
    return 0 if eval { run_tool($bridge, sort keys %text); 1 };
    my $why = $@;
    # What the tool cannot do is not asked of it again with the next package.
    if ($wanted) { put($_, undef) for @changing }
    die $why;
}

sub put {
    my ($file, $text) = @_;
    return defined $text ? write_file($file, 0644, $text) : remove_file($file);
}

# One name for one package's one piece of data, whatever is in the package's name.
sub file_name {
    my ($package, $data) = @_;
    my $name = $package =~ s/([^A-Za-z0-9_.+-]|^\.)/sprintf '%%%02x', ord $1/ger;
    return substr($name, 0, 180) . '.' . fingerprint("$package\0$data");
}

# Has the tool look, one run at a time. A call from inside a run (tool, cart, external, this) does not
# wait for what waits for it: it leaves a mark, and the run is followed by another.
sub run_tool {
    my ($bridge, @folders) = @_;
    my $place = path('/var/lib/cartwright/requests');
    my $again = "$place/.$bridge->{tool}.again";
    folders($place);
    if (($ENV{CART_BRIDGE_RUN} // '') eq $bridge->{tool}) {
        write_file($again, 0600, "a run is under way\n");
        print "a run of $bridge->{tool} is under way: it will be followed by another\n";
        return;
    }
    sysopen my $lock, "$place/.$bridge->{tool}.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600
        or fail("cannot open the lock in `$place`: $!");
    flock $lock, LOCK_EX or fail("cannot lock in `$place`: $!");
    local $ENV{CART_BRIDGE_RUN} = $bridge->{tool};
    # Twice is enough for every request there is; what asks again each time would never end.
    for my $run (1 .. 3) {
        remove_file($again);
        $bridge->{run}->(@folders);
        return if !-e $again;
    }
    fail("each run of $bridge->{tool} asks for another: look at what calls cart there");
}

# The administrator's own way to run a tool, if there is one.
sub own_command {
    my ($tool) = @_;
    my $own = path("/etc/cartwright/bridges/$tool-run");
    return -x $own ? $own : ();
}

# The request as JSON: who asks whom for what, the data as it came, and its entries, taken apart and
# checked as the shipped externals do it.
sub json_request {
    my ($external, $data, $package) = @_;
    my @entries = Cartwright::Data::entries($external, $data);
    my @parts = map {
        my $entry = $_;
        '{' . join(', ', map { json($_) . ': ' . json($entry->{$_}) } sort grep { !ref $entry->{$_} && $_ ne 'about' } keys %$entry) . '}'
    } @entries;
    my ($text) = $data =~ /^(.*)\z/s;
    return join '', "{\n", '  "external": ', json($external), ",\n", '  "package": ', json($package), ",\n",
        '  "data": ', json($text), ",\n", '  "entries": [', join(",\n    ", @parts), "]\n}\n";
}

sub json {
    my ($text) = @_;
    return '"' . ($text =~ s/(["\\\0-\x1f\x7f])/sprintf '\\u%04x', ord $1/ger) . '"';
}

1;
