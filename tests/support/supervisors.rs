//! What keeps running gears apart, as a test leaves it: supervisors and control groups, read from what
//! is written down of them.

#![expect(clippy::disallowed_methods, reason = "tests that look at the program from outside")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Ends the supervisors of the gears below `state`, and removes their control groups.
pub(crate) fn end(state: &Path) {
    for record in std::fs::read_dir(state.join("running")).into_iter().flatten().flatten() {
        let text = std::fs::read(record.path()).unwrap_or_default();
        let Ok(record) = serde_json::from_slice::<serde_json::Value>(&text) else { continue };
        if let Some(first) = record["first"]["id"].as_u64() {
            drop(Command::new("kill").args(["-9", &first.to_string()]).output());
        }
        for group in record["groups"].as_array().into_iter().flatten() {
            let group = PathBuf::from(group.as_str().unwrap_or_default());
            for _ in 0..100 {
                // A group goes when its last process has.
                if !group.exists() || std::fs::remove_dir(&group).is_ok() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
