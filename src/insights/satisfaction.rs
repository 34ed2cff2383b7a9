//! What customers answered to the survey. Pure.

use crate::store::OfPeriod;
use serde::Serialize;
use std::collections::BTreeMap;

/// One set of surveys.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Scores {
    pub asked: usize,
    pub answered: usize,
    /// How many gave 1, 2, 3, 4, 5.
    pub distribution: [usize; 5],
}

impl Scores {
    /// None: nobody answered.
    pub fn mean(&self) -> Option<f64> {
        let sum: usize = self.distribution.iter().zip(1..).map(|(count, score)| count * score).sum();
        // Counts stay far below 2^53.
        (self.answered > 0).then(|| sum as f64 / self.answered as f64)
    }

    /// The share of 4 and 5 among the answers, 0 to 1 (CSAT). None: nobody answered.
    pub fn satisfied(&self) -> Option<f64> {
        let [.., four, five] = self.distribution;
        (self.answered > 0).then(|| (four + five) as f64 / self.answered as f64)
    }

    /// The share of those asked who answered, 0 to 1. None: nobody was asked.
    pub fn share(&self) -> Option<f64> {
        (self.asked > 0).then(|| self.answered as f64 / self.asked as f64)
    }

    fn add(&mut self, survey: &OfPeriod) {
        self.asked += 1;
        let place = survey.score.and_then(|score| usize::try_from(score - 1).ok());
        if let Some(count) = place.and_then(|place| self.distribution.get_mut(place)) {
            *count += 1;
            self.answered += 1;
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Satisfaction {
    pub overall: Scores,
    pub by_channel: BTreeMap<String, Scores>,
    /// Empty name: of no team.
    pub by_team: BTreeMap<String, Scores>,
}

/// A survey belongs to the period in which it was asked.
pub fn satisfaction(surveys: &[OfPeriod]) -> Satisfaction {
    let mut all = Satisfaction::default();
    for survey in surveys {
        all.overall.add(survey);
        all.by_channel.entry(survey.channel.clone()).or_default().add(survey);
        all.by_team.entry(survey.team.clone().unwrap_or_default()).or_default().add(survey);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConversationId, Timestamp};

    fn survey(score: Option<i64>, channel: &str, team: Option<&str>) -> OfPeriod {
        OfPeriod {
            conversation_id: ConversationId::new(),
            asked_at: Timestamp(0),
            score,
            comment: None,
            channel: channel.to_owned(),
            team: team.map(str::to_owned),
        }
    }

    #[test]
    fn figures_by_channel_and_team() {
        let all = satisfaction(&[
            survey(Some(5), "sms", Some("Nord")),
            survey(Some(4), "sms", None),
            survey(Some(1), "web", Some("Nord")),
            survey(None, "web", None),
        ]);
        assert_eq!(all.overall.distribution, [1, 0, 0, 1, 1]);
        assert_eq!((all.overall.asked, all.overall.answered), (4, 3));
        assert_eq!(all.overall.mean(), Some(10.0 / 3.0));
        assert_eq!(all.overall.satisfied(), Some(2.0 / 3.0));
        assert_eq!(all.overall.share(), Some(0.75));
        assert_eq!(all.by_channel["sms"].mean(), Some(4.5));
        assert_eq!(all.by_team["Nord"].satisfied(), Some(0.5));
        assert_eq!(all.by_team[""].share(), Some(0.5));
        let nobody = Scores::default();
        assert_eq!((nobody.mean(), nobody.satisfied(), nobody.share()), (None, None, None));
    }
}
