//! Modules of Apache and PHP: what the original calls them, and where this host has them.
//!
//! They are loaded by the include file of who needs them, where the server has not done so before:
//! nothing of the server's own settings is changed, and what nobody needs any more goes by itself.

use crate::error::FsError;
use crate::package::ubos::name::HostName;
use crate::sys::fs::{Dir, Kind, kind_of};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A module of Apache that can be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// What the server calls it.
    pub identifier: String,
    /// What is to be included.
    pub files: Vec<PathBuf>,
}

/// A module that this host does not have.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Missing {
    /// What the manifest calls it.
    pub name: HostName,
    /// The Debian package that brings it.
    pub package: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The modules, each behind those that it needs.
    pub modules: Vec<Module>,
    /// Those that are not there.
    pub missing: Vec<Missing>,
}

/// What is a part of every server.
const BUILT_IN: [&str; 8] =
    ["core", "so", "http", "watchdog", "log_config", "logio", "version", "unixd"];
/// The longest file that loads a module.
const LONGEST: u64 = 64 << 10;
/// How deep modules may need each other.
const DEEPEST: usize = 8;

/// Looks for modules of Apache in a folder with a `.load` file for each, as Debian has it.
pub fn look(folder: &Path, names: &[HostName]) -> Result<Found, FsError> {
    let mut found = Found::default();
    if kind_of(folder) != Some(Kind::Directory) {
        found.missing.extend(names.iter().map(missing_of_apache));
        return Ok(found);
    }
    let mut search =
        Search { folder: Dir::open(folder)?, modules: Vec::new(), seen: BTreeMap::new() };
    for name in names.iter().filter(|name| !BUILT_IN.contains(&name.as_str())) {
        let php = name.as_str() == "php";
        let file = if php { php_of(&search.folder)? } else { name.as_str().to_owned() };
        if !search.add(&file, 0)? {
            found.missing.push(missing_of_apache(name));
        }
    }
    found.modules = search.modules;
    Ok(found)
}

/// The newest PHP.
fn php_of(folder: &Dir) -> Result<String, FsError> {
    let names = folder.names()?;
    let names = names.iter().filter_map(|name| name.to_str()?.strip_suffix(".load"));
    let version = |name: &str| -> Option<Vec<u32>> {
        name.strip_prefix("php")?.split('.').map(|part| part.parse().ok()).collect()
    };
    let newest = names.filter_map(|name| Some((version(name)?, name))).max();
    Ok(newest.map_or("php", |(_, name)| name).to_owned())
}

/// A look into the folder.
struct Search {
    folder: Dir,
    modules: Vec<Module>,
    /// The names that were asked for, and whether they are there.
    seen: BTreeMap<String, bool>,
}

impl Search {
    /// Adds a module behind those that it needs; tells whether it is there.
    fn add(&mut self, name: &str, depth: usize) -> Result<bool, FsError> {
        if let Some(is_there) = self.seen.get(name) {
            return Ok(*is_there);
        }
        let load = format!("{name}.load");
        let is_there = !name.contains('/') && depth <= DEEPEST && self.folder.has(&load)?;
        self.seen.insert(name.to_owned(), is_there);
        if !is_there {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(&self.folder.read(&load, LONGEST)?).into_owned();
        let Some(identifier) = identifier(&text) else {
            self.seen.insert(name.to_owned(), false);
            return Ok(false);
        };
        let needs = text.lines().filter_map(|line| line.strip_prefix("# Depends:"));
        for need in needs.flat_map(str::split_whitespace) {
            self.add(need, depth + 1)?;
        }
        let mut files = vec![self.folder.path_of(&load)];
        let settings = format!("{name}.conf");
        if self.folder.has(&settings)? {
            files.push(self.folder.path_of(settings));
        }
        self.modules.push(Module { identifier, files });
        Ok(true)
    }
}

/// What the server calls the module that a file loads.
fn identifier(text: &str) -> Option<String> {
    let identifier = text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        words.next().filter(|word| word.eq_ignore_ascii_case("LoadModule"))?;
        words.next().map(str::to_owned)
    });
    let fine = |text: &String| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    identifier.filter(fine)
}

fn missing_of_apache(name: &HostName) -> Missing {
    let package = match name.as_str() {
        "php" => "libapache2-mod-php".to_owned(),
        "wsgi" => "libapache2-mod-wsgi-py3".to_owned(),
        "perl" => "libapache2-mod-perl2".to_owned(),
        _ => "apache2".to_owned(),
    };
    Missing { name: name.clone(), package }
}

/// Extensions that Debian's PHP has without further packages.
const OF_PHP: [&str; 32] = [
    "calendar",
    "ctype",
    "date",
    "exif",
    "ffi",
    "fileinfo",
    "filter",
    "ftp",
    "gettext",
    "hash",
    "iconv",
    "json",
    "libxml",
    "openssl",
    "pcntl",
    "pcre",
    "pdo",
    "phar",
    "posix",
    "random",
    "readline",
    "reflection",
    "session",
    "shmop",
    "sockets",
    "sodium",
    "spl",
    "sysvmsg",
    "sysvsem",
    "sysvshm",
    "tokenizer",
    "zlib",
];

/// Looks for extensions of PHP below `/etc/php` (`folder`), by the files that load them.
pub fn look_for_php(folder: &Path, names: &[HostName]) -> Result<Vec<Missing>, FsError> {
    let mut there = Vec::new();
    if kind_of(folder) == Some(Kind::Directory) {
        let folder = Dir::open(folder)?;
        for version in folder.names()? {
            let available = Path::new(&version).join("mods-available");
            if folder.meta(&available)?.is_some_and(|meta| meta.kind == Kind::Directory) {
                there.extend(folder.dir(&available)?.names()?);
            }
        }
    }
    let is_there = |name: &HostName| {
        let file = format!("{name}.ini");
        OF_PHP.contains(&name.as_str()) || there.iter().any(|one| *one == *file)
    };
    let missing = names.iter().filter(|name| !is_there(name));
    Ok(missing.map(|name| Missing { name: name.clone(), package: php_package(name) }).collect())
}

/// The Debian package of an extension of PHP.
fn php_package(name: &HostName) -> String {
    let package = match name.as_str() {
        "mysqli" | "pdo_mysql" | "mysqlnd" => "mysql",
        "pgsql" | "pdo_pgsql" => "pgsql",
        "sqlite3" | "pdo_sqlite" => "sqlite3",
        "dom" | "simplexml" | "xml" | "xmlreader" | "xmlwriter" | "xsl" => "xml",
        "bcmath" => "bcmath",
        other => other,
    };
    format!("php-{}", package.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Vec<HostName> {
        all.iter().map(|name| HostName::parse(name).unwrap()).collect()
    }

    #[test]
    fn modules_come_behind_those_that_they_need_and_php_is_the_newest() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        for (name, text) in [
            ("ssl.load", "# Depends: mime socache_shmcb\nLoadModule ssl_module /x/mod_ssl.so\n"),
            ("ssl.conf", ""),
            ("mime.load", "# Depends: ssl\nLoadModule mime_module /x/mod_mime.so\n"),
            ("php8.2.load", "LoadModule php_module /x/libphp8.2.so\n"),
            ("php8.10.load", "LoadModule php_module /x/libphp8.10.so\n"),
            ("php7.4.load", "LoadModule php7_module /x/libphp7.4.so\n"),
            ("evil.load", "LoadModule x> /x/evil.so\n"),
        ] {
            dir.write_new(name, text.as_bytes(), 0o644).unwrap();
        }
        let found = look(temp.path(), &names(&["ssl", "php", "core", "evil", "wsgi"])).unwrap();
        let identifiers: Vec<_> = found.modules.iter().map(|one| one.identifier.as_str()).collect();
        assert_eq!(identifiers, ["mime_module", "ssl_module", "php_module"]);
        assert_eq!(found.modules[1].files, [dir.path_of("ssl.load"), dir.path_of("ssl.conf")]);
        assert_eq!(found.modules[2].files, [dir.path_of("php8.10.load")]);
        let missing: Vec<_> = found.missing.iter().map(|one| one.package.as_str()).collect();
        assert_eq!(missing, ["apache2", "libapache2-mod-wsgi-py3"]);
        let none = look(&temp.path().join("none"), &names(&["ssl"])).unwrap();
        assert_eq!(none.missing.len(), 1);
    }

    #[test]
    fn extensions_of_php_are_found_by_the_files_that_load_them() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dirs("8.2/mods-available", 0o755).unwrap();
        dir.write_new("8.2/mods-available/mysqli.ini", b"", 0o644).unwrap();
        let missing =
            look_for_php(temp.path(), &names(&["mysqli", "iconv", "pdo_pgsql", "gd"])).unwrap();
        let packages: Vec<_> = missing.iter().map(|one| one.package.as_str()).collect();
        assert_eq!(packages, ["php-pgsql", "php-gd"]);
    }
}
