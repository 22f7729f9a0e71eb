//! Units of systemd, by name.

use crate::package::ubos::item::UnitKind;
use std::fmt;

/// The longest name that systemd takes.
const LONGEST: usize = 255;

/// The whole name of a unit: `name.service`, `name@instance.timer`. It is never an option and never a
/// path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct UnitName(String);

impl UnitName {
    /// The name of a unit of that kind; says what is wrong otherwise.
    pub fn new(name: &str, kind: UnitKind) -> Result<Self, String> {
        let ending = match kind {
            UnitKind::Service => "service",
            UnitKind::Timer => "timer",
            UnitKind::Target => "target",
        };
        Self::parse(&format!("{name}.{ending}"))
    }

    /// Reads a whole name; says what is wrong otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{}` is no name of a unit", text.escape_debug());
        let (name, ending) = text.rsplit_once('.').ok_or_else(wrong)?;
        let fine = |c: char| c.is_ascii_alphanumeric() || ":_.\\-@".contains(c);
        let is_fine = ["service", "timer", "target"].contains(&ending)
            && !name.is_empty()
            && text.len() <= LONGEST
            && text.chars().all(fine)
            && !name.starts_with(['-', '.', '@'])
            && name.matches('@').count() <= 1;
        is_fine.then(|| Self(text.to_owned())).ok_or_else(wrong)
    }

    /// The name of the file in which systemd looks for it: the template's, where it is an instance.
    pub fn file(&self) -> String {
        match (self.0.split_once('@'), self.0.rsplit_once('.')) {
            (Some((name, _)), Some((_, ending))) => format!("{name}@.{ending}"),
            _ => self.0.clone(),
        }
    }

    /// Tells whether it is an instance of a template.
    pub fn is_instance(&self) -> bool {
        self.0.contains('@')
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for UnitName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_neither_an_option_nor_a_path() {
        let named = UnitName::new("app@a1b2", UnitKind::Timer).unwrap();
        assert_eq!(named.as_str(), "app@a1b2.timer");
        assert_eq!((named.file().as_str(), named.is_instance()), ("app@.timer", true));
        assert_eq!(UnitName::parse("a.b.service").unwrap().file(), "a.b.service");
        for bad in ["", "-x", "../x", "a/b", "a b", "a\nb", "a*", "@x", "a@b@c", ".x", "ä"] {
            assert!(UnitName::new(bad, UnitKind::Service).is_err(), "{bad}");
        }
        for bad in ["x", "x.socket", ".service", "x.service/"] {
            assert!(UnitName::parse(bad).is_err(), "{bad}");
        }
        assert!(UnitName::new(&"x".repeat(250), UnitKind::Service).is_err());
        assert!(serde_json::from_str::<UnitName>("\"--now\"").is_err());
    }
}
