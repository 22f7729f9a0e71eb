//! What an unpacked snapshot says of the gear that it was made of. Anybody may have written it.

use crate::error::FsError;
use crate::gear::deployment::SETTINGS;
use crate::package::ident::{EnvName, Name, Vendor};
use crate::package::version::Version;
use crate::sys::fs::{Dir, Kind};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The longest file that is read of it.
const LONGEST: u64 = 64 << 10;
/// The most variables and cartridges that are looked at.
const MOST: usize = 1000;

/// The gear that a snapshot was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub name: Option<String>,
    /// The name of its application.
    pub app: Option<String>,
    /// Its cartridges, the primary one first.
    pub cartridges: Vec<CartridgeOf>,
    /// What its user has set.
    pub variables: Vec<(EnvName, OsString)>,
    /// How it was to be deployed: variables of the platform.
    pub settings: Vec<(EnvName, OsString)>,
}

/// A cartridge of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartridgeOf {
    /// Its folder.
    pub dir: String,
    /// Vendor, name, software version, where its identity tells them.
    pub ident: Option<(Vendor, Name, Version)>,
}

impl Origin {
    /// Reads it from the home `home`.
    pub fn read(home: &Dir) -> Result<Self, FsError> {
        let text = |name: &str| {
            let bytes = home.read(format!(".env/{name}"), LONGEST).ok()?;
            let text = String::from_utf8(bytes).ok()?.trim().to_owned();
            (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
        };
        let primary = text("OPENSHIFT_PRIMARY_CARTRIDGE_DIR");
        let primary = primary
            .and_then(|path| path.trim_end_matches('/').rsplit('/').next().map(str::to_owned));
        let mut cartridges = cartridges(home)?;
        cartridges.sort_by_key(|one| (Some(&one.dir) != primary.as_ref(), one.dir.clone()));
        let setting = |(name, _): &(&str, &str)| {
            let value = text(name).filter(|value| is_sound(name, value))?;
            Some((EnvName::parse(name).ok()?, value.into()))
        };
        Ok(Self {
            name: text("OPENSHIFT_GEAR_NAME"),
            app: text("OPENSHIFT_APP_NAME"),
            cartridges,
            variables: variables(home)?,
            settings: SETTINGS.iter().filter_map(setting).collect(),
        })
    }
}

/// Whether a new gear can take that setting over.
fn is_sound(name: &str, value: &str) -> bool {
    match name.trim_start_matches("OPENSHIFT_") {
        "AUTO_DEPLOY" => ["true", "false"].contains(&value),
        "DEPLOYMENT_TYPE" => ["git", "binary"].contains(&value),
        "KEEP_DEPLOYMENTS" => value.parse().is_ok_and(|keep: u16| keep > 0),
        _ => value.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c)),
    }
}

/// A folder is a cartridge if it has a manifest (node specification, 3.1).
fn cartridges(home: &Dir) -> Result<Vec<CartridgeOf>, FsError> {
    let mut found = Vec::new();
    for name in home.names()?.into_iter().take(MOST) {
        let Some(dir) = name.to_str() else { continue };
        let is = |name: &str, kind: Kind| -> Result<bool, FsError> {
            Ok(home.meta(name)?.is_some_and(|meta| meta.kind == kind))
        };
        if !is(dir, Kind::Directory)? || !is(&format!("{dir}/metadata/manifest.yml"), Kind::File)? {
            continue;
        }
        found.push(CartridgeOf { dir: dir.to_owned(), ident: ident(home, dir) });
    }
    Ok(found)
}

fn ident(home: &Dir, dir: &str) -> Option<(Vendor, Name, Version)> {
    let env = home.dir(format!("{dir}/env")).ok()?;
    let names = env.names().ok()?;
    let mut names = names.iter().filter_map(|name| name.to_str());
    let is_ident = |name: &&str| name.starts_with("OPENSHIFT_") && name.ends_with("_IDENT");
    let text = String::from_utf8(env.read(names.find(is_ident)?, LONGEST).ok()?).ok()?;
    let parts: Vec<&str> = text.trim().split(':').collect();
    let [vendor, name, software, _] = parts.as_slice() else { return None };
    let ident = (Vendor::parse(vendor), Name::parse(name), Version::parse(software));
    Some((ident.0.ok()?, ident.1.ok()?, ident.2.ok()?))
}

fn variables(home: &Dir) -> Result<Vec<(EnvName, OsString)>, FsError> {
    const FOLDER: &str = ".env/user_vars";
    let mut found = Vec::new();
    if home.meta(FOLDER)?.is_none_or(|meta| meta.kind != Kind::Directory) {
        return Ok(found);
    }
    let dir = home.dir(FOLDER)?;
    let mut names = dir.names()?;
    names.sort();
    for name in names.iter().take(MOST).filter_map(|name| name.to_str()) {
        let is_file = dir.meta(name)?.is_some_and(|meta| meta.kind == Kind::File);
        if let (true, Ok(name)) = (is_file, EnvName::parse(name)) {
            let mut bytes = dir.read(name.as_str(), LONGEST)?;
            // As the loader does: one newline at the end is none of the value.
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            found.push((name, OsString::from_vec(bytes)));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_archive_says_is_believed_as_far_as_it_makes_sense() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        for (dir, ident) in [
            ("php", "redhat:php:5.4:0.0.1\n"),
            ("mock", "test:mock:1"),
            ("evil", "../../x:a/b:1:1"),
        ] {
            home.make_dirs(format!("{dir}/metadata"), 0o755).unwrap();
            home.make_dirs(format!("{dir}/env"), 0o755).unwrap();
            home.write_new(format!("{dir}/metadata/manifest.yml"), b"", 0o644).unwrap();
            let name = format!("{dir}/env/OPENSHIFT_X_IDENT");
            home.write_new(name, ident.as_bytes(), 0o644).unwrap();
        }
        home.make_dirs("app-root/data", 0o755).unwrap();
        home.make_dirs(".env/user_vars", 0o755).unwrap();
        for (name, text) in [
            ("user_vars/COLOUR", "red\n"),
            ("user_vars/no-name", "x"),
            ("OPENSHIFT_GEAR_NAME", "blog\n"),
            ("OPENSHIFT_APP_NAME", "a\nb"),
            ("OPENSHIFT_PRIMARY_CARTRIDGE_DIR", "/var/lib/openshift/g1/php/"),
            ("OPENSHIFT_KEEP_DEPLOYMENTS", "3"),
            ("OPENSHIFT_AUTO_DEPLOY", "perhaps"),
            ("OPENSHIFT_DEPLOYMENT_BRANCH", "--upload-pack=x y"),
        ] {
            home.write_new(format!(".env/{name}"), text.as_bytes(), 0o644).unwrap();
        }
        home.make_link(".env/user_vars/LINK", "/etc/passwd").unwrap();
        let origin = Origin::read(&home).unwrap();
        assert_eq!((origin.name.as_deref(), origin.app), (Some("blog"), None));
        let dirs: Vec<_> = origin.cartridges.iter().map(|one| one.dir.as_str()).collect();
        assert_eq!(dirs, ["php", "evil", "mock"]);
        let known: Vec<_> = origin.cartridges.iter().map(|one| one.ident.is_some()).collect();
        assert_eq!(known, [true, false, false]);
        let pairs = |all: &[(EnvName, OsString)]| -> Vec<String> {
            all.iter().map(|(name, value)| format!("{name}={}", value.display())).collect()
        };
        assert_eq!(pairs(&origin.variables), ["COLOUR=red"]);
        assert_eq!(pairs(&origin.settings), ["OPENSHIFT_KEEP_DEPLOYMENTS=3"]);
    }
}
