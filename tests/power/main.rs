//! Power cuts: a filesystem of our own is shut down in the middle of the work, without its journal
//! being flushed. What was acknowledged before must be there afterwards, and nothing half.
//! `CART_TEST_CRASH=all` cuts a hundred times.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that drives the program from outside, and fails where it cannot"
)]

// A program of its own: gears of other tests live in mount namespaces, which would keep the
// filesystem alive that is unmounted here.
#[expect(dead_code, reason = "the crash tests use the rest of it")]
#[path = "../crash/host.rs"]
mod host;

use host::Host;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// `EXT4_IOC_SHUTDOWN` with "no log flush": dirty pages and the open journal are lost.
const SHUTDOWN: &str = "open my $d, '<', $ARGV[0] or die $!; my $flag = pack 'L', 2; \
                        ioctl $d, 0x8004587d, $flag or die $!";

/// Set in the program that runs in the mount namespace.
const INSIDE: &str = "CART_TEST_POWER_INSIDE";

/// Runs this test once more in a mount namespace of its own. In the host's, every gear that is made
/// meanwhile would take the mount along into its own namespace and keep it alive there; mounting
/// it again would then give back the filesystem that was shut down.
fn again_inside() {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--"]);
    command.arg(std::env::current_exe().unwrap()).args(["--nocapture"]).env(INSIDE, "1");
    match command.output() {
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("unshare failed") => {
            print!("{}", String::from_utf8_lossy(&output.stdout));
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
        _ => println!("SKIP: power::cuts: this user may not have a mount namespace"),
    }
}

/// A filesystem in a file, mounted while this lives.
struct Disk {
    temp: tempfile::TempDir,
}

impl Disk {
    /// Nothing where this host has no loop devices, or this user may not mount.
    fn new() -> Result<Self, String> {
        let temp = tempfile::tempdir().map_err(|error| error.to_string())?;
        let disk = Self { temp };
        std::fs::create_dir(disk.place()).map_err(|error| error.to_string())?;
        run(Command::new("truncate").args(["-s", "128M"]).arg(disk.image()))?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(disk.image()))?;
        disk.mount()?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.temp.path().join("image")
    }

    fn place(&self) -> PathBuf {
        self.temp.path().join("disk")
    }

    fn mount(&self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.place()))
    }

    fn unmount(&self) -> Result<(), String> {
        run(Command::new("umount").arg(self.place()))
    }

    fn cut(&self) {
        run(Command::new("perl").args(["-e", SHUTDOWN]).arg(self.place())).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.unmount());
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = std::path::PathBuf::from(command.get_program());
    let output = command
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    output.status.success().then_some(()).ok_or(said)
}

/// Installs and removes in turn until the power is cut; gives how often that was acknowledged.
fn work_until_cut(disk: &Disk, host: &Host, after: Duration) -> usize {
    let began = Instant::now();
    let (mut installed, mut acknowledged) = (host.is_installed(), 0);
    let next = |installed: bool| -> &[&str] {
        if installed { &["remove", "mock"] } else { &["install", "PACKAGE"] }
    };
    while began.elapsed() < after {
        assert_eq!(host.run(next(installed)), Some(0), "{:?}", next(installed));
        installed = !installed;
        acknowledged += 1;
    }
    // One more is under way when the power goes.
    let mut child = host.command(next(installed)).spawn().unwrap();
    let share = u64::try_from(acknowledged * 7 % 40).unwrap();
    std::thread::sleep(Duration::from_millis(share));
    // Only what was told before the cut counts: processes live on after it.
    let told = child.try_wait().unwrap().is_some_and(|status| status.success());
    disk.cut();
    drop(child.kill());
    drop(child.wait());
    acknowledged + usize::from(told)
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    if std::env::var_os(INSIDE).is_none() {
        again_inside();
        return;
    }
    let disk = match Disk::new() {
        Ok(disk) => disk,
        Err(why) => {
            println!("SKIP: power::cuts: no loop-mounted filesystem: {why}");
            return;
        }
    };
    let all = std::env::var("CART_TEST_CRASH").as_deref() == Ok("all");
    let cuts: u64 = if all { 100 } else { 10 };
    let mut acknowledged = 0;
    let host = Host::rooted(&disk.place());
    for number in 0..cuts {
        acknowledged +=
            work_until_cut(&disk, &host, Duration::from_millis(50 + 13 * (number % 20)));
        disk.unmount().unwrap();
        disk.mount().unwrap();
        let what = format!("power cut {number}");
        let happened = host.happened();
        assert!(happened >= acknowledged, "{what}: {happened} of {acknowledged} are there");
        host.must(&["recover"]);
        host.must(&["verify"]);
        host.agrees(&what);
        // What was under way may have happened, untold.
        acknowledged = acknowledged.max(host.happened());
    }
    println!("power: {cuts} power cuts, {acknowledged} operations, none lost");
}
