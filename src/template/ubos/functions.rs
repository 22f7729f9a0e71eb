//! The twelve functions (UBOS specification, 3.3).

use super::error::Fault;
use crate::package::ubos::mime;
use crate::sys::random;

/// Their names.
pub(super) const NAMES: [&str; 12] = [
    "base64encode",
    "base64decode",
    "escapeSquote",
    "escapeDquote",
    "trim",
    "cr2space",
    "uid",
    "gid",
    "randomHex",
    "randomIdentifier",
    "randomPassword",
    "randomBytes",
];
/// The length of what is random where nothing is said.
const LENGTH: usize = 8;
/// The most random characters or bytes.
const MOST: usize = 1 << 16;

/// Knows the accounts of the host.
pub trait Accounts {
    /// The number of the user `name`.
    fn uid(&self, name: &str) -> Option<u32>;
    /// The number of the group `name`.
    fn gid(&self, name: &str) -> Option<u32>;
}

/// What the function `name` makes of `given`.
pub(super) fn call(name: &str, given: &[u8], accounts: &dyn Accounts) -> Result<Vec<u8>, Fault> {
    Ok(match name {
        "base64encode" => mime::encode(given).into_bytes(),
        "base64decode" => mime::decode(given),
        "escapeSquote" => escaped(given, b'\''),
        "escapeDquote" => escaped(given, b'"'),
        "trim" => given.trim_ascii().to_vec(),
        "cr2space" => one_line(given),
        "uid" => number(given, &|name| accounts.uid(name), "no user of this host")?,
        "gid" => number(given, &|name| accounts.gid(name), "no group of this host")?,
        "randomHex" => text(given, b"0123456789abcdef")?,
        "randomIdentifier" => text(given, b"abcdefghijklmnopqrstuvwxyz")?,
        "randomPassword" => {
            text(given, b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")?
        }
        "randomBytes" => random::bytes(length(given)?).map_err(|_| Fault::Random)?,
        _ => return Err(Fault::Function),
    })
}

/// A backslash before each `quote`, and nothing else: backslashes stay as they are.
fn escaped(given: &[u8], quote: u8) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(given.len());
    for byte in given {
        if *byte == quote {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    escaped
}

/// Every run of white space as one space.
fn one_line(given: &[u8]) -> Vec<u8> {
    let white = |byte: u8| byte.is_ascii_whitespace() || byte == b'\x0b';
    let mut line: Vec<u8> = Vec::with_capacity(given.len());
    let mut after_space = false;
    for byte in given {
        if !white(*byte) {
            line.push(*byte);
        } else if !after_space {
            line.push(b' ');
        }
        after_space = white(*byte);
    }
    line
}

fn number(
    given: &[u8],
    find: &dyn Fn(&str) -> Option<u32>,
    fault: &'static str,
) -> Result<Vec<u8>, Fault> {
    if !given.is_empty() && given.iter().all(u8::is_ascii_digit) {
        return Ok(given.to_vec());
    }
    let name = std::str::from_utf8(given).map_err(|_| Fault::Argument(fault))?;
    // The original takes `nobody` where it knows nobody of the name.
    let found = find(name).ok_or(Fault::Argument(fault))?;
    Ok(found.to_string().into_bytes())
}

fn length(given: &[u8]) -> Result<usize, Fault> {
    let text = std::str::from_utf8(given.trim_ascii()).unwrap_or("-");
    match text {
        "" => Ok(LENGTH),
        _ => text
            .parse()
            .ok()
            .filter(|length| *length <= MOST)
            .ok_or(Fault::Argument("a length from 0 to 65536 is wanted")),
    }
}

fn text(given: &[u8], alphabet: &[u8]) -> Result<Vec<u8>, Fault> {
    let text = random::text(length(given)?, alphabet).map_err(|_| Fault::Random)?;
    Ok(text.into_bytes())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A host with one user and one group.
    pub(in crate::template::ubos) struct OneAccount;

    impl Accounts for OneAccount {
        fn uid(&self, name: &str) -> Option<u32> {
            (name == "http").then_some(33)
        }
        fn gid(&self, name: &str) -> Option<u32> {
            (name == "http").then_some(34)
        }
    }

    fn on(name: &str, given: &str) -> String {
        let made = call(name, given.as_bytes(), &OneAccount).unwrap();
        String::from_utf8(made).unwrap()
    }

    #[test]
    fn functions_do_what_the_originals_do() {
        assert_eq!(on("base64encode", &"a".repeat(58)).matches('\n').count(), 2);
        assert_eq!(on("base64decode", "YWI=\n"), "ab");
        assert_eq!(on("escapeSquote", "it's \\'"), "it\\'s \\\\'");
        assert_eq!(on("escapeDquote", "\"a\\\""), "\\\"a\\\\\"");
        assert_eq!(on("trim", " \n a b\t"), "a b");
        assert_eq!(on("cr2space", "a\r\n\n b  c\n"), "a b c ");
        assert_eq!(on("uid", "http") + &on("gid", "http"), "3334");
        assert_eq!(on("uid", "1000"), "1000");
    }

    #[test]
    fn what_is_random_has_the_length_and_letters_that_it_should() {
        for (name, inner) in
            [("randomHex", "0123456789abcdef"), ("randomIdentifier", "abcdefghijklmnopqrstuvwxyz")]
        {
            let made = on(name, "500");
            assert_eq!(made.len(), 500);
            assert!(made.chars().all(|c| inner.contains(c)), "{made}");
        }
        assert!(on("randomPassword", "").chars().all(|c| c.is_ascii_alphanumeric()));
        assert_eq!(on("randomPassword", "").len(), 8);
        assert_eq!(call("randomBytes", b"9", &OneAccount).unwrap().len(), 9);
        assert_ne!(on("randomHex", "40"), on("randomHex", "40"));
    }

    #[test]
    fn what_they_cannot_take_is_an_error() {
        for (name, given) in
            [("uid", "ghost"), ("gid", ""), ("randomHex", "many"), ("randomHex", "99999999999")]
        {
            assert!(matches!(call(name, given.as_bytes(), &OneAccount), Err(Fault::Argument(_))));
        }
        assert_eq!(call("randomhex", b"4", &OneAccount), Err(Fault::Function));
        for name in NAMES {
            assert_ne!(call(name, b"7", &OneAccount), Err(Fault::Function), "{name}");
        }
    }
}
