//! `metadata.yml`: what a directory or a server of tpkg packages has, one document each, as the
//! original writes it. Its keys may be symbols of Ruby (`:name:`). Nothing of it is believed beyond
//! the choice: what is fetched says itself what it is.

use crate::package::tpkg::{Requirement, RequirementKind};
use serde_yaml::{Mapping, Value};

/// The name of such a file.
pub const INDEX: &str = "metadata.yml";
/// The longest one that is read, in bytes.
pub const LONGEST: u64 = 64 << 20;

/// A package that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The release of its packaging.
    pub package_version: Option<String>,
    /// The name of its file, one component.
    pub file_name: String,
    /// On which systems it runs.
    pub operating_systems: Vec<String>,
    /// On which hardware it runs.
    pub architectures: Vec<String>,
    /// What it needs.
    pub dependencies: Vec<Requirement>,
    /// What is in its way.
    pub conflicts: Vec<Requirement>,
}

/// Reads such a file; gives what can be read, and the number of documents that cannot.
pub fn read(bytes: &[u8]) -> (Vec<Listed>, usize) {
    let text = String::from_utf8_lossy(bytes);
    let (mut found, mut wrong) = (Vec::new(), 0);
    for document in documents(&text) {
        let value = serde_yaml::from_str::<Value>(&document);
        match value.ok().as_ref().and_then(Value::as_mapping).and_then(listed) {
            Some(one) => found.push(one),
            None => wrong += 1,
        }
    }
    (found, wrong)
}

/// The documents; a line that begins with `---` begins one, text within a line does not.
fn documents(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let rest = line.strip_prefix("---").filter(|rest| rest.starts_with(char::is_whitespace));
        match (rest, found.last_mut()) {
            (Some(rest), _) => found.push(rest.to_owned()),
            (None, Some(document)) => document.push_str(line),
            (None, None) => found.push(line.to_owned()),
        }
    }
    found.retain(|document| !document.trim().is_empty());
    found
}

fn listed(of: &Mapping) -> Option<Listed> {
    let file_name = text(of, "filename")?;
    let is_name = !file_name.contains('/') && !file_name.starts_with('.') && !file_name.is_empty();
    Some(Listed {
        name: text(of, "name")?,
        version: text(of, "version")?,
        package_version: text(of, "package_version"),
        file_name: Some(file_name).filter(|_| is_name)?,
        operating_systems: texts(of, "operatingsystem"),
        architectures: texts(of, "architecture"),
        dependencies: requirements(of, "dependencies"),
        conflicts: requirements(of, "conflicts"),
    })
}

fn get<'a>(of: &'a Mapping, key: &str) -> Option<&'a Value> {
    of.get(key).or_else(|| of.get(format!(":{key}").as_str()))
}

/// A scalar in the text that it stands for; Ruby has written it, so a number is what it printed.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

fn text(of: &Mapping, key: &str) -> Option<String> {
    scalar(get(of, key)?).filter(|text| !text.is_empty())
}

fn texts(of: &Mapping, key: &str) -> Vec<String> {
    let list = get(of, key).and_then(Value::as_sequence);
    list.into_iter().flatten().filter_map(scalar).collect()
}

fn requirements(of: &Mapping, key: &str) -> Vec<Requirement> {
    let list = get(of, key).and_then(Value::as_sequence);
    list.into_iter().flatten().filter_map(Value::as_mapping).filter_map(requirement).collect()
}

fn requirement(of: &Mapping) -> Option<Requirement> {
    let is_native = get(of, "native").and_then(Value::as_bool).unwrap_or(false)
        || text(of, "type").is_some_and(|kind| kind.trim_start_matches(':') == "native");
    Some(Requirement {
        name: text(of, "name")?,
        kind: if is_native { RequirementKind::Native } else { RequirementKind::Tpkg },
        minimum_version: text(of, "minimum_version"),
        maximum_version: text(of, "maximum_version"),
        minimum_package_version: text(of, "minimum_package_version"),
        maximum_package_version: text(of, "maximum_package_version"),
        allowed_versions: text(of, "allowed_versions"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_either_spelling_are_read_and_bad_ones_are_counted() {
        let text = "---\nname: a\nversion: \"1.10\"\nfilename: a-1.10.tpkg\n\
                    description: one --- two\n\
                    --- \n:name: b\n:version: 2.5\n:package_version: 3\n:filename: b-2.5-3.tpkg\n\
                    :dependencies:\n- :name: a\n  :minimum_version: 1\n  :type: :tpkg\n\
                    - :name: bash\n  :native: true\n\
                    ---\nname: evil\nversion: 1\nfilename: ../evil.tpkg\n\
                    ---\n[not a package\n";
        let (found, wrong) = read(text.as_bytes());
        assert_eq!(wrong, 2);
        let [a, b] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((a.version.as_str(), a.file_name.as_str()), ("1.10", "a-1.10.tpkg"));
        assert_eq!((b.version.as_str(), b.package_version.as_deref()), ("2.5", Some("3")));
        let [one, two] = b.dependencies.as_slice() else { panic!("{b:?}") };
        assert_eq!((one.kind, one.minimum_version.as_deref()), (RequirementKind::Tpkg, Some("1")));
        assert_eq!(two.kind, RequirementKind::Native);
    }
}
