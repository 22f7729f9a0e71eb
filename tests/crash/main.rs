//! A real SIGKILL at every checkpoint, and again in the recovery: afterwards the host is exactly as
//! before or exactly as after, and the database agrees.
//!
//! Plain runs try every single fault (one in four where another scenario has the same steps) and, in
//! scenarios that are alike, for each kind of step, each of its phases and each checkpoint in it, one
//! double fault: that checkpoint's, in the act or in the recovery, together with one of the other's.
//! `CART_TEST_CRASH=all` tries all pairs, and `CART_TEST_CRASH=some` every fourth of the faults, for a
//! user by whom nothing but accounts and modes is different.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests that drive the program from outside, and fail where they cannot"
)]

#[expect(dead_code, reason = "the power cuts use the rest of it")]
mod host;
mod random;

use host::{Host, Seen};
use std::collections::BTreeSet;

/// One thing that a person does, and what they did before.
struct Scenario {
    name: &'static str,
    before: &'static [&'static [&'static str]],
    act: &'static [&'static str],
}

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "install", before: &[], act: &["install", "PACKAGE", "OTHER"] },
    Scenario {
        name: "install a rebuild",
        before: &[&["install", "PACKAGE"]],
        act: &["install", "REBUILD"],
    },
    Scenario { name: "remove", before: &[&["install", "PACKAGE"]], act: &["remove", "mock"] },
    Scenario {
        name: "upgrade",
        before: &[&["install", "PACKAGE"], &["NEWER", "PACKAGE"]],
        act: &["upgrade"],
    },
    Scenario {
        name: "upgrade to an older version",
        before: &[&["NEWER", "PACKAGE"], &["install", "PACKAGE"], &["OLDER", "PACKAGE"]],
        act: &["upgrade", "--allow-downgrade"],
    },
    Scenario {
        name: "hold",
        before: &[&["install", "PACKAGE"], &["hold", "mock", "--reason", "one"]],
        act: &["hold", "mock", "--reason", "two"],
    },
    Scenario {
        name: "undo an unhold",
        before: &[
            &["install", "PACKAGE"],
            &["hold", "mock", "--reason", "one"],
            &["unhold", "mock"],
        ],
        act: &["undo", "3"],
    },
    Scenario {
        name: "undo a removal",
        before: &[&["install", "PACKAGE"], &["remove", "mock"]],
        act: &["undo", "2"],
    },
    Scenario {
        name: "gear create",
        before: &[],
        act: &["gear", "create", "blog", "PACKAGE", "--start"],
    },
    Scenario {
        name: "gear create, shown outside",
        before: &[],
        act: &["gear", "create", "blog", "WEB", "--expose"],
    },
    Scenario {
        name: "gear destroy, shown outside",
        before: &[&["gear", "create", "blog", "WEB", "--expose"]],
        act: &["gear", "destroy", "blog"],
    },
    Scenario {
        name: "gear unexpose",
        before: &[&["gear", "create", "blog", "WEB", "--expose"]],
        act: &["gear", "unexpose", "blog"],
    },
    Scenario {
        name: "gear stop",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"]],
        act: &["gear", "stop", "blog"],
    },
    Scenario {
        name: "gear start",
        before: &[&["gear", "create", "blog", "PACKAGE"]],
        act: &["gear", "start", "blog"],
    },
    Scenario {
        name: "gear restart",
        before: &[&["gear", "create", "blog", "PACKAGE"]],
        act: &["gear", "restart", "blog"],
    },
    Scenario {
        name: "gear tidy",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"]],
        act: &["gear", "tidy", "blog"],
    },
    Scenario {
        name: "gear stop --force",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"]],
        act: &["gear", "stop", "blog", "--force"],
    },
    Scenario {
        name: "gear destroy",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"]],
        act: &["gear", "destroy", "blog"],
    },
    Scenario {
        name: "gear add",
        before: &[&["gear", "create", "blog", "PACKAGE"]],
        act: &["gear", "add", "blog", "ADDON"],
    },
    Scenario {
        name: "gear add to a running gear",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"], &["install", "ADDON"]],
        act: &["gear", "add", "blog", "addon"],
    },
    Scenario {
        name: "gear remove",
        before: &[&["gear", "create", "blog", "PACKAGE", "ADDON", "--start"]],
        act: &["gear", "remove", "blog", "addon"],
    },
    Scenario {
        name: "undo a gear remove",
        before: &[
            &["gear", "create", "blog", "PACKAGE", "ADDON", "--start"],
            &["gear", "remove", "blog", "addon"],
        ],
        act: &["undo", "2"],
    },
    Scenario {
        name: "gear add, shown outside",
        before: &[&["gear", "create", "blog", "WEB", "--expose"]],
        act: &["gear", "add", "blog", "ADDON"],
    },
    Scenario {
        name: "gear upgrade, compatible",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"], &["install", "NEWER"]],
        act: &["gear", "upgrade", "blog"],
    },
    Scenario {
        name: "gear upgrade, incompatible",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"], &["install", "LATER"]],
        act: &["gear", "upgrade", "blog"],
    },
    Scenario {
        name: "gear upgrade, compatible, that fails",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"], &["install", "BROKEN"]],
        act: &["gear", "upgrade", "blog"],
    },
    Scenario {
        name: "gear upgrade, incompatible, that fails",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"], &["install", "FAULTY"]],
        act: &["gear", "upgrade", "blog"],
    },
    Scenario {
        name: "gear rollback",
        before: &[
            &["gear", "create", "blog", "PACKAGE", "--start"],
            &["install", "LATER"],
            &["gear", "upgrade", "blog"],
        ],
        act: &["gear", "rollback", "blog"],
    },
    Scenario {
        name: "gear create, asking externals",
        before: &[],
        act: &["gear", "create", "blog", "ASKING"],
    },
    Scenario {
        name: "gear upgrade, asking externals",
        before: &[&["gear", "create", "blog", "ASKING"], &["install", "ASKED"]],
        act: &["gear", "upgrade", "blog"],
    },
    Scenario {
        name: "gear destroy, asking externals",
        before: &[&["gear", "create", "blog", "ASKING"]],
        act: &["gear", "destroy", "blog"],
    },
    Scenario {
        name: "external ack",
        before: &[&["gear", "create", "blog", "ASKING"]],
        act: &["external", "ack", "1-3.2"],
    },
    Scenario { name: "install tpkg", before: &[], act: &["install", "TPKG"] },
    Scenario { name: "upgrade tpkg", before: &[&["install", "TPKG"]], act: &["upgrade", "TPKG2"] },
    Scenario {
        name: "remove tpkg",
        before: &[&["install", "TPKG"], &["service", "start", "small"]],
        act: &["remove", "small"],
    },
    Scenario { name: "undo a tpkg install", before: &[&["install", "TPKG"]], act: &["undo", "1"] },
    Scenario {
        name: "undo a tpkg upgrade",
        before: &[&["install", "TPKG"], &["upgrade", "TPKG2"]],
        act: &["undo", "2"],
    },
    Scenario {
        name: "undo a tpkg removal",
        before: &[&["install", "TPKG"], &["remove", "small"]],
        act: &["undo", "2"],
    },
    Scenario {
        name: "service start",
        before: &[&["install", "TPKG"]],
        act: &["service", "start", "small"],
    },
    Scenario {
        name: "service stop",
        before: &[&["install", "TPKG"], &["service", "start", "small"]],
        act: &["service", "stop", "--all"],
    },
    Scenario { name: "import tpkg", before: &[], act: &["import", "tpkg", "/srv/old"] },
    Scenario {
        name: "site deploy",
        before: &[&["install", "APP"]],
        act: &["site", "deploy", "SITE"],
    },
    Scenario {
        name: "site redeploy",
        before: &[&["install", "APP"], &["site", "deploy", "SITE"], &["install", "APP2"]],
        act: &["site", "redeploy", "app.example.org"],
    },
    Scenario {
        name: "site undeploy",
        before: &[&["install", "APP"], &["site", "deploy", "SITE"]],
        act: &["site", "undeploy", "app.example.org"],
    },
    Scenario { name: "install shims", before: &[], act: &["doctor", "--install-shims"] },
    Scenario {
        name: "remove shims",
        before: &[&["doctor", "--install-shims"]],
        act: &["doctor", "--remove-shims"],
    },
    Scenario { name: "install the unit", before: &[], act: &["doctor", "--install-unit"] },
    Scenario {
        name: "remove the unit",
        before: &[&["doctor", "--install-unit"]],
        act: &["doctor", "--remove-unit"],
    },
    Scenario {
        name: "undo the unit",
        before: &[&["doctor", "--install-unit"]],
        act: &["undo", "1"],
    },
    Scenario {
        name: "gear env set",
        before: &[
            &["gear", "create", "blog", "PACKAGE"],
            &["gear", "env", "set", "blog", "OLD=1", "KEPT=1"],
        ],
        act: &["gear", "env", "set", "blog", "OLD=2", "NEW=1", "KEPT=1"],
    },
    Scenario {
        name: "gear env set --app",
        before: &[
            &["gear", "create", "blog", "PACKAGE"],
            &["gear", "create", "store", "ADDON", "--app", "blog"],
        ],
        act: &["gear", "env", "set", "--app", "blog", "NEW=1"],
    },
    Scenario {
        name: "env set",
        before: &[&["env", "set", "COLOUR=red"]],
        act: &["env", "set", "COLOUR=blue", "SIZE=1"],
    },
    Scenario {
        name: "undo a variable",
        before: &[
            &["gear", "create", "blog", "PACKAGE"],
            &["gear", "env", "set", "blog", "--platform", "NEW=1", "OPENSHIFT_AUTO_DEPLOY=false"],
        ],
        act: &["undo", "2"],
    },
    Scenario {
        name: "gear deploy",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"]],
        act: &["gear", "deploy", "blog"],
    },
    Scenario {
        name: "gear deploy, that fails",
        before: &[
            &["gear", "create", "blog", "PACKAGE", "--start"],
            &["gear", "env", "set", "blog", "REFUSE=1"],
        ],
        act: &["gear", "deploy", "blog"],
    },
    Scenario {
        name: "gear activate",
        before: &[
            &["gear", "create", "blog", "PACKAGE", "--start"],
            &["gear", "configure", "blog", "--keep-deployments", "2"],
            &["gear", "deploy", "blog"],
        ],
        act: &["gear", "activate", "blog", "--previous"],
    },
    Scenario {
        name: "gear scale, up",
        before: &[&["gear", "create", "blog", "SHOP", "PROXY", "--scale", "--start"]],
        act: &["gear", "scale", "blog", "2"],
    },
    Scenario {
        name: "gear scale, down",
        before: &[
            &["gear", "create", "blog", "SHOP", "PROXY", "--scale", "--start"],
            &["gear", "scale", "blog", "2"],
        ],
        act: &["gear", "scale", "blog", "1"],
    },
    Scenario {
        name: "gear deploy, scaled",
        before: &[
            &["gear", "create", "blog", "SHOP", "PROXY", "--scale", "--start"],
            &["gear", "scale", "blog", "2"],
        ],
        act: &["gear", "deploy", "blog"],
    },
    Scenario {
        name: "gear snapshot",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"]],
        act: &["gear", "snapshot", "blog", "--output", "ARCHIVE"],
    },
    Scenario {
        name: "gear restore",
        before: &[
            &["gear", "create", "blog", "PACKAGE", "--start"],
            &["gear", "snapshot", "blog", "--output", "ARCHIVE"],
            &["gear", "deploy", "blog"],
        ],
        act: &["gear", "restore", "blog", "--from", "ARCHIVE"],
    },
    Scenario {
        name: "gear restore --as",
        before: &[
            &["gear", "create", "blog", "PACKAGE", "--start"],
            &["gear", "snapshot", "blog", "--output", "ARCHIVE"],
            &["gear", "destroy", "blog"],
        ],
        act: &["gear", "restore", "--as", "blog", "--from", "ARCHIVE"],
    },
    Scenario {
        name: "gear restore, scaled",
        before: &[
            &["gear", "create", "blog", "SHOP", "PROXY", "--scale", "--start"],
            &["gear", "scale", "blog", "2"],
            &["gear", "snapshot", "blog", "--output", "ARCHIVE"],
            &["gear", "deploy", "blog"],
        ],
        act: &["gear", "restore", "blog", "--from", "ARCHIVE"],
    },
    Scenario {
        name: "undo a destruction",
        before: &[&["gear", "create", "blog", "PACKAGE", "--start"], &["gear", "destroy", "blog"]],
        act: &["undo", "2"],
    },
];

impl Scenario {
    /// Whether the act fails after it has done a part, and puts it back.
    fn fails(&self) -> bool {
        self.name.ends_with("that fails")
    }

    /// Whether a recovery goes on with the act instead of putting it back.
    fn goes_on(&self) -> bool {
        self.act.starts_with(&["gear", "upgrade"])
    }
}

/// What a scenario gave: how many checkpoints were passed, and how many faults were tried.
#[derive(Default)]
struct Count {
    checkpoints: usize,
    singles: usize,
    pairs: usize,
}

/// What is passed as soon as there is something to go on with.
const WRITTEN: &str = "the plan is written down";

/// How many of the faults are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Some,
    EachOnce,
    AllPairs,
}

fn depth() -> Depth {
    match std::env::var("CART_TEST_CRASH").as_deref() {
        Err(_) => Depth::EachOnce,
        Ok("some") => Depth::Some,
        Ok("all") => Depth::AllPairs,
        Ok(other) => panic!("CART_TEST_CRASH is `some` or `all`, not `{other}`"),
    }
}

fn ready(scenario: &Scenario) -> Host {
    let host = Host::new();
    for line in scenario.before {
        host.must(line);
    }
    host
}

/// How often the act passes a checkpoint, and what can be seen before and after it.
fn measure(scenario: &Scenario) -> (Vec<String>, Seen, Seen) {
    let host = ready(scenario);
    let before = host.look();
    let checkpoints = host.passed_to(scenario.act, if scenario.fails() { 9 } else { 0 });
    let after = host.look();
    let same = before == after;
    assert!(same == scenario.fails(), "{}\n{}", scenario.name, after.difference(&before, &after));
    (checkpoints, before, after)
}

/// What became of a fault.
struct Outcome {
    /// Whether the recovery was still going at its own fault.
    cut: bool,
    /// The checkpoints of the recovery that went to its end.
    recovery: Vec<String>,
}

/// Kills the act at `first` and the recovery at `second`, recovers, and checks.
fn fault(
    scenario: &Scenario,
    states: (&Seen, &Seen, usize),
    (first, second): (usize, Option<usize>),
) -> Outcome {
    let host = ready(scenario);
    host.killed(scenario.act, first);
    let cut = second.is_some_and(|second| host.killed(&["recover"], second));
    let what = format!("{}, killed at {first} and {second:?}", scenario.name);
    let recovery = host.passed(&["recover"]);
    let now = host.look();
    let (before, after, written) = states;
    let (is_before, is_after) = (now == *before, now == *after);
    assert!(is_before || is_after, "{what}: neither\n{}", now.difference(before, after));
    let has_begun = first >= written;
    assert!(is_after || !(scenario.goes_on() && has_begun), "{what}: it did not go on to its end");
    host.agrees(&what);
    host.must(&["verify"]);
    host.must(&["recover"]);
    assert!(now == host.look(), "{what}: a second recovery changed something");
    Outcome { cut, recovery }
}

/// Scenarios whose steps are all but a few those of another one.
const ALIKE: [&str; 4] = [
    "gear restore --as",
    "gear add to a running gear",
    "gear add, shown outside",
    "gear create, shown outside",
];

/// Tells whether the fault at a checkpoint is tried. Of a gear that asks externals, and of one that is
/// deployed to, only their own steps are, unless all pairs are: the other steps have scenarios without
/// them. Phases of a build, and steps of a site, are many and alike.
fn is_tried(scenario: &str, (number, passed): (usize, &str)) -> bool {
    let is_phase = passed.contains("run_phase");
    let is_own = match scenario {
        _ if depth() == Depth::AllPairs => return true,
        "gear deploy" | "gear deploy, that fails" | "gear activate" => {
            is_phase || ["_deployment", "keep_repo"].iter().any(|kind| passed.contains(kind))
        }
        "gear scale, up" | "gear scale, down" | "gear deploy, scaled" => {
            ["update_cluster", "rotate", "copy_deployment"].iter().any(|kind| passed.contains(kind))
        }
        "gear snapshot" => passed.contains("write_snapshot") || passed.contains("control/"),
        "gear restore, scaled" => {
            ["restore_home", "rotate", "copy_deployment"].iter().any(|kind| passed.contains(kind))
        }
        "gear restore" | "gear restore --as" => passed.contains("restore_home"),
        _ => !scenario.ends_with(", asking externals") || passed.contains("_external"),
    };
    let is_alike = is_phase
        || scenario == "gear snapshot" && passed.contains("control/")
        || ALIKE.contains(&scenario);
    let one_in =
        if is_alike || scenario.starts_with("site ") || depth() == Depth::Some { 4 } else { 1 };
    // Two gears pass everything twice.
    let one_in = if scenario.ends_with(", scaled") { one_in.max(2) } else { one_in };
    // Another one in each scenario.
    is_own && (number + scenario.len()).is_multiple_of(one_in)
}

/// Tries one scenario. `met` has the checkpoints that a pair of faults has met in one like it.
fn try_scenario(scenario: &Scenario, met: &mut BTreeSet<String>) -> Count {
    let (checkpoints, before, after) = measure(scenario);
    let written = checkpoints.iter().position(|passed| {
        passed.ends_with(WRITTEN) && !passed.ends_with(&format!("before {WRITTEN}"))
    });
    let states = (&before, &after, written.map_or(usize::MAX, |at| at + 1));
    let mut count = Count { checkpoints: checkpoints.len(), ..Count::default() };
    let tried = (1..)
        .zip(&checkpoints)
        .filter(|(number, passed)| is_tried(scenario.name, (*number, passed.as_str())));
    for (first, passed) in tried {
        let single = fault(scenario, states, (first, None));
        count.singles += 1;
        if depth() == Depth::AllPairs {
            for second in 1.. {
                count.pairs += 1;
                if !fault(scenario, states, (first, Some(second))).cut {
                    break;
                }
            }
            continue;
        }
        let chosen = seconds(&single.recovery, first, met.insert(passed.clone()), met);
        let most = if depth() == Depth::Some { 1 } else { usize::MAX };
        for second in chosen.into_iter().take(most) {
            count.pairs += 1;
            let pair = fault(scenario, states, (first, Some(second)));
            assert!(pair.cut, "{}: the recovery from {first} ended before {second}", scenario.name);
        }
    }
    let (name, Count { singles, pairs, .. }) = (scenario.name, &count);
    println!("crash: {name}: {singles} single faults, {pairs} pairs");
    count
}

/// Where to cut the `recovery` from the fault at `first`: at each checkpoint that no pair has met
/// yet, and somewhere when the act's own one is new.
fn seconds(
    recovery: &[String],
    first: usize,
    is_new: bool,
    met: &mut BTreeSet<String>,
) -> Vec<usize> {
    let numbered = (1..).zip(recovery);
    let mut chosen: Vec<usize> =
        numbered.filter(|(_, passed)| met.insert((*passed).clone())).map(|(at, _)| at).collect();
    if is_new && chosen.is_empty() && !recovery.is_empty() {
        chosen.push(1 + first % recovery.len());
    }
    chosen
}

fn try_named(names: &[&str]) {
    let mut met = BTreeSet::new();
    for scenario in SCENARIOS.iter().filter(|scenario| names.contains(&scenario.name)) {
        let count = try_scenario(scenario, &mut met);
        assert!(count.checkpoints > 10, "{}: hardly any checkpoint was passed", scenario.name);
    }
}

#[test]
fn packages_are_installed_and_removed_or_not() {
    try_named(&["install", "install a rebuild", "remove", "undo a removal"]);
}

#[test]
fn packages_are_upgraded_or_not() {
    try_named(&["upgrade", "upgrade to an older version"]);
}

#[test]
fn sites_are_deployed_and_undeployed_or_not() {
    try_named(&["site deploy", "site undeploy"]);
}

#[test]
fn sites_are_redeployed_or_stay_as_they_are() {
    try_named(&["site redeploy"]);
}

#[test]
fn packages_are_held_and_let_go_or_not() {
    for name in ["hold", "undo an unhold"] {
        let rows = SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap();
        assert!(
            try_scenario(rows, &mut BTreeSet::new()).checkpoints > 4,
            "hardly any checkpoint was passed"
        );
    }
}

#[test]
fn gears_are_created_or_not() {
    try_named(&["gear create"]);
}

#[test]
fn gears_are_shown_outside_or_not() {
    try_named(&["gear create, shown outside", "gear destroy, shown outside", "gear unexpose"]);
}

#[test]
fn cartridges_are_added_to_what_is_shown_or_not() {
    try_named(&["gear add, shown outside"]);
}

#[test]
fn gears_are_started_and_stopped_or_not() {
    try_named(&["gear stop", "gear start"]);
}

#[test]
fn applications_are_deployed_or_the_old_ones_run() {
    try_named(&["gear deploy", "gear activate"]);
}

#[test]
fn deployments_that_fail_are_put_back() {
    try_named(&["gear deploy, that fails"]);
}

#[test]
fn applications_grow_and_shrink_or_not() {
    try_named(&["gear scale, up", "gear scale, down"]);
}

#[test]
fn versions_are_rolled_through_all_gears_or_none() {
    try_named(&["gear deploy, scaled"]);
}

#[test]
fn gears_are_restored_from_snapshots_or_go_on() {
    try_named(&["gear snapshot", "gear restore", "gear restore --as"]);
}

#[test]
fn applications_are_restored_in_all_gears_or_none() {
    try_named(&["gear restore, scaled"]);
}

#[test]
fn gears_are_restarted_and_tidied_or_not() {
    try_named(&["gear restart", "gear tidy", "gear stop --force"]);
}

#[test]
fn variables_are_set_and_put_back_or_not() {
    try_named(&["gear env set", "gear env set --app", "undo a variable"]);
    let rows = SCENARIOS.iter().find(|scenario| scenario.name == "env set").unwrap();
    assert!(
        try_scenario(rows, &mut BTreeSet::new()).checkpoints > 4,
        "hardly any checkpoint was passed"
    );
}

#[test]
fn gears_are_destroyed_and_come_back_or_not() {
    try_named(&["gear destroy", "undo a destruction"]);
}

#[test]
fn cartridges_are_added_or_not() {
    try_named(&["gear add", "gear add to a running gear"]);
}

#[test]
fn cartridges_are_removed_and_come_back_or_not() {
    try_named(&["gear remove", "undo a gear remove"]);
}

#[test]
fn gears_are_upgraded_and_rolled_back_or_not() {
    try_named(&["gear upgrade, compatible", "gear upgrade, incompatible", "gear rollback"]);
}

#[test]
fn externals_are_asked_or_not() {
    try_named(&["gear create, asking externals", "gear destroy, asking externals"]);
    let ack = SCENARIOS.iter().find(|scenario| scenario.name == "external ack").unwrap();
    assert!(
        try_scenario(ack, &mut BTreeSet::new()).checkpoints > 4,
        "hardly any checkpoint was passed"
    );
}

#[test]
fn externals_are_asked_for_the_new_release_or_the_old() {
    try_named(&["gear upgrade, asking externals"]);
}

#[test]
fn packages_of_tpkg_come_and_go_or_not() {
    try_named(&["install tpkg", "upgrade tpkg", "remove tpkg", "import tpkg"]);
}

#[test]
fn packages_of_tpkg_go_back_or_not() {
    try_named(&["undo a tpkg install", "undo a tpkg upgrade", "undo a tpkg removal"]);
}

#[test]
fn services_of_packages_are_started_and_stopped_or_not() {
    try_named(&["service start", "service stop"]);
}

#[test]
fn gears_whose_upgrade_fails_are_put_back() {
    try_named(&["gear upgrade, compatible, that fails", "gear upgrade, incompatible, that fails"]);
}

#[test]
fn links_of_the_host_are_made_and_removed_or_not() {
    try_named(&["install shims", "remove shims"]);
}

#[test]
fn the_unit_is_installed_and_removed_or_not() {
    try_named(&["install the unit", "remove the unit", "undo the unit"]);
}

#[test]
fn every_scenario_is_tried() {
    let tried = [
        "install",
        "install a rebuild",
        "remove",
        "upgrade",
        "upgrade to an older version",
        "hold",
        "undo an unhold",
        "undo a removal",
        "gear create",
        "gear create, shown outside",
        "gear destroy, shown outside",
        "gear unexpose",
        "gear stop",
        "gear start",
        "gear restart",
        "gear tidy",
        "gear stop --force",
        "gear destroy",
        "gear add",
        "gear add to a running gear",
        "gear remove",
        "undo a gear remove",
        "gear add, shown outside",
        "gear upgrade, compatible",
        "gear upgrade, incompatible",
        "gear upgrade, compatible, that fails",
        "gear upgrade, incompatible, that fails",
        "gear rollback",
        "gear create, asking externals",
        "gear upgrade, asking externals",
        "gear destroy, asking externals",
        "external ack",
        "install tpkg",
        "upgrade tpkg",
        "remove tpkg",
        "undo a tpkg install",
        "undo a tpkg upgrade",
        "undo a tpkg removal",
        "service start",
        "service stop",
        "import tpkg",
        "site deploy",
        "site redeploy",
        "site undeploy",
        "install shims",
        "remove shims",
        "install the unit",
        "remove the unit",
        "undo the unit",
        "gear env set",
        "gear env set --app",
        "env set",
        "undo a variable",
        "gear deploy",
        "gear deploy, that fails",
        "gear activate",
        "gear scale, up",
        "gear scale, down",
        "gear deploy, scaled",
        "gear snapshot",
        "gear restore",
        "gear restore --as",
        "gear restore, scaled",
        "undo a destruction",
    ];
    let all: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    assert_eq!(all, tried);
}

#[test]
fn a_script_that_fails_leaves_the_host_as_it_was() {
    for script in ["setup", "install", "start", "post_install"] {
        let host = Host::new();
        let before = host.look();
        host.make_fail(script);
        let act = ["gear", "create", "blog", "PACKAGE", "--start"];
        assert_eq!(host.run(&act), Some(9), "{script}");
        assert!(before == host.look(), "{script}: {}", host.look().difference(&before, &before));
        host.agrees(script);
    }
}
