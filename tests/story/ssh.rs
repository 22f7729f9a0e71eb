//! Pushing over ssh, with a real `sshd` on loopback that reads the `authorized_keys` which `cart gear
//! ssh-key` has written. Each connection gets an `sshd` of its own (`-i`), so no port is guessed.

use super::alone;
use super::deploy::Scene;
use super::host::Host;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const SSHD: &str = "/usr/sbin/sshd";
/// Shows other files as the list of accounts, then becomes `sshd`.
const WITH_ACCOUNTS: &str = "mount --bind \"$1\" /etc/passwd && mount --bind \"$2\" /etc/shadow && \
    shift 2 && exec \"$@\"";
/// An account that no host has.
const USER: (u32, &str) = (64_123, "cart-test-dev");

/// Somebody with a key, and the `sshd` that lets them in.
struct Ssh {
    folder: PathBuf,
    user: String,
    port: u16,
    over: Arc<AtomicBool>,
}

impl Ssh {
    /// Begins to serve; `before` stands before the command line of `sshd`.
    fn serve(folder: &Path, user: &str, keys: &Path, before: &[String]) -> Self {
        let folder = folder.join("ssh");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["host", "own"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ann@home", "-f"]);
            assert!(keygen.arg(folder.join(name)).status().unwrap().success());
        }
        let place = |name: &str| folder.join(name).display().to_string();
        let settings = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel ERROR\n\
             Subsystem sftp internal-sftp\n",
            place("host"),
            keys.display()
        );
        std::fs::write(folder.join("settings"), settings).unwrap();
        if Host::is_root() {
            // Where the daemon drops its rights.
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let over = Arc::new(AtomicBool::new(false));
        let line: Vec<String> = before
            .iter()
            .cloned()
            .chain([SSHD.into(), "-i".into(), "-f".into(), place("settings")])
            .collect();
        let (stops, errors) = (Arc::clone(&over), folder.join("errors"));
        std::thread::spawn(move || {
            let mut children = Vec::new();
            for stream in listener.incoming() {
                if stops.load(Ordering::SeqCst) {
                    break;
                }
                let input = OwnedFd::from(stream.unwrap());
                let output = input.try_clone().unwrap();
                let mut sshd = Command::new(&line[0]);
                sshd.args(&line[1..]).stdin(input).stdout(output);
                sshd.stderr(std::fs::File::create(&errors).unwrap());
                children.push(sshd.spawn().unwrap());
            }
            for child in &mut children {
                drop(child.wait());
            }
        });
        Self { folder, user: user.to_owned(), port, over }
    }

    fn key(&self) -> String {
        self.folder.join("own.pub").display().to_string()
    }

    /// The client's words, before those of a command.
    fn client(&self) -> String {
        format!(
            "ssh -F none -i {} -p {} -o IdentitiesOnly=yes -o BatchMode=yes -o \
             StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
            self.folder.join("own").display(),
            self.port
        )
    }

    /// Asks for a command; nothing: for a shell.
    fn ask(&self, more: &[&str], command: &[&str]) -> Output {
        let client = self.client();
        let mut words = client.split(' ');
        let mut ssh = Command::new(words.next().unwrap());
        ssh.args(words).args(more).arg(format!("{}@127.0.0.1", self.user)).args(command);
        ssh.stdin(Stdio::null()).output().unwrap()
    }

    fn push(&self, work: &Path) -> Output {
        let mut git = Command::new("git");
        git.current_dir(work).args(["-c", &format!("core.sshCommand={}", self.client())]);
        git.args(["push", "-q", &format!("ssh://{}@127.0.0.1/whatever", self.user), "HEAD:master"]);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("LC_ALL", "C").output().unwrap()
    }

    /// With the key one can push to the gear, and nothing else.
    fn check(&self, work: &Path, commit: &dyn Fn(&str), page: &dyn Fn() -> String) {
        commit("over ssh");
        let output = self.push(work);
        let said = text(&output);
        let errors = std::fs::read_to_string(self.folder.join("errors")).unwrap_or_default();
        assert!(output.status.success(), "{said} {errors}");
        assert!(said.contains("remote: this is build of web"), "{said}");
        assert_eq!(page(), "over ssh");
        let refused = "with this key one can push to the gear `app` alone";
        for command in [
            &["id"][..],
            &[],
            &["git-upload-archive", "'app.git'"],
            &["git-receive-pack"],
            &["scp", "-t", "/tmp/x"],
            &["git-receive-pack '/tmp'; id"],
        ] {
            let output = self.ask(&[], command);
            let said = text(&output);
            // What begins as a push is one, to this gear's repository, whatever follows.
            if command.first().is_some_and(|word| word.ends_with("; id")) {
                assert!(!said.contains("uid="), "{said}");
                continue;
            }
            assert_eq!(output.status.code(), Some(5), "{command:?}: {said}");
            assert!(said.contains(refused), "{command:?}: {said}");
        }
        let sftp = self.ask(&["-s"], &["sftp"]);
        assert_eq!((sftp.status.code(), sftp.stdout.len()), (Some(5), 0), "{}", text(&sftp));
        let forwarded =
            self.ask(&["-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9"], &["id"]);
        assert!(!forwarded.status.success() && !text(&forwarded).contains("uid="));
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn root_is_pushed_to_over_ssh() {
    let _alone = alone();
    if !Host::is_root() {
        println!("SKIP: story::ssh_root: only root lets others log in");
        return;
    }
    // The gear is another user's than the repository, where that can be.
    let options: &[&str] = if Host::lets_accounts_pass() { &["--host-users"] } else { &[] };
    let scene = Scene::on(Host::new(), options);
    let host = &scene.host;
    assert_eq!(host.json(&["gear", "show", "app"])["user"].is_number(), !options.is_empty());
    let keys = PathBuf::from(host.place("host/root/.ssh/authorized_keys"));
    let ssh = Ssh::serve(&host.path("."), "root", &keys, &[]);
    host.must(&["gear", "ssh-key", "add", "app", &ssh.key()]);
    ssh.check(
        Path::new(&host.place("work")),
        &|page| scene.commit(&[("page", Some(page))]),
        &|| scene.file("app-root/runtime/repo/page"),
    );
    // A build that fails fails the push, and a key that is gone lets nobody in.
    scene.commit(&[("fail-in", Some("web build"))]);
    let output = ssh.push(Path::new(&host.place("work")));
    assert!(!output.status.success() && text(&output).contains("status 7"), "{}", text(&output));
    assert!(scene.runs("web"));
    host.must(&["gear", "ssh-key", "remove", "app", "ann@home"]);
    let output = ssh.ask(&[], &["git-upload-pack", "'x'"]);
    assert!(text(&output).contains("Permission denied"), "{}", text(&output));
    host.must(&["gear", "destroy", "app"]);
}

/// An ordinary user's `cart`: state, settings and keys lie in their home.
struct Ordinary {
    home: PathBuf,
}

impl Ordinary {
    fn command(&self, program: &str, line: &[&str]) -> Command {
        let (id, home) = (USER.0.to_string(), self.home.display());
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--", "env", "-i"]);
        command.arg(format!("HOME={home}")).arg("PATH=/usr/local/bin:/usr/bin:/bin").arg(program);
        command.args(line).current_dir(&self.home).stdin(Stdio::null());
        command
    }

    fn must(&self, line: &[&str]) {
        let line = [&["-y", "-q"], line].concat();
        let output = self.command(env!("CARGO_BIN_EXE_cart"), &line).output().unwrap();
        assert!(output.status.success(), "{line:?}: {}", text(&output));
    }

    fn git(&self, line: &[&str]) {
        let settings = ["-c", "user.name=dev", "-c", "user.email=dev@localhost"];
        let output = self.command("git", &[&settings, line].concat()).output().unwrap();
        assert!(output.status.success(), "{line:?}: {}", text(&output));
    }

    /// Gives everything that lies in the home to the user.
    fn own(&self) {
        let mut chown = Command::new("chown");
        chown.args(["-R", "-h", &format!("{0}:{0}", USER.0)]).arg(&self.home);
        assert!(chown.status().unwrap().success());
    }
}

#[test]
fn an_ordinary_user_is_pushed_to_over_ssh() {
    let _alone = alone();
    if !Host::is_root() {
        println!("SKIP: story::ssh_user: only root lets others log in");
        return;
    }
    let can_mount = Command::new("unshare").args(["-m", "true"]).status();
    if !can_mount.is_ok_and(|status| status.success()) || !Host::lets_accounts_pass() {
        println!("SKIP: story::ssh_user: no mount namespaces, or nobody can reach the program");
        return;
    }
    let host = Host::new();
    let ordinary = Ordinary { home: host.path("home") };
    let home = &ordinary.home;
    let account = |of: &str, line: String| {
        let file = host.path(of);
        let old = std::fs::read_to_string(Path::new("/etc").join(of)).unwrap();
        std::fs::write(&file, format!("{old}{line}\n")).unwrap();
        file.display().to_string()
    };
    let (id, name) = USER;
    let accounts = [
        account("passwd", format!("{name}:x:{id}:{id}::{}:/bin/sh", home.display())),
        account("shadow", format!("{name}:*:19000:0:99999:7:::")),
    ];
    let before = ["unshare", "-m", "sh", "-c", WITH_ACCOUNTS, "sh"].map(str::to_owned);
    let before = [&before[..], &accounts].concat();
    let ssh = Ssh::serve(&host.path("."), name, &home.join(".ssh/authorized_keys"), &before);
    let manifest = "Name: web\nCartridge-Short-Name: WEB\nCartridge-Vendor: test\n\
        Cartridge-Version: '1.0'\nVersion: '1'\nCategories: [web_framework]\n";
    host.write("home/web/metadata/manifest.yml", manifest, 0o644);
    host.write("home/web/bin/control", "#!/bin/bash\necho \"this is $1 of web\"\n", 0o755);
    host.write("home/web/template/page", "first", 0o644);
    std::fs::copy(ssh.key(), home.join("ann.pub")).unwrap();
    ordinary.own();
    ordinary.must(&["gear", "create", "app", &home.join("web").display().to_string()]);
    ordinary.must(&["gear", "ssh-key", "add", "app", "ann.pub"]);
    let mode = std::fs::metadata(home.join(".ssh/authorized_keys")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let gear = home.join(".local/share/cartwright/gears/app");
    ordinary.git(&["clone", "-q", &gear.join("git/app.git").display().to_string(), "work"]);
    let commit = |page: &str| {
        std::fs::write(home.join("work/page"), page).unwrap();
        ordinary.own();
        ordinary.git(&["-C", "work", "commit", "-q", "-a", "-m", "change"]);
    };
    // Root pushes from the user's working copy.
    let work = host.path("copy");
    let copy = || {
        drop(std::fs::remove_dir_all(&work));
        let mut copy = Command::new("cp");
        assert!(copy.arg("-r").arg(home.join("work")).arg(&work).status().unwrap().success());
    };
    let page = || std::fs::read_to_string(gear.join("app-root/runtime/repo/page")).unwrap();
    ssh.check(
        &work,
        &|text| {
            commit(text);
            copy();
        },
        &page,
    );
    ordinary.must(&["gear", "destroy", "app"]);
}
