//! The supervisors of gears, as `cart` begins, keeps and ends them.
//!
//! One that is begun for a script ends with this process, and everything in the gear with it. Before
//! a script that may leave processes it is *kept*: written down first, then told to stay, so that
//! none can stay that nobody knows of.

use super::confinement::Reach;
use super::mounts::View;
use super::record::{self, Record};
use super::supervisor::{Orders, STAY, SUPERVISOR, ourselves, read_line, send_orders};
use super::{Confinement, Level, SandboxError, ability, running};
use crate::error::FsError;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use crate::sys::process::{self, Stamp};
use crate::sys::{cgroup, host};
use rustix::process::Signal;
use std::collections::HashMap;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a supervisor may take to begin, to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Records, and the gear's identifier.
type Key = (PathBuf, String);

/// What is written down of what lives as long as this process, and the wires by which it does.
type Held = HashMap<Key, (Record, Option<UnixStream>)>;

/// All of it.
static HELD: Mutex<Option<Held>> = Mutex::new(None);

/// What was begun before it was needed.
static BEGUN: Mutex<Option<HashMap<Key, Begun>>> = Mutex::new(None);

fn held<T>(work: impl FnOnce(&mut Held) -> T) -> T {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    work(held.get_or_insert_default())
}

fn begun<T>(work: impl FnOnce(&mut HashMap<Key, Begun>) -> T) -> T {
    let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
    work(begun.get_or_insert_default())
}

/// A supervisor that has been begun, and may not be ready.
pub(super) struct Begun {
    record: Record,
    started: io::Result<Option<Started>>,
}

fn key(confinement: &Confinement) -> Key {
    (confinement.records.clone(), confinement.gear.clone())
}

/// What the scripts of a gear run in now, begun where there is none.
pub(super) fn inside(confinement: &Confinement) -> Result<Record, SandboxError> {
    let ours = held(|all| all.get(&key(confinement)).map(|(record, _)| record.clone()));
    // One that was killed under our hands is begun anew.
    if let Some(record) = ours.filter(|one| one.first.is_none_or(Stamp::is_alive)) {
        return Ok(record);
    }
    if let Some(record) = record::of(&confinement.records, &confinement.gear) {
        return Ok(record);
    }
    match begun(|all| all.remove(&key(confinement))) {
        Some(one) => ready(confinement, one),
        None => ready(confinement, start(confinement)?),
    }
}

/// Begins what the scripts of a gear will run in, while other work goes on. What fails is told when
/// it is needed.
pub fn expect(confinement: &Confinement) {
    let key = key(confinement);
    let is_there = held(|all| all.contains_key(&key)) || begun(|all| all.contains_key(&key));
    if !is_there
        && record::of(&confinement.records, &confinement.gear).is_none()
        && let Ok(one) = start(confinement)
    {
        begun(|all| all.insert(key, one));
    }
}

fn start(confinement: &Confinement) -> Result<Begun, SandboxError> {
    let folder = Dir::create(&confinement.records, 0o700)?;
    let name = Record::passing_name(&confinement.gear);
    let mut record = Record::new(&confinement.gear, confinement.level);
    let group = format!("cartwright-{name}");
    // Written down before they are made: after a crash they are found.
    record.groups = cgroup::places(&group);
    record.write(&folder, &name)?;
    record.groups = cgroup::make(&group, confinement.bounds);
    let started = match record.level {
        Level::Namespaces => Started::with(&orders(confinement, &record)).map(Some),
        Level::Plain => Ok(None),
    };
    Ok(Begun { record, started })
}

fn ready(confinement: &Confinement, begun: Begun) -> Result<Record, SandboxError> {
    let Begun { mut record, started } = begun;
    let folder = Dir::create(&confinement.records, 0o700)?;
    let name = Record::passing_name(&confinement.gear);
    let mut wire = None;
    match started.and_then(|one| one.map(Started::ready).transpose()) {
        Ok(Some((stream, first))) => (wire, record.first) = (Some(stream), Some(first)),
        Ok(None) => {}
        // The host has changed its mind; the record says what the gear really has.
        Err(_) if !ability::try_now(&confinement.records, &confinement.shims) => {
            record.level = Level::Plain;
        }
        // Else it is the gear's own doing, which must not lead out of its namespaces.
        Err(source) => {
            finish(&record, None, (&confinement.records, &name))?;
            return Err(SandboxError::Namespaces(source));
        }
    }
    record.processes = confinement.process_limit(record.level);
    record.write(&folder, &name)?;
    held(|all| all.insert(key(confinement), (record.clone(), wire)));
    Ok(record)
}

fn orders(confinement: &Confinement, record: &Record) -> Orders {
    let program = host::this_program().parent().map(Path::to_owned);
    let view = View {
        shims: confinement.shims.clone(),
        tmp: Some(confinement.tmp.clone()),
        sealed: Some(confinement.state.join("library")),
        kept: [Some(confinement.state.clone()), program].into_iter().flatten().collect(),
        hidden: Some(confinement.log.clone()),
    };
    Orders {
        user: confinement.user,
        view,
        groups: record.groups.clone(),
        reach: Reach::of(confinement, Level::Namespaces),
        handed_in: Some(confinement.log.clone()),
    }
}

/// A supervisor on its way.
pub(super) struct Started {
    wire: UnixStream,
    /// The parent of the first process; it ends at once.
    parent: Child,
}

impl Started {
    /// Begins one.
    pub(super) fn with(orders: &Orders) -> io::Result<Self> {
        // It is this process's to bury, once its own parent has gone.
        process::adopt_orphans();
        let (mut wire, theirs) = UnixStream::pair()?;
        wire.set_read_timeout(Some(PATIENCE))?;
        let mut command = ourselves(SUPERVISOR);
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        let parent = command.spawn()?;
        // It has its end now; ours must be the only other one.
        drop(command);
        send_orders(&mut wire, orders)?;
        Ok(Self { wire, parent })
    }

    /// Waits until it is ready; gives the wire whose end is its end.
    pub(super) fn ready(mut self) -> io::Result<(UnixStream, Stamp)> {
        let first = answer(&mut self.wire);
        self.parent.wait()?;
        let first = first?;
        let first = Stamp::of(first).ok_or_else(|| io::Error::other("the supervisor has ended"))?;
        Ok((self.wire, first))
    }
}

/// Its answer: the id of the first process, once that is ready.
fn answer(wire: &mut UnixStream) -> io::Result<u32> {
    let (mut id, mut is_ready) = (None, false);
    loop {
        if let (Some(id), true) = (id, is_ready) {
            return Ok(id);
        }
        let line = read_line(wire)?;
        match line.split_once(' ') {
            Some(("pid", number)) => id = number.parse().ok(),
            Some((_, error)) => return Err(io::Error::other(error.to_owned())),
            None => is_ready = true,
        }
    }
}

/// Lets what the gear runs in outlive this process.
pub(super) fn keep(confinement: &Confinement) -> Result<(), SandboxError> {
    let Some((record, wire)) = held(|all| all.remove(&key(confinement))) else { return Ok(()) };
    let folder = Dir::create(&confinement.records, 0o700)?;
    record::sweep(&confinement.records, Some(&confinement.gear))?;
    checkpoint("sandbox: before it is written down");
    folder.rename(Record::passing_name(&record.gear), &folder, &record.gear)?;
    checkpoint("sandbox: before it is told to stay");
    if let Some(mut wire) = wire {
        // One that has ended meanwhile is found missing by whoever comes next.
        let _ = wire.write_all(&STAY);
    }
    Ok(())
}

/// Ends what the gear runs in, and all that is in there.
pub fn end(records: &Path, gear: &str) -> Result<(), FsError> {
    if let Some(one) = begun(|all| all.remove(&(records.to_owned(), gear.to_owned()))) {
        abandon(one, (records, &Record::passing_name(gear)))?;
    }
    if let Some((record, wire)) = held(|all| all.remove(&(records.to_owned(), gear.to_owned()))) {
        finish(&record, wire, (records, &Record::passing_name(gear)))?;
    }
    if let Some(record) = record::of(records, gear) {
        finish(&record, None, (records, gear))?;
    }
    record::sweep(records, Some(gear))
}

/// Ends the first process of namespaces, and with it the kernel all others.
pub(super) fn kill(first: Stamp) {
    let until = Instant::now() + PATIENCE;
    while first.is_alive() && Instant::now() < until {
        process::signal(first.id, Signal::KILL);
        std::thread::sleep(Duration::from_millis(1));
    }
    process::reap(&[first.id]);
}

/// Waits until what a dead `cart` asked to be run is seen as a process, or never will be: a supervisor
/// may be about to begin it. Those that were to end with that `cart` are ended.
pub fn settle(records: &Path) {
    let (going, staying) = record::supervisors(records);
    going.into_iter().for_each(kill);
    for first in staying {
        // Whom this user may not ask has no errand of theirs; one that has gone begins no more.
        let _ = running::settle(first, PATIENCE);
    }
}

fn finish(
    record: &Record,
    wire: Option<UnixStream>,
    (records, name): (&Path, &str),
) -> Result<(), FsError> {
    if let Some(first) = record.first {
        kill(first);
    }
    drop(wire);
    cgroup::remove(&record.groups);
    Dir::open(records)?.remove_file(name)
}

/// Ends what was begun and never needed.
fn abandon(begun: Begun, place: (&Path, &str)) -> Result<(), FsError> {
    let Begun { mut record, started } = begun;
    let ready = started.and_then(|one| one.map(Started::ready).transpose());
    let (wire, first) = ready.ok().flatten().unzip();
    record.first = first;
    finish(&record, wire, place)
}

/// Ends everything that was to live as long as this process. What fails here is swept later.
pub fn release() {
    for ((records, gear), one) in begun(std::mem::take) {
        let _ = abandon(one, (&records, &Record::passing_name(&gear)));
    }
    let all = held(std::mem::take);
    for ((records, gear), (record, wire)) in all {
        let _ = finish(&record, wire, (&records, &Record::passing_name(&gear)));
    }
}
