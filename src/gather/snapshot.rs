//! A snapshot of a gear that somebody gives: unpacked under the rules for all archives, and put in
//! order, so that all that is left is to let its parts change places with those of a gear.
//!
//! Everything happens in private staging: whatever is wrong with it is found before a gear is stopped.

use super::Staging;
use crate::archive::{self, Kind as Packed, Links, Modes, Options, Strip};
use crate::config;
use crate::error::{Context, Exit, Failure};
use crate::gear::deployment::Deployment;
use crate::gear::snapshot::{Origin, Part, Shape, Unpacked, take_repository};
use crate::layout::Layout;
use crate::package::ident::GearName;
use crate::progress::Watch;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use crate::sys::tree;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

/// Where it is unpacked, and where it is put in order, in staging.
const RAW: &str = "raw";
const HOME: &str = "home";

/// An unpacked snapshot; it is removed when dropped.
#[derive(Debug)]
pub struct Snapshot {
    staging: Staging,
    unpacked: Unpacked,
}

/// What there is in it for a gear.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Where it lies as in a home, relative to the state directory.
    pub from: RelPath,
    /// Which parts there are.
    pub parts: Vec<Part>,
    /// The deployments in it, the oldest first.
    pub deployments: Vec<Deployment>,
    /// The name of the one that was in use.
    pub current: Option<String>,
    /// The repository in it.
    pub repository: Option<PathBuf>,
}

fn refused(text: impl Into<String>) -> Failure {
    Failure::new(Exit::Integrity, text)
}

impl Snapshot {
    /// Unpacks the archive that `packed` gives.
    pub fn unpack(
        packed: &mut (dyn Read + Send),
        layout: &Layout,
        limits: &config::Archive,
        watch: &dyn Watch,
    ) -> Result<Self, Failure> {
        super::sweep(layout)?;
        let mut packed = BufReader::with_capacity(archive::HEAD, packed);
        let head = packed.fill_buf().map_err(|error| {
            Failure::new(Exit::Failed, format!("cannot read the snapshot: {error}"))
        })?;
        if archive::detect(head) != Some(Packed::TarGz) {
            return Err(refused("this is no snapshot: it is not packed with gzip")
                .hint("`cart gear snapshot` makes such ones, and so does `rhc snapshot save`"));
        }
        let staging = Staging::in_state(layout)?;
        staging.dir().make_dir(RAW, 0o700)?;
        let raw = staging.dir().dir(RAW)?;
        let options = Options {
            limits,
            // Gears make links as they like, and nobody else follows them.
            links: Links::External,
            modes: Modes::Kept,
            strip: Strip::Nothing,
            older: None,
        };
        archive::unpack_stream(Packed::TarGz, &mut packed, &raw, &options, watch)
            .doing(|| "cannot unpack the snapshot".into())?;
        let unpacked = Unpacked::look(&raw)?;
        Ok(Self { staging, unpacked })
    }

    /// The gear that it was made of.
    pub fn origin(&self) -> &Origin {
        &self.unpacked.origin
    }

    /// Puts it in order for the gear called `gear`, which has that shape.
    pub fn arrange(
        &self,
        gear: &GearName,
        shape: &Shape<'_>,
        layout: &Layout,
    ) -> Result<Contents, Failure> {
        let staging = self.staging.dir();
        tree::remove(staging, HOME)?;
        staging.make_dir(HOME, 0o700)?;
        let (raw, home) = (staging.dir(RAW)?, staging.dir(HOME)?);
        let arranged = self.unpacked.arrange((&raw, &home), shape)?;
        let mut parts = arranged.parts;
        let repository = take_repository(&home, gear, self.origin())?;
        if repository.is_some() {
            parts.push(Part::Repository);
        }
        if parts.is_empty() {
            return Err(refused("there is nothing in the snapshot that the gear would keep"));
        }
        let from = place(&home, layout)?;
        let (deployments, current) = (arranged.deployments, arranged.current);
        Ok(Contents { from, parts, deployments, current, repository })
    }
}

/// Where `dir` lies, relative to the state directory.
fn place(dir: &Dir, layout: &Layout) -> Result<RelPath, Failure> {
    let below = dir.path().strip_prefix(layout.state()).ok().and_then(|path| path.to_str());
    below.and_then(|below| RelPath::parse(below).ok()).ok_or_else(|| {
        Failure::new(Exit::Failed, format!("`{}` lies elsewhere", dir.path().display()))
    })
}
