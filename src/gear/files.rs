//! Writing one small file into a gear so that it belongs to whom it should.

use crate::error::FsError;
use crate::sys::fs::Dir;
use crate::sys::host;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Puts `bytes` at `name` in one rename. The file gets the owner of the directory that holds it,
/// set before the file has its name: a change of owner by name could be led to another file by a
/// gear that swaps names meanwhile. Nothing waits for the disk: a transaction's whole filesystem is
/// durable before its commit, what a power cut leaves of it is put back, and the commands inside a gear
/// promise no more than the original's.
pub(super) fn put(home: &Dir, name: &str, bytes: &[u8], mode: u32) -> Result<(), FsError> {
    let path = Path::new(name);
    let beside = format!("{name}.cart-new");
    home.remove_file(&beside)?;
    let mut file = home.create_file(&beside, 0o600)?;
    let fail = |error| FsError::new("write", home.path_of(name), error);
    file.write_all(bytes).map_err(fail)?;
    if host::is_root()
        && let Some(holder) = home.meta(path.parent().unwrap_or(Path::new("")))?
    {
        std::os::unix::fs::fchown(&file, Some(holder.uid), Some(holder.gid)).map_err(fail)?;
    }
    file.set_permissions(Permissions::from_mode(mode)).map_err(fail)?;
    home.rename(&beside, home, name)
}
