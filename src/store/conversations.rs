//! Contacts and conversations.

use super::driver::{Row, values};
use super::{Hint, StoreError, Tx, sql};
use crate::model::{
    AgentId, Contact, ContactId, Conversation, ConversationId, ConversationState, DeskState, Lang, MessageId,
    Priority, TeamId, Timestamp,
};
use std::time::Duration;
use uuid::Uuid;

/// What was said in a conversation that was resolved this recently is carried into the next one. How long it is still
/// fresh there, `conversations.forget_after` says.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

impl Tx {
    /// The contact at `address`, created when new. In Postgres its row stays locked until the end of the
    /// transaction.
    pub async fn contact(
        &mut self,
        channel: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<Contact, StoreError> {
        super::check_key("address", address)?;
        let id = ContactId::new();
        let row = self.fetch_one(&sql::CONTACT_UPSERT, values![id, channel, address, now]).await?;
        contact(&row.ok_or(sqlx::Error::RowNotFound)?)
    }

    pub async fn contact_by_id(&mut self, id: ContactId) -> Result<Option<Contact>, StoreError> {
        self.fetch_one(&sql::CONTACT_BY_ID, values![id]).await?.as_ref().map(contact).transpose()
    }

    pub async fn contact_by_address(
        &mut self,
        channel: &str,
        address: &str,
    ) -> Result<Option<Contact>, StoreError> {
        let row = self.fetch_one(&sql::CONTACT_BY_ADDRESS, values![channel, address]).await?;
        row.as_ref().map(contact).transpose()
    }

    pub async fn set_contact_lang(&mut self, id: ContactId, lang: Lang) -> Result<(), StoreError> {
        self.execute(&sql::CONTACT_SET_LANG, values![id, lang.as_str()]).await?;
        Ok(())
    }

    /// The conversation that a message of this contact belongs to, and whether it was opened now: the one that
    /// is not over; else the last one, reopened, when it was resolved less than `reopen_within` ago; else a new
    /// one.
    pub async fn conversation_of(
        &mut self,
        contact: &Contact,
        now: Timestamp,
        reopen_within: Duration,
    ) -> Result<(Conversation, bool), StoreError> {
        if let Some(row) = self.fetch_one(&sql::CONVERSATION_OPEN_OF_CONTACT, values![contact.id]).await? {
            return Ok((conversation(&row)?, false));
        }
        let since = now.minus(reopen_within.max(REMEMBERED));
        let latest = self.fetch_one(&sql::CONVERSATION_LATEST_RESOLVED, values![contact.id, since]).await?;
        let latest = latest.as_ref().map(conversation).transpose()?;
        if !reopen_within.is_zero() {
            let since = now.minus(reopen_within);
            if let Some(latest) = latest.clone().filter(|c| c.resolved_at.is_some_and(|at| at >= since)) {
                // Its escalation is over: nobody is in charge, and nothing is urgent any more.
                let reopened = Conversation {
                    state: ConversationState::Bot,
                    priority: Priority::Normal,
                    reason: None,
                    agent_id: None,
                    escalated_at: None,
                    taken_at: None,
                    resolved_at: None,
                    desk: DeskState { tags: latest.desk.tags.clone(), ..DeskState::default() },
                    ..latest
                };
                self.save_conversation(&reopened).await?;
                return Ok((reopened, false));
            }
        }
        let id = ConversationId::new();
        let lang = contact.lang.map(|l| l.to_string());
        let dialogue = latest.map(|latest| latest.dialogue.memory()).unwrap_or_default();
        let dialogue = serde_json::to_string(&dialogue)?;
        let values = values![id, contact.id, contact.channel.as_str(), lang, now, dialogue];
        self.execute(&sql::CONVERSATION_INSERT, values).await?;
        let opened = self.conversation(id).await?.ok_or(sqlx::Error::RowNotFound)?;
        Ok((opened, true))
    }

    pub async fn conversation(&mut self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        self.fetch_one(&sql::CONVERSATION_BY_ID, values![id]).await?.as_ref().map(conversation).transpose()
    }

    /// The same, and nobody else changes it until the end of the transaction. Its contact is locked first, as
    /// when a message comes in.
    pub async fn lock_conversation(
        &mut self,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        self.fetch(&sql::CONVERSATION_LOCK_CONTACT, values![id]).await?;
        self.fetch_one(&sql::CONVERSATION_LOCK, values![id]).await?.as_ref().map(conversation).transpose()
    }

    /// Writes what can change of a conversation.
    pub async fn save_conversation(&mut self, c: &Conversation) -> Result<(), StoreError> {
        let dialogue = serde_json::to_string(&c.dialogue)?;
        self.execute(
            &sql::CONVERSATION_SAVE,
            values![
                c.id,
                c.state.as_str(),
                c.lang.map(|l| l.to_string()),
                c.intent.clone(),
                c.priority.as_str(),
                c.priority.rank(),
                c.reason.map(|r| r.as_str()),
                c.agent_id,
                dialogue,
                c.escalated_at,
                c.taken_at,
                c.resolved_at,
                c.desk.team,
                c.desk.offered_to,
                c.desk.offered_until,
                c.desk.snoozed_until,
                serde_json::to_string(&c.desk.tags)?,
                serde_json::to_string(&c.desk.about)?,
                c.desk.first_due_at,
                c.desk.next_due_at,
                c.desk.resolve_due_at,
                c.desk.warned_at,
                c.desk.breached_at,
            ],
        )
        .await?;
        self.hint(Hint::Conversation(c.id));
        Ok(())
    }

    /// What is shown with the conversation changed, though nothing in it did.
    pub fn tell_conversation(&mut self, id: ConversationId) {
        self.hint(Hint::Conversation(id));
    }
}

pub(super) fn contact(row: &Row) -> Result<Contact, StoreError> {
    Ok(Contact {
        id: ContactId(row.get("id")?),
        channel: row.get("channel")?,
        address: row.get("address")?,
        lang: lang(row, "lang")?,
        created_at: row.time("created_at")?,
        opted_out_at: row.opt_time("opted_out_at")?,
        opt_out_message: row.get::<Option<Uuid>>("opt_out_message")?.map(MessageId),
        name: row.get("name")?,
        blocked_at: row.opt_time("blocked_at")?,
        chosen_lang: lang(row, "chosen_lang")?,
    })
}

fn lang(row: &Row, column: &str) -> Result<Option<Lang>, StoreError> {
    Ok(row.get::<Option<String>>(column)?.and_then(|code| Lang::new(&code)))
}

pub(super) fn conversation(row: &Row) -> Result<Conversation, StoreError> {
    Ok(Conversation {
        id: ConversationId(row.get("id")?),
        contact_id: ContactId(row.get("contact_id")?),
        channel: row.get("channel")?,
        state: row.name("state")?,
        lang: lang(row, "lang")?,
        intent: row.get("intent")?,
        priority: row.name("priority")?,
        reason: row.get::<Option<String>>("reason")?.map(|r| r.parse()).transpose()?,
        agent_id: row.get::<Option<Uuid>>("agent_id")?.map(AgentId),
        dialogue: row.json("dialogue")?,
        opened_at: row.time("opened_at")?,
        escalated_at: row.opt_time("escalated_at")?,
        taken_at: row.opt_time("taken_at")?,
        resolved_at: row.opt_time("resolved_at")?,
        last_message_at: row.time("last_message_at")?,
        desk: DeskState {
            team: row.get::<Option<Uuid>>("team_id")?.map(TeamId),
            offered_to: row.get::<Option<Uuid>>("offered_to")?.map(AgentId),
            offered_until: row.opt_time("offered_until")?,
            snoozed_until: row.opt_time("snoozed_until")?,
            tags: row.json("tags")?,
            about: row.json("about")?,
            first_due_at: row.opt_time("first_due_at")?,
            next_due_at: row.opt_time("next_due_at")?,
            resolve_due_at: row.opt_time("resolve_due_at")?,
            warned_at: row.opt_time("warned_at")?,
            breached_at: row.opt_time("breached_at")?,
        },
    })
}
