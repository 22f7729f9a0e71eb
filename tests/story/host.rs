//! A host of the test's own, and a person who types.

use crate::support::processes::marked;
use md5::Digest;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Host {
    temp: tempfile::TempDir,
}

/// The MD5 of `bytes` as lower-case digits.
pub(crate) fn md5(bytes: &[u8]) -> String {
    cartwright::package::digest::Md5(md5::Md5::digest(bytes).into()).to_string()
}

/// The whole answer to a request for `/`; nothing when nobody listens.
pub(crate) fn get(address: &str, port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((address, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Some(String::from_utf8_lossy(&answer).into_owned())
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::called("host")
    }

    /// A host whose folder begins with these letters.
    pub(crate) fn called(name: &str) -> Self {
        let temp = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        // Gears' users have to pass.
        std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { temp }
    }

    /// Whether the test runs as root.
    pub(crate) fn is_root() -> bool {
        cartwright::sys::host::is_root()
    }

    /// Whether any account can reach the program.
    pub(crate) fn lets_accounts_pass() -> bool {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
        let reached = setpriv.args(["test", "-x", env!("CARGO_BIN_EXE_cart")]).status();
        reached.is_ok_and(|status| status.success())
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.temp.path().join("host")
    }

    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cart"));
        command.arg("--root").arg(self.root()).args(["-y", "-q"]).args(line);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        command
    }

    /// Runs a command without `--quiet`; gives its exit status and everything that it said.
    pub(crate) fn aloud(&self, line: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cart"));
        let output = command.arg("--root").arg(self.root()).arg("-y").args(line).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    /// Runs a command; gives its exit status and everything that it said.
    pub(crate) fn run(&self, line: &[&str]) -> (i32, String) {
        let output = self.command(line).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    /// Runs a command that may say what it does; gives its exit status and everything that it said.
    pub(crate) fn talk(&self, line: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cart"));
        command.arg("--root").arg(self.root()).arg("-y").args(line).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    /// A folder that [`Host::write`] has made.
    pub(crate) fn place(&self, name: &str) -> String {
        self.temp.path().join(name).display().to_string()
    }

    /// The home of a gear.
    pub(crate) fn home(&self, gear: &str) -> PathBuf {
        self.root().join("var/lib/cartwright/gears").join(gear)
    }

    /// Runs a command that has to succeed.
    pub(crate) fn must(&self, line: &[&str]) {
        let (status, said) = self.run(line);
        assert_eq!(status, 0, "{line:?}: {said}");
    }

    /// What a reading command answers in JSON.
    pub(crate) fn json(&self, line: &[&str]) -> Value {
        let output = self.command(line).arg("--json").output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["schema"], 1, "{line:?}");
        answer
    }

    /// The number of the last transaction.
    pub(crate) fn last(&self) -> String {
        self.json(&["history"])["transactions"][0]["id"].to_string()
    }

    /// Sends Ctrl-C after a while; gives the exit status.
    pub(crate) fn interrupted(&self, line: &[&str], after: Duration) -> Option<i32> {
        let mut child = self.command(line).spawn().unwrap();
        std::thread::sleep(after);
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        child.wait().unwrap().code()
    }

    /// Waits a while until something is so.
    pub(crate) fn until(is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(30), "it did not come to be");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn settings(&self, text: &str) {
        self.write("host/etc/cartwright/config.yml", text, 0o644);
    }

    pub(crate) fn node_variable(&self, name: &str, value: &str) {
        self.write(&format!("host/etc/cartwright/env/{name}"), value, 0o644);
    }

    pub(crate) fn staging_is_empty(&self) -> bool {
        let staging = self.root().join("var/lib/cartwright/staging");
        std::fs::read_dir(staging).map_or(true, |mut names| names.next().is_none())
    }

    pub(crate) fn has_gear_folder(&self, name: &str) -> bool {
        self.root().join("var/lib/cartwright/gears").join(name).exists()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub(crate) fn write(&self, path: &str, text: &str, mode: u32) {
        let path = self.temp.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A cartridge whose `setup` takes its time.
    pub(crate) fn slow_cartridge(&self) -> String {
        let manifest = "Name: slow\nCartridge-Short-Name: SLOW\nCartridge-Vendor: test\n\
                        Cartridge-Version: '1.0'\nVersion: '1'\nCategories: [service]\n";
        self.write("slow/metadata/manifest.yml", manifest, 0o644);
        self.write("slow/bin/setup", "#!/bin/bash\nsleep 3\n", 0o755);
        self.write("slow/bin/control", "#!/bin/bash\nexit 0\n", 0o755);
        self.temp.path().join("slow").display().to_string()
    }

    /// A cartridge of this name and release whose `bin/<script>` is `text`; gives its folder.
    pub(crate) fn cartridge(
        &self,
        folder: &str,
        more: &str,
        (script, text): (&str, &str),
    ) -> String {
        let manifest = format!(
            "Name: ours\nCartridge-Short-Name: OURS\nCartridge-Vendor: test\n\
             Categories: [web_framework]\n{more}"
        );
        self.write(&format!("{folder}/metadata/manifest.yml"), &manifest, 0o644);
        self.write(&format!("{folder}/bin/control"), "#!/bin/bash\nexit 0\n", 0o755);
        self.write(&format!("{folder}/bin/{script}"), text, 0o755);
        self.temp.path().join(folder).display().to_string()
    }

    /// What lies in the library and the gears, and what waits in staging and the stash.
    pub(crate) fn tree(&self) -> String {
        let state = self.root().join("var/lib/cartwright");
        if !state.exists() {
            return String::new();
        }
        let mut find = Command::new("find");
        find.current_dir(state).args(["library", "gears", "templates", "staging", "stash"]);
        let output = find.args(["-mindepth", "1", "-printf", "%p %y %m %l\n"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    /// How many processes of this host's gears run.
    pub(crate) fn processes(&self) -> usize {
        self.running().len()
    }

    fn running(&self) -> Vec<PathBuf> {
        let state = self.root().join("var/lib/cartwright");
        marked(&format!("CART_STATE={}", state.display()))
    }

    /// A repository with the files of `folder`; gives its URL and its commit.
    pub(crate) fn repository(&self, folder: &Path) -> (String, String) {
        let place = self.temp.path().join("cartridge.git");
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.env("GIT_DIR", &place).args(arguments);
            if arguments.first() != Some(&"init") {
                command.env("GIT_WORK_TREE", folder);
            }
            for (name, value) in [("NAME", "Somebody"), ("EMAIL", "somebody@example.org")] {
                command.env(format!("GIT_AUTHOR_{name}"), value);
                command.env(format!("GIT_COMMITTER_{name}"), value);
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "--quiet", "--bare"]);
        git(&["add", "--force", "."]);
        git(&["commit", "--quiet", "-m", "A cartridge"]);
        (format!("file://{}", place.display()), git(&["rev-parse", "HEAD"]))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for process in self.running() {
            drop(Command::new("kill").arg("-9").arg(process.file_name().unwrap()).status());
        }
        super::support::supervisors::end(&self.root().join("var/lib/cartwright"));
        // Library trees have no write bits, which keeps their owner from removing them.
        drop(Command::new("chmod").arg("-R").arg("u+w").arg(self.temp.path()).status());
    }
}
