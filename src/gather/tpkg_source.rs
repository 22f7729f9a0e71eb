//! What a source of tpkg packages has: a directory, or a server, with `metadata.yml`.

use super::error::GatherError;
use super::gatherer::Gatherer;
use crate::error::FsError;
use crate::format::tpkg::index::{INDEX, LONGEST, Listed, read};
use crate::progress::Watch;
use crate::source::file::{self, Found};
use crate::source::locator::Source;
use crate::source::stop::Stop;
use crate::source::stream::Watched;
use std::io::Read;

/// A package of a source, and where to get it.
#[derive(Clone, Debug)]
pub struct OfSource {
    /// What the source says of it.
    pub listed: Listed,
    /// Where it lies.
    pub from: Source,
}

impl Gatherer {
    /// Asks `source`, a directory or the address of one.
    pub fn tpkg_source(
        &self,
        source: &str,
        watch: &dyn Watch,
    ) -> Result<Vec<OfSource>, GatherError> {
        let stop = Stop::default();
        let watched = Watched { watch, stop: &stop };
        let below = source.trim_end_matches('/');
        let index = Source::parse(&format!("{below}/{INDEX}"))?;
        watch.phase("ask", None);
        let bytes = match &index {
            Source::File(_) => match file::look(below.as_ref())? {
                Found::Directory(from) => from.read(INDEX, LONGEST)?,
                Found::File => return Err(GatherError::Unknown(source.to_owned())),
            },
            Source::Http(url) => {
                let mut bytes = Vec::new();
                let stream = self.http.open(url, watched)?;
                stream
                    .take(LONGEST)
                    .read_to_end(&mut bytes)
                    .map_err(|error| FsError::new("read", url.as_str(), error))?;
                bytes
            }
            Source::Git(_) => return Err(GatherError::Unknown(source.to_owned())),
        };
        let (all, wrong) = read(&bytes);
        if wrong > 0 {
            watch.note(&format!("{wrong} entries of `{index}` cannot be read"));
        }
        let one = |listed: Listed| {
            let from = Source::parse(&format!("{below}/{}", listed.file_name))?;
            Ok(OfSource { listed, from })
        };
        all.into_iter().map(one).collect()
    }
}
