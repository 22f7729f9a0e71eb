//! Writes or removes one variable of a gear: a file in `.env/user_vars` or `.env`.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::identity::Identity;
use crate::gear::variables::{self, Place};
use crate::package::ident::EnvName;
use crate::sys::checkpoint::checkpoint;
use std::ffi::OsString;

/// A variable of a gear that gets a value, or goes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct WriteVariable {
    /// The gear.
    pub gear: Identity,
    /// Whose variable it is.
    pub place: Place,
    /// Its name.
    pub name: EnvName,
    /// What its file is to hold; nothing: the file goes.
    pub value: Option<OsString>,
}

/// What its file held before; nothing: there was none.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before(Option<OsString>);

impl WriteVariable {
    fn put(&self, cx: &Cx<'_>, value: Option<&OsString>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        match value {
            Some(value) => variables::write(&home, self.place, &self.name, value)?,
            None => variables::remove(&home, self.place, &self.name)?,
        }
        Ok(())
    }
}

impl Step for WriteVariable {
    type Undo = Before;

    fn describe(&self) -> String {
        let Self { gear, place, name, value } = self;
        let what = if value.is_some() { "set" } else { "remove" };
        let whose = match place {
            Place::User => "",
            Place::Platform => "platform's ",
        };
        format!("{what} the {whose}variable `{name}` of the gear `{}`", gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        if let Some(path) = variables::obstacle(&home, self.place, &self.name)? {
            let text = format!("`{}` is no file", home.path_of(path).display());
            return Err(Failure::new(Exit::Conflict, text)
                .hint("move it away, or choose another name for the variable"));
        }
        Ok(Before(variables::read(&home, self.place, &self.name)?))
    }

    fn apply(&self, _before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("write_variable: before the file");
        self.put(cx, self.value.as_ref())?;
        checkpoint("write_variable: after the file");
        Ok(Said::default())
    }

    fn revert(&self, Before(old): &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        // What a writing that was cut off has left beside it goes, too.
        self.put(cx, None)?;
        checkpoint("write_variable: the new file is gone");
        old.as_ref().map_or(Ok(()), |old| self.put(cx, Some(old)))
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> WriteVariable {
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    let name = EnvName::parse("COLOUR").unwrap();
    variables::write(&home, Place::User, &name, &"red\n".into()).unwrap();
    WriteVariable { gear, place: Place::User, name, value: Some("blue".into()) }
}
