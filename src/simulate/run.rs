//! Plays a dialogue: a fresh database and a fresh contact, the worker of the server, and a clock that only we move.

use super::channel::Simulated;
use super::compare::{Check, Happened, Names};
use super::dialogue::Dialogue;
use crate::answers::http::Offline;
use crate::app::{self, Library, Rejected, Trains};
use crate::channels::Channels;
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::config::Config;
use crate::desk::oncall::OnCall;
use crate::engine::Action;
use crate::model::{Conversation, ConversationId, Direction, EventKind, Message, MessageId, Timestamp};
use crate::nlu::aliases::AliasFile;
use crate::queue::{Mind, Paces, Surveys, Worker};
use crate::store::{Ingest, Store, StoreError};
use crate::transit::demo_live;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long after the last message we still listen: what was gathered is answered by then.
const LISTEN: Duration = Duration::from_secs(30);
/// No turn has more messages.
const MOST_MESSAGES: i64 = 1_000;

/// What changes with time beside the conversation: the live traffic of the demonstration. Told each moment before it comes.
pub type World = Box<dyn Fn(Timestamp) + Send + Sync>;

/// A server without a network: everything is read and learned once, then it plays any number of dialogues.
pub struct Simulator {
    mind: Arc<Mind>,
    config: Config,
    /// The configured ones, for what they can carry.
    channels: Channels,
    names: Names,
    timezone: TimeZone,
    world: World,
}

/// One turn as it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    pub happened: Happened,
    pub checks: Vec<Check>,
}

impl Played {
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

impl Simulator {
    /// Reads what the configuration names and learns it, or takes it from the shelf. `progress` is told how many examples
    /// of how many are embedded. Blocks for seconds, or minutes where nothing was learned before.
    ///
    /// # Errors
    /// A file or key must be corrected.
    pub fn prepare(config: &Config, progress: &dyn Fn(usize, usize)) -> Result<Self, Rejected> {
        let mut config = config.clone();
        // Only an invented network gets invented traffic; real feeds speak of now, and dialogues of their own days.
        config.traffic.demo = true;
        config.navitia = Default::default();
        let config = &config;
        let channels = app::build_channels(config, Arc::new(SystemClock))?;
        let aliases = AliasFile::load(&config.files.intents.join("stations.yaml"))
            .map_err(|errors| Rejected(errors.iter().map(ToString::to_string).collect()))?;
        let library = Library::load(config)?;
        let world = demo_traffic(library.trains.clone());
        let (mind, _) = app::think(config, library);
        if let Err(error) = mind.nlu.complete(progress) {
            tracing::warn!(%error, "the encoder failed; n-grams answer");
        }
        let timezone = config.timezone();
        let names = Names::new(timezone.clone(), aliases);
        Ok(Self { mind, config: config.clone(), channels, names, timezone, world })
    }

    /// Which model reads the messages: `encoder` or `ngram`.
    pub fn model_name(&self) -> &'static str {
        self.mind.nlu.model_name()
    }

    /// # Errors
    /// The database in memory failed.
    pub async fn play(&self, dialogue: &Dialogue) -> Result<Vec<Played>, StoreError> {
        let clock = Arc::new(ManualClock::at(dialogue.start(&self.timezone)));
        let store = Store::open("sqlite::memory:", 1).await?;
        let configured = self.channels.get(&dialogue.channel).map(|channel| channel.capabilities());
        let channel = Arc::new(Simulated::like(configured, &dialogue.channel));
        let mut mind = Mind::clone(&self.mind);
        // A dialogue repeated must go the same way, and nobody is asked for a play.
        mind.sources.add(Arc::new(Offline));
        mind.sources.open(&store, &self.timezone);
        let channels = Channels::only(&dialogue.channel, channel).with_sms(self.config.sms.clone());
        let worker = Worker {
            store: store.clone(),
            clock: clock.clone(),
            paces: Paces::new(&channels, 1),
            channels,
            mind: Arc::new(mind),
            config: self.config.queue.clone(),
            on_call: OnCall::default(),
            surveys: Surveys::default(),
        };
        let stage = Stage { simulator: self, dialogue, clock, worker };
        let played = stage.play().await;
        store.close().await;
        played
    }
}

/// The demonstration's live traffic, moved on as in the server; nothing on a real network.
fn demo_traffic(trains: Trains) -> World {
    Box::new(move |now| {
        trains.live.replace(demo_live::snapshot(&app::demo_runs(&trains.timetable, now), now))
    })
}

/// One dialogue being played.
struct Stage<'a> {
    simulator: &'a Simulator,
    dialogue: &'a Dialogue,
    clock: Arc<ManualClock>,
    worker: Worker,
}

impl Stage<'_> {
    async fn play(&self) -> Result<Vec<Played>, StoreError> {
        let mut played = Vec::new();
        let mut seen = Seen::default();
        let turns = &self.dialogue.turns;
        for (at, turn) in turns.iter().enumerate() {
            (self.simulator.world)(self.clock.now());
            let conversation = self.receive(at, &turn.customer).await?;
            let until_next = turns.get(at + 1).map_or(LISTEN, |next| next.after_s);
            self.work_for(until_next).await?;
            let happened = self.look(conversation, &mut seen).await?;
            let checks = self.simulator.names.checks(&turn.expect, &happened);
            played.push(Played { happened, checks });
        }
        Ok(played)
    }

    async fn receive(&self, at: usize, text: &str) -> Result<ConversationId, StoreError> {
        let provider_id = format!("turn-{at}");
        let inbound = Ingest {
            channel: &self.dialogue.channel,
            address: &self.dialogue.id,
            provider_id: &provider_id,
            text,
            ..Ingest::default()
        };
        let reopen = self.simulator.config.conversations.reopen_within.into();
        let mut tx = self.worker.store.begin().await?;
        let ingested = tx.ingest(inbound, self.clock.now(), reopen).await?;
        tx.commit().await?;
        Ok(ingested.conversation_id)
    }

    /// Works on each job when it is due, until the customer writes again.
    async fn work_for(&self, time: Duration) -> Result<(), StoreError> {
        let end = self.clock.now().plus(time);
        loop {
            // At the same moment the customer is first: a part of a message ends the wait for more.
            if time > Duration::ZERO {
                self.worker.drain().await?;
            }
            let now = self.clock.now();
            let next = self.worker.store.read().await?.next_job_at().await?;
            match next.filter(|&at| now < at && at < end) {
                Some(at) => self.move_to(at),
                None => break,
            }
        }
        self.move_to(end);
        Ok(())
    }

    fn move_to(&self, at: Timestamp) {
        self.clock.advance(at.since(self.clock.now()));
        (self.simulator.world)(at);
    }

    /// What came of the turn: everything that was not there before it.
    async fn look(&self, id: ConversationId, seen: &mut Seen) -> Result<Happened, StoreError> {
        let mut tx = self.worker.store.read().await?;
        let conversation = tx.conversation(id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let messages = tx.messages(id, 0, MOST_MESSAGES).await?;
        let events = tx.events(id).await?;
        let last = events.last().map_or(seen.event, |event| event.seq);
        let mut new = events.into_iter().filter(|event| event.seq > seen.event);
        let decided = new.rfind(|event| event.kind == EventKind::MessageUnderstood);
        seen.event = last;
        let read =
            decided.as_ref().and_then(|event| messages.iter().find(|m| Some(m.id) == event.message_id));
        let text =
            |key: &str| decided.as_ref().and_then(|event| event.data.get(key)?.as_str().map(str::to_owned));
        let action = text("action").and_then(|name| name.parse().ok());
        let Conversation { dialogue, .. } = conversation;
        Ok(Happened {
            intents: intents(text("decided").or_else(|| text("intent")), read),
            // Nothing was decided: a part of a message that more parts followed.
            action: action.unwrap_or(Action::Silent),
            slots: dialogue.slots,
            replies: seen.new_replies(&messages),
        })
    }
}

/// What was decided on; then, where the message asked several things, all of them.
fn intents(decided: Option<String>, read: Option<&Message>) -> Vec<String> {
    let questions = read.and_then(|message| message.understanding.as_ref()).map(|u| u.questions.as_slice());
    let mut intents: Vec<String> = decided.into_iter().collect();
    for question in questions.unwrap_or_default() {
        if !intents.contains(&question.intent) {
            intents.push(question.intent.clone());
        }
    }
    intents
}

/// What earlier turns have shown.
#[derive(Default)]
struct Seen {
    event: i64,
    messages: BTreeSet<MessageId>,
}

impl Seen {
    fn new_replies(&mut self, messages: &[Message]) -> Vec<String> {
        let out = messages.iter().filter(|message| message.direction == Direction::Outbound);
        // Buttons are a part of what the customer reads.
        let read =
            |message: &Message| [std::slice::from_ref(&message.text), &*message.choices].concat().join("\n");
        out.filter(|message| self.messages.insert(message.id)).map(read).collect()
    }
}
