//! What a binary deployment is made of: an archive from a file, a URL or standard input, unpacked in
//! staging before anybody plans.

use crate::archive::{Links, Modes};
use crate::cli::app::App;
use crate::cli::request::source;
use crate::error::{Exit, Failure};
use crate::gather::{self, Content, Gathered, Gatherer, Staging};
use crate::gear::deployment::PARTS;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use std::io::Read;

/// An unpacked archive; it is removed when dropped.
pub(super) struct Unpacked {
    gathered: Gathered,
    /// Keeps what came from standard input until it is unpacked.
    _input: Option<Staging>,
}

impl Unpacked {
    /// Unpacks the archive that `word` names: a path or a URL.
    pub(super) fn of(app: &App, word: &str) -> Result<Self, Failure> {
        gather::sweep(app.layout())?;
        let mut request = source(word)?;
        request.content = Content::Deployment;
        request.modes = Modes::AsPacked;
        // Gears make links as they like, and nobody else follows them.
        request.links = Links::External;
        let gatherer = Gatherer::new(app.layout(), app.config()?);
        let label = request.what.to_string();
        let progress = app.progress();
        let mut all = gatherer.gather(&[request], &|_| progress.watch(&label))?;
        let Some(gathered) = all.pop() else {
            return Err(Failure::new(Exit::Failed, "nothing was unpacked"));
        };
        let unpacked = Self { gathered, _input: None };
        unpacked.check()?;
        Ok(unpacked)
    }

    /// Unpacks what comes on standard input.
    pub(super) fn of_input(app: &App) -> Result<Self, Failure> {
        let staging = Staging::in_state(app.layout())?;
        let limit = app.config()?.archive.max_total;
        let fail = |error: std::io::Error| {
            Failure::new(Exit::Failed, format!("cannot read standard input: {error}"))
        };
        let mut file = staging.dir().create_file("input", 0o600)?;
        let mut input = std::io::stdin().lock().take(limit.saturating_add(1));
        if std::io::copy(&mut input, &mut file).map_err(fail)? > limit {
            let text = "standard input has more than `archive.max_total` bytes";
            return Err(Failure::new(Exit::Integrity, text));
        }
        let path = staging.dir().path_of("input").display().to_string();
        Ok(Self { _input: Some(staging), ..Self::of(app, &path)? })
    }

    fn tree(&self) -> Result<Dir, Failure> {
        Ok(self.gathered.staging.dir().dir(&self.gathered.tree)?)
    }

    fn check(&self) -> Result<(), Failure> {
        let tree = self.tree()?;
        let is_part = |part: &str| -> Result<bool, Failure> {
            Ok(tree.meta(part)?.is_some_and(|meta| meta.kind == Kind::Directory))
        };
        if !is_part("repo")? {
            let text = "the archive is none of a deployment: it has no folder `repo`";
            return Err(Failure::new(Exit::Integrity, text).hint(
                "at its top it has to hold `repo`, and may hold `dependencies` and \
                 `build-dependencies`; `cart gear deployment save` makes such ones",
            ));
        }
        for name in tree.names()? {
            let name = name.to_string_lossy();
            if !PARTS.contains(&&*name) && name != "metadata.json" {
                let text = format!(
                    "the archive holds `{}`, which is no part of a deployment",
                    name.escape_debug()
                );
                return Err(Failure::new(Exit::Integrity, text)
                    .hint("only `repo`, `dependencies` and `build-dependencies` are"));
            }
        }
        Ok(())
    }

    /// Where it lies, relative to the state directory.
    pub(super) fn place(&self, app: &App) -> Result<RelPath, Failure> {
        let path = self.tree()?.path().to_owned();
        let below = path.strip_prefix(app.layout().state()).ok().and_then(|path| path.to_str());
        below.and_then(|below| RelPath::parse(below).ok()).ok_or_else(|| {
            Failure::new(Exit::Failed, format!("`{}` lies elsewhere", path.display()))
        })
    }
}
