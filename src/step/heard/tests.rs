//! The laws of what scripts say.

use super::{MOST, heard};
use crate::db::{Change, Publisher, Saying, Scope, Telling};
use crate::gear::environ::{Shared, SharedVariable};
use crate::gear::home;
use crate::sandbox::{CommandLine, Leftovers, Outcome, Output, Status};
use crate::step::laws::World;
use crate::step::script::Call;
use crate::step::{AnyStep, Said};
use std::time::Duration;

/// What comes of a script of the gear `blog` that prints `stdout`.
fn said(world: &World, stdout: &str, shared: Shared) -> Said {
    let gear = world.gear();
    let home = world.state.dir(gear.home()).unwrap();
    home::set_variable(&home, "LOOSE", b"x").unwrap();
    let call = Call {
        gear: &gear,
        dir: "mock",
        folder: "mock",
        name: "setup",
        line: CommandLine::of("/bin/true".as_ref(), [""; 0]).unwrap(),
        seconds: 1,
        leftovers: Leftovers::End,
    };
    let text = |text: &str| Output { text: text.to_owned(), total: text.len() as u64, cut: 0..0 };
    let outcome = Outcome {
        status: Status::Exited(0),
        stdout: text(stdout),
        stderr: text("CLIENT_ERROR: not here\nENV_VAR_ADD: NOT=HERE\n"),
        ended_leftovers: 0,
        duration: Duration::ZERO,
    };
    let cx = world.cx(1).with_shared(shared);
    let said = heard(&cx, &home, &call, &outcome);
    for change in &said.records {
        let Change::Tell(Telling { publisher, .. }) = change else { unreachable!() };
        let expected = Publisher { gear: gear.uuid.clone(), dir: "mock".into() };
        assert_eq!(*publisher, Some(expected));
    }
    said
}

fn told(said: &Said) -> Vec<(Scope, &str, Saying)> {
    let one = |change| match change {
        &Change::Tell(Telling { scope, ref name, ref saying, .. }) => {
            (scope, name.as_str(), saying.clone())
        }
        _ => unreachable!(),
    };
    said.records.iter().map(one).collect()
}

#[test]
fn texts_go_to_whom_they_are_for() {
    let world = World::new();
    let output = "CLIENT_MESSAGE: m\nCLIENT_RESULT: r\nCLIENT_ERROR: e\nCLIENT_INTERNAL_ERROR: i\n\
                  CLIENT_DEBUG: d\nplain\n CLIENT_RESULT: indented\n";
    let said = said(&world, output, Shared::default());
    assert_eq!((said.messages, said.results), (vec!["m".to_owned()], vec!["r".to_owned()]));
    assert_eq!(said.errors, ["e", "i"]);
    assert_eq!((said.debug, said.warnings), (vec!["d".to_owned()], Vec::<String>::new()));
}

#[test]
fn demands_become_rows_and_values_keep_their_equals_signs() {
    let world = World::new();
    let output = "ENV_VAR_ADD: URL=http://x/?a=b=c\nENV_VAR_ADD_UNIQUE: KEY=one\n\
                  ENV_VAR_REMOVE: OLD\nCART_DATA: user=a=b\nCART_PROPERTIES: p=q\nATTR: a=b\n\
                  APP_INFO: first\nAPP_INFO: second\n";
    let said = said(&world, output, Shared::default());
    let is = |value: &str| Saying::Is(value.into());
    assert_eq!(
        told(&said),
        [
            (Scope::Domain, "URL", is("http://x/?a=b=c")),
            (Scope::Domain, "KEY", Saying::IsUnlessThere("one".into())),
            (Scope::Domain, "OLD", Saying::IsGone),
            (Scope::CartData, "user", is("a=b")),
            (Scope::CartProperties, "p", is("q")),
            (Scope::Attributes, "a", is("b")),
            (Scope::AppInfo, "", is("first\nsecond")),
        ]
    );
    assert!(said.warnings.is_empty(), "{:?}", said.warnings);
}

#[test]
fn a_variable_leaves_the_gears_own_folder_unless_no_gear_can_do_without_it() {
    let world = World::new();
    let output = "APP_ENV_VAR_REMOVE: LOOSE\nAPP_ENV_VAR_REMOVE: NONE\nAPP_ENV_VAR_REMOVE: HOME\n\
                  APP_ENV_VAR_REMOVE: user_vars\n";
    let said = said(&world, output, Shared::default());
    let [AnyStep::WriteVariable(step)] = said.then.as_slice() else { unreachable!() };
    assert_eq!((step.name.as_str(), &step.value), ("LOOSE", &None));
    assert_eq!(said.warnings.len(), 1, "{:?}", said.warnings);
}

#[test]
fn nobody_can_steer_or_flood_other_gears() {
    let world = World::new();
    let long = "x".repeat(9000);
    let output = format!("ENV_VAR_ADD: LD_PRELOAD=/evil.so\nENV_VAR_ADD: LONG={long}\n");
    let one = said(&world, &output, Shared::default());
    assert!(one.records.is_empty());
    assert_eq!(one.warnings.len(), 2, "{:?}", one.warnings);
    let world = World::new();
    let value = "x".repeat(super::MOST_OF_DOMAIN - 10);
    let full = SharedVariable { value, publisher: String::new() };
    let shared = Shared([("FULL".to_owned(), full)].into());
    let two = said(&world, "ENV_VAR_ADD: A=12345\nENV_VAR_ADD: B=1\n", shared);
    assert_eq!(told(&two), [(Scope::Domain, "A", Saying::Is("12345".into()))]);
}

#[test]
fn megabytes_and_garbage_are_survived() {
    let world = World::new();
    let mut output = "CLIENT_MESSAGE: again\nCART_DATA: k=v\nENV_VAR_ADD: garbage\n".repeat(9000);
    output.push_str("\u{fffd}\u{1b}[2J\0:=:\nCART_DATA: =\nCART_DATA\nAPP_ENV_VAR_REMOVE: ../x\n");
    output.push_str(&"x".repeat(1 << 20));
    let said = said(&world, &output, Shared::default());
    assert_eq!((said.messages.len(), said.records.len()), (MOST, MOST));
    assert!(said.then.is_empty());
    assert!(said.warnings.len() < 20, "{:?}", said.warnings);
}
