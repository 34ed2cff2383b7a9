//! Who gets which conversation. Pure: what is known comes in, what to do comes out.

use crate::model::{
    AgentId, Conversation, ConversationId, Dialogue, EntityValue, Lang, Presence, Seat, Team, TeamId,
};
use std::cmp::Reverse;

/// The team that a conversation belongs to: the one that its intent names (`escalate: { team: … }`); else the one whose
/// skills match, the most special one first, then by name. None: everyone's.
pub fn team_for(conversation: &Conversation, named: Option<&str>, teams: &[Team]) -> Option<TeamId> {
    let by_name = |name: &str| teams.iter().find(|team| team.name.to_lowercase() == name.to_lowercase());
    if let Some(team) = named.and_then(by_name) {
        return Some(team.id);
    }
    let skilled = teams.iter().filter_map(|team| Some((skills(team, conversation)?, team)));
    let best = skilled.min_by_key(|(matched, team)| (Reverse(*matched), team.name.clone()))?;
    (best.0 > 0).then_some(best.1.id)
}

/// How many of the team's skills the conversation asks for; none when one of them does not fit.
fn skills(team: &Team, conversation: &Conversation) -> Option<usize> {
    let intent = conversation.intent.as_deref().unwrap_or_default();
    let domain = intent.split('.').next().unwrap_or_default();
    let checks = [
        (team.languages.is_empty(), conversation.lang.is_some_and(|lang| team.languages.contains(&lang))),
        (team.topics.is_empty(), team.topics.iter().any(|topic| topic == intent || topic == domain)),
        (team.channels.is_empty(), team.channels.contains(&conversation.channel)),
    ];
    checks.iter().all(|(any, fits)| *any || *fits).then(|| checks.iter().filter(|(any, _)| !any).count())
}

/// The stations, trains and lines that the customer named, each once.
pub fn about(dialogue: &Dialogue) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for value in dialogue.slots.values() {
        let name = match value {
            EntityValue::Station { station } => station.name.clone(),
            EntityValue::Train { number } => number.clone(),
            EntityValue::Line { name } => name.clone(),
            _ => continue,
        };
        if !named.contains(&name) {
            named.push(name);
        }
    }
    named
}

/// A conversation that waits, as offers are made.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub id: ConversationId,
    pub team: Option<TeamId>,
    pub lang: Option<Lang>,
    /// Who declined it lately, or let its offer pass.
    pub refused: Vec<AgentId>,
}

/// May this person be given the conversation?
pub fn fits(seat: &Seat, team: Option<TeamId>, lang: Option<Lang>) -> bool {
    let in_team = team.is_none_or(|team| seat.teams.contains(&team));
    let speaks = seat.languages.is_empty() || lang.is_none_or(|lang| seat.languages.contains(&lang));
    in_team && speaks
}

/// Whom to offer what: each of `waiting` in turn (most pressing first) to the available person who fits, has room, and
/// has least in hand; of equals, to who took their last one longest ago. What fits nobody now waits.
pub fn offers(waiting: &[Waiting], seats: &[Seat]) -> Vec<(ConversationId, AgentId)> {
    let mut seats: Vec<Seat> =
        seats.iter().filter(|seat| seat.presence == Presence::Available).cloned().collect();
    let mut offers = Vec::new();
    for conversation in waiting {
        let best = seats
            .iter_mut()
            .filter(|seat| seat.load < seat.capacity && !conversation.refused.contains(&seat.agent.id))
            .filter(|seat| fits(seat, conversation.team, conversation.lang))
            .min_by_key(|seat| (seat.load, seat.last_taken_at, seat.agent.id));
        if let Some(seat) = best {
            seat.load += 1;
            offers.push((conversation.id, seat.agent.id));
        }
    }
    offers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Agent, Role, Timestamp};

    fn team(name: &str, languages: &[Lang], topics: &[&str], channels: &[&str]) -> Team {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        let (topics, channels) = (words(topics), words(channels));
        Team { id: TeamId::new(), name: name.into(), languages: languages.to_vec(), topics, channels }
    }

    fn conversation(lang: Option<Lang>, intent: &str, channel: &str) -> Conversation {
        Conversation {
            lang,
            intent: Some(intent.into()),
            channel: channel.into(),
            ..Conversation::sample(Timestamp(0))
        }
    }

    #[test]
    fn the_most_special_team_that_fits() {
        let teams = [
            team("Voyage", &[], &["schedules", "traffic"], &[]),
            team("Travel", &[Lang::EN], &["schedules", "traffic"], &[]),
            team("Ouigo", &[], &[], &["ouigo-sms"]),
            team("Objets", &[], &["service.lost_item"], &[]),
        ];
        let cases = [
            (Some(Lang::FR), "schedules.next_departure", "sms", None, Some("Voyage")),
            (Some(Lang::EN), "schedules.next_departure", "sms", None, Some("Travel")),
            (None, "schedules.next_departure", "sms", None, Some("Voyage")),
            (Some(Lang::FR), "service.lost_item", "sms", None, Some("Objets")),
            (Some(Lang::FR), "service.toilets", "sms", None, None),
            (Some(Lang::FR), "service.toilets", "ouigo-sms", None, Some("Ouigo")),
            // The intent's file says who answers, whatever the case of its letters.
            (Some(Lang::FR), "service.toilets", "sms", Some("objets"), Some("Objets")),
            (Some(Lang::FR), "schedules.first_last", "sms", Some("nobody"), Some("Voyage")),
        ];
        for (lang, intent, channel, named, expected) in cases {
            let found = team_for(&conversation(lang, intent, channel), named, &teams);
            let name = teams.iter().find(|t| Some(t.id) == found).map(|t| t.name.as_str());
            assert_eq!(name, expected, "{lang:?} {intent} {channel} {named:?}");
        }
    }

    fn seat(name: &str, load: i64, last: i64) -> Seat {
        let agent = Agent { id: AgentId::new(), login: name.into(), name: name.into(), role: Role::Agent };
        Seat {
            agent,
            presence: Presence::Available,
            presence_at: None,
            capacity: 2,
            languages: Vec::new(),
            teams: Vec::new(),
            load,
            last_taken_at: Some(Timestamp(last)),
        }
    }

    fn waiting(team: Option<TeamId>, lang: Lang, refused: Vec<AgentId>) -> Waiting {
        Waiting { id: ConversationId::new(), team, lang: Some(lang), refused }
    }

    #[test]
    fn the_freest_who_fits_is_offered_it() {
        let night = TeamId::new();
        let busy = seat("busy", 1, 1);
        let rested = seat("rested", 0, 5);
        let longest = seat("longest", 0, 2);
        let full = seat("full", 2, 0);
        let away = Seat { presence: Presence::Away, ..seat("away", 0, 0) };
        let english = Seat { languages: vec![Lang::EN], teams: vec![night], ..seat("english", 1, 9) };
        let seats = [busy.clone(), rested.clone(), longest.clone(), full, away, english.clone()];
        let one = |conversation: Waiting| offers(&[conversation], &seats).first().map(|(_, agent)| *agent);
        assert_eq!(one(waiting(None, Lang::FR, vec![])), Some(longest.agent.id));
        assert_eq!(one(waiting(None, Lang::FR, vec![longest.agent.id])), Some(rested.agent.id));
        assert_eq!(one(waiting(Some(night), Lang::EN, vec![])), Some(english.agent.id));
        // In the team, but not of that language: nobody is made to guess.
        assert_eq!(one(waiting(Some(night), Lang::FR, vec![])), None);
        assert_eq!(one(waiting(Some(TeamId::new()), Lang::FR, vec![])), None);
    }

    #[test]
    fn nobody_is_offered_more_than_they_have_room_for() {
        let seats = [seat("a", 0, 1), seat("b", 1, 0)];
        let all: Vec<Waiting> = (0..6).map(|_| waiting(None, Lang::FR, vec![])).collect();
        let made = offers(&all, &seats);
        let of = |seat: &Seat| made.iter().filter(|(_, agent)| *agent == seat.agent.id).count();
        assert_eq!((made.len(), of(&seats[0]), of(&seats[1])), (3, 2, 1));
        // Most pressing first.
        assert_eq!(
            made.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
            all[..3].iter().map(|w| w.id).collect::<Vec<_>>()
        );
    }
}
