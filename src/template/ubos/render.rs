//! Rendering (UBOS specification, 3.2).

use super::error::{Fault, VariableError};
use super::functions::{self, Accounts};
use super::scope::{Scope, Value};
use crate::package::ubos::chosen::Chosen;
use serde_json::Value as Json;

/// How many values deep variables may stand in values.
const DEEPEST: usize = 16;
/// The longest text that is made.
const LONGEST: usize = 16 << 20;

/// Scopes in which names are looked up, the nearest first: package, appconfig, site, host. Texts of
/// farther scopes see the nearer ones.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    /// The scopes.
    pub scopes: &'a [&'a Scope],
    /// The accounts of the host.
    pub accounts: &'a dyn Accounts,
}

/// Something wrong at a place of a text, with the names that led there.
struct Wrong {
    at: usize,
    variable: String,
    through: Vec<String>,
    fault: Fault,
}

impl Variables<'_> {
    /// Renders `template`. `\${` stays as it is, with its backslash; so does what is not closed.
    pub fn render(&self, template: &[u8]) -> Result<Vec<u8>, VariableError> {
        self.text(template, 0).map_err(|wrong| {
            let before = template.get(..wrong.at).unwrap_or(template);
            let line = before.split(|byte| *byte == b'\n').count();
            let head = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let column = String::from_utf8_lossy(head).chars().count() + 1;
            let Wrong { variable, through, fault, .. } = wrong;
            VariableError { line, column, variable, through, fault }
        })
    }

    /// Renders a text of which nothing but a text can come.
    pub fn render_text(&self, template: &str) -> Result<String, VariableError> {
        let bytes = self.render(template.as_bytes())?;
        // Only images and the like are no texts; they are put into files, not into names.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The value of `name`, resolved; nothing where no scope has it. Numbers and truth values stay
    /// what they are.
    pub fn get(&self, name: &str) -> Result<Option<Chosen>, VariableError> {
        match self.find(name) {
            None => Ok(None),
            Some(Value::Fixed(value)) => Ok(Some(value.clone())),
            Some(Value::Text(text)) => {
                let rendered = self.render(text.as_bytes()).map_err(|mut error| {
                    error.through.insert(0, name.to_owned());
                    error
                })?;
                Ok(Some(match String::from_utf8(rendered) {
                    Ok(text) => Chosen::Plain(Json::String(text)),
                    Err(error) => Chosen::Bytes(error.into_bytes()),
                }))
            }
        }
    }

    /// The value of `name` as it stands in the nearest scope that has it.
    pub(super) fn find(&self, name: &str) -> Option<&Value> {
        self.scopes.iter().find_map(|scope| scope.get(name))
    }

    fn text(&self, text: &[u8], depth: usize) -> Result<Vec<u8>, Wrong> {
        let mut made = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(found) = rest.windows(2).position(|pair| pair == b"${") {
            let (before, variable) = rest.split_at(found);
            made.extend_from_slice(before);
            let at = text.len() - variable.len();
            let escaped = at.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'\\');
            if !escaped && !variable.contains(&b'}') {
                // Nothing is closed any more.
                made.extend_from_slice(variable);
                rest = &[];
            } else if let Some((inner, length)) = (!escaped).then(|| inner(variable)).flatten() {
                let wrong = |wrong: Wrong| Wrong { at, ..wrong };
                made.extend(self.variable(inner, depth).map_err(wrong)?);
                rest = variable.get(length..).unwrap_or_default();
            } else {
                made.extend_from_slice(b"${");
                rest = variable.get(2..).unwrap_or_default();
            }
            if made.len() > LONGEST {
                let variable = inner(variable).map(|(name, _)| lossy(name)).unwrap_or_default();
                let fault = Fault::TooLong(LONGEST);
                return Err(Wrong { at, variable, through: Vec::new(), fault });
            }
        }
        made.extend_from_slice(rest);
        Ok(made)
    }

    /// What stands for `inner`, a name or a function with its argument.
    fn variable(&self, inner: &[u8], depth: usize) -> Result<Vec<u8>, Wrong> {
        let wrong = |fault| Wrong { at: 0, variable: lossy(inner), through: Vec::new(), fault };
        if depth > DEEPEST {
            return Err(wrong(Fault::Loop));
        }
        let Some((function, argument)) = function(inner) else {
            return self.named(inner, inner, depth);
        };
        if !functions::NAMES.contains(&function) {
            return Err(wrong(Fault::Function));
        }
        let literal = argument.iter().all(u8::is_ascii_digit);
        let given = if literal { argument.to_vec() } else { self.named(argument, inner, depth)? };
        functions::call(function, &given, self.accounts).map_err(wrong)
    }

    /// The value of the variable `name`, which stands in `inner`.
    fn named(&self, name: &[u8], inner: &[u8], depth: usize) -> Result<Vec<u8>, Wrong> {
        let found = std::str::from_utf8(name).ok().and_then(|name| self.find(name));
        match found {
            Some(Value::Text(text)) => {
                self.text(text.as_bytes(), depth + 1).map_err(|mut wrong| {
                    wrong.through.insert(0, lossy(inner));
                    wrong
                })
            }
            Some(Value::Fixed(Chosen::Bytes(bytes))) => Ok(bytes.clone()),
            Some(Value::Fixed(Chosen::Plain(Json::String(text)))) => Ok(text.clone().into_bytes()),
            Some(Value::Fixed(Chosen::Plain(Json::Bool(truth)))) => {
                Ok(if *truth { b"1".to_vec() } else { b"0".to_vec() })
            }
            Some(Value::Fixed(Chosen::Plain(Json::Number(number)))) => {
                Ok(number.to_string().into_bytes())
            }
            // Null is a value that nobody has given.
            Some(Value::Fixed(Chosen::Plain(_))) | None => {
                let fault = Fault::Missing;
                Err(Wrong { at: 0, variable: lossy(inner), through: Vec::new(), fault })
            }
        }
    }
}

/// What stands between the braces of a text that begins with `${`, without the white space at its
/// ends, and how long all of it is; nothing where it is empty or never closed.
fn inner(text: &[u8]) -> Option<(&[u8], usize)> {
    let close = text.iter().position(|byte| *byte == b'}')?;
    let inner = text.get(2..close)?.trim_ascii();
    (!inner.is_empty()).then_some((inner, close + 1))
}

/// The function and its argument, where `inner` is `function( argument )`.
fn function(inner: &[u8]) -> Option<(&str, &[u8])> {
    let open = inner.iter().position(|byte| *byte == b'(')?;
    let argument = inner.get(open + 1..)?.strip_suffix(b")")?.trim_ascii();
    let name = std::str::from_utf8(inner.get(..open)?.trim_ascii()).ok()?;
    let fine = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fine.then_some((name, argument))
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::functions::tests::OneAccount;
    use super::*;
    use serde_json::json;

    fn with<T>(run: impl FnOnce(&Variables) -> T) -> T {
        let near = Scope::of([
            ("package.name", Value::fixed("wiki")),
            ("p.evil", Value::fixed("${p.secret}\\${x}")),
            ("p.secret", Value::fixed("hunter2")),
            ("p.no", Value::fixed(false)),
            ("p.zero", Value::fixed(0)),
            ("p.text0", Value::fixed("0")),
            ("p.null", Value::fixed(Json::Null)),
            ("p.bytes", Value::Fixed(Chosen::Bytes(vec![0xff, 0]))),
        ]);
        let far = Scope::of([
            ("package.name", Value::fixed("far")),
            ("dir", Value::Text("/srv/${package.name}".into())),
            ("deep", Value::Text("${dir}/${ missing }".into())),
            ("loop", Value::Text("${loop}".into())),
            ("wide", Value::Text("${w1}".repeat(64))),
            ("w1", Value::Text("${w2}".repeat(64))),
            ("w2", Value::Text("${w3}".repeat(64))),
            ("w3", Value::Text("x".repeat(1000))),
            ("user", Value::fixed("http")),
        ]);
        run(&Variables { scopes: &[&near, &far], accounts: &OneAccount })
    }

    fn rendered(template: &str) -> String {
        with(|variables| match variables.render(template.as_bytes()) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("! {error}"),
        })
    }

    #[test]
    fn the_nearest_scope_counts_even_for_texts_of_the_farthest() {
        assert_eq!(rendered("${package.name} ${dir} ${ dir\n}"), "wiki /srv/wiki /srv/wiki");
    }

    #[test]
    fn what_is_no_variable_stays() {
        for text in ["\\${p.secret}", "$1 $x $", "${}", "${ \n}", "${open", "$ {dir}", "a}", ""] {
            assert_eq!(rendered(text), text);
        }
        assert_eq!(rendered("${}${dir}"), "${}/srv/wiki");
        // However many there are, each is looked at once.
        for many in ["${".repeat(400_000), "\\${".repeat(400_000) + "}"] {
            assert!(rendered(&many) == many);
        }
    }

    #[test]
    fn values_of_people_are_put_in_as_they_are() {
        assert_eq!(rendered("<${p.evil}>"), "<${p.secret}\\${x}>");
        assert_eq!(rendered("${trim(p.evil)}"), "${p.secret}\\${x}");
    }

    #[test]
    fn false_and_zero_are_not_lost() {
        assert_eq!(rendered("${p.no}${p.zero}${p.text0}"), "000");
        let get = |name: &str| with(|variables| variables.get(name).unwrap());
        assert_eq!(get("p.no"), Some(Chosen::Plain(json!(false))));
        assert_eq!(get("p.zero"), Some(Chosen::Plain(json!(0))));
        assert_eq!(get("dir"), Some(Chosen::Plain(json!("/srv/wiki"))));
        assert_eq!(get("none"), None);
    }

    #[test]
    fn functions_take_variables_and_numbers() {
        assert_eq!(rendered("${uid( user )} ${ gid(user) } ${uid(7)}"), "33 34 7");
        assert_eq!(rendered("${base64encode( p.bytes )}"), "/wA=\n");
        assert_eq!(rendered("${randomHex(12)}").len(), 12);
        assert_eq!(rendered("${randomPassword()}").len(), 8);
    }

    #[test]
    fn errors_name_variable_and_line_and_no_value() {
        for (template, said) in [
            ("é\n ${nix}", "line 2, column 2: `${nix}` is not known"),
            ("${p.null}", "line 1, column 1: `${p.null}` is not known"),
            (
                "\n\n${deep}",
                "line 3, column 1: `${missing}` is not known here (in the value of `${deep}`)",
            ),
            ("${loop}", "back to itself"),
            ("${randompassword(16)}", "unknown function; known are base64encode"),
            ("${uid(p.secret)}", "`${uid(p.secret)}` gives its function"),
            ("${trim(trim(dir))}", "`${trim(trim(dir))}` is not known"),
            ("${a${b}}", "`${a${b}` is not known"),
            ("${wide}", "longer than"),
        ] {
            let error = rendered(template);
            assert!(error.starts_with("! ") && error.contains(said), "{template}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_go_through() {
        let made = with(|variables| variables.render(b"\xfe${p.bytes}\xfe").unwrap());
        assert_eq!(made, [0xfe, 0xff, 0, 0xfe]);
    }
}
