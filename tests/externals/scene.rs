//! Where externals are called: below another root, or on a host of namespaces.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A key whose owner nobody is.
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFiYmJiYmJiYmJiYmJiYmJi a@b";

/// Lays a tmpfs over what externals and tools change, then waits for its standard input to end. A fresh
/// /run hides the host's systemd, which shall hear of nothing.
const HOST: &str = r#"
set -eu
mount --make-rprivate /
mount -t tmpfs none "$1"
for folder in /etc /var /home /opt /root /usr/sbin; do
    mkdir -p "$1/upper$folder" "$1/work$folder"
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$1/upper$folder,workdir=$1/work$folder" "$folder"
done
mount -t tmpfs none /run
rm -rf /var/lib/cartwright /etc/cartwright
echo ready
read -r end || true
"#;

/// A stand-in for mount.nfs, which mount calls with source and folder.
pub(crate) const MOUNT_NFS: &str =
    "printf '#!/bin/sh\\nexec mount -t tmpfs -- \"$1\" \"$2\"\\n' >/usr/sbin/mount.nfs
    chmod 755 /usr/sbin/mount.nfs; touch /etc/fstab";

/// What a program did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn ok(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Refused with a message that says this.
    pub(crate) fn refused(&self, why: &str) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert!(self.stderr.contains(why), "`{why}` in {self:?}");
    }
}

/// A place where externals are called.
pub(crate) struct Scene {
    folder: TempDir,
    /// The process that keeps the namespaces, if this is a host.
    holder: Option<Child>,
    /// Put before each program.
    prefix: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Scene {
    /// A root with the accounts `root`, `web` (a group too) and the group `staff`.
    pub(crate) fn below() -> Scene {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("root");
        let etc = root.join("etc");
        std::fs::create_dir_all(&etc).unwrap();
        let passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:700:700::/home/web:/bin/sh\n";
        std::fs::write(etc.join("passwd"), passwd).unwrap();
        std::fs::write(etc.join("group"), "root:x:0:\nweb:x:700:\nstaff:x:701:\n").unwrap();
        let state = folder.path().join("state");
        let environment = vec![
            ("CART_EXTERNAL_ROOT".to_owned(), root.display().to_string()),
            ("CART_EXTERNAL_STATE".to_owned(), state.display().to_string()),
        ];
        Scene { folder, holder: None, prefix: Vec::new(), environment }
    }

    /// A host of one's own, or nothing, said visibly, where it cannot be had. `needs`: programs.
    pub(crate) fn host(test: &str, needs: &[&str]) -> Option<Scene> {
        if !is_root() {
            println!("SKIP: externals::host: {test}: changing a host needs root");
            return None;
        }
        for program in needs {
            if !has(program) {
                println!("SKIP: externals::{test}: there is no `{program}`");
                return None;
            }
        }
        let folder = TempDir::new().unwrap();
        let mut holder = Command::new("unshare")
            .args(["--mount", "--uts", "--net", "--", "bash", "-c", HOST, "-"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let output = holder.wait_with_output().unwrap();
            let why = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            println!("SKIP: externals::namespaces: no namespaces or overlays here: {why}");
            return None;
        }
        let target = holder.id().to_string();
        let prefix = ["nsenter", "--target", &target, "--mount", "--uts", "--net", "--"];
        let prefix = prefix.map(str::to_owned).to_vec();
        Some(Scene { folder, holder: Some(holder), prefix, environment: Vec::new() })
    }

    /// Sets a variable for all calls from here on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn install(&self, external: &str, package: &str, data: &str) -> Outcome {
        self.call(external, &[package, "install"], data.as_bytes())
    }

    pub(crate) fn remove(&self, external: &str, package: &str, data: &str) -> Outcome {
        self.call(external, &[package, "remove"], data.as_bytes())
    }

    /// Whether installing this would change anything, by the exit status of `--check`.
    pub(crate) fn would_change(&self, external: &str, data: &str) -> bool {
        let outcome = self.call(external, &["--check"], data.as_bytes());
        assert!(matches!(outcome.code, Some(0 | 20)), "{outcome:?}");
        assert_eq!(outcome.code == Some(20), !outcome.stdout.is_empty(), "{outcome:?}");
        outcome.code == Some(20)
    }

    pub(crate) fn call(&self, external: &str, arguments: &[&str], data: &[u8]) -> Outcome {
        let external = scripts().join(external);
        self.run(&[&[external.to_str().unwrap()], arguments].concat(), data)
    }

    /// Calls an external below this scene's root, and kills it after so long.
    pub(crate) fn kill(&self, external: &str, arguments: &[&str], data: &str, milliseconds: u64) {
        let mut child = Command::new(scripts().join(external))
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(data.as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        // It may be done by now.
        drop(child.kill());
        child.wait().unwrap();
    }

    /// Runs a program of the host, which has to succeed.
    pub(crate) fn sh(&self, script: &str) -> String {
        let outcome = self.run(&["bash", "-euc", script], b"");
        assert_eq!(outcome.code, Some(0), "{script}: {outcome:?}");
        outcome.stdout.trim_end().to_owned()
    }

    pub(crate) fn run(&self, words: &[&str], data: &[u8]) -> Outcome {
        let words: Vec<&str> =
            self.prefix.iter().map(String::as_str).chain(words.iter().copied()).collect();
        let (program, arguments) = words.split_first().unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let data = data.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&data));
        let output = child.wait_with_output().unwrap();
        // Whatever an external thinks of its data: it reads it, so that its caller gets no EPIPE.
        if words.iter().any(|word| word.contains("/externals/")) {
            writer.join().unwrap().unwrap();
        }
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// A file of the scene; the empty text where there is none.
    pub(crate) fn read(&self, path: &str) -> String {
        if self.holder.is_some() {
            return self.sh(&format!("[[ ! -e {path} ]] || cat {path}"));
        }
        std::fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// A path below the scene's root.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("root").join(path.trim_start_matches('/'))
    }

    /// Every path below the scene's root with its content.
    pub(crate) fn tree(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut open = vec![self.path("/")];
        let mut found = Vec::new();
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path.clone());
                }
                found.push((path.clone(), std::fs::read(&path).unwrap_or_default()));
            }
        }
        found.sort();
        found
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(holder) = &mut self.holder {
            drop(holder.stdin.take());
            drop(holder.wait());
        }
    }
}

/// Where the shipped externals are.
pub(crate) fn scripts() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/externals"))
}

/// Whether a program is there.
pub(crate) fn has(program: &str) -> bool {
    let folders = ["/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    folders.iter().any(|folder| Path::new(folder).join(program).exists())
}

/// Whether this test runs as root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
