use super::Span;
use serde::Deserialize;

/// How conversations come to agents.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoutingConfig {
    pub mode: RoutingMode,
    /// Time to accept an offer.
    pub accept: Span,
    /// After so many offers in a row without a sign of life, the person is set away.
    pub missed: usize,
    /// Who declined a conversation is not offered it again for so long.
    pub refused_for: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoutingMode {
    /// Agents take the next one themselves.
    Pull,
    /// It is offered to the freest agent who fits; the others can take it once the offer has passed.
    Offer,
}

impl Default for RoutingConfig {
    fn default() -> Self {
        Self {
            mode: RoutingMode::Pull,
            accept: Span::seconds(30),
            missed: 2,
            refused_for: Span::seconds(5 * 60),
        }
    }
}

impl RoutingConfig {
    pub(super) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let zero = std::time::Duration::from(self.accept).is_zero();
        let checks = [
            (zero, "desk.routing.accept", "must be more than zero, such as 30s"),
            (self.missed == 0, "desk.routing.missed", "must be at least 1"),
        ];
        checks.into_iter().filter(|(wrong, ..)| *wrong).map(|(_, key, what)| (key, what)).collect()
    }
}
