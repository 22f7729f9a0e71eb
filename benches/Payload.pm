package Payload;
# Makes what the benches install: trees of files with log-normal sizes, the same ones on every host,
# and archives and packages of them. Each tree is a cartridge, so that `cart` takes it as it is.
use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);

our @EXPORT_OK = qw(tree newer tiny plugin release in_the_gear tar_gz zip_of);

my $PI = 3.14159265358979;
my $ENV_DIR = '$OPENSHIFT_BENCH_FAMILY_DIR';

# A generator of our own, so that the payload does not depend on perl's.
my $seed;
sub number { $seed = ($seed * 1_103_515_245 + 12_345) % 2_147_483_648; return $seed / 2_147_483_648 }

sub normal { return sqrt(-2 * log(number() + 1e-12)) * cos(2 * $PI * number()) }

# Makes a cartridge `$name` at `$dir` with `$count` files of `$bytes` bytes in all.
sub tree {
    my ($dir, $name, $count, $bytes) = @_;
    $seed = 42;
    cartridge($dir, $name);
    my @weights = map { exp(1.4 * normal()) } 1 .. $count - 3;
    my $sum = 0;
    $sum += $_ for @weights;
    my $text = text(1 << 20);
    for my $at (0 .. $#weights) {
        my $folder = sprintf '%s/usr/share/part%02d', $dir, $at % 97;
        make_path($folder);
        write_file(sprintf('%s/file%05d', $folder, $at), content($text, int($bytes * $weights[$at] / $sum)));
    }
    return $dir;
}

# Makes at `$dir` the next version of the cartridge at `$old`: every `$nth` file is another one of the
# same length.
sub newer {
    my ($dir, $old, $nth) = @_;
    $seed = 43;
    system('cp', '-a', $old, $dir) == 0 or die "cannot copy $old\n";
    my $text  = text(1 << 20);
    my @files = sort glob "$dir/usr/share/*/*";
    for my $at (grep { $_ % $nth == 0 } 0 .. $#files) {
        write_file($files[$at], content($text, -s $files[$at]));
    }
    open my $in, '<', "$dir/metadata/manifest.yml" or die "cannot read the manifest: $!\n";
    my $manifest = join '', <$in>;
    $manifest =~ s/^Cartridge-Version: .*/Cartridge-Version: '1.0.1'/m;
    write_file("$dir/metadata/manifest.yml", $manifest);
    return $dir;
}

# Makes a cartridge of six files.
sub tiny {
    my ($dir, $name) = @_;
    cartridge($dir, $name);
    write_file("$dir/usr/$_", "$name $_\n" x 20) for qw(one two three);
    return $dir;
}

# What the scripts of `plugin` call.
our @PLUGIN_SCRIPTS = qw(setup install);

# Makes a cartridge like the original platform's `mock-plugin`, which its own tests use: scripts that
# touch marker files, two templates of variables, two of files, one endpoint, no application.
sub plugin {
    my ($dir) = @_;
    cartridge($dir, 'bench-plugin');
    make_path("$dir/$_") for qw(env conf conf.d hooks);
    write_file("$dir/usr/script", "#!/bin/bash\nexit 0\n");
    write_file("$dir/metadata/managed_files.yml",
        "processed_templates:\n- conf/*.erb\n- conf.d/*.erb\nlocked_files:\n- conf/\n");
    open my $manifest, '>>', "$dir/metadata/manifest.yml" or die "cannot write: $!\n";
    print {$manifest} "Endpoints:\n- Private-IP-Name: IP\n  Private-Port-Name: PORT\n"
        . "  Private-Port: 18080\n  Public-Port-Name: OUT\n";
    close $manifest or die "cannot write: $!\n";
    for my $name (qw(ONE TWO)) {
        write_file("$dir/env/OPENSHIFT_BENCH_PLUGIN_$name.erb", "<%= ENV['OPENSHIFT_DATA_DIR'] %>/$name\n");
    }
    write_file("$dir/conf/httpd.conf.erb", "Root <%= ENV['OPENSHIFT_HOMEDIR'] %>\n" x 20);
    write_file("$dir/conf.d/more.conf.erb", "Listen <%= ENV['OPENSHIFT_BENCH_PLUGIN_PORT'] %>\n" x 20);
    my $text = <<'SCRIPT';
#!/bin/bash -e
state=$OPENSHIFT_DATA_DIR/marks
mkdir -p "$state"
touch "$state/NAME_called"
[[ $1 == --version ]] && echo "$2" >"$state/NAME_version"
touch "$state/NAME_succeed"
exit 0
SCRIPT
    for my $name (@PLUGIN_SCRIPTS) {
        (my $script = $text) =~ s/NAME/$name/g;
        write_file("$dir/bin/$name", $script);
        chmod 0755, "$dir/bin/$name";
    }
    return $dir;
}

# Makes a release of a small cartridge that runs one process, and takes over from the release `$from`.
sub release {
    my ($dir, $version, $from) = @_;
    cartridge($dir, 'bench-family');
    give_version($dir, $version, $from);
    make_path("$dir/conf", "$dir/env");
    write_file("$dir/conf/file$_", "$version $_\n" x 20) for 1 .. 10;
    write_file("$dir/env/OPENSHIFT_BENCH_FAMILY_RELEASE.erb", $version);
    write_file("$dir/bin/setup", "#!/bin/bash\nmkdir -p \"$ENV_DIR/run\"\n");
    write_file("$dir/bin/upgrade", "#!/bin/bash\nexit 0\n");
    write_file("$dir/bin/control", <<"SCRIPT");
#!/bin/bash
pid=$ENV_DIR/run/pid
case \$1 in
    start) sleep 1000000 >/dev/null 2>&1 & echo \$! >"\$pid" ;;
    stop) if [[ -f \$pid ]]; then kill "\$(<"\$pid")" 2>/dev/null; rm -f "\$pid"; fi ;;
esac
exit 0
SCRIPT
    chmod 0755, map { "$dir/bin/$_" } qw(setup upgrade control);
    return $dir;
}

# Lets a gear have the files of the cartridge at `$dir` for its own: `usr` it has as a link.
sub in_the_gear {
    my ($dir, $version, $from) = @_;
    rename "$dir/usr/share", "$dir/share" or die "cannot rename $dir/usr/share: $!\n";
    give_version($dir, $version, $from);
    return $dir;
}

sub give_version {
    my ($dir, $version, $from) = @_;
    open my $in, '<', "$dir/metadata/manifest.yml" or die "cannot read the manifest: $!\n";
    my $manifest = join '', <$in>;
    $manifest =~ s/^Cartridge-Version: .*/Cartridge-Version: '$version'/m;
    $manifest .= "Compatible-Versions: ['$from']\n" if defined $from;
    write_file("$dir/metadata/manifest.yml", $manifest);
    return;
}

sub cartridge {
    my ($dir, $name) = @_;
    make_path("$dir/metadata", "$dir/bin", "$dir/usr");
    (my $short = uc $name) =~ tr/-/_/;
    write_file("$dir/metadata/manifest.yml", <<"MANIFEST");
Name: $name
Cartridge-Short-Name: $short
Cartridge-Version: '1.0.0'
Cartridge-Vendor: bench
Display-Name: Payload of the benches
Description: "Files and nothing else."
Version: '1.0'
Versions: ['1.0']
License: Apache-2.0
Categories: [service, plugin]
MANIFEST
    write_file("$dir/bin/$_", "#!/bin/bash\nexit 0\n") for qw(control setup);
    chmod 0755, "$dir/bin/control", "$dir/bin/setup";
    return;
}

# Half words, half noise: compresses about as well as programs and their data do.
sub text {
    my ($length) = @_;
    my @words = map { join '', map { chr 97 + int(26 * number()) } 1 .. 3 + int(6 * number()) } 1 .. 2000;
    my $text = '';
    while (length $text < $length) {
        $text .= $words[ int @words * number() ] . ' ' for 1 .. 12;
        $text .= chr int 256 * number() for 1 .. 24;
    }
    return $text;
}

sub content {
    my ($text, $length) = @_;
    my $content = '';
    while (length $content < $length) {
        $content .= substr $text, int((length($text) - 65_536) * number()), 65_536;
    }
    return substr $content, 0, $length;
}

sub write_file {
    my ($path, $bytes) = @_;
    open my $file, '>:raw', $path or die "cannot write $path: $!\n";
    print {$file} $bytes;
    close $file or die "cannot write $path: $!\n";
    return;
}

sub tar_gz {
    my ($archive, $tree) = @_;
    my ($parent, $name) = $tree =~ m{\A(.*)/([^/]+)\z};
    system('tar', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '-C', $parent, '-czf',
        $archive, $name) == 0 or die "cannot make $archive\n";
    return $archive;
}

sub zip_of {
    my ($archive, $tree) = @_;
    my ($parent, $name) = $tree =~ m{\A(.*)/([^/]+)\z};
    system("cd '$parent' && zip -qr '$archive' '$name'") == 0 or die "cannot make $archive\n";
    return $archive;
}

1;
