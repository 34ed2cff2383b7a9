//! Messages that are not answered now: of machines, of who writes faster than we answer, of who seems to send spam. All are
//! kept and shown; what was set aside is read later as one message, or when a person says so.

use super::deliver::commit_if;
use super::process::{Effects, said_by_itself};
use super::{Done, Worker};
use crate::channels::split;
use crate::config::MannersConfig;
use crate::content::Live;
use crate::engine::manners::{self, Habits, Limits};
use crate::model::{
    Contact, ContactId, Conversation, ConversationState, EventKind, Lang, Message, Quarantine, Spoken,
    Suspicion, Timestamp, Understanding,
};
use crate::store::{ClaimedJob, StoreError, Tx};
use serde_json::json;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Of an exchange, so many messages are looked at. More than any limit that makes sense.
const LOOKED_AT: i64 = 200;
/// The last messages that were set aside are read as one; those before them are left to people.
const READ_AS_ONE: i64 = 6;
/// How long, and how many texts, the crowd is remembered.
const CROWD_WITHIN: Duration = Duration::from_secs(600);
const CROWD_TEXTS: usize = 4_096;

/// The operator's choices, and what many contacts wrote lately. Clones share it.
#[derive(Clone)]
pub struct Manners {
    config: MannersConfig,
    crowd: Arc<Mutex<Crowd>>,
}

impl Manners {
    pub fn new(config: MannersConfig) -> Self {
        Self { config, crowd: Arc::default() }
    }

    fn limits(&self) -> Limits {
        Limits {
            replies: self.config.replies_per_window,
            window: self.config.window.into(),
            messages_per_minute: self.config.messages_per_minute,
        }
    }
}

/// Who wrote which long text lately. Kept by this process alone: it only helps to notice.
#[derive(Default)]
struct Crowd(VecDeque<(Timestamp, u64, ContactId)>);

impl Crowd {
    /// How many contacts wrote `text` lately, this one included.
    fn join(&mut self, contact: ContactId, text: &str, now: Timestamp) -> usize {
        let mut hasher = DefaultHasher::new();
        text.trim().to_lowercase().hash(&mut hasher);
        let hash = hasher.finish();
        while self.0.front().is_some_and(|(at, ..)| now.since(*at) > CROWD_WITHIN) {
            self.0.pop_front();
        }
        if !self.0.iter().any(|(_, known, who)| *known == hash && *who == contact) {
            if self.0.len() >= CROWD_TEXTS {
                self.0.pop_front();
            }
            self.0.push_back((now, hash, contact));
        }
        self.0.iter().filter(|(_, known, _)| *known == hash).count()
    }
}

/// What was so far, when a message is read.
pub(super) struct Background {
    lately: Vec<Spoken>,
    /// Messages that were set aside.
    pub aside: Vec<Message>,
    quarantine: Option<Quarantine>,
    limits: Limits,
    now: Timestamp,
}

impl Background {
    pub async fn read(
        tx: &mut Tx,
        conversation: &Conversation,
        manners: &Manners,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let limits = manners.limits();
        let since = now.minus(limits.window.max(manners::MINUTE));
        Ok(Self {
            lately: tx.exchange(conversation.contact_id, since, LOOKED_AT).await?,
            aside: tx.aside(conversation.id, READ_AS_ONE).await?,
            quarantine: tx.quarantine_of(conversation.contact_id).await?,
            limits,
            now,
        })
    }

    pub fn habits(&self) -> Habits<'_> {
        Habits { lately: &self.lately, limits: self.limits, now: self.now }
    }

    /// The words to read instead of the message's own, when messages that were set aside wait to be read before it. An
    /// emergency is read alone, and what is in quarantine waits for a person.
    pub fn goes_before(&self, said: &Message, understanding: &Understanding, live: &Live) -> Option<String> {
        let urgent = manners::emergency(understanding, &live.intents).is_some();
        let command = manners::is_command(&said.text, &live.phrases);
        let first = as_one(&self.aside).filter(|_| !urgent && !command && self.quarantine.is_none())?;
        Some(super::gather::joined(&first, std::slice::from_ref(said)))
    }

    /// The same messages are set aside as when we read them. The transaction must hold the conversation.
    pub async fn still_holds(&self, tx: &mut Tx, conversation: &Conversation) -> Result<bool, StoreError> {
        let now = tx.aside(conversation.id, READ_AS_ONE).await?;
        Ok(now.iter().map(|m| m.id).eq(self.aside.iter().map(|m| m.id)))
    }
}

/// Why a message is not answered now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    Automatic,
    TooFast,
    Quarantined(Suspicion),
}

impl Unanswered {
    fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::TooFast => "too_fast",
            Self::Quarantined(_) => "quarantined",
        }
    }
}

/// A message and where it stands.
pub(super) struct Seen<'a> {
    pub message: &'a Message,
    pub conversation: &'a Conversation,
    pub contact: &'a Contact,
    pub background: &'a Background,
}

impl Worker {
    /// Whether the message is answered now, and why not.
    pub(super) fn unanswered(
        &self,
        seen: &Seen<'_>,
        understanding: &Understanding,
        live: &Live,
    ) -> Option<Unanswered> {
        let Seen { message, conversation, contact, background } = seen;
        if message.automatic || manners::is_unread_address(&contact.address) {
            return Some(Unanswered::Automatic);
        }
        if manners::emergency(understanding, &live.intents).is_some()
            || manners::is_command(&message.text, &live.phrases)
        {
            return None;
        }
        if manners::is_automatic(&message.text, &understanding.entities, &live.phrases) {
            return Some(Unanswered::Automatic);
        }
        if conversation.state != ConversationState::Bot {
            return None;
        }
        let answer_from = self.mind.rules.answer_from;
        let concern = manners::is_concern(understanding, &live.intents, answer_from);
        if let Some(known) = background.quarantine
            && (known.confirmed_at.is_some() || !concern)
        {
            return Some(Unanswered::Quarantined(known.why));
        }
        let habits = background.habits();
        if habits.too_fast(message.created_at) {
            return Some(Unanswered::TooFast);
        }
        if concern || !self.mind.manners.config.quarantine {
            return None;
        }
        let crowd = manners::is_telling(&message.text).then(|| {
            let mut crowd = self.mind.manners.crowd.lock().unwrap_or_else(PoisonError::into_inner);
            crowd.join(contact.id, &message.text, background.now)
        });
        habits.suspicion(&message.text, crowd.unwrap_or(0)).map(Unanswered::Quarantined)
    }

    /// Keeps the message, with the `parts` that belong to it, unanswered. `None`: the conversation changed meanwhile.
    pub(super) async fn leave(
        &self,
        job: &ClaimedJob,
        seen: &Seen<'_>,
        parts: &[Message],
        why: Unanswered,
        lang: Lang,
    ) -> Result<Option<Done>, StoreError> {
        let Seen { message, conversation, contact, background } = seen;
        let now = background.now;
        let mut tx = self.store.begin().await?;
        let current = tx.lock_conversation(conversation.id).await?.ok_or(sqlx::Error::RowNotFound)?;
        if current.state != conversation.state {
            return Ok(None);
        }
        let mut slow_down = false;
        for part in std::iter::once(*message).chain(parts) {
            match why {
                Unanswered::Automatic => tx.set_automatic(part).await?,
                Unanswered::TooFast | Unanswered::Quarantined(_) => tx.set_aside(part, now).await?,
            }
        }
        match why {
            Unanswered::Automatic => {}
            Unanswered::TooFast => {
                let first = tx.read_later(message, now.plus(manners::MINUTE)).await?;
                slow_down = first && contact.opted_out_at.is_none() && !background.habits().is_spent();
            }
            Unanswered::Quarantined(suspicion) => tx.quarantine(&current, suspicion, now).await?,
        }
        let channels = &self.channels;
        let mut effects = Effects { tx, channels, now, message, conversation: current };
        effects.event(EventKind::MessageSetAside, message.id, json!({"why": why.as_str()})).await?;
        if slow_down {
            let live = self.mind.content.live();
            let notice = said_by_itself("system.slow_down", &conversation.dialogue);
            let text =
                self.mind.render(&self.channels, &notice.lines, &conversation.channel, lang, &live, now);
            let parts = match channels.get(&conversation.channel) {
                Some(channel) => channel.parts(&contact.address, &text),
                None => split(&text, usize::MAX),
            };
            effects.say(&notice, parts).await?;
        }
        let Effects { mut tx, .. } = effects;
        let mut kept = tx.complete_job(job).await?;
        for part in parts {
            kept &= tx.end_job_behind(part.id).await?;
        }
        commit_if(tx, kept).await.map(Some)
    }

    /// Before what was set aside is read: is it time, and is there anything to read? `None`: yes.
    pub(super) async fn not_yet(
        &self,
        job: &ClaimedJob,
        conversation: &Conversation,
        background: &Background,
    ) -> Result<Option<Done>, StoreError> {
        let calm_at = background.habits().calm_at();
        // In quarantine it waits for a person, and what is over needs no answer.
        let over = conversation.state == ConversationState::Resolved;
        let nothing = over || background.aside.is_empty() || background.quarantine.is_some();
        if !nothing && calm_at <= background.now {
            return Ok(None);
        }
        let mut tx = self.store.begin().await?;
        let kept = if nothing { tx.complete_job(job).await? } else { tx.defer_job(job, calm_at).await? };
        commit_if(tx, kept).await.map(Some)
    }
}

/// Messages as one: the last of them, with the words of all.
pub(super) fn as_one(messages: &[Message]) -> Option<Message> {
    let (first, rest) = messages.split_first()?;
    let last = messages.last()?;
    Some(Message { text: super::gather::joined(first, rest), ..last.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_counted_by_contact_and_forgotten() {
        let mut crowd = Crowd::default();
        let (a, b) = (ContactId::new(), ContactId::new());
        let at = |seconds| Timestamp(1_766_000_000_000_000).plus(Duration::from_secs(seconds));
        assert_eq!(crowd.join(a, "Gagnez", at(0)), 1);
        assert_eq!(crowd.join(a, " gagnez ", at(1)), 1);
        assert_eq!(crowd.join(b, "Gagnez", at(2)), 2);
        assert_eq!(crowd.join(b, "autre", at(3)), 1);
        assert_eq!(crowd.join(a, "Gagnez", at(700)), 1);
        for _ in 0..CROWD_TEXTS * 2 {
            crowd.join(ContactId::new(), "x", at(701));
        }
        assert_eq!(crowd.0.len(), CROWD_TEXTS);
    }
}
