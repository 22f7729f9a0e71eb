//! Plans for gears, as text: `*.plan` files beside this one, run over the pure planner without any
//! disk. A file is a title and cases; each case has four lines, then an empty one:
//!
//! ```text
//! @facts STATE PROCESSES CARTRIDGE…     the gear `blog`: started, stopped or new
//! @run start | stop | destroy | farewell        (`farewell` is destroy with teardown)
//! @steps DESCRIPTION | DESCRIPTION…     or `-`: there is nothing to do
//! @consent Given | Courtesy | Needed
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests that read their cases, and fail where they cannot"
)]

mod upgrades;

use cartwright::db::GearRow;
use cartwright::facts::{Externals, Gear};
use cartwright::gear::state::State;
use cartwright::plan::Plan;
use cartwright::plan::gear::{Farewell, destroy, start, stop};
use std::path::Path;

fn gear(words: &str) -> Gear {
    let mut words = words.split(' ');
    let state = match words.next().unwrap() {
        "started" => State::Started,
        "stopped" => State::Stopped,
        "new" => State::New,
        other => panic!("no state is called `{other}`"),
    };
    let processes = words.next().unwrap().parse().unwrap();
    let cartridges: Vec<_> = words
        .enumerate()
        .map(|(index, name)| {
            serde_json::json!({
                "dir": name, "short_name": name.to_uppercase(), "software": "1",
                "ident": format!("test:{name}:1:1.0"), "place": format!("cartridge/test-{name}/1"),
                "is_primary": index == 0,
            })
        })
        .collect();
    let identity = serde_json::json!({
        "name": "blog", "uuid": "g0123456789ab", "owner": null, "account": false,
        "sandbox": "plain", "cartridges": cartridges,
    });
    let row = GearRow {
        role: None,
        id: 1,
        name: "blog".into(),
        uuid: "g0123456789ab".into(),
        slot: 2,
        uid: None,
        gid: None,
        account: false,
        sandbox: "plain".into(),
        created: 0,
        app: "blog".into(),
        dns: None,
    };
    Gear {
        row,
        identity: serde_json::from_value(identity).unwrap(),
        packages: Vec::new(),
        endpoints: Vec::new(),
        state: Some(state),
        processes,
        memory: 0,
        is_kept: false,
        limits: cartwright::sys::cgroup::Bounds::default(),
        stop_locked: state == State::Stopped,
        since: None,
        connected: false,
        externals: Vec::new(),
    }
}

fn plan(verb: &str, gear: &Gear) -> Plan {
    match verb {
        "start" => start(gear),
        "stop" => stop(gear),
        "destroy" => destroy(gear, Farewell::Silent, 1, &Externals::default()).unwrap(),
        "farewell" => destroy(gear, Farewell::Teardown, 1, &Externals::default()).unwrap(),
        other => panic!("nothing is called `{other}`"),
    }
}

#[test]
fn every_case_gives_the_plan_that_it_expects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan");
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().extension().is_none_or(|extension| extension != "plan") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for case in text.split("\n\n").filter(|case| case.contains("@facts ")) {
            let line = |mark: &str| {
                let line = case.lines().find_map(|line| line.strip_prefix(mark));
                line.unwrap_or_else(|| panic!("{mark} is missing in:\n{case}")).trim()
            };
            let plan = plan(line("@run"), &gear(line("@facts")));
            let steps = if plan.is_empty() { "-".into() } else { plan.descriptions().join(" | ") };
            assert_eq!(steps, line("@steps"), "{case}");
            assert_eq!(format!("{:?}", plan.consent), line("@consent"), "{case}");
            cases += 1;
        }
    }
    assert!(cases >= 10, "only {cases} cases were found");
}
