//! What reading one metadata file has at hand, and how scalars are taken.

use super::scalar;
use crate::format::place::Place;
use crate::format::reading::Reading;
use crate::format::yaml::{Node, Value};

/// A scalar that every reader takes as its author meant it, once it is written otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where the scalar begins.
    pub(super) place: Place,
    /// What stands there.
    pub(super) old: String,
    /// What has to stand there.
    pub(super) new: String,
}

/// For whom the metadata are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To install what somebody has built: scalars are what the original makes of them.
    Install,
    /// To build: scalars are what their author wrote, and what the original would read otherwise is
    /// to be edited.
    Build(Vec<Edit>),
}

/// One file that is being read.
pub(super) struct Cx<'r, 'n> {
    pub(super) reading: &'r mut Reading<'n>,
    pub(super) purpose: Purpose,
    /// Whether the file is YAML, which types its scalars.
    pub(super) is_yaml: bool,
    /// Whether modes are decimal, as in the records that the original keeps of what is installed.
    pub(super) decimal_perms: bool,
}

impl Cx<'_, '_> {
    /// The text of `key` in `node`; nothing when it is missing, empty, or no text, which is said.
    pub(super) fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        let value = node.get(key)?;
        let text = self.scalar(value, key);
        if text.is_none() && value.text().is_none() {
            let text = format!("`{key}` is {} and left out: write a text", value.kind());
            self.reading.warn(value.place, text);
        }
        text
    }

    /// The text of the scalar `node`, which is called `key` in messages.
    pub(super) fn scalar(&mut self, node: &Node, key: &str) -> Option<String> {
        let text = node.text()?.trim();
        let typed = match &node.value {
            Value::Plain(_) => scalar::printed(text),
            _ => None,
        };
        let Some(typed) = typed else {
            return Some(text.to_owned()).filter(|text| !text.is_empty());
        };
        let said =
            format!("`{key}` `{}` without quotes is `{}` for tpkg", shown(text), shown(&typed));
        match &mut self.purpose {
            Purpose::Install => {
                self.reading.warn(node.place, format!("{said}: put it in quotes"));
                Some(typed)
            }
            Purpose::Build(edits) => {
                let (old, new) = (text.to_owned(), format!("'{text}'"));
                edits.push(Edit { place: node.place, old, new });
                self.reading.advise(node.place, format!("{said}, so the package has it in quotes"));
                Some(text.to_owned())
            }
        }
    }

    /// The items of the list `key`; a single text is a list of one.
    pub(super) fn list(&mut self, node: &Node, key: &str) -> Vec<String> {
        let Some(value) = node.get(key) else { return Vec::new() };
        let items = match &value.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Mapping(_) => {
                let text = format!("`{key}` is a mapping and left out: write a list of texts");
                self.reading.warn(value.place, text);
                return Vec::new();
            }
            _ => std::slice::from_ref(value),
        };
        items.iter().filter_map(|item| self.scalar(item, key)).collect()
    }

    /// The items of the list `key`, each a mapping.
    pub(super) fn mappings<'n>(&mut self, node: &'n Node, key: &str) -> Vec<&'n Node> {
        let Some(value) = node.get(key) else { return Vec::new() };
        let Value::Sequence(items) = &value.value else {
            let text = format!("`{key}` is {}: write a list", value.kind());
            self.reading.fault(value.place, text);
            return Vec::new();
        };
        let items = items.iter().filter(|item| !item.is_null());
        let (fine, odd): (Vec<_>, Vec<_>) = items.partition(|item| item.pairs().is_some());
        for item in odd {
            let text = format!("an item of `{key}` is {}: write a mapping", item.kind());
            self.reading.fault(item.place, text);
        }
        fine
    }

    /// Says that something cannot be accepted.
    pub(super) fn fault(&mut self, place: Place, text: impl Into<String>) {
        self.reading.fault(place, text);
    }
}

/// Shortens and escapes a text of the package for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}
