use super::{OnCallConfig, Span};
use crate::model::Priority;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the desk promises, in business time: spans run while people are there.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlaConfig {
    /// From the hand-over to the first answer of a person.
    pub first_answer: ByPriority,
    /// From a customer's message to the next answer of a person.
    pub next_answer: ByPriority,
    /// From the hand-over to the end.
    pub resolution: ByPriority,
    /// How long before a promised time the desk is warned.
    pub warn_before: Span,
    /// Whether `desk.on_call` is told, beside the supervisors' screens.
    pub notify: bool,
    /// By a team's name, what differs for it.
    pub teams: BTreeMap<String, Promises>,
}

/// The same for one team.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Promises {
    pub first_answer: ByPriority,
    pub next_answer: ByPriority,
    pub resolution: ByPriority,
}

/// Spans by priority; what is left out is not promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ByPriority {
    pub urgent: Option<Span>,
    pub high: Option<Span>,
    pub normal: Option<Span>,
}

impl ByPriority {
    pub fn of(&self, priority: Priority) -> Option<Span> {
        match priority {
            Priority::Urgent => self.urgent,
            Priority::High => self.high,
            Priority::Normal => self.normal,
        }
    }

    /// What is said here, else what is said in general.
    pub fn or(self, general: ByPriority) -> ByPriority {
        ByPriority {
            urgent: self.urgent.or(general.urgent),
            high: self.high.or(general.high),
            normal: self.normal.or(general.normal),
        }
    }
}

impl Default for SlaConfig {
    fn default() -> Self {
        let none = ByPriority::default();
        Self {
            first_answer: none,
            next_answer: none,
            resolution: none,
            warn_before: Span::seconds(5 * 60),
            notify: false,
            teams: BTreeMap::new(),
        }
    }
}

impl SlaConfig {
    /// A team's promises; those of all where it has none of its own.
    pub fn of(&self, team: Option<&str>) -> Promises {
        let own = team.and_then(|team| self.teams.get(team)).copied().unwrap_or_default();
        Promises {
            first_answer: own.first_answer.or(self.first_answer),
            next_answer: own.next_answer.or(self.next_answer),
            resolution: own.resolution.or(self.resolution),
        }
    }

    pub(super) fn problems(&self, on_call: &OnCallConfig) -> Vec<(&'static str, String)> {
        let nobody = self.notify && on_call.url.is_empty();
        let what = "tells nobody without desk.on_call.url. Cure: set it, or leave notify out".to_owned();
        nobody.then_some(("desk.sla.notify", what)).into_iter().collect()
    }

    /// Is anything promised at all?
    pub fn promises(&self) -> bool {
        self.of(None) != Promises::default() || !self.teams.is_empty()
    }
}
