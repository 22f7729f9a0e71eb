//! Base64 as mail has it: what Perl's `MIME::Base64` writes and reads.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The length of a line.
const LINE: usize = 76;

fn engine() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config)
}

/// Encodes `bytes` in lines of 76 characters, each with a line break; nothing for nothing.
pub fn encode(bytes: &[u8]) -> String {
    let all = engine().encode(bytes);
    let mut lines = String::with_capacity(all.len() + all.len() / LINE + 1);
    let mut rest = all.as_str();
    while let Some((line, more)) = rest.split_at_checked(LINE).filter(|(line, _)| !line.is_empty())
    {
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    if !rest.is_empty() {
        lines.push_str(rest);
        lines.push('\n');
    }
    lines
}

/// Decodes `text`, ignoring what is not of the alphabet and all that follows the first `=`.
pub fn decode(text: &[u8]) -> Vec<u8> {
    let own = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let head = text.iter().copied().take_while(|byte| *byte != b'=');
    let mut digits: Vec<u8> = head.filter(own).collect();
    if digits.len() % 4 == 1 {
        // A single digit is no byte.
        digits.pop();
    }
    engine().decode(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_mail() {
        assert_eq!(encode(b""), "");
        assert_eq!(encode(b"ab"), "YWI=\n");
        assert_eq!(encode(&[0; 57]), format!("{}\n", "A".repeat(76)));
        assert_eq!(encode(&[0; 60]), format!("{}\nAAAA\n", "A".repeat(76)));
    }

    #[test]
    fn decoding_forgives_and_inverts_encoding() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(encode(&bytes).as_bytes()), bytes);
        assert_eq!(decode(b"Y W\nI"), b"ab");
        assert_eq!(decode(b"YWI=YWI="), b"ab");
        assert_eq!(decode(b"YWJjZ"), b"abc");
        assert_eq!(decode(b"=="), b"");
    }
}
