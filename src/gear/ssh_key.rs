//! Keys that let people push to a gear over ssh: lines of `authorized_keys` that allow one command
//! and nothing else.
//!
//! `sshd` gives that command to a shell, so it is made of words that mean the same to every shell,
//! or refused.

use crate::error::{Exit, Explain};
use crate::package::ident::GearName;
use std::path::Path;

/// The kinds of key that are taken.
const KINDS: [&str; 8] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-dss",
];
/// The longest key in characters: RSA of 16,384 bits has 2,800.
const LONGEST: usize = 8192;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SshKey {
    /// Its kind, as `ssh-ed25519`.
    pub kind: String,
    /// The key itself, in base 64.
    pub key: String,
    /// Whose it is, as far as it says.
    pub comment: String,
}

/// Why a key, or the way to a gear, cannot stand in `authorized_keys`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SshKeyError {
    /// It is no public key.
    #[error("that is no public key of ssh")]
    NoKey,
    /// A path has characters that a shell would act on.
    #[error("`{0}` has characters that a shell would act on")]
    Path(String),
}

impl Explain for SshKeyError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoKey => Some("a file such as `id_ed25519.pub` holds one, in one line".into()),
            Self::Path(_) => None,
        }
    }
}

impl SshKey {
    /// Reads a line of the form `KIND KEY [COMMENT]`; options before it are not taken.
    pub fn parse(line: &str) -> Result<Self, SshKeyError> {
        let mut words = line.split_whitespace();
        let (Some(kind), Some(key)) = (words.next(), words.next()) else {
            return Err(SshKeyError::NoKey);
        };
        let is_base64 = |one: char| one.is_ascii_alphanumeric() || "+/=".contains(one);
        let fits = KINDS.contains(&kind) && (16..=LONGEST).contains(&key.len());
        if !fits || !key.chars().all(is_base64) {
            return Err(SshKeyError::NoKey);
        }
        let words: Vec<&str> = words.collect();
        let comment: String =
            words.join(" ").chars().filter(|c| !c.is_control()).take(200).collect();
        Ok(Self { kind: kind.to_owned(), key: key.to_owned(), comment })
    }

    /// The line that lets whoever has the key push to the gear `name`: `program` is `cart`, and
    /// `root` what `--root` says.
    pub fn line(
        &self,
        name: &GearName,
        (program, root): (&Path, Option<&Path>),
    ) -> Result<String, SshKeyError> {
        let root = root.map(plain).transpose()?;
        let root = root.map(|root| format!(" --root {root}")).unwrap_or_default();
        let command = format!("{}{root} gear serve {name}", plain(program)?);
        let Self { kind, key, comment } = self;
        Ok(format!("restrict,command=\"{command}\" {kind} {key} {comment}").trim_end().to_owned())
    }

    /// Reads a line that [`SshKey::line`] has made: the gear that it leads to, and the key.
    pub fn of_line(line: &str) -> Option<(String, Self)> {
        let (command, rest) = line.strip_prefix("restrict,command=\"")?.split_once("\" ")?;
        let (_, name) = command.rsplit_once(" gear serve ")?;
        Some((name.to_owned(), Self::parse(rest).ok()?))
    }
}

fn plain(path: &Path) -> Result<String, SshKeyError> {
    let text = path.to_string_lossy().into_owned();
    let fits = |one: char| one.is_ascii_alphanumeric() || "/._-+:@".contains(one);
    if path.is_absolute() && text.chars().all(fits) {
        Ok(text)
    } else {
        Err(SshKeyError::Path(text.escape_debug().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ0x";

    #[test]
    fn a_line_says_which_gear_it_leads_to_and_nothing_gets_out_of_it() {
        let key = SshKey::parse(&format!(" ssh-ed25519  {KEY} ann@home \n")).unwrap();
        let name = GearName::parse("blog").unwrap();
        let at = (Path::new("/usr/bin/cart"), Some(Path::new("/srv/x")));
        let line = key.line(&name, at).unwrap();
        let expected = format!(
            "restrict,command=\"/usr/bin/cart --root /srv/x gear serve blog\" ssh-ed25519 {KEY} \
             ann@home"
        );
        assert_eq!(line, expected);
        assert_eq!(SshKey::of_line(&line), Some(("blog".into(), key.clone())));
        for bad in ["/srv/a b", "/srv/$(x)", "/srv/\"", "srv", "/srv/'"] {
            assert!(key.line(&name, (Path::new("/c"), Some(Path::new(bad)))).is_err(), "{bad}");
        }
        for bad in [
            String::new(),
            "ssh-ed25519".into(),
            format!("command=\"x\" ssh-ed25519 {KEY}"),
            format!("ssh-ed25519 {KEY}\"; x"),
            format!("no-kind {KEY}"),
        ] {
            assert_eq!(SshKey::parse(&bad), Err(SshKeyError::NoKey), "{bad}");
        }
        assert_eq!(SshKey::of_line(&format!("ssh-ed25519 {KEY}")), None);
    }
}
