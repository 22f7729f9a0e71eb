//! The state of reading one file: what there is to say about it, and what could not be placed.

use super::error::{Fault, ManifestError};
use super::place::Place;
use crate::package::note::{Level, Note, Notes};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The most remarks about one file; a hostile file shall not fill the memory with them.
const MOST: usize = 100;

/// Collects warnings and faults while a file is read, each once.
pub(super) struct Reading<'a> {
    file: &'a str,
    notes: &'a mut Notes,
    faults: Vec<Fault>,
    said: HashSet<(Place, String)>,
    kept: Map<String, Value>,
}

impl<'a> Reading<'a> {
    /// Begins to read `file` (its path in the tree).
    pub(super) fn new(file: &'a str, notes: &'a mut Notes) -> Self {
        Self { file, notes, faults: Vec::new(), said: HashSet::new(), kept: Map::new() }
    }

    /// Says that something is probably not what the author meant.
    pub(super) fn warn(&mut self, place: Place, text: impl Into<String>) {
        self.note(Level::Warning, place, text.into());
    }

    /// Gives advice, which `cart lint` shows.
    pub(super) fn advise(&mut self, place: Place, text: impl Into<String>) {
        self.note(Level::Advice, place, text.into());
    }

    /// Says that the file cannot be accepted; reading goes on, so that all faults are found.
    pub(super) fn fault(&mut self, place: Place, text: impl Into<String>) {
        let text = text.into();
        if self.is_new(place, &text) {
            self.faults.push(Fault { place, text });
        }
    }

    /// Keeps what the package model has no field for, under its path in the file.
    pub(super) fn keep(&mut self, path: impl Into<String>, value: Value) {
        if self.kept.len() < MOST {
            self.kept.insert(path.into(), value);
        }
    }

    /// Takes out what was kept.
    pub(super) fn take_kept(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.kept)
    }

    /// Ends reading: `value`, unless there was a fault.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ManifestError> {
        let file = self.file.to_owned();
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ if self.faults.is_empty() => {
                let text = "cannot be used".to_owned();
                let faults = vec![Fault { place: Place::START, text }];
                Err(ManifestError::Invalid { file, faults })
            }
            _ => Err(ManifestError::Invalid { file, faults: self.faults }),
        }
    }

    fn note(&mut self, level: Level, place: Place, text: String) {
        if self.is_new(place, &text) {
            self.notes.push(Note {
                level,
                file: self.file.to_owned(),
                line: Some(place.line),
                column: Some(place.column),
                text,
            });
        }
    }

    /// Every software version reads the same elements again: a remark is made once.
    fn is_new(&mut self, place: Place, text: &str) -> bool {
        if self.said.len() > MOST {
            return false;
        }
        let new = self.said.insert((place, text.to_owned()));
        if self.said.len() > MOST {
            self.notes
                .warn(self.file, format!("has more than {MOST} oddities; the rest are left out"));
        }
        new
    }
}
