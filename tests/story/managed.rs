//! Managed files: locked by owner as root, by mode as an ordinary user, and never left open.

use crate::alone;
use crate::host::Host;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MANIFEST: &str = "Name: lockly\nCartridge-Short-Name: LOCKLY\nCartridge-Vendor: test\n\
                        Cartridge-Version: '1.0'\nVersion: '1'\nCategories: [web_framework]\n";
const MANAGED: &str = "---\nlocked_files:\n- env/\n- env/*\n- conf/*\n- made/deep/file\n\
                       - ~/.rc\n- ~/app-root/data/kept\n- ~/invalid_mock_locked_file\n\
                       :locked_files:\n- symbol\n\
                       dependency_dirs:\n- lib\n- standalone/deployments: deployments\n\
                       build_dependency_dirs:\n- ~/.m2\n";
/// Everything that is locked is written to: `setup` must be able to, `control` must not.
const WRITE: &str = "#!/bin/bash\ncd \"$OPENSHIFT_LOCKLY_DIR\"\n\
    for f in env/NEW conf/a made/deep/file ../.rc ../app-root/data/kept symbol ../.new; do\n\
    (echo x >>\"$f\") 2>/dev/null || echo \"$f\" >>\"$OPENSHIFT_DATA_DIR/refused-$(basename $0)\"\n\
    done\n";

/// Who calls `cart`.
#[derive(Clone, Copy, PartialEq)]
enum Caller {
    Myself,
    Nobody,
}

struct Place {
    host: Host,
    caller: Caller,
    folder: String,
}

impl Place {
    /// A host with a cartridge that locks files, and whose `setup` ends as `last` says.
    fn new(caller: Caller, last: &str) -> Self {
        let host = Host::new();
        host.write("lockly/metadata/manifest.yml", MANIFEST, 0o600);
        host.write("lockly/metadata/managed_files.yml", MANAGED, 0o644);
        host.write("lockly/conf/a", "a\n", 0o664);
        host.write("lockly/bin/setup", &format!("{WRITE}{last}\n"), 0o755);
        let control = format!("{WRITE}echo \"$1\" >>\"$OPENSHIFT_DATA_DIR/actions\"\n");
        host.write("lockly/bin/control", &control, 0o755);
        host.write("lockly/bin/teardown", WRITE, 0o755);
        let folder = host.path("lockly").display().to_string();
        if caller == Caller::Nobody {
            let top = host.path("");
            assert!(
                Command::new("chown").arg("-R").arg("65534").arg(top).status().unwrap().success()
            );
        }
        Self { host, caller, folder }
    }

    fn run(&self, line: &[&str]) -> (i32, String) {
        let cart = env!("CARGO_BIN_EXE_cart");
        let mut command = match self.caller {
            Caller::Myself => Command::new(cart),
            Caller::Nobody => {
                let mut command = Command::new("setpriv");
                command.args([
                    "--reuid",
                    "65534",
                    "--regid",
                    "65534",
                    "--clear-groups",
                    "--",
                    cart,
                ]);
                command
            }
        };
        command.arg("--root").arg(self.host.root()).arg("-y").args(line).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    fn must(&self, line: &[&str]) -> String {
        let (status, said) = self.run(line);
        assert_eq!(status, 0, "{line:?}: {said}");
        said
    }

    fn home(&self) -> PathBuf {
        self.host.home("x")
    }

    /// Whether root's rules hold: an owner of its own for the gear.
    fn by_owner(&self) -> bool {
        self.caller == Caller::Myself && Host::is_root()
    }

    #[track_caller]
    fn assert_locked(&self, path: &str, locked: bool) {
        let meta = std::fs::symlink_metadata(self.home().join(path)).unwrap();
        let is = if self.by_owner() { meta.uid() == 0 } else { meta.mode() & 0o200 == 0 };
        assert_eq!(is, locked, "{path}: {} {:o}", meta.uid(), meta.mode());
    }

    fn refused(&self, script: &str) -> Vec<String> {
        let path = self.home().join("app-root/data").join(format!("refused-{script}"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// Both ways where the test can go both.
fn callers() -> Vec<Caller> {
    if !Host::is_root() {
        println!("SKIP: story::managed_by_owner: only root gives files away");
        return vec![Caller::Myself];
    }
    if Host::lets_accounts_pass() {
        return vec![Caller::Myself, Caller::Nobody];
    }
    println!("SKIP: story::managed by mode: other accounts cannot reach the program");
    vec![Caller::Myself]
}

const LOCKED: [&str; 8] = [
    "",
    "lockly/env",
    "lockly/env/NEW",
    "lockly/conf/a",
    "lockly/made/deep/file",
    ".rc",
    "app-root/data/kept",
    "lockly/symbol",
];

#[test]
fn scripts_of_the_cartridge_may_write_where_the_gear_may_not() {
    let _alone = alone();
    for caller in callers() {
        let place = Place::new(caller, "exit 0");
        let said = place.must(&["gear", "create", "x", &place.folder, "--start"]);
        assert!(said.contains("invalid_mock_locked_file"), "{said}");
        let home = place.home();
        assert_eq!(place.refused("setup"), [""; 0], "`setup` writes everywhere");
        let refused = place.refused("control");
        for path in ["env/NEW", "conf/a", "made/deep/file", "../.rc", "symbol", "../.new"] {
            let new = path == "../.new";
            // What `setup` made itself is not in the list; the home around it is locked.
            assert_eq!(refused.iter().any(|one| one == path), !new, "{path}: {refused:?}");
        }
        for path in LOCKED {
            place.assert_locked(path, true);
        }
        for path in ["lockly", "lockly/conf", "lockly/made/deep", "app-root/data"] {
            place.assert_locked(path, false);
        }
        assert!(!home.join("invalid_mock_locked_file").exists());
        let (_, said) = place.run(&["gear", "exec", "x", "--", "touch", "newest"]);
        assert!(!home.join("newest").exists(), "{said}");
        let mode = home.join("lockly/metadata/manifest.yml").metadata().unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o644);
        place.must(&["gear", "destroy", "x", "--teardown"]);
        let undo = place.run(&["undo", "2"]);
        assert_eq!(undo.0, 0, "{}", undo.1);
        assert_eq!(place.refused("teardown"), [""; 0], "`teardown` writes everywhere");
        for path in LOCKED {
            place.assert_locked(path, true);
        }
        place.must(&["gear", "destroy", "x"]);
    }
}

#[test]
fn dependency_directories_are_links_into_the_deployment() {
    let _alone = alone();
    for caller in callers() {
        let place = Place::new(caller, "touch lib/a standalone/deployments/b ../.m2/c");
        place.must(&["gear", "create", "x", &place.folder]);
        let runtime = place.home().join("app-root/runtime");
        for path in [
            "dependencies/lockly/lib/a",
            "dependencies/lockly/deployments/b",
            "build-dependencies/.m2/c",
        ] {
            assert!(runtime.join(path).is_file(), "{path}");
        }
        for link in ["lockly/lib", "lockly/standalone/deployments", ".m2"] {
            let meta = std::fs::symlink_metadata(place.home().join(link)).unwrap();
            assert!(meta.is_symlink(), "{link}");
            place.assert_locked(link, false);
        }
        place.must(&["gear", "destroy", "x"]);
    }
}

#[test]
fn a_failed_setup_leaves_nothing_and_a_stray_folder_is_refused() {
    let _alone = alone();
    for caller in callers() {
        for (last, words) in [
            ("exit 3", "status 3"),
            ("mkdir ../stray", "`lockly` has made `stray`"),
            ("echo x >env/OPENSHIFT_APP_NAME", "OPENSHIFT_APP_NAME"),
        ] {
            let place = Place::new(caller, last);
            let (status, said) = place.run(&["gear", "create", "x", &place.folder]);
            assert_eq!(status, 9, "{said}");
            assert!(said.contains(words), "{said}");
            assert!(!place.host.has_gear_folder("x"));
        }
    }
}

#[test]
fn a_locked_file_that_is_a_link_out_of_the_gear_leads_nowhere() {
    let _alone = alone();
    for caller in callers() {
        let place =
            Place::new(caller, "ln -sf ../../../secret conf/b; rm ../.rc; ln -s /etc ../.rc");
        let secret = place.host.path("secret");
        std::fs::write(&secret, "").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let before = looks(&secret);
        let etc = looks(Path::new("/etc"));
        let said = place.must(&["gear", "create", "x", &place.folder]);
        assert!(said.contains("`~/.rc` is a link"), "{said}");
        place.assert_locked("", true);
        assert_eq!((looks(&secret), looks(Path::new("/etc"))), (before, etc));
        place.must(&["gear", "destroy", "x"]);
    }
}

fn looks(path: &Path) -> (u32, u32, u32) {
    let meta = std::fs::symlink_metadata(path).unwrap();
    (meta.uid(), meta.gid(), meta.mode())
}
