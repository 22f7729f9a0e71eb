//! Every setting, with its default (cart-config(5)).

mod databases;
mod units;

pub use databases::{Databases, Mysql, Postgresql, Sqlite};
pub use units::Units;

use crate::error::{Exit, Explain, FsError};
use crate::layout::Layout;
use crate::sys::fs;
use std::collections::BTreeMap;

/// The settings of one host or user, from `config.yml`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How downloads behave.
    pub download: Download,
    /// What an archive may hold.
    pub archive: Archive,
    /// How scripts are run.
    pub scripts: Scripts,
    /// How gears are made.
    pub gears: Gears,
    /// Who shows gears to the outside.
    pub frontend: Frontend,
    /// How externals are reached, by their names; `*` stands for all of them.
    pub externals: BTreeMap<String, Rule>,
    /// Where packages of tpkg go, and where they come from.
    pub tpkg: Tpkg,
    /// How sites of UBOS apps are deployed.
    pub sites: Sites,
    /// The servers of databases that sites use.
    pub databases: Databases,
    /// How units of systemd are switched.
    pub units: Units,
    /// How much an undo may keep.
    pub stash_limit: u64,
    /// How much old releases may take that newer ones have replaced and no gear uses, in bytes.
    pub old_releases_limit: u64,
}

/// Where packages of tpkg go, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tpkg {
    /// Below what their relocatable files are put.
    pub base: std::path::PathBuf,
    /// Directories and URLs with packages and `metadata.yml`.
    pub sources: Vec<String>,
}

impl Default for Tpkg {
    fn default() -> Self {
        Self { base: "/opt/tpkg".into(), sources: Vec::new() }
    }
}

/// How sites of UBOS apps are deployed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sites {
    /// The account of the web server, for which manifests say `http`: `http` where the host has it,
    /// else `www-data`.
    pub web_user: Option<String>,
    /// Its group.
    pub web_group: Option<String>,
    /// The first port that apps get.
    pub first_port: u16,
    /// Variables of the host that apps find different from the usual ones, by their full names.
    pub variables: BTreeMap<String, String>,
}

impl Default for Sites {
    fn default() -> Self {
        Self { web_user: None, web_group: None, first_port: 5001, variables: BTreeMap::new() }
    }
}

/// How an external is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Whether its program is run, or the request put where a tool finds it.
    pub mode: Option<ExternalMode>,
    /// Whether its failure puts everything back.
    pub strict: Option<bool>,
    /// Whether packages that ask for it may do without it where it is missing.
    pub allow_missing: Option<bool>,
}

/// See [`Rule::mode`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExternalMode {
    /// The program is run.
    #[default]
    Exec,
    /// The request waits in the database and in the spool.
    Request,
}

/// How downloads behave.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Download {
    /// How many run side by side.
    pub parallel: usize,
    /// How often one is tried again after a failure that may pass.
    pub retries: u32,
    /// Seconds until a connection must stand.
    pub connect_timeout: u64,
    /// Seconds without a single byte after which a download has failed.
    pub stall_timeout: u64,
    /// Seconds that one download may take in all.
    pub total_timeout: u64,
    /// The longest download, in bytes.
    pub max_length: u64,
    /// A PEM file with further certificate authorities.
    pub ca_file: Option<std::path::PathBuf>,
}

/// What an archive may hold. The defaults lie far above every real cartridge.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Archive {
    /// Bytes in all.
    pub max_total: u64,
    /// Bytes in one file.
    pub max_file: u64,
    /// Entries.
    pub max_entries: u64,
    /// Unpacked bytes for each packed one, beyond the first 64 MiB.
    pub max_ratio: u64,
    /// Seconds that unpacking may take.
    pub max_seconds: u64,
}

/// How scripts are run.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scripts {
    /// Seconds for `setup`, `install`, `post_install`, `teardown`.
    pub install_timeout: u64,
    /// Seconds for `start`, `stop` and the like.
    pub control_timeout: u64,
    /// Seconds for each script of a build: `build`, `deploy` and the like, and their hooks.
    pub build_timeout: u64,
    /// Seconds for `status`.
    pub status_timeout: u64,
    /// Seconds for an external, and for what prints its data.
    pub external_timeout: u64,
    /// Bytes of output that are kept of one script.
    pub max_output: u64,
}

/// How gears are made.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gears {
    /// The domain below which gears get their host names.
    pub domain: String,
    /// The namespace of gears' applications, a part of their host names.
    pub namespace: String,
    /// Names that no gear may have.
    pub forbidden_names: Vec<String>,
    /// Bytes of memory that the processes of one gear may use together, which is also what
    /// `OPENSHIFT_GEAR_MEMORY_MB` says; 0 for no limit.
    pub memory_limit: u64,
    /// Processes and threads that one gear may have; 0 for no limit.
    pub process_limit: u64,
    /// Folders beyond the host's own programs and settings that gears may read.
    pub readable: Vec<std::path::PathBuf>,
    /// How many variables the users of one gear may set.
    pub max_user_variables: usize,
    /// The first user id of gears' own accounts: above people's, below the system's dynamic ones.
    pub first_uid: u32,
    /// The last one.
    pub last_uid: u32,
    /// The first public port.
    pub first_public_port: u16,
    /// The last public port.
    pub last_public_port: u16,
}

/// Who shows gears to the outside.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Frontend {
    /// The web server nginx, whose own settings include the files that are written for it.
    pub nginx: Nginx,
    /// The web server Apache, which also serves what cartridges bring for it in `httpd.d`.
    pub apache: Apache,
}

/// How nginx shows gears to the outside.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nginx {
    /// Whether files are written for it at all.
    pub enabled: bool,
    /// The program that tests them.
    pub program: std::path::PathBuf,
    /// The command that makes it read its settings anew; empty where somebody else sees to that.
    pub reload: Vec<String>,
    /// The address on which it listens; all of them otherwise.
    pub address: Option<std::net::IpAddr>,
    /// The port of http.
    pub http_port: u16,
    /// The port of https.
    pub https_port: u16,
    /// The folder of the static files that mappings with `file` or `noproxy` show.
    pub files: std::path::PathBuf,
    /// The module for public ports, where it is not built in and lies in no usual place.
    pub stream_module: Option<std::path::PathBuf>,
}

/// How Apache shows gears to the outside.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Apache {
    /// Whether files are written for it at all.
    pub enabled: bool,
    /// The command that runs it with its own settings; it tests what is written for it.
    pub program: Vec<String>,
    /// The command that makes it read its settings anew; empty where somebody else sees to that.
    pub reload: Vec<String>,
    /// The address on which it listens; all of them otherwise.
    pub address: Option<std::net::IpAddr>,
    /// The port of http.
    pub http_port: u16,
    /// The port of https.
    pub https_port: u16,
    /// The folder of the static files that mappings with `file` or `noproxy` show.
    pub files: std::path::PathBuf,
    /// Directives that cartridges may use in `httpd.d` besides the harmless ones.
    pub directives: Vec<String>,
    /// The folder with a `.load` file for each module that can be had.
    pub modules: std::path::PathBuf,
}

impl Default for Apache {
    fn default() -> Self {
        Self {
            enabled: false,
            program: vec!["apache2ctl".into()],
            reload: ["apache2ctl", "graceful"].map(str::to_owned).to_vec(),
            address: None,
            http_port: 80,
            https_port: 443,
            files: "/var/www/html".into(),
            directives: Vec::new(),
            modules: "/etc/apache2/mods-available".into(),
        }
    }
}

impl Default for Nginx {
    fn default() -> Self {
        Self {
            enabled: false,
            program: "nginx".into(),
            reload: ["nginx", "-s", "reload"].map(str::to_owned).to_vec(),
            address: None,
            http_port: 80,
            https_port: 443,
            files: "/var/www/html".into(),
            stream_module: None,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            download: Download::default(),
            archive: Archive::default(),
            scripts: Scripts::default(),
            gears: Gears::default(),
            frontend: Frontend::default(),
            externals: BTreeMap::new(),
            tpkg: Tpkg::default(),
            sites: Sites::default(),
            databases: Databases::default(),
            units: Units::default(),
            stash_limit: 2 << 30,
            old_releases_limit: 2 << 30,
        }
    }
}

impl Default for Download {
    fn default() -> Self {
        Self {
            parallel: 4,
            retries: 4,
            connect_timeout: 15,
            stall_timeout: 30,
            total_timeout: 3600,
            max_length: 2 << 30,
            ca_file: None,
        }
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            max_total: 2 << 30,
            max_file: 1 << 30,
            max_entries: 100_000,
            max_ratio: 200,
            max_seconds: 300,
        }
    }
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            install_timeout: 600,
            control_timeout: 120,
            build_timeout: 3600,
            status_timeout: 10,
            external_timeout: 600,
            max_output: 1 << 20,
        }
    }
}

impl Default for Gears {
    fn default() -> Self {
        let forbidden = ["openshift", "kubernetes", "admin", "root", "localhost", "cart", "git"];
        Self {
            domain: "localhost".into(),
            namespace: "local".into(),
            forbidden_names: forbidden.map(str::to_owned).to_vec(),
            memory_limit: 512 << 20,
            process_limit: 512,
            readable: Vec::new(),
            max_user_variables: 50,
            first_uid: 30_000,
            last_uid: 59_999,
            first_public_port: 35_531,
            last_public_port: 65_535,
        }
    }
}

impl Gears {
    /// What `OPENSHIFT_GEAR_MEMORY_MB` says. Cartridges reckon with it, so without a limit they are
    /// told a size that suits most.
    pub fn memory_mb(&self) -> u64 {
        if self.memory_limit == 0 { 512 } else { (self.memory_limit >> 20).max(1) }
    }
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] FsError),
    /// The file makes no sense.
    #[error("`{path}` is not valid: {text}")]
    Invalid {
        /// The settings file.
        path: String,
        /// What is wrong, with the line.
        text: String,
    },
}

impl Explain for ConfigError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
    fn hint(&self) -> Option<String> {
        Some("cart-config(5) lists every setting with its default".into())
    }
}

impl Config {
    /// Demands success of all externals, whatever is set for any of them.
    pub fn demand_success(&mut self) {
        self.each_rule(|rule| rule.strict = Some(true));
    }

    /// Lets packages do without externals that are missing, whatever is set for any of them.
    pub fn allow_missing(&mut self) {
        self.each_rule(|rule| rule.allow_missing = Some(true));
    }

    fn each_rule(&mut self, change: impl Fn(&mut Rule)) {
        self.externals.entry("*".to_owned()).or_default();
        self.externals.values_mut().for_each(change);
    }

    /// What is set for the external called `name`: for it, else for all of them, else the default.
    pub fn external(&self, name: &str) -> Rule {
        let of = |name: &str| self.externals.get(name).copied().unwrap_or_default();
        let (own, all) = (of(name), of("*"));
        Rule {
            mode: own.mode.or(all.mode),
            strict: own.strict.or(all.strict),
            allow_missing: own.allow_missing.or(all.allow_missing),
        }
    }

    /// Reads the settings file of `layout`; a missing one gives the defaults.
    pub fn read(layout: &Layout) -> Result<Self, ConfigError> {
        let path = layout.config_file();
        let text = match fs::read_text(&path) {
            Ok(text) => text,
            Err(error) if error.is_not_found() => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_yaml::from_str(&text).map_err(|error| ConfigError::Invalid {
            path: path.display().to_string(),
            text: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named_with_its_line() {
        let temp = tempfile::tempdir().unwrap();
        let layout = Layout::below(temp.path());
        assert_eq!(Config::read(&layout).unwrap(), Config::default());
        let dir = fs::Dir::create(layout.settings(), 0o755).unwrap();
        dir.replace_file("config.yml", b"gears:\n  domian: x\n", 0o644).unwrap();
        let error = Config::read(&layout).unwrap_err().to_string();
        assert!(error.contains("domian") && error.contains("line 2"), "{error}");
        dir.replace_file("config.yml", b"gears:\n  domain: example.org\n", 0o644).unwrap();
        assert_eq!(Config::read(&layout).unwrap().gears.domain, "example.org");
    }
}
