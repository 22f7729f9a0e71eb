//! What cartridges publish for each other: variables in lines, and the words in which subscribers'
//! hooks get them (node specification, 10).

use super::home::is_the_skeletons;
use super::variables::never_the_users;
use crate::package::ident::EnvName;
use std::collections::BTreeMap;

/// The most variables that one publisher may publish.
const MOST: usize = 200;
/// The longest value, in bytes.
const LONGEST: usize = 16 << 10;

/// What a publisher's hook printed, without what is for the user and without blanks at its end.
pub fn cleaned(output: &str) -> String {
    let lines = output.lines().filter(|line| !line.starts_with("CLIENT_"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.trim_end().to_owned()
}

/// The variables in `text`, a line each, and what is not heeded. Names come in upper case; lines
/// without `=` are passed over in silence, as in the original.
pub fn variables(text: &str) -> (BTreeMap<String, String>, Vec<String>) {
    let mut found = BTreeMap::new();
    let mut notes = Vec::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let name = name.trim().to_uppercase();
        let why = if EnvName::parse(&name).is_err() {
            "is no name of a variable"
        } else if is_the_skeletons(&name) || never_the_users(&name) {
            "is the platform's"
        } else if value.len() > LONGEST || value.contains('\0') {
            "has a value that is too long, or no text"
        } else if found.len() >= MOST {
            "is one too many"
        } else {
            found.insert(name, value.trim_end().to_owned());
            continue;
        };
        let shown: String = name.chars().take(80).collect();
        notes.push(format!("`{}` is not published: it {why}", shown.escape_debug()));
    }
    notes.truncate(10);
    (found, notes)
}

/// The fourth argument of a subscriber's hook, `'gear'='text' 'gear'='text'`, and the bare texts,
/// their lines joined by blanks. Variables come as `A=1; B=2;`.
pub fn arguments<'a>(
    outputs: impl Iterator<Item = (&'a str, &'a str)>,
    is_env: bool,
) -> (String, String) {
    let mut fourth = Vec::new();
    let mut bare = Vec::new();
    for (gear, text) in outputs {
        let handed = if is_env {
            let (variables, _) = variables(text);
            let pairs = variables.iter().map(|(name, value)| format!("{name}={value};"));
            pairs.collect::<Vec<_>>().join(" ")
        } else {
            text.to_owned()
        };
        fourth.push(format!("'{gear}'='{handed}'"));
        bare.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()));
    }
    (fourth.join(" "), bare.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_variables_where_they_can_be() {
        let (found, notes) = variables("db_host=h\nnonsense\nURL=a=b\n1X=2\nPATH=/evil\nHOME=/x\n");
        let found: Vec<_> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, [("DB_HOST", "h"), ("URL", "a=b")]);
        assert_eq!(notes.len(), 3, "{notes:?}");
    }

    #[test]
    fn hooks_get_every_publisher_by_its_gear() {
        let outputs = [("g1", "A=1\nB=2"), ("g2", "dns|127.0.1.1:80")];
        let (fourth, bare) = arguments(outputs.into_iter(), false);
        assert_eq!(fourth, "'g1'='A=1\nB=2' 'g2'='dns|127.0.1.1:80'");
        assert_eq!(bare, "A=1 B=2 dns|127.0.1.1:80");
        let (fourth, _) = arguments([("g1", "a=1\nB=2\n")].into_iter(), true);
        assert_eq!(fourth, "'g1'='A=1; B=2;'");
    }

    #[test]
    fn what_is_for_the_user_is_not_published() {
        assert_eq!(cleaned("CLIENT_MESSAGE: hi\nA=1\nCLIENT_RESULT: x\nB=2\n\n"), "A=1\nB=2");
    }
}
