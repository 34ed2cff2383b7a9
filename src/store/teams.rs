//! Teams, who is in them, and who is there.

use super::driver::{Row, values};
use super::sql::teams as sql;
use super::{Hint, StoreError, Tx};
use crate::model::{
    AgentId, Conversation, ConversationId, EventKind, Lang, Presence, Seat, Team, TeamId, Timestamp,
};
use uuid::Uuid;

/// Someone in a team.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    pub team: TeamId,
    pub agent: AgentId,
    /// For a while only.
    pub until: Option<Timestamp>,
}

/// What the promises of a conversation are computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Promised {
    pub conversation: Conversation,
    pub unanswered_since: Option<Timestamp>,
    pub first_answered_at: Option<Timestamp>,
}

impl Tx {
    /// Adds a team or changes it.
    pub async fn save_team(&mut self, team: &Team, now: Timestamp) -> Result<(), StoreError> {
        let values = values![
            team.id,
            team.name.as_str(),
            serde_json::to_string(&team.languages)?,
            serde_json::to_string(&team.topics)?,
            serde_json::to_string(&team.channels)?,
            now
        ];
        self.execute(&sql::TEAM_UPSERT, values).await?;
        Ok(())
    }

    /// Nothing new goes to an archived team; its conversations stay. False: no such team.
    pub async fn archive_team(&mut self, team: TeamId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(&sql::TEAM_ARCHIVE, values![team, now]).await? == 1)
    }

    /// By name.
    pub async fn teams(&mut self) -> Result<Vec<Team>, StoreError> {
        let rows = self.fetch(&sql::TEAMS, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(Team {
                    id: TeamId(row.get("id")?),
                    name: row.get("name")?,
                    languages: row.json("languages")?,
                    topics: row.json("topics")?,
                    channels: row.json("channels")?,
                })
            })
            .collect()
    }

    /// The team that has this name, archived or not.
    pub async fn team_named(&mut self, name: &str) -> Result<Option<TeamId>, StoreError> {
        self.fetch_one(&sql::TEAM_NAMED, values![name])
            .await?
            .map(|row| Ok(TeamId(row.get("id")?)))
            .transpose()
    }

    pub async fn save_member(&mut self, member: Member) -> Result<(), StoreError> {
        self.execute(&sql::MEMBER_UPSERT, values![member.team, member.agent, member.until]).await?;
        Ok(())
    }

    pub async fn remove_member(&mut self, team: TeamId, agent: AgentId) -> Result<(), StoreError> {
        self.execute(&sql::MEMBER_DELETE, values![team, agent]).await?;
        Ok(())
    }

    /// Everyone in a team at `now`.
    pub async fn members(&mut self, now: Timestamp) -> Result<Vec<Member>, StoreError> {
        let rows = self.fetch(&sql::MEMBERS, values![now]).await?;
        rows.iter()
            .map(|row| {
                Ok(Member {
                    team: TeamId(row.get("team_id")?),
                    agent: AgentId(row.get("agent_id")?),
                    until: row.opt_time("until_at")?,
                })
            })
            .collect()
    }

    /// Everyone whose access has not ended, by name.
    pub async fn seats(&mut self, now: Timestamp) -> Result<Vec<Seat>, StoreError> {
        let members = self.members(now).await?;
        let rows = self.fetch(&sql::SEATS, values![now]).await?;
        rows.iter().map(|row| seat(row, &members)).collect()
    }

    pub async fn presence(&mut self, agent: AgentId) -> Result<Presence, StoreError> {
        let row = self.fetch_one(&sql::PRESENCE, values![agent]).await?;
        row.map_or(Ok(Presence::Away), |row| row.name("presence"))
    }

    pub async fn set_presence(
        &mut self,
        agent: AgentId,
        presence: Presence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&sql::PRESENCE_SET, values![agent, presence.as_str(), now]).await?;
        self.hint(Hint::Desk);
        Ok(())
    }

    /// How many conversations at once, and in which languages (none: any).
    pub async fn set_capacity(
        &mut self,
        agent: AgentId,
        capacity: i64,
        languages: &[Lang],
    ) -> Result<(), StoreError> {
        let values = values![agent, capacity, serde_json::to_string(languages)?];
        self.execute(&sql::CAPACITY_SET, values).await?;
        self.hint(Hint::Desk);
        Ok(())
    }

    /// What the person is in charge of, snoozed or not.
    pub async fn in_charge_of(&mut self, agent: AgentId) -> Result<Vec<ConversationId>, StoreError> {
        ids(&self.fetch(&sql::IN_CHARGE_OF, values![agent]).await?)
    }

    pub async fn offered_to(&mut self, agent: AgentId) -> Result<Vec<ConversationId>, StoreError> {
        ids(&self.fetch(&sql::OFFERED_TO, values![agent]).await?)
    }

    /// Offers that nobody accepted in time.
    pub async fn offers_over(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<ConversationId>, StoreError> {
        ids(&self.fetch(&sql::OFFERS_OVER, values![now, limit]).await?)
    }

    /// Waiting conversations that are offered to nobody at `now`, most pressing first.
    pub async fn to_offer(&mut self, now: Timestamp, limit: i64) -> Result<Vec<ConversationId>, StoreError> {
        ids(&self.fetch(&sql::TO_OFFER, values![now, limit]).await?)
    }

    /// The end of a snooze; its message tells everyone to look.
    pub(super) async fn wake(&mut self, conversation: ConversationId) -> Result<(), StoreError> {
        self.execute(&sql::WAKE, values![conversation]).await?;
        Ok(())
    }

    pub async fn snoozes_over(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<ConversationId>, StoreError> {
        ids(&self.fetch(&sql::SNOOZES_OVER, values![now, limit]).await?)
    }

    /// Conversations that people have or wait for, with the customer's oldest message that no person has answered and
    /// the first answer of a person.
    pub async fn promised(&mut self, limit: i64) -> Result<Vec<Promised>, StoreError> {
        let rows = self.fetch(&sql::PROMISED, values![limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(Promised {
                    conversation: super::conversations::conversation(row)?,
                    unanswered_since: row.opt_time("unanswered_since")?,
                    first_answered_at: row.opt_time("first_answered_at")?,
                })
            })
            .collect()
    }

    /// Who declined the conversation after `since`, or let its offer pass.
    pub async fn refused_offers(
        &mut self,
        conversation: ConversationId,
        since: Timestamp,
    ) -> Result<Vec<AgentId>, StoreError> {
        let rows = self.fetch(&sql::REFUSED_OFFERS, values![conversation, since]).await?;
        let agents = rows.iter().map(|row| Ok(row.get::<Option<Uuid>>("agent_id")?.map(AgentId)));
        Ok(agents.collect::<Result<Vec<_>, StoreError>>()?.into_iter().flatten().collect())
    }

    /// Offers in a row that the agent let pass since `since`, without a sign of life between them.
    pub async fn missed_offers(&mut self, agent: AgentId, since: Timestamp) -> Result<usize, StoreError> {
        let rows = self.fetch(&sql::MISSED_OFFERS, values![agent, since]).await?;
        let kinds = rows.iter().map(|row| row.name::<EventKind>("kind"));
        let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
        Ok(kinds.iter().take_while(|kind| **kind == EventKind::OfferExpired).count())
    }
}

fn ids(rows: &[Row]) -> Result<Vec<ConversationId>, StoreError> {
    rows.iter().map(|row| Ok(ConversationId(row.get("id")?))).collect()
}

fn seat(row: &Row, members: &[Member]) -> Result<Seat, StoreError> {
    let agent = super::agents::agent(row)?;
    let teams = members.iter().filter(|member| member.agent == agent.id).map(|member| member.team);
    Ok(Seat {
        teams: teams.collect(),
        presence: row.name("presence")?,
        presence_at: row.opt_time("presence_at")?,
        capacity: row.get("capacity")?,
        languages: row.json("languages")?,
        load: row.get("load")?,
        last_taken_at: row.opt_time("last_taken_at")?,
        agent,
    })
}
