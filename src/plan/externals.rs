//! What packages ask externals for, as steps: when they come, go, and become another version.
//!
//! Every format uses these: [`add_asked`] where a package comes (before its files get their
//! owners, so that accounts exist by then), [`add_withdrawn`] where it goes (before its files go),
//! [`add_changed`] where another version comes in its place, [`add_put_back`] where that is undone,
//! and [`add_again`] where a removal is. The rows that they need are read by `Db::externals_of_gear` or
//! `Db::externals_of_package`; the rows that come of them the steps say themselves.

use super::{Consent, Plan, Refusal};
use crate::db::ExternalRow;
use crate::error::Exit;
use crate::facts::Externals;
use crate::gear::identity::Identity;
use crate::package::external::{Action, Asker, External, ExternalData, ExternalName, Way};
use crate::step::call_external::{CallExternal, Turn};
use crate::step::resolve_externals::{Present, ResolveExternals, Wanted, difference};
use crate::sys::path::RelPath;

/// A package that asks.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Under which names.
    pub asker: &'a Asker,
    /// Its list.
    pub externals: &'a [External],
    /// Its tree, relative to the state, as it lies when the steps run.
    pub tree: &'a RelPath,
    /// The gear, and the folder of the cartridge, as which its scripts run; `cart` itself otherwise.
    pub gear: Option<(&'a Identity, &'a str)>,
}

/// Adds what asks for everything in the package's list, in its order.
pub fn add_asked(
    plan: &mut Plan,
    asking: &Asking<'_>,
    known: &Externals,
    action: Action,
) -> Result<(), Refusal> {
    add_changed(plan, (asking, &[]), known, action)
}

/// Adds what takes `rows` back, in the order of the list.
pub fn add_withdrawn<'a>(
    plan: &mut Plan,
    rows: impl IntoIterator<Item = &'a ExternalRow>,
    known: &Externals,
    action: Action,
) -> Result<(), Refusal> {
    for Present { row, way, strict } in present(rows, known)? {
        note(plan, (&row.name, &row.asker), &way, ("remove", &shown(&row.data)));
        plan.step(CallExternal::withdrawing(&row, action, (way, strict)));
    }
    Ok(())
}

/// Adds what turns `rows`, which an older version has asked for, into what this one asks for: what is
/// not wanted any more is taken back, then the new is asked for, and what is the same stays.
pub fn add_changed(
    plan: &mut Plan,
    (asking, rows): (&Asking<'_>, &[ExternalRow]),
    known: &Externals,
    action: Action,
) -> Result<(), Refusal> {
    if asking.externals.is_empty() && rows.is_empty() {
        return Ok(());
    }
    let present = present(rows, known)?;
    let wanted = wanted(asking, known)?;
    let is_known = |one: &Wanted| matches!(one.data, ExternalData::None | ExternalData::Inline(_));
    if wanted.iter().all(is_known) {
        let resolved: Vec<_> =
            wanted.into_iter().map(|one| (one.clone(), inline(one.data))).collect();
        add_difference(plan, asking.asker, (&present, &resolved), action);
        return Ok(());
    }
    for one in &wanted {
        let data = match &one.data {
            ExternalData::File(path) => format!("what `{path}` says"),
            ExternalData::Script(path) => format!("what `{path}` prints"),
            ExternalData::Inline(data) => shown(data),
            ExternalData::None => shown(&[]),
        };
        note(plan, (&one.name, asking.asker), &one.way, ("install", &data));
    }
    plan.step(ResolveExternals {
        asker: asking.asker.clone(),
        tree: asking.tree.clone(),
        gear: asking.gear.map(|(gear, dir)| (gear.clone(), dir.to_owned())),
        wanted,
        present,
        action,
    });
    Ok(())
}

/// Adds what brings back how things were before a transaction that has asked for `asked`, which still
/// holds, and has taken `withdrawn` back, for the asker of `was`; `now` is everything that it holds.
pub fn add_put_back(
    plan: &mut Plan,
    was: &Asker,
    (now, withdrawn, txn): (&[ExternalRow], &[ExternalRow], i64),
    known: &Externals,
) -> Result<(), Refusal> {
    let present = present(now, known)?;
    let stays = now.iter().filter(|row| row.txn != txn);
    let mut before: Vec<&ExternalRow> = stays.chain(withdrawn).collect();
    before.sort_by_key(|row| row.ordinal);
    let mut wanted = Vec::new();
    for row in before {
        let way = known.way(&row.name);
        refuse((&row.name, &row.asker), &way, known)?;
        let strict = known.is_strict(&row.name, row.strict);
        let one = Wanted { name: row.name.clone(), data: ExternalData::None, way, strict };
        wanted.push((one, row.data.clone()));
    }
    add_difference(plan, was, (&present, &wanted), Action::Upgrade);
    Ok(())
}

/// Adds what asks once more for `rows`, which were taken back, as their packages come back.
pub fn add_again<'a>(
    plan: &mut Plan,
    rows: impl IntoIterator<Item = &'a ExternalRow>,
    known: &Externals,
) -> Result<(), Refusal> {
    for row in rows {
        let way = known.way(&row.name);
        refuse((&row.name, &row.asker), &way, known)?;
        note(plan, (&row.name, &row.asker), &way, ("install", &shown(&row.data)));
        plan.step(CallExternal {
            asker: Asker { file: row.holder.clone(), ..row.asker.clone() },
            name: row.name.clone(),
            ordinal: row.ordinal,
            data: row.data.clone(),
            turn: Turn::Install,
            action: Action::Install,
            strict: known.is_strict(&row.name, row.strict),
            way,
        });
    }
    Ok(())
}

fn add_difference(
    plan: &mut Plan,
    asker: &Asker,
    (present, wanted): (&[Present], &[(Wanted, Vec<u8>)]),
    action: Action,
) {
    let (records, calls) = difference(asker, (present, wanted), action);
    plan.records.extend(records);
    for call in calls {
        let word = if matches!(call.turn, Turn::Remove(_)) { "remove" } else { "install" };
        note(plan, (&call.name, &call.asker), &call.way, (word, &shown(&call.data)));
        plan.step(call);
    }
}

fn inline(data: ExternalData) -> Vec<u8> {
    match data {
        ExternalData::Inline(bytes) => bytes,
        _ => Vec::new(),
    }
}

fn present<'a>(
    rows: impl IntoIterator<Item = &'a ExternalRow>,
    known: &Externals,
) -> Result<Vec<Present>, Refusal> {
    let one = |row: &ExternalRow| {
        let way = known.way_of(row);
        if row.mode != Way::Missing.as_str() {
            refuse((&row.name, &row.asker), &way, known)?;
        }
        // What a request comes to is known later than any transaction could wait for.
        let strict = way != Way::Request && known.is_strict(&row.name, row.strict);
        Ok(Present { row: row.clone(), way, strict })
    };
    rows.into_iter().map(one).collect()
}

fn wanted(asking: &Asking<'_>, known: &Externals) -> Result<Vec<Wanted>, Refusal> {
    let one = |external: &External| {
        let External { name, data, strict } = external;
        let way = known.way(name);
        refuse((name, asking.asker), &way, known)?;
        let strict = known.is_strict(name, *strict);
        Ok(Wanted { name: name.clone(), data: data.clone(), way, strict })
    };
    asking.externals.iter().map(one).collect()
}

/// Refuses what could only fail: an external that is missing, or waits for this very `cart`.
fn refuse(
    (name, asker): (&ExternalName, &Asker),
    way: &Way,
    known: &Externals,
) -> Result<(), Refusal> {
    let (shown, file) = (name.as_str().escape_debug(), asker.file.escape_debug());
    match way {
        Way::Exec(_) if known.is_waiting(name) => {
            let text = format!(
                "`{file}` needs the external `{shown}`, which waits for this `cart`: it was called by \
                 what that external has called"
            );
            Err(Refusal::new(Exit::Busy, text).hint(
                "do it when that is over, or let the external leave a request: `mode` in \
                       cart-config(5)",
            ))
        }
        Way::Missing if !known.may_be_missing(name) => {
            let why = match known.program(name) {
                Some(program) => {
                    let fault = program.fault.unwrap_or("cannot be used");
                    format!("`{}` {fault}", program.path.display())
                }
                None => "there is none of that name".to_owned(),
            };
            let text = format!("`{file}` needs the external `{shown}`: {why}");
            Err(Refusal::new(Exit::Conflict, text).hint(
                "put it into the folder `externals` of the settings, or do without it: \
                 `--allow-missing-externals`",
            ))
        }
        _ => Ok(()),
    }
}

/// Tells what the host is asked for, and lets a person agree to it: it goes beyond the package.
fn note(
    plan: &mut Plan,
    (name, asker): (&ExternalName, &Asker),
    way: &Way,
    (word, data): (&str, &str),
) {
    let (name, file) = (name.as_str().escape_debug(), asker.file.escape_debug());
    let whom = match way {
        Way::Exec(program) => format!("`{}`", program.display()),
        Way::Request => "by a request".to_owned(),
        Way::Missing => "it is missing: nobody is asked".to_owned(),
    };
    plan.summary.push(format!("external `{name}`: {word} {data}, for `{file}` ({whom})"));
    plan.consent = plan.consent.max(Consent::Courtesy);
}

/// The beginning of data, for people.
fn shown(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let text = text.trim_end();
    let beginning: String = text.chars().take(60).collect();
    let more = if beginning.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", beginning.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Rule};
    use crate::db::{Answer, Change, ExternalState};
    use crate::layout::Layout;
    use crate::package::ident::FormatName;
    use crate::step::AnyStep;

    fn asker(version: &str) -> Asker {
        Asker {
            format: FormatName::Cartridge,
            vendor: "v".into(),
            name: "n".into(),
            gear: None,
            home: "/opt/tpkg".into(),
            file: format!("n-{version}.tpkg"),
        }
    }

    /// Externals of a host where everything is asked for by requests, but `gone`.
    fn known() -> Externals {
        let mut config = Config::default();
        let mode = Some(crate::config::ExternalMode::Request);
        config.externals.insert("*".into(), Rule { mode, ..Rule::default() });
        let mode = Some(crate::config::ExternalMode::Exec);
        config.externals.insert("gone".into(), Rule { mode, ..Rule::default() });
        Externals::look(&Layout::below("/nonexistent".as_ref()), &config)
    }

    fn external(name: &str, data: &str) -> External {
        let data = ExternalData::Inline(data.as_bytes().to_vec());
        External::new(ExternalName::parse(name).unwrap(), data)
    }

    fn row(key: &str, ordinal: u32, (name, data): (&str, &str), txn: i64) -> ExternalRow {
        ExternalRow {
            key: key.into(),
            asker: asker("1"),
            holder: "n-1.tpkg".into(),
            ordinal,
            name: ExternalName::parse(name).unwrap(),
            data: data.as_bytes().to_vec(),
            mode: "request".into(),
            strict: false,
            asked: 0,
            answer: Answer { state: ExternalState::Done, detail: None },
            answered: None,
            txn,
            withdrawn_by: None,
        }
    }

    fn calls(plan: &Plan) -> Vec<String> {
        let call = |step: &AnyStep| match step {
            AnyStep::CallExternal(call) => {
                let word = match &call.turn {
                    Turn::Install => "install".to_owned(),
                    Turn::Remove(key) => format!("remove {key}"),
                    other => panic!("{other:?}"),
                };
                let data = String::from_utf8_lossy(&call.data);
                format!("{} {word} {data} {} {}", call.name, call.asker.file, call.ordinal)
            }
            other => other.kind().to_owned(),
        };
        plan.steps.iter().map(call).collect()
    }

    fn changed(externals: &[External], rows: &[ExternalRow]) -> Result<Plan, Refusal> {
        let mut plan = Plan::new("change");
        let (asker, tree) = (asker("2"), RelPath::parse("library/n").unwrap());
        let asking = Asking { asker: &asker, externals, tree: &tree, gear: None };
        add_changed(&mut plan, (&asking, rows), &known(), Action::Upgrade)?;
        Ok(plan)
    }

    #[test]
    fn what_is_the_same_is_not_called_and_taken_over() {
        let rows = [row("1-1", 0, ("a", "x"), 1), row("1-2", 1, ("b", "y"), 1)];
        let plan = changed(&[external("c", "z"), external("a", "x")], &rows).unwrap();
        assert_eq!(calls(&plan), ["b remove 1-2 y n-1.tpkg 1", "c install z n-2.tpkg 0"]);
        let kept =
            Change::KeepExternal { key: "1-1".into(), holder: "n-2.tpkg".into(), ordinal: 1 };
        assert_eq!(plan.records, [kept]);
        assert_eq!(plan.consent, Consent::Courtesy);
        let nothing = changed(&[], &[]).unwrap();
        assert!(nothing.is_empty() && nothing.consent == Consent::Given);
    }

    #[test]
    fn data_that_are_not_known_are_made_by_a_step_of_their_own() {
        let mut script = external("a", "");
        script.data = ExternalData::Script(RelPath::parse("calc").unwrap());
        let plan = changed(&[external("b", "y"), script], &[row("1-1", 0, ("b", "y"), 1)]).unwrap();
        assert_eq!(calls(&plan), ["resolve_externals"]);
        assert!(plan.summary.iter().any(|line| line.contains("what `calc` prints")), "{plan:?}");
    }

    #[test]
    fn a_missing_one_is_no_plan() {
        let refusal = changed(&[external("gone", "x")], &[]).unwrap_err();
        assert_eq!(crate::error::Explain::exit(&refusal), Exit::Conflict);
        assert!(refusal.to_string().contains("`gone`"), "{refusal}");
    }

    #[test]
    fn going_back_asks_for_what_was_and_for_nothing_twice() {
        let now = [row("1-1", 0, ("a", "x"), 1), row("2-1", 1, ("b", "new"), 2)];
        let withdrawn = [row("1-2", 1, ("b", "old"), 1)];
        let mut plan = Plan::new("back");
        add_put_back(&mut plan, &asker("1"), (&now, &withdrawn, 2), &known()).unwrap();
        assert_eq!(calls(&plan), ["b remove 2-1 new n-1.tpkg 1", "b install old n-1.tpkg 1"]);
        let mut plan = Plan::new("again");
        add_again(&mut plan, &withdrawn, &known()).unwrap();
        assert_eq!(calls(&plan), ["b install old n-1.tpkg 1"]);
    }
}
