use serde::{Deserialize, Deserializer};

/// A value that is never printed. The environment may have made a number of it: it is taken as written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The only way to the value: search for it to see who reads secrets.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "(empty)" } else { "(secret)" })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Text(String),
            Int(i64),
            Bool(bool),
        }
        Ok(Self(
            match Raw::deserialize(deserializer).map_err(|_| {
                // The default message would print the value.
                serde::de::Error::custom("must be a text")
            })? {
                Raw::Text(text) => text,
                Raw::Int(number) => number.to_string(),
                Raw::Bool(value) => value.to_string(),
            },
        ))
    }
}
