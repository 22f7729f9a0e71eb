//! Every path that `cart` uses.

use crate::sys::host;
use std::path::{Path, PathBuf};

/// Where everything lies. Made once, from `--root`, `CART_ROOT`, or who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: Option<PathBuf>,
    settings: PathBuf,
    state: PathBuf,
    cache: PathBuf,
    units: PathBuf,
}

impl Layout {
    /// Everything below `root`: the same folders as for root on a host, relocated.
    pub fn below(root: &Path) -> Self {
        Self {
            root: Some(root.to_owned()),
            settings: root.join("etc/cartwright"),
            state: root.join("var/lib/cartwright"),
            cache: root.join("var/cache/cartwright"),
            units: root.join("etc/systemd/system"),
        }
    }

    /// The host's own folders for root, the XDG folders of anybody else.
    pub fn of_this_user() -> Self {
        if host::is_root() {
            let root = Self::below(Path::new("/"));
            return Self { root: None, ..root };
        }
        let home = PathBuf::from(host::variable_os("HOME").unwrap_or_else(|| "/".into()));
        let folder = |variable: &str, default: &str| {
            let set = host::variable_os(variable).map(PathBuf::from);
            // The XDG rules: a relative path in these variables is to be ignored.
            set.filter(|path| path.is_absolute())
                .unwrap_or_else(|| home.join(default))
                .join("cartwright")
        };
        let settings = folder("XDG_CONFIG_HOME", ".config");
        Self {
            root: None,
            units: settings.with_file_name("systemd").join("user"),
            settings,
            state: folder("XDG_DATA_HOME", ".local/share"),
            cache: folder("XDG_CACHE_HOME", ".cache"),
        }
    }

    /// The directory given with `--root`, when there was one.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The settings: `config.yml`, `env/`, `externals/`, `indexes.d/`.
    pub fn settings(&self) -> &Path {
        &self.settings
    }

    /// Where systemd looks for units: the host's, or the user's own.
    pub fn units(&self) -> PathBuf {
        self.units.clone()
    }

    /// The keys that let people in as the user of `cart`, where `sshd` looks for them.
    pub fn authorized_keys(&self) -> PathBuf {
        let home = match &self.root {
            Some(root) => root.join("root"),
            None => PathBuf::from(host::variable_os("HOME").unwrap_or_else(|| "/root".into())),
        };
        home.join(".ssh/authorized_keys")
    }

    /// The settings file.
    pub fn config_file(&self) -> PathBuf {
        self.settings.join("config.yml")
    }

    /// The node-wide variables, one file each; they are loaded first in every gear.
    pub fn node_env(&self) -> PathBuf {
        self.settings.join("env")
    }

    /// What the administrator has put beside the upgrades of gears.
    pub fn upgrade_extension(&self) -> PathBuf {
        self.settings.join("upgrade")
    }

    /// Where externals are looked for, in this order: the administrator's, those of tpkg, and those
    /// that the binary brings.
    pub fn externals(&self) -> [PathBuf; 3] {
        let host = self.root.as_deref().unwrap_or(Path::new("/"));
        [
            self.settings.join("externals"),
            host.join("usr/lib/tpkg/externals"),
            self.shipped_externals(),
        ]
    }

    /// The externals that the binary brings, with what they share.
    pub fn shipped_externals(&self) -> PathBuf {
        self.lib().join("externals")
    }

    /// Requests that wait for a tool of configuration management, one JSON file each.
    pub fn spool(&self) -> PathBuf {
        self.state.join(Self::SPOOL)
    }

    /// The same, relative to the state.
    pub const SPOOL: &str = "spool";

    /// The state: the database and everything that it speaks of.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The package database.
    pub fn database(&self) -> PathBuf {
        self.state.join("cart.db")
    }

    /// A file of 1 MiB that is given up when unwinding meets a full disk.
    pub fn ballast(&self) -> PathBuf {
        self.state.join("ballast")
    }

    /// The installed packages' trees: `<format>/<vendor>-<name>/<version>-<12 digits>/`.
    pub fn library(&self) -> PathBuf {
        self.state.join("library")
    }

    /// The bare repositories made of packages' templates: `<64 digits of the tree>.git/`.
    pub fn templates(&self) -> PathBuf {
        self.state.join("templates")
    }

    /// The gears' homes.
    pub fn gears(&self) -> PathBuf {
        self.state.join("gears")
    }

    /// What a front end includes: `nginx/<gear>.conf`, `nginx/stream/<gear>.conf`,
    /// `apache/<gear>.conf`, and the gears' certificates.
    pub fn frontend(&self) -> PathBuf {
        self.state.join("frontend")
    }

    /// Before-images, one directory per transaction.
    pub fn stash(&self) -> PathBuf {
        self.state.join("stash")
    }

    /// Where the `index`-th tree waits that the step `number` of transaction `txn` took away,
    /// relative to the state: the contract between taking away and bringing back.
    pub fn stashed_tree(txn: i64, number: &str, index: usize) -> String {
        format!("stash/{txn}/{number}/{index}")
    }

    /// Trees in the making, one directory per process that makes them.
    pub fn staging(&self) -> PathBuf {
        self.state.join("staging")
    }

    /// What is written down of gears that run, for as long as they do.
    pub fn running(&self) -> PathBuf {
        self.state.join("running")
    }

    /// Lock files; they are never removed.
    pub fn locks(&self) -> PathBuf {
        self.state.join("locks")
    }

    /// What the binary embeds and gears use: SDK, commands; one directory per version.
    pub fn lib(&self) -> PathBuf {
        self.state.join("lib").join(env!("CARGO_PKG_VERSION"))
    }

    /// What scripts printed, one directory per transaction.
    pub fn log(&self) -> PathBuf {
        self.state.join("log")
    }

    /// Downloads that may be wanted again.
    pub fn cache(&self) -> &Path {
        &self.cache
    }
}
