//! Which processes are a gear's.

use super::identity::Identity;
use crate::error::FsError;
use crate::sys::process;

/// The variable by which every process of a gear is marked.
const MARK: &str = "OPENSHIFT_GEAR_UUID";

/// The living processes of `gear`: those that carry its mark and, where it has an account of its
/// own, all of that user. A user id without an account may be that of a gear below another root,
/// too; of its processes those count that show an environment without anybody's mark.
pub fn living(gear: &Identity) -> Result<Vec<u32>, FsError> {
    let mut found = process::marked(&[format!("{MARK}={}", gear.uuid)])?;
    if let Some((uid, _)) = gear.owner {
        let mine = process::of_user(uid)?.into_iter();
        found.extend(mine.filter(|id| gear.account || process::lacks_variable(*id, MARK)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
