//! The gear that a name means.

use crate::cli::app::App;
use crate::db::Db;
use crate::error::{Exit, Failure};
use crate::facts::Gear;
use crate::package::ident::GearName;
use crate::ui::suggest;

/// The gear called `name`.
pub(super) fn gear(app: &App, db: &Db, name: &GearName) -> Result<Gear, Failure> {
    if let Some(gear) = Gear::read(db, app.layout(), name.as_str())? {
        Ok(gear)
    } else {
        let names: Vec<String> = db.gears()?.into_iter().map(|row| row.name).collect();
        Err(missing(name, &names))
    }
}

/// The gear called `name`, for a command that only reads.
pub(super) fn reading(app: &App, name: &GearName) -> Result<(Db, Gear), Failure> {
    let db = app.reading()?.ok_or_else(|| missing(name, &[]))?;
    let gear = gear(app, &db, name)?;
    Ok((db, gear))
}

/// The database, for a command that changes the gear called `name`, which must be there.
pub(super) fn changing(app: &App, name: &GearName) -> Result<Db, Failure> {
    reading(app, name)?;
    app.changing()
}

fn missing(name: &GearName, names: &[String]) -> Failure {
    let failure = Failure::new(Exit::NotFound, format!("there is no gear `{name}`"));
    match suggest(name.as_str(), names) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`cart gear list` shows what there is"),
    }
}
