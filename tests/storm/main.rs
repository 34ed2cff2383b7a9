//! Two thousand messages of five hundred contacts over four channels at once, while the server answers: in order per
//! conversation, within the send rates, nothing lost and nothing doubled. On both databases, on a clock that only the
//! test moves.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests

#[path = "../support/mod.rs"]
mod support;

use async_trait::async_trait;
use guichet::app::{Library, think};
use guichet::channels::{
    Accepted, Capabilities, Channel, Channels, Lookup, Outgoing, Pace, Refusal, SendError, Trace,
    WebhookRequest,
};
use guichet::clock::{Clock, ManualClock};
use guichet::config::{self, QueueConfig};
use guichet::model::{ConversationId, DeliveryStatus, Direction, Message, MessageId, Timestamp};
use guichet::nlu::IntentPack;
use guichet::queue::{Mind, Paces, Worker};
use guichet::store::{Ingest, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{TestDb, run};
use tokio::task::JoinSet;

const START: Timestamp = Timestamp(1_795_428_000_000_000);
const CONTACTS: usize = 500;
/// Of each contact, in this order: all are answered with a text, and none ends the conversation.
const TEXTS: [&str; 4] =
    ["bonjour", "tu es un robot ou une personne", "je veux une facture", "ma carte avantage"];
const CHANNELS: [(&str, f64, usize); 4] =
    [("fast", f64::INFINITY, 64), ("quick", 100.0, 8), ("steady", 40.0, 2), ("slow", 20.0, 1)];
const WORKERS: usize = 6;
const PACKS: [&str; 2] = [
    "domain: general\nintents:\n  greeting: { about: Hello, examples: { fr: ['bonjour', 'salut', 'coucou'] } }\n  \
     bot_identity: { about: Who, examples: { fr: ['qui es-tu', 'tu es un robot ou une personne'] } }\n",
    "domain: service\nintents:\n  invoice: { about: Invoice, examples: { fr: ['je veux une facture', 'facture svp'] } }\n  \
     railcard: { about: Cards, examples: { fr: ['ma carte avantage', 'carte de réduction'] } }\n",
];

/// A provider that takes everything, and notes what it took and how many sends it saw at once.
struct Sink {
    pace: Pace,
    clock: Arc<ManualClock>,
    taken: Mutex<Vec<(Timestamp, String, MessageId)>>,
    busy: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Channel for Sink {
    fn capabilities(&self) -> Capabilities {
        Capabilities::text(4_000)
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn receive(&self, _: &WebhookRequest<'_>) -> Result<Accepted, Refusal> {
        Err(Refusal::NotFound)
    }

    async fn send(&self, message: &Outgoing, _: &Trace) -> Result<Option<String>, SendError> {
        let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(busy, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.taken.lock().unwrap().push((self.clock.now(), message.address.clone(), message.id));
        self.busy.fetch_sub(1, Ordering::SeqCst);
        Ok(Some(message.id.to_string()))
    }

    async fn look_up(&self, _: &Outgoing, _: &Trace) -> Lookup {
        Lookup::CannotAsk
    }
}

/// Understands four questions; the rest is the server's own.
fn mind() -> Mind {
    let folder = tempfile::tempdir().unwrap();
    for (at, pack) in PACKS.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{at}.yaml")), pack).unwrap();
    }
    let cache = folder.path().join("cache").display().to_string();
    let set = [("GUICHET__NLU__ENCODER", ""), ("GUICHET__FILES__CACHE", &*cache)];
    let environment = set.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let config = config::load(None, &BTreeMap::from(environment)).unwrap();
    let mut library = Library::load(&config).unwrap();
    library.pack = IntentPack::load(folder.path()).unwrap();
    let (mind, _) = think(&config, library);
    Mind::clone(&mind)
}

struct Storm {
    workers: Vec<Worker>,
    sinks: BTreeMap<&'static str, Arc<Sink>>,
    clock: Arc<ManualClock>,
    store: Store,
}

impl Storm {
    fn new(store: Store) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let sink = |(name, per_second, concurrent): (&'static str, f64, usize)| {
            let pace = Pace { per_second, concurrent, per_contact: Duration::from_secs(1) };
            let (taken, busy, most) = Default::default();
            (name, Arc::new(Sink { pace, clock: clock.clone(), taken, busy, most }))
        };
        let sinks: BTreeMap<&'static str, Arc<Sink>> = CHANNELS.map(sink).into_iter().collect();
        let channel =
            |(name, sink): (&&str, &Arc<Sink>)| ((*name).to_owned(), sink.clone() as Arc<dyn Channel>);
        let channels = Channels::of(sinks.iter().map(channel));
        let worker = Worker {
            store: store.clone(),
            clock: clock.clone(),
            paces: Paces::new(&channels, 1),
            channels,
            mind: Arc::new(mind()),
            config: QueueConfig::default(),
            on_call: Default::default(),
            surveys: Default::default(),
        };
        Self { workers: vec![worker; WORKERS], sinks, clock, store }
    }

    /// One contact, as a provider delivers what it writes: in order, now and then twice, at once or later.
    async fn write(store: Store, clock: Arc<ManualClock>, contact: usize) -> ConversationId {
        let (channel, address) = (CHANNELS[contact % CHANNELS.len()].0, format!("contact{contact}"));
        let mut conversation = None;
        let deliver = async |at: usize| {
            let provider_id = format!("{contact}-{at}");
            let inbound = Ingest {
                channel,
                address: &address,
                provider_id: &provider_id,
                text: TEXTS[at],
                ..Ingest::default()
            };
            let mut tx = store.begin().await.unwrap();
            let ingested = tx.ingest(inbound, clock.now(), Duration::ZERO).await.unwrap();
            tx.commit().await.unwrap();
            ingested.conversation_id
        };
        for at in 0..TEXTS.len() {
            let id = match (contact + at) % 5 {
                0 => tokio::join!(deliver(at), deliver(at)).0,
                1 if at > 0 => {
                    deliver(at - 1).await;
                    deliver(at).await
                }
                _ => deliver(at).await,
            };
            assert_eq!(*conversation.get_or_insert(id), id, "one conversation");
        }
        conversation.unwrap()
    }

    /// All workers until nothing is due.
    async fn work(&self) {
        let mut working = JoinSet::new();
        for worker in self.workers.clone() {
            working.spawn(async move { worker.drain().await.unwrap() });
        }
        working.join_all().await;
    }

    async fn messages(&self, id: ConversationId, direction: Direction) -> Vec<Message> {
        let all = self.store.read().await.unwrap().messages(id, 0, 1_000).await.unwrap();
        all.into_iter().filter(|message| message.direction == direction).collect()
    }
}

async fn two_thousand_messages(db: Arc<TestDb>) {
    let storm = Storm::new(db.store.clone());
    let mut writing = JoinSet::new();
    for contact in 0..CONTACTS {
        writing.spawn(Storm::write(storm.store.clone(), storm.clock.clone(), contact));
    }
    let (conversations, ()) = tokio::join!(writing.join_all(), storm.work());
    let mut steps = 0;
    loop {
        storm.work().await;
        let next = storm.store.read().await.unwrap().next_job_at().await.unwrap();
        let Some(next) = next else { break };
        storm.clock.advance(next.since(storm.clock.now()));
        steps += 1;
        assert!(steps < 20_000, "it does not end");
    }
    everything_is_answered_once_and_in_order(&storm, &conversations).await;
    for (name, sink) in &storm.sinks {
        within_the_pace(name, sink);
    }
}

async fn everything_is_answered_once_and_in_order(storm: &Storm, conversations: &[ConversationId]) {
    assert_eq!(conversations.iter().collect::<BTreeSet<_>>().len(), CONTACTS);
    let mut sent = BTreeSet::new();
    for id in conversations {
        let inbound = storm.messages(*id, Direction::Inbound).await;
        assert!(inbound.iter().map(|m| m.text.as_str()).eq(TEXTS), "each once, in order");
        let replies = storm.messages(*id, Direction::Outbound).await;
        assert_eq!(replies.len(), TEXTS.len(), "{:?}", replies.iter().map(|m| &m.text).collect::<Vec<_>>());
        assert!(replies.iter().all(|reply| reply.status == DeliveryStatus::Sent));
        // Which message a reply answers, the log says.
        let events = storm.store.read().await.unwrap().events(*id).await.unwrap();
        let answered: Vec<String> =
            events.iter().filter_map(|e| e.data["to"].as_str().map(str::to_owned)).collect();
        let asked: Vec<String> = inbound.iter().map(|m| m.id.to_string()).collect();
        assert_eq!(answered, asked, "answered in order");
        let sink = &storm.sinks[inbound[0].channel.as_str()];
        let address = {
            let mut tx = storm.store.read().await.unwrap();
            let contact = tx.conversation(*id).await.unwrap().unwrap().contact_id;
            tx.contact_by_id(contact).await.unwrap().unwrap().address
        };
        let taken = sink.taken.lock().unwrap();
        let taken: Vec<MessageId> = taken.iter().filter(|t| t.1 == address).map(|t| t.2).collect();
        assert_eq!(taken, replies.iter().map(|m| m.id).collect::<Vec<_>>(), "sent in order");
        sent.extend(taken);
    }
    let all: usize = storm.sinks.values().map(|sink| sink.taken.lock().unwrap().len()).sum();
    assert_eq!(
        (all, sent.len()),
        (CONTACTS * TEXTS.len(), CONTACTS * TEXTS.len()),
        "nothing lost or doubled"
    );
}

fn within_the_pace(name: &str, sink: &Sink) {
    let mut taken = sink.taken.lock().unwrap().clone();
    taken.sort();
    assert_eq!(taken.len(), CONTACTS * TEXTS.len() / CHANNELS.len());
    assert!(sink.most.load(Ordering::SeqCst) <= sink.pace.concurrent, "{name}: too many at once");
    if sink.pace.per_second.is_finite() {
        // The rate, a tenth of a second early at most.
        for (i, (from, ..)) in taken.iter().enumerate() {
            for (j, (to, ..)) in taken.iter().enumerate().skip(i) {
                let span = to.since(*from).as_secs_f64() + 0.1;
                let sends = (j - i + 1) as f64;
                assert!(sends <= span * sink.pace.per_second + 1.001, "{name}: {sends} in {span} s");
            }
        }
        let all = taken.last().unwrap().0.since(taken[0].0).as_secs_f64();
        let least = taken.len() as f64 / sink.pace.per_second;
        assert!(all <= least * 1.5 + 5.0, "{name}: {all} s where {least} s suffice");
    }
    let mut last: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for (at, address, _) in &taken {
        if let Some(before) = last.insert(address, *at) {
            assert!(at.since(before) >= sink.pace.per_contact, "{name}: {address} is hurried");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_sqlite() {
    run(TestDb::sqlite().await, two_thousand_messages).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_postgres() {
    if let Some(db) = TestDb::postgres().await {
        run(db, two_thousand_messages).await;
    }
}
