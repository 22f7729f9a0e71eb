//! Calls as packages make them, by both ways.

use super::{Call, Folders, Operation, Rights, UbosScript, When};
use crate::error::Failure;
use crate::gear::sdk;
use crate::step::laws::World;
use crate::step::{Said, Step};
use crate::sys::fs::Dir;
use crate::sys::host;

fn world() -> World {
    let world = World::new();
    let lib = Dir::create(&world.layout.lib(), 0o755).unwrap();
    sdk::materialise(&lib, &host::this_program()).unwrap();
    let variables = r#"{
        "appconfig": { "mysql": { "dbusercredential": { "maindb": "very secret" } },
            "tcpport": { "main": 5001 } },
        "installable": { "customizationpoints": { "pin": { "value": "private one" } } },
        "yes": true, "no": false, "nought": 0, "text": "0", "null": null, "list": [1, "a"]
    }"#;
    world.state.replace_file("variables.json", variables.as_bytes(), 0o600).unwrap();
    world
}

fn script(world: &World, call: Call, text: &str) -> UbosScript {
    world.script("script", text);
    UbosScript {
        package: "mock".into(),
        source: "bin/script".into(),
        file: world.state.path_of("script"),
        call,
        operation: Operation::Deploy,
        variables: "variables.json".into(),
        secrets: vec!["installable.customizationpoints.pin.value".into()],
        folders: Folders { from: "/from".into(), to: String::new() },
        rights: Rights::Caller,
        when: When::Forward,
    }
}

fn run(world: &World, step: &UbosScript) -> Result<Said, Failure> {
    let cx = world.cx(1);
    step.prepare(&cx)?;
    step.apply(&(), &cx)
}

fn read(world: &World, path: &str) -> String {
    String::from_utf8(world.state.read(path, 1 << 20).unwrap()).unwrap()
}

/// The names of everything that a call has left in its private folder.
fn left(world: &World) -> Vec<String> {
    let room = world.state.dir("stash/1/1").unwrap();
    room.names().unwrap().iter().map(|name| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_program_gets_the_operation_and_every_variable_as_it_is() {
    let world = world();
    let text = "#!/bin/bash\n[[ $# == 2 && $1 == deploy ]] || exit 9\ncp \"$2\" \"${0%/*}/copy\"\n\
         stat -c %a \"$2\" >\"${0%/*}/mode\"; touch dropping\n";
    run(&world, &script(&world, Call::Exec, text)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&read(&world, "copy")).unwrap();
    assert_eq!(
        value,
        serde_json::from_str::<serde_json::Value>(&read(&world, "variables.json")).unwrap()
    );
    assert_eq!(value["no"], false);
    assert_eq!(value["appconfig"]["tcpport"]["main"], 5001);
    assert_eq!(read(&world, "mode"), "600\n");
    assert!(left(&world).is_empty(), "{:?}", left(&world));
}

#[test]
fn a_program_in_perl_finds_the_modules() {
    let world = world();
    let text = "#!/usr/bin/perl\nuse UBOS::Utils; use UBOS::Logging;\n\
        my $json = UBOS::Utils::readJsonFromFile( $ARGV[1] );\n\
        info( 'port', $json->{appconfig}->{tcpport}->{main} ); exit( $json->{no} ? 1 : 0 );\n";
    let said = run(&world, &script(&world, Call::Exec, text)).unwrap();
    assert_eq!(said.messages, ["port 5001"]);
}

#[test]
fn a_programs_status_decides_and_perls_last_value_does() {
    let world = world();
    for (call, text, how) in [
        (Call::Exec, "#!/bin/bash\necho why >&2; exit 3\n", "exited with status 3"),
        (Call::Exec, "#!/bin/bash\nkill -9 $$\n", "was ended by signal 9"),
        (Call::Perl, "print STDERR 'why'; 0;", "did not succeed"),
        (Call::Perl, "error( 'why' ); exit( 0 ); 1;", "did not succeed"),
        (Call::Perl, "use POSIX (); POSIX::_exit( 0 );", "ended before its end"),
        (Call::Perl, "exec( 'true' );", "ended before its end"),
    ] {
        let failure = run(&world, &script(&world, call, text)).unwrap_err();
        assert_eq!(
            failure.summary,
            format!("`bin/script` of `mock` {how} (operation `deploy`)"),
            "{text}"
        );
        if text.contains("why") {
            assert!(failure.causes.iter().any(|line| line.contains("why")), "{failure:?}");
        }
        assert!(left(&world).is_empty(), "{:?}", left(&world));
    }
    let good = "$defaultFromDir eq '/from' && $source eq 'bin/script' && !$afterResume;";
    run(&world, &script(&world, Call::Perl, good)).unwrap();
    run(&world, &script(&world, Call::PerlAfterResume, "$afterResume;")).unwrap();
}

#[test]
fn what_a_script_says_is_in_the_receipt_and_no_secret_is_anywhere() {
    let world = world();
    let text = "print \"done very secret\\n\"; error( 'one', 'private one' ); warning( 'two' ); 1;";
    let said = run(&world, &script(&world, Call::Perl, text)).unwrap();
    assert_eq!(said.messages, ["done [hidden]"]);
    assert_eq!(said.errors, ["one [hidden]"]);
    assert_eq!(said.warnings, ["two"]);
    assert_eq!(read(&world, "log/1/1-1-script-deploy.out"), "done [hidden]\n");
    assert_eq!(read(&world, "log/1/1-1-script-deploy.err"), "ERROR: one [hidden]\nWARNING: two\n");
    let failure =
        run(&world, &script(&world, Call::Perl, "die( 'with very secret' );")).unwrap_err();
    let shown = format!("{failure:?}");
    assert!(shown.contains("with [hidden]") && !shown.contains("very secret"), "{shown}");
}

#[test]
fn one_that_hangs_is_ended() {
    let mut world = world();
    world.config.scripts.install_timeout = 1;
    let failure = run(&world, &script(&world, Call::Perl, "sleep( 1000 );")).unwrap_err();
    assert!(failure.summary.contains("was not over after 1 seconds"), "{failure:?}");
    let leaving = "#!/bin/bash\nsleep 1000 &\n";
    let said = run(&world, &script(&world, Call::Exec, leaving)).unwrap();
    assert_eq!(said.warnings, ["`bin/script` left a process behind; it was ended"]);
}

#[test]
fn going_back_calls_the_inverse_and_its_failure_holds_up_nothing() {
    let world = world();
    let text = "#!/bin/bash\necho \"$1\" >>\"${0%/*}/called\"\n[[ $1 != uninstall ]]\n";
    for (operation, inverse) in [
        (Operation::Deploy, "deploy\nundeploy\n"),
        (Operation::Undeploy, "undeploy\ndeploy\n"),
        (Operation::Install, "install\nuninstall\n"),
        (Operation::Upgrade, "upgrade\n"),
    ] {
        let step = UbosScript { operation, ..script(&world, Call::Exec, text) };
        let cx = world.cx(1);
        step.apply(&(), &cx).unwrap();
        step.revert(&(), &cx).unwrap();
        assert_eq!(read(&world, "called"), inverse);
        let shortcomings = cx.shortcomings();
        assert_eq!(shortcomings.len(), usize::from(operation == Operation::Install));
        world.state.remove_file("called").unwrap();
    }
}

#[test]
fn what_an_uninstallation_did_is_no_reason_to_install_anew() {
    let world = world();
    let text = "#!/bin/bash\necho \"$1\" >>\"${0%/*}/called\"\n";
    let of = |operation, when| UbosScript { operation, when, ..script(&world, Call::Exec, text) };
    let steps = [of(Operation::Upgrade, When::Back), of(Operation::Uninstall, When::Forward)];
    let cx = world.cx(1);
    for step in &steps {
        step.apply(&(), &cx).unwrap();
    }
    assert_eq!(read(&world, "called"), "uninstall\n");
    for step in steps.iter().rev() {
        step.revert(&(), &cx).unwrap();
    }
    assert_eq!(read(&world, "called"), "uninstall\nupgrade\n", "its data are there");
}

#[test]
fn a_script_that_is_not_there_is_found_before_anything_is_done() {
    let world = world();
    let mut step = script(&world, Call::Perl, "1;");
    step.file = world.state.path_of("no-such");
    let failure = step.prepare(&world.cx(1)).unwrap_err();
    assert_eq!(failure.summary, "the script `bin/script` of `mock` is not there");
}

#[test]
fn the_plan_says_what_rights_a_script_gets() {
    let world = world();
    let mut step = script(&world, Call::Perl, "1;");
    assert_eq!(step.describe(), "run `bin/script` of `mock` for `deploy`, with your rights");
    (step.rights, step.operation) = (Rights::Root, Operation::Upgrade);
    assert_eq!(
        step.describe(),
        "run `bin/script` of `mock` for `upgrade`, with all rights of root; only the data that was \
         kept before can take that back"
    );
}
