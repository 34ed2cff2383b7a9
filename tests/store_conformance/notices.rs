//! What is said without being asked: once, and not to who wants to hear nothing.

use crate::given::*;
use crate::support::TestDb;
use guichet::engine::Effect;
use guichet::model::*;
use guichet::queue::effects::apply;
use guichet::store::{MAX_KEY_BYTES, Told, Tx, Watch};
use std::sync::Arc;
use tokio::task::JoinSet;

fn station(name: &str) -> StationRef {
    StationRef { id: name.to_lowercase(), name: name.into() }
}

fn line(name: &str) -> Watched {
    Watched::Line { name: name.into() }
}

fn new(what: Watched, from: i64, until: i64) -> Effect {
    Effect::Watch(NewWatch { what, from: at(from), until: at(until) })
}

fn ride(trip: &str, departs: i64) -> ToldRide {
    ToldRide {
        key: TrainKey { trip: trip.into(), day: "2026-02-02".parse().unwrap() },
        number: Some("8745".into()),
        from: station("Rennes"),
        to: None,
        departs: at(departs),
        arrives: None,
        platform: Some("3".into()),
        cancelled: false,
    }
}

async fn applied(db: &TestDb, c: &Conversation, effects: &[Effect], reply: Option<&Message>, now: i64) {
    let mut tx = db.store.begin().await.unwrap();
    let c = tx.lock_conversation(c.id).await.unwrap().unwrap();
    apply(&mut tx, &c, effects, reply, at(now)).await.unwrap();
    tx.commit().await.unwrap();
}

/// An answer that tells of these rides, as `process` commits it.
async fn told(db: &TestDb, c: &Conversation, rides: &[ToldRide], now: i64) -> MessageId {
    let mut tx = db.store.begin().await.unwrap();
    let mut reply = outbound(c, "18:04", at(now));
    let fact = |ride: &ToldRide| Fact {
        value: "x".into(),
        source: "x".into(),
        as_of: at(now),
        ride: Some(ride.clone()),
    };
    reply.facts = rides.iter().map(fact).collect();
    tx.insert_message(&mut reply).await.unwrap();
    apply(&mut tx, c, &[], Some(&reply), at(now)).await.unwrap();
    tx.commit().await.unwrap();
    reply.id
}

async fn watches(db: &TestDb, c: &Conversation, now: i64) -> Vec<Watch> {
    db.store.read().await.unwrap().watches_of(c.contact_id, at(now)).await.unwrap()
}

async fn ahead(db: &TestDb, now: i64) -> Vec<Told> {
    db.store.read().await.unwrap().told_ahead(at(now), None, 100).await.unwrap()
}

pub async fn a_watch_is_kept_once_and_for_its_time(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let pair = Watched::Pair { from: station("Rennes"), to: station("Vitré") };
    let renamed = Watched::Pair {
        from: StationRef { name: "RENNES".into(), ..station("Rennes") },
        to: station("Vitré"),
    };
    applied(&db, &c, &[new(pair.clone(), 0, 100), new(renamed, 50, 200)], None, 1).await;
    let kept = watches(&db, &c, 2).await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!((&kept[0].what, kept[0].from, kept[0].until), (&pair, at(0), at(200)));
    applied(&db, &c, &[new(pair.clone(), 500, 600)], None, 2).await;
    assert_eq!(watches(&db, &c, 3).await.len(), 2, "another time is another watch");
    applied(&db, &c, &[new(line("J"), 0, 2), new(line("J"), 20, 10)], None, 2).await;
    assert_eq!(watches(&db, &c, 3).await.len(), 2, "what is over or never begins is none");
    assert_eq!(watches(&db, &c, 200).await.len(), 1, "until is the first moment without it");
    let running = db.store.read().await.unwrap().running_watches(at(200), None, 10).await.unwrap();
    assert_eq!(running, watches(&db, &c, 200).await);
}

pub async fn watches_are_kept_until_they_are_ended(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let other = conversation(&db, "+2").await;
    applied(&db, &other, &[new(line("A"), 0, 900)], None, 1).await;
    for name in ["A", "B", "C", "D"] {
        applied(&db, &c, &[new(line(name), 0, 500)], None, 1).await;
    }
    let names = async |c: &Conversation| -> Vec<String> {
        let name = |w: Watch| match w.what {
            Watched::Line { name } => name,
            other => panic!("{other:?}"),
        };
        watches(&db, c, 2).await.into_iter().map(name).collect()
    };
    assert_eq!(names(&c).await, ["A", "B", "C", "D"]);
    applied(&db, &c, &[Effect::Unwatch(Some(line("a")))], None, 2).await;
    assert_eq!(names(&c).await, ["B", "C", "D"]);
    applied(&db, &c, &[Effect::Unwatch(None)], None, 2).await;
    assert!(names(&c).await.is_empty());
    assert_eq!(names(&other).await, ["A"]);
    let events = db.store.read().await.unwrap().events(c.id).await.unwrap();
    let count = |kind| events.iter().filter(|e| e.kind == kind).count();
    assert_eq!((count(EventKind::WatchStarted), count(EventKind::WatchEnded)), (4, 4));
}

pub async fn who_opts_out_hears_the_confirmation_and_nothing_else(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    told(&db, &c, &[ride("t", 100)], 1).await;
    let mut tx = db.store.begin().await.unwrap();
    let confirmation = queue_outbound(&mut tx, &c, "c'est noté", at(2)).await;
    tx.commit().await.unwrap();
    applied(&db, &c, &[new(line("J"), 0, 900), Effect::OptOut], Some(&confirmation), 2).await;
    let contact = async || db.store.read().await.unwrap().contact_by_id(c.contact_id).await.unwrap().unwrap();
    let is = contact().await;
    assert_eq!((is.opted_out_at, is.opt_out_message), (Some(at(2)), Some(confirmation.id)));
    assert!(watches(&db, &c, 3).await.is_empty());
    assert!(ahead(&db, 3).await.is_empty(), "nobody to correct");
    applied(&db, &c, &[Effect::OptOut], None, 5).await;
    let again = contact().await;
    assert_eq!((again.opted_out_at, again.opt_out_message), (Some(at(2)), Some(confirmation.id)));
    applied(&db, &c, &[Effect::OptIn, Effect::OptIn], None, 6).await;
    let is = contact().await;
    assert_eq!((is.opted_out_at, is.opt_out_message), (None, None));
    assert_eq!(ahead(&db, 7).await.len(), 1);
    let events = db.store.read().await.unwrap().events(c.id).await.unwrap();
    assert_eq!(events.iter().filter(|e| e.kind == EventKind::OptedIn).count(), 1);
}

pub async fn what_was_told_last_is_remembered(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    told(&db, &c, &[ride("t", 100), ride("u", 200)], 1).await;
    let message = told(&db, &c, &[ride("t", 150)], 2).await;
    let other = conversation(&db, "+2").await;
    told(&db, &other, &[ride("t", 100), ride(&"x".repeat(MAX_KEY_BYTES + 1), 100)], 3).await;
    let all = ahead(&db, 4).await;
    let of_c: Vec<_> = all.iter().filter(|t| t.contact_id == c.contact_id).collect();
    assert_eq!(of_c.len(), 2);
    assert_eq!((of_c[0].ride.departs, of_c[0].revision, of_c[0].message_id), (at(150), 1, message));
    assert_eq!(all.len(), 3, "a trip whose id is no key is left out");
    // One after the other, nothing is missed or read twice.
    let mut pages = Vec::new();
    let mut after: Option<Told> = None;
    loop {
        let mut tx = db.store.read().await.unwrap();
        let page = tx.told_ahead(at(4), after.as_ref(), 1).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        pages.extend(page);
    }
    assert_eq!(pages, all);
    let late = 200 + 3 * 3600;
    assert!(ahead(&db, late).await.is_empty(), "three hours after it left");
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.forget_told(at(late)).await.unwrap(), 3);
}

/// What `notify` commits. True: it was said.
async fn correct(tx: &mut Tx, told: &Told, now: Timestamp) -> bool {
    let found = tx.lock_for_notice(told.contact_id, told.conversation_id).await.unwrap();
    let (contact, conversation) = found.unwrap();
    let mut message = outbound(&conversation, "corrected", now);
    tx.insert_message(&mut message).await.unwrap();
    let ride = ToldRide { cancelled: true, ..told.ride.clone() };
    tx.correct_told(told, message.id, &ride, false, now).await.unwrap()
        && tx.claim_notice(contact.id, "event", message.id, now, at(999)).await.unwrap()
}

/// Instances that find the same at once, while messages come in and are worked on.
pub async fn a_correction_is_committed_once(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    told(&db, &c, &[ride("t", 100)], 1).await;
    let found = ahead(&db, 2).await.remove(0);
    let mut instances = JoinSet::new();
    for n in 0..30 {
        let (db, found, c) = (db.clone(), found.clone(), c.clone());
        instances.spawn(async move {
            match n % 3 {
                0 => {
                    let mut tx = db.store.begin().await.unwrap();
                    let said = correct(&mut tx, &found, at(3)).await;
                    if said {
                        tx.commit().await.unwrap();
                    }
                    said
                }
                1 => {
                    ingested(&db.store, inbound("+1", &format!("SM{n}"), "x"), at(3)).await;
                    false
                }
                _ => {
                    applied(&db, &c, &[new(line(&n.to_string()), 0, 900)], None, 3).await;
                    false
                }
            }
        });
    }
    let said = instances.join_all().await.into_iter().filter(|said| *said).count();
    assert_eq!(said, 1);
    assert_eq!(texts(&db, c.id).await.iter().filter(|text| *text == "corrected").count(), 1);
    let now = ahead(&db, 4).await.remove(0);
    assert_eq!((now.revision, now.corrections, now.delays, now.ride.cancelled), (1, 1, 0, true));
}

pub async fn an_event_is_said_to_a_contact_once(db: Arc<TestDb>) {
    let (c, other) = (conversation(&db, "+1").await, conversation(&db, "+2").await);
    let mut tx = db.store.begin().await.unwrap();
    let message = MessageId::new();
    let mut claim = async |c: &Conversation, event: &str| {
        tx.claim_notice(c.contact_id, event, message, at(1), at(9)).await.unwrap()
    };
    assert!(claim(&c, "a").await);
    assert!(!claim(&c, "a").await);
    assert!(claim(&c, "b").await && claim(&other, "a").await);
    assert!(!claim(&c, &"x".repeat(MAX_KEY_BYTES + 1)).await, "said by nobody, and kept by nobody");
    assert!(tx.is_said(c.contact_id, "a").await.unwrap());
    assert_eq!(tx.expire_notices(at(8)).await.unwrap(), 0);
    assert_eq!(tx.expire_notices(at(9)).await.unwrap(), 3);
    assert!(!tx.is_said(c.contact_id, "a").await.unwrap());
}

pub async fn a_notice_goes_where_the_contact_is(db: Arc<TestDb>) {
    let first = conversation(&db, "+1").await;
    changed(&db, first.id, |c| {
        c.state = ConversationState::Resolved;
        c.resolved_at = Some(at(1));
    })
    .await;
    let place = async || {
        let mut tx = db.store.begin().await.unwrap();
        tx.lock_for_notice(first.contact_id, first.id).await.unwrap().unwrap().1
    };
    let there = place().await;
    assert_eq!((there.id, there.state), (first.id, ConversationState::Resolved), "it reopens nothing");
    let second = ingested(&db.store, inbound("+1", "b", "x"), at(2)).await.conversation_id;
    assert_eq!(place().await.id, second);
}
