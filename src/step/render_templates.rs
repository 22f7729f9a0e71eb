//! Renders the ERB templates of a cartridge: `X.erb` becomes `X`, and goes.

use super::gear_files::GearFiles;
use super::{Cx, Said, Step, ruby};
use crate::error::{Exit, Failure};
use crate::gear::environ::Environment;
use crate::gear::{environment, globs, identity::Identity};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree::{self, Modes};
use crate::template::{Fault, erb};

/// The longest template.
const LONGEST: u64 = 1 << 20;
/// The remedy for a template that is beyond the engine.
const WITHOUT_RUBY: &str = "only Ruby can render it: `apt-get install ruby`";

/// One of the two passes of the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// `env/*.erb`, before `setup`; one that fails is an error.
    Env,
    /// `processed_templates`, after `setup`; a vendored one that fails is a warning.
    Processed,
}

/// The templates of one pass.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RenderTemplates {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// The patterns of the second pass.
    pub patterns: Vec<String>,
    /// Which pass.
    pub pass: Pass,
}

/// The templates that were there, gear-relative, and which of their targets existed.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    templates: Vec<Template>,
    /// What is declared by name, and was not there.
    #[serde(default)]
    missing: Vec<String>,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Template {
    path: String,
    target_existed: bool,
}

impl RenderTemplates {
    /// The templates that are there, and those that should be, gear-relative.
    fn find(&self, home: &Dir) -> Result<(Vec<String>, Vec<String>), Failure> {
        let patterns: Vec<String> = match self.pass {
            Pass::Env => vec!["env/*.erb".into()],
            Pass::Processed => self.patterns.clone(),
        };
        let mut found = globs::expand(home, &self.dir, &patterns).paths;
        found.retain(|path| path.strip_suffix(".erb").is_some());
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for path in found {
            match home.meta(&path)? {
                Some(meta) if meta.kind == Kind::File => there.push(path),
                // Variables are rendered already.
                None if !path.starts_with(&format!("{}/env/", self.dir)) => missing.push(path),
                _ => {}
            }
        }
        Ok((there, missing))
    }

    /// Renders one template; gives what there is to say about it.
    fn render(
        &self,
        cx: &Cx<'_>,
        home: &Dir,
        (path, environment): (&str, &Environment),
    ) -> Result<Option<String>, Failure> {
        let (rendered, note) =
            text_of(cx, home, &ruby::Template { gear: &self.gear, path, environment })?;
        let mode = home.meta(path)?.map_or(0o644, |meta| meta.mode);
        let target = target(path);
        home.put_file(target, &rendered, mode)?;
        if let Some((uid, gid)) = self.gear.owner {
            home.set_owner(target, uid, gid)?;
        }
        checkpoint("render_templates: the target is written");
        home.remove_file(path)?;
        Ok(note)
    }
}

/// Renders a template of a gear; gives the text, and what there is to say about it.
pub(super) fn text_of(
    cx: &Cx<'_>,
    home: &Dir,
    template: &ruby::Template<'_>,
) -> Result<(Vec<u8>, Option<String>), Failure> {
    let ruby::Template { gear, path, environment } = template;
    let bytes = home.read(path, LONGEST)?;
    let cannot = |text: String| {
        let shown = home.path_of(path);
        Failure::new(Exit::Failed, format!("cannot render `{}`: {text}", shown.display()))
    };
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| cannot(format!("it is not UTF-8 ({error})")))?;
    let files = GearFiles { home: home.path(), owner: gear.owner };
    let mut note = None;
    let rendered = match erb::render(text, &environment.as_text(), &files) {
        Ok(rendered) => rendered.into_bytes(),
        Err(error) if error.fault == Fault::Unsupported => {
            let Some((program, rendered)) = ruby::render(cx, home, template)? else {
                return Err(cannot(error.to_string()).hint(WITHOUT_RUBY));
            };
            note = Some(format!("`{path}`: {error}: `{}` rendered it", program.display()));
            rendered
        }
        Err(error) => return Err(cannot(error.to_string())),
    };
    Ok((rendered, note))
}

fn target(path: &str) -> &str {
    path.strip_suffix(".erb").unwrap_or(path)
}

impl Step for RenderTemplates {
    type Undo = Before;

    fn describe(&self) -> String {
        match self.pass {
            Pass::Env => format!("render the variables of `{}`", self.dir),
            Pass::Processed => format!("render the templates of `{}`", self.dir),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let mut templates = Vec::new();
        let (found, missing) = self.find(&home)?;
        for (index, path) in found.into_iter().enumerate() {
            let stash = cx.stash()?;
            tree::remove(&stash, format!("{index}.erb"))?;
            tree::copy(&home, &path, &stash, format!("{index}.erb"), Modes::Kept)?;
            let target_existed = home.has(target(&path))?;
            if target_existed {
                tree::remove(&stash, format!("{index}"))?;
                tree::copy(&home, target(&path), &stash, format!("{index}"), Modes::Kept)?;
            }
            templates.push(Template { path, target_existed });
        }
        Ok(Before { templates, missing })
    }

    fn apply(&self, before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let mut said = Said::default();
        let missing = |path: &String| {
            format!("`{path}` is declared in processed_templates, and does not exist")
        };
        said.warnings.extend(before.missing.iter().map(missing));
        if before.templates.is_empty() {
            return Ok(said);
        }
        let environment = environment::of(cx.host(), &home, &self.gear, Some(&self.dir));
        for Template { path, .. } in &before.templates {
            checkpoint("render_templates: before a template");
            if !home.has(path)? {
                continue;
            }
            match self.render(cx, &home, (path, &environment)) {
                Ok(note) => said.messages.extend(note),
                Err(failure) if self.pass == Pass::Env => {
                    return Err(failure.hint("`cart lint` checks a cartridge's templates"));
                }
                // `**/*.erb` reaches templates of vendored code that are none of the platform's.
                Err(failure) => {
                    let parts = std::iter::once(failure.one_line()).chain(failure.hints);
                    said.warnings.push(parts.collect::<Vec<_>>().join("; "));
                }
            }
        }
        Ok(said)
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        if before.templates.is_empty() || !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        let stash = cx.stash()?;
        for (index, Template { path, target_existed }) in before.templates.iter().enumerate() {
            let holder = std::path::Path::new(path).parent().unwrap_or(path.as_ref());
            if !home.has(holder)? {
                continue;
            }
            let target = target(path);
            home.remove_file(format!("{target}.cart-new"))?;
            put_back(&stash, &format!("{index}.erb"), &home, path)?;
            if *target_existed {
                put_back(&stash, &index.to_string(), &home, target)?;
            } else {
                home.remove_file(target)?;
            }
            checkpoint("render_templates: a template is put back");
        }
        Ok(())
    }
}

/// Puts a stashed file back over whatever stands there now.
fn put_back(stash: &Dir, name: &str, home: &Dir, path: &str) -> Result<(), Failure> {
    let beside = format!("{path}.cart-old");
    tree::remove(home, &beside)?;
    tree::copy(stash, name, home, &beside, Modes::Kept)?;
    Ok(home.rename(&beside, home, path)?)
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RenderTemplates {
    let gear = world.gear();
    let env = world.state.dir("gears/blog/mock/env").unwrap();
    env.write_new("A.erb", b"<%= ENV['OPENSHIFT_GEAR_UUID'] %>\n", 0o644).unwrap();
    env.write_new("B.erb", b"<%= \"x\" + \"y\" %>", 0o600).unwrap();
    env.write_new("B", b"old", 0o640).unwrap();
    RenderTemplates { gear, dir: "mock".into(), patterns: Vec::new(), pass: Pass::Env }
}
