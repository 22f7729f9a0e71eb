//! Randomness from the kernel.

use crate::error::FsError;

/// Returns `count` random bytes.
pub fn bytes(count: usize) -> Result<Vec<u8>, FsError> {
    let mut buffer = vec![0u8; count];
    let mut filled = 0;
    while filled < count {
        filled +=
            rustix::rand::getrandom(&mut buffer[filled..], rustix::rand::GetRandomFlags::empty())
                .map_err(|error| FsError::new("read random bytes from", "/dev/urandom", error))?;
    }
    Ok(buffer)
}

/// Returns `bytes` random bytes as lower-case hexadecimal digits.
pub fn hex(bytes: usize) -> Result<String, FsError> {
    use std::fmt::Write;
    let buffer = self::bytes(bytes)?;
    Ok(buffer.iter().fold(String::with_capacity(bytes * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Returns `count` characters of `alphabet` (ASCII, at most 256), each as likely as the others.
pub fn text(count: usize, alphabet: &[u8]) -> Result<String, FsError> {
    // Bytes from here on would make the first characters likelier.
    let fair = 256 - 256 % alphabet.len().clamp(1, 256);
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let fine = bytes(count - text.len())?.into_iter().map(usize::from).filter(|b| *b < fair);
        let pick =
            |byte: usize| alphabet.get(byte % alphabet.len().max(1)).copied().map(char::from);
        text.extend(fine.map(|byte| pick(byte).unwrap_or('0')));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_comes_and_no_other() {
        let alphabet: Vec<u8> = (b'a'..=b'z').collect();
        let drawn = text(4000, &alphabet).unwrap();
        assert_eq!(drawn.len(), 4000);
        assert!(drawn.bytes().all(|byte| alphabet.contains(&byte)));
        assert!(alphabet.iter().all(|byte| drawn.contains(char::from(*byte))));
        assert_ne!(text(40, &alphabet).unwrap(), text(40, &alphabet).unwrap());
        assert_eq!(text(3, b"x").unwrap(), "xxx");
        assert_eq!(hex(3).unwrap().len(), 6);
    }
}
