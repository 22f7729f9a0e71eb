//! Deployments of a gear: pushed, pushed hot, activated again, of an archive, and with a builder.

use super::environment::Environment;
use super::{called, lines, record, recorded};
use crate::alone;
use crate::deploy::cartridge;
use serde_json::Value;

/// What stops an application at `page`.
pub(super) fn stopping(page: &str) -> String {
    let lines = "hook pre_stop ~/ P P stopped\nhook pre_stop_web ~/web P P stopped\n\
                 web stop ~/web P P stopped\nhook post_stop_web ~/web P P stopped\n\
                 hook post_stop ~/ P P stopped\nhook pre_stop ~/ P P stopped\n\
                 side stop ~/side P P stopped\nhook post_stop ~/ P P stopped\n";
    lines.replace(" P", &format!(" {page}"))
}

/// What puts the deployment at `page` to use, the gear being in `state`.
fn activating(page: &str, state: &str) -> String {
    let lines = "web update-configuration ~/web P P STATE\nhook pre_start ~/ P P STATE\n\
                 side start ~/side P P STATE\nhook post_start_side ~/side P P STATE\n\
                 hook post_start ~/ P P STATE\nhook pre_deploy_web ~/web P P deploying\n\
                 web deploy ~/web P P deploying\nhook deploy ~/ P P deploying\n\
                 hook pre_start ~/ P P started\nhook pre_start_web ~/web P P started\n\
                 web start ~/web P P started\nhook post_start ~/ P P started\n\
                 web post-deploy ~/web P P started\nhook post_deploy ~/ P P started";
    lines.replace(" P", &format!(" {page}")).replace("STATE", state)
}

/// What builds `page` while the link shows it.
const BUILDING: &str = "web update-configuration ~/web second second building\n\
    hook pre_pre-build_web ~/web second second building\n\
    web pre-build ~/web second second building\nhook pre_build ~/ second second building\n\
    web build ~/web second second building\nhook post_build_web ~/web second second building\n\
    hook build ~/ second second building\nhook prepare ~/ second second building\n";

/// The whole life cycle of an application that goes on running at `second`, which is what scripts find
/// before there is anything to build: what is built is seen apart, and by the link when it is deployed.
const HOT: &str = "web pre-receive ~/web second second building\n\
    web pre-repo-archive ~/web second second building\n\
    web update-configuration ~/web hot second building\n\
    hook pre_pre-build_web ~/web hot second building\nweb pre-build ~/web hot second building\n\
    hook pre_build ~/ hot second building\nweb build ~/web hot second building\n\
    hook post_build_web ~/web hot second building\nhook build ~/ hot second building\n\
    hook prepare ~/ hot second building\nweb update-configuration ~/web hot hot building\n\
    hook pre_deploy_web ~/web hot hot deploying\nweb deploy ~/web hot hot deploying\n\
    hook deploy ~/ hot hot deploying\nweb post-deploy ~/web hot hot started\n\
    hook post_deploy ~/ hot hot started";

/// Which of these calls see the deployment apart.
const APART: std::ops::Range<usize> = 2..10;

#[test]
fn a_push_and_a_hot_one_are_as_they_are_written_down_here() {
    let _alone = alone();
    let scene = recorded();
    let host = &scene.host;
    scene.commit(&[("page", Some("second"))]);
    scene.push().unwrap();
    let received = "web pre-receive ~/web first first building\n\
                    web pre-repo-archive ~/web first first building\n";
    let whole = [&stopping("first"), received, BUILDING, &activating("second", "building")];
    let calls = called(&scene);
    assert_eq!(lines(&calls), whole.concat());
    Environment::of(host, "app").check(&calls);
    scene.commit(&[("page", Some("hot")), (".openshift/markers/hot_deploy", Some(""))]);
    scene.push().unwrap();
    let calls = called(&scene);
    assert_eq!(lines(&calls), HOT);
    let environment = Environment::of(host, "app");
    let name = scene.deployments().remove(0);
    environment.clone().apart(host, &name).check(&calls[APART]);
    environment.check(&calls[..APART.start]);
    environment.check(&calls[APART.end..]);
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn an_archive_and_a_kept_deployment_are_as_they_are_written_down_here() {
    let _alone = alone();
    let scene = recorded();
    let host = &scene.host;
    host.must(&["gear", "configure", "app", "--keep-deployments", "3"]);
    scene.commit(&[("page", Some("second"))]);
    scene.push().unwrap();
    called(&scene);
    let all = host.json(&["gear", "deployments", "app"])["deployments"].clone();
    let is_active = |one: &&Value| one["active"] == true;
    let id = all.as_array().unwrap().iter().find(is_active).unwrap()["id"].clone();
    let file = host.place("app.tar.gz");
    host.must(&["gear", "deployment", "save", "app", id.as_str().unwrap(), &file]);
    host.must(&["gear", "activate", "app", "--previous"]);
    let calls = called(&scene);
    assert_eq!(lines(&calls), stopping("second") + &activating("first", "stopped"));
    let keeps = ("OPENSHIFT_KEEP_DEPLOYMENTS", "3");
    Environment::of(host, "app").with(&[keeps]).check(&calls);
    host.must(&["gear", "configure", "app", "--deployment-type", "binary"]);
    host.must(&["gear", "deploy", "app", "--archive", &file]);
    let prepare = "hook prepare ~/ second second building\n";
    let whole = [&stopping("first"), prepare, &activating("second", "building")];
    let calls = called(&scene);
    assert_eq!(lines(&calls), whole.concat());
    let is_binary = ("OPENSHIFT_DEPLOYMENT_TYPE", "binary");
    Environment::of(host, "app").with(&[keeps, is_binary]).check(&calls);
    host.must(&["gear", "destroy", "app"]);
}

/// What a builder is told of a push: before and after git takes it, by two transactions.
const BUILDER: [&str; 2] = [
    "hook pre_pre_receive ~/ first first started\nbuilder pre-receive ~/builder first first started\n\
     hook post_pre_receive ~/ first first started",
    "hook pre_post_receive ~/ first first started\nbuilder post-receive ~/builder first first started\n\
     hook post_post_receive ~/ first first started",
];

#[test]
fn a_builder_gets_a_push_and_nobody_else_does_as_it_is_written_down_here() {
    let _alone = alone();
    let scene = recorded();
    let host = &scene.host;
    cartridge(host, ("builder", "ci_builder"));
    host.write("builder/bin/control", "#!/bin/bash\nexit 0\n", 0o755);
    host.must(&["gear", "add", "app", &host.place("builder")]);
    record(host, "app", "builder");
    called(&scene);
    scene.commit(&[("page", Some("elsewhere"))]);
    scene.push().unwrap();
    let all = called(&scene);
    assert_eq!(lines(&all), BUILDER.join("\n"));
    let last: u64 = host.last().parse().unwrap();
    for (transaction, calls) in [last - 1, last].iter().zip(all.chunks(3)) {
        Environment::in_one(host, "app", &transaction.to_string()).check(calls);
    }
    // Where nobody pushes, both come in one.
    host.must(&["gear", "deploy", "app"]);
    let calls = called(&scene);
    assert_eq!(lines(&calls), BUILDER.join("\n"));
    Environment::of(host, "app").check(&calls);
    host.must(&["gear", "destroy", "app"]);
}
