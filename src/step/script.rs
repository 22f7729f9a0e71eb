//! Running scripts for steps: environment, capture, output protocol; one place for all of them.

use super::{Cx, Said};
use crate::error::{Exit, Failure};
use crate::gear::identity::Identity;
use crate::gear::{environment, replies};
use crate::sandbox::{self, Leftovers, Outcome};
use crate::sys::fs::Dir;
use std::path::PathBuf;

/// One call of a script.
pub(super) struct Call<'a> {
    pub(super) gear: &'a Identity,
    pub(super) dir: &'a str,
    pub(super) name: &'a str,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) seconds: u64,
    pub(super) daemons_stay: bool,
}
