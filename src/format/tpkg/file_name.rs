//! The name of a package's file: `NAME-VERSION[-PACKAGEVERSION][-OS][-ARCH].tpkg`.

/// The longest name of a file, in bytes.
pub(super) const LONGEST: usize = 255;

/// What a file's name is made of.
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) package_version: Option<&'a str>,
    pub(super) operating_systems: &'a [String],
    pub(super) architectures: &'a [String],
}

/// The name without its ending.
pub(super) fn stem(parts: &Parts<'_>) -> String {
    let mut name = format!("{}-{}", parts.name, parts.version);
    let system = system(parts.operating_systems);
    let architecture = match parts.architectures {
        [] => None,
        [one] => Some(clean(one)),
        _ => Some("multiarch".to_owned()),
    };
    let more = [parts.package_version.map(str::to_owned), system, architecture];
    for part in more.into_iter().flatten() {
        name.push('-');
        name.push_str(&part);
    }
    name
}

/// The part for the systems: a common one where there is one. `CentOS` counts as `RedHat`, but for
/// one system alone, which is taken as it is written.
fn system(systems: &[String]) -> Option<String> {
    let [first, _, ..] = systems else { return systems.first().map(|one| clean(one)) };
    let same = |text: &str| text.replacen("CentOS", "RedHat", 1);
    let all: Vec<String> = systems.iter().map(|one| same(one)).collect();
    let first = same(first);
    let family = first.split('-').next().unwrap_or_default();
    Some(if all.iter().all(|one| *one == first) {
        clean(&first)
    } else if all.iter().all(|one| one.contains(&format!("{family}-"))) {
        clean(family)
    } else {
        "multios".to_owned()
    })
}

/// Letters, digits and `_` alone, in lower case.
fn clean(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase);
    lower.filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(systems: &[&str], architectures: &[&str]) -> String {
        let owned = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        let (systems, architectures) = (owned(systems), owned(architectures));
        stem(&Parts {
            name: "a",
            version: "1.0",
            package_version: Some("1"),
            operating_systems: &systems,
            architectures: &architectures,
        })
    }

    #[test]
    fn case_15_systems_and_architectures_in_the_name_of_the_file() {
        for (systems, architectures, name) in [
            (&[][..], &[][..], "a-1.0-1"),
            (&["RedHat-5"], &[], "a-1.0-1-redhat5"),
            (&["CentOS-5"], &[], "a-1.0-1-centos5"),
            (&["RedHat-5", "CentOS-5"], &[], "a-1.0-1-redhat5"),
            (&["RedHat-4", "CentOS-5"], &[], "a-1.0-1-redhat"),
            (&["RedHat-4", "Debian-5"], &[], "a-1.0-1-multios"),
            (&["Solaris-5.10"], &["i386", "sparc"], "a-1.0-1-solaris510-multiarch"),
            (&[], &["x86_64"], "a-1.0-1-x86_64"),
            (&["Debian-12"], &["AMD 64"], "a-1.0-1-debian12-amd64"),
            (&["RedHat", "RedHat-5"], &[], "a-1.0-1-multios"),
        ] {
            assert_eq!(of(systems, architectures), name);
        }
        let none = Parts {
            name: "a",
            version: "1",
            package_version: None,
            operating_systems: &[],
            architectures: &[],
        };
        assert_eq!(stem(&none), "a-1");
    }
}
