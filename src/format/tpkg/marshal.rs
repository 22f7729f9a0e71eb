//! Ruby's Marshal 4.8, as far as `file_metadata.bin` needs it: nothing, truth values, whole numbers,
//! texts, symbols, lists and hashes. What is an object of some class is refused, but for the names
//! that subclasses of hashes, texts and lists carry, which are passed over.
//!
//! Reads within limits and makes nothing of what it reads but these values.

use std::rc::Rc;

/// The deepest nesting; real files have five levels.
const DEEPEST: u32 = 32;
/// The most values: 100,000 files have less than two millions.
const MOST: u32 = 4_000_000;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    /// A text or a symbol.
    Text(Rc<[u8]>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// The value of `key` in a hash.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        let is_key =
            |found: &Value| matches!(found, Value::Text(text) if **text == *key.as_bytes());
        pairs.iter().find(|(found, _)| is_key(found)).map(|(_, value)| value)
    }

    /// The text, where it is one and UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        let Self::Text(text) = self else { return None };
        std::str::from_utf8(text).ok()
    }

    /// The items of a list.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }
}

/// Why bytes are not what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::format) enum Fault {
    #[error("is not of version 4.8 of Ruby's Marshal format")]
    Version,
    #[error("is cut off")]
    Truncated,
    #[error("is followed by further bytes")]
    Trailing,
    #[error("has a length or number that makes no sense")]
    Number,
    #[error("refers to something that is not there, or not a text")]
    Reference,
    #[error("has something in it that is neither text, number, list nor hash")]
    Kind,
    #[error("is nested too deeply or has too many values")]
    TooMuch,
}

/// Reads the one value in `bytes`.
pub(in crate::format) fn read(bytes: &[u8]) -> Result<Value, Fault> {
    let rest = match bytes {
        [4, 0..=8, rest @ ..] => rest,
        [] | [4] => return Err(Fault::Truncated),
        _ => return Err(Fault::Version),
    };
    let mut reader = Reader { rest, symbols: Vec::new(), objects: Vec::new(), values: 0, depth: 0 };
    let value = reader.value()?;
    if reader.rest.is_empty() { Ok(value) } else { Err(Fault::Trailing) }
}

struct Reader<'a> {
    rest: &'a [u8],
    symbols: Vec<Rc<[u8]>>,
    /// What may be referred to, in the order in which it began; texts alone are remembered: what
    /// repeats lists would grow without bounds.
    objects: Vec<Option<Rc<[u8]>>>,
    values: u32,
    depth: u32,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value, Fault> {
        self.values += 1;
        self.depth += 1;
        if self.values > MOST || self.depth > DEEPEST {
            return Err(Fault::TooMuch);
        }
        let value = self.tagged()?;
        self.depth -= 1;
        Ok(value)
    }

    fn tagged(&mut self) -> Result<Value, Fault> {
        match self.byte()? {
            b'0' => Ok(Value::Nil),
            b'T' => Ok(Value::Bool(true)),
            b'F' => Ok(Value::Bool(false)),
            b'i' => self.number().map(Value::Int),
            b':' => {
                let symbol: Rc<[u8]> = self.bytes()?.into();
                self.symbols.push(Rc::clone(&symbol));
                Ok(Value::Text(symbol))
            }
            b';' => {
                let at = self.length()?;
                self.symbols.get(at).cloned().map(Value::Text).ok_or(Fault::Reference)
            }
            b'@' => {
                let at = self.length()?;
                let text = self.objects.get(at).cloned().flatten();
                text.map(Value::Text).ok_or(Fault::Reference)
            }
            b'"' => {
                let text: Rc<[u8]> = self.bytes()?.into();
                self.objects.push(Some(Rc::clone(&text)));
                Ok(Value::Text(text))
            }
            b'[' => self.list(),
            b'{' => self.map(),
            b'}' => {
                let map = self.map()?;
                // What a key that is missing would give.
                self.value()?;
                Ok(map)
            }
            b'I' => {
                let value = self.value()?;
                // The encoding of a text, mostly.
                for _ in 0..self.length()? {
                    self.symbol()?;
                    self.value()?;
                }
                Ok(value)
            }
            // The name of a subclass or of an added module, and the value itself.
            b'C' | b'e' => {
                self.symbol()?;
                self.value()
            }
            _ => Err(Fault::Kind),
        }
    }

    fn list(&mut self) -> Result<Value, Fault> {
        self.objects.push(None);
        let length = self.length()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(self.value()?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self) -> Result<Value, Fault> {
        self.objects.push(None);
        let length = self.length()?;
        let mut pairs = Vec::new();
        for _ in 0..length {
            pairs.push((self.value()?, self.value()?));
        }
        Ok(Value::Map(pairs))
    }

    fn symbol(&mut self) -> Result<(), Fault> {
        match self.rest.first() {
            Some(b':' | b';') => self.value().map(drop),
            Some(_) => Err(Fault::Kind),
            None => Err(Fault::Truncated),
        }
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let (byte, rest) = self.rest.split_first().ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// A length and so many bytes.
    fn bytes(&mut self) -> Result<&[u8], Fault> {
        let length = self.length()?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A number that counts something: each of which is a byte at least.
    fn length(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.number()?).map_err(|_| Fault::Number)
    }

    /// A number in one to five bytes.
    fn number(&mut self) -> Result<i64, Fault> {
        let first = i64::from(self.byte()?.cast_signed());
        let width = match first {
            0 => return Ok(0),
            5.. => return Ok(first - 5),
            ..=-5 => return Ok(first + 5),
            width => width,
        };
        let mut value: i64 = if width < 0 { -1 } else { 0 };
        for place in 0..width.abs() {
            let shift = 8 * place;
            let byte = i64::from(self.byte()?);
            value = value & !(0xff << shift) | byte << shift;
        }
        Ok(value)
    }
}

/// Writes `value` as Ruby would, each text with its encoding.
pub(in crate::format) fn write(value: &Value) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![4, 8], encoding: false };
    writer.value(value);
    writer.bytes
}

struct Writer {
    bytes: Vec<u8>,
    /// Whether the symbol of the encoding has been written: then it is referred to.
    encoding: bool,
}

impl Writer {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Nil => self.bytes.push(b'0'),
            Value::Bool(true) => self.bytes.push(b'T'),
            Value::Bool(false) => self.bytes.push(b'F'),
            Value::Int(number) => {
                self.bytes.push(b'i');
                self.number(*number);
            }
            Value::Text(text) => {
                self.bytes.extend(b"I\"");
                self.length(text.len());
                self.bytes.extend(&**text);
                self.bytes.extend(if self.encoding { &b"\x06;\0T"[..] } else { b"\x06:\x06ET" });
                self.encoding = true;
            }
            Value::List(items) => {
                self.bytes.push(b'[');
                self.length(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Map(pairs) => {
                self.bytes.push(b'{');
                self.length(pairs.len());
                for (key, value) in pairs {
                    self.value(key);
                    self.value(value);
                }
            }
        }
    }

    fn length(&mut self, length: usize) {
        self.number(i64::try_from(length).unwrap_or(i64::MAX));
    }

    fn number(&mut self, number: i64) {
        let short = i8::try_from(match number {
            1.. => number.saturating_add(5),
            0 => 0,
            ..=-1 => number.saturating_sub(5),
        });
        if let Ok(short) = short {
            self.bytes.push(short.cast_unsigned());
            return;
        }
        // The sign fills what is left out, so that the fewest bytes that mean the number stay.
        let bytes = number.to_le_bytes();
        let fill = if number < 0 { 0xff } else { 0 };
        let width = (1..=4).find(|width| bytes.iter().skip(*width).all(|byte| *byte == fill));
        let width = width.unwrap_or(4);
        let count = i8::try_from(width).unwrap_or(4);
        self.bytes.push((if number < 0 { -count } else { count }).cast_unsigned());
        self.bytes.extend(bytes.iter().take(width));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Value {
        Value::Text(text.as_bytes().into())
    }

    #[test]
    fn reads_what_ruby_writes() {
        // {"files"=>[{"path"=>"a", "relocatable"=>true}]}, with the keys of a newer Ruby.
        let bytes = b"\x04\x08{\x06I\"\x0afiles\x06:\x06ET[\x06{\x07I\"\x09path\x06;\0TI\"\x06a\
                      \x06;\0TI\"\x10relocatable\x06;\0TT";
        let value = read(bytes).unwrap();
        let file = &value.get("files").unwrap().items()[0];
        assert_eq!(file.get("path").unwrap().text(), Some("a"));
        assert!(file.get("relocatable").unwrap().is_true());
    }

    #[test]
    fn the_class_of_the_original_s_own_records_is_passed_over() {
        let bytes =
            b"\x04\x08[\x07C:\x1eHashWithIndifferentAccess{\x06\"\x06ai\x06C;\0{\x06@\x07i\x07";
        let value = read(bytes).unwrap();
        let number = |at: usize| value.items()[at].get("a").cloned();
        assert_eq!([number(0), number(1)], [Some(Value::Int(1)), Some(Value::Int(2))]);
    }

    #[test]
    fn numbers_are_those_of_ruby() {
        for (bytes, number) in [
            (&[0][..], 0),
            (&[6], 1),
            (&[0x7f], 122),
            (&[1, 123], 123),
            (&[2, 0, 1], 256),
            (&[3, 0, 0, 1], 65536),
            (&[4, 0xff, 0xff, 0xff, 0x3f], (1 << 30) - 1),
            (&[0xfa], -1),
            (&[0x80], -123),
            (&[0xff, 0x84], -124),
            (&[0xff, 0], -256),
            (&[0xfe, 0xff, 0xfe], -257),
        ] {
            let mut all = vec![4, 8, b'i'];
            all.extend(bytes);
            assert_eq!(read(&all), Ok(Value::Int(number)), "{number}");
            assert_eq!(write(&Value::Int(number)), all, "{number}");
        }
    }

    #[test]
    fn what_is_not_what_it_says_is_refused() {
        let deep = [b"\x04\x08".to_vec(), b"[\x06".repeat(100_000)].concat();
        for (bytes, fault) in [
            (&b""[..], Fault::Truncated),
            (b"\x04\x09i\0", Fault::Version),
            (b"--- {}\n", Fault::Version),
            (b"\x04\x08", Fault::Truncated),
            (b"\x04\x08i\x06x", Fault::Trailing),
            (b"\x04\x08\"\x04\xff\xff\xff\x7fx", Fault::Truncated),
            (b"\x04\x08[\x04\xff\xff\xff\x7f", Fault::Truncated),
            (b"\x04\x08[\xfa", Fault::Number),
            (b"\x04\x08@\x06", Fault::Reference),
            (b"\x04\x08[\x06@\0", Fault::Reference),
            (b"\x04\x08;\0", Fault::Reference),
            (b"\x04\x08o:\x0bObject\0", Fault::Kind),
            (b"\x04\x08u:\x06X\x06x", Fault::Kind),
            (b"\x04\x08c\x0bSystem", Fault::Kind),
            (b"\x04\x08I\"\x06a\x06i\x06T", Fault::Kind),
            (&deep, Fault::TooMuch),
        ] {
            assert_eq!(read(bytes), Err(fault), "{:?}", &bytes[..bytes.len().min(20)]);
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|number| Value::Int(i64::from(number) / 2)),
            "[a-zé]{0,300}".prop_map(|one| text(&one)),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
                proptest::collection::vec((inner.clone(), inner), 0..8).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_value()) {
            prop_assert_eq!(read(&write(&value)).unwrap(), value);
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either = read(&[&[4, 8][..], &bytes].concat());
        }
    }
}
