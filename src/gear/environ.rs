//! The environment of a gear's scripts, read from files: the file's name is the variable, its
//! content the value.
//!
//! The order of the node specification, 3.3, to the letter. The files belong to the gear or its
//! cartridges and may change while they are read; what cannot be used is left out with a note, and
//! never an error: a gear with one bad file can still be stopped.

mod origin;

pub use origin::{Origin, Shared, SharedVariable};

use super::sdk;
use super::variables::{SECRET, never_the_users};
use crate::sys::fs::{Dir, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// Where commands are looked for when the node's own `PATH` file does not say.
pub const SYSTEM_PATH: &str = "/bin:/usr/bin:/usr/sbin";
/// The longest value: the kernel takes 128 KiB for `NAME=value` and its end.
const LONGEST_VALUE: u64 = (128 << 10) - 256;
/// The bytes of all variables together: half of what the kernel takes, the other half being for
/// arguments and what scripts add themselves.
const MOST: usize = 1 << 20;

/// Where the variables come from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The gear's home.
    pub home: &'a Dir,
    /// The node-wide variables that the administrator wrote, where there are any.
    pub node: Option<&'a Dir>,
    /// The node-wide variables that `cart` itself gives; the administrator's files replace them.
    pub defaults: &'a BTreeMap<String, OsString>,
    /// Variables of the whole domain. They stand beside those of `.env` and do not replace them.
    pub shared: &'a Shared,
    /// The folders of the cartridges whose variables are to win over other folders'.
    pub cartridges: &'a [String],
    /// The folder of the primary cartridge; its variables win over those of the others.
    pub primary: Option<&'a str>,
    /// The folder of the cartridge whose script is to run, whose own variables win over all.
    pub script_of: Option<&'a str>,
    /// The directory of the commands that `cart` provides; it stands before the system's.
    pub commands: Option<&'a Path>,
    /// The name of the account that the script runs as.
    pub account: &'a str,
}

/// A loaded environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Name and value.
    pub variables: BTreeMap<String, OsString>,
    /// Where each of them comes from.
    pub origins: BTreeMap<String, Origin>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

impl Environment {
    /// The variables as text, for templates; what is not UTF-8 is replaced.
    pub fn as_text(&self) -> BTreeMap<String, String> {
        let text = |value: &OsString| value.to_string_lossy().into_owned();
        self.variables.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }
}

/// Loads the environment.
pub fn load(from: &Sources) -> Environment {
    let mut loader = Loader::default();
    for (name, value) in from.defaults {
        loader.set(Found::new(name, value.clone(), Origin::Cart));
    }
    if let Some(node) = from.node {
        let found = loader.read(node);
        loader.add(found);
    }
    let system_path = loader.values.get("PATH").cloned();
    let platform = loader.gear_variables(from);
    let users = loader.read_in(from.home, ".env/user_vars");
    let of_the_node = loader.values.keys().cloned().collect();
    loader.add_cartridges(from);
    loader.compute_paths(from, system_path);
    loader.add_users(&users, &of_the_node);
    if let Some(folder) = from.script_of {
        let mut own = loader.read_in(from.home, &format!("{folder}/env"));
        own.retain(|found| found.name != "PATH");
        loader.add(own);
        loader.add_users(&users, &platform);
    }
    for (name, value) in [("USER", from.account), ("LOGNAME", from.account), ("SHELL", "/bin/bash")]
    {
        loader.set(Found::new(name, value.into(), Origin::Cart));
    }
    loader.fit(from.home);
    let mut loaded = Environment { notes: loader.notes, ..Environment::default() };
    for (name, entry) in loader.values {
        loaded.origins.insert(name.clone(), entry.origin);
        loaded.variables.insert(name, entry.value);
    }
    loaded
}

/// The variables that stand both in the gear's `.env` and in the `env` of the cartridge in
/// `folder`: a cartridge that has any is refused (the guide, Environment Variables).
pub fn overridden(home: &Dir, folder: &str) -> Vec<String> {
    let mut loader = Loader::default();
    let platform: BTreeSet<String> = names(loader.read_in(home, ".env")).collect();
    let own = names(loader.read_in(home, &format!("{folder}/env")));
    own.filter(|name| platform.contains(name) && name != "PATH" && name != "LD_LIBRARY_PATH")
        .collect()
}

fn names(found: Vec<Found>) -> impl Iterator<Item = String> {
    found.into_iter().map(|found| found.name)
}

/// A variable as it was found.
#[derive(Clone, Debug)]
struct Found {
    name: String,
    value: OsString,
    origin: Origin,
}

impl Found {
    fn new(name: &str, value: OsString, origin: Origin) -> Self {
        Self { name: name.to_owned(), value, origin }
    }
}

#[derive(Clone, Debug)]
struct Entry {
    value: OsString,
    origin: Origin,
    /// When the name was first seen: elements of search paths stand in that order.
    order: usize,
}

#[derive(Debug, Default)]
struct Loader {
    values: BTreeMap<String, Entry>,
    notes: Vec<String>,
}

impl Loader {
    fn set(&mut self, found: Found) {
        let Found { name, value, origin } = found;
        let next = self.values.len();
        let order = self.values.get(&name).map_or(next, |entry| entry.order);
        self.values.insert(name, Entry { value, origin, order });
    }

    fn add(&mut self, found: Vec<Found>) {
        for one in found {
            self.set(one);
        }
    }

    fn add_in(&mut self, home: &Dir, folder: &str) {
        let found = self.read_in(home, folder);
        self.add(found);
    }

    /// Adds `.env` and what is shared; gives the names that are now the platform's.
    fn gear_variables(&mut self, from: &Sources) -> BTreeSet<String> {
        let own = self.read_in(from.home, ".env");
        let mut platform: BTreeSet<String> = own.iter().map(|found| found.name.clone()).collect();
        self.add(own);
        for (name, shared) in &from.shared.0 {
            if platform.insert(name.clone()) {
                let origin = Origin::Domain(shared.publisher.clone());
                self.set(Found::new(name, shared.value.clone().into(), origin));
            }
        }
        platform
    }

    fn add_cartridges(&mut self, from: &Sources) {
        for folder in folders(from.home, "") {
            self.add_in(from.home, &format!("{folder}/env"));
        }
        for folder in folders(from.home, ".env").iter().filter(|name| *name != "user_vars") {
            self.add_in(from.home, &format!(".env/{folder}"));
        }
        let others = from.cartridges.iter().map(String::as_str);
        let others = others.filter(|folder| Some(*folder) != from.primary);
        for folder in others.chain(from.primary) {
            self.add_in(from.home, &format!("{folder}/env"));
        }
    }

    /// Adds the users' variables but those that are the platform's, checked again here because the
    /// gear's own group can write into their directory.
    fn add_users(&mut self, users: &[Found], platform: &BTreeSet<String>) {
        for found in users {
            let taken = platform.contains(&found.name) && found.name != SECRET;
            if !taken && !never_the_users(&found.name) {
                self.set(found.clone());
            }
        }
    }

    /// `PATH`: the primary's element, the others', ours, the system's. `LD_LIBRARY_PATH`: the
    /// others', then the primary's, then what it was; empty when there is nothing.
    fn compute_paths(&mut self, from: &Sources, system: Option<Entry>) {
        let short = from.primary.map(|folder| short_name(from.home, folder));
        let base = system.map_or_else(|| SYSTEM_PATH.into(), |entry| entry.value);
        let (primary, others) = self.elements("PATH_ELEMENT", short.as_deref());
        let commands = from.commands.map(|path| path.as_os_str().to_owned());
        let fallbacks = from.commands.map(|path| sdk::fallbacks(path).into_os_string());
        let path = primary.into_iter().chain(others).chain(commands).chain([base]).chain(fallbacks);
        self.set(Found::new("PATH", join(path), Origin::Computed));

        let was = self.values.get("LD_LIBRARY_PATH").map(|entry| entry.value.clone());
        let (primary, others) = self.elements("LD_LIBRARY_PATH_ELEMENT", short.as_deref());
        let path = others.into_iter().chain(primary).chain(was);
        self.set(Found::new("LD_LIBRARY_PATH", join(path), Origin::Computed));
    }

    /// The values of `OPENSHIFT_*_<kind>`: the one of the cartridge `short`, and the others in the
    /// order in which they were first seen.
    fn elements(&self, kind: &str, short: Option<&str>) -> (Option<OsString>, Vec<OsString>) {
        let mut primary = None;
        let mut others = Vec::new();
        for (name, entry) in &self.values {
            let Some(rest) = name.strip_prefix("OPENSHIFT_") else { continue };
            let Some(owner) = rest.strip_suffix(kind).and_then(|rest| rest.strip_suffix('_'))
            else {
                continue;
            };
            // `X_LD_LIBRARY_PATH_ELEMENT` ends like a `PATH_ELEMENT` too.
            if kind == "PATH_ELEMENT" && owner.ends_with("LD_LIBRARY") {
                continue;
            }
            if Some(owner) == short {
                primary = Some(entry.value.clone());
            } else {
                others.push(entry);
            }
        }
        others.sort_by_key(|entry| entry.order);
        (primary, others.into_iter().map(|entry| entry.value.clone()).collect())
    }

    fn read_in(&mut self, home: &Dir, folder: &str) -> Vec<Found> {
        match home.dir(folder) {
            Ok(dir) => self.read(&dir),
            Err(error) => {
                if !error.is_not_found() {
                    self.note(home, folder, &error.source.to_string());
                }
                Vec::new()
            }
        }
    }

    fn read(&mut self, dir: &Dir) -> Vec<Found> {
        let names = dir.names().unwrap_or_else(|error| {
            self.note(dir, "", &error.source.to_string());
            Vec::new()
        });
        names.iter().filter_map(|name| self.read_one(dir, name)).collect()
    }

    fn read_one(&mut self, dir: &Dir, file: &OsStr) -> Option<Found> {
        let bytes = file.as_bytes();
        let ignored = [b".erb".as_slice(), b".rpmnew"].iter().any(|end| bytes.ends_with(end));
        if ignored || bytes.starts_with(b".") {
            return None;
        }
        match dir.meta(file) {
            Ok(Some(meta)) if meta.kind == Kind::File => {}
            Ok(_) => return None,
            Err(error) => {
                self.note(dir, file, &error.source.to_string());
                return None;
            }
        }
        let Some(name) = file.to_str().filter(|name| !name.contains('=')) else {
            self.note(dir, file, "the name cannot be that of a variable");
            return None;
        };
        match dir.read(file, LONGEST_VALUE) {
            Ok(value) => Some(Found::new(name, value_of(value), Origin::File(dir.path_of(file)))),
            Err(error) => {
                self.note(dir, file, &error.source.to_string());
                None
            }
        }
    }

    /// Leaves the longest variables of cartridges and users out until the rest can be handed to a
    /// program: a gear must not get into a state in which it cannot even be stopped.
    fn fit(&mut self, home: &Dir) {
        let mut total: usize = self.values.iter().map(|(name, entry)| room(name, entry)).sum();
        let platform = home.path_of(".env");
        while total > MOST {
            let others = self.values.iter().filter(|(_, entry)| match &entry.origin {
                Origin::File(path) => path.parent() != Some(&platform),
                _ => false,
            });
            let longest = others.max_by_key(|(_, entry)| entry.value.len());
            let Some(name) = longest.map(|(name, _)| name.clone()) else { return };
            let Some(entry) = self.values.remove(&name) else { return };
            total -= room(&name, &entry);
            self.notes.push(format!("`{name}` is left out: all variables together are too long"));
        }
    }

    fn note(&mut self, dir: &Dir, name: impl AsRef<Path>, why: &str) {
        let path = dir.path_of(name);
        let path = path.display().to_string();
        self.notes.push(format!("`{}` is left out: {why}", path.escape_debug()));
    }
}

/// What the kernel needs for a variable: the text, its end, and a pointer.
fn room(name: &str, entry: &Entry) -> usize {
    name.len() + entry.value.len() + 10
}

/// The content of a file as a value: without one newline at its end, and without NULs.
fn value_of(mut content: Vec<u8>) -> OsString {
    if content.last() == Some(&b'\n') {
        content.pop();
    }
    content.retain(|byte| *byte != 0);
    OsString::from_vec(content)
}

/// The visible directories in `folder` of the home that are no links.
fn folders(home: &Dir, folder: &str) -> Vec<String> {
    let dir = if folder.is_empty() { home.again() } else { home.dir(folder) };
    let Ok(dir) = dir else { return Vec::new() };
    let names = dir.names().unwrap_or_default().into_iter();
    names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .filter(|name| matches!(dir.meta(name), Ok(Some(meta)) if meta.kind == Kind::Directory))
        .collect()
}

/// The short name of the cartridge in `folder`, from the name of its identity file. The original
/// takes the folder's name in capitals, which fails for every name with a `-`; that is kept for a
/// cartridge without the file.
fn short_name(home: &Dir, folder: &str) -> String {
    let names = home.dir(format!("{folder}/env")).and_then(|dir| dir.names()).unwrap_or_default();
    let short = names.iter().find_map(|name| {
        let short = name.to_str()?.strip_prefix("OPENSHIFT_")?.strip_suffix("_IDENT")?;
        Some(short.to_owned())
    });
    short.unwrap_or_else(|| folder.to_uppercase())
}

fn join(elements: impl Iterator<Item = OsString>) -> OsString {
    let filled: Vec<OsString> = elements.filter(|element| !element.is_empty()).collect();
    filled.join(OsStr::new(":"))
}

#[cfg(test)]
mod tests;
