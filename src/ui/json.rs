//! JSON as every command prints it: one document, with the version of its schema.

use super::escape::is_active;
use serde::Serialize;
use std::fmt::Write;

/// The version of the schema of everything that `--json` prints. A field may be added under the
/// same number; one that goes, or changes its meaning, raises it.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// Writes `body`, which must become a JSON object, as one document with `"schema"` in front.
pub fn document(body: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(&Envelope { schema: SCHEMA, body })?;
    // serde_json leaves DEL, C1 controls and bidi marks as they are, and a terminal acts on them.
    // They can stand nowhere but inside strings, where \u means the same.
    let is_bad = |c: char| c != '\n' && is_active(c);
    if !text.contains(is_bad) {
        return Ok(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_bad(c) {
            // Writing to a String cannot fail; each of these lies in the basic plane.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Ok(safe)
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn a_document_says_its_schema_first_and_holds_nothing_that_a_terminal_acts_on() {
        let body = serde_json::json!({ "name": "a\u{9b}2J\u{202e}\u{7f}\u{1b}\n" });
        let text = document(&body).unwrap();
        assert!(text.starts_with("{\n  \"schema\": 1,\n"), "{text}");
        assert!(text.chars().all(|c| c == '\n' || !super::is_active(c)), "{text}");
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["name"], body["name"], "the value is the same for a program");
    }
}
