package Peers;
# Other package managers, where they are installed: the same files in their own format, installed
# into an empty root of their own, with the durability that their users get.
use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);

use Measure qw(has fresh_dir timed);

our @EXPORT_OK = qw(peers);

# name, what has to be there, how to make the package, how to install it into a folder.
my @PEERS = (
    ['dpkg',   [qw(dpkg dpkg-deb)],     \&deb,         \&dpkg],
    ['rpm',    [qw(rpm rpmbuild)],      \&rpm_package, \&rpm],
    ['pacman', [qw(pacman bsdtar)],     \&pkg,         \&pacman],
    ['apk',    [qw(apk)],               \&apk_package, \&apk],
);

# Contestants for the installation of `$tree`: name and a function that gives command and folder.
sub peers {
    my ($tree, $work) = @_;
    my @found;
    for my $peer (@PEERS) {
        my ($name, $needs, $make, $install) = @$peer;
        next if grep { !has($_) } @$needs;
        if ($> != 0) {
            print "$name is here, but installs into a root of its own only as root: left out\n";
            next;
        }
        # Tried once before the race: what does not work here must not spoil the rows of the others.
        my $prepare = eval {
            my $package = $make->($tree, $work);
            my $ready = sub { my $dir = fresh_dir(); return ($install->($package, $dir), $dir) };
            timed($ready->());
            $ready;
        };
        if (!defined $prepare) {
            print "$name is here, but does not work: $@";
            next;
        }
        push @found, [$name => $prepare];
    }
    return @found;
}

sub deb {
    my ($tree, $work) = @_;
    my $root = "$work/deb";
    make_path("$root/DEBIAN", "$root/opt");
    sh("cp -a '$tree' '$root/opt/'");
    text("$root/DEBIAN/control", "Package: payload\nVersion: 1.0\nArchitecture: all\n"
            . "Maintainer: nobody <nobody\@localhost>\nDescription: payload of the benches\n");
    sh("dpkg-deb -Zgzip --root-owner-group -b '$root' '$work/payload.deb' >/dev/null");
    return "$work/payload.deb";
}

# Container images set `force-unsafe-io`, which leaves out what dpkg does everywhere else.
sub dpkg {
    my ($package, $dir) = @_;
    make_path("$dir/var/lib/dpkg/updates", "$dir/var/lib/dpkg/info", "$dir/var/log");
    text("$dir/var/lib/dpkg/status", '');
    return ['dpkg', '--refuse-unsafe-io', "--root=$dir", "--log=$dir/var/log/dpkg.log", '-i', $package];
}

sub rpm_package {
    my ($tree, $work) = @_;
    text("$work/payload.spec", "Name: payload\nVersion: 1.0\nRelease: 1\nSummary: payload\n"
            . "License: none\nBuildArch: noarch\n%define _binary_payload w6.gzdio\n%description\npayload\n"
            . "%install\nmkdir -p %{buildroot}/opt\ncp -a $tree %{buildroot}/opt/\n%files\n/opt/*\n"
            . "%define __os_install_post %{nil}\n%define _build_id_links none\nAutoReqProv: no\n");
    sh("rpmbuild --quiet -bb --define '_topdir $work/rpm' '$work/payload.spec' >/dev/null 2>&1");
    return (glob "$work/rpm/RPMS/noarch/*.rpm")[0] // die "rpmbuild made nothing\n";
}

sub rpm {
    my ($package, $dir) = @_;
    return ['rpm', '--root', $dir, '-i', '--nodeps', '--nosignature', $package];
}

sub pkg {
    my ($tree, $work) = @_;
    my $root = "$work/pkg";
    make_path("$root/opt");
    sh("cp -a '$tree' '$root/opt/'");
    text("$root/.PKGINFO", "pkgname = payload\npkgver = 1.0-1\npkgdesc = payload\nsize = 1\narch = any\n");
    sh("cd '$root' && bsdtar -czf .MTREE --format=mtree "
            . "--options='!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link' .PKGINFO opt");
    sh("cd '$root' && bsdtar --uid 0 --gid 0 -czf '$work/payload-1.0-1-any.pkg.tar.gz' .MTREE .PKGINFO opt");
    return "$work/payload-1.0-1-any.pkg.tar.gz";
}

sub pacman {
    my ($package, $dir) = @_;
    make_path("$dir/db", "$dir/cache", "$dir/gpg");
    return ['pacman', '-r', $dir, '-b', "$dir/db", '--cachedir', "$dir/cache", '--gpgdir', "$dir/gpg",
        '--config', '/dev/null', '--arch', 'any', '--noconfirm', '--logfile', "$dir/log", '-U', $package];
}

sub apk_package {
    my ($tree, $work) = @_;
    make_path("$work/apk/opt");
    sh("cp -a '$tree' '$work/apk/opt/'");
    sh("apk mkpkg --info name:payload --info version:1.0 --info arch:noarch --files '$work/apk'"
            . " --output '$work/payload.apk' >/dev/null");
    return "$work/payload.apk";
}

# In a root of its own apk leaves out its sync unless it is told.
sub apk {
    my ($package, $dir) = @_;
    return ['apk', 'add', '--root', $dir, '--initdb', '--allow-untrusted', '--no-network', '--sync=yes',
        $package];
}

sub text {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "cannot write $path: $!\n";
    print {$file} $text;
    close $file or die "cannot write $path: $!\n";
    return;
}

sub sh {
    my ($command) = @_;
    system('bash', '-c', $command) == 0 or die "failed: $command\n";
    return;
}

1;
