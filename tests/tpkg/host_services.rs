//! Init scripts and crontabs.

use crate::host::Host;
use crate::support::tpkg::Tpkg;

fn with_levels() -> Host {
    let host = Host::new();
    for level in 2..=5 {
        std::fs::create_dir_all(host.at(&format!("etc/rc{level}.d"))).unwrap();
    }
    host
}

fn service(name: &str, what: &str) -> Tpkg {
    Tpkg::new(name, "1")
        .script("reloc/init/daemon", "[ $1 = status ] || echo $1 >> $(dirname $0)/../../calls")
        .of("init/daemon", &format!("    init:\n{what}"))
}

#[test]
fn links_of_run_levels_have_their_number_and_usual_levels() {
    let host = with_levels();
    let before = host.look();
    host.must(&["install", &host.pack(&service("one", "      start: 42"))]);
    for level in 2..=5 {
        let target = host.target(&format!("etc/rc{level}.d/S42daemon"));
        assert_eq!(target, host.base("init/daemon").display().to_string());
    }
    host.must(&["verify"]);
    host.must(&["remove", "one"]);
    assert_eq!(host.read("opt/calls"), "stop\n", "a service of what goes is stopped");
    std::fs::remove_file(host.at("opt/calls")).unwrap();
    std::fs::remove_dir(host.at("opt")).unwrap();
    assert_eq!(host.look(), before);
}

#[test]
fn levels_and_number_may_be_given_and_levels_be_empty() {
    let host = with_levels();
    host.must(&["install", &host.pack(&service("one", "      levels: [3]"))]);
    assert!(host.has("etc/rc3.d/S99daemon") && !host.has("etc/rc2.d/S99daemon"));
    let host = with_levels();
    host.must(&["install", &host.pack(&service("one", "      levels: []"))]);
    assert!(!host.has("etc/rc3.d/S99daemon"));
}

#[test]
fn a_name_that_is_taken_gets_a_digit_and_the_right_one_goes() {
    let host = with_levels();
    host.write("etc/rc3.d/S99daemon", "somebody's");
    for (name, base) in [("one", "/a"), ("two", "/b")] {
        let package = host.pack(&service(name, "      levels: [3]"));
        host.must(&["install", "--base", base, &package]);
    }
    assert!(host.target("etc/rc3.d/S99daemon1").ends_with("/a/init/daemon"));
    assert!(host.target("etc/rc3.d/S99daemon2").ends_with("/b/init/daemon"));
    host.must(&["remove", "--skip-remove-stop", "one"]);
    assert!(!host.has("etc/rc3.d/S99daemon1") && host.has("etc/rc3.d/S99daemon2"));
    assert_eq!(host.read("etc/rc3.d/S99daemon"), "somebody's");
    assert!(!host.has("calls"), "--skip-remove-stop");
}

#[test]
fn services_are_stopped_in_the_reverse_order_of_their_numbers() {
    let host = with_levels();
    let package = |name: &str, start: u32| {
        let log = host.at("log").display().to_string();
        Tpkg::new(name, "1")
            .script(
                &format!("reloc/{name}-init"),
                &format!("[ $1 = status ] || echo {name} $1 >> {log}"),
            )
            .of(&format!("{name}-init"), &format!("    init:\n      start: {start}"))
    };
    host.must(&["install", &host.pack(&package("first", 10)), &host.pack(&package("second", 20))]);
    host.must(&["remove", "first", "second"]);
    assert_eq!(host.read("log"), "second stop\nfirst stop\n");
}

#[test]
fn without_run_levels_there_is_a_unit() {
    let host = Host::new();
    std::fs::create_dir_all(host.at("etc/systemd/system")).unwrap();
    let before = host.look();
    host.must(&["install", &host.pack(&service("one", "      start: 42"))]);
    let unit = host.read("etc/systemd/system/tpkg-daemon.service");
    assert!(unit.contains(&format!("ExecStart=\"{}\" start", host.base("init/daemon").display())));
    let link = "etc/systemd/system/multi-user.target.wants/tpkg-daemon.service";
    assert_eq!(host.target(link), "../tpkg-daemon.service");
    host.must(&["verify"]);
    host.must(&["remove", "--skip-remove-stop", "one"]);
    std::fs::remove_dir(host.at("etc/systemd/system/multi-user.target.wants")).ok();
    std::fs::remove_dir(host.at("opt")).ok();
    assert_eq!(host.look(), before);
}

#[test]
fn a_crontab_is_linked_and_a_taken_name_gets_a_digit() {
    let host = Host::new();
    host.write("etc/cron.d/jobs", "somebody's");
    let package = Tpkg::new("one", "1").file("reloc/jobs", "* * * * * root true\n");
    host.must(&["install", &host.pack(&package.of("jobs", "    crontab: {}"))]);
    assert_eq!(host.target("etc/cron.d/jobs1"), host.base("jobs").display().to_string());
    host.must(&["remove", "one"]);
    assert!(!host.has("etc/cron.d/jobs1") && host.read("etc/cron.d/jobs") == "somebody's");
}

#[test]
fn lines_in_the_crontab_of_a_user_come_and_go_and_leave_others_alone() {
    let host = Host::new();
    let crontab = "var/spool/cron/crontabs/app";
    host.write(crontab, "1 * * * * mine\n");
    let package = |version: &str| {
        Tpkg::new("one", version)
            .file("reloc/jobs", &format!("2 * * * * {version}\n"))
            .of("jobs", "    crontab:\n      user: app")
    };
    host.must(&["install", &host.pack(&package("1"))]);
    let base = host.base("").display().to_string();
    let base = base.trim_end_matches('/');
    let block = |version: &str| {
        format!(
            "### TPKG START - {base} - one-{version}.tpkg\n2 * * * * {version}\n\
             ### TPKG END - {base} - one-{version}.tpkg\n"
        )
    };
    assert_eq!(host.read(crontab), format!("1 * * * * mine\n{}", block("1")));
    assert_eq!(host.mode(crontab), 0o600);
    host.must(&["upgrade", &host.pack(&package("2"))]);
    assert_eq!(host.read(crontab), format!("1 * * * * mine\n{}", block("2")));
    host.must(&["remove", "one"]);
    assert_eq!(host.read(crontab), "1 * * * * mine\n");
}
