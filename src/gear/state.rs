//! What a gear is meant to be doing: `app-root/runtime/.state` and `.stop_lock`.
//!
//! The gear's own scripts may write these files, so what is read from them is a claim.

use super::files;
use crate::error::FsError;
use crate::sys::fs::Dir;

const STATE: &str = "app-root/runtime/.state";
const STOP_LOCK: &str = "app-root/runtime/.stop_lock";

/// What is written here, and the folder of it, below a gear's home.
pub const FILES: [&str; 3] = [STATE, STOP_LOCK, "app-root/runtime"];

/// The states that the cartridge guide lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A build runs.
    Building,
    /// A build is being put to use.
    Deploying,
    /// Shut down for want of visitors.
    Idle,
    /// Made, and never started.
    New,
    /// Told to start.
    Started,
    /// Told to stop.
    Stopped,
}

impl State {
    const ALL: [Self; 6] =
        [Self::Building, Self::Deploying, Self::Idle, Self::New, Self::Started, Self::Stopped];

    /// The word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Deploying => "deploying",
            Self::Idle => "idle",
            Self::New => "new",
            Self::Started => "started",
            Self::Stopped => "stopped",
        }
    }
}

/// Reads the state; nothing (the original says `unknown`) when the file cannot be read or holds
/// another word.
pub fn read(home: &Dir) -> Option<State> {
    let bytes = home.read(STATE, 64).ok()?;
    let word = std::str::from_utf8(&bytes).ok()?.trim();
    State::ALL.into_iter().find(|state| state.as_str() == word)
}

/// When the state was last written, in seconds since 1970.
pub fn since(home: &Dir) -> Option<i64> {
    Some(home.meta(STATE).ok()??.changed.seconds)
}

/// Writes the state in one rename.
pub fn write(home: &Dir, state: State) -> Result<(), FsError> {
    files::put(home, STATE, format!("{}\n", state.as_str()).as_bytes(), 0o660)
}

/// Tells whether the gear was stopped by its user, so that nothing else may start it.
pub fn is_stop_locked(home: &Dir) -> Result<bool, FsError> {
    home.has(STOP_LOCK)
}

/// Records that the user stopped the gear.
pub fn set_stop_lock(home: &Dir) -> Result<(), FsError> {
    files::put(home, STOP_LOCK, b"", 0o644)
}

/// Records that the user lets the gear be started.
pub fn clear_stop_lock(home: &Dir) -> Result<(), FsError> {
    home.remove_file(STOP_LOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_writing_and_anything_else_is_unknown() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        assert_eq!(read(&home), None);
        home.make_dirs("app-root/runtime", 0o755).unwrap();
        for state in State::ALL {
            write(&home, state).unwrap();
            assert_eq!(read(&home), Some(state));
        }
        assert_eq!(home.meta(STATE).unwrap().unwrap().mode, 0o660);
        for bad in ["", "running", "started started", &"x".repeat(100)] {
            home.replace_file(STATE, bad.as_bytes(), 0o600).unwrap();
            assert_eq!(read(&home), None, "{bad:?}");
        }
    }

    #[test]
    fn the_stop_lock_is_there_or_not() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        home.make_dirs("app-root/runtime", 0o755).unwrap();
        clear_stop_lock(&home).unwrap();
        set_stop_lock(&home).unwrap();
        set_stop_lock(&home).unwrap();
        assert!(is_stop_locked(&home).unwrap());
        clear_stop_lock(&home).unwrap();
        assert!(!is_stop_locked(&home).unwrap());
    }
}
