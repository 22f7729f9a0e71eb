//! Accounts of a host, from its own lists below a root directory.

use super::fs::{Dir, Result};
use std::collections::HashMap;

/// The longest list of accounts that is read.
const LONGEST: u64 = 64 << 20;

/// Names with numbers, as the file `database` in `etc` below `root` has them: `passwd` or `group`.
/// None where there is no such file.
pub fn all(root: &Dir, database: &str) -> Result<HashMap<String, u32>> {
    let text = match root.read(format!("etc/{database}"), LONGEST) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.is_not_found() => return Ok(HashMap::new()),
        Err(error) => return Err(error),
    };
    Ok(text.lines().filter_map(account).map(|(name, id)| (name.to_owned(), id)).collect())
}

/// Name and number of a line `name:password:number:…`.
pub fn account(line: &str) -> Option<(&str, u32)> {
    let mut fields = line.split(':');
    Some((fields.next()?, fields.nth(1)?.parse().ok()?))
}
