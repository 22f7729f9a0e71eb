//! What a gear is expected to be: `app-root/runtime/.state`, and the lock that keeps a stopped one
//! stopped (node specification, 8.3).

use crate::error::FsError;
use crate::sys::fs::Dir;
use std::fmt;

const STATE: &str = "app-root/runtime/.state";
const STOP_LOCK: &str = "app-root/runtime/.stop_lock";

/// The expected state of a gear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Created, never started.
    New,
    /// Commanded to start.
    Started,
    /// Commanded to stop.
    Stopped,
    /// Shut down because nobody used it.
    Idle,
    /// Being built.
    Building,
    /// Being deployed.
    Deploying,
    /// Its file cannot be read, or holds something else.
    Unknown,
}

impl State {
    const ALL: [Self; 6] =
        [Self::New, Self::Started, Self::Stopped, Self::Idle, Self::Building, Self::Deploying];

    /// The word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Idle => "idle",
            Self::Building => "building",
            Self::Deploying => "deploying",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the state of the gear in `home`.
pub fn read(home: &Dir) -> State {
    let text = home.read(STATE, 64).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    State::ALL.into_iter().find(|state| state.as_str() == text.trim()).unwrap_or(State::Unknown)
}

/// Writes the state of the gear in `home`; the file belongs to the gear's user.
pub fn write(home: &Dir, state: State, owner: Option<(u32, u32)>) -> Result<(), FsError> {
    home.replace_file(STATE, format!("{state}\n").as_bytes(), 0o660)?;
    own(home, STATE, owner)
}

/// Tells whether the gear in `home` was stopped by its user.
pub fn has_stop_lock(home: &Dir) -> Result<bool, FsError> {
    home.has(STOP_LOCK)
}

/// Sets the stop lock, or takes it away.
pub fn set_stop_lock(
    home: &Dir,
    wanted: bool,
    owner: Option<(u32, u32)>,
) -> Result<(), FsError> {
    if !wanted {
        return home.remove_file(STOP_LOCK);
    }
    if !home.has(STOP_LOCK)? {
        home.replace_file(STOP_LOCK, b"", 0o660)?;
        own(home, STOP_LOCK, owner)?;
    }
    Ok(())
}

fn own(home: &Dir, path: &str, owner: Option<(u32, u32)>) -> Result<(), FsError> {
    owner.map_or(Ok(()), |(uid, gid)| home.set_owner(path, uid, gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_as_it_was_written_and_nonsense_is_unknown() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        assert_eq!(read(&home), State::Unknown);
        home.make_dirs("app-root/runtime", 0o755).unwrap();
        for state in State::ALL {
            write(&home, state, None).unwrap();
            assert_eq!(read(&home), state);
        }
        home.replace_file(STATE, b"flying\n", 0o660).unwrap();
        assert_eq!(read(&home), State::Unknown);
        set_stop_lock(&home, true, None).unwrap();
        assert!(has_stop_lock(&home).unwrap());
        set_stop_lock(&home, false, None).unwrap();
        assert!(!has_stop_lock(&home).unwrap());
    }
}
