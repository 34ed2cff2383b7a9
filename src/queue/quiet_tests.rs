//! Quiet hours at the moment of sending.

use super::opt_out_tests::worker;
use super::*;
use crate::channels::BuildContext;
use crate::clock::ManualClock;
use crate::config::{ChannelConfig, NoticesConfig};
use crate::model::{
    Author, DeliveryStatus, Fact, Message, MessageId, MessageKind, StationRef, ToldRide, TrainKey,
};
use crate::store::{Ingest, NewJob};
use std::collections::BTreeMap;

/// 2026-11-23T22:00:00Z.
const NOW: Timestamp = Timestamp(1_795_471_200_000_000);
const PACK: &str = "domain: general\nintents:\n  thanks: { about: Thanks, examples: { fr: ['merci'] } }\n";

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

/// A worker with quiet hours from 21:00 to 07:00, and a web chat.
async fn quiet(urgent: bool) -> (Worker, Arc<ManualClock>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let client = reqwest::Client::new();
    let context = BuildContext { public_url: "http://localhost".into(), client, clock: clock.clone() };
    let config = ChannelConfig { kind: "webchat".into(), settings: Default::default() };
    let channels = Channels::build(&BTreeMap::from([("web".to_owned(), config)]), &context).unwrap();
    let mut worker = worker(folder.path(), PACK, clock.clone(), channels).await;
    let mut mind = Mind::clone(&worker.mind);
    let notices = format!("quiet = \"21:00-07:00\"\nurgent_in_quiet = {urgent}");
    mind.notices = toml::from_str::<NoticesConfig>(&notices).unwrap();
    worker.mind = Arc::new(mind);
    (worker, clock, folder)
}

/// Queues a message about a train that leaves then, works on it, and says what became of it.
async fn sent(
    worker: &Worker,
    kind: MessageKind,
    broadcast: bool,
    departs: Option<Timestamp>,
) -> (MessageId, DeliveryStatus) {
    let mut tx = worker.store.begin().await.unwrap();
    let inbound = Ingest { channel: "web", address: "a", provider_id: "1", text: "x", ..Ingest::default() };
    let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    for job in tx.claim_jobs(NOW, NOW.plus(AFTER_ERROR), 9).await.unwrap() {
        tx.complete_job(&job).await.unwrap();
    }
    let conversation = tx.conversation(id).await.unwrap().unwrap();
    let ride = departs.map(|departs| ToldRide {
        key: TrainKey { trip: "t".into(), day: jiff::civil::date(2026, 11, 24) },
        number: None,
        from: StationRef { id: "r".into(), name: "Rennes".into() },
        to: None,
        departs,
        arrives: None,
        platform: None,
        cancelled: false,
    });
    let facts = vec![Fact { value: "x".into(), source: "live".into(), as_of: NOW, ride }];
    let outbound = Message::outbound(&conversation, Author::Bot, kind, "x".to_owned(), NOW);
    let mut message = Message { facts, ..outbound };
    tx.insert_message(&mut message).await.unwrap();
    tx.insert_job(NewJob { kind: JobKind::Send, message: &message, run_at: NOW, broadcast }).await.unwrap();
    tx.commit().await.unwrap();
    worker.drain().await.unwrap();
    (message.id, status(worker, message.id).await)
}

async fn status(worker: &Worker, id: MessageId) -> DeliveryStatus {
    worker.store.read().await.unwrap().message(id).await.unwrap().unwrap().status
}

#[tokio::test]
async fn what_nobody_asked_for_waits_for_the_morning_and_answers_do_not() {
    use DeliveryStatus::{Failed, Pending, Sent};
    let (tonight, noon) = (Some(NOW.plus(hours(2))), Some(NOW.plus(hours(14))));
    for (urgent, kind, broadcast, departs, expected) in [
        (true, MessageKind::Answer, false, noon, Sent),
        (true, MessageKind::Notice, false, noon, Sent),
        (true, MessageKind::Notice, true, tonight, Sent),
        (false, MessageKind::Notice, true, tonight, Failed),
        (true, MessageKind::Notice, true, noon, Pending),
        (true, MessageKind::Notice, true, None, Pending),
    ] {
        let (worker, clock, _folder) = quiet(urgent).await;
        let (id, now) = sent(&worker, kind, broadcast, departs).await;
        assert_eq!(now, expected, "{urgent} {kind:?} {broadcast} {departs:?}");
        if now == Pending {
            clock.advance(hours(9) - Duration::from_secs(1));
            worker.drain().await.unwrap();
            assert_eq!(status(&worker, id).await, Pending, "06:59:59");
            clock.advance(Duration::from_secs(1));
            worker.drain().await.unwrap();
            assert_eq!(status(&worker, id).await, Sent, "07:00");
        }
    }
}
