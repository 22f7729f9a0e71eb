//! What the environment of every recorded call has to be, name by name and value by value (node
//! specification, 3.2 and 3.3; the guide, Environment Variables).
//!
//! Words in braces are what a test knows of the gear from elsewhere. Nothing beside what stands here is
//! there: the caller's own environment reaches no script.

use super::Call;
use crate::host::Host;
use serde_json::Value;
use std::collections::BTreeMap;

/// What all gears have. The original has `/tmp/` for the four of the temporary folder, which is another
/// one in each gear there; here it is named by where it is.
const EVERY: &str = "
BASH_COMPAT=4.2
CART_ATTEMPT=1
CART_STATE={STATE}
CART_TRANSACTION={TRANSACTION}
GEM_HOME={HOME}/.gem
HISTFILE={HOME}/app-root/data/.bash_history
HOME={HOME}/
LANG=C.UTF-8
LD_LIBRARY_PATH=
LOGNAME={UUID}
OPENSHIFT_APP_DNS={APP_DNS}
OPENSHIFT_APP_NAME=app
OPENSHIFT_APP_SSH_KEY={HOME}/.openshift_ssh/id_rsa
OPENSHIFT_APP_SSH_PUBLIC_KEY={HOME}/.openshift_ssh/id_rsa.pub
OPENSHIFT_APP_UUID={APP_UUID}
OPENSHIFT_AUTO_DEPLOY=true
OPENSHIFT_BROKER_HOST=localhost
OPENSHIFT_BUILD_DEPENDENCIES_DIR={SHOWN}/build-dependencies/
OPENSHIFT_CARTRIDGE_SDK_BASH={LIB}/sdk/bash/cartridge_sdk
OPENSHIFT_CARTRIDGE_SDK_RUBY={LIB}/sdk/ruby/sdk.rb
OPENSHIFT_CLOUD_DOMAIN=localhost
OPENSHIFT_DATA_DIR={HOME}/app-root/data/
OPENSHIFT_DEPENDENCIES_DIR={SHOWN}/dependencies/
OPENSHIFT_DEPLOYMENTS_DIR={HOME}/app-deployments/
OPENSHIFT_DEPLOYMENT_BRANCH=master
OPENSHIFT_DEPLOYMENT_TYPE=git
OPENSHIFT_GEAR_DNS={DNS}
OPENSHIFT_GEAR_MEMORY_MB=512
OPENSHIFT_GEAR_NAME={NAME}
OPENSHIFT_GEAR_UUID={UUID}
OPENSHIFT_HOMEDIR={HOME}/
OPENSHIFT_KEEP_DEPLOYMENTS=1
OPENSHIFT_LOG_DIR={HOME}/app-root/logs/
OPENSHIFT_NAMESPACE=local
OPENSHIFT_PRIMARY_CARTRIDGE_DIR={HOME}/web/
OPENSHIFT_REPO_DIR={SHOWN}/repo/
OPENSHIFT_SECRET_TOKEN={SECRET}
OPENSHIFT_TMP_DIR={HOME}/.tmp/
OPENSHIFT_UMASK=077
PATH={LIB}/bin:/bin:/usr/bin:/usr/sbin:{LIB}/fallbacks
SHELL=/bin/bash
TMP={HOME}/.tmp/
TMPDIR={HOME}/.tmp/
TMP_DIR={HOME}/.tmp/
USER={UUID}
";

/// What each cartridge has: all of a gear see all of them.
const CARTRIDGE: &str = "
OPENSHIFT_{SHORT}_DIR={HOME}/{DIR}/
OPENSHIFT_{SHORT}_IDENT=test:{DIR}:1:1.0
";

/// What an endpoint has.
const ENDPOINT: &str = "
OPENSHIFT_WEB_IP={ADDRESS}
OPENSHIFT_WEB_PORT=8080
";

/// Where the links lead, and where a deployment lies that they do not show yet.
const SHOWN: &str = "{HOME}/app-root/runtime";

/// The environment that the scripts of a gear have in one transaction.
#[derive(Clone)]
pub(super) struct Environment {
    values: BTreeMap<String, String>,
    /// The titles of the transaction's steps.
    steps: Vec<String>,
    gear: String,
}

impl Environment {
    /// That of the gear `name` in the last transaction.
    pub(super) fn of(host: &Host, name: &str) -> Self {
        Self::in_one(host, name, &host.last())
    }

    /// The same in this transaction.
    pub(super) fn in_one(host: &Host, name: &str, transaction: &str) -> Self {
        let (shown, head) =
            (host.json(&["gear", "show", name]), host.json(&["gear", "show", "app"]));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let uuid = text(&shown["uuid"]);
        let secret = random(&host.home("app").join(".env/OPENSHIFT_SECRET_TOKEN"));
        let state = host.root().join("var/lib/cartwright").display().to_string();
        let lib = format!("{state}/lib/{}", env!("CARGO_PKG_VERSION"));
        let (home, dns) = (host.home(name).display().to_string(), text(&shown["dns"]));
        let (app_uuid, app_dns) = (text(&head["uuid"]), text(&head["dns"]));
        // The gears of a scaled application are known by their identifiers, the head by its name.
        let gear_name = if name == "app" { "app" } else { &uuid };
        let words = [
            ("SHOWN", SHOWN),
            ("HOME", &home),
            ("STATE", &state),
            ("LIB", &lib),
            ("TRANSACTION", transaction),
            ("NAME", gear_name),
            ("UUID", &uuid),
            ("DNS", &dns),
            ("APP_UUID", &app_uuid),
            ("APP_DNS", &app_dns),
            ("SECRET", &secret),
        ];
        let mut values = table(EVERY, &words);
        for cartridge in shown["cartridges"].as_array().unwrap() {
            let dir = text(&cartridge["name"]);
            let short = dir.to_uppercase();
            let own = [("SHORT", short.as_str()), ("DIR", &dir), ("HOME", &home)];
            values.extend(table(CARTRIDGE, &own));
        }
        for endpoint in shown["endpoints"].as_array().unwrap() {
            values.extend(table(ENDPOINT, &[("ADDRESS", &text(&endpoint["address"]))]));
        }
        let steps = host.json(&["history", transaction])["steps"].clone();
        let steps = steps.as_array().unwrap().iter().map(|step| text(&step["title"])).collect();
        Self { values, steps, gear: name.to_owned() }
    }

    /// The same but for these.
    pub(super) fn with(mut self, others: &[(&str, &str)]) -> Self {
        for (name, value) in others {
            self.values.insert((*name).to_owned(), (*value).to_owned());
        }
        self
    }

    /// The same while the scripts see the deployment `name` apart from the links.
    pub(super) fn apart(self, host: &Host, name: &str) -> Self {
        let place = host.home(&self.gear).join("app-deployments").join(name);
        let dir = |part: &str| format!("{}/", place.join(part).display());
        self.with(&[
            ("OPENSHIFT_REPO_DIR", &dir("repo")),
            ("OPENSHIFT_DEPENDENCIES_DIR", &dir("dependencies")),
            ("OPENSHIFT_BUILD_DEPENDENCIES_DIR", &dir("build-dependencies")),
        ])
    }

    /// These calls had exactly this.
    pub(super) fn check(&self, calls: &[Call]) {
        assert!(!calls.is_empty());
        for call in calls {
            let mut own = call.environment.clone();
            let step = own.remove("CART_STEP").unwrap();
            let title = &self.steps[step.parse::<usize>().unwrap() - 1];
            let is_its =
                title.contains(&call.step()) && title.contains(&format!("`{}`", self.gear));
            assert!(is_its, "{} is not of the step {step}, {title}", call.line);
            let differ = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
                let pairs = one.iter().filter(|(name, value)| other.get(*name) != Some(*value));
                pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
            };
            let (more, less) = (differ(&own, &self.values), differ(&self.values, &own));
            assert!(more == less, "{}: it has {more:#?}\nand is to have {less:#?}", call.line);
        }
    }
}

/// The variables of a table, with these words for those in braces.
fn table(text: &str, words: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut text = text.trim().to_owned();
    for (word, value) in words {
        text = text.replace(&format!("{{{word}}}"), value);
    }
    let pairs = text.lines().map(|line| line.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What stands in a file that nobody could guess: 64 bytes in hexadecimal digits.
fn random(path: &std::path::Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(text.len() == 128 && is_hex, "{text}");
    text
}
