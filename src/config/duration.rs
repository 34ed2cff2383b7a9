use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// A length of time as people write it: `30s`, `5m`, `2h 30m`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let cure = || serde::de::Error::custom(format!("'{text}' is no duration: write 30s, 5m or 2h"));
        let span: jiff::SignedDuration = text.parse().map_err(|_| cure())?;
        Duration::try_from(span).map(Span).map_err(|_| cure())
    }
}
