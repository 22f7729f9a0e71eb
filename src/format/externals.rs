//! The list of externals, in the shape that all three formats share:
//! `[{name, data | datafile | datascript}]` (seed on externals; tpkg specification, 1.2).
//!
//! Strict where a text becomes a path: what is written there decides what root runs and reads.

use super::cartridge::fields;
use super::error::ManifestError;
use super::place::Place;
use super::reading::Reading;
use super::yaml::{Node, Value};
use crate::package::external::{External, ExternalData, ExternalName, MOST, MOST_DATA};
use crate::package::file_table::{Content, FileTable};
use crate::sys::path::RelPath;

/// The elements of one entry.
const ELEMENTS: &[&str] = &["name", "data", "datafile", "datascript", "strict"];

/// Reads `node`, the value of `key`; faults are left in `reading`.
pub(super) fn externals(key: &str, node: &Node, reading: &mut Reading) -> Vec<External> {
    let items = match &node.value {
        _ if node.is_null() => return Vec::new(),
        Value::Sequence(items) => items.as_slice(),
        Value::Mapping(_) => {
            let text = format!("`{key}` is a mapping, taken as its only item: put `-` before it");
            reading.warn(node.place, text);
            std::slice::from_ref(node)
        }
        _ => {
            let text = format!("`{key}` is {}: write a list of externals", node.kind());
            reading.fault(node.place, text);
            return Vec::new();
        }
    };
    if items.len() > MOST {
        reading.fault(node.place, format!("`{key}` has more than {MOST} items: ask for less"));
        return Vec::new();
    }
    let items = items.iter().enumerate().filter(|(_, item)| !item.is_null());
    items.filter_map(|(at, item)| external((key, at), item, reading)).collect()
}

fn external((key, at): (&str, usize), node: &Node, reading: &mut Reading) -> Option<External> {
    if node.pairs().is_none() {
        let text = format!("an item of `{key}` is {}: write `name: …` and its data", node.kind());
        reading.fault(node.place, text);
        return None;
    }
    fields::unknown(node, &[ELEMENTS], &format!("{key}[{at}]."), reading);
    let data = data(node, reading);
    let Some(name) = node.get("name") else {
        reading.fault(node.place, format!("an item of `{key}` has no `name`: add `name: …`"));
        return None;
    };
    let name = match name.text().map(str::trim).map(ExternalName::parse) {
        Some(Ok(name)) => name,
        Some(Err(error)) => {
            reading.fault(name.place, error.to_string());
            return None;
        }
        None => {
            reading.fault(name.place, format!("`name` is {}: write a text", name.kind()));
            return None;
        }
    };
    let strict = node.get("strict").is_some_and(|strict| {
        strict.truth().unwrap_or_else(|| {
            reading.warn(strict.place, "`strict` is neither `true` nor `false`; taken as `true`");
            true
        })
    });
    Some(External { name, data: data?, strict })
}

/// What the external is given. The original looks in this order, and so does this reader.
fn data(node: &Node, reading: &mut Reading) -> Option<ExternalData> {
    let given: Vec<&str> =
        ELEMENTS[1..4].iter().copied().filter(|key| node.get(key).is_some()).collect();
    let Some((first, others)) = given.split_first() else { return Some(ExternalData::None) };
    if !others.is_empty() {
        let others = others.join("` and `");
        reading.warn(node.place, format!("`{first}` counts and `{others}` has no effect"));
    }
    let value = node.get(first)?;
    let Some(text) = value.text() else {
        reading.fault(value.place, format!("`{first}` is {}: write a text", value.kind()));
        return None;
    };
    match *first {
        "data" if text.len() as u64 > MOST_DATA => {
            reading.fault(value.place, format!("`data` is longer than {MOST_DATA} bytes"));
            None
        }
        "data" => Some(ExternalData::Inline(text.as_bytes().to_vec())),
        "datafile" => path((first, text), value.place, reading).map(ExternalData::File),
        _ => path((first, text), value.place, reading).map(ExternalData::Script),
    }
}

/// Refuses a package whose externals name files that it does not have: better now than in the middle
/// of a gear's creation.
///
/// Paths begin at the folder `top` of the package, or at its own where that is empty.
pub(super) fn check(
    externals: &[External],
    table: &FileTable,
    top: &str,
) -> Result<(), ManifestError> {
    for one in externals {
        let (key, path) = match &one.data {
            ExternalData::File(path) => ("datafile", path),
            ExternalData::Script(path) => ("datascript", path),
            ExternalData::None | ExternalData::Inline(_) => continue,
        };
        let entry = match top {
            "" => table.get(path.as_str()),
            top => table.get(&format!("{top}/{path}")),
        };
        if !entry.is_some_and(|entry| matches!(entry.content, Content::File { .. })) {
            let name = one.name.as_str().escape_debug();
            return Err(ManifestError::Malformed {
                text: format!("the external `{name}` has `{key}: {path}`, which is no file of it"),
                remedy: "add the file, or name the right one, from the top directory on".into(),
            });
        }
    }
    Ok(())
}

fn path((key, text): (&str, &str), place: Place, reading: &mut Reading) -> Option<RelPath> {
    let text = text.trim();
    let shown = || text.chars().take(80).collect::<String>().escape_debug().to_string();
    RelPath::parse(text)
        .map_err(|error| {
            let text = format!(
                "`{key}` `{}` {error}: name a file of the package, from its top directory on",
                shown()
            );
            reading.fault(place, text);
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::yaml;
    use crate::package::note::Notes;

    fn read(text: &str) -> (Result<Vec<External>, String>, Vec<String>) {
        let mut notes = Notes::default();
        let mut reading = Reading::new("tpkg.yml", &mut notes);
        let root = yaml::parse(text.as_bytes(), &mut reading).unwrap().unwrap();
        let found = externals("externals", root.get("externals").unwrap(), &mut reading);
        let found = reading.finish(Some(found)).map_err(|error| error.to_string());
        (found, notes.into_vec().into_iter().map(|note| note.text).collect())
    }

    #[test]
    fn the_seeds_example_is_read_word_for_word() {
        let (found, notes) = read(
            "externals:\n- name: user\n  data: myuser\n- name: nfs\n  datafile: nfsmountsfile\n\
             - name: sysctl\n  datascript: ./calculate_kernel_memory_settings\n",
        );
        let name = |text: &str| ExternalName::parse(text).unwrap();
        let path = |text: &str| RelPath::parse(text).unwrap();
        assert_eq!(
            found.unwrap(),
            [
                External::new(name("user"), ExternalData::Inline(b"myuser".to_vec())),
                External::new(name("nfs"), ExternalData::File(path("nfsmountsfile"))),
                External::new(
                    name("sysctl"),
                    ExternalData::Script(path("calculate_kernel_memory_settings"))
                ),
            ]
        );
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn data_keep_their_text_and_blocks_their_line_ends() {
        let (found, _) = read(
            "externals:\n- {name: a, data: 5.10}\n- name: b\n  data: |\n    x\n\n    y\n- name: c\n\
             - name: a\n  data: ''\n  strict: true\n",
        );
        let found = found.unwrap();
        let data: Vec<_> = found.iter().map(|one| &one.data).collect();
        let inline = |text: &str| ExternalData::Inline(text.as_bytes().to_vec());
        assert_eq!(data, [&inline("5.10"), &inline("x\n\ny\n"), &ExternalData::None, &inline("")]);
        assert_eq!(
            found.iter().map(|one| one.strict).collect::<Vec<_>>(),
            [false, false, false, true]
        );
    }

    #[test]
    fn what_would_lead_out_of_the_package_is_refused() {
        for bad in [
            "{name: ../sh}",
            "{name: .x}",
            "{name: [a]}",
            "{data: x}",
            "just-a-name",
            "{name: a, datafile: /etc/shadow}",
            "{name: a, datascript: x/../../y}",
            "{name: a, datafile: ./}",
            "{name: a, data: {b: c}}",
        ] {
            assert!(read(&format!("externals:\n- {bad}\n")).0.is_err(), "{bad}");
        }
        assert!(read("externals: text\n").0.is_err());
        let (found, notes) = read("externals:\n- {name: a, data: x, datafile: /y, nmae: z}\n");
        assert_eq!(found.unwrap().len(), 1);
        assert_eq!(notes.len(), 2, "{notes:?}");
    }
}
