//! What Apache needs: the rendered snippets of cartridges, copies of their files, and the server's
//! own opinion of the result.

use super::nginx::run;
use super::{ConnectFrontend, Httpd};
use crate::error::{Exit, Failure};
use crate::gear::environment;
use crate::gear::frontend::Certificate;
use crate::gear::frontend::apache::{Besides, http};
use crate::gear::frontend::httpd::{Origin, Snippet, check};
use crate::package::ident::GearName;
use crate::step::render_templates::text_of;
use crate::step::{Cx, Said, host_program, ruby};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The most bytes of files that one cartridge shows by `httpd.d`.
const MOST: u64 = 16 << 20;
/// The most entries of one folder, and the deepest one.
const MOST_ENTRIES: usize = 1000;
const DEEPEST: usize = 8;

/// Where the copies of a gear's files lie, relative to the state directory.
pub(super) fn copies(gear: &GearName) -> String {
    format!("frontend/apache/{gear}.files")
}

/// The include file: what the cartridges bring is rendered and checked. What was rendered by Ruby is
/// said.
pub(super) fn text(
    cx: &Cx<'_>,
    step: &ConnectFrontend,
    certificate: &Certificate<'_>,
    said: &mut Said,
) -> Result<Option<String>, Failure> {
    let mut snippets = Vec::new();
    let copies = cx.state.path_of(copies(&step.frontend.gear));
    if let Some(httpd) = &step.httpd {
        let home = cx.state.dir(httpd.gear.home())?;
        for dir in &httpd.dirs {
            let published = copies.join(dir);
            snippets.extend(of_cartridge(cx, &home, (httpd, dir, &published), said)?);
        }
    }
    let besides = Besides { snippets: &snippets, copies: &copies };
    Ok(http(&step.frontend, &cx.config.frontend.apache, &besides, certificate))
}

fn of_cartridge(
    cx: &Cx<'_>,
    home: &Dir,
    (httpd, dir, copies): (&Httpd, &str, &Path),
    said: &mut Said,
) -> Result<Vec<Snippet>, Failure> {
    let folder = format!("{dir}/httpd.d");
    let environment = environment::of(cx.host(), home, &httpd.gear, Some(dir));
    let mut found = Vec::new();
    for name in names(home, &folder)? {
        let path = format!("{folder}/{name}");
        if !is_template(&name) || home.meta(&path)?.is_none_or(|meta| meta.kind != Kind::File) {
            continue;
        }
        let template = ruby::Template { gear: &httpd.gear, path: &path, environment: &environment };
        let (text, note) = text_of(cx, home, &template)?;
        said.messages.extend(note);
        let origin = Origin {
            name: &path,
            source: &home.path_of(&folder),
            copies,
            allowed: &cx.config.frontend.apache.directives,
        };
        found.push(check(&String::from_utf8_lossy(&text), &origin)?);
    }
    Ok(found)
}

fn is_template(name: &str) -> bool {
    Path::new(name).extension() == Some(OsStr::new("erb"))
}

/// The names in a folder of the gear, sorted; none where there is none.
fn names(home: &Dir, folder: &str) -> Result<Vec<String>, Failure> {
    if home.meta(folder)?.is_none_or(|meta| meta.kind != Kind::Directory) {
        return Ok(Vec::new());
    }
    let all = home.dir(folder)?.names()?;
    let mut all: Vec<String> = all.into_iter().filter_map(|one| one.into_string().ok()).collect();
    all.sort();
    all.truncate(MOST_ENTRIES);
    Ok(all)
}

/// Puts copies of the cartridges' files where the server's user can read them; the ones of before
/// wait in the stash.
pub(super) fn publish(
    cx: &Cx<'_>,
    step: &ConnectFrontend,
    (had, serves): (bool, bool),
) -> Result<(), Failure> {
    let stash = cx.stash()?;
    let httpd = step.httpd.as_ref().filter(|_| serves);
    tree::remove(&stash, "new.files")?;
    if let Some(httpd) = httpd {
        let home = cx.state.dir(httpd.gear.home())?;
        stash.make_dir("new.files", 0o755)?;
        for dir in &httpd.dirs {
            let to = format!("new.files/{dir}");
            let mut room = MOST;
            copy(&home, &stash, (&format!("{dir}/httpd.d"), &to, 0), &mut room)?;
        }
        checkpoint("connect_frontend: copies for Apache are made");
    }
    swap(cx, &copies(&step.frontend.gear), (had, httpd.is_some()))
}

/// Brings the folder `new.files` of the stash to `place`, or nothing; what was there waits in the stash.
pub(in crate::step) fn swap(
    cx: &Cx<'_>,
    place: &str,
    (had, serves): (bool, bool),
) -> Result<(), Failure> {
    let stash = cx.stash()?;
    if had && !stash.has("old.files")? {
        cx.state.rename(place, &stash, "old.files")?;
        checkpoint("connect_frontend: the copies of before are taken away");
    }
    if cx.state.has("frontend/apache")? {
        tree::remove(cx.state, place)?;
    }
    if serves {
        stash.rename("new.files", cx.state, place)?;
        checkpoint("connect_frontend: the copies for Apache are there");
    }
    Ok(())
}

/// Copies plain files and folders, and neither links nor templates.
fn copy(
    home: &Dir,
    stash: &Dir,
    (from, to, depth): (&str, &str, usize),
    room: &mut u64,
) -> Result<(), Failure> {
    stash.make_dir(to, 0o755)?;
    for name in names(home, from)? {
        let (from, to) = (format!("{from}/{name}"), format!("{to}/{name}"));
        let Some(meta) = home.meta(&from)? else { continue };
        match meta.kind {
            Kind::Directory if depth < DEEPEST => {
                copy(home, stash, (&from, &to, depth + 1), room)?;
            }
            Kind::File if !is_template(&name) => {
                let bytes = home.read(&from, *room)?;
                *room -= (bytes.len() as u64).min(*room);
                stash.write_new(&to, &bytes, 0o644)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Puts back the copies of before.
pub(in crate::step) fn put_back(cx: &Cx<'_>, place: &str, had: bool) -> Result<(), Failure> {
    let stash = cx.stash()?;
    if stash.has("old.files")? {
        tree::remove(cx.state, place)?;
        stash.rename("old.files", cx.state, place)?;
        checkpoint("connect_frontend: the copies of before are put back");
    } else if !had && cx.state.has("frontend/apache")? {
        tree::remove(cx.state, place)?;
    }
    Ok(())
}

/// Lets Apache test an include file together with its own settings, before it can read it there.
/// Gives a warning where there is no Apache to ask.
pub(in crate::step) fn test(cx: &Cx<'_>, text: &str) -> Result<Option<String>, Failure> {
    let stash = cx.stash()?;
    stash.replace_file("apache.conf", text.as_bytes(), 0o644)?;
    let include = format!("Include \"{}\"", stash.path_of("apache.conf").display());
    let arguments = ["-t".into(), "-c".into(), OsString::from(include)];
    command(&cx.config.frontend.apache.program, &arguments, NOT_ACCEPTED)
}

/// The modules that the server has by its settings as they are; nothing where there is no server.
pub(in crate::step) fn loaded(cx: &Cx<'_>) -> Result<Option<BTreeSet<String>>, Failure> {
    let line = &cx.config.frontend.apache.program;
    let words = line.iter().skip(1).map(String::as_str).chain(["-t", "-D", "DUMP_MODULES"]);
    let words: Vec<OsString> = words.map(OsString::from).collect();
    let Some(program) = line.first() else { return Ok(None) };
    let Some(output) = host_program::output(Path::new(program), &words)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    Ok(Some(names.filter(|name| name.ends_with("_module")).map(str::to_owned).collect()))
}

const NOT_ACCEPTED: &str = "Apache does not accept what the front end should serve";

/// Makes Apache read its settings anew. Gives a warning where there is none to be told.
pub(in crate::step) fn reload(cx: &Cx<'_>) -> Result<Option<String>, Failure> {
    let reload = &cx.config.frontend.apache.reload;
    if reload.is_empty() {
        return Ok(None);
    }
    command(reload, &[], "Apache does not read its settings anew")
}

fn command(line: &[String], more: &[OsString], otherwise: &str) -> Result<Option<String>, Failure> {
    let Some((program, arguments)) = line.split_first() else {
        let text = "`frontend.apache.program` is empty";
        return Err(Failure::new(Exit::Usage, text).hint("see cart-config(5)"));
    };
    let arguments: Vec<OsString> =
        arguments.iter().map(OsString::from).chain(more.iter().cloned()).collect();
    run(Path::new(program), &arguments, otherwise)
}
