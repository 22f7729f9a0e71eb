//! Packages of tpkg for an ordinary user: in a base of their own, on the host as it is.

use crate::host::is_root;
use crate::support::tpkg::Tpkg;
use std::path::PathBuf;
use std::process::Command;

/// An ordinary user's home, without `--root`.
struct User {
    home: tempfile::TempDir,
}

impl User {
    fn at(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap_or_else(|error| format!("{path}: {error}"))
    }

    fn pack(&self, package: &Tpkg) -> String {
        let path = self.at(&package.file_name());
        std::fs::write(&path, package.bytes()).unwrap();
        path.display().to_string()
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cart"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.home.path());
        command.env("TPKG_HOME", self.at("tpkg")).current_dir(self.home.path());
        let output = command.arg("-y").args(words).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code().unwrap_or(-1), said.concat())
    }

    #[track_caller]
    fn must(&self, words: &[&str]) -> String {
        let (status, said) = self.run(words);
        assert_eq!(status, 0, "{words:?}: {said}");
        said
    }
}

fn app(version: &str, scripts: &str) -> Tpkg {
    let mut package = Tpkg::new("app", version)
        .says("externals:\n- name: noted\n  data: something")
        .file("reloc/etc/conf", version)
        .of("etc/conf", "    config: true")
        .file("reloc/share/x", version)
        .of("share/x", "    posix:\n      owner: root\n      group: root\n      perms: 0640")
        .script(
            "reloc/init/app-of-a-user",
            "[[ $1 == status ]] && exit 3; echo \"$1\" >>${TPKG_HOME%/*}/told",
        )
        .of("init/app-of-a-user", "    init: {}")
        .file("reloc/jobs", "1 1 1 1 1 true\n")
        .of("jobs", "    crontab: {}");
    for name in ["preinstall", "postinstall", "preremove", "postremove"] {
        package = package
            .script(name, &format!("echo {name} {version} >>${{TPKG_HOME%/*}}/told; {scripts}"));
    }
    package
}

#[test]
fn everything_is_done_below_their_own_base() {
    if is_root() {
        println!("SKIP: tpkg::user: root is no ordinary user");
        return;
    }
    let user = User { home: tempfile::tempdir().unwrap() };
    let externals = user.at(".config/cartwright/externals");
    std::fs::create_dir_all(&externals).unwrap();
    let noted = "#!/bin/bash\necho \"$1 $2 $(cat)\" >>${TPKG_HOME%/*}/told\n";
    std::fs::write(externals.join("noted"), noted).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(externals.join("noted"), mode).unwrap();
    let told = || {
        let text = user.read("told");
        drop(std::fs::remove_file(user.at("told")));
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };

    // What only root could do is a warning, as in the original.
    let said = user.must(&["install", &user.pack(&app("1", ":"))]);
    assert!(said.contains("init/app-of-a-user` is not started with the host: only root"), "{said}");
    assert!(said.contains("tpkg/jobs`: only root may write to `/etc/cron.d`"), "{said}");
    assert_eq!(told(), ["preinstall 1", "app-1.tpkg install something", "postinstall 1"]);
    assert_eq!(user.read("tpkg/share/x"), "1");
    user.must(&["verify"]);
    user.must(&["service", "start", "app"]);
    assert_eq!(told(), ["start"]);
    let said = user.must(&["owns", user.at("tpkg/share/x").to_str().unwrap()]);
    assert!(said.contains("app-1"), "{said}");

    std::fs::write(user.at("tpkg/etc/conf"), "mine").unwrap();
    let (status, said) = user.run(&["upgrade", &user.pack(&app("2", "exit 1"))]);
    assert_eq!(status, 9, "{said}");
    assert_eq!(
        (user.read("tpkg/share/x"), user.read("tpkg/etc/conf")),
        ("1".into(), "mine".into())
    );
    user.must(&["upgrade", &user.pack(&app("3", ":"))]);
    assert_eq!(
        (user.read("tpkg/share/x"), user.read("tpkg/etc/conf")),
        ("3".into(), "mine".into())
    );
    assert_eq!(user.read("tpkg/etc/conf.tpkgnew"), "3");
    user.must(&["undo", "4"]);
    assert_eq!(user.read("tpkg/share/x"), "1");
    user.must(&["verify"]);
    told();
    user.must(&["remove", "app"]);
    let told = told();
    assert!(told.contains(&"stop".to_owned()), "{told:?}");
    assert!(told.contains(&"app-1.tpkg remove something".to_owned()), "{told:?}");
    assert_eq!(
        (user.at("tpkg/share").exists(), user.read("tpkg/etc/conf")),
        (false, "mine".into())
    );

    // What belongs to the host is refused, and nothing half done stays.
    let rooted =
        Tpkg::new("rooted", "1").file("reloc/y", "y").file("root/usr/lib/rooted-by-a-user", "x");
    let (status, said) = user.run(&["install", &user.pack(&rooted)]);
    assert!(matches!(status, 1 | 9) && said.contains("/usr/lib"), "{status}: {said}");
    assert!(!user.at("tpkg/y").exists());
    user.must(&["verify"]);
}
