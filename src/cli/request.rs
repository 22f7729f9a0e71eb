//! From the words of the command line to packages: names of the library, names of the index,
//! sources.

use super::app::App;
use crate::archive::Links;
use crate::db::{Db, NewPackage};
use crate::error::{Exit, Failure};
use crate::gather::{self, Arrival, Gathered, Gatherer, Request, What};
use crate::index;
use crate::package::digest::{Md5, Sha256};
use crate::source::digest::Checks;
use crate::source::locator::Source;
use crate::sys::fs;
use crate::ui::suggest;
use std::path::Path;

/// What is demanded of the downloads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demands {
    pub(super) md5: Option<Md5>,
    pub(super) sha256: Option<Sha256>,
    pub(super) external_links: bool,
}

/// What a word of the command line asks to be gathered: a package of the index, or a source.
pub(super) fn request(word: &str, demands: Demands) -> Result<Request, Failure> {
    let what = match index::find(word) {
        Some(entry) => What::Entry(entry),
        None if is_source(word) => What::Source(Source::parse(word)?),
        None => return Err(unknown(word)),
    };
    let mut request = Request::new(what);
    request.checks = Checks { md5: demands.md5, sha256: demands.sha256 };
    if demands.external_links {
        request.links = Links::External;
    }
    Ok(request)
}

/// What a word asks for that must be a source, or a package of the index.
pub(super) fn source(word: &str) -> Result<Request, Failure> {
    request(word, Demands::default())
}

/// Tells whether a word is a source, or a name of the index.
pub(super) fn is_known(word: &str) -> bool {
    index::find(word).is_some() || is_source(word)
}

/// A name has neither `/` nor `:`; a word that names a file of this directory is taken as one.
pub(super) fn is_source(word: &str) -> bool {
    word.contains(['/', ':']) || fs::kind_of(Path::new(word)).is_some()
}

fn unknown(word: &str) -> Failure {
    let names = index::entries().iter().map(|entry| entry.name);
    let failure = Failure::new(Exit::NotFound, format!("no package is called `{word}`"));
    match suggest(word, names) {
        Some(name) => failure.hint(format!("did you mean `{name}`?")),
        None => failure.hint("give a name of the index, a URL, or a path such as `./folder`"),
    }
}

/// Gathers `requests` side by side, and makes what each of them brings ready for the library.
pub(super) fn gather(app: &App, requests: &[Request]) -> Result<Vec<Arrival>, Failure> {
    gather::sweep(app.layout())?;
    let gatherer = Gatherer::new(app.layout(), app.config()?);
    let labels: Vec<String> = requests.iter().map(|request| request.what.to_string()).collect();
    let progress = app.progress();
    let watcher =
        |number: usize| progress.watch(labels.get(number).map(String::as_str).unwrap_or_default());
    let gathered: Vec<Gathered> = gatherer.gather(requests, &watcher)?;
    let ready = gathered.into_iter().map(|one| gather::arrive(app.layout(), one));
    let ready = ready.collect::<Result<Vec<Arrival>, _>>()?;
    for NewPackage { package, notes, .. } in ready.iter().map(|arrival| &arrival.new) {
        for note in notes {
            let line = note.line.map(|line| format!(":{line}")).unwrap_or_default();
            let text = format!("{}: {}{line}: {}", package.title(), note.file, note.text);
            app.printer().warn(&text);
        }
    }
    Ok(ready)
}

/// The database, made only when something is going to be changed: a dry run on a host without one
/// works on an empty database in memory.
pub(super) fn database(app: &App, dry_run: bool) -> Result<Db, Failure> {
    match (dry_run, app.reading()?) {
        (true, Some(db)) => Ok(db),
        (true, None) => Ok(Db::empty()?),
        (false, _) => app.changing(),
    }
}
