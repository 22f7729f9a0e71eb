//! Several requests, side by side.

use super::error::{GatherError, GatherFailure};
use super::one::{One, TREE};
use super::request::{Content, Request, What};
use super::staging::{Corner, Staging};
use crate::archive::Older;
use crate::config::Config;
use crate::format::{self, Called, Line, Named, Unpacked};
use crate::layout::Layout;
use crate::library;
use crate::package::Package;
use crate::package::file_table::FileTable;
use crate::package::note::Notes;
use crate::package::provenance::Provenance;
use crate::progress::Watch;
use crate::source::http::Http;
use crate::source::stop::Stop;
use crate::source::stream::Watched;
use crate::sys::fs::Dir;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Gathers packages. One serves any number of requests, and shares its connections among them.
pub struct Gatherer {
    pub(super) layout: Layout,
    pub(super) config: Config,
    pub(super) http: Http,
}

/// What a request gave: a tree in private staging, verified, and what is known of it.
#[derive(Debug)]
pub struct Gathered {
    /// Its part of the staging directory, which is removed when nobody uses any of it.
    pub staging: Corner,
    /// The name of the tree in the staging directory.
    pub tree: String,
    /// The files of the tree.
    pub table: FileTable,
    /// What the tree is; nothing when it was asked for raw.
    pub package: Option<Package>,
    /// What the reader of the manifest had to say.
    pub notes: Notes,
    /// Where it came from.
    pub provenance: Provenance,
}

/// Makes the one who watches the request of a number.
pub type Watchers<'a> = &'a (dyn Fn(usize) -> Box<dyn Watch> + Sync);

type Outcome = Result<Gathered, GatherFailure>;

impl Gatherer {
    /// Remembers places and settings; nothing is opened before the first request.
    pub fn new(layout: &Layout, config: &Config) -> Self {
        let http = Http::new(&config.download);
        Self { layout: layout.clone(), config: config.clone(), http }
    }

    /// Gathers all `requests`, `download.parallel` at a time, and gives them in the order in which
    /// they were asked for. The first failure ends the others; nothing stays behind then.
    pub fn gather(
        &self,
        requests: &[Request],
        watchers: Watchers<'_>,
    ) -> Result<Vec<Gathered>, GatherFailure> {
        let stop = Stop::default();
        let around = Staging::in_state(&self.layout).map(Arc::new).map_err(|error| {
            let what = requests.first().map(|one| one.what.to_string()).unwrap_or_default();
            GatherFailure { what, why: error.into() }
        })?;
        let (next, slots) = (AtomicUsize::new(0), Slots::new(requests.len()));
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                let Some(request) = requests.get(number) else { break };
                let outcome = self.one((request, number), &around, (&*watchers(number), &stop));
                if outcome.is_err() {
                    stop.cancel();
                }
                slots.put(number, outcome);
            }
        };
        self.side_by_side(requests.len(), &work);
        slots.into_result()
    }

    /// Runs `work` in as many threads as there may be downloads, and as there are things to do.
    pub(super) fn side_by_side(&self, things: usize, work: &(impl Fn() + Sync)) {
        let workers = self.config.download.parallel.clamp(1, things.max(1));
        std::thread::scope(|scope| {
            for _ in 1..workers {
                scope.spawn(work);
            }
            work();
        });
    }

    fn one(
        &self,
        (request, number): (&Request, usize),
        around: &Arc<Staging>,
        (watch, stop): (&dyn Watch, &Stop),
    ) -> Outcome {
        let corner = Corner::new(around, number);
        let gathered = self.gather_in(corner, request, Watched { watch, stop });
        watch.finish();
        gathered.map_err(|why| GatherFailure { what: request.what.to_string(), why })
    }

    /// Gathers one request into `staging`.
    pub(super) fn gather_in(
        &self,
        staging: Corner,
        request: &Request,
        watched: Watched<'_>,
    ) -> Result<Gathered, GatherError> {
        watched.stop.check()?;
        let library = || Dir::open(&self.layout.library()).ok();
        let newest =
            |line: &Line| library::newest(&library()?, (line.format, &line.vendor, &line.name));
        let find = |manifest: &[u8]| newest(&format::line_of(manifest)?);
        let older = Older::new(format::MANIFEST, &find);
        if let Some(line) = &request.line {
            older.is(newest(line));
        }
        let one = One { gatherer: self, request, staging: &staging, watched, older: &older };
        let brought = one.bring()?;
        let tree_name = staging.name(TREE);
        let mut notes = Notes::default();
        let package = match request.content {
            Content::Raw | Content::Deployment => None,
            Content::Package => {
                let dir = staging.dir().dir(&tree_name)?;
                let tree = Unpacked { dir: &dir, table: &brought.table };
                let (name, version) = match &request.what {
                    What::Entry(entry) => (Some(entry.name.to_owned()), None),
                    What::Source(source) => source.called(),
                };
                let given = request.name.as_deref();
                let (name, version) = (name.as_deref(), version.as_deref());
                let named = Named { tree, called: Called { given, name, version } };
                Some(format::read(&named, &mut notes)?)
            }
        };
        let (table, provenance) = (brought.table, brought.provenance);
        Ok(Gathered { staging, tree: tree_name, table, package, notes, provenance })
    }
}

/// The outcomes, each in the place of its request.
struct Slots(Mutex<Vec<Option<Outcome>>>);

impl Slots {
    fn new(count: usize) -> Self {
        Self(Mutex::new((0..count).map(|_| None).collect()))
    }

    fn put(&self, number: usize, outcome: Outcome) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get_mut(number) {
            *slot = Some(outcome);
        }
    }

    /// All of them, or the first failure that is not the echo of another one.
    fn into_result(self) -> Result<Vec<Gathered>, GatherFailure> {
        let slots = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (mut gathered, mut echo, mut failure) = (Vec::new(), None, None);
        for outcome in slots.into_iter().flatten() {
            match outcome {
                Ok(one) => gathered.push(one),
                Err(error) if error.why.is_echo() => drop(echo.get_or_insert(error)),
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        failure.or(echo).map_or(Ok(gathered), Err)
    }
}
