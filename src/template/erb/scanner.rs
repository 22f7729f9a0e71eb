//! Takes a template apart into text and tags.

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that is printed as it is.
    Text(String),
    /// `<%= code %>`.
    Output {
        /// What stands between the marks.
        code: String,
        /// The line of the opening mark, from 1.
        line: usize,
    },
    /// `<% code %>`, or a line that begins with `%`.
    Code {
        /// What stands between the marks.
        code: String,
        /// The line of the opening mark, from 1.
        line: usize,
    },
}

/// Takes `template` apart.
pub(super) fn parts(template: &str) -> Vec<Part> {
    let mut scanner = Scanner { rest: template, line: 1, parts: Vec::new(), text: String::new() };
    scanner.scan();
    scanner.parts
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
    parts: Vec<Part>,
    text: String,
}

impl<'a> Scanner<'a> {
    fn scan(&mut self) {
        let mut at_line_start = true;
        while !self.rest.is_empty() {
            if at_line_start && self.rest.starts_with("%%") {
                self.take(1);
                self.copy(1);
                at_line_start = false;
            } else if at_line_start && self.rest.starts_with('%') {
                self.code_line();
            } else if self.rest.starts_with("<%%") {
                self.text.push_str("<%");
                self.take(3);
                at_line_start = false;
            } else if self.rest.starts_with("<%") {
                self.tag();
                at_line_start = false;
            } else {
                let next = self.rest.char_indices().skip(1).find_map(|(at, c)| {
                    (c == '<' || self.rest.as_bytes().get(at.wrapping_sub(1)) == Some(&b'\n'))
                        .then_some(at)
                });
                let length = next.unwrap_or(self.rest.len());
                at_line_start = self.copy(length).ends_with('\n');
            }
        }
        self.flush();
    }

    /// A whole line of code; its newline goes with it.
    fn code_line(&mut self) {
        self.flush();
        let line = self.line;
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        let code = self.take(end);
        let code = code.strip_prefix('%').unwrap_or(code).trim_end_matches('\n').to_owned();
        self.parts.push(Part::Code { code, line });
    }

    fn tag(&mut self) {
        let Some(length) = end_of_tag(self.rest) else {
            // Ruby drops an opening mark that is never closed, and prints what follows.
            self.take(2);
            let rest = self.rest.len();
            self.copy(rest);
            return;
        };
        self.flush();
        let line = self.line;
        let whole = self.take(length);
        let inner = whole.strip_prefix("<%").and_then(|rest| rest.strip_suffix("%>"));
        let inner = inner.unwrap_or_default().replace("%%>", "%>");
        match inner.strip_prefix('=') {
            Some(code) => self.parts.push(Part::Output { code: code.to_owned(), line }),
            None if inner.starts_with('#') => {}
            None => self.parts.push(Part::Code { code: inner, line }),
        }
    }

    fn copy(&mut self, length: usize) -> &'a str {
        let taken = self.take(length);
        self.text.push_str(taken);
        taken
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.text)));
        }
    }
}

/// The length of the tag that `text` begins with, its marks included; `%%>` does not close it.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut from = 2;
    loop {
        let at = from + text.get(from..)?.find("%>")?;
        if text.as_bytes().get(at.checked_sub(1)?) == Some(&b'%') && at > 2 {
            from = at + 2;
        } else {
            return Some(at + 2);
        }
    }
}
