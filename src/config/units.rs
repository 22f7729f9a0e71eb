//! How units of systemd are switched.

/// Who switches the units that items of a site name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Units {
    /// Whether systemd is told, or things are written down alone; where nothing is said, systemd is
    /// told where it runs and root asks.
    pub systemd: Option<bool>,
    /// The command that tells it.
    pub program: Vec<String>,
    /// How the names of units begin that are written down everywhere: those of the original's own
    /// host, which apps take for granted.
    pub recorded: Vec<String>,
}

impl Default for Units {
    fn default() -> Self {
        Self {
            systemd: None,
            program: vec!["systemctl".into()],
            recorded: vec!["smtp-server@".into()],
        }
    }
}
