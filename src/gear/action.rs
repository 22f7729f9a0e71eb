//! What a cartridge's `bin/control` can be told (node specification, 8.2).

use std::fmt;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $word:literal,)+) => {
        /// An action of `bin/control`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl Action {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word that `bin/control` is given.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

actions! {
    /// Start the software.
    Start "start",
    /// Stop the software.
    Stop "stop",
    /// Stop it and start it again.
    Restart "restart",
    /// Read the configuration again without stopping.
    Reload "reload",
    /// The same, of an application that is not known to run.
    ForceReload "force-reload",
    /// Tell whether it runs.
    Status "status",
    /// Throw away what is not needed any more.
    Tidy "tidy",
    /// Tell what each thread does.
    Threaddump "threaddump",
    /// Before a push is taken; builders only.
    PreReceive "pre-receive",
    /// After a push was taken; builders only.
    PostReceive "post-receive",
    /// Before the source is archived.
    PreRepoArchive "pre-repo-archive",
    /// Adapt the configuration to the source.
    UpdateConfiguration "update-configuration",
    /// Before a build.
    PreBuild "pre-build",
    /// Build the application.
    Build "build",
    /// Put a build to use, before the start.
    Deploy "deploy",
    /// Put a build to use, after the start.
    PostDeploy "post-deploy",
    /// Before a snapshot: write out what is kept elsewhere.
    PreSnapshot "pre-snapshot",
    /// After a snapshot.
    PostSnapshot "post-snapshot",
    /// Before a snapshot is restored.
    PreRestore "pre-restore",
    /// After a snapshot was restored.
    PostRestore "post-restore",
    /// Take note of the other gears.
    UpdateCluster "update-cluster",
    /// Send requests to a gear again.
    EnableServer "enable-server",
    /// Send no requests to a gear.
    DisableServer "disable-server",
}

impl Action {
    /// The action of that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == word)
    }

    /// Whether what the script leaves running belongs to the gear. Only actions that end or look
    /// leave nothing: a database is started by its `pre-snapshot`, too.
    pub fn may_leave_processes(self) -> bool {
        !matches!(
            self,
            Self::Stop
                | Self::Status
                | Self::Tidy
                | Self::Threaddump
                | Self::PreBuild
                | Self::Build
        )
    }

    /// Whether it builds an application or puts it to use, which may take its time.
    pub fn is_of_a_build(self) -> bool {
        matches!(
            self,
            Self::PreReceive
                | Self::PostReceive
                | Self::PreRepoArchive
                | Self::UpdateConfiguration
                | Self::PreBuild
                | Self::Build
                | Self::Deploy
                | Self::PostDeploy
        )
    }

    /// Whether it only looks, so that nothing has to be kept for going back.
    pub fn only_looks(self) -> bool {
        matches!(self, Self::Status | Self::Threaddump)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_means_one_action_in_the_journal_too() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
        }
        assert_eq!(Action::parse("Start"), None);
    }
}
