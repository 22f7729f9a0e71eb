//! `metadata/managed_files.yml`: lists by key, written as strings or as Ruby symbols.

use super::MANAGED_FILES;
use crate::error::FsError;
use crate::format::Tree;
use crate::format::yaml::{self, Node};
use crate::package::managed::Managed;
use crate::package::note::{Level, Note, Notes};

/// Reads the lists. A file that cannot be parsed counts as empty, as in the original, with a
/// warning that says so.
pub(super) fn managed(tree: &dyn Tree, notes: &mut Notes) -> Result<Managed, FsError> {
    let Some(bytes) = tree.read(MANAGED_FILES, yaml::LONGEST)? else {
        return Ok(Managed::default());
    };
    match yaml::parse(&quote_globs(&bytes, notes), MANAGED_FILES, notes) {
        Ok(node) => Ok(lists(&node, notes)),
        Err(error) => {
            notes.warn(MANAGED_FILES, format!("{error}; the whole file is ignored"));
            Ok(Managed::default())
        }
    }
}

/// One real cartridge has `- **/*.erb` without quotes, which is YAML for an alias. What is meant is
/// plain, so such items are quoted, with a warning.
fn quote_globs(bytes: &[u8], notes: &mut Notes) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut quoted = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.lines()) {
        let item = line.trim_start().strip_prefix("- ").map(str::trim);
        match item.filter(|item| item.starts_with('*') && !item.contains('\'')) {
            Some(item) => {
                let indent = line.len() - line.trim_start().len();
                quoted.push_str(&" ".repeat(indent));
                quoted.extend(["- '", item, "'"]);
                notes.push(Note {
                    level: Level::Warning,
                    file: MANAGED_FILES.into(),
                    line: Some(number),
                    column: Some(indent + 3),
                    text: format!("quote it: `- '{}'`", item.escape_debug()),
                });
            }
            None => quoted.push_str(line),
        }
        quoted.push('\n');
    }
    quoted.into_bytes()
}

fn lists(node: &Node, notes: &mut Notes) -> Managed {
    let mut managed = Managed::default();
    for (key, value) in node.pairs() {
        match key.trim_start_matches(':') {
            "locked_files" => managed.locked_files.extend(texts(value)),
            "snapshot_exclusions" => managed.snapshot_exclusions.extend(texts(value)),
            "setup_rewritten" => managed.setup_rewritten.extend(texts(value)),
            // The guide writes it without the `ed`, every real cartridge with it.
            "processed_templates" | "process_templates" => {
                managed.processed_templates.extend(texts(value));
            }
            "dependency_dirs" => managed.dependency_dirs.extend(directories(value)),
            "build_dependency_dirs" => managed.build_dependency_dirs.extend(directories(value)),
            "restore_transforms" => managed.restore_transforms.extend(texts(value)),
            other => notes.push(Note {
                level: Level::Warning,
                file: MANAGED_FILES.into(),
                line: Some(value.line),
                column: None,
                text: format!(
                    "`{}` is no list of managed files; it is ignored",
                    other.escape_debug()
                ),
            }),
        }
    }
    managed
}

fn texts(node: &Node) -> Vec<String> {
    let texts = node.items().into_iter().filter_map(Node::text);
    texts.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// A plain entry names link and target alike; a mapping names them apart.
fn directories(node: &Node) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for item in node.items() {
        if let Some(text) = item.text() {
            all.push((text.to_owned(), text.to_owned()));
        } else {
            let pairs = item.pairs().iter();
            all.extend(
                pairs.filter_map(|(link, target)| Some((link.clone(), target.text()?.to_owned()))),
            );
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_symbols_nulls_and_bare_globs_are_understood() {
        let text = b":locked_files:\n- env/\n- ~/.foorc\nprocess_templates:\n- **/*.erb\n\
                     processed_templates: conf/*.erb\nsnapshot_exclusions:\ndependency_dirs:\n\
                     - phplib\n- {standalone/deployments: deployments}\nodd: 1\n";
        let mut notes = Notes::default();
        let text = quote_globs(text, &mut notes);
        let node = yaml::parse(&text, MANAGED_FILES, &mut notes).unwrap();
        let managed = lists(&node, &mut notes);
        assert_eq!(managed.locked_files, ["env/", "~/.foorc"]);
        assert_eq!(managed.processed_templates, ["**/*.erb", "conf/*.erb"]);
        assert!(managed.snapshot_exclusions.is_empty());
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let expected = [pair("phplib", "phplib"), pair("standalone/deployments", "deployments")];
        assert_eq!(managed.dependency_dirs, expected);
        let texts: Vec<_> = notes.as_slice().iter().map(|note| note.text.as_str()).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
    }
}
