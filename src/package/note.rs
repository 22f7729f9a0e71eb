//! Notes: what a reader of manifests and trees has to say to the package's author or user.

/// How much a note matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good advice; shown by `cart lint` alone.
    Advice,
    /// Probably not what the author meant; the package works all the same.
    Warning,
    /// The package cannot be installed.
    Error,
}

/// One remark about one place in a package.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// How much it matters.
    pub level: Level,
    /// The file, relative to the package's tree.
    pub file: String,
    /// The line, from 1; nothing when the whole file is meant.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// What there is to say, with the remedy.
    pub text: String,
}

/// The notes that gather while a package is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// Adds a note.
    pub fn push(&mut self, note: Note) {
        self.0.push(note);
    }

    /// Adds a warning about a whole file.
    pub fn warn(&mut self, file: impl Into<String>, text: impl Into<String>) {
        self.0.push(Note {
            level: Level::Warning,
            file: file.into(),
            line: None,
            column: None,
            text: text.into(),
        });
    }

    /// The notes, in the order in which they came.
    pub fn as_slice(&self) -> &[Note] {
        &self.0
    }

    /// Takes the notes out.
    pub fn into_vec(self) -> Vec<Note> {
        self.0
    }
}

impl FromIterator<Note> for Notes {
    fn from_iter<I: IntoIterator<Item = Note>>(notes: I) -> Self {
        Self(notes.into_iter().collect())
    }
}
