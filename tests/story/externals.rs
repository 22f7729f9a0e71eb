//! Externals, by the seed's own example: `user` with data, `nfs` with a file of data, `sysctl` with a
//! script that prints them. What each was given is written down and compared with the specification
//! (seed on externals; specification of tpkg, 3), and then what goes wrong with them.

use crate::alone;
use crate::host::Host;
use serde_json::Value;
use std::process::Stdio;

/// An external that writes down how it was called, and reads what it is given.
const RECORDER: &str = "#!/bin/bash\n\
    { printf 'call %s' \"${0##*/}\"; printf ' [%s]' \"$@\"; printf ' %s in %s of %s\\n' \
    \"$TPKG_ACTION\" \"$PWD\" \"$TPKG_HOME\"; cat; echo '<'; } >>\"$RECORD\"\n";

/// The seed's example, word for word.
const SEED: &str = "Externals:\n- name: user\n  data: myuser\n- name: nfs\n  datafile: nfsmountsfile\n\
                    - name: sysctl\n  datascript: ./calculate_kernel_memory_settings\n";

struct Asking {
    host: Host,
}

impl Asking {
    /// A host whose administrator has the three externals of the seed.
    fn new() -> Self {
        let asking = Self { host: Host::new() };
        for name in ["user", "nfs", "sysctl"] {
            asking.external(name, RECORDER);
        }
        asking
    }

    fn external(&self, name: &str, text: &str) {
        let record = self.host.place("record");
        let text = text.replacen("#!/bin/bash\n", &format!("#!/bin/bash\nRECORD='{record}'\n"), 1);
        self.host.write(&format!("host/etc/cartwright/externals/{name}"), &text, 0o755);
    }

    /// A release of the cartridge that asks.
    fn release(&self, version: &str, externals: &str) -> String {
        let folder = format!("ours-{version}");
        let more = format!(
            "Version: '1'\nCartridge-Version: '{version}'\nCompatible-Versions: []\n{externals}"
        );
        let mounts = "server:/export /data\n\n\\ $(touch x) `y`";
        self.host.write(&format!("{folder}/nfsmountsfile"), mounts, 0o644);
        let script = "#!/bin/bash\necho \"as ${PWD##*/} of $TPKG_ACTION\"\n\
                      [[ -r metadata/manifest.yml && -n $TPKG_HOME ]] && printf 'kernel.shmmax = 1'\n";
        self.host.write(&format!("{folder}/calculate_kernel_memory_settings"), script, 0o755);
        self.host.cartridge(&folder, &more, ("setup", "#!/bin/bash\nexit 0\n"))
    }

    fn seen(&self) -> String {
        std::fs::read_to_string(self.host.place("record")).unwrap_or_default()
    }

    /// What was called since the last look.
    fn since(&self) -> String {
        let seen = self.seen();
        drop(std::fs::remove_file(self.host.place("record")));
        seen
    }

    /// The calls alone: name and word, in order.
    fn calls(&self) -> Vec<String> {
        let words = |line: &str| {
            let mut words = line.strip_prefix("call ")?.split(' ');
            Some(format!("{} {}", words.next()?, words.nth(1)?.trim_matches(['[', ']'])))
        };
        self.since().lines().filter_map(words).collect()
    }

    fn requests(&self) -> Vec<Value> {
        self.host.json(&["external", "list"])["requests"].as_array().unwrap().clone()
    }
}

fn key_of(request: &Value) -> String {
    request["key"].as_str().unwrap().to_owned()
}

#[test]
fn the_seeds_example_on_coming_and_going() {
    let _alone = alone();
    let asking = Asking::new();
    let ours = asking.release("1.0", SEED);
    asking.host.must(&["install", &ours]);
    assert_eq!(asking.since(), "", "the library asks for nothing");
    asking.host.must(&["gear", "create", "blog", "ours"]);
    let home = asking.host.home("blog").display().to_string();
    let place = std::fs::read_dir(
        asking.host.root().join("var/lib/cartwright/library/cartridge/test-ours"),
    );
    let place = place.unwrap().flatten().next().unwrap().file_name().into_string().unwrap();
    let file = "test-ours-1-1.0";
    let called = |word: &str, action: &str| {
        let call = |name: &str, data: &str| {
            format!("call {name} [{file}] [{word}] {action} in / of {home}\n{data}<\n")
        };
        // What the script has printed once is what is given back.
        let printed = format!("as {place} of install\nkernel.shmmax = 1");
        call("user", "myuser")
            + &call("nfs", "server:/export /data\n\n\\ $(touch x) `y`")
            + &call("sysctl", &printed)
    };
    assert_eq!(asking.since(), called("install", "install"));
    let requests = asking.requests();
    assert_eq!(requests.len(), 3);
    for (request, name) in requests.iter().zip(["user", "nfs", "sysctl"]) {
        assert_eq!(request["external"], name);
        assert_eq!(request["state"], "done");
        assert_eq!(request["package"], file);
        assert_eq!(request["gear"], "blog");
        assert_eq!(request["asked_by"]["name"], "ours");
    }
    asking.host.must(&["gear", "destroy", "blog"]);
    assert_eq!(asking.since(), called("remove", "remove"));
    assert!(asking.requests().is_empty());
    // What was taken back is asked for again, when the gear comes back.
    asking.host.must(&["undo", &asking.host.last()]);
    assert_eq!(asking.since(), called("install", "install"));
    assert_eq!(asking.requests().len(), 3);
    asking.host.must(&["undo", &asking.host.last()]);
    assert_eq!(asking.since(), called("remove", "remove"));
}

#[test]
fn an_upgrade_calls_what_has_changed_and_keeps_the_rest_under_its_name() {
    let _alone = alone();
    let asking = Asking::new();
    let fixed = |user: &str, more: &str| {
        format!(
            "Externals:\n- name: user\n  data: {user}\n- name: nfs\n  datafile: nfsmountsfile\n{more}"
        )
    };
    let first = asking.release("1.0", &fixed("myuser", "- {name: sysctl, data: a = 1}\n"));
    asking.host.must(&["gear", "create", "blog", &first]);
    assert_eq!(asking.calls(), ["user install", "nfs install", "sysctl install"]);
    let second = asking.release("2.0", &fixed("other", "- {name: sysctl, data: a = 1}\n"));
    asking.host.must(&["install", &second]);
    asking.host.must(&["gear", "upgrade", "blog"]);
    let home = asking.host.home("blog").display().to_string();
    let expected = format!(
        "call user [test-ours-1-1.0] [remove] upgrade in / of {home}\nmyuser<\n\
         call user [test-ours-1-2.0] [install] upgrade in / of {home}\nother<\n"
    );
    assert_eq!(asking.since(), expected);
    let requests = asking.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request["asked_by"]["version"], "test-ours-1-2.0");
    }
    // Back, and forth again.
    asking.host.must(&["gear", "rollback", "blog"]);
    let expected = format!(
        "call user [test-ours-1-2.0] [remove] upgrade in / of {home}\nother<\n\
         call user [test-ours-1-1.0] [install] upgrade in / of {home}\nmyuser<\n"
    );
    assert_eq!(asking.since(), expected);
    asking.host.must(&["gear", "upgrade", "blog"]);
    assert_eq!(asking.calls(), ["user remove", "user install"]);
    // The external knows the two others by the name under which it was asked.
    asking.host.must(&["gear", "destroy", "blog"]);
    let seen = asking.since();
    for line in [
        "call user [test-ours-1-2.0] [remove] remove",
        "call nfs [test-ours-1-1.0] [remove] remove",
        "call sysctl [test-ours-1-1.0] [remove] remove",
    ] {
        assert!(seen.contains(line), "{line}: {seen}");
    }
    assert_eq!(seen.matches("call ").count(), 3);
}

#[test]
fn an_upgrade_that_fails_leaves_the_old_release_with_what_it_asked_for() {
    let _alone = alone();
    let asking = Asking::new();
    let first = asking.release("1.0", "Externals:\n- {name: user, data: one}\n- {name: nfs}\n");
    asking.host.must(&["gear", "create", "blog", &first]);
    let before = asking.requests();
    let refusing =
        RECORDER.to_owned() + "[[ $2 == remove ]] || tail -n1 \"$RECORD\" | grep -q 'one<'\n";
    asking.external("user", &refusing);
    let second = "Externals:\n- {name: user, data: two, strict: true}\n- {name: sysctl}\n";
    asking.host.must(&["install", &asking.release("2.0", second)]);
    asking.since();
    assert_eq!(asking.host.run(&["gear", "upgrade", "blog"]).0, 9);
    let home = asking.host.home("blog").display().to_string();
    let call = |name: &str, version: &str, word: &str, data: &str| {
        format!("call {name} [test-ours-1-{version}] [{word}] upgrade in / of {home}\n{data}<\n")
    };
    // What failed may have done something: it is asked to take it back.
    let expected = call("user", "1.0", "remove", "one")
        + &call("nfs", "1.0", "remove", "")
        + &call("user", "2.0", "install", "two")
        + &call("user", "2.0", "remove", "two")
        + &call("nfs", "1.0", "install", "")
        + &call("user", "1.0", "install", "one");
    assert_eq!(asking.since(), expected);
    assert_eq!(asking.requests(), before);
    let gear = asking.host.json(&["gear", "show", "blog"]);
    assert_eq!(gear["cartridges"][0]["package_version"], "1.0");
}

#[test]
fn a_failing_external_is_a_warning_unless_success_is_demanded() {
    let _alone = alone();
    let asking = Asking::new();
    let refusing = RECORDER.to_owned() + "echo 'no such user' >&2\nexit 7\n";
    asking.external("nfs", &refusing);
    let ours = asking.release("1.0", SEED);
    let (status, said) = asking.host.aloud(&["gear", "create", "blog", &ours]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("status 7") && said.contains("no such user"), "{said}");
    let failed = &asking.requests()[1];
    assert_eq!((&failed["external"], &failed["state"]), (&"nfs".into(), &"failed".into()));
    assert!(failed["detail"].as_str().unwrap().contains("no such user"));
    let history = asking.host.run(&["history", &asking.host.last()]).1;
    assert!(history.contains("warning: the external `nfs` did not succeed"), "{history}");
    // When it is mended, it is asked once more.
    assert_eq!(asking.host.run(&["external", "check"]).0, 20);
    asking.external("nfs", RECORDER);
    asking.since();
    asking.host.must(&["external", "run", "--failed"]);
    assert_eq!(asking.calls(), ["nfs install"]);
    asking.host.must(&["external", "check", "nfs"]);
    asking.host.must(&["external", "run", "nfs", &key_of(&asking.requests()[0])]);
    assert_eq!(asking.calls(), ["user install", "nfs install"]);
    assert_eq!(asking.host.run(&["external", "run", "none"]).0, 3);
    asking.external("nfs", &refusing);
    // It may have done something: it is asked to take it back as the others are.
    asking.since();
    asking.host.must(&["gear", "destroy", "blog"]);
    assert_eq!(asking.calls(), ["user remove", "nfs remove", "sysctl remove"]);

    // Demanded by the command line, by the settings, by the package.
    let before = asking.host.tree();
    let unwound = ["user install", "nfs install", "nfs remove", "user remove"];
    let (status, said) =
        asking.host.aloud(&["gear", "create", "blog", "ours", "--strict-externals"]);
    assert_eq!(status, 9, "{said}");
    assert!(said.contains("`nfs` did not succeed") && said.contains("no such user"), "{said}");
    assert_eq!(asking.calls(), unwound);
    assert_eq!(asking.host.tree(), before);
    assert!(asking.requests().is_empty());
    asking.host.settings("externals:\n  nfs: {strict: true}\n");
    assert_eq!(asking.host.run(&["gear", "create", "blog", "ours"]).0, 9);
    assert_eq!(asking.calls(), unwound);
    asking.host.settings("externals:\n  user: {strict: true}\n");
    asking.host.must(&["gear", "create", "blog", "ours"]);
    asking.host.must(&["gear", "destroy", "blog"]);
    asking.since();
    let strict = SEED.replace("nfsmountsfile\n", "nfsmountsfile\n  strict: true\n");
    let ours = asking.release("1.1", &strict);
    assert_eq!(asking.host.run(&["gear", "create", "blog", &ours]).0, 9);
    assert_eq!(asking.calls(), unwound);
}

#[test]
fn a_missing_external_is_refused_before_anything_changes() {
    let _alone = alone();
    let asking = Asking::new();
    let ours = asking.release("1.0", &(SEED.to_owned() + "- {name: none-such, data: x}\n"));
    let (status, said) = asking.host.run(&["gear", "create", "blog", &ours]);
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("`none-such`") && said.contains("--allow-missing-externals"), "{said}");
    assert_eq!(asking.since(), "");
    assert!(!asking.host.has_gear_folder("blog"));
    let (status, said) =
        asking.host.run(&["gear", "create", "blog", &ours, "--allow-missing-externals"]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(asking.requests()[3]["state"], "missing");
    let (status, checked) = asking.host.run(&["external", "check"]);
    assert_eq!(status, 20, "{checked}");
    // Nobody was asked, so nobody needs to take anything back.
    asking.host.must(&["gear", "destroy", "blog"]);
    // One that cannot be run is not passed over for another of its name.
    asking.host.write("host/usr/lib/tpkg/externals/other", "#!/bin/bash\n", 0o755);
    let other = asking.release("1.1", "Externals:\n- {name: other}\n");
    asking.host.must(&["gear", "create", "blog", &other]);
    asking.host.write("host/etc/cartwright/externals/other", "#!/bin/bash\n", 0o644);
    let (status, said) = asking.host.run(&["gear", "destroy", "blog"]);
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("is not executable"), "{said}");
}

#[test]
fn what_is_not_read_and_what_does_not_end_harms_nobody() {
    let _alone = alone();
    let asking = Asking::new();
    asking.external("user", "#!/bin/bash\nexec <&-\nexit 0\n");
    asking.external("nfs", "#!/bin/bash\nsleep 600\n");
    asking.host.settings("scripts:\n  external_timeout: 1\n");
    let externals = format!(
        "Externals:\n- name: user\n  data: {}\n- name: nfs\n- name: sysctl\n  data: \"a = 1\\n\"\n",
        "x".repeat(300_000)
    );
    let ours = asking.release("1.0", &externals);
    let (status, said) = asking.host.aloud(&["gear", "create", "blog", &ours]);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("not over after 1 seconds") && !said.contains("`user` did not"),
        "{said}"
    );
    let states: Vec<_> = asking.requests().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["done", "failed", "done"]);
    assert!(asking.since().ends_with("\na = 1\n<\n"));
    asking.host.must(&["gear", "destroy", "blog"]);
}

#[test]
fn data_that_cannot_be_had_fail_the_change() {
    let _alone = alone();
    let asking = Asking::new();
    let refused = asking.release("1.0", "Externals:\n- {name: nfs, datafile: ../../etc/passwd}\n");
    assert_eq!(asking.host.run(&["gear", "create", "blog", &refused]).0, 1);
    let none = asking.release("1.1", "Externals:\n- {name: nfs, datafile: none}\n");
    let (status, said) = asking.host.run(&["gear", "create", "blog", &none]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("`datafile: none`"), "{said}");
    let ours =
        asking.release("1.2", "Externals:\n- {name: user}\n- {name: nfs, datascript: ./bad}\n");
    asking.host.write("ours-1.2/bad", "#!/bin/bash\necho 'too little memory' >&2\nexit 3\n", 0o755);
    let (status, said) = asking.host.run(&["gear", "create", "blog", &ours]);
    assert_eq!(status, 9, "{said}");
    assert!(said.contains("`bad`") && said.contains("too little memory"), "{said}");
    assert_eq!(asking.since(), "", "data are made before anybody is asked");
    assert!(!asking.host.has_gear_folder("blog"));
    // A script of a cartridge is the gear's, not root's.
    let ours = asking.release("1.3", "Externals:\n- {name: nfs, datascript: who}\n");
    let secret = asking.host.path("secret");
    let who = format!("#!/bin/bash\nid -u\necho x >'{}'; echo over\n", secret.display());
    asking.host.write("ours-1.3/who", &who, 0o755);
    asking.host.must(&["gear", "create", "blog", &ours]);
    let data = asking.requests()[0]["data"].as_str().unwrap().to_owned();
    // Where the gear has a `/tmp` of its own, it may have written there.
    assert!(data.ends_with("over\n") && !secret.exists(), "{data}");
    if Host::is_root() {
        assert!(!data.starts_with("0\n"), "{data}");
    }
}

#[test]
fn a_tool_reads_requests_and_acknowledges_them() {
    let _alone = alone();
    let asking = Asking::new();
    asking.host.settings("externals:\n  '*': {mode: request}\n  sysctl: {mode: exec}\n");
    let ours = asking.release("1.0", SEED);
    asking.host.must(&["gear", "create", "blog", &ours]);
    assert_eq!(asking.calls(), ["sysctl install"]);
    let waiting = || asking.host.json(&["external", "list", "--waiting"])["requests"].clone();
    let key = |at: usize| waiting()[at]["key"].as_str().unwrap().to_owned();
    let spool = asking.host.root().join("var/lib/cartwright/spool");
    let spooled = || {
        let files = std::fs::read_dir(&spool).unwrap().flatten();
        let read = |entry: std::fs::DirEntry| std::fs::read(entry.path()).unwrap();
        let mut all: Vec<Value> =
            files.map(|entry| serde_json::from_slice(&read(entry)).unwrap()).collect();
        all.sort_by_key(|one| one["key"].as_str().unwrap().to_owned());
        all
    };
    assert_eq!(waiting().as_array().unwrap().len(), 2);
    let files = spooled();
    assert_eq!(files.len(), 2);
    assert_eq!((&files[0]["external"], &files[0]["data"]), (&"user".into(), &"myuser".into()));
    assert_eq!((&files[0]["action"], &files[0]["key"]), (&"install".into(), &key(0).into()));
    let (user, nfs) = (key(0), key(1));
    asking.host.must(&["external", "ack", &user]);
    asking.host.must(&["external", "ack", &nfs, "--failed", "no such server"]);
    assert!(spooled().is_empty());
    let requests = asking.requests();
    assert_eq!((&requests[0]["state"], &requests[1]["state"]), (&"done".into(), &"failed".into()));
    assert_eq!(asking.host.run(&["external", "ack", "user"]).0, 2, "by its key alone");
    assert_eq!(asking.host.run(&["external", "ack", "77-1"]).0, 3);
    assert_eq!(asking.host.run(&["external", "ack", &user, "--action", "remove"]).0, 4);
    asking.host.must(&["external", "run", "--failed"]);
    assert_eq!(spooled().len(), 1);
    // What goes is asked back of the tool, also what it has not done yet.
    asking.host.must(&["gear", "destroy", "blog"]);
    let files = spooled();
    assert_eq!(files.len(), 2);
    assert!(files.iter().all(|one| one["action"] == "remove"));
    assert_eq!(asking.requests().len(), 2);
    asking.host.must(&["external", "ack", &user, &nfs, "--action", "remove"]);
    assert!(spooled().is_empty() && asking.requests().is_empty());
    assert_eq!(
        asking.host.json(&["external", "list", "--all"])["requests"].as_array().unwrap().len(),
        3
    );
    // A transaction that fails leaves no request behind.
    asking.host.write("ours-1.0/bin/setup", "#!/bin/bash\nexit 1\n", 0o755);
    assert_eq!(asking.host.run(&["gear", "create", "blog", &asking.host.place("ours-1.0")]).0, 9);
    assert!(spooled().is_empty() && asking.requests().is_empty());
}

#[test]
fn a_cart_that_is_called_from_inside_says_what_goes_on() {
    let _alone = alone();
    let asking = Asking::new();
    let line = |words: &str| {
        let cart = env!("CARGO_BIN_EXE_cart");
        format!(
            "'{cart}' -y {words} >>\"$RECORD\" 2>&1 </dev/null; echo \"status $?\" >>\"$RECORD\"\n"
        )
    };
    // As a tool would: it looks, changes the same gear, makes another one, and one that asks as well.
    let tool = RECORDER.to_owned()
        + "[[ $2 == install ]] || exit 0\n"
        + &line("external list --json")
        + &line("gear start blog")
        + &line("gear create other static-web")
        + &line("gear create third ours");
    asking.external("user", &tool);
    let ours = asking.release("1.0", "Externals:\n- {name: user, data: x}\n");
    asking.host.must(&["install", &ours]);
    let (status, said) = asking.host.aloud(&["gear", "create", "blog", "ours"]);
    assert_eq!(status, 0, "{said}");
    let seen = asking.since();
    let statuses: Vec<_> = seen.lines().filter_map(|line| line.strip_prefix("status ")).collect();
    assert_eq!(statuses[0], "0", "reading never waits: {seen}");
    assert!(["3", "8"].contains(&statuses[1]), "{seen}");
    assert_eq!(statuses[2], "0", "another gear is none of its business: {seen}");
    assert_eq!(statuses[3], "8", "{seen}");
    assert!(seen.contains("waits for this `cart`"), "{seen}");
    assert_eq!(seen.matches("call user").count(), 1);
    asking.host.must(&["gear", "show", "blog"]);
    asking.host.must(&["gear", "show", "other"]);
    assert_eq!(asking.host.run(&["gear", "show", "third"]).0, 3);
    asking.host.must(&["verify"]);
    let (status, said) = asking.host.run(&["doctor"]);
    assert!(!said.contains("transaction"), "{status}: {said}");
    let mut history = asking.host.command(&["history", "--json"]);
    let output = history.stderr(Stdio::null()).output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stdout).contains("\"running\""));
}
