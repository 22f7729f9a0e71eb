//! The digests that a tpkg package may record of the archive in it.

use sha2::Digest;

/// An algorithm that `checksum.xml` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The algorithm of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Its name in `checksum.xml`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha224 => "SHA224",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }

    fn begin(self) -> Hash {
        match self {
            Self::Sha224 => Hash::Sha224(sha2::Sha224::new()),
            Self::Sha256 => Hash::Sha256(sha2::Sha256::new()),
            Self::Sha384 => Hash::Sha384(sha2::Sha384::new()),
            Self::Sha512 => Hash::Sha512(sha2::Sha512::new()),
        }
    }
}

enum Hash {
    Sha224(sha2::Sha224),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

/// Several digests of the same bytes.
pub(super) struct Digests(Vec<(Algorithm, Hash)>);

impl Digests {
    /// Begins the digests `wanted`; all of them, where nobody knows yet which will be asked for.
    pub(super) fn begin(wanted: Option<&[Algorithm]>) -> Self {
        let is_wanted = |one: &Algorithm| wanted.is_none_or(|wanted| wanted.contains(one));
        let all = Algorithm::ALL.into_iter().filter(is_wanted);
        Self(all.map(|one| (one, one.begin())).collect())
    }

    /// Adds `bytes`.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        for (_, hash) in &mut self.0 {
            match hash {
                Hash::Sha224(hash) => hash.update(bytes),
                Hash::Sha256(hash) => hash.update(bytes),
                Hash::Sha384(hash) => hash.update(bytes),
                Hash::Sha512(hash) => hash.update(bytes),
            }
        }
    }

    /// The digests, in lower-case hexadecimal digits.
    pub(super) fn finish(self) -> Vec<(Algorithm, String)> {
        let finished = |(algorithm, hash)| {
            let digest = match hash {
                Hash::Sha224(hash) => hex(&hash.finalize()),
                Hash::Sha256(hash) => hex(&hash.finalize()),
                Hash::Sha384(hash) => hex(&hash.finalize()),
                Hash::Sha512(hash) => hex(&hash.finalize()),
            };
            (algorithm, digest)
        };
        self.0.into_iter().map(finished).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_digests_are_those_that_everybody_computes() {
        let of = |wanted: Option<&[Algorithm]>| {
            let mut digests = Digests::begin(wanted);
            digests.update(b"a");
            digests.update(b"bc");
            digests.finish()
        };
        let starts = ["23097d22", "ba7816bf", "cb00753f", "ddaf35a1"];
        for ((algorithm, digest), start) in of(None).iter().zip(starts) {
            assert!(digest.starts_with(start), "{algorithm:?} {digest}");
            assert_eq!(Algorithm::named(algorithm.name()), Some(*algorithm));
        }
        assert_eq!(of(Some(&[Algorithm::Sha512])).len(), 1);
        assert_eq!(Algorithm::named("MD5"), None);
    }
}
