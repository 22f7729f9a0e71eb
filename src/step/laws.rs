//! The laws that every step kind keeps, tried on the sample that every kind must supply. The loop
//! runs over the table of kinds, so none can be forgotten.

use super::{AnyStep, Cx, SAMPLES};
use crate::config::Config;
use crate::gear::home::{self, NewGear};
use crate::gear::identity::{Cartridge, Identity, Sandbox};
use crate::layout::Layout;
use crate::package::ident::{GearName, ShortName};
use crate::package::version::Version;
use crate::sys::checkpoint::in_process::cut_at;
use crate::sys::clock::Moment;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use serde_json::Value;
use std::collections::BTreeMap;

/// A host of the test's own.
pub(super) struct World {
    _temp: tempfile::TempDir,
    pub(super) layout: Layout,
    pub(super) config: Config,
    pub(super) state: Dir,
}

/// What can be seen of a host: path → kind, mode, content.
type Seen = BTreeMap<String, (Kind, u32, Vec<u8>)>;

/// What was begun for its scripts would live as long as all tests do.
impl Drop for World {
    fn drop(&mut self) {
        let running = Dir::open(&self.layout.running());
        for name in running.and_then(|dir| dir.names()).unwrap_or_default() {
            let name = name.to_string_lossy().into_owned();
            let gear = name.split('.').next().unwrap_or_default();
            crate::sandbox::end(&self.layout.running(), gear).unwrap();
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        // Gears' users must be able to pass.
        Dir::open(temp.path()).unwrap().set_mode("", 0o755).unwrap();
        let layout = Layout::below(temp.path());
        let state = Dir::create(layout.state(), 0o755).unwrap();
        for folder in ["library", "gears", "templates", "staging", "stash", "log", "locks"] {
            state.make_dir(folder, 0o755).unwrap();
        }
        let mut config = Config::default();
        config.frontend.nginx.reload = vec!["true".into()];
        config.frontend.nginx.http_port = 35_540;
        config.frontend.nginx.enabled = true;
        config.frontend.apache.enabled = true;
        config.frontend.apache.program = vec!["true".into()];
        config.frontend.apache.reload = vec!["true".into()];
        Self { _temp: temp, layout, config, state }
    }

    /// Makes a small tree at `path`, without write bits, as library trees are.
    pub(super) fn tree(&self, path: &str) {
        self.state.make_dirs(format!("{path}/inner"), 0o755).unwrap();
        self.state.write_new(format!("{path}/inner/file"), path.as_bytes(), 0o444).unwrap();
        self.state.make_link(format!("{path}/link"), "inner/file").unwrap();
        self.state.set_mode(format!("{path}/inner"), 0o555).unwrap();
    }

    /// Makes an executable script at `path`.
    pub(super) fn script(&self, path: &str, text: &str) {
        self.state.replace_file(path, text.as_bytes(), 0o755).unwrap();
    }

    /// Makes the gear `blog` with one cartridge, `mock`, and its package in the library.
    pub(super) fn gear(&self) -> Identity {
        let place = "cartridge/test-mock/1-000000000000";
        self.tree(&format!("library/{place}/usr"));
        for folder in ["bin", "env", "metadata"] {
            self.state.make_dir(format!("library/{place}/{folder}"), 0o755).unwrap();
        }
        let gear = Identity {
            name: GearName::parse("blog").unwrap(),
            // Unlike any other test's, so that its processes are its own.
            uuid: format!("g{}", crate::sys::random::hex(6).unwrap()),
            owner: None,
            account: false,
            sandbox: Sandbox::Plain,
            cartridges: vec![Cartridge {
                dir: "mock".into(),
                short_name: ShortName::parse("MOCK").unwrap(),
                software: Version::parse("1").unwrap(),
                ident: "test:mock:1:1".into(),
                place: RelPath::parse(place).unwrap(),
                is_primary: true,
            }],
        };
        self.state.make_dir("gears/blog", 0o755).unwrap();
        let home = self.state.dir("gears/blog").unwrap();
        let new = NewGear {
            name: gear.name.clone(),
            uuid: gear.uuid.clone(),
            app_name: "blog".into(),
            namespace: "local".into(),
            domain: "localhost".into(),
            dns: None,
            memory_mb: 512,
            home: home.path().to_owned(),
            made: Moment(0),
        };
        home::build(&home, &new).unwrap();
        for folder in ["mock/bin", "mock/env", "mock/metadata"] {
            home.make_dirs(folder, 0o755).unwrap();
        }
        gear
    }

    pub(super) fn cx(&self, attempt: u32) -> Cx<'_> {
        Cx::new((&self.layout, &self.config, &self.state), 1, ("1", attempt))
    }

    /// Looks at everything but the transaction's own places.
    fn look(&self) -> Seen {
        let mut seen = Seen::new();
        look_into(&self.state, "", &mut seen);
        seen.retain(|path, _| {
            !["stash", "log", "running"].iter().any(|own| path.split('/').next() == Some(*own))
        });
        seen
    }
}

fn look_into(dir: &Dir, prefix: &str, seen: &mut Seen) {
    for name in dir.names().unwrap() {
        let path = format!("{prefix}{}", name.to_string_lossy());
        let meta = dir.meta(&name).unwrap().unwrap();
        let content = match meta.kind {
            Kind::File => dir.read(&name, 1 << 24).unwrap(),
            Kind::Link => dir.link_target(&name).unwrap().into_os_string().into_encoded_bytes(),
            _ => Vec::new(),
        };
        if meta.kind == Kind::Directory {
            look_into(&dir.dir(&name).unwrap(), &format!("{path}/"), seen);
        }
        seen.insert(path, (meta.kind, meta.mode, content));
    }
}

/// The kinds that can be tried by this user.
fn kinds() -> impl Iterator<Item = &'static (&'static str, fn(&World) -> AnyStep)> {
    let is_root = crate::sys::host::is_root();
    SAMPLES.iter().filter(move |(kind, _)| {
        let possible = is_root || *kind != "make_user";
        if !possible {
            skip("step::laws::make_user", "accounts are made by root alone");
        }
        possible
    })
}

#[expect(clippy::print_stdout, reason = "a test that says that it skips")]
fn skip(name: &str, reason: &str) {
    println!("SKIP: {name}: {reason}");
}

/// A world with a sample in it, prepared; what could be seen before; and the undo record.
fn prepared(make: fn(&World) -> AnyStep) -> (World, AnyStep, Seen, Value) {
    let world = World::new();
    let step = make(&world);
    let before = world.look();
    let undo = step.prepare(&world.cx(1)).unwrap();
    (world, step, before, undo)
}

#[track_caller]
fn same(what: &str, before: &Seen, after: &Seen) {
    for (path, was) in before {
        assert_eq!(after.get(path), Some(was), "{what}: {path}");
    }
    let new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(new.is_empty(), "{what}: left over: {new:?}");
}

#[test]
fn preparing_changes_nothing() {
    for (kind, make) in kinds() {
        let (world, _, before, _) = prepared(*make);
        same(kind, &before, &world.look());
    }
}

#[test]
fn steps_and_undo_records_survive_the_journal() {
    for (kind, make) in kinds() {
        let (world, step, before, undo) = prepared(*make);
        let text = serde_json::to_string(&step).unwrap();
        let read: AnyStep = serde_json::from_str(&text).unwrap();
        assert_eq!(read, step, "{kind}");
        assert_eq!(read.kind(), *kind);
        assert!(!read.describe().is_empty(), "{kind}");
        let undo: Value = serde_json::from_str(&undo.to_string()).unwrap();
        read.apply(&undo, &world.cx(1)).unwrap();
        read.revert(&undo, &world.cx(1)).unwrap();
        same(kind, &before, &world.look());
    }
}

#[test]
fn applying_twice_is_applying_once() {
    for (kind, make) in kinds() {
        let (world, step, _, undo) = prepared(*make);
        step.apply(&undo, &world.cx(1)).unwrap();
        let once = world.look();
        step.apply(&undo, &world.cx(2)).unwrap();
        same(kind, &once, &world.look());
    }
}

#[test]
fn reverting_puts_everything_back_and_may_come_twice() {
    for (kind, make) in kinds() {
        let (world, step, before, undo) = prepared(*make);
        step.revert(&undo, &world.cx(1)).unwrap();
        same(&format!("{kind}, never applied"), &before, &world.look());
        step.apply(&undo, &world.cx(1)).unwrap();
        step.revert(&undo, &world.cx(1)).unwrap();
        same(&format!("{kind}, applied"), &before, &world.look());
        step.revert(&undo, &world.cx(1)).unwrap();
        same(&format!("{kind}, reverted twice"), &before, &world.look());
    }
}

#[test]
fn a_half_applied_step_can_be_reverted_and_a_half_reverted_one_too() {
    for (kind, make) in kinds() {
        for cut in 1..100 {
            let (world, step, before, undo) = prepared(*make);
            let whole = cut_at(cut, || step.apply(&undo, &world.cx(1)).unwrap()).is_some();
            for second in 1..100 {
                if cut_at(second, || step.revert(&undo, &world.cx(1)).unwrap()).is_some() {
                    break;
                }
            }
            same(&format!("{kind}, cut at {cut}"), &before, &world.look());
            if whole {
                break;
            }
        }
    }
}
