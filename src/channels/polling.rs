//! Listeners that ask a provider again and again what is new.

use super::{Accepted, InboundEvent, Inbox, Listener, SendError};
use crate::clock::Clock;
use crate::model::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// As the store has it, in bytes: `store::MAX_KEY_BYTES`.
const LONGEST_KEY: usize = 512;

/// What is listed by time may be listed late: so far before the newest is looked for more.
pub const OVERLAP: Duration = Duration::from_secs(600);

/// The pauses after failures: doubled each time, up to a most.
#[derive(Clone, Copy)]
pub struct Pauses {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Pauses {
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// `asked`: what the provider wants us to wait at least.
    pub async fn wait(&mut self, asked: Option<Duration>) {
        let wait = asked.map_or(self.next, |asked| asked.max(self.next));
        self.next = (self.next * 2).min(self.most);
        tokio::time::sleep(wait).await;
    }

    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60))
    }
}

/// Why nothing was fetched, for the log, with its cure where one is known.
#[derive(Debug, PartialEq, Eq)]
pub struct Trouble {
    pub words: String,
    /// What the provider wants us to wait.
    pub wait: Option<Duration>,
}

impl From<SendError> for Trouble {
    fn from(error: SendError) -> Self {
        let words = error.to_string();
        let wait = if let SendError::Retry { after, .. } = error { after } else { None };
        Self { words, wait }
    }
}

/// What one question brought.
#[derive(Debug, PartialEq)]
pub struct Fetched {
    /// What was fetched before is known by its id and passed over.
    pub events: Vec<InboundEvent>,
    /// How far it has come; stored with the events.
    pub cursor: String,
    /// Before the next question.
    pub pause: Duration,
}

/// A provider that is polled.
#[async_trait]
pub trait Source: Send + Sync {
    /// For the log.
    fn name(&self) -> &'static str;

    /// Asks once. `cursor`: none at the very first time; what had been written before `began` is history then, and nobody
    /// waits for its answer.
    async fn ask(&self, cursor: Option<&str>, began: Timestamp) -> Result<Fetched, Trouble>;
}

/// Asks a [`Source`], stores what it brings, and outlives its troubles.
pub struct Polling<S> {
    source: Arc<S>,
    clock: Arc<dyn Clock>,
    pauses: Pauses,
}

impl<S: Source> Polling<S> {
    pub fn new(source: Arc<S>, clock: Arc<dyn Clock>) -> Self {
        Self { source, clock, pauses: Pauses::default() }
    }

    /// Without any pause worth the name after failures.
    #[cfg(test)]
    pub fn hurried(self) -> Self {
        let short = Duration::from_millis(1);
        Self { pauses: Pauses::new(short, short), ..self }
    }

    async fn poll(&self, inbox: &dyn Inbox) {
        let (mut pauses, mut told) = (self.pauses, String::new());
        let mut place = Place { cursor: None, read: false, seen: BTreeSet::new(), began: self.clock.now() };
        loop {
            match self.round(inbox, &mut place).await {
                Ok(pause) => {
                    if !told.is_empty() {
                        tracing::info!(of = self.source.name(), "it is heard again");
                    }
                    told.clear();
                    pauses.reset();
                    tokio::time::sleep(pause).await;
                }
                Err(trouble) => {
                    if told != trouble.words {
                        tracing::warn!(
                            of = self.source.name(),
                            why = trouble.words,
                            "nothing comes in; it is asked again"
                        );
                    }
                    pauses.wait(trouble.wait).await;
                    told = trouble.words;
                }
            }
        }
    }

    async fn round(&self, inbox: &dyn Inbox, place: &mut Place) -> Result<Duration, Trouble> {
        let away = |words| Trouble { words, wait: None };
        if !place.read {
            place.cursor = inbox.cursor().await.map_err(away)?;
            place.read = true;
        }
        let Fetched { events, cursor, pause } = self.source.ask(place.cursor.as_deref(), place.began).await?;
        let all: BTreeSet<String> = events.iter().filter_map(key).collect();
        let new = |event: &InboundEvent| key(event).is_none_or(|key| !place.seen.contains(&key));
        let events: Vec<InboundEvent> = events.into_iter().filter(new).filter(is_storable).collect();
        let moved = place.cursor.as_ref() != Some(&cursor);
        if moved || !events.is_empty() {
            let accepted = Accepted { events, cursor: Some(cursor.clone()), ..Accepted::default() };
            inbox.take(accepted).await.map_err(away)?;
        }
        place.cursor = Some(cursor);
        // An answer that nothing has changed brings nothing, and what it would have brought may come again.
        if !all.is_empty() {
            place.seen = all;
        }
        Ok(pause)
    }
}

/// Where the listener is.
struct Place {
    cursor: Option<String>,
    read: bool,
    /// What was brought last: what comes again is known without asking the database.
    seen: BTreeSet<String>,
    began: Timestamp,
}

/// One post whose names are longer than anything is looked up by must not keep out all others.
fn is_storable(event: &InboundEvent) -> bool {
    let InboundEvent::Message(message) = event else { return true };
    let fits = message.address.len().max(message.provider_id.len()) <= LONGEST_KEY;
    if !fits {
        tracing::warn!("a post is left out: its address or its id is too long");
    }
    fits
}

fn key(event: &InboundEvent) -> Option<String> {
    match event {
        InboundEvent::Message(message) => Some(message.provider_id.clone()),
        _ => None,
    }
}

#[async_trait]
impl<S: Source> Listener for Polling<S> {
    async fn run(&self, inbox: Arc<dyn Inbox>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.poll(&*inbox) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::InboundMessage;
    use super::super::testing::{Kept, clock, listen};
    use super::*;
    use std::sync::Mutex;

    type Answers = Vec<Result<(Vec<&'static str>, &'static str), &'static str>>;

    /// Answers in turn, and keeps what it was asked with.
    struct Script {
        answers: Mutex<Answers>,
        asked: Mutex<Vec<Option<String>>>,
    }

    #[async_trait]
    impl Source for Script {
        fn name(&self) -> &'static str {
            "the script"
        }

        async fn ask(&self, cursor: Option<&str>, _: Timestamp) -> Result<Fetched, Trouble> {
            self.asked.lock().unwrap().push(cursor.map(str::to_owned));
            let mut answers = self.answers.lock().unwrap();
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
            let (ids, cursor) = answer.map_err(|words| Trouble { words: words.into(), wait: None })?;
            let message = |id: &str| {
                InboundEvent::Message(InboundMessage {
                    provider_id: id.into(),
                    text: id.into(),
                    ..InboundMessage::default()
                })
            };
            let events = ids.into_iter().map(message).collect();
            Ok(Fetched { events, cursor: cursor.into(), pause: Duration::from_millis(1) })
        }
    }

    #[tokio::test]
    async fn what_comes_is_stored_once_and_the_place_is_kept() {
        let answers: Answers = vec![
            Err("away"),
            Ok((vec!["a"], "1")),
            Ok((vec!["a"], "1")),
            Ok((vec!["a", "b"], "1")),
            Ok((vec![], "2")),
            Ok((vec![], "2")),
        ];
        let script = Arc::new(Script { answers: Mutex::new(answers), asked: Mutex::default() });
        // The database refuses once: the same is fetched and stored again.
        let inbox = Arc::new(Kept { refuse: Mutex::new(1), ..Kept::default() });
        let polling = Polling::new(script.clone(), clock()).hurried();
        listen(polling, &inbox, || script.asked.lock().unwrap().len() >= 7).await;
        assert_eq!(inbox.texts(), ["a", "b"]);
        let asked = script.asked.lock().unwrap()[..7].to_vec();
        let asked: Vec<_> = asked.iter().map(Option::as_deref).collect();
        assert_eq!(asked, [None, None, None, Some("1"), Some("1"), Some("2"), Some("2")]);
        let cursors: Vec<_> = inbox.taken.lock().unwrap().iter().map(|taken| taken.cursor.clone()).collect();
        assert_eq!(
            cursors.iter().flatten().collect::<Vec<_>>(),
            ["1", "1", "2"],
            "a place that holds is not stored"
        );
    }
}
