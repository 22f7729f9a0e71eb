//! The submodules of what is deployed: fetched before anybody plans, by the rules of every other
//! repository. A push names no place on this host, and none relative to its own.

use crate::archive::{Links, Modes};
use crate::cli::app::App;
use crate::cli::request::source;
use crate::error::{Exit, Failure};
use crate::gather::{self, Content, Gathered, Gatherer};
use crate::gear::git::Submodule;
use crate::source::locator::{GitPlace, Source};
use crate::sys::path::RelPath;

/// The trees of submodules, in staging; they are removed when this is dropped.
pub(super) struct Submodules {
    gathered: Vec<(RelPath, Gathered)>,
}

impl Submodules {
    /// Fetches `wanted`.
    pub(super) fn fetch(app: &App, wanted: &[Submodule]) -> Result<Self, Failure> {
        if wanted.is_empty() {
            return Ok(Self { gathered: Vec::new() });
        }
        gather::sweep(app.layout())?;
        let mut requests = Vec::new();
        let mut places = Vec::new();
        for one in wanted {
            let refuse = |why: String| {
                let path = one.path.escape_debug();
                Failure::new(Exit::Refused, format!("the submodule `{path}` {why}"))
            };
            let place = RelPath::parse(&one.path).map_err(|error| {
                refuse(format!("cannot be where it wants to be: its path {error}"))
            })?;
            let word = format!("git+{}#{}", one.address, one.commit);
            let is_remote = match Source::parse(&word) {
                Ok(Source::Git(git)) => matches!(git.place, GitPlace::Remote(_)),
                _ => false,
            };
            if !is_remote || one.address.contains('#') {
                let text = "lies on this host, or at an address that is not whole".to_owned();
                return Err(refuse(text).hint("`.gitmodules` needs an address such as `https:`"));
            }
            let mut request = source(&word)?;
            request.content = Content::Deployment;
            request.modes = Modes::AsPacked;
            request.links = Links::External;
            requests.push(request);
            places.push(place);
        }
        let gatherer = Gatherer::new(app.layout(), app.config()?);
        let labels: Vec<String> = requests.iter().map(|one| one.what.to_string()).collect();
        let progress = app.progress();
        let all = gatherer.gather(&requests, &|number| {
            progress.watch(labels.get(number).map(String::as_str).unwrap_or_default())
        })?;
        Ok(Self { gathered: places.into_iter().zip(all).collect() })
    }

    /// The paths in the application, and the places of the trees below the state directory.
    pub(super) fn places(&self, app: &App) -> Result<Vec<(RelPath, RelPath)>, Failure> {
        let place = |(path, one): &(RelPath, Gathered)| {
            let tree = one.staging.dir().path_of(&one.tree);
            let below = tree.strip_prefix(app.layout().state()).ok().and_then(|path| path.to_str());
            let below = below.and_then(|below| RelPath::parse(below).ok()).ok_or_else(|| {
                Failure::new(Exit::Failed, format!("`{}` lies elsewhere", tree.display()))
            })?;
            Ok((path.clone(), below))
        };
        self.gathered.iter().map(place).collect()
    }
}
