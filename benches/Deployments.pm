package Deployments;
# Deployments beside what they cannot do without: unpacking the source, copying the dependencies, and
# the scripts. The cartridge's own do nothing but end, so that the rest is what is measured.
use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);
use Measure qw(timed median fresh_dir);
use Payload qw(tree);

our @EXPORT_OK = qw(deployment_figures);

# What `control` is called with, in a deployment and in an activation of a gear that was started.
my @ACTIVATION = qw(stop update-configuration deploy start post-deploy);
my @DEPLOYMENT = (qw(pre-receive pre-repo-archive update-configuration pre-build build), @ACTIVATION);

# Medians in milliseconds: `deploy`, `plain` (`git archive | tar x` and `cp -a`), `pruned` (`rm -rf` of
# such a deployment: each new one takes the place of an old one), `activate`, and the scripts of both by
# themselves.
sub deployment_figures {
    my ($cart, $rounds, $work) = @_;
    my $web  = web("$work/bench-web");
    my $root = fresh_dir();
    chmod 0755, $work, "$work/run", $root;    # gears' users have to pass
    my @gear = ($cart, '--root', $root, '-y', '-q', 'gear');
    timed([@gear, 'create', 'app', $web]);
    timed([@gear, 'configure', 'app', '--keep-deployments', '2']);
    my $home = "$root/var/lib/cartwright/gears/app";
    my $dependencies = tree("$work/bench-dependencies", 'bench-dependencies', 500, 10 << 20);
    system('cp', '-a', $dependencies, "$home/app-root/runtime/dependencies/lib") == 0
        or die "cannot copy the dependencies\n";
    my %contestants = (
        deploy => sub { ([@gear, 'deploy', 'app'], $root) },
        plain  => sub { my $dir = fresh_dir(); (plain("$home/git/app.git", $dependencies, $dir), $dir) },
        pruned => sub { my $old = old_one($web, $dependencies); (['rm', '-rf', $old], "$work/run") },
        activate             => sub { ([@gear, 'activate', 'app', '--previous'], $root) },
        'deployment scripts' => sub { (scripts($web, @DEPLOYMENT), fresh_dir()) },
        'activation scripts' => sub { (scripts($web, @ACTIVATION), fresh_dir()) },
    );
    my %times;
    for my $round (0 .. $rounds) {
        for my $name (sort keys %contestants) {
            next if $name eq 'activate' && $round == 0;    # there are two of them after that
            my $time = timed($contestants{$name}->());
            push @{ $times{$name} }, $time if $round > 0;
        }
    }
    my $of = sub { my ($name, $what) = @_; median(map { $_->{$what} } @{ $times{$name} }) };
    return {
        deploy               => $of->('deploy', 'durable'),
        plain                => $of->('plain',  'durable'),
        pruned               => $of->('pruned', 'durable'),
        activate             => $of->('activate', 'wall'),
        'deployment scripts' => $of->('deployment scripts', 'wall'),
        'activation scripts' => $of->('activation scripts', 'wall'),
    };
}

# A web framework whose template has 2,000 files.
sub web {
    my ($dir) = @_;
    tree("$dir/template", 'bench-web', 2000, 40 << 20);
    make_path("$dir/bin", "$dir/metadata");
    write_text("$dir/metadata/manifest.yml", "Name: bench-web\nCartridge-Short-Name: WEB\n"
            . "Cartridge-Vendor: bench\nCartridge-Version: '1.0'\nVersion: '1'\n"
            . "Categories: [web_framework]\n");
    write_text("$dir/bin/control", "#!/bin/bash\nexit 0\n");
    chmod 0755, "$dir/bin/control";
    return $dir;
}

sub plain {
    my ($repository, $dependencies, $dir) = @_;
    return ['bash', '-c', "set -o pipefail; mkdir '$dir/repo' && git --git-dir '$repository' -c "
            . "safe.directory='*' archive master | tar x -C '$dir/repo' && "
            . "cp -a '$dependencies' '$dir/dependencies'"];
}

# A directory with what a deployment has, on the disk.
sub old_one {
    my ($web, $dependencies) = @_;
    my $dir = fresh_dir();
    system('cp', '-a', "$web/template", $dependencies, $dir) == 0 or die "cannot copy into $dir\n";
    system('sync') == 0 or die "cannot sync\n";
    return $dir;
}

sub scripts {
    my ($web, @actions) = @_;
    return ['bash', '-c', "cd '$web' && for action in @actions; do bash bin/control \$action; done"];
}

sub write_text {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "cannot write $path: $!\n";
    print {$file} $text;
    close $file or die "cannot write $path: $!\n";
    return;
}

1;
