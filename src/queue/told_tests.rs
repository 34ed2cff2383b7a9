//! A train that an agent tells of is remembered when it has been told, so that a later change is said.

use super::opt_out_tests::worker;
use super::process_tests::Line;
use super::*;
use crate::clock::ManualClock;
use crate::model::{Author, Fact, Message, MessageKind, StationRef, ToldRide, TrainKey};
use crate::store::{Ingest, NewJob};

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);
const UNDO: Duration = Duration::from_secs(5);
const PACK: &str = "domain: general\nintents:\n  thanks: { about: Thanks, examples: { fr: ['merci'] } }\n";

#[tokio::test]
async fn what_an_agent_tells_is_remembered_once_it_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let channels = Channels::only("line", Arc::new(Line { sms: false }));
    let worker = worker(folder.path(), PACK, clock.clone(), channels).await;
    let key = TrainKey { trip: "ALZ8060".into(), day: "2026-11-23".parse().unwrap() };
    let ride = ToldRide {
        key: key.clone(),
        number: Some("8060".into()),
        from: StationRef { id: "VTR".into(), name: "Vitré".into() },
        to: None,
        departs: NOW.plus(Duration::from_secs(3_600)),
        arrives: None,
        platform: None,
        cancelled: false,
    };
    let fact =
        Fact { value: "8060".into(), source: "live: demo".into(), as_of: NOW, ride: Some(ride.clone()) };
    let mut tx = worker.store.begin().await.unwrap();
    let inbound =
        Ingest { channel: "line", address: "a", provider_id: "1", text: "merci", ..Ingest::default() };
    let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    let conversation = tx.conversation(id).await.unwrap().unwrap();
    let said = Message::outbound(&conversation, Author::Agent, MessageKind::Text, "8060".into(), NOW);
    let mut said = Message { facts: vec![fact], ..said };
    tx.insert_message(&mut said).await.unwrap();
    let job = NewJob { kind: JobKind::Send, message: &said, run_at: NOW.plus(UNDO), broadcast: false };
    tx.insert_job(job).await.unwrap();
    tx.commit().await.unwrap();
    let told = async || worker.store.read().await.unwrap().told(conversation.contact_id, &key).await.unwrap();
    worker.drain().await.unwrap();
    assert_eq!(told().await, None, "it can still be taken back");
    clock.advance(UNDO);
    worker.drain().await.unwrap();
    let told = told().await.unwrap();
    assert_eq!((told.ride, told.message_id), (ride, said.id));
}
