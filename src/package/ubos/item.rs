//! What a package makes at a role, and what it runs there.

use super::name::{Bucket, ItemName};

/// One thing that is made when a package is deployed and unmade when it leaves.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Item {
    /// What is made.
    pub kind: ItemKind,
    /// Under which name its data are kept in backups and over redeployments; nothing when they are
    /// given up.
    pub keep: Option<Bucket>,
}

/// The types of items (UBOS specification, 1.3).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// Files, each with the same content.
    File {
        /// Where.
        names: Names,
        /// What is in them.
        content: Source,
        /// Their mode.
        mode: Mode,
        /// Whose they are.
        owner: Option<Owner>,
    },
    /// Empty directories.
    Directory {
        /// Where.
        names: Names,
        /// The mode of directories.
        mode: Mode,
        /// The mode of files that come back from a backup.
        file_mode: Option<Mode>,
        /// Whose they are.
        owner: Option<Owner>,
    },
    /// Copies of a directory of the package, or of a single file.
    Tree {
        /// Where.
        names: Names,
        /// What is copied.
        source: ItemPath,
        /// The mode of directories.
        mode: Mode,
        /// The mode of files.
        file_mode: Mode,
        /// Whose they are.
        owner: Option<Owner>,
    },
    /// Symbolic links.
    Symlink {
        /// Where.
        names: Names,
        /// Where they lead.
        source: ItemPath,
        /// Whose they are.
        owner: Option<Owner>,
    },
    /// A program or a Perl script, run with the operation.
    Script(Script),
    /// A database.
    Database {
        /// What the manifest calls it.
        name: ItemName,
        /// What the app may do there, as SQL has it.
        privileges: String,
        /// The character set; the server's where nothing is said.
        charset: Option<String>,
        /// The collation; the server's where nothing is said.
        collate: Option<String>,
    },
    /// A free port.
    Port {
        /// Of which kind.
        protocol: Protocol,
        /// What the manifest calls it.
        name: ItemName,
    },
    /// A unit of systemd, enabled and started.
    Unit {
        /// Of which kind.
        kind: UnitKind,
        /// Its name without the ending; may have variables.
        name: String,
        /// When it is started.
        phase: UnitPhase,
    },
    /// Statements, run as the database's administrator.
    Sql(Sql),
}

/// A program that is run with an operation.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Script {
    /// Who runs it.
    pub runner: Runner,
    /// Where it lies.
    pub source: ItemPath,
}

/// Statements of SQL.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sql {
    /// In which database, by its name in the manifest.
    pub database: ItemName,
    /// What is run.
    pub content: Source,
    /// What ends a statement: `;`, `|` or `$`.
    pub delimiter: char,
}

/// An installer, upgrader or uninstaller.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Task {
    /// What is run.
    pub run: Run,
    /// When.
    pub phase: TaskPhase,
}

/// What an installer, upgrader or uninstaller runs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// A program or a Perl script.
    Script(Script),
    /// Statements of SQL.
    Sql(Sql),
}

/// Who runs a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runner {
    /// The system (`exec`).
    Exec,
    /// Perl (`perlscript`).
    Perl,
}

/// When a task is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskPhase {
    /// When the items are there, before the site answers.
    #[default]
    Deployed,
    /// When the sites answer again (`"phase": "resume"`).
    Resumed,
}

/// When a unit is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitPhase {
    /// In its turn among the items.
    #[default]
    Deploy,
    /// When the site answers again, and it is stopped when the site is suspended
    /// (`"phase": "suspendresume"`).
    SuspendResume,
}

/// The kinds of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitKind {
    /// `.service`.
    Service,
    /// `.timer`.
    Timer,
    /// `.target`.
    Target,
}

/// The kinds of ports.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A user with a group, each perhaps a variable.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Owner {
    /// The user.
    pub user: String,
    /// The group.
    pub group: String,
}

/// Where content comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A file as it is.
    File(ItemPath),
    /// A file that is rendered.
    Template(ItemPath, Language),
    /// A text that is rendered; only below `wellknown`.
    Inline(String, Language),
}

/// How a template is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// `${variables}` are replaced.
    Varsubst,
    /// It is a Perl script whose value is the content.
    Perlscript,
}

/// The places of an item, and whether there could be several.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Names {
    /// `name`.
    One(String),
    /// `names`, which no backup of a file knows (UBOS specification, 1.3).
    Many(Vec<String>),
}

impl Names {
    /// All of them, in order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// A path as the manifest has it: `$1` stands for the item's name and `$2` for its last component,
/// and both are replaced before any `${variable}` is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ItemPath(pub String);

impl ItemPath {
    /// The path for the item `name`. What stands in a name is not looked at again.
    pub fn of(&self, name: &str) -> String {
        let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let mut path = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            path.push_str(before);
            rest = after;
            let (put, length) = match after.chars().next() {
                Some('1') => (name, 1),
                Some('2') => (last, 1),
                _ => ("$", 0),
            };
            path.push_str(put);
            rest = rest.get(length..).unwrap_or_default();
        }
        path + rest
    }
}

/// The bits of a mode, or those of what is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// As the source has them.
    Preserve,
    /// These, whatever the umask says.
    Bits(u32),
}

impl Mode {
    /// Reads `preserve`, or three or four octal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let octal = matches!(text.len(), 3 | 4) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        match text {
            "preserve" => Some(Self::Preserve),
            _ if octal => u32::from_str_radix(text, 8).ok().map(Self::Bits),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_and_keep_the_sticky_bit() {
        assert_eq!(Mode::parse("755"), Some(Mode::Bits(0o755)));
        assert_eq!(Mode::parse("1234"), Some(Mode::Bits(0o1234)));
        assert_eq!(Mode::parse("0101"), Some(Mode::Bits(0o101)));
        assert_eq!(Mode::parse("preserve"), Some(Mode::Preserve));
        for bad in ["", "7", "75", "788", "07555", "+755", "0o7", "Preserve"] {
            assert_eq!(Mode::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_are_put_into_paths_once_and_before_variables() {
        let path = |text: &str, name| ItemPath(text.into()).of(name);
        assert_eq!(path("src/$1", "a/b"), "src/a/b");
        assert_eq!(path("src/$2.tmpl", "a/b"), "src/b.tmpl");
        assert_eq!(path("$1$2", "$2/x"), "$2/xx");
        assert_eq!(path("${package.codedir}/$2", "x"), "${package.codedir}/x");
        assert_eq!(path("$3 $", "x"), "$3 $");
        assert_eq!(path("$2", "a/b/"), "b");
    }
}
