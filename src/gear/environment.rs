//! The variables that a gear's scripts see: cleared, then loaded from files in a fixed order (node
//! specification, 3.3). A file's name is the variable, its content the value.

use crate::error::{Failure, FsError};
use crate::gear::identity::Identity;
use crate::layout::Layout;
use crate::package::ident::EnvName;
use crate::sys::fs::{Dir, Kind};
use std::collections::BTreeMap;

/// The longest value that is read.
const LONGEST: u64 = 128 << 10;
/// What a gear's programs are looked up in last.
const SYSTEM_PATH: &str = "/bin:/usr/bin:/usr/sbin";
/// Variables that a user may not set, beside everything that the platform sets.
const RESERVED: [&str; 8] = [
    "OPENSHIFT_PRIMARY_CARTRIDGE_DIR",
    "OPENSHIFT_NAMESPACE",
    "PATH",
    "IFS",
    "USER",
    "SHELL",
    "HOSTNAME",
    "LOGNAME",
];

/// A set of variables.
pub type Variables = BTreeMap<String, String>;

/// The variables of the gear whose home is `home`, as the cartridge in the folder `dir` sees them;
/// an empty `dir` stands for no cartridge in particular.
pub fn of(
    layout: &Layout,
    home: &Dir,
    gear: &Identity,
    dir: &str,
) -> Result<Variables, Failure> {
    let mut all = Variables::new();
    if let Ok(node) = Dir::open(&layout.node_env()) {
        load(&node, &mut all)?;
    }
    load_below(home, ".env", &mut all)?;
    let user = user_variables(home, &all)?;
    let primary = gear.primary().map(|cartridge| cartridge.dir.as_str());
    for cartridge in gear.cartridges.iter().filter(|one| Some(one.dir.as_str()) != primary) {
        load_below(home, &format!("{}/env", cartridge.dir), &mut all)?;
    }
    load_published(home, &mut all)?;
    // The primary always comes last, so that its values win.
    if let Some(primary) = primary {
        load_below(home, &format!("{primary}/env"), &mut all)?;
    }
    let (path, libraries) = search_paths(layout, gear, &all);
    if !dir.is_empty() {
        load_below(home, &format!("{dir}/env"), &mut all)?;
    }
    all.insert("PATH".into(), path);
    all.insert("LD_LIBRARY_PATH".into(), libraries);
    all.extend(user);
    add_session(layout, home, gear, &mut all);
    Ok(all)
}

/// What the original's `runuser` and its node-wide variables add; SDK scripts count on them.
fn add_session(layout: &Layout, home: &Dir, gear: &Identity, all: &mut Variables) {
    let sdk = layout.lib().join("cartridge_sdk/bash/sdk").display().to_string();
    let mut default = |name: &str, value: String| {
        all.entry(name.to_owned()).or_insert(value);
    };
    default("OPENSHIFT_CARTRIDGE_SDK_BASH", sdk);
    default("HOME", home.path().display().to_string());
    default("SHELL", "/bin/bash".into());
    default("USER", gear.uuid.clone());
    default("LOGNAME", gear.uuid.clone());
    default("LANG", "C.UTF-8".into());
}

/// The user's variables, without those that the platform has set; `OPENSHIFT_SECRET_TOKEN` alone
/// may replace a platform value.
fn user_variables(home: &Dir, platform: &Variables) -> Result<Variables, FsError> {
    let mut user = Variables::new();
    load_below(home, ".env/user_vars", &mut user)?;
    user.retain(|name, _| {
        let is_reserved = RESERVED.contains(&name.as_str())
            || (name.starts_with("OPENSHIFT_") && name.ends_with("_IDENT"));
        name == "OPENSHIFT_SECRET_TOKEN" || !(is_reserved || platform.contains_key(name))
    });
    Ok(user)
}

/// What other cartridges have published into `.env/<publisher>/`.
fn load_published(home: &Dir, all: &mut Variables) -> Result<(), FsError> {
    if !home.has(".env")? {
        return Ok(());
    }
    let dir = home.dir(".env")?;
    for name in dir.names()? {
        let is_dir = dir.meta(&name)?.is_some_and(|meta| meta.kind == Kind::Directory);
        if is_dir && name != "user_vars" {
            load(&dir.dir(&name)?, all)?;
        }
    }
    Ok(())
}

fn load_below(home: &Dir, path: &str, all: &mut Variables) -> Result<(), FsError> {
    match home.dir(path) {
        Ok(dir) => load(&dir, all),
        // No such directory, or a link or file in its place: no variables.
        Err(_) => Ok(()),
    }
}

/// Loads the variables in `dir`; templates, hidden and unreadable files are none.
fn load(dir: &Dir, all: &mut Variables) -> Result<(), FsError> {
    for name in dir.names()? {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with('.') || text.ends_with(".erb") || EnvName::parse(text).is_err() {
            continue;
        }
        if dir.meta(&name)?.is_none_or(|meta| meta.kind != Kind::File) {
            continue;
        }
        if let Ok(bytes) = dir.read(&name, LONGEST) {
            all.insert(text.to_owned(), value(&bytes));
        }
    }
    Ok(())
}

/// The value of a variable's file: one newline at its end and all NULs are no part of it.
fn value(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `PATH` has the primary's element first, `LD_LIBRARY_PATH` has it after the others.
fn search_paths(layout: &Layout, gear: &Identity, all: &Variables) -> (String, String) {
    let primary = gear.primary().map(|cartridge| format!("OPENSHIFT_{}", cartridge.short_name));
    let elements = |suffix: &str, not: Option<&str>| {
        let own = primary.as_ref().map(|prefix| format!("{prefix}{suffix}"));
        let first = own.as_ref().and_then(|name| all.get(name)).cloned();
        let others = all
            .iter()
            .filter(|(name, _)| {
                name.starts_with("OPENSHIFT_")
                    && name.ends_with(suffix)
                    && !not.is_some_and(|not| name.ends_with(not))
                    && Some(*name) != own.as_ref()
            })
            .map(|(_, value)| value.clone());
        (first, others.collect::<Vec<_>>())
    };
    let commands = layout.lib().join("bin").display().to_string();
    let (first, others) = elements("_PATH_ELEMENT", Some("_LD_LIBRARY_PATH_ELEMENT"));
    let base = all.get("PATH").cloned().unwrap_or_else(|| SYSTEM_PATH.into());
    let path: Vec<_> = first.into_iter().chain(others).chain([commands, base]).collect();
    let (first, others) = elements("_LD_LIBRARY_PATH_ELEMENT", None);
    let existing = all.get("LD_LIBRARY_PATH").cloned().filter(|value| !value.is_empty());
    let libraries: Vec<_> = others.into_iter().chain(first).chain(existing).collect();
    (path.join(":"), libraries.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gear::identity::Cartridge;
    use crate::package::ident::{GearName, ShortName};
    use crate::package::version::Version;
    use crate::sys::path::RelPath;

    fn gear() -> Identity {
        let cartridge = |name: &str, is_primary| Cartridge {
            dir: name.into(),
            short_name: ShortName::parse(&name.to_uppercase()).unwrap(),
            software: Version::parse("1").unwrap(),
            ident: String::new(),
            place: RelPath::parse("x").unwrap(),
            is_primary,
        };
        Identity {
            name: GearName::parse("blog").unwrap(),
            uuid: "g0".into(),
            owner: None,
            cartridges: vec![cartridge("first", true), cartridge("other", false)],
        }
    }

    fn write(home: &Dir, path: &str, text: &str) {
        home.make_dirs(std::path::Path::new(path).parent().unwrap(), 0o755).unwrap();
        home.replace_file(path, text.as_bytes(), 0o644).unwrap();
    }

    fn sample() -> (tempfile::TempDir, Layout, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let layout = Layout::below(temp.path());
        let home = Dir::create(&temp.path().join("home"), 0o755).unwrap();
        (temp, layout, home)
    }

    #[test]
    fn the_later_source_wins_and_the_primary_comes_last() {
        let (_temp, layout, home) = sample();
        let node = Dir::create(&layout.node_env(), 0o755).unwrap();
        node.replace_file("A", b"node", 0o644).unwrap();
        node.replace_file("B", b"node", 0o644).unwrap();
        for (path, text) in [
            (".env/B", "gear"),
            (".env/C", "gear\n"),
            ("other/env/D", "other"),
            ("first/env/D", "first"),
            (".env/publisher-1/E", "event"),
            ("other/env/E", "other"),
            (".env/user_vars/C", "user"),
            (".env/user_vars/D", "user"),
            (".env/user_vars/PATH", "user"),
            (".env/user_vars/F", "a\0b\n\n"),
            ("first/env/G.erb", "no"),
            ("first/env/.gitkeep", "no"),
        ] {
            write(&home, path, text);
        }
        let all = of(&layout, &home, &gear(), "other").unwrap();
        let get = |name: &str| all.get(name).map(String::as_str);
        assert_eq!((get("A"), get("B"), get("C")), (Some("node"), Some("gear"), Some("gear")));
        assert_eq!(get("D"), Some("user"), "user variables come last");
        assert_eq!(get("E"), Some("other"), "a cartridge's own come after the events");
        assert_eq!(get("F"), Some("ab\n"), "one newline is chomped, NULs go");
        assert_eq!(get("G"), None);
        assert!(get("PATH").unwrap().ends_with(SYSTEM_PATH));
        let all = of(&layout, &home, &gear(), "").unwrap();
        assert_eq!(all.get("E").map(String::as_str), Some("event"));
    }

    #[test]
    fn the_primary_is_first_in_path_and_last_among_the_libraries() {
        let (_temp, layout, home) = sample();
        for (path, text) in [
            ("first/env/OPENSHIFT_FIRST_PATH_ELEMENT", "/first"),
            ("other/env/OPENSHIFT_OTHER_PATH_ELEMENT", "/other"),
            ("first/env/OPENSHIFT_FIRST_LD_LIBRARY_PATH_ELEMENT", "/lib/first"),
            ("other/env/OPENSHIFT_OTHER_LD_LIBRARY_PATH_ELEMENT", "/lib/other"),
        ] {
            write(&home, path, text);
        }
        let all = of(&layout, &home, &gear(), "").unwrap();
        let commands = layout.lib().join("bin").display().to_string();
        assert_eq!(all["PATH"], format!("/first:/other:{commands}:{SYSTEM_PATH}"));
        assert_eq!(all["LD_LIBRARY_PATH"], "/lib/other:/lib/first");
    }
}
