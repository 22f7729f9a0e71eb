//! Where a step works: the host's places, and the transaction's own.

use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::gear::environ::Shared;
use crate::gear::environment::Host;
use crate::layout::Layout;
use crate::progress::Listen;
use crate::sys::fs::Dir;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cell::{Cell, RefCell};

/// What a step may use. There is no database here, on purpose.
#[derive(Debug)]
pub struct Cx<'a> {
    /// Every path.
    pub layout: &'a Layout,
    /// Every setting.
    pub config: &'a Config,
    /// The state directory; trees are named relative to it.
    pub state: &'a Dir,
    /// The transaction.
    pub transaction: i64,
    /// The step's number, stable over attempts.
    pub number: &'a str,
    /// How often the step was begun, from 1.
    pub attempt: u32,
    shared: Shared,
    listener: Option<&'a dyn Listen>,
    stashed: Cell<bool>,
    shortcomings: RefCell<Vec<String>>,
}

impl<'a> Cx<'a> {
    /// Makes the context of one step.
    pub fn new(
        places: (&'a Layout, &'a Config, &'a Dir),
        transaction: i64,
        step: (&'a str, u32),
    ) -> Self {
        let (layout, config, state) = places;
        let (number, attempt) = step;
        let (shared, stashed) = (Shared::default(), Cell::new(false));
        let shortcomings = RefCell::default();
        Self {
            layout,
            config,
            state,
            transaction,
            number,
            attempt,
            shared,
            listener: None,
            stashed,
            shortcomings,
        }
    }

    /// The same with these variables of the whole domain.
    #[must_use]
    pub fn with_shared(mut self, shared: Shared) -> Self {
        self.shared = shared;
        self
    }

    /// The same with somebody who hears what scripts print.
    #[must_use]
    pub fn with_listener(mut self, listener: Option<&'a dyn Listen>) -> Self {
        self.listener = listener;
        self
    }

    /// Who hears what scripts print, while they run.
    pub fn listener(&self) -> Option<&dyn Listen> {
        self.listener
    }

    /// What the host gives to the environment of a gear.
    pub fn host(&self) -> Host<'_> {
        Host { layout: self.layout, config: self.config, shared: &self.shared }
    }

    /// The step's own directory in the stash, made when it is first asked for. What is put there
    /// while the step prepares is durable before its change.
    pub fn stash(&self) -> Result<Dir, Failure> {
        self.stashed.set(true);
        self.room()
    }

    /// The same directory, for what going back does not need: something is built there, or will go
    /// there by renaming. Nothing waits for the disk.
    pub fn room(&self) -> Result<Dir, Failure> {
        let path = self.stash_path("");
        self.state.make_dirs(&path, 0o700)?;
        Ok(self.state.dir(&path)?)
    }

    /// The path of `name` in the step's stash, relative to the state directory.
    pub fn stash_path(&self, name: &str) -> String {
        let Self { transaction, number, .. } = self;
        let path = format!("stash/{transaction}/{number}");
        if name.is_empty() { path } else { format!("{path}/{name}") }
    }

    /// Tells whether something was put into the stash, which must be durable before it is needed.
    pub fn has_stashed(&self) -> bool {
        self.stashed.get()
    }

    /// Says what putting back has not brought about, where that is no reason to hold up the rest.
    pub fn fall_short(&self, text: String) {
        self.shortcomings.borrow_mut().push(text);
    }

    /// What was said so.
    pub fn shortcomings(&self) -> Vec<String> {
        self.shortcomings.borrow().clone()
    }

    /// The name of a file for what a script of this step prints, below the log, and its directory.
    pub fn log(&self, script: &str) -> Result<(Dir, String), Failure> {
        let folder = format!("log/{}", self.transaction);
        self.state.make_dirs(&folder, 0o700)?;
        let name = format!("{}-{}-{script}", self.number, self.attempt);
        Ok((self.state.dir(&folder)?, name))
    }

    /// The variables by which a script's processes can be found again, by which a `cart` that it
    /// calls knows where it is, and by which it knows itself whether it runs again.
    pub fn marks(&self) -> Vec<(String, String)> {
        vec![
            ("CART_TRANSACTION".into(), self.transaction.to_string()),
            ("CART_STATE".into(), self.layout.state().display().to_string()),
            ("CART_STEP".into(), self.number.to_owned()),
            ("CART_ATTEMPT".into(), self.attempt.to_string()),
        ]
    }
}

pub(super) fn encode(undo: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(undo).map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot write an undo record: {error}"))
    })
}

pub(super) fn decode<T: DeserializeOwned>(undo: &Value) -> Result<T, Failure> {
    T::deserialize(undo)
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot read an undo record: {error}")))
}
