//! Snapshots and restoring, of one gear and of a scaled application (the guide, Backing Up and Restoring;
//! node specification, 11).

use super::deployments::stopping;
use super::environment::Environment;
use super::{called, lines, recorded, scaled};
use crate::alone;

/// Everything stands still while the archive is made.
const SNAPSHOT: &str = "\
hook pre_stop ~/ first first stopped
hook pre_stop_web ~/web first first stopped
web stop ~/web first first stopped
hook post_stop_web ~/web first first stopped
hook post_stop ~/ first first stopped
hook pre_stop ~/ first first stopped
side stop ~/side first first stopped
hook post_stop ~/ first first stopped
side pre-snapshot ~/side first first stopped
web pre-snapshot ~/web first first stopped
side post-snapshot ~/side first first stopped
web post-snapshot ~/web first first stopped
hook pre_start ~/ first first started
side start ~/side first first started
hook post_start_side ~/side first first started
hook post_start ~/ first first started
hook pre_start ~/ first first started
hook pre_start_web ~/web first first started
web start ~/web first first started
hook post_start ~/ first first started";

/// `pre-restore` sees what was there, `post-restore` what was restored; then that is put to use.
const RESTORE: &str = "\
hook pre_stop ~/ second second stopped
hook pre_stop_web ~/web second second stopped
web stop ~/web second second stopped
hook post_stop_web ~/web second second stopped
hook post_stop ~/ second second stopped
hook pre_stop ~/ second second stopped
side stop ~/side second second stopped
hook post_stop ~/ second second stopped
web pre-receive ~/web second second stopped
side pre-restore ~/side second second stopped
web pre-restore ~/web second second stopped
side post-restore ~/side first first stopped
web post-restore ~/web first first stopped
web update-configuration ~/web first first stopped
hook pre_start ~/ first first stopped
side start ~/side first first stopped
hook post_start_side ~/side first first stopped
hook post_start ~/ first first stopped
hook pre_deploy_web ~/web first first deploying
web deploy ~/web first first deploying
hook deploy ~/ first first deploying
hook pre_start ~/ first first started
hook pre_start_web ~/web first first started
web start ~/web first first started
hook post_start ~/ first first started
web post-deploy ~/web first first started
hook post_deploy ~/ first first started";

/// What is called of a gear that does not run, before whatever the scripts have started is stopped.
const AT_REST: &str = "\
web pre-receive ~/web first first stopped
side pre-restore ~/side first first stopped
web pre-restore ~/web first first stopped
side post-restore ~/side first first stopped
web post-restore ~/web first first stopped
web update-configuration ~/web first first stopped
";

#[test]
fn a_snapshot_and_a_restore_are_as_they_are_written_down_here() {
    let _alone = alone();
    let scene = recorded();
    let host = &scene.host;
    let file = host.place("a.tar.gz");
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    let calls = called(&scene);
    assert_eq!(lines(&calls), SNAPSHOT);
    Environment::of(host, "app").check(&calls);
    scene.commit(&[("page", Some("second"))]);
    scene.push().unwrap();
    called(&scene);
    host.must(&["gear", "restore", "app", "--from", &file]);
    let calls = called(&scene);
    assert_eq!(lines(&calls), RESTORE);
    Environment::of(host, "app").check(&calls);
    host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_gear_that_rests_rests_meanwhile_and_afterwards() {
    let _alone = alone();
    let scene = recorded();
    let host = &scene.host;
    let file = host.place("a.tar.gz");
    host.must(&["gear", "stop", "app"]);
    called(&scene);
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    let calls = called(&scene);
    let between = SNAPSHOT.lines().filter(|line| line.contains("-snapshot "));
    let between: Vec<&str> = between.collect();
    assert_eq!(lines(&calls) + "\n", between.join("\n") + "\n" + &stopping("first"));
    Environment::of(host, "app").check(&calls);
    host.must(&["gear", "restore", "app", "--from", &file]);
    let calls = called(&scene);
    assert_eq!(lines(&calls) + "\n", AT_REST.to_owned() + &stopping("first"));
    Environment::of(host, "app").check(&calls);
    host.must(&["gear", "destroy", "app"]);
}

/// The head alone is kept; it is out of rotation meanwhile, and its proxy runs on.
const OF_THE_HEAD: &str = "\
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
app store pre-snapshot ~/store first first stopped
app side pre-snapshot ~/side first first stopped
app proxy pre-snapshot ~/proxy first first stopped
app web pre-snapshot ~/web first first stopped
app store post-snapshot ~/store first first stopped
app side post-snapshot ~/side first first stopped
app proxy post-snapshot ~/proxy first first stopped
app web post-snapshot ~/web first first stopped
app hook pre_start ~/ first first started
app store start ~/store first first started
app hook post_start ~/ first first started
app hook pre_start ~/ first first started
app side start ~/side first first started
app hook post_start_side ~/side first first started
app hook post_start ~/ first first started
app hook pre_start ~/ first first started
app hook pre_start_web ~/web first first started
app web start ~/web first first started
app hook post_start ~/ first first started
app proxy enable-server app ~/proxy first first started";

/// The head is restored whole, with its proxy.
const HEAD: &str = "\
app hook pre_stop ~/ second second stopped
app hook pre_stop_web ~/web second second stopped
app web stop ~/web second second stopped
app hook post_stop_web ~/web second second stopped
app hook post_stop ~/ second second stopped
app hook pre_stop ~/ second second stopped
app proxy stop ~/proxy second second stopped
app hook post_stop ~/ second second stopped
app hook pre_stop ~/ second second stopped
app side stop ~/side second second stopped
app hook post_stop ~/ second second stopped
app hook pre_stop ~/ second second stopped
app store stop ~/store second second stopped
app hook post_stop ~/ second second stopped
app web pre-receive ~/web second second stopped
app store pre-restore ~/store second second stopped
app side pre-restore ~/side second second stopped
app proxy pre-restore ~/proxy second second stopped
app web pre-restore ~/web second second stopped
app store post-restore ~/store first first stopped
app side post-restore ~/side first first stopped
app proxy post-restore ~/proxy first first stopped
app web post-restore ~/web first first stopped
app web update-configuration ~/web first first stopped
app hook pre_start ~/ first first stopped
app store start ~/store first first stopped
app hook post_start ~/ first first stopped
app hook pre_start ~/ first first stopped
app side start ~/side first first stopped
app hook post_start_side ~/side first first stopped
app hook post_start ~/ first first stopped
app hook pre_start ~/ first first stopped
app proxy start ~/proxy first first stopped
app hook post_start ~/ first first stopped
app hook pre_deploy_web ~/web first first deploying
app web deploy ~/web first first deploying
app hook deploy ~/ first first deploying
app hook pre_start ~/ first first started
app hook pre_start_web ~/web first first started
app web start ~/web first first started
app hook post_start ~/ first first started
app web post-deploy ~/web first first started
app hook post_deploy ~/ first first started
app proxy deploy ~/proxy first first started
";

/// Then each child gets the deployment that the head has.
const CHILD: &str = "\
app proxy disable-server CHILD ~/proxy first first started
CHILD hook pre_stop ~/ second second stopped
CHILD hook pre_stop_web ~/web second second stopped
CHILD web stop ~/web second second stopped
CHILD hook post_stop_web ~/web second second stopped
CHILD hook post_stop ~/ second second stopped
CHILD hook pre_stop ~/ second second stopped
CHILD side stop ~/side second second stopped
CHILD hook post_stop ~/ second second stopped
CHILD web update-configuration ~/web first first stopped
CHILD hook pre_start ~/ first first stopped
CHILD side start ~/side first first stopped
CHILD hook post_start_side ~/side first first stopped
CHILD hook post_start ~/ first first stopped
CHILD hook pre_deploy_web ~/web first first deploying
CHILD web deploy ~/web first first deploying
CHILD hook deploy ~/ first first deploying
CHILD hook pre_start ~/ first first started
CHILD hook pre_start_web ~/web first first started
CHILD web start ~/web first first started
CHILD hook post_start ~/ first first started
CHILD web post-deploy ~/web first first started
CHILD hook post_deploy ~/ first first started
app proxy enable-server CHILD ~/proxy first first started
";

#[test]
fn those_of_three_gears_are_as_they_are_written_down_here() {
    let _alone = alone();
    let scene = scaled::recorded();
    let host = &scene.host;
    let file = host.place("a.tar.gz");
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    let calls = scaled::called(&scene);
    assert_eq!(scaled::lines(&scene, &calls), OF_THE_HEAD);
    Environment::of(host, "app").check(&calls);
    scene.push(&[("page", "second")]).unwrap();
    scaled::called(&scene);
    host.must(&["gear", "restore", "app", "--from", &file]);
    let calls = scaled::called(&scene);
    let children = ["app-1", "app-2"].map(|gear| CHILD.replace("CHILD", gear)).concat();
    assert_eq!(scaled::lines(&scene, &calls) + "\n", [HEAD, &children].concat());
    scaled::check(&scene, &calls, &[]);
    host.must(&["gear", "destroy", "app"]);
}
