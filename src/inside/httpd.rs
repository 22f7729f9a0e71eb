//! `/usr/sbin/httpd`, the name that Apache has elsewhere: Debian's `apache2`, with settings written
//! for the other layout.
//!
//! The settings are read, never changed: what differs (where modules lie, which ones are built in,
//! which ones another version has under another name) goes into a copy in memory, which takes the
//! file's place. Everything else is the cartridge's own.

use super::programs::{become_as, real};
use super::{Call, Refused};
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::memory::MemoryFile;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where Debian's modules are.
const MODULES: &str = "/usr/lib/apache2/modules";
/// Modules that are part of Debian's program, and cannot be loaded.
const BUILT_IN: [&str; 8] = [
    "core_module",
    "http_module",
    "log_config_module",
    "logio_module",
    "so_module",
    "unixd_module",
    "version_module",
    "watchdog_module",
];
/// Modules of Apache 2.2 whose work others do since 2.4.
const GONE: [&str; 5] = [
    "authn_alias_module",
    "authn_default_module",
    "authz_default_module",
    "disk_cache_module",
    "mem_cache_module",
];
/// What settings for Apache 2.2 count on without loading it, and the word that shows it.
const ASSUMED: [(&str, &str); 5] = [
    ("mpm_prefork_module", ""),
    ("authn_core_module", "authtype"),
    ("authz_core_module", ""),
    ("access_compat_module", "order"),
    ("filter_module", "addoutputfilterbytype"),
];
/// Directives that may name a program to pipe into.
const LOGS: [&str; 3] = ["errorlog", "customlog", "transferlog"];
/// Included files are read this deep.
const DEPTH: usize = 8;

/// Becomes `httpd` where there is one, else `apache2`.
pub(super) fn run(call: &Call<'_>) -> Result<u8, Refused> {
    let name = Path::new("/usr/sbin/httpd").as_os_str();
    if let Some(httpd) = real(call, "httpd") {
        return Err(become_as(call, name, &httpd, call.arguments));
    }
    let Some(apache) = real(call, "apache2") else {
        return Err(Refused::new(127, "httpd: this host has no Apache")
            .hint("install it: `apt-get install apache2`"));
    };
    let arguments = Arguments::of(call.arguments);
    let Some(file) = arguments.file else {
        return Err(become_as(call, name, &apache, call.arguments));
    };
    let text = fs::read_text(&file)?;
    let root = arguments.root.or_else(|| Settings::root_in(&arguments.directives, &text, 0));
    let mut settings =
        Settings { root: root.unwrap_or_default(), loaded: Vec::new(), text: String::new() };
    let before = settings.lines(&arguments.before.join("\n"), 0);
    let own = settings.lines(&text, 0);
    let after = settings.lines(&arguments.after.join("\n"), 0);
    settings.text = format!("{before}{own}{after}");
    let all = format!("{}{}", settings.assumed(), settings.text);
    let memory = MemoryFile::new("httpd", &all)
        .map_err(|error| Refused::new(1, format!("httpd: cannot keep settings: {error}")))?;
    // The file's own name stays among the arguments: scripts look for it there. The last one counts.
    let mut words = arguments.others;
    words.extend(["-f".into(), file.into(), "-f".into(), memory.path().into()]);
    Err(become_as(call, name, &apache, &words))
}

/// The arguments of a call, sorted.
#[derive(Default)]
struct Arguments {
    /// `-f`.
    file: Option<PathBuf>,
    /// `-d`.
    root: Option<PathBuf>,
    /// `-C`: read before the file.
    before: Vec<String>,
    /// `-c`: read after it.
    after: Vec<String>,
    /// Both.
    directives: String,
    others: Vec<OsString>,
}

impl Arguments {
    fn of(words: &[OsString]) -> Self {
        let mut sorted = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy();
            let (option, rest) = text.split_at_checked(2).unwrap_or((&text, ""));
            if !["-f", "-d", "-C", "-c"].contains(&option) {
                sorted.others.push(word.clone());
                continue;
            }
            let value = if rest.is_empty() {
                words.next().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default()
            } else {
                rest.to_owned()
            };
            match option {
                "-f" => sorted.file = Some(value.into()),
                "-d" => sorted.root = Some(value.into()),
                "-C" => sorted.before.push(value),
                _ => sorted.after.push(value),
            }
        }
        sorted.directives = [sorted.before.as_slice(), &sorted.after].concat().join("\n");
        if let Some(root) = &sorted.root {
            sorted.others.extend(["-d".into(), root.into()]);
        }
        sorted
    }
}

/// Settings on their way into the copy.
struct Settings {
    root: PathBuf,
    /// The modules that they load.
    loaded: Vec<String>,
    text: String,
}

impl Settings {
    /// `ServerRoot` as the arguments, the file or what these include say it.
    fn root_in(directives: &str, text: &str, depth: usize) -> Option<PathBuf> {
        let lines = directives.lines().chain(text.lines());
        for (name, rest) in lines.filter_map(directive) {
            if name == "serverroot" {
                return Some(unquoted(rest).into());
            }
            if name == "include" && depth < DEPTH {
                let files = matching(Path::new(&unquoted(rest)));
                let mut texts = files.iter().filter_map(|file| fs::read_text(file).ok());
                let found = texts.find_map(|text| Self::root_in("", &text, depth + 1));
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// The lines of `text`, each as it has to be here.
    fn lines(&mut self, text: &str, depth: usize) -> String {
        let mut all = String::new();
        for line in text.lines() {
            let new = match directive(line) {
                Some((name, rest)) if name == "loadmodule" => self.module(rest),
                Some((name, rest)) if name == "include" || name == "includeoptional" => {
                    self.include(rest, depth)
                }
                Some((name, rest)) if LOGS.contains(&name.as_str()) => piped(&name, rest),
                _ => None,
            };
            all.push_str(new.as_deref().unwrap_or(line));
            all.push('\n');
        }
        all
    }

    /// A `LoadModule` line that has to change.
    fn module(&mut self, rest: &str) -> Option<String> {
        let (name, file) = rest.split_once(char::is_whitespace)?;
        if BUILT_IN.contains(&name) || GONE.contains(&name) {
            return Some(String::new());
        }
        let file = unquoted(file);
        let is_here = fs::kind_of(&self.root.join(&file)).is_some();
        self.loaded.push(name.to_owned());
        if is_here {
            return None;
        }
        let own = Path::new(MODULES).join(Path::new(&file).file_name()?);
        if fs::kind_of(&own).is_some() {
            return Some(format!("LoadModule {name} {}", own.display()));
        }
        // PHP's module has its version in its name.
        let php = matching(&Path::new(MODULES).join("libphp*"));
        let php = php.last().filter(|_| name.starts_with("php") && name.ends_with("_module"))?;
        Some(format!("LoadModule php_module {}", php.display()))
    }

    /// What an `Include` line becomes: nothing new, unless what it includes has to change.
    fn include(&mut self, rest: &str, depth: usize) -> Option<String> {
        let pattern = self.root.join(unquoted(rest));
        let files = matching(&pattern);
        if files.is_empty() && pattern.ends_with("conf.modules.d/00-mpm.conf") {
            return self.module("mpm_prefork_module modules/mod_mpm_prefork.so");
        }
        if depth >= DEPTH {
            return None;
        }
        let mut texts = String::new();
        let mut has_changed = false;
        for file in files {
            let text = fs::read_text(&file).ok()?;
            let new = self.lines(&text, depth + 1);
            has_changed |= new.trim_end() != text.trim_end();
            texts.push_str(&new);
        }
        has_changed.then_some(texts)
    }

    /// The lines that load what these settings count on.
    fn assumed(&self) -> String {
        let has_mpm = self.loaded.iter().any(|name| name.starts_with("mpm_"));
        let mut lines = String::new();
        for (module, word) in ASSUMED {
            let is_loaded = self.loaded.iter().any(|name| name == module)
                || (module.starts_with("mpm_") && has_mpm);
            let mut names = self.text.lines().filter_map(directive).map(|(name, _)| name);
            let is_wanted = word.is_empty() || names.any(|name| name == word);
            if is_wanted && !is_loaded {
                let file = module.trim_end_matches("_module");
                lines.extend(["LoadModule ", module, " ", MODULES, "/mod_", file, ".so\n"]);
            }
        }
        lines
    }
}

/// The name of a directive in small letters, and what stands behind it.
fn directive(line: &str) -> Option<(String, &str)> {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace)?;
    (!name.starts_with(['#', '<'])).then(|| (name.to_ascii_lowercase(), rest.trim()))
}

/// A log that goes into a program of the `PATH`: Apache 2.2 had a shell look for it, as `|$` does.
fn piped(name: &str, rest: &str) -> Option<String> {
    let (quote, program) = rest.split_once('|')?;
    let word = program.split([' ', '"', '\'']).next()?;
    let is_of_path = !word.is_empty() && !word.contains(['/', '$', '|']);
    (quote.len() <= 1 && is_of_path).then(|| format!("{name} {quote}|${program}"))
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

/// The files that a path means, `*` in its last part included; in order.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().map(|name| name.to_string_lossy().into_owned());
    let (Some(folder), Some(name)) = (pattern.parent(), name) else { return Vec::new() };
    let Some((head, tail)) = name.split_once('*') else {
        let is_file = fs::kind_of(pattern) == Some(Kind::File);
        return if is_file { vec![pattern.to_owned()] } else { Vec::new() };
    };
    let names = Dir::open(folder).and_then(|dir| dir.names()).unwrap_or_default();
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let fits = |one: &String| {
        one.len() >= head.len() + tail.len() && one.starts_with(head) && one.ends_with(tail)
    };
    let mut all: Vec<_> = names.filter(fits).map(|name| folder.join(name)).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Dir, Path, Settings, matching};
    use std::ffi::OsString;
    use std::path::PathBuf;

    fn words(all: &[&str]) -> Vec<OsString> {
        all.iter().map(OsString::from).collect()
    }

    fn settings(root: PathBuf) -> Settings {
        Settings { root, loaded: Vec::new(), text: String::new() }
    }

    fn write(root: &Path, path: &str, text: &str) {
        let dir = Dir::open(root).unwrap();
        dir.make_dirs("d", 0o755).unwrap();
        dir.replace_file(path, text.as_bytes(), 0o644).unwrap();
    }

    #[test]
    fn arguments_are_sorted_whether_they_are_joined_or_not() {
        let line = words(&["-C", "Include a", "-fx.conf", "-c", "Listen 1", "-D", "FOREGROUND"]);
        let sorted = Arguments::of(&line);
        assert_eq!(sorted.file, Some("x.conf".into()));
        assert_eq!(
            (sorted.before, sorted.after),
            (vec!["Include a".into()], vec!["Listen 1".into()])
        );
        assert_eq!(sorted.others, words(&["-D", "FOREGROUND"]));
    }

    #[test]
    fn only_what_lies_elsewhere_changes() {
        let temp = tempfile::tempdir().unwrap();
        write(temp.path(), "own.so", "");
        let mut settings = settings(temp.path().into());
        let text = "  loadmodule log_config_module modules/mod_log_config.so\n\
                    LoadModule authz_default_module modules/mod_authz_default.so\n\
                    LoadModule own_module own.so\n<IfModule x.c>\n  Listen 1\n</IfModule>\n";
        let kept = "\n\nLoadModule own_module own.so\n<IfModule x.c>\n  Listen 1\n</IfModule>\n";
        assert_eq!(settings.lines(text, 0), kept);
        assert_eq!(settings.loaded, ["own_module"]);
    }

    #[test]
    fn files_are_taken_in_only_where_they_have_to_change() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        write(root, "d/a.conf", "Listen 1\n");
        let mut one = settings(root.into());
        assert_eq!(one.lines("Include d/*.conf\n", 0), "Include d/*.conf\n");
        write(root, "d/b.conf", "LoadModule so_module x\nServerRoot \"/r\"\n");
        assert_eq!(one.lines("Include d/*.conf", 0), "Listen 1\n\nServerRoot \"/r\"\n\n");
        let include = format!("Include {}/d/*.conf", root.display());
        assert_eq!(Settings::root_in(&include, "", 0), Some("/r".into()));
        assert_eq!(matching(&root.join("d/*")).len(), 2);
    }

    #[test]
    fn programs_of_the_path_are_looked_for() {
        let mut one = settings("/".into());
        let text = "ErrorLog \"|tee\"\nCustomLog \"|/bin/tee x\" combined\nErrorLog logs/a|b\n";
        let new = "errorlog \"|$tee\"\nCustomLog \"|/bin/tee x\" combined\nErrorLog logs/a|b\n";
        assert_eq!(one.lines(text, 0), new);
    }

    #[test]
    fn a_file_that_includes_itself_ends() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("a.conf");
        write(
            temp.path(),
            "a.conf",
            &format!("LoadModule so_module x\nInclude {}\n", file.display()),
        );
        let include = format!("Include {}\n", file.display());
        assert!(settings(PathBuf::new()).lines(&include, 0).len() < 4096);
        assert_eq!(Settings::root_in(&include, "", 0), None);
    }

    #[test]
    fn old_settings_get_what_they_count_on() {
        let mut old = settings("/".into());
        old.text = "Order allow,deny\n".into();
        let lines = old.assumed();
        assert!(lines.contains("mpm_prefork") && lines.contains("access_compat"), "{lines}");
        old.loaded = vec!["mpm_event_module".into(), "authz_core_module".into()];
        old.text = "Require all granted\n".into();
        assert_eq!(old.assumed(), "");
    }
}
