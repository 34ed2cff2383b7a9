//! Who changes teams, and what a team may look like. Each operation is one transaction with its line in the audit log.

use crate::model::{Agent, AgentId, Lang, Role, Team, TeamId, Timestamp};
use crate::store::{Member, Store, StoreError, Tx};
use serde_json::{Value, json};

/// Words of one list of skills.
pub const SKILLS: usize = 50;
/// Characters of a name, and of a word.
const LONGEST: usize = 80;
/// Conversations at once.
const MOST_AT_ONCE: i64 = 50;

#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    #[error("your role does not allow this")]
    NotAllowed,
    #[error("there is no such team")]
    NoTeam,
    #[error("there is no such person")]
    NoPerson,
    #[error("a team needs a name")]
    NoName,
    /// An archived one keeps its name, for reports.
    #[error("another team has this name, or had it")]
    NameTaken,
    #[error("conversations at once: a number from 0 to 50")]
    Capacity,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a manager says of a team.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// None: a new one.
    pub id: Option<TeamId>,
    pub name: String,
    /// Skills; an empty list is any.
    pub languages: Vec<Lang>,
    pub topics: Vec<String>,
    pub channels: Vec<String>,
}

/// Adds a team, or changes it.
pub async fn save(store: &Store, now: Timestamp, by: &Agent, wanted: Wanted) -> Result<TeamId, TeamError> {
    manager(by)?;
    let Wanted { id, name, mut languages, topics, channels } = wanted;
    let name: String = name.trim().chars().take(LONGEST).collect();
    if name.is_empty() {
        return Err(TeamError::NoName);
    }
    languages.truncate(SKILLS);
    let team = Team {
        id: id.unwrap_or_default(),
        name,
        languages,
        topics: words(topics),
        channels: words(channels),
    };
    let mut tx = store.begin().await?;
    if id.is_some() {
        name_of(&mut tx, team.id).await?;
    }
    if tx.team_named(&team.name).await?.is_some_and(|known| known != team.id) {
        return Err(TeamError::NameTaken);
    }
    tx.save_team(&team, now).await?;
    let data =
        json!({ "languages": codes(&team.languages), "topics": team.topics, "channels": team.channels });
    note(&mut tx, by, now, "team.saved", &team.name, data).await?;
    tx.commit().await?;
    Ok(team.id)
}

/// Nothing new goes to it.
pub async fn archive(store: &Store, now: Timestamp, by: &Agent, id: TeamId) -> Result<(), TeamError> {
    manager(by)?;
    let mut tx = store.begin().await?;
    let name = name_of(&mut tx, id).await?;
    tx.archive_team(id, now).await?;
    note(&mut tx, by, now, "team.archived", &name, json!({})).await?;
    Ok(tx.commit().await?)
}

pub async fn add_member(store: &Store, now: Timestamp, by: &Agent, member: Member) -> Result<(), TeamError> {
    manager(by)?;
    let mut tx = store.begin().await?;
    let name = name_of(&mut tx, member.team).await?;
    let agent = tx.agent(member.agent).await?.ok_or(TeamError::NoPerson)?;
    tx.save_member(member).await?;
    let data = json!({ "login": agent.login, "until": member.until.map(|at| at.to_string()) });
    note(&mut tx, by, now, "team.member_added", &name, data).await?;
    Ok(tx.commit().await?)
}

pub async fn remove_member(
    store: &Store,
    now: Timestamp,
    by: &Agent,
    team: TeamId,
    agent: AgentId,
) -> Result<(), TeamError> {
    manager(by)?;
    let mut tx = store.begin().await?;
    let name = name_of(&mut tx, team).await?;
    tx.remove_member(team, agent).await?;
    note(&mut tx, by, now, "team.member_removed", &name, json!({ "agent": agent })).await?;
    Ok(tx.commit().await?)
}

/// How many conversations at once, and in which languages.
pub async fn set_seat(
    store: &Store,
    now: Timestamp,
    by: &Agent,
    agent: AgentId,
    capacity: i64,
    languages: &[Lang],
) -> Result<(), TeamError> {
    manager(by)?;
    if !(0..=MOST_AT_ONCE).contains(&capacity) {
        return Err(TeamError::Capacity);
    }
    let languages = &languages[..languages.len().min(SKILLS)];
    let mut tx = store.begin().await?;
    let known = tx.agent(agent).await?.ok_or(TeamError::NoPerson)?;
    tx.set_capacity(agent, capacity, languages).await?;
    let data = json!({ "capacity": capacity, "languages": codes(languages) });
    note(&mut tx, by, now, "seat.changed", &known.login, data).await?;
    Ok(tx.commit().await?)
}

/// `fr, en`
pub fn codes(languages: &[Lang]) -> String {
    languages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn words(words: Vec<String>) -> Vec<String> {
    let words = words.iter().map(|word| word.trim()).filter(|word| !word.is_empty());
    words.take(SKILLS).map(|word| word.chars().take(LONGEST).collect()).collect()
}

fn manager(by: &Agent) -> Result<(), TeamError> {
    if by.role >= Role::Manager { Ok(()) } else { Err(TeamError::NotAllowed) }
}

async fn name_of(tx: &mut Tx, id: TeamId) -> Result<String, TeamError> {
    let team = tx.teams().await?.into_iter().find(|team| team.id == id);
    team.map(|team| team.name).ok_or(TeamError::NoTeam)
}

async fn note(
    tx: &mut Tx,
    by: &Agent,
    now: Timestamp,
    action: &str,
    target: &str,
    data: Value,
) -> Result<(), StoreError> {
    tx.audit(now, Some(by.id), action, target, &data).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::{NOW, desk, person};

    #[tokio::test]
    async fn a_name_is_one_teams_even_when_it_is_archived_and_however_it_is_written() {
        let desk = desk().await;
        let manager = person(&desk.store, "Nour", Role::Manager).await;
        let save = async |id, name: &str| {
            let (languages, name) = (Vec::new(), name.to_owned());
            let wanted = Wanted { id, name, languages, topics: Vec::new(), channels: Vec::new() };
            super::save(&desk.store, NOW, &manager, wanted).await
        };
        let night = save(None, " Night ").await.unwrap();
        assert!(matches!(save(None, "Night").await, Err(TeamError::NameTaken)));
        assert_eq!(save(Some(night), "Night").await.unwrap(), night);
        archive(&desk.store, NOW, &manager, night).await.unwrap();
        assert!(matches!(save(None, "Night").await, Err(TeamError::NameTaken)));
        assert!(matches!(save(Some(night), "Day").await, Err(TeamError::NoTeam)));
        // Both are stored with U+FFFD.
        save(None, "a\0").await.unwrap();
        assert!(matches!(save(None, "a\0").await, Err(TeamError::NameTaken)));
        let agent = Agent { role: Role::Agent, ..manager.clone() };
        assert!(matches!(archive(&desk.store, NOW, &agent, night).await, Err(TeamError::NotAllowed)));
    }
}
