//! Units by a stand-in for systemd: no test has the real one.

use super::*;
use crate::step::laws::World;
use crate::sys::checkpoint::in_process::cut_at;

/// Stands in for systemd, which no test can have: it keeps `enabled` and `active` in files
/// beside it, and what it was told.
const SYSTEMCTL: &str = r#"#!/bin/bash
cd "${0%/*}" || exit 9
echo "$*" >>told
unit=${*: -1}
file=../../../../etc/systemd/system/$unit
[[ $unit == *@* ]] && file=${file%@*}@.${unit##*.}
known() { [[ -e $unit || -L $file ]]; }
case $1 in
show)
    known || { echo LoadState=not-found; exit 0; }
    echo LoadState=loaded
    [[ -e $unit.on ]] && echo UnitFileState=enabled || echo UnitFileState=disabled
    [[ -e $unit.up ]] && echo ActiveState=active || echo ActiveState=inactive ;;
daemon-reload) ;;
*)
    known || { echo "Unit $unit does not exist" >&2; exit 5; }
    [[ $2 == --now ]] && both=1
    case $1 in
    enable) touch "$unit.on"; [[ -n $both ]] && { [[ -e broken ]] && exit 1; touch "$unit.up"; } ;;
    disable) rm -f "$unit.on"; [[ -n $both ]] && rm -f "$unit.up" ;;
    start) touch "$unit.up" ;;
    stop) rm -f "$unit.up" ;;
    esac ;;
esac
exit 0
"#;

fn world() -> World {
    let mut world = World::new();
    world.state.make_dir("systemd", 0o755).unwrap();
    world.script("systemd/systemctl", SYSTEMCTL);
    world.config.units.systemd = Some(true);
    let program = world.state.path_of("systemd/systemctl").display().to_string();
    // Read and not executed: a test beside this one may be starting something, and would hold it open.
    world.config.units.program = vec!["bash".into(), program];
    world
}

fn state(world: &World) -> [bool; 2] {
    ["on", "up"].map(|end| world.state.has(format!("systemd/app@1.service.{end}")).unwrap())
}

fn set(world: &World, [on, up]: [bool; 2]) {
    world.state.put_file("systemd/app@1.service", b"", 0o644).unwrap();
    for (end, is) in [("on", on), ("up", up)] {
        let name = format!("systemd/app@1.service.{end}");
        world.state.remove_file(&name).unwrap();
        if is {
            world.state.put_file(&name, b"", 0o644).unwrap();
        }
    }
}

#[test]
fn a_unit_gets_back_what_it_had_wherever_the_step_was_cut_off() {
    for to in [Switch::On, Switch::Off] {
        for was in [[false, false], [true, false], [false, true], [true, true]] {
            for cut in 1..20 {
                let world = world();
                set(&world, was);
                let step = SwitchUnit { to, ..sample(&world) };
                let undo = step.prepare(&world.cx(1)).unwrap();
                assert_eq!(state(&world), was);
                let whole = cut_at(cut, || step.apply(&undo, &world.cx(1)).unwrap()).is_some();
                if whole {
                    assert_eq!(state(&world), [to == Switch::On; 2]);
                }
                step.revert(&undo, &world.cx(1)).unwrap();
                step.revert(&undo, &world.cx(1)).unwrap();
                assert_eq!(state(&world), was, "{to:?} cut at {cut}");
                if whole {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_unit_that_does_not_start_or_is_not_known_is_a_failure() {
    let world = world();
    let step = sample(&world);
    let undo = step.prepare(&world.cx(1)).unwrap();
    let failure = step.apply(&undo, &world.cx(1)).unwrap_err();
    assert!(failure.summary.contains("systemd knows no unit `app@1.service`"), "{failure:?}");
    step.revert(&undo, &world.cx(1)).unwrap();
    set(&world, [false; 2]);
    world.state.put_file("systemd/broken", b"", 0o644).unwrap();
    assert!(step.apply(&undo, &world.cx(1)).is_err());
    step.revert(&undo, &world.cx(1)).unwrap();
    assert_eq!(state(&world), [false; 2]);
    // One that nobody knows needs not be switched off.
    world.state.remove_file("systemd/app@1.service").unwrap();
    let step = SwitchUnit { to: Switch::Off, ..sample(&world) };
    let undo = step.prepare(&world.cx(1)).unwrap();
    step.apply(&undo, &world.cx(1)).unwrap();
}

#[test]
fn what_apps_take_for_granted_is_written_down_where_systemd_runs_too() {
    let world = world();
    let unit = UnitName::parse("smtp-server@a1.service").unwrap();
    let step = SwitchUnit { unit, ..sample(&world) };
    let undo = step.prepare(&world.cx(1)).unwrap();
    let said = step.apply(&undo, &world.cx(1)).unwrap();
    assert!(said.messages.concat().contains("written down"), "{said:?}");
    let record = world.state.read("units/smtp-server@a1.service", 100).unwrap();
    assert_eq!(record, br#"{"enabled":true,"active":true}"#);
    assert!(!world.state.has("systemd/told").unwrap());
}

#[test]
fn a_unit_that_the_package_brings_is_found_by_a_link_that_goes_back() {
    let library = |world: &World, name: &str| world.layout.library().join(name);
    let link = |world: &World| {
        let folder = Dir::open(&world.layout.units()).ok()?;
        folder.link_target("app@.service").ok()
    };
    for before in [None, Some("old/app@.service")] {
        for cut in 1..20 {
            let world = world();
            if let Some(old) = before {
                let folder = Dir::create(&world.layout.units(), 0o755).unwrap();
                folder.make_link("app@.service", library(&world, old)).unwrap();
            }
            let new = library(&world, "new/app@.service");
            let step = SwitchUnit { brought: Some(new.clone()), ..sample(&world) };
            let undo = step.prepare(&world.cx(1)).unwrap();
            let whole = cut_at(cut, || step.apply(&undo, &world.cx(1)).unwrap()).is_some();
            if whole {
                assert_eq!((link(&world), state(&world)), (Some(new), [true; 2]));
            }
            step.revert(&undo, &world.cx(1)).unwrap();
            step.revert(&undo, &world.cx(1)).unwrap();
            assert_eq!(state(&world), [false; 2]);
            assert_eq!(link(&world), before.map(|old| library(&world, old)), "cut at {cut}");
            assert_eq!(kind_of(&world.layout.units()).is_some(), before.is_some());
            if whole {
                break;
            }
        }
    }
}

#[test]
fn a_file_of_the_hosts_own_goes_before_one_of_the_package() {
    let world = world();
    set(&world, [false; 2]);
    let brought = Some(world.layout.library().join("x/app@.service"));
    let step = SwitchUnit { brought, ..sample(&world) };
    let undo = step.prepare(&world.cx(1)).unwrap();
    step.apply(&undo, &world.cx(1)).unwrap();
    assert!(state(&world) == [true; 2] && kind_of(&world.layout.units()).is_none());
}
