//! Archives that leave the host, encrypted in the format of `age`: with a passphrase, or for whoever has
//! a key. What comes out of one has been found unchanged, piece by piece, before anybody sees it; one
//! that was cut off ends with an error.

use crate::error::{Exit, Explain};
use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{Decryptor, Encryptor, Identity, Recipient, scrypt, x25519};
use std::io::{self, BufRead, Read, Write};

/// How encrypted files begin.
const BEGINNINGS: [&[u8]; 2] = [b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----"];
/// How much work a passphrase makes, as a power of two: `age`'s own measure for a second.
const WORK: u8 = 18;
/// The most that is done for a file that somebody gives: 1 GiB of memory.
const MOST_WORK: u8 = 20;

/// What an archive is encrypted with.
pub enum Lock {
    /// A passphrase.
    Passphrase(SecretString),
    /// Public keys.
    Keys(Vec<x25519::Recipient>),
}

/// What an archive is decrypted with.
pub enum Key {
    /// A passphrase.
    Passphrase(SecretString),
    /// Secret keys.
    Keys(Vec<x25519::Identity>),
}

/// Why something cannot be encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// That is no public key.
    #[error("`{}` is no public key of age", .0.escape_debug())]
    Recipient(String),
    /// There is no secret key where one should be.
    #[error("there is no secret key of age in the file of keys")]
    Identity,
    /// It cannot be encrypted.
    #[error("cannot encrypt: {0}")]
    Encrypt(String),
    /// It cannot be decrypted.
    #[error("cannot decrypt: {0}")]
    Decrypt(String),
    /// None of the keys fits.
    #[error("this is encrypted for somebody else: none of the keys fits")]
    NoKey,
    /// The passphrase is wrong.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
}

impl Explain for SealError {
    fn exit(&self) -> Exit {
        match self {
            Self::Recipient(_) | Self::Identity => Exit::Usage,
            Self::Encrypt(_) => Exit::Failed,
            Self::Decrypt(_) => Exit::Integrity,
            Self::NoKey | Self::WrongPassphrase => Exit::Refused,
        }
    }
    fn hint(&self) -> Option<String> {
        match self {
            Self::Recipient(_) => Some("such a key begins with `age1`".into()),
            Self::Identity => Some("such a key begins with `AGE-SECRET-KEY-1`".into()),
            _ => None,
        }
    }
}

impl Lock {
    /// The lock to which these public keys belong.
    pub fn of_keys(texts: &[String]) -> Result<Self, SealError> {
        let key = |text: &String| {
            let short: String = text.chars().take(100).collect();
            text.trim().parse().map_err(|_| SealError::Recipient(short))
        };
        texts.iter().map(key).collect::<Result<_, _>>().map(Self::Keys)
    }

    /// Encrypts what `write` writes, and writes it to `to`.
    pub fn seal<W: Write>(
        &self,
        to: W,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<W, SealError> {
        let fail = |error: &dyn std::fmt::Display| SealError::Encrypt(plain(error));
        let all: Vec<Box<dyn Recipient>> = match self {
            Self::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK);
                vec![Box::new(recipient)]
            }
            Self::Keys(keys) => {
                keys.iter().map(|key| Box::new(key.clone()) as Box<dyn Recipient>).collect()
            }
        };
        let encryptor = Encryptor::with_recipients(all.iter().map(|one| &**one));
        let encryptor = encryptor.map_err(|error| fail(&error))?;
        let mut sealed = encryptor.wrap_output(to).map_err(|error| fail(&error))?;
        write(&mut sealed).and_then(|()| sealed.finish()).map_err(|error| fail(&error))
    }
}

/// Tells whether something that begins with these bytes is encrypted.
pub fn is_sealed(head: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| head.starts_with(beginning))
}

impl Key {
    /// The secret keys in the text of a file of them, with its comments.
    pub fn of_keys(text: &str) -> Result<Self, SealError> {
        let lines = text.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Result<Vec<_>, _> = keys.map(str::parse).collect();
        match keys {
            Ok(keys) if !keys.is_empty() => Ok(Self::Keys(keys)),
            _ => Err(SealError::Identity),
        }
    }
}

/// Decrypts `sealed`; `key` is asked for what opens it, and told whether that is a passphrase.
pub fn open<'a, E: From<SealError>>(
    sealed: impl BufRead + Send + 'a,
    key: impl FnOnce(bool) -> Result<Key, E>,
) -> Result<impl Read + Send + 'a, E> {
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed))
        .map_err(|error| SealError::Decrypt(plain(&error)))?;
    let has_passphrase = decryptor.is_scrypt();
    let all: Vec<Box<dyn Identity>> = match key(has_passphrase)? {
        Key::Passphrase(passphrase) => {
            let mut identity = scrypt::Identity::new(passphrase);
            identity.set_max_work_factor(MOST_WORK);
            vec![Box::new(identity)]
        }
        Key::Keys(keys) => keys.into_iter().map(|key| Box::new(key) as Box<dyn Identity>).collect(),
    };
    let opened = decryptor.decrypt(all.iter().map(|one| &**one));
    Ok(opened.map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => SealError::NoKey,
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed
            if has_passphrase =>
        {
            SealError::WrongPassphrase
        }
        error => SealError::Decrypt(plain(&error)),
    })?)
}

/// What the library says, in one line: it puts marks around names, for right-to-left texts.
fn plain(error: &dyn std::fmt::Display) -> String {
    let text: String =
        error.to_string().chars().filter(|c| !('\u{2066}'..='\u{2069}').contains(c)).collect();
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(lock: &Lock, bytes: &[u8]) -> Vec<u8> {
        lock.seal(Vec::new(), &mut |to| to.write_all(bytes)).unwrap()
    }

    fn opened(sealed: &[u8], key: Key) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut reader =
            open(sealed, |_| Ok::<_, SealError>(key)).map_err(|error| error.to_string())?;
        reader.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    #[test]
    fn what_is_encrypted_for_a_key_is_read_with_it_alone_and_whole_alone() {
        let (mine, other) = (x25519::Identity::generate(), x25519::Identity::generate());
        let lock = Lock::of_keys(&[mine.to_public().to_string()]).unwrap();
        let text = vec![7; 200_000];
        let bytes = sealed(&lock, &text);
        assert!(is_sealed(&bytes) && !is_sealed(b"\x1f\x8b") && !is_sealed(b""));
        let key = || Key::Keys(vec![mine.clone()]);
        assert_eq!(opened(&bytes, key()).unwrap(), text);
        assert!(opened(&bytes, Key::Keys(vec![other])).unwrap_err().contains("somebody else"));
        assert!(opened(&bytes[..bytes.len() - 1], key()).is_err());
        assert!(opened(&bytes[..100_000], key()).is_err());
        let mut changed = bytes.clone();
        changed[150_000] ^= 1;
        assert!(opened(&changed, key()).is_err());
        assert!(opened(b"age-encryption.org/v1\nnonsense", key()).is_err());
    }

    #[test]
    fn what_is_encrypted_with_a_passphrase_is_read_with_it_alone() {
        let lock = Lock::Passphrase("correct horse".into());
        let bytes = sealed(&lock, b"text");
        assert_eq!(opened(&bytes, Key::Passphrase("correct horse".into())).unwrap(), b"text");
        let wrong = opened(&bytes, Key::Passphrase("battery staple".into())).unwrap_err();
        assert_eq!(wrong, "the passphrase is wrong");
    }

    #[test]
    fn keys_are_read_from_files_with_comments_and_nothing_else_is() {
        use age::secrecy::ExposeSecret;
        let key = x25519::Identity::generate();
        let text = format!("# made today\n\n{}\n", key.to_string().expose_secret());
        assert!(matches!(Key::of_keys(&text), Ok(Key::Keys(keys)) if keys.len() == 1));
        assert!(Key::of_keys("# nothing\n").is_err() && Key::of_keys("x").is_err());
        assert!(Lock::of_keys(&["age1x".to_owned()]).is_err());
    }
}
