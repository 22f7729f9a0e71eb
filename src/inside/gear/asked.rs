//! The command line of `gear`.

use super::super::Refused;
use super::FAILED;
use std::collections::BTreeSet;

/// The verbs: name, what may be named with it, and what it does.
pub(super) const VERBS: [(&str, &str, &str); 22] = [
    ("start", "", "start all cartridges, or one"),
    ("stop", "", "stop all cartridges, or one"),
    ("restart", "", "restart one cartridge, or all with --all-cartridges"),
    ("reload", "", "let one cartridge read its configuration again"),
    ("status", "", "ask one cartridge how it is"),
    ("deploy", "[REF]", "build what the repository has, and put it to use"),
    ("build", "[REF]", "build what the repository has"),
    ("prepare", "FILE", "make a deployment of what was built elsewhere"),
    ("distribute", "ID", "hand a deployment to the other gears of the application"),
    ("activate", "ID", "put a deployment to use"),
    ("remotedeploy", "", "put to use what a builder has built"),
    ("binary-deploy", "[FILE]", "put to use what was built elsewhere, from FILE or the input"),
    ("deployments", "", "list the deployments"),
    ("archive-deployment", "", "write a deployment to the output, as .tar.gz"),
    ("create-deployment-dir", "", "make the folder of a new deployment"),
    ("prereceive", "", "what comes before a push is taken"),
    ("postreceive", "", "what comes after it was taken"),
    ("rotate-in", "", "let the proxy send requests to this gear again"),
    ("rotate-out", "", "let the proxy send no requests to this gear"),
    ("snapshot", "", "write the whole gear to the output, as .tar.gz"),
    ("restore", "", "take the data of such an archive from the input"),
    ("help", "", "show this"),
];

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) verb: String,
    /// What is named with the verb: a revision, a file, a deployment.
    pub(super) word: Option<String>,
    pub(super) cart: Option<String>,
    pub(super) git_ref: Option<String>,
    /// The gear that a proxy is told of.
    pub(super) gear: Option<String>,
    /// A deployment, by identifier or by its folder.
    pub(super) deployment: Option<String>,
    /// The other options, without their dashes.
    flags: BTreeSet<&'static str>,
}

/// The options without a value.
const FLAGS: [&str; 16] = [
    "all",
    "all-cartridges",
    "as-json",
    "conditional",
    "exclude-web-proxy",
    "force-clean-build",
    "help",
    "hot-deploy",
    "init",
    "no-report-deployments",
    "no-rotation",
    "persist",
    "post-install",
    "restore-git-repo",
    "rotation",
    "trace",
];

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
                value.map(Some).ok_or_else(|| usage(&format!("`{name}` needs a value")))
            };
            match name {
                "--cart" => asked.cart = value()?,
                "--git-ref" => asked.git_ref = value()?,
                "--gear" => asked.gear = value()?,
                "--deployment-id" | "--deployment-datetime" => asked.deployment = value()?,
                "-h" => drop(asked.flags.insert("help")),
                _ if flag(name).is_some() => asked.flags.extend(flag(name)),
                _ if name.starts_with('-') => {
                    return Err(usage(&format!("unknown option `{}`", name.escape_debug())));
                }
                _ if asked.verb.is_empty() => word.clone_into(&mut asked.verb),
                _ => asked.take(word)?,
            }
        }
        if asked.verb.is_empty() || asked.verb == "help" {
            asked.flags.insert("help");
        }
        Ok(asked)
    }

    /// Takes what is named with the verb.
    fn take(&mut self, word: &str) -> Result<(), Refused> {
        let takes = VERBS.iter().any(|(verb, what, _)| *verb == self.verb && !what.is_empty());
        // An unknown verb is what there is to complain about.
        let is_known = VERBS.iter().any(|(verb, ..)| *verb == self.verb);
        if is_known && (!takes || self.word.is_some()) {
            return Err(usage(&format!("unexpected `{}`", word.escape_debug())));
        }
        self.word = Some(word.to_owned());
        Ok(())
    }

    /// Tells whether an option without a value was given; `name` is one of [`FLAGS`].
    pub(super) fn has(&self, name: &str) -> bool {
        self.flags.contains(name)
    }

    /// What must be named with the verb; `what` says what that is.
    pub(super) fn named(&self, what: &str) -> Result<&str, Refused> {
        let word = self.word.as_deref().filter(|word| !word.is_empty());
        word.ok_or_else(|| usage(&format!("you must specify {what}")))
    }

    pub(super) fn refuse_what_is_unknown(&self) -> Result<(), Refused> {
        let verb = self.verb.as_str();
        if VERBS.iter().any(|(built, ..)| *built == verb) {
            return Ok(());
        }
        Err(usage(&format!("unknown verb `{}`", verb.escape_debug())))
    }
}

fn flag(word: &str) -> Option<&'static str> {
    let name = word.strip_prefix("--")?;
    FLAGS.into_iter().find(|flag| *flag == name)
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
            flags: ["conditional", "trace"].into(),
            ..Asked::default()
        };
        let line = "--cart=php-5.4 stop --conditional --git-ref abc --trace";
        assert_eq!(asked(line).unwrap(), expected);
        assert!(asked("").unwrap().has("help") && asked("help").unwrap().has("help"));
        let line = asked("activate 1234 --post-install --no-rotation").unwrap();
        assert_eq!(line.word.as_deref(), Some("1234"));
        assert!(line.has("post-install") && line.has("no-rotation") && !line.has("all"));
        for bad in ["start --nonsense", "start now", "start --cart", "activate 1 2"] {
            assert_eq!(asked(bad).unwrap_err().status, FAILED, "{bad}");
        }
        assert_eq!(asked("activate").unwrap().named("an id").unwrap_err().status, FAILED);
    }

    #[test]
    fn verbs_are_known_or_refused_by_name() {
        for (verb, ..) in VERBS {
            assert!(asked(verb).unwrap().refuse_what_is_unknown().is_ok(), "{verb}");
        }
        let unknown = asked("dance now").unwrap().refuse_what_is_unknown().unwrap_err();
        assert!(unknown.failure.summary.contains("unknown verb"));
    }
}
