//! The skeleton of a gear's home: directories, links, the platform's variables.
//!
//! Written once, into an empty directory that nobody else can reach yet. What a cartridge adds is
//! not here.

use super::deployment::{self, SETTINGS};
use super::files;
use crate::error::FsError;
use crate::package::ident::{GearName, HostName};
use crate::sys::clock::Moment;
use crate::sys::fs::Dir;
use crate::sys::random;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What must be known to make a gear's home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGear {
    /// The gear's name.
    pub name: GearName,
    /// Its account's name as root: `g` and 12 hexadecimal digits.
    pub uuid: String,
    /// The name of the application that it belongs to.
    pub app_name: String,
    /// The namespace of the application, a part of its host name.
    pub namespace: String,
    /// The domain below which it gets its host name.
    pub domain: String,
    /// Its host name, where it is not made of those.
    pub dns: Option<HostName>,
    /// What `OPENSHIFT_GEAR_MEMORY_MB` says.
    pub memory_mb: u64,
    /// Where the home will be when it is in use; it may be built elsewhere and renamed.
    pub home: PathBuf,
    /// When it is made: names the first deployment.
    pub made: Moment,
}

/// The directories of a home with their modes, parents first (node specification, 3.1).
///
/// `.tmp` differs from the original, which keeps it closed and gives each gear a `/tmp` of its own
/// by mounting `.tmp/<uuid>` there at login. A package manager without such mounts uses the
/// directory itself: it is the gear's alone, and the variables name it. `.sandbox` likewise.
const DIRECTORIES: [(&str, u32); 14] = [
    (".tmp", 0o700),
    (".sandbox", 0o700),
    (".env", 0o750),
    (".env/user_vars", 0o770),
    (".ssh", 0o750),
    (".openshift_ssh", 0o750),
    (".gem", 0o750),
    ("app-root", 0o750),
    ("app-root/data", 0o750),
    ("app-root/logs", 0o750),
    ("app-root/runtime", 0o750),
    ("app-deployments", 0o750),
    ("app-deployments/by-id", 0o750),
    ("git", 0o750),
];

/// Git inside a gear packs little and early: gears have little memory and quota.
const GIT_SETTINGS: &str =
    "[gc]\n\tauto = 100\n[pack]\n\twindowMemory = 10m\n\tpackSizeLimit = 20m\n";

/// Fills the empty directory `home` with the skeleton of the gear `gear`.
pub fn build(home: &Dir, gear: &NewGear) -> Result<(), FsError> {
    for (name, mode) in DIRECTORIES {
        home.make_dir(name, mode)?;
        home.set_mode(name, mode)?;
    }
    home.make_link("app-root/runtime/data", "../data")?;
    deployment::make_first(home, gear.made)?;
    home.write_new("app-root/runtime/.state", b"new\n", 0o660)?;
    home.set_mode("app-root/runtime/.state", 0o660)?;
    let who = format!(
        "[user]\n\tname = OpenShift System User\n\temail = {}@{}\n",
        gear.uuid,
        host_name(gear)
    );
    // The repository is root's, and git heeds no other's that is not named.
    let repository = gear.home.join(format!("git/{}.git", gear.name)).display().to_string();
    let repository = repository.replace('\\', "\\\\").replace('"', "\\\"");
    let safe = format!("[safe]\n\tdirectory = \"{repository}\"\n");
    home.write_new(".gitconfig", format!("{who}{GIT_SETTINGS}{safe}").as_bytes(), 0o644)?;
    for (name, value) in variables(gear)? {
        let path = format!(".env/{name}");
        home.write_new(&path, value.as_bytes(), 0o644)?;
        home.set_mode(&path, 0o644)?;
    }
    home.set_mode("", 0o750)
}

/// The gear's host name.
pub fn host_name(gear: &NewGear) -> String {
    match &gear.dns {
        Some(host) => host.to_string(),
        None => format!("{}-{}.{}", gear.app_name, gear.namespace, gear.domain),
    }
}

/// The variables of `.env` (node specification, 3.2), the secret newly drawn.
fn variables(gear: &NewGear) -> Result<Vec<(&'static str, OsString)>, FsError> {
    let dns = OsString::from(host_name(gear));
    let mut all = vec![
        ("OPENSHIFT_APP_DNS", dns.clone()),
        ("OPENSHIFT_GEAR_DNS", dns),
        ("OPENSHIFT_APP_NAME", OsString::from(&gear.app_name)),
        ("OPENSHIFT_APP_UUID", OsString::from(&gear.uuid)),
        ("OPENSHIFT_GEAR_NAME", OsString::from(gear.name.as_str())),
        ("OPENSHIFT_GEAR_UUID", OsString::from(&gear.uuid)),
        ("OPENSHIFT_GEAR_MEMORY_MB", OsString::from(gear.memory_mb.to_string())),
        ("OPENSHIFT_NAMESPACE", OsString::from(&gear.namespace)),
        ("OPENSHIFT_SECRET_TOKEN", OsString::from(random::hex(64)?)),
    ];
    all.extend(SETTINGS.map(|(name, value)| (name, value.into())));
    for (name, below, kind) in PLACES {
        let path = gear.home.join(below);
        all.push((
            name,
            if matches!(kind, Kind::Directory) { slashed(&path) } else { path.into() },
        ));
    }
    Ok(all)
}

/// Tells whether every gear has the variable `name` in its `.env` from the beginning, and cannot do
/// without it.
pub fn is_the_skeletons(name: &str) -> bool {
    TEXTS.contains(&name) || PLACES.iter().any(|(place, _, _)| *place == name)
}

/// The variables of `.env` that hold no path.
const TEXTS: [&str; 14] = [
    "OPENSHIFT_APP_DNS",
    "OPENSHIFT_APP_NAME",
    "OPENSHIFT_APP_UUID",
    "OPENSHIFT_AUTO_DEPLOY",
    "OPENSHIFT_DEPLOYMENT_BRANCH",
    "OPENSHIFT_DEPLOYMENT_TYPE",
    "OPENSHIFT_GEAR_DNS",
    "OPENSHIFT_GEAR_MEMORY_MB",
    "OPENSHIFT_GEAR_NAME",
    "OPENSHIFT_GEAR_UUID",
    "OPENSHIFT_KEEP_DEPLOYMENTS",
    "OPENSHIFT_NAMESPACE",
    "OPENSHIFT_PRIMARY_CARTRIDGE_DIR",
    "OPENSHIFT_SECRET_TOKEN",
];

enum Kind {
    Directory,
    File,
}

/// The variables that hold a path below the home. Directories end in a slash, as cartridges
/// append to them without one.
const PLACES: [(&str, &str, Kind); 16] = [
    ("HOME", "", Kind::Directory),
    ("OPENSHIFT_HOMEDIR", "", Kind::Directory),
    ("GEM_HOME", ".gem", Kind::File),
    ("HISTFILE", "app-root/data/.bash_history", Kind::File),
    ("OPENSHIFT_DATA_DIR", "app-root/data", Kind::Directory),
    ("OPENSHIFT_LOG_DIR", "app-root/logs", Kind::Directory),
    ("OPENSHIFT_REPO_DIR", "app-root/runtime/repo", Kind::Directory),
    ("OPENSHIFT_DEPENDENCIES_DIR", "app-root/runtime/dependencies", Kind::Directory),
    ("OPENSHIFT_BUILD_DEPENDENCIES_DIR", "app-root/runtime/build-dependencies", Kind::Directory),
    ("OPENSHIFT_DEPLOYMENTS_DIR", "app-deployments", Kind::Directory),
    ("OPENSHIFT_APP_SSH_KEY", ".openshift_ssh/id_rsa", Kind::File),
    ("OPENSHIFT_APP_SSH_PUBLIC_KEY", ".openshift_ssh/id_rsa.pub", Kind::File),
    ("OPENSHIFT_TMP_DIR", ".tmp", Kind::Directory),
    ("TMP_DIR", ".tmp", Kind::Directory),
    ("TMPDIR", ".tmp", Kind::Directory),
    ("TMP", ".tmp", Kind::Directory),
];

/// The path with exactly one slash at its end.
fn slashed(path: &Path) -> OsString {
    let bytes = path.as_os_str().as_bytes();
    let end = bytes.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let mut text = std::ffi::OsStr::from_bytes(bytes.get(..end).unwrap_or(bytes)).to_owned();
    text.push("/");
    text
}

/// The two files that say what the cartridge in `folder` is, each as path below the home and
/// content: `env/OPENSHIFT_<SHORT>_DIR` and `_IDENT`. `home` is where the gear is in use.
pub fn cartridge_files(
    home: &Path,
    folder: &str,
    short_name: &str,
    ident: &str,
) -> [(String, OsString); 2] {
    let file = |what: &str| format!("{folder}/env/OPENSHIFT_{short_name}_{what}");
    [(file("DIR"), slashed(&home.join(folder))), (file("IDENT"), ident.into())]
}

/// Records that the cartridge in `folder` is the gear's primary one; `at` is where the gear is in
/// use.
pub fn set_primary(home: &Dir, at: &Path, folder: &str) -> Result<(), FsError> {
    set_variable(home, "OPENSHIFT_PRIMARY_CARTRIDGE_DIR", slashed(&at.join(folder)).as_bytes())
}

/// Puts one variable into the gear's `.env`.
pub fn set_variable(home: &Dir, name: &str, value: &[u8]) -> Result<(), FsError> {
    files::put(home, &format!(".env/{name}"), value, 0o644)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::gear) fn sample(home: &Path) -> NewGear {
        NewGear {
            name: GearName::parse("blog").unwrap(),
            uuid: "g0123456789ab".into(),
            app_name: "blog".into(),
            namespace: "local".into(),
            domain: "localhost".into(),
            dns: None,
            memory_mb: 512,
            home: home.to_owned(),
            made: Moment(1_795_244_700_042),
        }
    }

    #[test]
    fn a_home_has_every_place_and_variable_and_no_loose_end() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        build(&home, &sample(Path::new("/gears/blog/"))).unwrap();
        let read = |name: &str| {
            String::from_utf8(home.read(format!(".env/{name}"), 1000).unwrap()).unwrap()
        };
        assert_eq!(read("OPENSHIFT_GEAR_DNS"), "blog-local.localhost");
        assert_eq!(read("OPENSHIFT_REPO_DIR"), "/gears/blog/app-root/runtime/repo/");
        assert_eq!(read("HOME"), "/gears/blog/");
        assert_eq!(read("TMPDIR"), "/gears/blog/.tmp/");
        assert_eq!(read("OPENSHIFT_SECRET_TOKEN").len(), 128);
        for name in home.dir(".env").unwrap().names().unwrap() {
            let name = name.into_string().unwrap();
            if name == "user_vars" {
                continue;
            }
            let value = read(&name);
            assert!(is_the_skeletons(&name), "{name}");
            assert!(!value.is_empty() && !value.ends_with('\n'), "{name}");
            assert!(!name.ends_with("_DIR") || value.ends_with('/'), "{name}={value}");
        }
        for link in ["app-root/repo", "app-root/runtime/repo", "app-root/runtime/data"] {
            assert!(temp.path().join(link).is_dir(), "{link} leads to a directory");
        }
        assert!(temp.path().join("app-deployments/current/metadata.json").is_file());
        assert_eq!(home.meta(".env/user_vars").unwrap().unwrap().mode, 0o770);
    }

    #[test]
    fn two_gears_have_different_secrets() {
        let gear = sample(Path::new("/x"));
        let secret = |all: Vec<(&str, OsString)>| {
            all.into_iter().find(|(name, _)| *name == "OPENSHIFT_SECRET_TOKEN").unwrap().1
        };
        assert_ne!(secret(variables(&gear).unwrap()), secret(variables(&gear).unwrap()));
    }

    #[test]
    fn a_cartridge_is_told_where_it_is_and_what_it_is() {
        let [dir, ident] = cartridge_files(Path::new("/g/"), "php", "PHP", "redhat:php:5.4:1");
        assert_eq!(dir, ("php/env/OPENSHIFT_PHP_DIR".into(), "/g/php/".into()));
        assert_eq!(ident, ("php/env/OPENSHIFT_PHP_IDENT".into(), "redhat:php:5.4:1".into()));
    }
}
