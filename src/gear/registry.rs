//! The registry of a scaled application's gears: a file in the gear with the web proxy, which
//! `oo-gear-registry` and the cartridges' scripts read (node specification, 9).

use crate::error::FsError;
use crate::sys::fs::Dir;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::net::Ipv4Addr;

/// Its folder, below the gear's home.
pub const FOLDER: &str = "gear-registry";
const FILE: &str = "gear-registry/gear-registry.json";
const LONGEST: u64 = 1 << 22;

/// The gears of a scaled application, by their identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Registry {
    /// Those that serve the application.
    pub web: BTreeMap<String, Entry>,
    /// Those that pass requests on to them.
    pub proxy: BTreeMap<String, Entry>,
}

/// One gear.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// The namespace of its application.
    pub namespace: String,
    /// Its host name.
    pub dns: String,
    /// Where the proxy reaches it.
    pub proxy_hostname: Ipv4Addr,
    /// The port there; none of a proxy.
    pub proxy_port: u16,
    /// What it runs on.
    pub platform: String,
}

impl Registry {
    /// What `control update-cluster` is told: `HOST NAME|ADDRESS:PORT` for each gear.
    pub fn words(&self) -> Vec<String> {
        let word = |one: &Entry| format!("{}|{}:{}", one.dns, one.proxy_hostname, one.proxy_port);
        self.web.values().map(word).collect()
    }
}

/// Reads the registry of the gear with that home; nothing where none was written.
pub fn read(home: &Dir) -> Result<Option<Registry>, FsError> {
    if !home.has(FILE)? {
        return Ok(None);
    }
    let read = serde_json::from_slice(&home.read(FILE, LONGEST)?);
    read.map(Some).map_err(|error| {
        FsError::new("read", home.path_of(FILE), Error::new(ErrorKind::InvalidData, error))
    })
}

/// Writes the registry; without one the file goes. `group` may read it.
pub fn write(home: &Dir, registry: Option<&Registry>, group: Option<u32>) -> Result<(), FsError> {
    let Some(registry) = registry else { return home.remove_file(FILE) };
    let text = serde_json::to_vec(registry).map_err(|error| {
        FsError::new("write", home.path_of(FILE), Error::new(ErrorKind::InvalidData, error))
    })?;
    home.make_dirs(FOLDER, 0o755)?;
    home.replace_file(FILE, &text, 0o644)?;
    match group {
        Some(group) => home.set_owner(FILE, 0, group),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_told_as_the_original_does() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        assert_eq!(read(&home).unwrap(), None);
        let entry = Entry {
            namespace: "local".into(),
            dns: "g1-local.localhost".into(),
            proxy_hostname: Ipv4Addr::new(127, 0, 1, 1),
            proxy_port: 8080,
            platform: "linux".into(),
        };
        let registry = Registry { web: [("g1".into(), entry)].into(), proxy: [].into() };
        assert_eq!(registry.words(), ["g1-local.localhost|127.0.1.1:8080"]);
        write(&home, Some(&registry), None).unwrap();
        assert_eq!(read(&home).unwrap(), Some(registry));
        std::fs::write(temp.path().join(FILE), "[1").unwrap();
        assert!(read(&home).is_err());
        write(&home, None, None).unwrap();
        assert_eq!(read(&home).unwrap(), None);
    }
}
