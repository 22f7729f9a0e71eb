//! Encrypted files, in the layout of `openssl enc`: `Salted__`, eight bytes of salt, and blocks of
//! a cipher in CBC mode, the key made of passphrase and salt by one round of MD5.
//!
//! That is what tpkg packages have, and weak by the measure of today: it keeps a file from those
//! who find it, not from those who want it. A wrong passphrase is told by the padding, and, where
//! the package publishes the digest of the plain file, by that, so that garbage is never taken for
//! a file. Nothing here keeps a passphrase.

use crate::error::{Exit, Explain};
use crate::package::digest::Sha256;
use crate::package::tpkg::{Cipher, Encryption};
use cbc::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt};
use cbc::cipher::{BlockModeEncrypt, KeyInit, KeyIvInit};
use sha2::Digest;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

/// How every encrypted file begins.
const MAGIC: &[u8] = b"Salted__";
/// The length of the salt, in bytes.
const SALT: usize = 8;
/// How many bytes are read at a time: a multiple of every cipher's block.
const PIECE: usize = 64 << 10;

/// A passphrase. It cannot be printed, nor written down by any of the usual ways.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

impl Passphrase {
    /// Takes `text` as it is; it may not be empty.
    pub fn new(text: String) -> Option<Self> {
        if text.is_empty() { None } else { Some(Self(text)) }
    }

    /// The passphrase itself, for another cipher than those of this module.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A salt for the file `path` with the plain digest `plain`: always the same for the same file,
    /// so that a package is built twice with the same bytes, and another one for every other file.
    pub(super) fn salt(&self, path: &str, plain: &Sha256) -> [u8; SALT] {
        let mut hash = sha2::Sha256::new();
        for part in
            [&b"the salt of a file in a tpkg package"[..], self.0.as_bytes(), path.as_bytes()]
        {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(plain.0);
        let digest = hash.finalize();
        let mut salt = [0; SALT];
        salt.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
        salt
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Why a file could not be decrypted.
#[derive(Debug, thiserror::Error)]
pub enum CryptError {
    /// It does not begin as every encrypted file does.
    #[error("it is not encrypted as `openssl enc` does it")]
    NotEncrypted,
    /// Padding or digest are not what the right passphrase gives.
    #[error("the passphrase is wrong, or the encrypted file is damaged")]
    WrongPassphrase,
    /// The encrypted file cannot be read, or the plain one, when one is made.
    #[error("cannot read")]
    Read(#[source] io::Error),
    /// What came out cannot be written.
    #[error("cannot write")]
    Write(#[source] io::Error),
}

impl Explain for CryptError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotEncrypted => Exit::Integrity,
            Self::WrongPassphrase => Exit::Refused,
            Self::Read(_) | Self::Write(_) => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotEncrypted => {
                Some("encrypt it with `openssl enc -aes-256-cbc -md md5 -salt`".into())
            }
            Self::WrongPassphrase => Some(
                "check the passphrase; a file that its author encrypted himself needs `-md md5` \
                 with `openssl enc`"
                    .into(),
            ),
            Self::Read(_) | Self::Write(_) => None,
        }
    }
}

/// Tells whether `head` begins as every encrypted file does.
pub fn is_encrypted(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Decrypts `packed` to `plain` and gives the digest of what came out. What `plain` got before an
/// error is worth nothing.
pub fn decrypt(
    encryption: &Encryption,
    passphrase: &Passphrase,
    packed: &mut dyn Read,
    plain: &mut dyn Write,
) -> Result<Sha256, CryptError> {
    let mut head = [0; MAGIC.len() + SALT];
    if fill(packed, &mut head)? < head.len() || !is_encrypted(&head) {
        return Err(CryptError::NotEncrypted);
    }
    let salt = head.get(MAGIC.len()..).unwrap_or_default();
    let (key, iv) = key_and_iv(encryption.cipher, passphrase, salt);
    let mut output = Output { to: plain, hash: sha2::Sha256::new() };
    match encryption.cipher {
        Cipher::Aes128Cbc => open::<aes::Aes128>((&key, &iv), packed, &mut output),
        Cipher::Aes192Cbc => open::<aes::Aes192>((&key, &iv), packed, &mut output),
        Cipher::Aes256Cbc => open::<aes::Aes256>((&key, &iv), packed, &mut output),
        Cipher::DesEde3Cbc => open::<des::TdesEde3>((&key, &iv), packed, &mut output),
    }?;
    let digest = Sha256(output.hash.finalize().into());
    if encryption.plain.is_some_and(|expected| expected != digest) {
        return Err(CryptError::WrongPassphrase);
    }
    Ok(digest)
}

/// Encrypts `plain` to `packed` with the salt `salt`. An empty file stays without blocks, as in the
/// original.
pub(super) fn encrypt(
    (cipher, passphrase): (Cipher, &Passphrase),
    salt: [u8; SALT],
    plain: &mut dyn Read,
    packed: &mut dyn Write,
) -> Result<(), CryptError> {
    packed.write_all(MAGIC).map_err(CryptError::Write)?;
    packed.write_all(&salt).map_err(CryptError::Write)?;
    let (key, iv) = key_and_iv(cipher, passphrase, &salt);
    match cipher {
        Cipher::Aes128Cbc => seal::<aes::Aes128>((&key, &iv), plain, packed),
        Cipher::Aes192Cbc => seal::<aes::Aes192>((&key, &iv), plain, packed),
        Cipher::Aes256Cbc => seal::<aes::Aes256>((&key, &iv), plain, packed),
        Cipher::DesEde3Cbc => seal::<des::TdesEde3>((&key, &iv), plain, packed),
    }
}

/// The lengths of key and block, in bytes.
fn lengths(cipher: Cipher) -> (usize, usize) {
    match cipher {
        Cipher::Aes128Cbc => (16, 16),
        Cipher::Aes192Cbc => (24, 16),
        Cipher::Aes256Cbc => (32, 16),
        Cipher::DesEde3Cbc => (24, 8),
    }
}

/// `EVP_BytesToKey` of OpenSSL with MD5 and one round.
fn key_and_iv(cipher: Cipher, passphrase: &Passphrase, salt: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (key, block) = lengths(cipher);
    let mut made: Vec<u8> = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    while made.len() < key + block {
        let mut hash = md5::Md5::new();
        hash.update(&last);
        hash.update(passphrase.0.as_bytes());
        hash.update(salt);
        last = hash.finalize().to_vec();
        made.extend_from_slice(&last);
    }
    made.truncate(key + block);
    let iv = made.split_off(key);
    (made, iv)
}

struct Output<'a> {
    to: &'a mut dyn Write,
    hash: sha2::Sha256,
}

impl Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), CryptError> {
        self.hash.update(bytes);
        self.to.write_all(bytes).map_err(CryptError::Write)
    }
}

fn open<C: BlockCipherDecrypt + KeyInit>(
    (key, iv): (&[u8], &[u8]),
    packed: &mut dyn Read,
    output: &mut Output<'_>,
) -> Result<(), CryptError> {
    // Both lengths are those of the cipher.
    let mut mode =
        cbc::Decryptor::<C>::new_from_slices(key, iv).map_err(|_| CryptError::WrongPassphrase)?;
    let block = iv.len();
    let mut piece = vec![0; PIECE];
    // The last block has the padding, so one is always held back.
    let mut held: Vec<u8> = Vec::new();
    loop {
        let length = fill(packed, &mut piece)?;
        let bytes = piece.get_mut(..length).unwrap_or_default();
        if bytes.len() % block != 0 {
            return Err(CryptError::WrongPassphrase);
        }
        if bytes.is_empty() {
            break;
        }
        output.write(&held)?;
        for one in bytes.chunks_exact_mut(block) {
            let one = <&mut Array<u8, C::BlockSize>>::try_from(one)
                .map_err(|_| CryptError::WrongPassphrase)?;
            mode.decrypt_block(one);
        }
        let (before, last) = bytes.split_at(bytes.len() - block);
        output.write(before)?;
        held = last.to_vec();
    }
    // Nothing after the salt: an empty file.
    let Some(count) = held.last().copied() else { return Ok(()) };
    let kept = block.checked_sub(usize::from(count)).filter(|kept| *kept < block);
    let (content, padding) = held.split_at(kept.ok_or(CryptError::WrongPassphrase)?);
    if padding.iter().any(|byte| *byte != count) {
        return Err(CryptError::WrongPassphrase);
    }
    output.write(content)
}

fn seal<C: BlockCipherEncrypt + KeyInit>(
    (key, iv): (&[u8], &[u8]),
    plain: &mut dyn Read,
    packed: &mut dyn Write,
) -> Result<(), CryptError> {
    let mut mode =
        cbc::Encryptor::<C>::new_from_slices(key, iv).map_err(|_| CryptError::WrongPassphrase)?;
    let block = iv.len();
    let mut piece = vec![0; PIECE];
    let mut any = false;
    loop {
        let length = fill(plain, &mut piece)?;
        let last = length < PIECE;
        let mut bytes = piece.get(..length).unwrap_or_default().to_vec();
        any |= length > 0;
        if last && any {
            let count = block - length % block;
            bytes.resize(length + count, u8::try_from(count).unwrap_or_default());
        }
        for one in bytes.chunks_exact_mut(block) {
            let one = <&mut Array<u8, C::BlockSize>>::try_from(one)
                .map_err(|_| CryptError::WrongPassphrase)?;
            mode.encrypt_block(one);
        }
        packed.write_all(&bytes).map_err(CryptError::Write)?;
        if last {
            return Ok(());
        }
    }
}

/// Reads until `room` is full or the bytes end; returns how many there were.
fn fill(from: &mut dyn Read, room: &mut [u8]) -> Result<usize, CryptError> {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(CryptError::Read(error)),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.into()).unwrap()
    }

    fn sealed(cipher: Cipher, text: &str, plain: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let with = passphrase(text);
        encrypt((cipher, &with), [7; SALT], &mut &*plain, &mut packed).unwrap();
        packed
    }

    fn opened(how: &Encryption, text: &str, packed: &[u8]) -> Result<Vec<u8>, CryptError> {
        let mut plain = Vec::new();
        let digest = decrypt(how, &passphrase(text), &mut &*packed, &mut plain)?;
        assert_eq!(digest.0, <[u8; 32]>::from(sha2::Sha256::digest(&plain)));
        Ok(plain)
    }

    fn how(cipher: Cipher, plain: Option<&[u8]>) -> Encryption {
        let plain = plain.map(|plain| Sha256(sha2::Sha256::digest(plain).into()));
        Encryption { cipher, precrypt: false, plain }
    }

    #[test]
    fn what_was_encrypted_comes_back_in_every_length_and_cipher() {
        for cipher in Cipher::ALL {
            for length in [0, 1, 7, 8, 15, 16, 17, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
                let plain: Vec<u8> = (0..251).cycle().take(length).collect();
                let packed = sealed(cipher, "secret", &plain);
                let how = how(cipher, Some(&plain));
                assert!(opened(&how, "secret", &packed).unwrap() == plain, "{cipher:?} {length}");
            }
        }
    }

    #[test]
    fn an_empty_file_is_a_header_alone() {
        assert_eq!(sealed(Cipher::default(), "x", b"").len(), 16);
    }

    /// Made by `openssl enc -aes-256-cbc -md md5 -S 0707070707070707 -pass pass:password`.
    #[test]
    fn openssl_and_we_make_the_same_bytes() {
        let packed = sealed(Cipher::Aes256Cbc, "password", b"hello\n");
        let hex: Vec<String> = packed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex.concat(),
            "53616c7465645f5f070707070707070789e609263198d9892382d03b673f5daf"
        );
    }

    #[test]
    fn a_wrong_passphrase_is_told_by_the_digest_where_the_padding_happens_to_fit() {
        let packed = sealed(Cipher::Aes256Cbc, "right", b"some text");
        let (mut fits, blind, sees) =
            (None, how(Cipher::Aes256Cbc, None), how(Cipher::Aes256Cbc, Some(b"some text")));
        for guess in 0..3000 {
            let guess = format!("wrong{guess}");
            assert!(matches!(opened(&sees, &guess, &packed), Err(CryptError::WrongPassphrase)));
            if opened(&blind, &guess, &packed).is_ok() {
                fits = Some(guess);
                break;
            }
        }
        assert!(fits.is_some(), "one in 256 fits by chance");
        assert_eq!(opened(&sees, "right", &packed).unwrap(), b"some text");
    }

    #[test]
    fn what_is_damaged_or_not_encrypted_is_refused() {
        let packed = sealed(Cipher::Aes256Cbc, "x", b"some text");
        let how = how(Cipher::Aes256Cbc, Some(b"some text"));
        for cut in 0..packed.len() {
            assert!(opened(&how, "x", &packed[..cut]).is_err(), "{cut}");
        }
        for bytes in [&b""[..], b"Salted__", b"no salt at all, but long enough"] {
            assert!(matches!(opened(&how, "x", bytes), Err(CryptError::NotEncrypted)));
        }
    }

    #[test]
    fn a_salt_is_of_its_file_and_passphrase_and_a_passphrase_is_not_shown() {
        let (digest, other) = (Sha256([1; 32]), Sha256([2; 32]));
        let salt = passphrase("x").salt("a", &digest);
        assert_eq!(salt, passphrase("x").salt("a", &digest));
        assert_ne!(salt, passphrase("x").salt("b", &digest));
        assert_ne!(salt, passphrase("xa").salt("", &digest));
        assert_ne!(salt, passphrase("x").salt("a", &other));
        assert_eq!(format!("{:?}", passphrase("geheim")), "Passphrase(…)");
        assert!(Passphrase::new(String::new()).is_none());
    }
}
