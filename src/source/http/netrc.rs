//! `~/.netrc`: users and passwords by host, in the form that curl and ftp read.

use crate::error::FsError;
use crate::sys::{fs, host};
use std::path::PathBuf;

/// The entries of a netrc file.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Netrc(Vec<Entry>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Entry {
    /// The host; nothing for `default`.
    host: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

impl Netrc {
    /// Reads the file that `NETRC` names, else `~/.netrc`; a missing one is empty.
    pub(super) fn of_this_user() -> Result<Self, FsError> {
        let named = host::variable_os("NETRC").map(PathBuf::from);
        let home = || host::variable_os("HOME").map(|home| PathBuf::from(home).join(".netrc"));
        let Some(path) = named.or_else(home) else { return Ok(Self::default()) };
        match fs::read_text(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.is_not_found() => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Reads the text of such a file; words without a place are passed over, as others do.
    fn parse(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut words = Words { rest: text };
        while let Some(word) = words.next() {
            match word.as_str() {
                "machine" => entries.push(Entry { host: words.next(), ..Entry::default() }),
                "default" => entries.push(Entry::default()),
                "login" => set(&mut entries, words.next(), |entry| &mut entry.login),
                "password" => set(&mut entries, words.next(), |entry| &mut entry.password),
                "account" => drop(words.next()),
                "macdef" => words.skip_macro(),
                _ => {}
            }
        }
        Self(entries)
    }

    /// The user and password for `host`, of `login` where that is given. The first entry counts.
    pub(super) fn find<'a>(
        &'a self,
        host: &str,
        login: Option<&'a str>,
    ) -> Option<(&'a str, Option<&'a str>)> {
        let fits = |entry: &&Entry| {
            entry.host.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(host))
                && login.is_none_or(|login| entry.login.as_deref().is_none_or(|own| own == login))
        };
        let entry = self.0.iter().find(fits)?;
        Some((login.or(entry.login.as_deref())?, entry.password.as_deref()))
    }
}

fn set(entries: &mut [Entry], word: Option<String>, field: fn(&mut Entry) -> &mut Option<String>) {
    if let Some(entry) = entries.last_mut() {
        *field(entry) = word;
    }
}

struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        self.rest = self.rest.split_once("\n\n").map_or("", |(_, rest)| rest);
    }
}

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut start = self.rest.trim_start();
        while start.starts_with('#') {
            start = start.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        }
        if let Some(quoted) = start.strip_prefix('"') {
            let mut word = String::new();
            let mut chars = quoted.chars();
            while let Some(c) = chars.next().filter(|c| *c != '"') {
                word.push(if c == '\\' { chars.next()? } else { c });
            }
            self.rest = chars.as_str();
            return Some(word);
        }
        let end = start.find(char::is_whitespace).unwrap_or(start.len());
        let (word, rest) = start.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_for_the_host_counts_and_default_is_for_the_rest() {
        let netrc = Netrc::parse(
            "# mine\nmachine a.example login u password p\n\
             machine b.example\n\tlogin \"v w\"\n\tpassword \"q\\\"r\" account x\n\
             macdef init\nmachine evil login e\n\n\
             machine a.example login other password o\ndefault login anonymous password d",
        );
        assert_eq!(netrc.find("a.example", None), Some(("u", Some("p"))));
        assert_eq!(netrc.find("A.EXAMPLE", Some("other")), Some(("other", Some("o"))));
        assert_eq!(netrc.find("b.example", None), Some(("v w", Some("q\"r"))));
        assert_eq!(netrc.find("evil", None), Some(("anonymous", Some("d"))));
        assert_eq!(netrc.find("a.example.evil", None), Some(("anonymous", Some("d"))));
        assert_eq!(Netrc::default().find("a.example", None), None);
    }
}
