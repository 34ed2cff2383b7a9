//! The connection as a listener: binds, takes in what the SMSC delivers, binds again.

use super::connection::Asked;
use super::deliver::{self, Delivered, Text, Told};
use super::gather::{Gatherer, Piece, Whole};
use super::ledger::Ledger;
use super::session::{self, Session, Unbound};
use super::settings::{Place, Settings};
use crate::channels::{Accepted, InboundEvent, InboundMessage, Inbox, Listener, Receipt};
use crate::clock::Clock;
use crate::model::{MessageId, Timestamp};
use async_trait::async_trait;
use rand::RngExt as _;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The pause after the first failure, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After a refusal of the bind: nothing mends itself in seconds, and some SMSCs lock an account that insists.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// A connection that held so long was a good one: the next pause is short again.
const GOOD: Duration = Duration::from_secs(10);
/// How often waiting parts and old doubts are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often, and how long apart, the store is asked to take a message before the SMSC is told to come again.
const TRIES: usize = 5;
const BETWEEN: Duration = Duration::from_secs(1);
/// How long a receipt waits for the send that it may be about.
const OVERTAKEN: Duration = Duration::from_millis(20);
/// Ids of the latest sends, for receipts that come before the store knows them.
const LATEST: usize = 10_000;

pub(super) struct Link {
    pub name: String,
    pub settings: Settings,
    pub place: Place,
    pub clock: Arc<dyn Clock>,
    session: Mutex<Option<Arc<Session>>>,
    latest: Mutex<VecDeque<(String, MessageId)>>,
}

impl Link {
    pub(super) fn new(name: &str, settings: Settings, place: Place, clock: Arc<dyn Clock>) -> Self {
        let (session, latest) = (Mutex::default(), Mutex::default());
        Self { name: name.to_owned(), settings, place, clock, session, latest }
    }

    /// The connection, while it stands.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_session(&self, session: Option<Arc<Session>>) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }

    /// `id` is what the SMSC calls `message`.
    pub(super) fn sent(&self, id: &str, message: MessageId) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() >= LATEST {
            latest.pop_front();
        }
        latest.push_back((id.to_owned(), message));
    }

    fn is_latest(&self, id: &str) -> Option<MessageId> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.iter().rev().find(|(known, _)| known == id).map(|(_, message)| *message)
    }

    /// A pause of `base` or up to half less, so that instances do not knock together.
    async fn pause(&self, base: Duration, stop: &CancellationToken) {
        let pause = base.mul_f64(rand::rng().random_range(0.5..=1.0));
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[async_trait]
impl Listener for Link {
    /// Each instance has a connection of its own, for what it sends goes by it.
    fn alone(&self) -> bool {
        false
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: CancellationToken) {
        let mut desk = Desk::open(self, inbox.as_ref(), &stop).await;
        let mut pause = FIRST_PAUSE;
        let mut told = None;
        while !stop.is_cancelled() {
            let bound = tokio::select! {
                () = stop.cancelled() => return,
                bound = session::bind(&self.settings, &self.place) => bound,
            };
            let base = match bound {
                Ok((session, asked)) => {
                    tracing::info!(channel = self.name, "bound to the SMSC");
                    told = None;
                    let held = desk.serve(Arc::new(session), asked, &stop).await;
                    pause = if held >= GOOD { FIRST_PAUSE } else { pause };
                    pause
                }
                Err(unbound) => {
                    let base = match &unbound {
                        Unbound::Refused(_) => pause.max(REFUSED_PAUSE),
                        Unbound::Away(_) => pause,
                    };
                    if told.as_ref() != Some(&unbound) {
                        let (Unbound::Away(why) | Unbound::Refused(why)) = &unbound;
                        tracing::warn!(channel = self.name, why, "no connection to the SMSC; trying again");
                    }
                    told = Some(unbound);
                    base
                }
            };
            self.pause(base, &stop).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Who takes in what comes by one connection after another.
struct Desk<'a> {
    link: &'a Link,
    inbox: &'a dyn Inbox,
    ledger: Ledger,
    gatherer: Gatherer,
}

impl<'a> Desk<'a> {
    /// Waits for the store where it is away: without what it knows a message might be taken twice.
    async fn open(link: &'a Link, inbox: &'a dyn Inbox, stop: &CancellationToken) -> Self {
        let cursor = loop {
            match inbox.cursor().await {
                Ok(cursor) => break cursor,
                Err(error) => tracing::warn!(channel = link.name, error, "the store does not answer"),
            }
            link.pause(FIRST_PAUSE, stop).await;
            if stop.is_cancelled() {
                break None;
            }
        };
        Self { link, inbox, ledger: Ledger::load(cursor.as_deref()), gatherer: Gatherer::default() }
    }

    fn now(&self) -> Timestamp {
        self.link.clock.now()
    }

    /// Until the connection ends; how long it held.
    async fn serve(&mut self, session: Arc<Session>, mut asked: Asked, stop: &CancellationToken) -> Duration {
        let began = tokio::time::Instant::now();
        self.ledger.connected(self.now());
        self.link.set_session(Some(session.clone()));
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.link.set_session(None);
                    session.end().await;
                    break;
                }
                command = asked.recv() => match command {
                    Some(Ok(command)) => {
                        if !self.incoming(&session, &command).await {
                            break;
                        }
                    }
                    Some(Err(why)) => {
                        tracing::warn!(channel = self.link.name, why, "the connection to the SMSC has ended");
                        break;
                    }
                    None => break,
                },
                _ = look.tick() => self.look(&session).await,
            }
        }
        self.link.set_session(None);
        self.gatherer.clear();
        self.ledger.disconnected(self.now());
        began.elapsed()
    }

    /// False: the SMSC has taken its leave.
    async fn incoming(&mut self, session: &Session, command: &Command) -> bool {
        let sequence = command.sequence_number();
        match (command.id(), command.pdu()) {
            (CommandId::DeliverSm, Some(Pdu::DeliverSm(pdu))) => {
                match deliver::read(pdu, self.link.settings.receipt_ids) {
                    Delivered::Text(text) => self.text(session, text, sequence).await,
                    Delivered::Receipt(told) => self.receipt(session, told, sequence).await,
                    Delivered::Nothing => session.answer(sequence, CommandStatus::EsmeRok).await,
                }
            }
            // Nothing of it can be read, and nothing would be another time.
            (CommandId::DeliverSm, _) => {
                tracing::error!(channel = self.link.name, "a message that cannot be decoded was rejected");
                metrics::counter!("guichet_smpp_undecodable_total", "channel" => self.link.name.clone())
                    .increment(1);
                session.answer(sequence, CommandStatus::EsmeRxRAppn).await;
            }
            (CommandId::Unbind, _) => {
                tracing::warn!(channel = self.link.name, "the SMSC ended the connection");
                self.link.set_session(None);
                session.let_go(sequence).await;
                return false;
            }
            // It wants no answer.
            (CommandId::AlertNotification, _) => {}
            _ => session.refuse(sequence).await,
        }
        true
    }

    async fn text(&mut self, session: &Session, text: Text, sequence: u32) {
        if text.from.is_empty() {
            // Nobody could be answered.
            return session.answer(sequence, CommandStatus::EsmeRinvsrcadr).await;
        }
        let heard = self.ledger.hear(&text.digest, sequence, self.now());
        if heard.stored {
            session.answer(sequence, CommandStatus::EsmeRok).await;
            return self.ledger.answered(&heard.id, self.now());
        }
        let piece = Piece { text, id: heard.id, sequence };
        if let Some(whole) = self.gatherer.add(piece, self.now()) {
            self.store(session, whole).await;
        }
    }

    /// Stores one message, and answers its pieces: only then.
    async fn store(&mut self, session: &Session, whole: Whole) {
        let ids: Vec<String> = whole.iter().map(|piece| piece.id.clone()).collect();
        let events = message(&whole).into_iter().map(InboundEvent::Message).collect();
        let cursor = Some(self.ledger.cursor(&ids));
        let taken = self.take(Accepted { events, cursor, ..Accepted::default() }).await;
        if taken {
            self.ledger.stored(&ids);
        }
        // What is not stored is to come again.
        let status = if taken { CommandStatus::EsmeRok } else { CommandStatus::EsmeRxTAppn };
        for piece in whole {
            session.answer(piece.sequence, status).await;
            if taken {
                self.ledger.answered(&piece.id, self.now());
            }
        }
    }

    async fn receipt(&mut self, session: &Session, told: Told, sequence: u32) {
        if self.link.is_latest(&told.id).is_none() && session.is_sending() {
            // It may have overtaken the answer that gives the id.
            tokio::time::sleep(OVERTAKEN).await;
        }
        let message_id = self.link.is_latest(&told.id);
        let receipt = Receipt { provider_id: told.id, message_id, state: told.state };
        let events = vec![InboundEvent::Receipt(receipt)];
        let taken = self.take(Accepted { events, ..Accepted::default() }).await;
        let status = if taken { CommandStatus::EsmeRok } else { CommandStatus::EsmeRxTAppn };
        session.answer(sequence, status).await;
    }

    /// False: the store does not answer, and nothing was stored.
    async fn take(&self, accepted: Accepted) -> bool {
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(BETWEEN).await;
            }
            match self.inbox.take(accepted.clone()).await {
                Ok(()) => return true,
                Err(error) => tracing::warn!(channel = self.link.name, error, "a message is not stored yet"),
            }
        }
        false
    }

    async fn look(&mut self, session: &Session) {
        let patience = self.link.settings.parts_within.into();
        for whole in self.gatherer.overdue(self.now(), patience) {
            self.store(session, whole).await;
        }
        if self.ledger.tidy(self.now()) {
            let cursor = Some(self.ledger.cursor(&[]));
            // Another time will do.
            if self.inbox.take(Accepted { cursor, ..Accepted::default() }).await.is_ok() {
                self.ledger.stored(&[]);
            }
        }
    }
}

/// The pieces as one message, under the id of the last. The octets are joined before they are read: a character may be cut in
/// two by a sender that does not count.
fn message(whole: &[Piece]) -> Option<InboundMessage> {
    let last = whole.last()?;
    let same = whole.iter().all(|piece| piece.text.coding == last.text.coding);
    let text = if same {
        last.text
            .coding
            .read(&whole.iter().flat_map(|piece| piece.text.octets.iter().copied()).collect::<Vec<_>>())
    } else {
        whole.iter().map(|piece| piece.text.coding.read(&piece.text.octets)).collect()
    };
    Some(InboundMessage {
        // Where the SMSC names its messages, its name holds for ever.
        provider_id: last.text.id.as_ref().map_or_else(|| last.id.clone(), |id| format!("smsc-{id}")),
        address: last.text.from.clone(),
        text,
        ..InboundMessage::default()
    })
}
