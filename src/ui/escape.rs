//! Untrusted text made harmless before it is printed: manifests, archives, servers and scripts
//! may send terminal escapes, and characters that turn the reading direction round.

use std::borrow::Cow;
use std::fmt::Write;

/// Makes every control character of `text` visible, newlines included: for one line, one cell.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_active)
}

/// Makes every control character of `text` visible but newlines and tabs: for text that may have
/// several lines.
pub fn block(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_active(c) && !matches!(c, '\n' | '\t'))
}

/// Whether a terminal would act on the character instead of showing it.
pub(super) fn is_active(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let turns_direction = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks_line = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || turns_direction || breaks_line
}

fn escape(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Nearly all text is printable ASCII, which a pass over its bytes, without a branch, can tell.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(&is_bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            _ if !is_bad(c) => safe.push(c),
            '\n' | '\r' | '\t' => safe.extend(c.escape_debug()),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "{}", c.escape_unicode());
            }
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::{block, line};

    #[test]
    fn nothing_that_a_terminal_acts_on_comes_through() {
        let hostile = "a\u{1b}[2J\u{9b}0m\r\u{7}\u{202e}b\u{2028}\u{7f}\tc\nd";
        assert_eq!(
            line(hostile),
            r"a\u{1b}[2J\u{9b}0m\r\u{7}\u{202e}b\u{2028}\u{7f}\tc\nd",
            "one line stays one line"
        );
        assert!(block(hostile).ends_with("\tc\nd"), "lines and columns are kept in a block");
        assert!(!block(hostile).contains('\r'), "a carriage return overwrites what was shown");
    }

    #[test]
    fn ordinary_text_is_left_alone_and_escaped_text_is_not_escaped_again() {
        for text in ["grüße, 世界 `x` \\ \"y\"", r"\u{1b}[2J", ""] {
            assert_eq!(line(text), text);
            assert_eq!(block(&line(text)), text);
        }
    }
}
