//! How a gear wants to be deployed: what its variables say.

use crate::sys::fs::Dir;

/// The longest value of a variable that is looked at.
const LONGEST: u64 = 4096;

/// The variables that say how a gear is deployed, and what they are in a new one. The gears of a scaled
/// application have those of their head.
pub const SETTINGS: [(&str, &str); 4] = [
    ("OPENSHIFT_AUTO_DEPLOY", "true"),
    ("OPENSHIFT_DEPLOYMENT_BRANCH", "master"),
    ("OPENSHIFT_DEPLOYMENT_TYPE", "git"),
    ("OPENSHIFT_KEEP_DEPLOYMENTS", "1"),
];

/// Tells whether the variable `name` says how a gear is deployed.
pub fn is_setting(name: &str) -> bool {
    SETTINGS.iter().any(|(setting, _)| *setting == name)
}

/// How a gear is to be deployed: what its variables say.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DeploySettings {
    /// The branch that is deployed.
    pub branch: String,
    /// Whether a push deploys.
    pub auto_deploy: bool,
    /// What it is deployed from.
    #[serde(rename = "type")]
    pub kind: DeploymentType,
    /// How many deployments are kept, the one in use among them.
    pub keep: usize,
}

/// What a gear is deployed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeploymentType {
    /// Its repository.
    Git,
    /// Archives of what was built elsewhere.
    Binary,
}

impl Default for DeploySettings {
    fn default() -> Self {
        Self { branch: "master".into(), auto_deploy: true, kind: DeploymentType::Git, keep: 1 }
    }
}

impl DeploySettings {
    /// Reads those of the gear at `home`; what is missing or makes no sense is as in a new gear.
    pub fn read(home: &Dir) -> Self {
        let value = |name: &str| {
            let bytes = home.read(format!(".env/OPENSHIFT_{name}"), LONGEST).unwrap_or_default();
            String::from_utf8_lossy(&bytes).trim().to_owned()
        };
        let branch = Some(value("DEPLOYMENT_BRANCH")).filter(|branch| !branch.is_empty());
        let keep = value("KEEP_DEPLOYMENTS").parse().ok().filter(|keep| *keep > 0);
        let usual = Self::default();
        Self {
            branch: branch.unwrap_or(usual.branch),
            auto_deploy: value("AUTO_DEPLOY") != "false",
            kind: match value("DEPLOYMENT_TYPE").as_str() {
                "binary" => DeploymentType::Binary,
                _ => DeploymentType::Git,
            },
            keep: keep.unwrap_or(usual.keep),
        }
    }
}
