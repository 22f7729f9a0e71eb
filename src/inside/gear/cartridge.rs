//! A cartridge of the gear, as its own files tell.

use super::super::Refused;
use super::FAILED;
use crate::format::{MANAGED_FILES, managed_files};
use crate::package::managed::Managed;
use crate::sys::fs::Dir;
use std::ffi::OsString;

/// The longest manifest, or list of managed files, that is read.
const LONGEST: u64 = 1 << 20;

/// A cartridge of the gear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cartridge {
    pub(super) dir: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) is_primary: bool,
    categories: Vec<String>,
}

impl Cartridge {
    pub(super) fn read(home: &Dir, dir: &str, is_primary: bool) -> Result<Self, Refused> {
        let env = home.dir(format!("{dir}/env"))?;
        let is_ident = |name: &OsString| {
            name.to_str()
                .is_some_and(|name| name.starts_with("OPENSHIFT_") && name.ends_with("_IDENT"))
        };
        let Some(file) = env.names()?.into_iter().find(is_ident) else {
            return Err(Refused::new(
                FAILED,
                format!("gear: the cartridge `{dir}` has no identity"),
            ));
        };
        let ident = String::from_utf8_lossy(&env.read(file, 4096)?).into_owned();
        let mut parts = ident.trim().split(':').skip(1);
        let name = parts.next().unwrap_or(dir).to_owned();
        let version = parts.next().unwrap_or_default().to_owned();
        let manifest = home.read(format!("{dir}/metadata/manifest.yml"), LONGEST)?;
        let manifest: serde_yaml::Value = serde_yaml::from_slice(&manifest).unwrap_or_default();
        let categories = manifest.get("Categories").and_then(serde_yaml::Value::as_sequence);
        let categories = categories.into_iter().flatten().filter_map(serde_yaml::Value::as_str);
        let categories = categories.map(str::to_owned).collect();
        Ok(Self { dir: dir.to_owned(), name, version, is_primary, categories })
    }

    pub(super) fn is(&self, category: &str) -> bool {
        self.categories.iter().any(|one| one == category)
    }

    pub(super) fn title(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// What it says of its files; nothing where that cannot be read.
    pub(super) fn managed(&self, home: &Dir) -> Managed {
        let bytes = home.read(format!("{}/{MANAGED_FILES}", self.dir), LONGEST);
        bytes.ok().and_then(|bytes| managed_files(&bytes)).unwrap_or_default()
    }
}
