//! What the mount namespace of a gear looks like: the host's files, with the commands that
//! cartridges call by absolute paths (`/usr/bin/logshifter`, `/usr/sbin/lsof`), processes of the
//! gear's own in `/proc`, and temporary folders of its own.
//!
//! Runs in the gear's supervisor, before it gives up its rights.

use super::confinement::TEMPORARY;
use crate::sys::fs;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{
    MountFlags, MountPropagationFlags, mount, mount_bind, mount_bind_recursive, mount_change,
    mount_remount,
};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What is laid over the host's files.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct View {
    /// The commands to lay over `/usr/bin`; those for hosts that lack them lie beside.
    pub(super) shims: PathBuf,
    /// The gear's temporary folder.
    pub(super) tmp: Option<PathBuf>,
    /// What stays seen where it lies, even in a temporary folder.
    pub(super) kept: Vec<PathBuf>,
    /// What nothing in the gear writes, whoever owns it.
    pub(super) sealed: Option<PathBuf>,
    /// What nothing in the gear sees.
    pub(super) hidden: Option<PathBuf>,
}

/// Lays the view over the host's files, in this process's own mount namespace.
pub(super) fn lay(view: &View) -> io::Result<()> {
    // What is mounted here is nobody else's; what the host mounts later is seen.
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::DOWNSTREAM)?;
    lay_commands(&view.shims)?;
    for place in TEMPORARY {
        lay_temporary(Path::new(place), view)?;
    }
    hide_sessions(view)?;
    if let Some(sealed) = &view.sealed {
        seal(sealed)?;
    }
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if let Some(hidden) = &view.hidden {
        mount("cart", hidden, "tmpfs", quiet | MountFlags::RDONLY, c"mode=755")?;
    }
    mount("proc", "/proc", "proc", quiet, None)?;
    Ok(())
}

/// The commands in the folder `fallbacks` beside the given one are for hosts that lack them: they
/// lie below the host's own. A host whose `/usr/sbin` is a link needs no second overlay.
fn lay_commands(shims: &Path) -> io::Result<()> {
    let fallbacks = shims.with_file_name("fallbacks");
    let has_fallbacks = fs::kind_of(&fallbacks) == Some(fs::Kind::Directory);
    let stand_ins = stand_ins(shims)?;
    let mut above: Vec<&Path> = stand_ins.iter().map(PathBuf::as_path).collect();
    if has_fallbacks && fs::kind_of(Path::new("/usr/sbin")) == Some(fs::Kind::Directory) {
        above.extend([Path::new("/usr/sbin"), &fallbacks]);
        overlay(&above, "/usr/sbin")?;
        above.clear();
    }
    let mut layers = vec![shims];
    layers.append(&mut above);
    layers.push(Path::new("/usr/bin"));
    if has_fallbacks {
        layers.push(&fallbacks);
    }
    overlay(&layers, "/usr/bin")
}

/// The folder of the commands that stand in for the host's in `/usr/sbin`, which are shown elsewhere
/// from now on; none where the host has none of them.
fn stand_ins(shims: &Path) -> io::Result<Option<PathBuf>> {
    let (folder, hidden) = (shims.with_file_name("sbin"), shims.with_file_name("hidden"));
    let has = |path: &Path| fs::kind_of(path) == Some(fs::Kind::File);
    let (program, place) = (Path::new("/usr/sbin/haproxy"), hidden.join("haproxy"));
    if !(has(program) && has(&place)) {
        return Ok(None);
    }
    mount_bind(program, &place)?;
    Ok(Some(folder))
}

fn overlay(layers: &[&Path], over: &str) -> io::Result<()> {
    let names: Vec<_> = layers.iter().map(|layer| layer.to_string_lossy()).collect();
    // These would be read as more than a path by the kernel's option parser.
    if names.iter().any(|name| name.contains([',', ':', '\\'])) {
        return Err(io::Error::other("the state's path has a comma, colon or backslash in it"));
    }
    let options = CString::new(format!("lowerdir={}", names.join(":")))?;
    Ok(mount("cart", over, "overlay", MountFlags::RDONLY, options.as_c_str())?)
}

/// Hides the sockets of people's sessions, by which programs outside could be told what to do.
fn hide_sessions(view: &View) -> io::Result<()> {
    let sessions = Path::new("/run/user");
    if view.tmp.is_none() || fs::kind_of(sessions) != Some(fs::Kind::Directory) {
        return Ok(());
    }
    Ok(mount("cart", sessions, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=755")?)
}

/// Makes a tree read-only for the gear. A library below a temporary folder would be in the reach of
/// what may be written there, and files of an ordinary user are its gears' own.
fn seal(place: &Path) -> io::Result<()> {
    if fs::kind_of(place) != Some(fs::Kind::Directory) {
        return Ok(());
    }
    mount_bind(place, place)?;
    Ok(mount_remount(place, MountFlags::BIND | MountFlags::RDONLY, "")?)
}

/// Gives the gear a folder of its own in place of the host's, with holes for what is kept.
fn lay_temporary(place: &Path, view: &View) -> io::Result<()> {
    let Some(tmp) = &view.tmp else { return Ok(()) };
    if fs::kind_of(place) != Some(fs::Kind::Directory) {
        return Ok(());
    }
    let kept: Vec<&PathBuf> = view.kept.iter().filter(|path| path.starts_with(place)).collect();
    let kept = kept.into_iter().map(|path| Ok((path, open(path, OFlags::DIRECTORY)?)));
    let kept: Vec<(&PathBuf, OwnedFd)> = kept.collect::<io::Result<_>>()?;
    if kept.is_empty() && !place.starts_with("/dev") {
        // The gear may have put a link into its place, which is not followed.
        let tmp = open(tmp, OFlags::DIRECTORY | OFlags::NOFOLLOW)?;
        return Ok(mount_bind(format!("/proc/self/fd/{}", tmp.as_raw_fd()), place)?);
    }
    mount("cart", place, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=1777")?;
    for (path, open) in kept {
        fs::make_dirs(path, 0o755).map_err(|error| io::Error::other(error.to_string()))?;
        mount_bind_recursive(format!("/proc/self/fd/{}", open.as_raw_fd()), path)?;
    }
    Ok(())
}

fn open(path: &Path, how: OFlags) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, how | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}
