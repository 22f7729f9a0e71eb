//! The life cycles of deployments as records: of every call its script, its order, its directory, what
//! it sees by its variables, what the links show, and the state of the gear; and the names of all
//! variables that it has.

use super::alone;
use super::deploy::{Scene, cartridge};

/// Writes down `WHO ACTION`, its directory below the home, the page by `OPENSHIFT_REPO_DIR`, the page
/// that the link shows, and the state.
const RECORD: &str = r#"
here=$PWD/; here=${here#"$OPENSHIFT_HOMEDIR"}
seen=$(cat "$OPENSHIFT_REPO_DIR/page" 2>/dev/null)
live=$(cat ~/app-root/runtime/repo/page 2>/dev/null)
echo "$who $1 ~/${here%/} ${seen:--} $live $(<~/app-root/runtime/.state)" >>"$OPENSHIFT_DATA_DIR/order"
{ echo "$who $1"; compgen -e | grep -vx -e _ -e SHLVL -e OLDPWD -e PWD | sort | xargs; } >>"$OPENSHIFT_DATA_DIR/names"
"#;

const HOOKS: [&str; 13] = [
    "pre_stop_web",
    "post_stop_web",
    "pre_pre_build_web",
    "pre_build",
    "build",
    "post_build_web",
    "prepare",
    "pre_start_web",
    "deploy",
    "post_start_web",
    "post_start_side",
    "pre_deploy_web",
    "post_deploy",
];

/// The application at `first`, recorded from now on.
fn recorded() -> Scene {
    let scene = Scene::new();
    let host = &scene.host;
    for name in ["web", "side"] {
        let path = host.home("app").join(name).join("bin/control");
        let text = std::fs::read_to_string(&path).unwrap();
        let own = text
            .lines()
            .skip(3)
            .filter(|line| !line.starts_with("echo \"this"))
            .collect::<Vec<_>>();
        let text = format!("#!/bin/bash\nwho={name}{RECORD}{}\n", own.join("\n"));
        std::fs::write(&path, text).unwrap();
    }
    let hooks: Vec<(String, String)> = HOOKS
        .iter()
        .map(|hook| {
            let text = format!("#!/bin/bash\nwho=hook\nset -- {hook}{RECORD}");
            (format!(".openshift/action_hooks/{hook}"), text)
        })
        .collect();
    let hooks: Vec<(&str, Option<&str>)> =
        hooks.iter().map(|(name, text)| (name.as_str(), Some(text.as_str()))).collect();
    scene.commit(&hooks);
    scene
        .git(&["update-index", "--chmod=+x", "--add", ".openshift/action_hooks"])
        .unwrap_or_default();
    scene.push().unwrap();
    scene.order();
    let _ = std::fs::remove_file(scene.host.home("app").join("app-root/data/names"));
    scene
}

/// What was written down since the last time: of each call who, what, where, what it saw by its
/// variables and by the link, and the state; all had the same variables.
fn record(scene: &Scene) -> String {
    let names = scene.host.home("app").join("app-root/data/names");
    let text = std::fs::read_to_string(&names).unwrap();
    let _ = std::fs::remove_file(names);
    for pair in text.lines().collect::<Vec<_>>().chunks(2) {
        let expected = VARIABLES.split_whitespace().collect::<Vec<_>>();
        let own: Vec<&str> = pair[1].split(' ').filter(|name| !name.contains("BUILDER")).collect();
        assert_eq!(own, expected, "{}", pair[0]);
    }
    scene.order().replace(", ", "\n")
}

const VARIABLES: &str = "BASH_COMPAT CART_ATTEMPT CART_STATE CART_STEP CART_TRANSACTION GEM_HOME \
    HISTFILE HOME LANG LD_LIBRARY_PATH LOGNAME OPENSHIFT_APP_DNS OPENSHIFT_APP_NAME \
    OPENSHIFT_APP_SSH_KEY OPENSHIFT_APP_SSH_PUBLIC_KEY OPENSHIFT_APP_UUID OPENSHIFT_AUTO_DEPLOY \
    OPENSHIFT_BROKER_HOST OPENSHIFT_BUILD_DEPENDENCIES_DIR OPENSHIFT_CARTRIDGE_SDK_BASH \
    OPENSHIFT_CARTRIDGE_SDK_RUBY OPENSHIFT_CLOUD_DOMAIN OPENSHIFT_DATA_DIR \
    OPENSHIFT_DEPENDENCIES_DIR OPENSHIFT_DEPLOYMENTS_DIR OPENSHIFT_DEPLOYMENT_BRANCH \
    OPENSHIFT_DEPLOYMENT_TYPE OPENSHIFT_GEAR_DNS OPENSHIFT_GEAR_MEMORY_MB OPENSHIFT_GEAR_NAME \
    OPENSHIFT_GEAR_UUID OPENSHIFT_HOMEDIR OPENSHIFT_KEEP_DEPLOYMENTS OPENSHIFT_LOG_DIR \
    OPENSHIFT_NAMESPACE OPENSHIFT_PRIMARY_CARTRIDGE_DIR OPENSHIFT_REPO_DIR \
    OPENSHIFT_SECRET_TOKEN OPENSHIFT_SIDE_DIR OPENSHIFT_SIDE_IDENT OPENSHIFT_TMP_DIR \
    OPENSHIFT_UMASK OPENSHIFT_WEB_DIR OPENSHIFT_WEB_IDENT PATH SHELL TMP TMPDIR TMP_DIR USER";

/// What stops an application at `page`.
fn stopping(page: &str) -> String {
    let lines = "hook pre_stop_web ~/web P P stopped\nweb stop ~/web P P stopped\n\
                 hook post_stop_web ~/web P P stopped\nside stop ~/side P P stopped\n";
    lines.replace(" P", &format!(" {page}"))
}

/// What puts the deployment at `page` to use, the gear being in `state`.
fn activating(page: &str, state: &str) -> String {
    let lines = "web update-configuration ~/web P P STATE\nside start ~/side P P STATE\n\
                 hook post_start_side ~/side P P STATE\nhook pre_deploy_web ~/web P P deploying\n\
                 web deploy ~/web P P deploying\nhook deploy ~/ P P deploying\n\
                 hook pre_start_web ~/web P P started\nweb start ~/web P P started\n\
                 hook post_start_web ~/web P P started\nweb post-deploy ~/web P P started\n\
                 hook post_deploy ~/ P P started";
    lines.replace(" P", &format!(" {page}")).replace("STATE", state)
}

/// What builds `page` while the link shows it.
const BUILDING: &str = "web update-configuration ~/web second second building\n\
    web pre-build ~/web second second building\nhook pre_build ~/ second second building\n\
    web build ~/web second second building\nhook post_build_web ~/web second second building\n\
    hook build ~/ second second building\nhook prepare ~/ second second building\n";

/// The whole life cycle of an application that goes on running at `second`: what is built is seen
/// apart (there is nothing of it before the source is copied), and by the link when it is deployed.
const HOT: &str = "web pre-receive ~/web - second building\n\
    web pre-repo-archive ~/web - second building\n\
    web update-configuration ~/web hot second building\nweb pre-build ~/web hot second building\n\
    hook pre_build ~/ hot second building\nweb build ~/web hot second building\n\
    hook post_build_web ~/web hot second building\nhook build ~/ hot second building\n\
    hook prepare ~/ hot second building\nweb update-configuration ~/web hot hot building\n\
    hook pre_deploy_web ~/web hot hot deploying\nweb deploy ~/web hot hot deploying\n\
    hook deploy ~/ hot hot deploying\nweb post-deploy ~/web hot hot started\n\
    hook post_deploy ~/ hot hot started";

#[test]
fn a_push_and_a_hot_one_are_as_they_are_written_down_here() {
    let _alone = alone();
    let scene = recorded();
    scene.commit(&[("page", Some("second"))]);
    scene.push().unwrap();
    let received = "web pre-receive ~/web first first building\n\
                    web pre-repo-archive ~/web first first building\n";
    let whole = [&stopping("first"), received, BUILDING, &activating("second", "building")];
    assert_eq!(record(&scene), whole.concat());
    scene.commit(&[("page", Some("hot")), (".openshift/markers/hot_deploy", Some(""))]);
    scene.push().unwrap();
    assert_eq!(record(&scene), HOT);
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn an_archive_a_kept_deployment_and_a_builder_are_as_they_are_written_down_here() {
    let _alone = alone();
    let scene = recorded();
    let host = &scene.host;
    host.must(&["gear", "configure", "app", "--keep-deployments", "3"]);
    scene.commit(&[("page", Some("second"))]);
    scene.push().unwrap();
    record(&scene);
    let all = host.json(&["gear", "deployments", "app"])["deployments"].clone();
    let is_active = |one: &&serde_json::Value| one["active"] == true;
    let id = all.as_array().unwrap().iter().find(is_active).unwrap()["id"].clone();
    let file = host.place("app.tar.gz");
    host.must(&["gear", "deployment", "save", "app", id.as_str().unwrap(), &file]);
    host.must(&["gear", "activate", "app", "--previous"]);
    assert_eq!(record(&scene), stopping("second") + &activating("first", "stopped"));
    host.must(&["gear", "configure", "app", "--deployment-type", "binary"]);
    host.must(&["gear", "deploy", "app", "--archive", &file]);
    let prepare = "hook prepare ~/ second second building\n";
    let whole = [&stopping("first"), prepare, &activating("second", "building")];
    assert_eq!(record(&scene), whole.concat());

    host.must(&["gear", "configure", "app", "--deployment-type", "git"]);
    cartridge(host, ("builder", "ci_builder"));
    host.write("builder/bin/control", &format!("#!/bin/bash\nwho=builder{RECORD}"), 0o755);
    host.must(&["gear", "add", "app", &host.place("builder")]);
    record(&scene);
    scene.commit(&[("page", Some("elsewhere"))]);
    scene.push().unwrap();
    let both = "builder pre-receive ~/builder second second started\n\
                builder post-receive ~/builder second second started";
    assert_eq!(record(&scene), both);
    host.must(&["gear", "destroy", "app"]);
}
