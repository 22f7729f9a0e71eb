//! Addresses without their secrets: what is printed, recorded and put into errors.

use reqwest::Url;
use std::path::Path;

/// Parameters whose values open doors: presigned addresses, access tokens.
const SECRET_PARAMETERS: [&str; 8] =
    ["token", "signature", "secret", "password", "passwd", "credential", "sig", "key"];

/// The address without user, password and the values of parameters that look like keys.
pub(crate) fn url(url: &Url) -> String {
    let mut shown = url.clone();
    // Only an address that cannot have a user refuses to lose it.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    if let Some(query) = url.query() {
        let query: Vec<String> = query.split('&').map(parameter).collect();
        shown.set_query(Some(&query.join("&")));
    }
    shown.to_string()
}

fn parameter(text: &str) -> String {
    let Some((name, _)) = text.split_once('=') else { return text.to_owned() };
    let lower = name.to_ascii_lowercase();
    let secret = |part: &&str| lower == *part || (part.len() > 3 && lower.contains(*part));
    if SECRET_PARAMETERS.iter().any(secret) {
        return format!("{name}=redacted");
    }
    text.to_owned()
}

/// Any text (an address that does not parse, the words of git) with what stands before an `@` in
/// an address taken out, and control characters escaped. Of ssh addresses the user stays.
pub(crate) fn text(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(['/', ' ', '\'', '"', '`', '#', '?', '\n']).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                if before.ends_with("ssh://") {
                    shown.push_str(user.split(':').next().unwrap_or_default());
                    shown.push('@');
                }
                shown.push_str(host);
            }
            None => shown.push_str(authority),
        }
        rest = match tail.split_once('?').filter(|(path, _)| !path.contains(char::is_whitespace)) {
            Some((path, query)) => {
                shown.push_str(path);
                shown.push('?');
                let end = query.find([' ', '\'', '"', '`', '#', '\n']).unwrap_or(query.len());
                let (query, tail) = query.split_at(end);
                let query: Vec<String> = query.split('&').map(parameter).collect();
                shown.push_str(&query.join("&"));
                tail
            }
            None => tail,
        };
    }
    shown.push_str(rest);
    escape(&shown)
}

/// A path as it may be shown: control characters escaped, all else as it is.
pub(crate) fn path(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

fn escape(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.into() };
    text.chars().map(shown).collect()
}

/// Decodes `%41`; a percent sign without two digits stays.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if let (b'%', [high, low, after @ ..]) = (*first, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push(high * 16 + low);
            rest = after;
        } else {
            decoded.push(*first);
        }
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_programs_lose_their_secrets_and_their_escapes() {
        let words = "fatal: 'https://u:p@ss@h/x.git/' and ssh://git:pw@h/y and \x1b[31m";
        let shown = text(words);
        assert_eq!(shown, "fatal: 'https://h/x.git/' and ssh://git@h/y and \\u{1b}[31m");
        assert_eq!(
            text("https://h/a?X-Amz-Signature=1&b=2#v"),
            "https://h/a?X-Amz-Signature=redacted&b=2#v"
        );
    }

    #[test]
    fn percent_signs_decode_and_stray_ones_stay() {
        assert_eq!(decode("a%20b%2Fc%zz%4"), b"a b/c%zz%4");
    }
}
