//! The verbs that show deployments.

use super::super::{Call, Refused};
use super::FAILED;
use super::asked::Asked;
use super::place::Place;
use crate::gear::deployment::{self, Deployment};
use crate::sys::clock::Moment;

/// `gear deployments`: a line for each, the one that was put to use last first.
pub(super) fn deployments(call: &mut Call<'_>, place: &Place) -> Result<u8, Refused> {
    let mut all = deployment::all(&place.home)?;
    let live = deployment::live_name(&place.home, "repo").ok();
    deployment::sort_by_use(&mut all, live.as_deref());
    call.say("Activation time - Deployment ID - Git Ref - Git SHA1")?;
    for one in all.into_iter().rev() {
        let time = one.last_activation().map_or_else(|| "NEVER".to_owned(), clock);
        let active = if live.as_ref() == Some(&one.name) { " - ACTIVE" } else { "" };
        let metadata = one.metadata;
        let commit = metadata.git_sha1.unwrap_or_default();
        let line = format!("{time} - {} - {} - {commit}{active}", metadata.id, metadata.git_ref);
        call.say(&line.escape_debug().to_string())?;
    }
    Ok(0)
}

/// A time in words, as Ruby has it.
fn clock(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a time out of range is the nearest one")]
    let moment = Moment((seconds * 1000.0) as i64);
    moment.rfc3339().replace('T', " ").replace('Z', " +0000")
}

/// `gear archive-deployment`: the deployment that is in use, or another one, as `.tar.gz`.
pub(super) fn archive(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let name = match &asked.deployment {
        None => deployment::live_name(&place.home, "repo")?,
        Some(wanted) => {
            let is_it = |one: &Deployment| {
                one.name == *wanted || (!wanted.is_empty() && one.metadata.id == *wanted)
            };
            let found = deployment::all(&place.home)?.into_iter().find(is_it);
            let missing = || {
                let text = format!("gear: there is no deployment `{}`", wanted.escape_debug());
                Refused::new(FAILED, text).hint("`gear deployments` lists them")
            };
            found.ok_or_else(missing)?.name
        }
    };
    deployment::write_archive(&place.home, &name, &mut *call.out)?;
    Ok(0)
}
