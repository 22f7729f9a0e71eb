//! Deployments: what of the application is in use, and what else could be.
//!
//! `app-root/runtime/{repo,dependencies,build-dependencies}` are links into one directory below
//! `app-deployments/`, so that a deployment changes by renaming links (node specification, table
//! of paragraph 0; the original copies). Nothing here follows such a link without checking it.

mod checksum;
mod kept;
mod links;
mod save;
mod settings;
mod whole;

pub use checksum::checksum;
pub use kept::{Deployment, all, read_metadata, sort_by_use, surplus, write_metadata};
pub use links::{Links, is_name, show, shown};
pub use save::{save, write_archive};
pub use settings::{DeploySettings, DeploymentType, SETTINGS, is_setting};
pub use whole::{keep_whole, make_whole};

use crate::error::FsError;
use crate::sys::clock::Moment;
use crate::sys::fs::Dir;
use crate::sys::random;
use std::io::{Error, ErrorKind};
use std::path::PathBuf;

/// The directories of a deployment, each of which has a link in `app-root/runtime`.
pub const PARTS: [&str; 3] = ["repo", "dependencies", "build-dependencies"];

/// Where deployments lie, below a gear's home.
pub const FOLDER: &str = "app-deployments";

/// What `metadata.json` of a deployment says.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The branch or tag that was deployed.
    pub git_ref: String,
    /// The commit, where one was deployed.
    pub git_sha1: Option<String>,
    /// Eight hexadecimal digits, unique in the gear.
    pub id: String,
    /// Whether the application goes on running while it is deployed.
    pub hot_deploy: bool,
    /// Whether dependencies of earlier builds are thrown away.
    pub force_clean_build: bool,
    /// When it was activated, in seconds since 1970.
    pub activations: Vec<f64>,
    /// A digest over its contents, once it is prepared.
    pub checksum: Option<String>,
}

/// The name of a deployment's directory: the time of its making in UTC, to the millisecond.
pub fn directory_name(made: Moment) -> String {
    let seconds = made.rfc3339().replace('T', "_").replace(':', "-").replace('Z', "");
    format!("{seconds}.{:03}", made.0.rem_euclid(1000))
}

/// Makes a gear's first deployment, empty, and all links to it.
pub(super) fn make_first(home: &Dir, made: Moment) -> Result<(), FsError> {
    let name = directory_name(made);
    let place = format!("app-deployments/{name}");
    home.make_dir(&place, 0o750)?;
    for part in PARTS {
        home.make_dir(format!("{place}/{part}"), 0o750)?;
        home.make_link(format!("app-root/runtime/{part}"), link_to(&name, part))?;
        home.make_link(format!("app-root/{part}"), format!("runtime/{part}"))?;
    }
    let metadata = Metadata {
        git_ref: "master".into(),
        git_sha1: None,
        id: random::hex(4)?,
        hot_deploy: false,
        force_clean_build: false,
        activations: Vec::new(),
        checksum: None,
    };
    write_metadata(home, &name, &metadata)?;
    home.make_link(format!("app-deployments/by-id/{}", metadata.id), format!("../{name}"))?;
    home.make_link("app-deployments/current", &name)
}

fn link_to(deployment: &str, part: &str) -> String {
    format!("../../app-deployments/{deployment}/{part}")
}

/// Where scripts find the deployment `name` while the links show another one: variables with their
/// values.
pub fn variables(home: &Dir, name: &str) -> Vec<(String, String)> {
    let variable = |part: &str| {
        let place = home.path_of(format!("{FOLDER}/{name}/{part}"));
        let word = part.to_uppercase().replace('-', "_");
        (format!("OPENSHIFT_{word}_DIR"), format!("{}/", place.display()))
    };
    PARTS.into_iter().map(variable).collect()
}

/// The link by which the deployment with the identifier `id` is found, below the gear's home.
pub fn link_by_id(id: &str) -> String {
    format!("{FOLDER}/by-id/{id}")
}

/// The path, relative to the gear's home, of the directory that `app-root/runtime/repo` shows.
pub fn live_repo(home: &Dir) -> Result<PathBuf, FsError> {
    live(home, "repo")
}

/// The path, relative to the gear's home, of the directory that `app-root/runtime/<part>` shows.
///
/// The gear can change that link. One that does not lead to a deployment of this gear is an error
/// rather than followed.
pub(super) fn live(home: &Dir, part: &str) -> Result<PathBuf, FsError> {
    live_name(home, part).map(|name| PathBuf::from(format!("{FOLDER}/{name}/{part}")))
}

/// The name of the deployment whose `part` the gear sees.
pub fn live_name(home: &Dir, part: &str) -> Result<String, FsError> {
    let link = format!("app-root/runtime/{part}");
    let target = home.link_target(&link)?;
    let name = target
        .to_str()
        .and_then(|text| text.strip_prefix("../../app-deployments/"))
        .and_then(|text| text.strip_suffix(part)?.strip_suffix('/'))
        .filter(|name| is_name(name));
    name.map(str::to_owned).ok_or_else(|| {
        let text = "the link does not lead into `app-deployments`";
        FsError::new("follow", home.path_of(&link), Error::new(ErrorKind::InvalidData, text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_named_by_its_time() {
        assert_eq!(directory_name(Moment(1_795_244_700_042)), "2026-11-21_07-05-00.042");
    }

    #[test]
    fn only_a_link_into_the_deployments_is_followed() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        home.make_dirs("app-root/runtime", 0o755).unwrap();
        for bad in ["/etc", "../../app-deployments/../repo", "../../app-deployments//repo"] {
            home.remove_file("app-root/runtime/repo").unwrap();
            home.make_link("app-root/runtime/repo", bad).unwrap();
            assert!(live_repo(&home).is_err(), "{bad}");
        }
        home.remove_file("app-root/runtime/repo").unwrap();
        home.make_link("app-root/runtime/repo", link_to("x", "repo")).unwrap();
        assert_eq!(live_repo(&home).unwrap(), PathBuf::from("app-deployments/x/repo"));
    }
}
