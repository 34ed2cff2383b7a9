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
        deserializer.deserialize_any(AsWritten)
    }
}

/// Takes every scalar, so that no error message ever has a reason to show one.
struct AsWritten;

impl serde::de::Visitor<'_> for AsWritten {
    type Value = Secret;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Secret, E> {
        Ok(Secret::new(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Secret, E> {
        Ok(Secret::new(number.to_string()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Secret, E> {
        Ok(Secret::new(value.to_string()))
    }
}
