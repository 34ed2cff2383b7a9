//! Compares what customers were acknowledged, what the database holds, and what the provider accepted.

use crate::customers::{Acknowledged, QUESTIONS};
use crate::provider::{Message as Sent, NUMBER};
use crate::support::TestDb;
use guichet::model::{DeliveryStatus, Direction, EventKind, Message, MessageId};
use guichet::store::{Store, Tx};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

pub async fn until_no_job_is_left(db: &TestDb, within: Duration) -> bool {
    let mut raw = db.raw().await;
    let started = Instant::now();
    while started.elapsed() < within {
        if raw.count("jobs").await == 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

/// Everything that is not as it must be.
pub async fn audit(url: &str, customers: &[Acknowledged], sent: &[Sent]) -> Vec<String> {
    let store = Store::open(url, 2).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let mut problems = Vec::new();
    let mut by_address: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
    for message in sent {
        by_address.entry(&message.to).or_default().push(message);
    }
    for customer in customers {
        let at_provider = by_address.remove(customer.address.as_str()).unwrap_or_default();
        let mut found = one(&mut tx, customer, &at_provider).await;
        if !found.is_empty() {
            found.push(format!(
                "the provider has {:?}",
                at_provider.iter().map(|m| &m.body).collect::<Vec<_>>()
            ));
            problems.push(format!("{}: {}", customer.address, found.join("; ")));
        }
    }
    for address in by_address.keys().filter(|a| **a != NUMBER) {
        problems.push(format!("{address} was sent something and never wrote"));
    }
    drop(tx);
    store.close().await;
    problems
}

async fn one(tx: &mut Tx, customer: &Acknowledged, at_provider: &[&Sent]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |wrong: bool, what: String| {
        if wrong {
            problems.push(what);
        }
    };
    let Some(contact) = tx.contact_by_address("twilio", &customer.address).await.unwrap() else {
        return vec!["acknowledged and not stored".to_owned()];
    };
    let messages = tx.messages_of_contact(contact.id, 1000).await.unwrap();
    let (inbound, outbound): (Vec<_>, Vec<_>) =
        messages.iter().partition(|m| m.direction == Direction::Inbound);

    // Stored: all that was acknowledged, once, in the order in which the customer wrote.
    let stored: Vec<_> = inbound.iter().filter_map(|m| m.provider_id.clone()).collect();
    check(stored != customer.sids, format!("acknowledged {:?}, stored {stored:?}", customer.sids));

    // Answered: each once, in that order.
    let answers = answers(tx, &inbound).await;
    for question in &inbound {
        let count = answers.get(&question.id).map_or(0, Vec::len);
        check(count != 1, format!("message {} has {count} answers", question.seq));
    }
    let in_order: Vec<_> = inbound.iter().filter_map(|q| answers.get(&q.id)).flatten().collect();
    let written: Vec<_> = outbound.iter().map(|m| &m.id).collect();
    check(in_order != written, "the answers are not in the order of the questions".to_owned());
    for message in &outbound {
        let settled = matches!(message.status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
        check(!settled, format!("message {} is {}: {:?}", message.seq, message.status, message.error));
    }

    // At the provider: the same messages, once, in the same order.
    let expected: Vec<_> = outbound.iter().map(|m| (m.provider_id.as_deref(), m.text.as_str())).collect();
    let there: Vec<_> = at_provider.iter().map(|m| (Some(m.sid.as_str()), m.body.as_str())).collect();
    check(expected != there, format!("written {expected:?}, at the provider {there:?}"));
    let unique: BTreeSet<_> = at_provider.iter().map(|m| &m.sid).collect();
    check(unique.len() != at_provider.len(), "an id twice at the provider".to_owned());

    // And they are the answers to what was asked.
    for ((_, station), answer) in QUESTIONS.iter().zip(at_provider) {
        check(!answer.body.contains(station), format!("no {station} in '{}'", answer.body));
    }
    problems
}

/// The outbound messages that the log says answer each inbound one.
async fn answers(tx: &mut Tx, inbound: &[&Message]) -> BTreeMap<MessageId, Vec<MessageId>> {
    let mut answers: BTreeMap<MessageId, Vec<MessageId>> = BTreeMap::new();
    let conversations: BTreeSet<_> = inbound.iter().map(|m| m.conversation_id).collect();
    for conversation in conversations {
        for event in tx.events(conversation).await.unwrap() {
            if let EventKind::BotAnswered | EventKind::NoticeQueued = event.kind
                && let Some(question) = event.data["to"].as_str()
            {
                answers.entry(question.parse().unwrap()).or_default().push(event.message_id.unwrap());
            }
        }
    }
    answers
}
