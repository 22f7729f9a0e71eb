//! The format of backups, `UBOS::Backup::ZipFileBackup;v1` (UBOS specification, 5): where things lie in
//! the archive, and what an unpacked one holds.
//!
//! An archive was written by anybody: names are parsed, and what is not known is told and left alone.
//! Owners and modes are not a backup's to say; whoever restores takes them from the manifest of now.

use crate::error::{Exit, Explain, FsError};
use crate::package::ubos::name::{AppConfigId, Bucket, PackageName, SiteId};
use crate::package::ubos::role::RoleName;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use std::ffi::OsString;

/// What the file of the kind says.
pub const FILE_TYPE: &str = "UBOS::Backup::ZipFileBackup;v1";
/// The names at the top of the archive.
const TYPE: &str = "filetype";
const START: &str = "starttime";
const SITES: &str = "sites";
const INSTALLABLES: &str = "installables";
const APPS: &str = "appconfigs";
/// The longest text of either.
const SHORT: u64 = 4 << 10;

/// Whose data something is: which app or accessory, and under which name they are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The app with its accessories.
    pub app: AppConfigId,
    /// Which of them.
    pub package: PackageName,
    /// At which role.
    pub role: RoleName,
    /// The retention bucket.
    pub bucket: Bucket,
}

/// Names in an archive are made of checked names, so they are clean.
fn path(parts: &[&str]) -> Result<RelPath, BackupError> {
    RelPath::parse(&parts.join("/")).map_err(|_| BackupError::Name(parts.join("/")))
}

impl Place {
    /// Where it lies in the archive.
    pub fn path(&self) -> Result<RelPath, BackupError> {
        let Self { app, package, role, bucket } = self;
        path(&[APPS, app.as_str(), package.as_str(), role.as_str(), bucket.as_str()])
    }

    /// The folders that lead to it, which the original wants to see before it looks for data.
    pub fn folders(&self) -> Result<[RelPath; 3], BackupError> {
        let Self { app, package, role, .. } = self;
        let (app, package) = (app.as_str(), package.as_str());
        Ok([
            path(&[APPS, app])?,
            path(&[APPS, app, package])?,
            path(&[APPS, app, package, role.as_str()])?,
        ])
    }
}

/// A text in an archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Text {
    /// The kind of archive.
    Type,
    /// When it was begun.
    Start,
    /// A whole site, as a site file.
    Site(SiteId),
    /// The manifest of an app or accessory as of then.
    Installable(PackageName),
    /// An app with its accessories, as in a site file.
    App(AppConfigId),
}

impl Text {
    /// Where it lies in the archive.
    pub fn path(&self) -> Result<RelPath, BackupError> {
        match self {
            Self::Type => path(&[TYPE]),
            Self::Start => path(&[START]),
            Self::Site(id) => path(&[SITES, &format!("{id}.json")]),
            Self::Installable(name) => path(&[INSTALLABLES, &format!("{name}.json")]),
            Self::App(id) => path(&[APPS, &format!("{id}.json")]),
        }
    }
}

/// The folders at the top that every archive has.
pub const FOLDERS: [&str; 3] = [SITES, INSTALLABLES, APPS];

/// What an unpacked archive holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backup {
    /// When it was begun, as it says: `YYYYMMDD-HHMMSS`.
    pub started: String,
    /// The whole sites in it.
    pub sites: Vec<SiteId>,
    /// The manifests in it.
    pub installables: Vec<PackageName>,
    /// The apps with their accessories in it.
    pub apps: Vec<AppConfigId>,
    /// The data in it: a file, which may be a dump, or a tree.
    pub kept: Vec<(Place, Kind)>,
    /// Entries that nobody here knows, escaped.
    pub unknown: Vec<String>,
}

/// Why an unpacked archive is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] FsError),
    /// It does not say what it is.
    #[error("this is no backup of sites: the archive has no file `{TYPE}`")]
    NoType,
    /// It is of another kind.
    #[error("this backup is of a kind that is not known here: `{0}`")]
    OtherType(String),
    /// Something has a name that cannot be in an archive.
    #[error("`{}` is no name in a backup", .0.escape_debug())]
    Name(String),
    /// It is encrypted.
    #[error("this backup is encrypted: decrypt it first, with `gpg --decrypt`")]
    Encrypted,
}

impl Explain for BackupError {
    fn exit(&self) -> Exit {
        match self {
            Self::Read(error) => error.exit(),
            _ => Exit::Integrity,
        }
    }
}

impl Backup {
    /// Looks at what was unpacked into `tree`.
    pub fn read(tree: &Dir) -> Result<Self, BackupError> {
        if tree.meta(TYPE)?.is_none_or(|meta| meta.kind != Kind::File) {
            return Err(BackupError::NoType);
        }
        let said = short(tree, TYPE)?;
        if said != FILE_TYPE {
            return Err(BackupError::OtherType(
                said.chars().take(80).collect::<String>().escape_debug().to_string(),
            ));
        }
        let mut found = Self::default();
        if tree.has(START)? {
            found.started = short(tree, START)?.escape_debug().to_string();
        }
        for name in tree.names()? {
            match name.to_str() {
                Some(TYPE | START) => {}
                Some(SITES) => {
                    found.sites = found.texts(tree, SITES, |id| SiteId::parse(id).ok())?;
                }
                Some(INSTALLABLES) => {
                    let parse = |name: &str| PackageName::parse(name).ok();
                    found.installables = found.texts(tree, INSTALLABLES, parse)?;
                }
                Some(APPS) => found.apps(tree)?,
                _ => found.not_known("", &name),
            }
        }
        Ok(found)
    }

    /// The names of the texts in a folder.
    fn texts<T>(
        &mut self,
        tree: &Dir,
        folder: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, BackupError> {
        let mut all = Vec::new();
        for name in inside(tree, folder)? {
            let text = name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(&parse);
            let is_file = tree.meta(format!("{folder}/{}", name.to_string_lossy()))?;
            match text.filter(|_| is_file.is_some_and(|meta| meta.kind == Kind::File)) {
                Some(text) => all.push(text),
                None => self.not_known(folder, &name),
            }
        }
        Ok(all)
    }

    fn apps(&mut self, tree: &Dir) -> Result<(), BackupError> {
        for name in inside(tree, APPS)? {
            let text = name.to_str().unwrap_or_default();
            let place = format!("{APPS}/{text}");
            let kind = tree.meta(&place)?.map(|meta| meta.kind);
            let of_text = text.strip_suffix(".json").and_then(|id| AppConfigId::parse(id).ok());
            match (of_text, AppConfigId::parse(text), kind) {
                (Some(id), _, Some(Kind::File)) => self.apps.push(id),
                (_, Ok(id), Some(Kind::Directory)) => self.packages(tree, &id, &place)?,
                _ => self.not_known(APPS, &name),
            }
        }
        Ok(())
    }

    fn packages(&mut self, tree: &Dir, app: &AppConfigId, folder: &str) -> Result<(), BackupError> {
        for name in inside(tree, folder)? {
            let Some(package) = name.to_str().and_then(|name| PackageName::parse(name).ok()) else {
                self.not_known(folder, &name);
                continue;
            };
            let folder = format!("{folder}/{package}");
            for name in inside(tree, &folder)? {
                let Some(role) = name.to_str().and_then(RoleName::named) else {
                    self.not_known(&folder, &name);
                    continue;
                };
                let folder = format!("{folder}/{}", role.as_str());
                for name in inside(tree, &folder)? {
                    let bucket = name.to_str().and_then(|name| Bucket::parse(name).ok());
                    let kind = tree.meta(format!("{folder}/{}", name.to_string_lossy()))?;
                    let kind = kind.map(|meta| meta.kind);
                    let fine = matches!(kind, Some(Kind::File | Kind::Directory));
                    match bucket.zip(kind).filter(|_| fine) {
                        Some((bucket, kind)) => {
                            let (app, package) = (app.clone(), package.clone());
                            self.kept.push((Place { app, package, role, bucket }, kind));
                        }
                        None => self.not_known(&folder, &name),
                    }
                }
            }
        }
        Ok(())
    }

    fn not_known(&mut self, folder: &str, name: &OsString) {
        let text = format!("{folder}/{}", name.to_string_lossy());
        self.unknown.push(text.trim_start_matches('/').escape_debug().to_string());
    }
}

fn short(tree: &Dir, name: &str) -> Result<String, BackupError> {
    Ok(String::from_utf8_lossy(&tree.read(name, SHORT)?).trim().to_owned())
}

/// The names in a folder; none where it is no folder.
fn inside(tree: &Dir, folder: &str) -> Result<Vec<OsString>, BackupError> {
    if tree.meta(folder)?.is_none_or(|meta| meta.kind != Kind::Directory) {
        return Ok(Vec::new());
    }
    Ok(tree.dir(folder)?.names()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        (temp, dir)
    }

    fn id(first: char, digit: &str) -> String {
        format!("{first}{}", digit.repeat(40))
    }

    #[test]
    fn everything_is_found_where_the_format_has_it() {
        let (_temp, dir) = tree();
        let place = Place {
            app: AppConfigId::parse(&id('a', "1")).unwrap(),
            package: PackageName::parse("wiki").unwrap(),
            role: RoleName::Mysql,
            bucket: Bucket::parse("maindb").unwrap(),
        };
        let tree = Place {
            role: RoleName::Apache2,
            bucket: Bucket::parse("data").unwrap(),
            ..place.clone()
        };
        let site = SiteId::parse(&id('s', "2")).unwrap();
        for folder in place.folders().unwrap().iter().chain(&tree.folders().unwrap()) {
            dir.make_dirs(folder, 0o755).unwrap();
        }
        dir.make_dirs(tree.path().unwrap().as_path().join("inner"), 0o755).unwrap();
        for folder in FOLDERS {
            dir.make_dirs(folder, 0o755).unwrap();
        }
        let put = |path: RelPath, text: &str| dir.write_new(path, text.as_bytes(), 0o644).unwrap();
        put(place.path().unwrap(), "dump");
        put(Text::Type.path().unwrap(), " UBOS::Backup::ZipFileBackup;v1\n");
        put(Text::Start.path().unwrap(), "20261121-180000\n");
        put(Text::Site(site.clone()).path().unwrap(), "{}");
        put(Text::App(place.app.clone()).path().unwrap(), "{}");
        put(Text::Installable(place.package.clone()).path().unwrap(), "{}");
        dir.write_new("extra\u{1b}", b"", 0o644).unwrap();
        dir.write_new("sites/x.json", b"", 0o644).unwrap();
        let found = Backup::read(&dir).unwrap();
        let kept = vec![(tree, Kind::Directory), (place.clone(), Kind::File)];
        let sites = vec![site];
        let unknown = vec!["extra\\u{1b}".to_owned(), "sites/x.json".to_owned()];
        let started = "20261121-180000".to_owned();
        let (installables, apps) = (vec![place.package], vec![place.app]);
        assert_eq!(found, Backup { started, sites, installables, apps, kept, unknown });
    }

    #[test]
    fn what_does_not_say_so_is_no_backup() {
        let (_temp, dir) = tree();
        assert!(matches!(Backup::read(&dir), Err(BackupError::NoType)));
        dir.write_new("filetype", b"UBOS::Backup::ZipFileBackup;v2", 0o644).unwrap();
        assert!(matches!(Backup::read(&dir), Err(BackupError::OtherType(_))));
        dir.replace_file("filetype", FILE_TYPE.as_bytes(), 0o644).unwrap();
        assert_eq!(Backup::read(&dir).unwrap(), Backup::default());
    }
}
