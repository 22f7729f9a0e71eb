//! Advice about the variables in `env/` (guide, *Environment Variables* and *ERB Processing*).

use super::{about, files_in};
use crate::format::{Place, Tree};
use crate::package::ident::{EnvName, ShortName};
use crate::package::note::{Level, Note};

/// The longest file that is looked at.
const LONGEST: u64 = 1 << 16;
/// Variables that the platform sets itself.
const PROVIDED: &[&str] = &[
    "HOME",
    "HISTFILE",
    "OPENSHIFT_APP_DNS",
    "OPENSHIFT_APP_NAME",
    "OPENSHIFT_APP_UUID",
    "OPENSHIFT_DATA_DIR",
    "OPENSHIFT_GEAR_DNS",
    "OPENSHIFT_GEAR_NAME",
    "OPENSHIFT_GEAR_UUID",
    "OPENSHIFT_HOMEDIR",
    "OPENSHIFT_PRIMARY_CARTRIDGE_DIR",
    "OPENSHIFT_REPO_DIR",
    "OPENSHIFT_TMP_DIR",
    "PATH",
    "TMP",
    "TMPDIR",
];

/// Looks at the variables of a cartridge whose prefix is `short_name`.
pub(super) fn advice(tree: &dyn Tree, short_name: &ShortName) -> Vec<Note> {
    let mut notes = Vec::new();
    for (entry, file) in files_in(tree, "env").take(super::MOST) {
        let path = entry.path.as_str();
        let name = file.strip_suffix(".erb").unwrap_or(file);
        notes.extend(name_advice(path, name, short_name));
        let Ok(Some(bytes)) = tree.read(path, LONGEST) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        if name != file {
            notes.extend(silent_tags(path, &text));
        }
        if name.ends_with("_DIR") && lacks_slash(text.trim_end()) {
            let text = "is a directory, so by convention its value ends in `/`: add it";
            notes.push(about(Level::Advice, path, text));
        }
    }
    notes
}

fn name_advice(path: &str, name: &str, short_name: &ShortName) -> Option<Note> {
    if let Err(error) = EnvName::parse(name) {
        return Some(about(Level::Warning, path, format!("{error}: it is not loaded")));
    }
    let own = format!("OPENSHIFT_{short_name}_");
    let provided =
        PROVIDED.contains(&name) || matches!(name.strip_prefix(&own), Some("DIR" | "IDENT"));
    if provided {
        let text = format!("`{name}` is set by the platform alone: choose another name");
        return Some(about(Level::Warning, path, text));
    }
    if name.starts_with(&own) {
        return None;
    }
    let text = format!(
        "the name does not begin with `{own}` and may meet another cartridge's: rename it, unless \
         the software itself asks for it"
    );
    Some(about(Level::Advice, path, text))
}

/// Finds `<% ENV['X'] … %>`, which prints nothing (the guide's own example has it).
fn silent_tags(path: &str, text: &str) -> Vec<Note> {
    let tags = text.match_indices("<%").filter(|(at, tag)| {
        text.get(at + tag.len()..).is_some_and(|inner| inner.trim_start().starts_with("ENV["))
    });
    tags.map(|(at, _)| {
        let place = Place::of(text.as_bytes(), at);
        Note {
            level: Level::Warning,
            file: path.to_owned(),
            line: Some(place.line),
            column: Some(place.column),
            text: "`<% … %>` prints nothing: write `<%= … %>`".into(),
        }
    })
    .collect()
}

/// Tells whether a directory's value surely ends without `/`; what only Ruby knows passes.
fn lacks_slash(value: &str) -> bool {
    let Some(rest) = value.strip_suffix("%>") else {
        return !value.ends_with('/') && !value.is_empty();
    };
    let code = rest.trim_end();
    let literal = code.strip_suffix(['"', '\'']);
    // A variable's own value cannot be seen here; only a literal text at the end can.
    literal.is_some_and(|text| !text.ends_with('/'))
}
