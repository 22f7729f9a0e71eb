//! A host of a test's own: the real binary under a root directory.

use crate::support::tpkg::Tpkg;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Host {
    temp: tempfile::TempDir,
}

/// What is at a path: its mode, and content or target.
pub(crate) type Seen = BTreeMap<String, (u32, String)>;

impl Host {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(temp.path().join("packages")).unwrap();
        std::fs::create_dir(temp.path().join("root")).unwrap();
        Self { temp }
    }

    /// A path below the root directory.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.temp.path().join("root").join(path)
    }

    pub(crate) fn base(&self, path: &str) -> PathBuf {
        self.at("opt/tpkg").join(path)
    }

    pub(crate) fn outside(&self, path: &str) -> PathBuf {
        self.temp.path().join(path)
    }

    /// Packs `package`, and gives its path.
    pub(crate) fn pack(&self, package: &Tpkg) -> String {
        write(package, &self.outside("packages")).display().to_string()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.at(path).symlink_metadata().is_ok()
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        self.at(path).symlink_metadata().unwrap().mode() & 0o7777
    }

    pub(crate) fn target(&self, path: &str) -> String {
        std::fs::read_link(self.at(path)).unwrap().display().to_string()
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cart"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.temp.path());
        command.current_dir(self.temp.path()).arg("--root").arg(self.at("")).arg("-y").args(words);
        command
    }

    /// Runs `cart`: its status and everything it said.
    pub(crate) fn run(&self, words: &[&str]) -> (i32, String) {
        let output = self.command(words).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code().unwrap_or(-1), said.concat())
    }

    #[track_caller]
    pub(crate) fn must(&self, words: &[&str]) -> String {
        let (status, said) = self.run(words);
        assert_eq!(status, 0, "{words:?}: {said}");
        said
    }

    #[track_caller]
    pub(crate) fn fails(&self, words: &[&str], status: i32, expected: &str) -> String {
        let (code, said) = self.run(words);
        assert_eq!(code, status, "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?}: {said}");
        said
    }

    /// The names of what is installed.
    pub(crate) fn installed(&self) -> Vec<String> {
        let output = self.command(&["list", "--json"]).output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = answer["packages"].as_array().unwrap().iter();
        packages
            .map(|one| {
                format!(
                    "{}-{}",
                    one["name"].as_str().unwrap(),
                    one["package_version"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// Everything on the host that is not `cart`'s own.
    pub(crate) fn look(&self) -> Seen {
        let mut seen = Seen::new();
        let mut open = vec![self.at("")];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.at("")).unwrap().display().to_string();
                if ["var/lib/cartwright", "var/cache"].iter().any(|own| name == *own) {
                    continue;
                }
                let meta = path.symlink_metadata().unwrap();
                let content = if meta.is_symlink() {
                    std::fs::read_link(&path).unwrap().display().to_string()
                } else if meta.is_dir() {
                    open.push(path);
                    String::new()
                } else {
                    String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned()
                };
                if name != "var" && name != "var/lib" {
                    seen.insert(name, (meta.mode(), content));
                }
            }
        }
        seen
    }
}

/// Writes `package` to `folder`, under a name of its own.
pub(crate) fn write(package: &Tpkg, folder: &Path) -> PathBuf {
    let path = folder.join(package.file_name());
    std::fs::write(&path, package.bytes()).unwrap();
    path
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    Path::new("/proc/self").metadata().unwrap().uid() == 0
}
