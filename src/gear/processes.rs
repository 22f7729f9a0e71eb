//! Which processes are a gear's.

use super::identity::Identity;
use crate::error::FsError;
use crate::sys::process;

/// The variable by which every process of a gear is marked.
const MARK: &str = "OPENSHIFT_GEAR_UUID";

/// The living processes of `gear`: those that carry its mark and, where it has a user of its own,
/// those of that user that carry none. (Below another root, the same user id is another gear's.)
pub fn living(gear: &Identity) -> Result<Vec<u32>, FsError> {
    let mut found = process::marked(&[format!("{MARK}={}", gear.uuid)])?;
    if let Some((uid, _)) = gear.owner {
        let mine = process::of_user(uid)?.into_iter();
        found.extend(mine.filter(|id| process::variable_of(*id, MARK).is_none()));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
