use super::Span;
use serde::Deserialize;
use std::time::Duration;

/// Longer, and a passenger waits for an answer that is written.
const LONGEST: Duration = Duration::from_secs(60);

/// `desk.undo`: how long a reply of an agent waits in the outbox, so that they can take it back; zero: it leaves at once.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub struct Undo(pub Span);

impl Default for Undo {
    fn default() -> Self {
        Self(Span::seconds(5))
    }
}

impl From<Undo> for Duration {
    fn from(undo: Undo) -> Self {
        undo.0.into()
    }
}

impl Undo {
    pub(super) fn problems(self) -> Option<(&'static str, String)> {
        let what = "is longer than a minute, for which the customer would wait. Write 5s, or 0s for none";
        (Duration::from(self) > LONGEST).then(|| ("desk.undo", what.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_seconds_none_and_never_minutes() {
        let undo = |text: &str| -> Undo {
            toml::from_str::<std::collections::BTreeMap<String, Undo>>(text).unwrap()["undo"]
        };
        assert_eq!(Duration::from(Undo::default()), Duration::from_secs(5));
        assert!(undo("undo = \"0s\"").problems().is_none());
        assert!(undo("undo = \"60s\"").problems().is_none());
        assert_eq!(undo("undo = \"2m\"").problems().unwrap().0, "desk.undo");
    }
}
