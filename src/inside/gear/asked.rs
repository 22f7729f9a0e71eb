//! The command line of `gear`.

use super::super::Refused;
use super::FAILED;
use std::collections::BTreeSet;

/// The verbs that work, and what they do.
pub(super) const VERBS: [(&str, &str); 5] = [
    ("start", "start all cartridges, or one"),
    ("stop", "stop all cartridges, or one"),
    ("restart", "restart one cartridge, or all with --all-cartridges"),
    ("reload", "let one cartridge read its configuration again"),
    ("status", "ask one cartridge how it is"),
];

/// The verbs of the original whose sequences are not here yet, and what they belong to.
const NOT_BUILT: [(&str, &str); 14] = [
    ("prereceive", "builds and deployments"),
    ("postreceive", "builds and deployments"),
    ("build", "builds and deployments"),
    ("prepare", "builds and deployments"),
    ("distribute", "builds and deployments"),
    ("activate", "builds and deployments"),
    ("archive-deployment", "builds and deployments"),
    ("create-deployment-dir", "builds and deployments"),
    ("remotedeploy", "builds and deployments"),
    ("deploy", "builds and deployments"),
    ("binary-deploy", "builds and deployments"),
    ("deployments", "builds and deployments"),
    ("snapshot", "snapshots"),
    ("restore", "snapshots"),
];
/// Of these, too; a web proxy would be told of them.
const OF_A_PROXY: [&str; 2] = ["rotate-in", "rotate-out"];

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) verb: String,
    pub(super) cart: Option<String>,
    pub(super) git_ref: Option<String>,
    /// The other options, without their dashes.
    flags: BTreeSet<&'static str>,
}

/// The options without a value.
const FLAGS: [&str; 5] = ["all-cartridges", "as-json", "conditional", "exclude-web-proxy", "help"];

impl Asked {
    pub(super) fn parse(words: &[String]) -> Result<Self, Refused> {
        let mut asked = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) if name.starts_with('-') => (name, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let mut value = || {
                let value = attached.clone().or_else(|| rest.next().cloned());
                value.ok_or_else(|| usage(&format!("`{name}` needs a value")))
            };
            match name {
                "--cart" => asked.cart = Some(value()?),
                "--git-ref" => asked.git_ref = Some(value()?),
                "-h" | "help" => drop(asked.flags.insert("help")),
                // All gears of the application are this one; there are no traces to show.
                "--all" | "--trace" => {}
                _ if flag(name).is_some() => asked.flags.extend(flag(name)),
                // What verbs that are not built take is theirs.
                _ if is_not_built(&asked.verb) => {}
                _ if name.starts_with('-') => {
                    return Err(usage(&format!("unknown option `{}`", name.escape_debug())));
                }
                _ if asked.verb.is_empty() => word.clone_into(&mut asked.verb),
                _ => return Err(usage(&format!("unexpected `{}`", word.escape_debug()))),
            }
        }
        if asked.verb.is_empty() {
            asked.flags.insert("help");
        }
        Ok(asked)
    }

    /// Tells whether an option without a value was given; `name` is one of [`FLAGS`].
    pub(super) fn has(&self, name: &str) -> bool {
        self.flags.contains(name)
    }

    pub(super) fn refuse_what_is_not_built(&self) -> Result<(), Refused> {
        let verb = self.verb.as_str();
        if VERBS.iter().any(|(built, _)| *built == verb) {
            return Ok(());
        }
        let part = NOT_BUILT.iter().find(|(name, _)| *name == verb).map(|(_, part)| *part);
        let part = part.or_else(|| OF_A_PROXY.contains(&verb).then_some("web proxies"));
        Err(match part {
            Some(part) => Refused::new(FAILED, format!("gear: `{verb}` is not here yet"))
                .hint(format!("this version has no {part}; nothing was done")),
            None => usage(&format!("unknown verb `{}`", verb.escape_debug())),
        })
    }
}

fn flag(word: &str) -> Option<&'static str> {
    let name = word.strip_prefix("--")?;
    FLAGS.into_iter().find(|flag| *flag == name)
}

fn is_not_built(verb: &str) -> bool {
    NOT_BUILT.iter().any(|(name, _)| *name == verb) || OF_A_PROXY.contains(&verb)
}

fn usage(text: &str) -> Refused {
    Refused::new(FAILED, format!("gear: {text}")).hint("`gear --help` lists the verbs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, Refused> {
        Asked::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_stand_anywhere_and_values_in_either_form() {
        let expected = Asked {
            verb: "stop".into(),
            cart: Some("php-5.4".into()),
            git_ref: Some("abc".into()),
            flags: ["conditional"].into(),
        };
        let line = "--cart=php-5.4 stop --conditional --git-ref abc --trace";
        assert_eq!(asked(line).unwrap(), expected);
        assert!(asked("").unwrap().has("help"));
        for bad in ["start --nonsense", "start now", "start --cart"] {
            assert_eq!(asked(bad).unwrap_err().status, FAILED, "{bad}");
        }
    }

    #[test]
    fn verbs_are_built_or_refused_by_name() {
        assert!(asked("restart --cart x").unwrap().refuse_what_is_not_built().is_ok());
        let build = asked("activate 1234 --post-install --no-rotation").unwrap();
        let refused = build.refuse_what_is_not_built().unwrap_err();
        assert!(refused.failure.summary.contains("`activate` is not here yet"));
        let unknown = asked("dance").unwrap().refuse_what_is_not_built().unwrap_err();
        assert!(unknown.failure.summary.contains("unknown verb"));
    }
}
