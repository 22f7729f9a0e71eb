//! Values of customization points.

use super::mime;
use serde_json::{Map, Value as Json};

/// A value as a manifest or a site file has it: `{"value": …}`, perhaps with `"encoding": "base64"`.
#[derive(Clone, PartialEq, Eq)]
pub enum Chosen {
    /// A text, a number or a truth value.
    Plain(Json),
    /// Bytes that were encoded.
    Bytes(Vec<u8>),
}

impl Chosen {
    /// The object that stands for it in a site file.
    pub fn to_json(&self) -> Json {
        let mut object = Map::new();
        match self {
            Self::Plain(value) => {
                object.insert("value".into(), value.clone());
            }
            Self::Bytes(bytes) => {
                object.insert("encoding".into(), "base64".into());
                object.insert("value".into(), mime::encode(bytes).into());
            }
        }
        Json::Object(object)
    }

    /// Reads such an object; the error says what is wrong with it, without the value.
    pub fn from_json(json: &Json) -> Result<Self, &'static str> {
        let value = json.get("value").ok_or("has no `value`: add it")?;
        if value.is_array() || value.is_object() {
            return Err("has a `value` that is no text, number or truth value: write one");
        }
        match (json.get("encoding"), value) {
            (None, value) => Ok(Self::Plain(value.clone())),
            (Some(Json::String(encoding)), Json::String(text)) if encoding == "base64" => {
                Ok(Self::Bytes(mime::decode(text.as_bytes())))
            }
            (Some(_), _) => Err("has an `encoding` that is not `base64`, or no text: write that"),
        }
    }
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It may be a password.
        f.write_str("Chosen(…)")
    }
}

impl serde::Serialize for Chosen {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(to)
    }
}

impl<'de> serde::Deserialize<'de> for Chosen {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(from)?;
        Self::from_json(&json).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_again() {
        for chosen in [
            Chosen::Plain(json!("a")),
            Chosen::Plain(json!(false)),
            Chosen::Plain(json!(0)),
            Chosen::Bytes(vec![0, 255, 10]),
        ] {
            assert!(Chosen::from_json(&chosen.to_json()) == Ok(chosen));
        }
        for bad in [json!({}), json!({"value": []}), json!({"value": "a", "encoding": "rot13"})] {
            assert!(Chosen::from_json(&bad).is_err(), "{bad}");
        }
        assert!(!format!("{:?}", Chosen::Plain(json!("secret"))).contains("secret"));
    }
}
