//! Managed files: the lists of `metadata/managed_files.yml`, as the manifest's author wrote them.

/// The entries of `managed_files.yml`; patterns are kept as text and resolved in a gear
/// (`gear::managed`).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Managed {
    /// Files that the application's developer may read but not change.
    pub locked_files: Vec<String>,
    /// Files that a snapshot leaves out.
    pub snapshot_exclusions: Vec<String>,
    /// Files that `setup` makes anew.
    pub setup_rewritten: Vec<String>,
    /// ERB templates of the second pass (`processed_templates` and `process_templates`).
    pub processed_templates: Vec<String>,
    /// Directories that live with a deployment: `(link in the cartridge, name in dependencies)`.
    pub dependency_dirs: Vec<(String, String)>,
    /// The same for build dependencies.
    pub build_dependency_dirs: Vec<(String, String)>,
    /// `tar --transform` scripts for restoring, verbatim.
    pub restore_transforms: Vec<String>,
}
