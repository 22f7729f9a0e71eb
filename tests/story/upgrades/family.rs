//! The family: releases of one cartridge that differ in their files and endpoints, and whose `upgrade`
//! does what the test tells it to.

use crate::host::Host;
use crate::support::processes::marked;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A daemon that listens, by which the gear is known to run.
const CONTROL: &str = "#!/bin/bash\ncd \"$(dirname \"$0\")/..\"\ncase $1 in\n\
    start) if [[ -e $OPENSHIFT_DATA_DIR/deaf ]]; then sleep 1000 >/dev/null 2>&1 & echo $! >run/pid; exit 0; fi\n\
    perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1000, ReuseAddr => 1, \
    LocalAddr => $ENV{OPENSHIFT_FAM_IP}, LocalPort => $ENV{OPENSHIFT_FAM_PORT}) or die $!; \
    sleep 1000' >/dev/null 2>&1 & echo $! >run/pid ;;\n\
    stop) if [[ -f run/pid ]]; then kill \"$(<run/pid)\" 2>/dev/null; rm -f run/pid; fi ;;\nesac\nexit 0\n";

/// What `upgrade` does: writes down how it was called, then what `mode` in the data says.
const UPGRADE: &str = "#!/bin/bash\ncd \"$(dirname \"$0\")/..\"\n\
    echo \"$* attempt $CART_ATTEMPT in $CART_TRANSACTION\" >>\"$OPENSHIFT_DATA_DIR/upgraded\"\n\
    [[ -f $OPENSHIFT_HOMEDIR/app-root/runtime/.upgrade_itinerary ]] && echo told >>\"$OPENSHIFT_DATA_DIR/upgraded\"\n\
    echo changed >conf/by-script; rm -f conf/kept; echo x >\"$OPENSHIFT_DATA_DIR/by-script\"\n\
    case $(cat \"$OPENSHIFT_DATA_DIR/mode\" 2>/dev/null) in\n\
    fail) echo 'it is broken' >&2; exit 3 ;;\n\
    fill) head -c 3000000 /dev/zero >\"$OPENSHIFT_DATA_DIR/full\"; exit 4 ;;\n\
    slow) sleep 60 ;;\n\
    until*) tries=$(cat \"$OPENSHIFT_DATA_DIR/mode\"); (( CART_ATTEMPT < ${tries#until } )) && exit 3 ;;\n\
    hang) trap '' TERM INT HUP; (setsid sleep 600 &) ; while :; do sleep 600; done ;;\n\
    parent) kill -9 $PPID; kill -9 1; sleep 1; exit 3 ;;\n\
    disk) cat /dev/zero >\"$OPENSHIFT_DATA_DIR/full\"; exit 5 ;;\n\
    deaf) touch \"$OPENSHIFT_DATA_DIR/deaf\" ;;\n\
    esac\nexit 0\n";

/// One release of the family: its cartridge version, what it is compatible with, and its files.
pub(super) fn release(
    host: &Host,
    version: &str,
    compatible: &str,
    endpoints: &str,
    files: &[(&str, &str)],
) -> String {
    let folder = format!("fam-{version}");
    let manifest = format!(
        "Name: fam\nCartridge-Short-Name: FAM\nCartridge-Vendor: test\nVersion: '1'\n\
         Cartridge-Version: '{version}'\nCompatible-Versions: [{compatible}]\n\
         Categories: [web_framework]\nEndpoints:\n- Private-IP-Name: IP\n  \
         Private-Port-Name: PORT\n  Private-Port: 23411\n{endpoints}"
    );
    let managed = "locked_files:\n- conf/locked\nsetup_rewritten:\n- conf/made\n\
                   processed_templates:\n- conf/shown.erb\n";
    let setup = "#!/bin/bash\ncd \"$(dirname \"$0\")/..\"\nmkdir -p run\n\
                 [[ -e conf/made ]] && echo left >>\"$OPENSHIFT_DATA_DIR/setups\"\n\
                 echo made >conf/made; echo VERSION >>\"$OPENSHIFT_DATA_DIR/setups\"\n";
    let setup = setup.replace("VERSION", version);
    let common = [
        ("metadata/manifest.yml", manifest.as_str()),
        ("metadata/managed_files.yml", managed),
        ("bin/control", CONTROL),
        ("bin/setup", &setup),
        ("bin/upgrade", UPGRADE),
        ("conf/locked", version),
        ("conf/mine", version),
        ("conf/kept", "the same\n"),
        ("conf/shown.erb", "<%= ENV['OPENSHIFT_FAM_PORT'] %> of VERSION\n"),
        ("env/OPENSHIFT_FAM_RELEASE.erb", version),
        ("usr/release", version),
    ];
    for (path, text) in common.iter().chain(files) {
        let script = text.starts_with("#!");
        let text = if path.ends_with("shown.erb") {
            text.replace("VERSION", version)
        } else {
            (*text).to_owned()
        };
        host.write(&format!("{folder}/{path}"), &text, if script { 0o755 } else { 0o644 });
    }
    host.place(&folder)
}

pub(super) struct Family {
    pub(super) host: Host,
}

impl Family {
    /// A host with the first release in a gear that runs.
    pub(super) fn new() -> Self {
        Self::on(Host::new())
    }

    pub(super) fn on(host: Host) -> Self {
        let first = release(&host, "1.0", "", "", &[("conf/old/gone", "1.0\n")]);
        host.must(&["gear", "create", "blog", &first, "--start"]);
        Self { host }
    }

    /// Brings a release into the library.
    pub(super) fn compatible(&self) {
        let one = release(&self.host, "1.1", "'1.0'", "", &[("conf/more/new", "1.1\n")]);
        self.host.must(&["install", &one]);
    }

    pub(super) fn incompatible(&self) {
        let endpoints =
            "- Private-IP-Name: IP\n  Private-Port-Name: ADMIN_PORT\n  Private-Port: 23412\n";
        let one = release(&self.host, "2.0", "", endpoints, &[]);
        self.host.must(&["install", &one]);
    }

    /// Says what `upgrade` is to do in the gears that there are.
    pub(super) fn mode(&self, mode: &str) {
        for gear in ["blog", "one", "two"] {
            let data = self.host.home(gear).join("app-root/data");
            if data.is_dir() {
                std::fs::write(data.join("mode"), mode).unwrap();
            }
        }
    }

    pub(super) fn read(&self, path: &str) -> String {
        let path = self.host.home("blog").join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.host.home("blog").join(path).symlink_metadata().is_ok()
    }

    pub(super) fn seen(&self, name: &str) -> Option<String> {
        let (status, said) = self.host.run(&["gear", "exec", "blog", "--", "printenv", name]);
        (status == 0).then(|| said.trim_end().to_owned())
    }

    pub(super) fn upgrade(&self, more: &[&str]) -> (i32, String) {
        let line: Vec<&str> = ["gear", "upgrade", "blog"].iter().chain(more).copied().collect();
        self.host.talk(&line)
    }

    /// Everything in the gear but logs and what belongs to a run: content, kind, mode, owner, time.
    pub(super) fn look(&self) -> BTreeMap<String, String> {
        let mut seen = BTreeMap::new();
        look_into(&self.host.home("blog"), "", &mut seen);
        seen
    }

    /// The command lines of the gear's daemons, and where they listen.
    pub(super) fn processes(&self) -> Vec<String> {
        let uuid = self.seen("OPENSHIFT_GEAR_UUID").unwrap();
        let mut found = Vec::new();
        for place in marked(&format!("OPENSHIFT_GEAR_UUID={uuid}")) {
            let line = std::fs::read(place.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.starts_with("perl") {
                found.push(line);
            }
        }
        found.sort();
        found
    }

    pub(super) fn rows(&self) -> Value {
        let mut shown = self.host.json(&["gear", "show", "blog"]);
        for changing in ["memory", "since", "processes"] {
            shown.as_object_mut().unwrap().remove(changing);
        }
        shown
    }
}

impl Family {
    /// Every row of the database but those that tell of transactions and their steps.
    pub(super) fn database(&self) -> Vec<String> {
        let path = self.host.root().join("var/lib/cartwright/cart.db");
        let db = Connection::open(path).unwrap();
        let texts = |sql: &str, columns: usize| -> Vec<Vec<String>> {
            let mut select = db.prepare(sql).unwrap();
            let columns = if columns == 0 { select.column_count() } else { columns };
            let rows = select.query_map([], |row| {
                let text = |column| match row.get_ref(column).unwrap() {
                    ValueRef::Text(text) | ValueRef::Blob(text) => {
                        String::from_utf8_lossy(text).into()
                    }
                    other => format!("{other:?}"),
                };
                Ok((0..columns).map(text).collect())
            });
            rows.unwrap().map(Result::unwrap).collect()
        };
        let tables = texts("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", 1);
        let own = ["txn", "txn_resource", "step", "sqlite_sequence"];
        let tables = tables.into_iter().flatten().filter(|name| !own.contains(&name.as_str()));
        let rows = |table: String| {
            let rows = texts(&format!("SELECT * FROM {table} ORDER BY 1, 2"), 0);
            rows.into_iter().map(move |row| format!("{table}: {}", row.join(" | ")))
        };
        tables.flat_map(rows).collect()
    }

    /// Whether its daemon answers where the gear is told to listen.
    pub(super) fn answers(&self) -> bool {
        let address = self.seen("OPENSHIFT_FAM_IP").unwrap();
        let port: u16 = self.seen("OPENSHIFT_FAM_PORT").unwrap().parse().unwrap();
        TcpStream::connect((address.as_str(), port)).is_ok()
    }
}

fn look_into(folder: &Path, prefix: &str, seen: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        let meta = entry.metadata().unwrap();
        if ["run", "logs", ".tmp"].contains(&name.as_str()) || name.starts_with(".upgrade_") {
            continue;
        }
        let kind = meta.file_type();
        let content = if kind.is_symlink() {
            std::fs::read_link(entry.path()).unwrap().display().to_string()
        } else if kind.is_file() {
            String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned()
        } else {
            String::new()
        };
        let (mode, uid, gid) = (meta.mode(), meta.uid(), meta.gid());
        let (seconds, nanoseconds) = (meta.mtime(), meta.mtime_nsec());
        seen.insert(
            path.clone(),
            format!("{mode:o} {uid} {gid} {seconds}.{nanoseconds} {content}"),
        );
        if kind.is_dir() {
            look_into(&entry.path(), &format!("{path}/"), seen);
        }
    }
}

pub(super) fn difference(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> String {
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differs = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let lines =
        differs.map(|name| format!("{name}:\n  {:?}\n  {:?}", before.get(name), after.get(name)));
    lines.collect::<Vec<_>>().join("\n")
}

impl Family {
    pub(super) fn expected(&self, compatible: bool) -> Option<String> {
        let version = if compatible { "1.1" } else { "2.0" };
        self.seen("OPENSHIFT_FAM_DIR")?;
        Some(format!("test:fam:1:{version}"))
    }
}
