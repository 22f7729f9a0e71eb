//! What to do about a script that failed, where its last words tell.

use std::collections::BTreeSet;

/// The remedies for what `said` complains about; `said` is what a script wrote to standard error.
pub(super) fn of(said: &str) -> Vec<String> {
    let mut missing = BTreeSet::new();
    let mut dos = false;
    for line in said.lines() {
        missing.extend(missing_program(line));
        dos |= line.contains("$'\\r'") || line.contains("\r': command not found");
    }
    let mut hints: Vec<String> = missing.into_iter().map(|name| remedy(&name)).collect();
    if dos {
        let text = "one of its files has DOS line ends: `sed -i 's/\\r$//' FILE` takes them away";
        hints.push(text.into());
    }
    hints
}

/// The program that bash or `env` did not find.
fn missing_program(line: &str) -> Option<String> {
    let name = match line.strip_suffix(": command not found") {
        Some(rest) => rest.rsplit(": ").next()?,
        None => line
            .strip_suffix(": No such file or directory")?
            .strip_prefix("/usr/bin/env: ")
            .or_else(|| line.strip_suffix(": No such file or directory")?.strip_prefix("env: "))?
            .trim_matches(['‘', '’', '\'']),
    };
    let is_name = |one: char| one.is_ascii_alphanumeric() || "-_.+/".contains(one);
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

fn remedy(program: &str) -> String {
    match program.rsplit('/').next().unwrap_or(program) {
        "python" | "python2" => format!(
            "`{program}` is Python 2, which this host does not have: the script has to be changed \
             for `python3`, or Python 2 be installed under that name"
        ),
        name if name.starts_with("client_") => {
            format!("`{program}` is a function of the SDK: `source $OPENSHIFT_CARTRIDGE_SDK_BASH`")
        }
        _ => format!("install what provides `{program}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn missing_programs_are_named_once_each() {
        let said = "/gear/bin/control: line 3: memcached: command not found\nother words\n\
                    bin/x: line 9: memcached: command not found\n\
                    /usr/bin/env: ‘node’: No such file or directory\n\
                    cat: /no/file: No such file or directory\n";
        assert_eq!(of(said), ["install what provides `memcached`", "install what provides `node`"]);
    }

    #[test]
    fn python_2_is_called_by_its_name() {
        let hints = of("hooks/publish: line 7: python: command not found");
        assert!(hints[0].contains("Python 2") && hints[0].contains("`python3`"), "{hints:?}");
        assert!(of("x: client_result: command not found")[0].contains("SDK"));
    }

    #[test]
    fn dos_line_ends_are_recognised() {
        assert!(of("./x: line 2: $'\\r': command not found")[0].contains("DOS"));
        assert!(of("").is_empty());
    }
}
