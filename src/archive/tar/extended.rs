//! What stands before a member and is about it: PAX records and GNU's long names.
//!
//! Here parsers break again and again (a size that one program sees and another does not makes the
//! second read the content as headers), so every doubt is a refusal.

use super::header::{Header, Type};
use super::{Member, Stop, TarFault};
use crate::archive::error::ArchiveError;
use crate::archive::name;

/// The longest record, in bytes.
pub(super) const LONGEST: usize = 64 << 10;

/// What has been read for the next member.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pax: Option<Records>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

/// The PAX records that matter here. Owners, times of access, attributes and comments do not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Records {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<i64>,
}

impl Pending {
    /// Reads the body of an extended header.
    pub(super) fn add(&mut self, kind: Type, body: &[u8]) -> Result<(), TarFault> {
        match kind {
            Type::PaxGlobal => {
                // Between a member's own header and the member, it belongs to neither.
                self.none_left()?;
                return Records::parse(body)?.none_global();
            }
            Type::Pax => {
                let records = Records::parse(body)?;
                return once(&mut self.pax, records);
            }
            _ => {}
        }
        if self.pax.as_ref().is_some_and(|records| records.size.is_some()) {
            // Some programs take that size for the long name's.
            return Err(TarFault::Contradiction);
        }
        let text = long_text(body)?;
        once(if kind == Type::LongName { &mut self.name } else { &mut self.link }, text)
    }

    /// Hands over what was read, for the member that has come.
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Fails when something was read for a member that does not come.
    pub(super) fn none_left(&self) -> Result<(), TarFault> {
        let none = self.pax.is_none() && self.name.is_none() && self.link.is_none();
        if none { Ok(()) } else { Err(TarFault::Pending) }
    }

    /// Puts the member together from its `header` and what was read before it.
    pub(super) fn apply(self, header: Header) -> Result<Member, Stop> {
        let pax = self.pax.unwrap_or_default();
        let raw = agreed(pax.path, self.name)?.unwrap_or(header.name);
        let link = agreed(pax.link, self.link)?.unwrap_or(header.link);
        let name = name::parse(&raw).map_err(|reason| ArchiveError::refused(&raw, reason))?;
        let kind = match header.kind {
            Type::Old if name.slash => Type::Directory,
            Type::Old => Type::File,
            kind => kind,
        };
        Ok(Member {
            name,
            raw,
            link,
            kind,
            size: pax.size.unwrap_or(header.size),
            mode: header.mode,
            modified: pax.modified.unwrap_or(header.modified),
        })
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), TarFault> {
    if slot.replace(value).is_some() { Err(TarFault::Repeated) } else { Ok(()) }
}

fn agreed(pax: Option<Vec<u8>>, gnu: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, TarFault> {
    match (pax, gnu) {
        (Some(pax), Some(gnu)) if pax != gnu => Err(TarFault::Contradiction),
        (pax, gnu) => Ok(pax.or(gnu)),
    }
}

/// A long name may end with one NUL; what follows a NUL is read by some programs only.
fn long_text(body: &[u8]) -> Result<Vec<u8>, TarFault> {
    let text = body.strip_suffix(&[0]).unwrap_or(body);
    if text.is_empty() || text.contains(&0) {
        return Err(TarFault::Contradiction);
    }
    Ok(text.to_vec())
}

impl Records {
    fn parse(mut body: &[u8]) -> Result<Self, TarFault> {
        let mut records = Self::default();
        while !body.is_empty() {
            let (key, value, rest) = record(body).ok_or(TarFault::Pax)?;
            records.set(key, value)?;
            body = rest;
        }
        Ok(records)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), TarFault> {
        match key {
            b"path" => once(&mut self.path, filled(value)?),
            b"linkpath" => once(&mut self.link, filled(value)?),
            b"size" => once(&mut self.size, decimal(value).ok_or(TarFault::Pax)?),
            b"mtime" => once(&mut self.modified, seconds(value).ok_or(TarFault::Pax)?),
            _ if key.starts_with(b"GNU.sparse.") => Err(TarFault::Sparse),
            _ => Ok(()),
        }
    }

    fn none_global(&self) -> Result<(), TarFault> {
        let set = [
            (self.path.is_some(), "path"),
            (self.link.is_some(), "linkpath"),
            (self.size.is_some(), "size"),
        ];
        match set.iter().find(|(set, _)| *set) {
            Some((_, what)) => Err(TarFault::Global(what)),
            None => Ok(()),
        }
    }
}

/// Takes the record `length key=value\n` from the front of `body`.
fn record(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = body.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(body.get(..space)?)?).ok()?;
    let (record, rest) = body.split_at_checked(length)?;
    let content = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = content.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (content.get(..equals)?, content.get(equals + 1..)?);
    if key.is_empty() || key.contains(&0) { None } else { Some((key, value, rest)) }
}

fn filled(value: &[u8]) -> Result<Vec<u8>, TarFault> {
    // Empty means "as in the header" to some programs and "no name" to others.
    if value.is_empty() || value.contains(&0) { Err(TarFault::Pax) } else { Ok(value.to_vec()) }
}

fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whole seconds since 1970 from `[-]digits[.digits]`, rounded down.
fn seconds(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(dot) => (text.get(..dot)?, text.get(dot + 1..)?),
        None => (text, &b""[..]),
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let whole = i64::try_from(decimal(whole)?).ok()?;
    let down = negative && fraction.iter().any(|digit| *digit != b'0');
    if negative { whole.checked_neg()?.checked_sub(i64::from(down)) } else { Some(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pax(records: &[(&str, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (key, value) in records {
            let plain = key.len() + value.len() + 3;
            let mut length = plain + plain.to_string().len();
            if length.to_string().len() > plain.to_string().len() {
                length = plain + length.to_string().len();
            }
            body.extend_from_slice(format!("{length} {key}={value}\n").as_bytes());
        }
        body
    }

    #[test]
    fn reads_the_records_that_matter() {
        let body = pax(&[("path", "a=b\nc"), ("size", "99"), ("mtime", "-1.5"), ("uid", "0")]);
        let records = Records::parse(&body).unwrap();
        assert_eq!(records.path.as_deref(), Some(&b"a=b\nc"[..]));
        assert_eq!((records.size, records.modified), (Some(99), Some(-2)));
    }

    #[test]
    fn refuses_records_with_two_meanings() {
        for (body, fault) in [
            (pax(&[("path", "a"), ("path", "a")]), TarFault::Repeated),
            (pax(&[("path", "")]), TarFault::Pax),
            (pax(&[("path", "a\0b")]), TarFault::Pax),
            (pax(&[("size", "-1")]), TarFault::Pax),
            (pax(&[("size", "+1")]), TarFault::Pax),
            (pax(&[("mtime", "1e3")]), TarFault::Pax),
            (pax(&[("GNU.sparse.major", "1")]), TarFault::Sparse),
            (b"9 path=a\n\0\0".to_vec(), TarFault::Pax),
            (b"99 path=a\n".to_vec(), TarFault::Pax),
            (b"09 path=a".to_vec(), TarFault::Pax),
            (b"3 \n".to_vec(), TarFault::Pax),
            (b" 10 path=a\n".to_vec(), TarFault::Pax),
        ] {
            assert_eq!(Records::parse(&body), Err(fault), "{:?}", String::from_utf8_lossy(&body));
        }
    }

    #[test]
    fn headers_of_one_member_agree_or_fall() {
        let add = |parts: &[(Type, &[u8])]| {
            let mut pending = Pending::default();
            parts.iter().try_for_each(|(kind, body)| pending.add(*kind, body)).map(|()| pending)
        };
        let size = pax(&[("size", "1")]);
        let path = pax(&[("path", "x")]);
        for (parts, fault) in [
            (vec![(Type::Pax, &size[..]), (Type::Pax, &path)], TarFault::Repeated),
            (vec![(Type::LongName, b"a\0"), (Type::LongName, b"a\0")], TarFault::Repeated),
            (vec![(Type::Pax, &size), (Type::LongName, b"a\0")], TarFault::Contradiction),
            (vec![(Type::LongName, b"a\0b\0")], TarFault::Contradiction),
            (vec![(Type::Pax, &size), (Type::PaxGlobal, b"")], TarFault::Pending),
            (vec![(Type::PaxGlobal, &path)], TarFault::Global("path")),
            (vec![(Type::PaxGlobal, &size)], TarFault::Global("size")),
        ] {
            assert_eq!(add(&parts).unwrap_err(), fault);
        }
        let both = add(&[(Type::Pax, &path), (Type::LongName, b"y\0")]).unwrap();
        let header = || {
            let mut layout = ::tar::Header::new_ustar();
            layout.set_size(0);
            layout.set_cksum();
            Header::parse(layout.as_bytes()).unwrap()
        };
        let Err(Stop::Fault(fault)) = both.apply(header()) else { panic!("two names") };
        assert_eq!(fault, TarFault::Contradiction);
        let same = add(&[(Type::Pax, &path), (Type::LongName, b"x\0")]).unwrap();
        assert!(same.apply(header()).is_ok_and(|member| member.raw == b"x"));
    }
}
