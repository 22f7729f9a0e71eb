//! What the laws of all steps do not say of this one.

use super::*;
use crate::step::laws::World;

/// A world with a tree that holds `reloc/a`, and one step that puts it at `host/a`.
fn world() -> (World, PlaceFiles) {
    let world = World::new();
    let place = world.state.path().strip_prefix(world.layout.root().unwrap()).unwrap();
    let path = RelPath::parse(&format!("{}/host/a", place.display())).unwrap();
    world.state.make_dir("host", 0o755).unwrap();
    world.state.make_dirs("library/t/reloc", 0o755).unwrap();
    world.state.write_new("library/t/reloc/a", b"ours", 0o444).unwrap();
    let posix = Owned { owner: Who::Id(0), group: Who::Id(0), mode: 0o4755 };
    let what = What::Tree("reloc/a".into());
    let acts = vec![Act::Put { path, what, posix, over: false }];
    let step =
        PlaceFiles { package: "t".into(), tree: Some(RelPath::parse("library/t").unwrap()), acts };
    (world, step)
}

#[test]
fn what_came_meanwhile_is_neither_overwritten_nor_taken_away() {
    let (world, step) = world();
    let undo = step.prepare(&world.cx(1)).unwrap();
    world.state.write_new("host/a", b"theirs", 0o600).unwrap();
    let failure = step.apply(&undo, &world.cx(1)).unwrap_err();
    assert_eq!(failure.exit, Exit::Conflict);
    step.revert(&undo, &world.cx(1)).unwrap();
    assert_eq!(world.state.read("host/a", 9).unwrap(), b"theirs");
    assert_eq!(world.state.read("library/t/reloc/a", 9).unwrap(), b"ours");
}

#[test]
fn a_link_at_the_place_is_never_followed() {
    let (world, step) = world();
    world.state.write_new("victim", b"v", 0o600).unwrap();
    let undo = step.prepare(&world.cx(1)).unwrap();
    world.state.make_link("host/a", "../victim").unwrap();
    assert!(step.apply(&undo, &world.cx(1)).is_err());
    assert_eq!(world.state.meta("victim").unwrap().unwrap().mode, 0o600);
    assert_eq!(world.state.read("victim", 9).unwrap(), b"v");
}

#[test]
fn special_bits_survive_the_change_of_owner() {
    let (world, step) = world();
    let undo = step.prepare(&world.cx(1)).unwrap();
    step.apply(&undo, &world.cx(1)).unwrap();
    assert_eq!(world.state.meta("host/a").unwrap().unwrap().mode, 0o4755);
}

#[test]
fn an_unknown_owner_is_root_and_told() {
    let (world, mut step) = world();
    let Some(Act::Put { posix, .. }) = step.acts.first_mut() else { panic!() };
    posix.owner = Who::parse("nobody-of-that-name");
    let undo = step.prepare(&world.cx(1)).unwrap();
    let said = step.apply(&undo, &world.cx(1)).unwrap();
    assert_eq!(said.warnings, ["no user is called `nobody-of-that-name`: root's"]);
}
