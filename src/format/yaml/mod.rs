//! YAML as people write it: a tree of nodes that keep their source text, quoting and place.
//!
//! Owns what is tolerated (duplicate keys, null sections, CRLF, a byte-order mark, tags, an
//! unquoted `*`) and what is not (several documents, control characters, more than the limits).
//! No scalar is ever turned into a number here: `5.10` stays `5.10`. Must not know any manifest.

mod build;
mod node;
mod repair;

pub(super) use node::{Node, Pair, Value};

use super::error::Fault;
use super::place::Place;
use super::reading::Reading;

/// The longest file that is read, in bytes; real manifests stay below 20 KiB.
pub(super) const LONGEST: u64 = 1 << 20;
/// The longest that repairs may make a text; a hostile one would be indented without end.
const LONGEST_MENDED: usize = 4 << 20;
/// How often a text is mended and read again before it is given up.
const MOST_REPAIRS: usize = 64;

/// Reads a file of one document; nothing when the file is empty. What was tolerated is said in
/// `reading`, and only when the file as a whole can be read.
pub(super) fn parse(bytes: &[u8], reading: &mut Reading) -> Result<Option<Node>, Fault> {
    let mut text = decoded(bytes)?.to_owned();
    let mut warnings = Vec::new();
    for _ in 0..=MOST_REPAIRS {
        let stop = match build::build(&text) {
            Ok(built) => {
                warnings.extend(built.warnings);
                for Fault { place, text } in warnings {
                    reading.warn(place, text);
                }
                return Ok(built.root.filter(|root| !root.is_null()));
            }
            Err(stop) => stop,
        };
        let mended =
            repair::mend(&text, &stop).filter(|mended| mended.text.len() <= LONGEST_MENDED);
        let Some(mended) = mended else {
            return Err(stop.fault);
        };
        text = mended.text;
        warnings.extend(mended.warning);
    }
    Err(Fault {
        place: Place::START,
        text: "has too many values that YAML reads otherwise: put them in quotes".into(),
    })
}

/// Checks what no YAML reader would: the length, UTF-8, and characters that have no business in a
/// text (the parser takes a NUL for the end and would drop the rest in silence).
fn decoded(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() as u64 > LONGEST {
        let text = format!("is longer than {LONGEST} bytes: a manifest this long is none");
        return Err(Fault { place: Place::START, text });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Fault {
        place: Place::of(bytes, error.valid_up_to()),
        text: "is not UTF-8: save the file as UTF-8".into(),
    })?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let odd = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    match text.char_indices().find(|(_, c)| odd(*c)) {
        None => Ok(text),
        Some((offset, c)) => Err(Fault {
            place: Place::of(text.as_bytes(), offset),
            text: format!("has the control character `{}`: remove it", c.escape_debug()),
        }),
    }
}

#[cfg(test)]
mod tests;
