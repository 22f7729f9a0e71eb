//! Extra fields, in the central directory and before each member.

use super::ZipFault;
use super::central::Fields;

const ZIP64: u16 = 0x0001;
const STRONG_ENCRYPTION: u16 = 0x0017;
const TIMES: u16 = 0x5455;
const UNICODE_PATH: u16 = 0x7075;
const AES: u16 = 0x9901;

/// The extra fields that matter; of each of them there may be one.
#[derive(Debug, Default)]
pub(super) struct Extra<'a> {
    /// Sizes beyond 32 bits.
    pub(super) zip64: Option<&'a [u8]>,
    /// The time of change, in seconds since 1970.
    pub(super) modified: Option<i64>,
    unicode_path: bool,
}

impl<'a> Extra<'a> {
    /// Reads the fields in `bytes` of the member `name`.
    pub(super) fn parse(bytes: &'a [u8], name: &[u8]) -> Result<Self, ZipFault> {
        let mut extra = Self::default();
        let mut fields = Fields::new(bytes);
        while fields.left() > 0 {
            let read = (|| {
                let (id, length) = (fields.u16()?, fields.u16()?);
                Some((id, fields.bytes(length.into())?))
            })();
            let (id, value) = read.ok_or(ZipFault::Extra)?;
            match id {
                ZIP64 if extra.zip64.replace(value).is_some() => return Err(ZipFault::Zip64),
                UNICODE_PATH => {
                    let again = std::mem::replace(&mut extra.unicode_path, true);
                    if again || !is_same_name(value, name) {
                        return Err(ZipFault::UnicodePath);
                    }
                }
                TIMES => extra.modified = extra.modified.or_else(|| modified(value)),
                STRONG_ENCRYPTION | AES => return Err(ZipFault::Encrypted),
                _ => {}
            }
        }
        Ok(extra)
    }
}

/// Some programs take the name in this field, others only when its checksum of the other name is
/// right: one name is the only answer.
fn is_same_name(value: &[u8], name: &[u8]) -> bool {
    let mut fields = Fields::new(value);
    let Some(&[1]) = fields.bytes(1) else { return false };
    let mut crc = flate2::Crc::new();
    crc.update(name);
    fields.u32() == Some(crc.sum()) && fields.bytes(fields.left()) == Some(name)
}

fn modified(value: &[u8]) -> Option<i64> {
    let mut fields = Fields::new(value);
    let flags = *fields.bytes(1)?.first()?;
    if flags & 1 == 0 { None } else { fields.u32().map(|time| i64::from(time.cast_signed())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: u16, value: &[u8]) -> Vec<u8> {
        [&id.to_le_bytes()[..], &u16::try_from(value.len()).unwrap().to_le_bytes(), value].concat()
    }

    fn unicode(name: &[u8], other: &[u8]) -> Vec<u8> {
        let mut crc = flate2::Crc::new();
        crc.update(name);
        field(UNICODE_PATH, &[&[1], &crc.sum().to_le_bytes()[..], other].concat())
    }

    #[test]
    fn fields_are_read_and_doubles_refused() {
        let times = field(TIMES, &[1, 10, 0, 0, 0]);
        let good = [times, unicode(b"a", b"a"), field(0x7875, &[1])].concat();
        assert_eq!(Extra::parse(&good, b"a").unwrap().modified, Some(10));
        for (bytes, fault) in [
            (vec![0; 3], ZipFault::Extra),
            (vec![1, 2, 9, 0, 0], ZipFault::Extra),
            (unicode(b"a", b"b"), ZipFault::UnicodePath),
            (unicode(b"b", b"a"), ZipFault::UnicodePath),
            ([unicode(b"a", b"a"), unicode(b"a", b"a")].concat(), ZipFault::UnicodePath),
            ([field(ZIP64, &[]), field(ZIP64, &[])].concat(), ZipFault::Zip64),
            (field(AES, &[0; 7]), ZipFault::Encrypted),
        ] {
            assert_eq!(Extra::parse(&bytes, b"a").unwrap_err(), fault, "{bytes:?}");
        }
    }
}
