//! The home of a gear: what lies where, with which mode, and whose it is (node specification, 3).

use crate::error::FsError;
use crate::package::ident::GearName;
use crate::sys::fs::{Dir, Kind};
use crate::sys::random;
use std::path::PathBuf;

/// A gear that is to get a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGear {
    /// Its name.
    pub name: GearName,
    /// Its identifier.
    pub uuid: String,
    /// The domain below which it gets its host name.
    pub domain: String,
    /// The namespace of its application.
    pub namespace: String,
    /// What `OPENSHIFT_GEAR_MEMORY_MB` says.
    pub memory_mb: u64,
    /// The folder of its primary cartridge.
    pub primary_dir: Option<String>,
    /// Where the home is going to be: it may be built elsewhere.
    pub home: PathBuf,
}

/// Directories, with their modes.
const DIRECTORIES: [(&str, u32); 18] = [
    (".env", 0o750),
    (".env/user_vars", 0o770),
    (".ssh", 0o750),
    (".gem", 0o750),
    (".openshift_ssh", 0o750),
    (".sandbox", 0o750),
    // The original gives each gear a /tmp of its own by polyinstantiation; here the folder of that
    // name in the home is what the TMP variables name.
    (".tmp", 0o700),
    ("app-root", 0o750),
    ("app-root/data", 0o750),
    ("app-root/logs", 0o750),
    ("app-root/runtime", 0o750),
    ("app-root/runtime/repo", 0o750),
    ("app-root/runtime/dependencies", 0o750),
    ("app-root/runtime/build-dependencies", 0o750),
    ("app-deployments", 0o750),
    ("app-deployments/by-id", 0o750),
    ("git", 0o750),
    (".auth", 0o750),
];

/// Links, with their targets.
const LINKS: [(&str, &str); 4] = [
    ("app-root/repo", "runtime/repo"),
    ("app-root/dependencies", "runtime/dependencies"),
    ("app-root/build-dependencies", "runtime/build-dependencies"),
    ("app-root/runtime/data", "../data"),
];

const GITCONFIG: &str = "[user]\n\tname = OpenShift System User\n[gc]\n\tauto = 100\n[pack]\n\t\
                         windowMemory = 10m\n\tpackSizeLimit = 20m\n";

/// Builds the home of `new` in the empty directory `home`.
pub fn build(home: &Dir, new: &NewGear) -> Result<(), FsError> {
    for (path, mode) in DIRECTORIES {
        home.make_dir(path, mode)?;
        home.set_mode(path, mode)?;
    }
    for (path, target) in LINKS {
        home.make_link(path, target)?;
    }
    for (name, value) in variables(new)? {
        home.replace_file(format!(".env/{name}"), value.as_bytes(), 0o644)?;
    }
    home.replace_file(".gitconfig", GITCONFIG.as_bytes(), 0o644)?;
    home.replace_file("app-root/runtime/.state", b"new\n", 0o660)?;
    home.replace_file(".start_priority", b"100\n", 0o644)
}

/// The variables of the platform. A directory's value ends in a slash: real scripts and templates
/// count on it.
fn variables(new: &NewGear) -> Result<Vec<(&'static str, String)>, FsError> {
    let home = format!("{}/", new.home.display());
    let dns = format!("{}-{}.{}", new.name, new.namespace, new.domain);
    let below = |path: &str| format!("{home}{path}/");
    let temporary = below(".tmp");
    let mut all = vec![
        ("GEM_HOME", format!("{home}.gem")),
        ("HISTFILE", format!("{home}app-root/data/.bash_history")),
        ("HOME", home.clone()),
        ("OPENSHIFT_APP_DNS", dns.clone()),
        ("OPENSHIFT_APP_NAME", new.name.to_string()),
        ("OPENSHIFT_APP_UUID", new.uuid.clone()),
        ("OPENSHIFT_AUTO_DEPLOY", "true".into()),
        ("OPENSHIFT_BROKER_HOST", new.domain.clone()),
        ("OPENSHIFT_BUILD_DEPENDENCIES_DIR", below("app-root/runtime/build-dependencies")),
        ("OPENSHIFT_CLOUD_DOMAIN", new.domain.clone()),
        ("OPENSHIFT_DATA_DIR", below("app-root/data")),
        ("OPENSHIFT_DEPENDENCIES_DIR", below("app-root/runtime/dependencies")),
        ("OPENSHIFT_DEPLOYMENTS_DIR", below("app-deployments")),
        ("OPENSHIFT_DEPLOYMENT_BRANCH", "master".into()),
        ("OPENSHIFT_DEPLOYMENT_TYPE", "git".into()),
        ("OPENSHIFT_GEAR_DNS", dns),
        ("OPENSHIFT_GEAR_MEMORY_MB", new.memory_mb.to_string()),
        ("OPENSHIFT_GEAR_NAME", new.name.to_string()),
        ("OPENSHIFT_GEAR_UUID", new.uuid.clone()),
        ("OPENSHIFT_HOMEDIR", home.clone()),
        ("OPENSHIFT_KEEP_DEPLOYMENTS", "1".into()),
        ("OPENSHIFT_LOG_DIR", below("app-root/logs")),
        ("OPENSHIFT_NAMESPACE", new.namespace.clone()),
        ("OPENSHIFT_REPO_DIR", below("app-root/runtime/repo")),
        ("OPENSHIFT_SECRET_TOKEN", random::hex(64)?),
        ("OPENSHIFT_TMP_DIR", temporary.clone()),
        ("OPENSHIFT_UMASK", "077".into()),
        ("TMP", temporary.clone()),
        ("TMPDIR", temporary.clone()),
        ("TMP_DIR", temporary),
    ];
    if let Some(primary) = &new.primary_dir {
        all.push(("OPENSHIFT_PRIMARY_CARTRIDGE_DIR", below(primary)));
    }
    Ok(all)
}

/// Platform files and directories of the home: root's, readable by the gear's group.
const PLATFORM: [&str; 5] = [".env", ".ssh", ".gitconfig", ".start_priority", "app-root"];

/// Gives a newly built home to the gear's user: everything is the user's, but for the home itself
/// and what the platform keeps, which are root's with the gear's group.
pub fn own(home: &Dir, uid: u32, gid: u32) -> Result<(), FsError> {
    own_tree(home, uid, gid)?;
    for name in PLATFORM {
        home.set_owner(name, 0, gid)?;
    }
    let env = home.dir(".env")?;
    for name in env.names()? {
        env.set_owner(&name, 0, gid)?;
    }
    home.set_owner("", 0, gid)
}

/// Gives a newly built cartridge to the gear's user; what says which cartridge it is stays root's.
pub fn own_cartridge(instance: &Dir, uid: u32, gid: u32) -> Result<(), FsError> {
    own_tree(instance, uid, gid)?;
    instance.set_owner("", uid, gid)?;
    let mut immutable = vec![
        "metadata/manifest.yml".to_owned(),
        "metadata/managed_files.yml".to_owned(),
    ];
    for name in instance.dir("env")?.names()? {
        let name = name.to_string_lossy();
        if name.starts_with("OPENSHIFT_") && (name.ends_with("_IDENT") || name.ends_with("_DIR")) {
            immutable.push(format!("env/{name}"));
        }
    }
    for path in immutable {
        if instance.meta(&path)?.is_some_and(|meta| meta.kind == Kind::File) {
            instance.set_owner(&path, 0, gid)?;
        }
    }
    Ok(())
}

fn own_tree(dir: &Dir, uid: u32, gid: u32) -> Result<(), FsError> {
    for name in dir.names()? {
        let meta = dir.meta(&name)?;
        if meta.is_some_and(|meta| meta.kind == Kind::Directory) {
            own_tree(&dir.dir(&name)?, uid, gid)?;
        }
        dir.set_owner(&name, uid, gid)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_has_the_layout_and_the_variables_of_the_original() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        let new = NewGear {
            name: GearName::parse("blog").unwrap(),
            uuid: "g0123456789ab".into(),
            domain: "example.org".into(),
            namespace: "ns".into(),
            memory_mb: 512,
            primary_dir: Some("php".into()),
            home: "/gears/blog".into(),
        };
        build(&home, &new).unwrap();
        let value = |name: &str| {
            String::from_utf8(home.read(format!(".env/{name}"), 4096).unwrap()).unwrap()
        };
        assert_eq!(value("OPENSHIFT_REPO_DIR"), "/gears/blog/app-root/runtime/repo/");
        assert_eq!(value("OPENSHIFT_GEAR_DNS"), "blog-ns.example.org");
        assert_eq!(value("OPENSHIFT_PRIMARY_CARTRIDGE_DIR"), "/gears/blog/php/");
        assert_eq!(value("TMPDIR"), "/gears/blog/.tmp/");
        for name in home.dir(".env").unwrap().names().unwrap() {
            let name = name.to_string_lossy().into_owned();
            if name.ends_with("_DIR") {
                assert!(value(&name).ends_with('/'), "{name}");
            }
        }
        assert_eq!(crate::gear::state::read(&home), crate::gear::state::State::New);
        assert_eq!(home.meta(".env/user_vars").unwrap().unwrap().mode, 0o770);
    }
}
