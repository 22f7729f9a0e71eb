//! Managed patterns, resolved in a gear: Ruby's `Dir.glob` with `FNM_DOTMATCH`, narrowed as the
//! original narrows it (node specification, 5).
//!
//! Only `*` makes a pattern; `?`, `[]` and `{}` are ordinary characters. `**/` crosses hidden
//! directories and never follows a link. `~/` is anchored at the home, everything else at the
//! cartridge. A pattern gives files alone; what would leave the gear is dropped.

use crate::error::FsError;
use crate::sys::fs::{Dir, Kind};

/// The deepest directory into which `**/` goes.
const DEEPEST: usize = 64;

/// The gear-relative paths that `patterns` mean for the cartridge in the folder `dir`, in order,
/// each once. A path without `*` is given whether it exists or not.
pub fn expand(home: &Dir, dir: &str, patterns: &[String]) -> Result<Vec<String>, FsError> {
    let mut found = Vec::new();
    for pattern in patterns {
        let Some(parts) = anchored(dir, pattern.trim()) else { continue };
        if pattern.contains('*') {
            walk(home, String::new(), &parts, &mut found)?;
        } else {
            found.push(parts.join("/"));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The components of a pattern from the home; nothing when it is empty or leaves the gear.
fn anchored(dir: &str, pattern: &str) -> Option<Vec<String>> {
    let (anchor, rest) = match pattern.strip_prefix("~/") {
        Some(rest) => ("", rest),
        None => (dir, pattern),
    };
    let mut parts: Vec<String> = Vec::new();
    for part in anchor.split('/').chain(rest.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part.to_owned()),
        }
    }
    (!rest.is_empty() && !parts.is_empty()).then_some(parts)
}

fn walk(
    dir: &Dir,
    prefix: String,
    parts: &[String],
    found: &mut Vec<String>,
) -> Result<(), FsError> {
    let Some((part, rest)) = parts.split_first() else { return Ok(()) };
    // `**` means any depth only before a slash; at the end it equals `*`.
    let any_depth = part == "**" && !rest.is_empty();
    if any_depth {
        // It may stand for nothing at all.
        walk(dir, prefix.clone(), rest, found)?;
    }
    for name in dir.names()? {
        let Some(text) = name.to_str() else { continue };
        let Some(meta) = dir.meta(&name)? else { continue };
        let path = if prefix.is_empty() { text.to_owned() } else { format!("{prefix}/{text}") };
        let is_dir = meta.kind == Kind::Directory && path.matches('/').count() < DEEPEST;
        if any_depth {
            if is_dir {
                walk(&dir.dir(&name)?, path, parts, found)?;
            }
        } else if matches(part, text) {
            if rest.is_empty() && meta.kind == Kind::File {
                found.push(path);
            } else if !rest.is_empty() && is_dir {
                walk(&dir.dir(&name)?, path, rest, found)?;
            }
        }
    }
    Ok(())
}

/// Whether `name` is what `pattern`, with `*` for any run of characters, means. Linear in practice:
/// only the last `*` is ever gone back to.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut star, mut here, mut mark) = (0, None, 0, 0);
    while here < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some(at);
                mark = here;
                at += 1;
            }
            Some(byte) if Some(byte) == name.get(here) => {
                at += 1;
                here += 1;
            }
            _ => match star {
                Some(back) => {
                    at = back + 1;
                    mark += 1;
                    here = mark;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_ruby_means() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        for path in ["php/conf.d", "php/.hidden/deep", "php/env", ".local"] {
            home.make_dirs(path, 0o755).unwrap();
        }
        for file in [
            "php/a.erb", "php/conf.d/b.erb", "php/.hidden/deep/c.erb", "php/.d.erb", "php/env/E",
            "php/q?.x", ".foorc", ".local/x.erb",
        ] {
            home.write_new(file, b"", 0o644).unwrap();
        }
        home.make_link("php/usr", "/usr").unwrap();
        home.make_link("php/link.erb", "a.erb").unwrap();
        let means = |pattern: &str| expand(&home, "php", &[pattern.to_owned()]).unwrap();
        for (pattern, expected) in [
            (
                "**/*.erb",
                &["php/.d.erb", "php/.hidden/deep/c.erb", "php/a.erb", "php/conf.d/b.erb"][..],
            ),
            ("*.erb", &["php/.d.erb", "php/a.erb"]),
            ("conf.d/*", &["php/conf.d/b.erb"]),
            ("**", &["php/.d.erb", "php/a.erb", "php/q?.x"]),
            ("*", &["php/.d.erb", "php/a.erb", "php/q?.x"]),
            ("q?.x", &["php/q?.x"]),
            ("~/.foorc", &[".foorc"]),
            ("~/.*rc", &[".foorc"]),
            ("/env/E", &["php/env/E"]),
            ("../.x", &[".x"]),
            ("../../etc/passwd", &[]),
            ("~/../x", &[]),
            ("missing/file", &["php/missing/file"]),
            ("missing/*", &[]),
            ("", &[]),
        ] {
            assert_eq!(means(pattern), expected, "{pattern}");
        }
    }
}
