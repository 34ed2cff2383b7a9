use super::{Span, Undo};
use serde::Deserialize;
use std::time::Duration;

/// What customers are asked after the end of a conversation.
///
/// Off unless it is switched on: it sends messages that nobody asked for, on SMS at the operator's cost, and whether customers
/// may be asked is for the operator to say.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SurveyConfig {
    pub enabled: bool,
    /// How long after the end it is asked: a customer who writes again meanwhile is not.
    pub after: Span,
    /// What could not be asked within this time of the end, because of quiet hours, is not asked any more.
    pub within: Span,
    /// No contact is asked more often.
    pub again_after: Span,
    /// How long an answer counts.
    pub open_for: Span,
    /// Whether conversations that only the bot answered are asked about.
    pub bot: bool,
    /// Whether a comment is asked for after the score.
    pub comment: bool,
    /// Channels where nothing is asked, by name.
    pub not_on: Vec<String>,
}

impl Default for SurveyConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            after: Span::seconds(60),
            within: Span::seconds(12 * 3600),
            again_after: Span::seconds(30 * 86_400),
            open_for: Span::seconds(2 * 86_400),
            bot: false,
            comment: true,
            not_on: Vec::new(),
        }
    }
}

impl SurveyConfig {
    pub(super) fn problems(&self, undo: Undo) -> Vec<(&'static str, String)> {
        let (after, within) = (Duration::from(self.after), Duration::from(self.within));
        let checks = [
            // A reply that ended a conversation may still be taken back, and with it the end.
            (self.enabled && after <= Duration::from(undo), "survey.after", "must be longer than desk.undo"),
            (after >= within, "survey.within", "must be longer than survey.after"),
            (
                Duration::from(self.open_for).is_zero(),
                "survey.open_for",
                "must be more than zero, such as 48h",
            ),
        ];
        checks.into_iter().filter(|(wrong, ..)| *wrong).map(|(_, key, what)| (key, what.to_owned())).collect()
    }
}
