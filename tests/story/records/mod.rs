//! The life cycles of deployments as records: every call of a script, in order, each with its gear, its
//! directory, the pages that it sees, the state of the gear, and all of its environment.

mod deployments;
mod environment;
mod scaled;
mod snapshots;

use super::deploy::Scene;
use super::host::Host;
use std::collections::BTreeMap;

/// Writes the call down in a file whose name is the time: the environment as it is, and what the record
/// has beside it, as variables of its own.
const RECORD: &str = r#"
(
here=$PWD/; here=${here#"$OPENSHIFT_HOMEDIR"}
page() { cat "$1/page" 2>/dev/null || echo -; }
mkdir -p "$OPENSHIFT_WEB_DIR/calls"
env -0 "RECORD_CALL=$call" "RECORD_FOLDER=~/${here%/}" "RECORD_SEEN=$(page "$OPENSHIFT_REPO_DIR")" \
    "RECORD_LIVE=$(page ~/app-root/runtime/repo)" "RECORD_STATE=$(<~/app-root/runtime/.state)" \
    >"$OPENSHIFT_WEB_DIR/calls/$(date +%s%N)"
)
"#;

/// The hooks of the application's developer that are recorded: those that are sourced with a
/// cartridge's script, those around a script, and those after one or alone.
const SOURCED: [&str; 7] = [
    "pre_stop_web",
    "post_stop_web",
    "pre_pre-build_web",
    "post_build_web",
    "pre_start_web",
    "post_start_side",
    "pre_deploy_web",
];
const AROUND: [&str; 8] = [
    "pre_stop",
    "post_stop",
    "pre_start",
    "post_start",
    "pre_pre_receive",
    "post_pre_receive",
    "pre_post_receive",
    "post_post_receive",
];
const AFTER: [&str; 5] = ["pre_build", "build", "prepare", "deploy", "post_deploy"];

/// What bash sets by itself.
const OF_BASH: [&str; 4] = ["_", "SHLVL", "PWD", "OLDPWD"];

/// One call of a script.
struct Call {
    gear: String,
    time: String,
    /// Who, what and with which words, where, what it sees by its variables and by the link, and the
    /// state.
    line: String,
    environment: BTreeMap<String, String>,
}

impl Call {
    fn parse(gear: &str, time: &str, bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).unwrap();
        let pairs = text.split_terminator('\0').map(|pair| pair.split_once('=').unwrap());
        let mut environment: BTreeMap<String, String> = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .filter(|(name, _)| !OF_BASH.contains(&name.as_str()))
            .collect();
        let line = ["CALL", "FOLDER", "SEEN", "LIVE", "STATE"]
            .map(|part| environment.remove(&format!("RECORD_{part}")).unwrap());
        Self { gear: gear.into(), time: time.into(), line: line.join(" "), environment }
    }

    /// What the title of its step says: the action of `bin/control`, and for hooks without one, their
    /// name.
    fn step(&self) -> String {
        let mut words = self.line.split(' ');
        let (who, what) = (words.next().unwrap(), words.next().unwrap());
        match (who, what) {
            (_, "disable-server") => "send none to".to_owned(),
            (_, "enable-server") => "send requests to".to_owned(),
            ("hook", hook) => {
                let around = !AFTER.contains(&hook);
                let action = if around { hook.split_once('_').unwrap().1 } else { hook };
                let mut ends = ["_web", "_side"].into_iter();
                let sourced = ends.find_map(|end| action.strip_suffix(end));
                sourced.unwrap_or(action).replace('_', "-")
            }
            (_, action) => action.to_owned(),
        }
    }
}

/// Has this cartridge of a gear written down from now on.
fn record(host: &Host, gear: &str, cartridge: &str) {
    let path = host.home(gear).join(cartridge).join("bin/control");
    let text = std::fs::read_to_string(&path).unwrap();
    let own = text.strip_prefix("#!/bin/bash\n").unwrap();
    std::fs::write(&path, format!("#!/bin/bash\ncall=\"{cartridge} $*\"{RECORD}{own}")).unwrap();
}

/// Puts the hooks, which write themselves down, into the developer's working copy.
fn record_hooks(host: &Host) {
    for hook in [&SOURCED[..], &AROUND, &AFTER].concat() {
        let text = format!("#!/bin/bash\ncall='hook {hook}'{RECORD}");
        host.write(&format!("work/.openshift/action_hooks/{hook}"), &text, 0o755);
    }
}

/// What was called in these gears since the last time, in order.
fn calls(host: &Host, gears: &[&str]) -> Vec<Call> {
    let mut calls = Vec::new();
    for gear in gears {
        let folder = host.home(gear).join("web/calls");
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let (path, time) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
            let bytes = std::fs::read(&path).unwrap();
            calls.push(Call::parse(gear, time.to_str().unwrap(), &bytes));
            std::fs::remove_file(path).unwrap();
        }
    }
    calls.sort_by(|one, other| one.time.cmp(&other.time));
    calls
}

/// The lines of these calls.
fn lines(calls: &[Call]) -> String {
    calls.iter().map(|call| call.line.as_str()).collect::<Vec<_>>().join("\n")
}

/// The application at `first`, recorded from now on.
fn recorded() -> Scene {
    let scene = Scene::new();
    for name in ["web", "side"] {
        record(&scene.host, "app", name);
    }
    record_hooks(&scene.host);
    scene.commit(&[]);
    scene.push().unwrap();
    called(&scene);
    scene
}

/// What was called since the last time.
fn called(scene: &Scene) -> Vec<Call> {
    calls(&scene.host, &["app"])
}
