//! The SDK's functions, each under `bash -eu`, and its place on disk.

use super::place_of;
use super::{BASH, BASH_PATH, COMMANDS, commands, fallbacks, materialise, node_variables};
use crate::sys::fs::Dir;
use crate::sys::process;
use std::path::Path;

/// Runs `script` under `bash -eu -o pipefail` after sourcing the SDK; gives output and status.
fn bash(home: &Path, script: &str) -> (String, i32) {
    let sdk = home.join("cartridge_sdk");
    let dir = Dir::open(home).unwrap();
    if !dir.has("cartridge_sdk").unwrap() {
        dir.write_new("cartridge_sdk", BASH.as_bytes(), 0o644).unwrap();
    }
    let mut command = process::command(Path::new("/bin/bash"));
    command.args(["-eu", "-o", "pipefail", "-c"]);
    command.arg(format!("source {}\n{script}", sdk.display()));
    command.env("PATH", "/usr/bin:/bin").env("HOME", home).current_dir(home);
    let output = command.output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    (text, output.status.code().unwrap())
}

fn prints(script: &str, expected: &str) {
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(bash(temp.path(), script), (expected.to_owned(), 0), "{script}");
}

#[test]
fn messages_have_their_prefix_on_every_line() {
    prints("client_result 'a b'", "CLIENT_RESULT: a b\n");
    prints("client_message $'one\\n\\n  two\\n'", "CLIENT_MESSAGE: one\nCLIENT_MESSAGE:   two\n");
    prints("client_error", "CLIENT_ERROR: \n");
    prints(
        "client_debug '*'; client_internal_error x",
        "CLIENT_DEBUG: *\nCLIENT_INTERNAL_ERROR: x\n",
    );
    prints("warning careful; echo on", "on\ncareful\n");
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(bash(temp.path(), "error gone 7; echo never"), ("gone\n".into(), 7));
}

#[test]
fn the_platform_is_told_in_its_own_words() {
    prints(
        "set_app_info a; send_attr b=c; add_domain_ssh_key k; add_app_ssh_key c k
         add_domain_env_var A='b=c d'; add_domain_env_var_unique A=b; add_env_var A=b
         remove_env_var A; app_remove_env_var A; add_broker_auth_key
         cart_data a=b c=d; cart_props connection_url=x",
        "APP_INFO: a\nATTR: b=c\nSSH_KEY_ADD: k\nAPP_SSH_KEY_ADD: c k\nENV_VAR_ADD: A=b=c d\n\
         ENV_VAR_ADD_UNIQUE: A=b\nENV_VAR_ADD: A=b\nENV_VAR_REMOVE: A\nAPP_ENV_VAR_REMOVE: A\n\
         BROKER_AUTH_KEY_ADD: \nCART_DATA: a=b c=d\nCART_PROPERTIES: connection_url=x\n",
    );
}

#[test]
fn a_variables_file_holds_its_value_and_nothing_empty_is_written() {
    prints("mkdir env; set_env_var A 'b  c' env; cat env/A", "b  c\n");
    for bad in ["set_env_var A '' .", "set_env_var '' b .", "set_env_var A b", "set_env_var A b no"]
    {
        let temp = tempfile::tempdir().unwrap();
        assert_eq!(bash(temp.path(), bad).1, 64, "{bad}");
    }
}

#[test]
fn random_text_has_the_length_and_characters_that_were_asked_for() {
    prints("[[ $(random_string) =~ ^[a-zA-Z0-9]{12}$ ]] && echo fine", "fine\n");
    prints("[[ $(random_string 300 ab) =~ ^[ab]{300}$ ]] && echo fine", "fine\n");
    prints(
        "[[ $(generate_password 16) =~ ^[a-np-zA-NP-Z1-9_][a-np-zA-NP-Z1-9_-]{15}$ ]] && echo fine",
        "fine\n",
    );
    prints("[[ $(generate_username) =~ ^admin[a-np-zA-NP-Z1-9]{7}$ ]] && echo fine", "fine\n");
    prints(
        "pad_string long 2; [ \"$(random_string)\" != \"$(random_string)\" ] && echo fine",
        "long\nfine\n",
    );
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(bash(temp.path(), "random_string 1 ab '[ab]'").1, 64);
}

#[test]
fn processes_are_waited_for_and_a_zombie_counts_as_stopped() {
    prints("(sleep 0.2; touch pid) & wait_for_pid_file pid; [ -f pid ] && echo there", "there\n");
    prints(
        "bash -c 'sleep 0.1 & echo $! >pid; exec sleep 2' & wait_for_pid_file pid; sleep 0.4
         kill -0 $(cat pid) && echo zombie; wait_for_stop $(cat pid); echo stopped",
        "zombie\nstopped\n",
    );
    prints(
        "sleep 0.7 & wait_for_stop $!",
        "Waiting for stop to finish\nWaiting for stop to finish\n",
    );
    prints(
        "sleep 61 & echo $! >pid; process_running nothing pid && echo one
         process_running sleep none && echo two; kill $(cat pid); wait_for_stop $(cat pid) >/dev/null
         process_running no-such-program pid || echo three",
        "one\ntwo\nthree\n",
    );
}

#[test]
fn apaches_files_are_kept_in_order() {
    prints(
        "echo junk >pid; ensure_valid_httpd_pid_file pid conf; [ -e pid ] || echo gone",
        "gone\n",
    );
    prints(
        "echo 4194304 >pid; ensure_valid_httpd_process pid /no/such/conf; [ -e pid ] || echo gone",
        "gone\n",
    );
    prints(
        "echo 4194304 >pid; ensure_httpd_restart_succeed pid conf; [ -e pid ] || echo gone",
        "gone\n",
    );
    prints("pid_is_httpd $$ || echo no; killall_matching_httpds '' || echo no", "no\nno\n");
    prints(
        "shutdown_httpd_graceful 4194304",
        "CLIENT_MESSAGE: Warning: HTTPD (4194304) not running. Skipping stop.\n",
    );
    prints("write_server_status d/s.conf; grep -c server-status d/s.conf", "2\n");
    prints(
        "export USER=x Abc=$'y\\nEVIL=z' lower=1; write_httpd_passenv f; grep -E 'USER|Abc|EVIL|lower' f",
        "PassEnv Abc\n",
    );
    prints(
        "printf 'Keep\\nPassEnv OLD\\n' >f; update_httpd_passenv f; grep -v HOME f | head -n 1; ! grep OLD f",
        "Keep\n",
    );
    prints("update_httpd_passenv none", "CLIENT_ERROR: PassEnv: `none` is missing\n");
}

#[test]
fn markers_and_the_latest_deployment_are_read() {
    prints(
        "export OPENSHIFT_REPO_DIR=$PWD/repo/ OPENSHIFT_DEPLOYMENTS_DIR=$PWD/app/
         mkdir -p repo/.openshift/markers app/2020-01-01_00-00-00.000 app/2021-01-01_00-00-00.000
         touch repo/.openshift/markers/yes
         marker_present yes && echo 1; marker_present no || echo 2
         hot_deploy_marker_is_present || echo 3
         echo '{\"hot_deploy\":true,\"force_clean_build\":true}' >app/2020-01-01_00-00-00.000/metadata.json
         hot_deploy_enabled_for_latest_deployment || echo 4
         echo '{\"hot_deploy\": true,\"force_clean_build\":false}' >app/2021-01-01_00-00-00.000/metadata.json
         hot_deploy_enabled_for_latest_deployment && echo 5
         force_clean_build_enabled_for_latest_deployment || echo 6",
        "1\n2\n3\n4\n5\n6\n",
    );
}

#[test]
fn search_paths_are_changed_without_doubling() {
    prints("path_append a:b b; echo; path_append '' x; echo; path_append a:b ''", "a:b\nx\na:b");
    prints("path_prepend a:b b; echo; path_prepend a:b:c c:x", "b:a\nc:x:a:b");
    prints("path_remove a:b:a:c a:c; echo; path_remove '' x", "b\n");
    prints(
        "mkdir -p p/env; echo redhat:php:5.4:1 >p/env/OPENSHIFT_PHP_IDENT
         export OPENSHIFT_PRIMARY_CARTRIDGE_DIR=$PWD/p/ PATH OPENSHIFT_PHP_PATH_ELEMENT=/stale
         echo /php >p/env/OPENSHIFT_PHP_PATH_ELEMENT; echo /lp >p/env/OPENSHIFT_PHP_LD_LIBRARY_PATH_ELEMENT
         export OPENSHIFT_A_PATH_ELEMENT=/a OPENSHIFT_A_LD_LIBRARY_PATH_ELEMENT=/la
         build_path; echo; build_ld_library_path; echo; get_gear_path; echo
         get_gear_ld_library_path; echo; primary_cartridge_name; echo; primary_cartridge_short_name",
        "/php:/a:/usr/bin:/bin\n/la:/lp\n/php:/a\n/la:/lp\nredhat-php-5.4\nPHP\n",
    );
}

#[test]
fn versions_compare_as_numbers() {
    prints(
        "for pair in '1.0 1' '1.10 1.9' '1.08 1.7' '1.2 1.3' '2 10'; do
            set -- $pair; s=0; version_comp $1 $2 || s=$?; echo $s; done",
        "0\n1\n1\n2\n2\n",
    );
    prints(
        "version_gt 2 1 && echo 1; version_lt 1 2 && echo 2; version_gt 1 1 || echo 3
         version_in_range 0.0.11.5 0.0.11 0.1.0 && echo 4; version_in_range 1 1 1 && echo 5
         version_in_range 0.2 0.0.11 0.1.0 || echo 6; version_in_range 0.0.1 0.0.11 0.1 || echo 7",
        "1\n2\n3\n4\n5\n6\n7\n",
    );
}

#[test]
fn manifests_are_asked() {
    prints(
        "export OPENSHIFT_PRIMARY_CARTRIDGE_DIR=$PWD/p OPENSHIFT_HOMEDIR=$PWD
         mkdir -p p/metadata; printf 'Endpoints:\\n  - Private-IP-Name: \"IP1\"\\n    Private-Port-Name: PORT1\\n  - Private-IP-Name: IP2\\nCategories:\\n- web_framework\\n' >p/metadata/manifest.yml
         primary_cartridge_private_ip_name; primary_cartridge_private_port_name
         has_web_proxy || echo none
         printf 'Categories: [a, web_proxy]\\n' >p/metadata/manifest.yml; has_web_proxy && echo one
         printf 'Categories:\\n- web_proxy\\n' >p/metadata/manifest.yml; has_web_proxy && echo two",
        "IP1\nPORT1\nnone\none\ntwo\n",
    );
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(bash(temp.path(), "ruby_sdk 1").1, 127);
}

#[test]
fn sourcing_twice_is_as_sourcing_once() {
    prints("source ./cartridge_sdk; client_result x", "CLIENT_RESULT: x\n");
}

#[test]
fn writing_out_is_repeatable_and_repairs() {
    let temp = tempfile::tempdir().unwrap();
    let lib = Dir::open(temp.path()).unwrap();
    let program = Path::new("/usr/bin/cart");
    for _ in 0..2 {
        materialise(&lib, program).unwrap();
    }
    lib.replace_file(BASH_PATH, b"broken", 0o644).unwrap();
    lib.remove_file("bin/logshifter").unwrap();
    lib.make_link("bin/logshifter", "/old/cart").unwrap();
    materialise(&lib, program).unwrap();
    assert_eq!(lib.read(BASH_PATH, 1 << 20).unwrap(), BASH.as_bytes());
    assert_eq!(lib.link_target("bin/logshifter").unwrap(), program);
    assert_eq!(lib.dir("bin").unwrap().names().unwrap(), COMMANDS, "nothing left over");
    assert_eq!(commands(temp.path()), temp.path().join("bin"));
    assert!(fallbacks(&commands(temp.path())).join("lsof").is_symlink());
    assert!(super::stand_ins(&commands(temp.path())).join("haproxy").is_symlink());
    assert_eq!(std::fs::read(super::hidden(temp.path(), "haproxy")).unwrap(), b"");
    let variables = node_variables(temp.path(), "example.org");
    let bash = Path::new(&variables["OPENSHIFT_CARTRIDGE_SDK_BASH"]);
    assert!(bash.is_file());
    assert!(Path::new(&variables["OPENSHIFT_CARTRIDGE_SDK_RUBY"]).is_file());
    assert_eq!(place_of(bash), Some(temp.path()));
    assert_eq!(place_of(Path::new("/usr/lib/openshift/cartridge_sdk/bash/sdk")), None);
}

#[test]
fn a_script_that_reads_the_settings_of_a_node_goes_on_without_them() {
    prints(
        "cat >script <<'END'
    set -e
    source ./cartridge_sdk
    source /etc/openshift/node.conf
    source ./more
    [[ $(type -t source) == builtin ]] && echo \"${#LIST[@]}\"
END
         echo 'declare -a LIST; LIST=(1 2)' >more; bash script",
        "2\n",
    );
}

#[test]
fn the_gears_of_an_application_come_from_its_registry() {
    prints(
        "oo-gear-registry() { echo \"registry $*\"; }; web_gears; proxy_gears; all_gears",
        "registry web\nregistry proxy\nregistry all\n",
    );
    prints(
        "touch sdk.rb; export OPENSHIFT_CARTRIDGE_SDK_RUBY=$PWD/sdk.rb
         oo-ruby() { echo \"$1 ${2##*/} $4\"; }; app_web_to_proxy_ratio_and_colocated_gears
         ruby_sdk 'primary_cartridge_manifest[\"Name\"]'",
        "-r sdk.rb include OpenShift::CartridgeSdk; puts app_web_to_proxy_ratio_and_colocated_gears\n\
         -r sdk.rb include OpenShift::CartridgeSdk; puts primary_cartridge_manifest[\"Name\"]\n",
    );
}

#[test]
fn a_server_is_told_to_end_gracefully_and_waited_for() {
    prints(
        "bash -c 'trap \"exit 0\" WINCH; echo $$ >pid; while :; do sleep 0.1; done' &
         wait_for_pid_file pid; sleep 0.3; shutdown_httpd_graceful_pidfile pid >/dev/null
         wait $! && echo gone",
        "gone\n",
    );
    prints("print_user_running_processes >all; head -n 2 all | tail -n 1", "Running Processes:\n");
    prints("client_out WORD $'a\\n\\nb'", "WORD: a\nWORD: b\n");
}

#[test]
fn every_function_is_tried_and_every_command_has_its_place() {
    let tests = include_str!("tests.rs");
    let functions = BASH.lines().filter_map(|line| line.split_once("() ")?.0.into());
    for function in functions.filter(|name: &&str| !name.starts_with('_')) {
        assert!(tests.contains(function), "no test calls `{function}`");
    }
    let all: Vec<&str> = COMMANDS.into_iter().chain(super::FALLBACK_COMMANDS).collect();
    assert!(super::STAND_INS.iter().all(|name| !all.contains(name)));
    for (folder, name) in super::ABSOLUTE {
        assert!(all.contains(&name) && ["usr/bin", "usr/sbin"].contains(&folder), "{name}");
    }
}
