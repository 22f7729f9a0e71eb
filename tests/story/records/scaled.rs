//! A scaled application: the head with its web proxy, and two children.

use super::environment::Environment;
use super::{Call, calls, record, record_hooks};
use crate::alone;
use crate::scaling::Scene;

const GEARS: [&str; 3] = ["app", "app-1", "app-2"];

pub(super) fn recorded() -> Scene {
    let scene = Scene::new(1);
    let host = &scene.host;
    host.must(&["gear", "scale", "app", "3"]);
    for gear in GEARS {
        for cartridge in ["web", "side", "store", "proxy"] {
            if host.home(gear).join(cartridge).is_dir() {
                record(host, gear, cartridge);
            }
        }
    }
    record_hooks(host);
    scene.push(&[("page", "first")]).unwrap();
    called(&scene);
    scene
}

pub(super) fn called(scene: &Scene) -> Vec<Call> {
    calls(&scene.host, &GEARS)
}

/// Which gear, and what: identifiers and addresses by the names of their gears.
pub(super) fn lines(scene: &Scene, calls: &[Call]) -> String {
    let line = |call: &Call| format!("{} {}", call.gear, call.line);
    let mut text = calls.iter().map(line).collect::<Vec<_>>().join("\n");
    for gear in GEARS {
        let shown = scene.show(gear);
        text = text.replace(shown["uuid"].as_str().unwrap(), gear);
    }
    text
}

/// Each call had the environment of its gear, with these settings of the application.
pub(super) fn check(scene: &Scene, calls: &[Call], settings: &[(&str, &str)]) {
    for gear in GEARS {
        let environment = Environment::of(&scene.host, gear).with(settings);
        for call in calls.iter().filter(|call| call.gear == gear) {
            environment.check(std::slice::from_ref(call));
        }
    }
}

/// What is built in the head while it is out of rotation; its proxy is never stopped.
const BUILDING: &str = "\
app proxy disable-server app ~/proxy first first started
app hook pre_stop ~/ first first stopped
app hook pre_stop_web ~/web first first stopped
app web stop ~/web first first stopped
app hook post_stop_web ~/web first first stopped
app hook post_stop ~/ first first stopped
app hook pre_stop ~/ first first stopped
app side stop ~/side first first stopped
app hook post_stop ~/ first first stopped
app hook pre_stop ~/ first first stopped
app store stop ~/store first first stopped
app hook post_stop ~/ first first stopped
app web pre-receive ~/web first first building
app web pre-repo-archive ~/web first first building
app web update-configuration ~/web second second building
app hook pre_pre-build_web ~/web second second building
app web pre-build ~/web second second building
app hook pre_build ~/ second second building
app web build ~/web second second building
app hook post_build_web ~/web second second building
app hook build ~/ second second building
app hook prepare ~/ second second building
app web update-configuration ~/web second second building
app hook pre_start ~/ second second building
app store start ~/store second second building
app hook post_start ~/ second second building
app hook pre_start ~/ second second building
app side start ~/side second second building
app hook post_start_side ~/side second second building
app hook post_start ~/ second second building
app proxy deploy ~/proxy second second building
";

/// What is done in each child while that is out of rotation.
const CHILD: &str = "\
app proxy disable-server CHILD ~/proxy second second building
CHILD hook pre_stop ~/ first first stopped
CHILD hook pre_stop_web ~/web first first stopped
CHILD web stop ~/web first first stopped
CHILD hook post_stop_web ~/web first first stopped
CHILD hook post_stop ~/ first first stopped
CHILD hook pre_stop ~/ first first stopped
CHILD side stop ~/side first first stopped
CHILD hook post_stop ~/ first first stopped
CHILD web update-configuration ~/web second second stopped
CHILD hook pre_start ~/ second second stopped
CHILD side start ~/side second second stopped
CHILD hook post_start_side ~/side second second stopped
CHILD hook post_start ~/ second second stopped
CHILD hook pre_deploy_web ~/web second second deploying
CHILD web deploy ~/web second second deploying
CHILD hook deploy ~/ second second deploying
CHILD hook pre_start ~/ second second started
CHILD hook pre_start_web ~/web second second started
CHILD web start ~/web second second started
CHILD hook post_start ~/ second second started
CHILD web post-deploy ~/web second second started
CHILD hook post_deploy ~/ second second started
app proxy enable-server CHILD ~/proxy second second building
";

/// How the head puts it to use.
const ENDING: &str = "\
app hook pre_deploy_web ~/web second second deploying
app web deploy ~/web second second deploying
app hook deploy ~/ second second deploying
app hook pre_start ~/ second second started
app hook pre_start_web ~/web second second started
app web start ~/web second second started
app hook post_start ~/ second second started
app web post-deploy ~/web second second started
app hook post_deploy ~/ second second started
app proxy enable-server app ~/proxy second second started";

#[test]
fn a_push_to_three_gears_is_as_it_is_written_down_here() {
    let _alone = alone();
    let scene = recorded();
    scene.push(&[("page", "second")]).unwrap();
    let calls = called(&scene);
    let children = ["app-1", "app-2"].map(|gear| CHILD.replace("CHILD", gear)).concat();
    assert_eq!(lines(&scene, &calls), [BUILDING, &children, ENDING].concat());
    check(&scene, &calls, &[]);
    scene.host.must(&["gear", "destroy", "app"]);
}

/// The same of an application that goes on running: what is built is seen apart in the head alone, and
/// nobody is out of rotation.
const HOT_RECEIVING: &str = "\
app web pre-receive ~/web second second building
app web pre-repo-archive ~/web second second building
";

const HOT_BUILDING: &str = "\
app web update-configuration ~/web hot second building
app hook pre_pre-build_web ~/web hot second building
app web pre-build ~/web hot second building
app hook pre_build ~/ hot second building
app web build ~/web hot second building
app hook post_build_web ~/web hot second building
app hook build ~/ hot second building
app hook prepare ~/ hot second building
";

const HOT_BEGINNING: &str = "\
app web update-configuration ~/web hot hot building
app proxy deploy ~/proxy hot hot building
";

const HOT_CHILD: &str = "\
CHILD web update-configuration ~/web hot hot started
CHILD hook pre_deploy_web ~/web hot hot deploying
CHILD web deploy ~/web hot hot deploying
CHILD hook deploy ~/ hot hot deploying
CHILD web post-deploy ~/web hot hot started
CHILD hook post_deploy ~/ hot hot started
";

const HOT_ENDING: &str = "\
app hook pre_deploy_web ~/web hot hot deploying
app web deploy ~/web hot hot deploying
app hook deploy ~/ hot hot deploying
app web post-deploy ~/web hot hot started
app hook post_deploy ~/ hot hot started";

#[test]
fn a_hot_push_to_three_gears_with_settings_is_as_it_is_written_down_here() {
    let _alone = alone();
    let scene = recorded();
    let host = &scene.host;
    host.must(&["gear", "configure", "app", "--keep-deployments", "2"]);
    scene.push(&[("page", "second")]).unwrap();
    called(&scene);
    scene.push(&[("page", "hot"), (".openshift/markers/hot_deploy", "")]).unwrap();
    let calls = called(&scene);
    let children = ["app-1", "app-2"].map(|gear| HOT_CHILD.replace("CHILD", gear)).concat();
    let whole = [HOT_RECEIVING, HOT_BUILDING, HOT_BEGINNING, &children, HOT_ENDING].concat();
    assert_eq!(lines(&scene, &calls), whole);
    let (receiving, rest) = calls.split_at(HOT_RECEIVING.lines().count());
    let (building, rest) = rest.split_at(HOT_BUILDING.lines().count());
    let keeps = [("OPENSHIFT_KEEP_DEPLOYMENTS", "2")];
    let link = scene.link("app", "app-deployments/current");
    let environment = Environment::of(host, "app").with(&keeps);
    environment.apart(host, link.to_str().unwrap()).check(building);
    check(&scene, receiving, &keeps);
    check(&scene, rest, &keeps);
    host.must(&["gear", "destroy", "app"]);
}
