//! Variables as files: a user's in `.env/user_vars`, the platform's in `.env`; and which names and
//! values they may have (node specification, 3.4).

use super::files;
use crate::error::{Exit, Explain, FsError};
use crate::package::ident::EnvName;
use crate::sys::fs::{Dir, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The user variable that may replace a platform's.
pub const SECRET: &str = "OPENSHIFT_SECRET_TOKEN";
/// The longest name.
const LONGEST_NAME: usize = 128;
/// The longest value of a user's variable, in bytes.
const LONGEST_USER_VALUE: usize = 512;
/// The longest value of a variable of the whole domain, which every program of every gear carries.
const LONGEST_DOMAIN_VALUE: usize = 8 << 10;
/// The longest value of the platform's: what the loader takes.
const LONGEST_VALUE: usize = (128 << 10) - 256;
/// The bytes that all variables of the domain may have together.
pub const MOST_OF_DOMAIN: usize = 128 << 10;

/// Names that no user variable has.
const NEVER_THE_USERS: [&str; 8] = [
    "OPENSHIFT_PRIMARY_CARTRIDGE_DIR",
    "OPENSHIFT_NAMESPACE",
    "PATH",
    "IFS",
    "USER",
    "SHELL",
    "HOSTNAME",
    "LOGNAME",
];

/// Names that no variable of the domain has besides: with them, one gear could make another run
/// something, or lose its way.
const NEVER_THE_DOMAINS: [&str; 11] = [
    "BASH_ENV",
    "BASHOPTS",
    "ENV",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "HOME",
    "PROMPT_COMMAND",
    "PS4",
    "PWD",
    "SHELLOPTS",
    "TMPDIR",
];

/// Tells whether no user's variable may be called `name`, whatever the gear has.
pub fn never_the_users(name: &str) -> bool {
    let identity = name.starts_with("OPENSHIFT_") && name.ends_with("_IDENT");
    identity || NEVER_THE_USERS.contains(&name)
}

/// Where a variable of a gear stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// `.env/user_vars`: what users set.
    User,
    /// `.env`: what the platform says.
    Platform,
}

impl Place {
    /// The folder, below the gear's home.
    pub fn folder(self) -> &'static str {
        match self {
            Self::User => ".env/user_vars",
            Self::Platform => ".env",
        }
    }

    /// The place whose folder this is.
    pub fn of(folder: &str) -> Option<Self> {
        [Self::User, Self::Platform].into_iter().find(|place| place.folder() == folder)
    }

    fn mode(self) -> u32 {
        match self {
            Self::User => 0o440,
            Self::Platform => 0o644,
        }
    }

    /// The path of the variable `name`, below the gear's home.
    pub fn path(self, name: &EnvName) -> String {
        format!("{}/{name}", self.folder())
    }
}

/// A variable that cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// There are as many as there may be.
    #[error("a gear has at most {limit} variables of its users, and `{}` would be one more", .name.escape_debug())]
    TooMany {
        /// The name that is one too many.
        name: String,
        /// How many there may be.
        limit: usize,
    },
    /// The name is the platform's.
    #[error("`{}` cannot be overridden", .0.escape_debug())]
    Reserved(String),
    /// The name is too long.
    #[error("the name `{}…` is longer than {LONGEST_NAME} bytes", .0.chars().take(40).collect::<String>().escape_debug())]
    LongName(String),
    /// The value is too long.
    #[error("the value of `{}` is longer than {limit} bytes", .name.escape_debug())]
    LongValue {
        /// The variable.
        name: String,
        /// The most bytes.
        limit: usize,
    },
    /// The value holds a NUL.
    #[error("the value of `{}` holds a NUL", .0.escape_debug())]
    Nul(String),
    /// The name is no name.
    #[error("`{}` is no name for a variable", .0.escape_debug())]
    Name(String),
    /// All variables of the domain together would be too long.
    #[error("with `{}`, all variables of the domain would be longer than {MOST_OF_DOMAIN} bytes", .0.escape_debug())]
    FullDomain(String),
}

impl Explain for VariableError {
    fn exit(&self) -> Exit {
        match self {
            Self::TooMany { .. } | Self::Reserved(_) | Self::FullDomain(_) => Exit::Refused,
            _ => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::TooMany { .. } => "unset one of them first: `cart gear env unset`",
                Self::Reserved(_) => {
                    "choose another name; `cart gear env list --platform` shows the platform's"
                }
                Self::LongValue { .. } => "put it into a file in the gear, and its path here",
                Self::Name(_) => "letters, digits and `_`, not beginning with a digit",
                Self::FullDomain(_) => "unset what is not needed: `cart env list`",
                Self::LongName(_) | Self::Nul(_) => return None,
            }
            .into(),
        )
    }
}

/// What a gear has already, for [`check_user`].
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    /// The names of its users' variables.
    pub users: &'a BTreeSet<String>,
    /// The names in `.env`, and those of the domain.
    pub platform: &'a BTreeSet<String>,
    /// How many variables users may have.
    pub limit: usize,
}

/// Checks what users want to set, in the original's order: number, name, lengths, NULs. Nothing may
/// be written before all of it is checked.
pub fn check_user(wanted: &[(String, String)], taken: Taken<'_>) -> Result<(), VariableError> {
    let mut users = taken.users.clone();
    for (name, _) in wanted {
        if users.insert(name.clone()) && users.len() > taken.limit {
            return Err(VariableError::TooMany { name: name.clone(), limit: taken.limit });
        }
    }
    let is_platforms = |name: &String| taken.platform.contains(name) && name != SECRET;
    if let Some((name, _)) =
        wanted.iter().find(|(name, _)| is_platforms(name) || never_the_users(name))
    {
        return Err(VariableError::Reserved(name.clone()));
    }
    wanted.iter().try_for_each(|(name, value)| check_lengths(name, value, LONGEST_USER_VALUE))
}

/// Checks what the administrator puts into `.env`.
pub fn check_platform(name: &str, value: &str) -> Result<(), VariableError> {
    check_lengths(name, value, LONGEST_VALUE)
}

/// Checks a variable that is to reach every gear. `LD_LIBRARY_PATH` and its kin are none: what one
/// gear says must not make another load something.
pub fn check_domain(name: &str, value: &str) -> Result<(), VariableError> {
    let starts = ["LD_", "CART_"].iter().any(|start| name.starts_with(start));
    if never_the_users(name) || starts || NEVER_THE_DOMAINS.contains(&name) {
        return Err(VariableError::Reserved(name.to_owned()));
    }
    check_lengths(name, value, LONGEST_DOMAIN_VALUE)
}

fn check_lengths(name: &str, value: &str, limit: usize) -> Result<(), VariableError> {
    if name.len() > LONGEST_NAME {
        return Err(VariableError::LongName(name.to_owned()));
    }
    if value.len() > limit {
        return Err(VariableError::LongValue { name: name.to_owned(), limit });
    }
    if value.contains('\0') {
        return Err(VariableError::Nul(name.to_owned()));
    }
    match EnvName::parse(name) {
        Ok(_) => Ok(()),
        Err(_) => Err(VariableError::Name(name.to_owned())),
    }
}

/// The content of the variable's file, to the byte; nothing when there is none, or something that
/// is no file.
pub fn read(home: &Dir, place: Place, name: &EnvName) -> Result<Option<OsString>, FsError> {
    let path = place.path(name);
    match home.meta(&path)? {
        Some(meta) if meta.kind == Kind::File => {
            Ok(Some(OsString::from_vec(home.read(&path, LONGEST_VALUE as u64)?)))
        }
        _ => Ok(None),
    }
}

/// Writes the variable's file in one rename.
pub fn write(home: &Dir, place: Place, name: &EnvName, value: &OsString) -> Result<(), FsError> {
    files::put(home, &place.path(name), value.as_bytes(), place.mode())
}

/// Removes the variable's file, and what a writing that was cut off has left of it. A folder that
/// the gear has put there stays: it is no variable.
pub fn remove(home: &Dir, place: Place, name: &EnvName) -> Result<(), FsError> {
    let path = place.path(name);
    for path in [format!("{path}.cart-new"), path] {
        if home.meta(&path)?.is_some_and(|meta| meta.kind != Kind::Directory) {
            home.remove_file(path)?;
        }
    }
    Ok(())
}

/// What stands in the way of writing the variable: something that is no file where its file is to
/// be, or beside it, where it is written first.
pub fn obstacle(home: &Dir, place: Place, name: &EnvName) -> Result<Option<String>, FsError> {
    let path = place.path(name);
    let is_file = |path: &str| -> Result<bool, FsError> {
        Ok(home.meta(path)?.is_none_or(|meta| meta.kind == Kind::File))
    };
    let beside = format!("{path}.cart-new");
    Ok(if !is_file(&path)? {
        Some(path)
    } else if !is_file(&beside)? {
        Some(beside)
    } else {
        None
    })
}

/// The variables in the folder of `place`, as they are in the files. Names that are none, and what
/// cannot be read, are left out: `cart gear exec` tells of them.
pub fn list(home: &Dir, place: Place) -> Result<BTreeMap<EnvName, OsString>, FsError> {
    let mut found = BTreeMap::new();
    for name in home.dir(place.folder())?.names()? {
        let Some(name) = name.to_str().and_then(|name| EnvName::parse(name).ok()) else { continue };
        if let Ok(Some(value)) = read(home, place, &name) {
            found.insert(name, value);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
