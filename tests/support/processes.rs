//! The processes of a test's own gears, as `/proc` shows them.

#![expect(clippy::disallowed_methods, reason = "tests that look at the program from outside")]

use std::path::{Path, PathBuf};

/// The folders in `/proc` of the living processes in whose environment `mark` stands, `NAME=value`.
pub(crate) fn marked(mark: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_marked = |place: &PathBuf| {
        // While bash begins, its names and values are told apart by a zero for a moment.
        let found = format!("\0{}", environment(place)).replace('=', "\0");
        found.contains(&format!("\0{mark}\0").replace('=', "\0"))
    };
    all.map(|entry| entry.path()).filter(is_marked).collect()
}

/// Waits while the process becomes another program: for a moment it then shows no environment.
fn environment(place: &Path) -> String {
    for _ in 0..2000 {
        let environment = std::fs::read(place.join("environ")).unwrap_or_default();
        let stat = std::fs::read_to_string(place.join("stat")).unwrap_or_default();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
        // The size of its memory, and where its code begins: that is known last.
        let is_becoming =
            matches!((fields.get(21), fields.get(24)), (Some(size), Some(&"0")) if *size != "0");
        if !environment.is_empty() || !is_becoming {
            return String::from_utf8_lossy(&environment).into_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    String::new()
}
