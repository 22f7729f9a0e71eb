//! The deployments that a gear keeps, and what each says of itself.

use super::{FOLDER, Metadata, is_name};
use crate::error::FsError;
use crate::gear::files;
use crate::sys::fs::{Dir, Kind};
use std::io::Error;

/// The longest `metadata.json` that is read: the gear may have written it.
const LONGEST: u64 = 1 << 18;
/// The most activations that are remembered.
const MOST_ACTIVATIONS: usize = 1000;

/// A deployment that a gear keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// The name of its directory.
    pub name: String,
    /// What it says of itself.
    pub metadata: Metadata,
}

impl Deployment {
    /// When it was last activated, in seconds since 1970.
    pub fn last_activation(&self) -> Option<f64> {
        self.metadata.activations.iter().copied().reduce(f64::max)
    }
}

/// Every deployment of the gear, in the order of their names, which is that of their making. One
/// without an identifier, or with another's, is known by its name alone.
pub fn all(home: &Dir) -> Result<Vec<Deployment>, FsError> {
    let folder = home.dir(FOLDER)?;
    let mut found: Vec<Deployment> = Vec::new();
    let mut names = folder.names()?;
    names.sort();
    for name in names {
        let Some(name) = name.to_str().filter(|name| is_name(name)) else { continue };
        if !folder.meta(name)?.is_some_and(|meta| meta.kind == Kind::Directory) {
            continue;
        }
        let mut metadata = read_metadata(home, name);
        if found.iter().any(|other| other.metadata.id == metadata.id) {
            metadata.id.clear();
        }
        found.push(Deployment { name: name.to_owned(), metadata });
    }
    Ok(found)
}

/// Sorts deployments, the one that was activated longest ago first. What never was is the newest (node
/// specification, 9), unless it is older than what is in use, `live`: the first deployment of a gear
/// was made with it.
pub fn sort_by_use(all: &mut [Deployment], live: Option<&str>) {
    let age = |one: &Deployment| match one.last_activation() {
        None if live.is_some_and(|live| one.name.as_str() <= live) => 0.0,
        None => f64::INFINITY,
        Some(time) => time,
    };
    all.sort_by(|one, other| age(one).total_cmp(&age(other)).then(one.name.cmp(&other.name)));
}

/// The names of the deployments among `all` that are too many once `coming` more are there, when
/// `keep` are kept: those that were activated longest ago.
pub fn surplus(
    all: &[Deployment],
    live: Option<&str>,
    (coming, keep): (usize, usize),
) -> Vec<String> {
    let mut sorted = all.to_vec();
    sort_by_use(&mut sorted, live);
    let many = (sorted.len() + coming).saturating_sub(keep);
    sorted.into_iter().take(many).map(|one| one.name).collect()
}

/// What the deployment says of itself; what is missing or cannot be understood is as in one that
/// was just made (node specification, 9).
pub fn read_metadata(home: &Dir, name: &str) -> Metadata {
    let bytes = home.read(format!("{FOLDER}/{name}/metadata.json"), LONGEST).unwrap_or_default();
    let mut metadata: Metadata = serde_json::from_slice(&bytes).unwrap_or_default();
    let is_id = !metadata.id.is_empty()
        && metadata.id.len() <= 40
        && metadata.id.chars().all(|digit| digit.is_ascii_hexdigit());
    if !is_id {
        metadata.id.clear();
    }
    metadata.activations.retain(|time| time.is_finite());
    metadata
}

/// Writes `metadata.json` of the deployment `name`.
pub fn write_metadata(home: &Dir, name: &str, metadata: &Metadata) -> Result<(), FsError> {
    let path = format!("{FOLDER}/{name}/metadata.json");
    let mut metadata = metadata.clone();
    let surplus = metadata.activations.len().saturating_sub(MOST_ACTIVATIONS);
    metadata.activations.drain(..surplus);
    let text = serde_json::to_string(&metadata)
        .map_err(|error| FsError::new("write", home.path_of(&path), Error::other(error)))?;
    files::put(home, &path, format!("{text}\n").as_bytes(), 0o640)
}

#[cfg(test)]
mod tests {
    use super::super::super::home;
    use super::*;

    #[test]
    fn what_a_gear_has_written_into_its_metadata_is_believed_as_far_as_it_makes_sense() {
        let temp = tempfile::tempdir().unwrap();
        let gear = Dir::open(temp.path()).unwrap();
        home::build(&gear, &home::tests::sample(temp.path())).unwrap();
        let first = all(&gear).unwrap().remove(0);
        assert_eq!(first.metadata.id.len(), 8);
        for (name, text) in [
            ("2027-a", format!("{{\"id\":\"{}\",\"activations\":[3,1]}}", first.metadata.id)),
            ("2027-b", "{\"id\":\"../../etc\"}".to_owned()),
            ("2027-c", "not JSON".to_owned()),
            ("2027-d", "{\"id\":\"ab12\",\"activations\":[2.5]}".to_owned()),
        ] {
            gear.make_dir(format!("{FOLDER}/{name}"), 0o755).unwrap();
            let path = format!("{FOLDER}/{name}/metadata.json");
            gear.write_new(path, text.as_bytes(), 0o644).unwrap();
        }
        gear.make_link(format!("{FOLDER}/2027-e"), "/etc").unwrap();
        let found = all(&gear).unwrap();
        let ids: Vec<&str> = found.iter().map(|one| one.metadata.id.as_str()).collect();
        assert_eq!(ids, [first.metadata.id.as_str(), "", "", "", "ab12"]);
        assert_eq!(found[1].last_activation(), Some(3.0));
        assert_eq!(found[3].last_activation(), None);
    }
}
