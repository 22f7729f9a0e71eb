//! JSON as UBOS writes it: with `#` comments, a comma after the last element, tabs in texts, and any
//! value at the top.
//!
//! Knows nothing of manifests. Reads hostile texts in bounded time, memory and stack; every value
//! keeps the place where it stands, and every key its order. No crate reads this dialect (those
//! that are kept know `//` and `/* */`), so the structure is read here and `serde_json` reads the
//! scalars.

mod node;
mod parse;

pub(super) use node::{Content, Node, Pair};
pub(super) use parse::{LONGEST, parse};
