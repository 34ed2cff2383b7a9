//! What people do with conversations, done by programs; each answer is held against the document.

use super::super::console::tests::{App, app};
use super::document::tests::differs;
use crate::clock::Clock;
use crate::model::{Agent, ConversationState, Lang, MessageId, NewWatch, Presence, Role, Timestamp, Watched};
use crate::store::{Ingest, Proposal, Survey};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);
const TALK: &str = "/api/conversations/{id}";

/// Someone's program.
struct Program<'a> {
    app: &'a App,
    agent: Agent,
    token: String,
}

impl App {
    async fn program(&self, login: &str, role: Role) -> Program<'_> {
        let agent = self.person(login, role).await;
        let mut tx = self.store.begin().await.unwrap();
        tx.set_presence(agent.id, Presence::Available, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let token = self.token_of(&agent, false, None).await;
        Program { app: self, agent, token }
    }

    async fn last_seen(&self) -> i64 {
        let mut tx = self.store.read().await.unwrap();
        tx.messages(self.conversation, 0, 100).await.unwrap().last().unwrap().seq
    }
}

impl Program<'_> {
    /// The status, and the answer; of a problem its reason.
    async fn keyed(&self, method: Method, path: &str, key: Uuid, body: Value) -> (u16, Value) {
        let request = self.app.with(method, path, &self.token).header("idempotency-key", key.to_string());
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
        if status.is_client_error() {
            return (status.as_u16(), json!(body["type"].as_str().unwrap().trim_start_matches("/problems/")));
        }
        (status.as_u16(), body)
    }

    async fn post(&self, act: &str, body: Value) -> (u16, Value) {
        self.keyed(Method::POST, &format!("{TALK}/{act}"), Uuid::now_v7(), body).await
    }

    /// As the document says it.
    async fn read(&self, path: &str, schema: &str) -> Value {
        let (status, body) = self.keyed(Method::GET, path, Uuid::now_v7(), Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        assert_eq!(differs(schema, &body), None, "{path}");
        body
    }
}

fn refused(status: u16, reason: &str) -> (u16, Value) {
    (status, json!(reason))
}

#[tokio::test]
async fn notes_tags_and_links_are_read_with_the_conversation() {
    let app = app().await;
    let (nour, sacha) = (app.program("nour", Role::Agent).await, app.program("sacha", Role::Agent).await);
    let key = Uuid::now_v7();
    let notes = format!("{TALK}/notes");
    for _ in 0..2 {
        let made = nour.keyed(Method::POST, &notes, key, json!({ "text": "Vu avec @sacha" })).await;
        assert_eq!(made, (201, json!({ "id": key })));
    }
    let other = nour.keyed(Method::POST, &notes, key, json!({ "text": "autre" })).await;
    assert_eq!(other, refused(409, "key_reused"));
    assert_eq!(nour.post("notes", json!({ "text": "x".repeat(2_001) })).await, refused(422, "too_long"));
    assert_eq!(nour.post("tags", json!({ "tag": " #Été  2026" })).await.0, 204);
    assert_eq!(nour.post("tags", json!({ "tag": "autre" })).await.0, 204);
    assert_eq!(nour.post("tags/remove", json!({ "tag": "autre" })).await.0, 204);
    let mut tx = app.store.begin().await.unwrap();
    let inbound = Ingest {
        channel: "web",
        address: "visitor-2",
        provider_id: "2",
        text: "bonjour",
        ..Ingest::default()
    };
    tx.ingest(inbound, app.clock.now(), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(nour.post("link", json!({ "with": "nobody" })).await, refused(422, "no_contact"));
    assert_eq!(nour.post("link", json!({ "with": "visitor-2" })).await.0, 204);
    let read = nour.read(TALK, "Conversation").await;
    assert_eq!(
        (&read["notes"][0]["text"], read["notes"].as_array().unwrap().len()),
        (&json!("Vu avec @sacha"), 1)
    );
    assert_eq!(read["notes"][0]["mentions"][0]["id"], json!(sacha.agent.id));
    assert_eq!((&read["tags"], &read["linked"][0]["address"]), (&json!(["été 2026"]), &json!("visitor-2")));
    let called = async || {
        let answer = sacha.keyed(Method::GET, "/api/me/mentions", Uuid::now_v7(), Value::Null).await.1;
        answer["items"].as_array().unwrap().clone()
    };
    let mention = called().await.remove(0);
    assert_eq!((differs("Mention", &mention), &mention["note"]), (None, &json!(key)));
    sacha.read(TALK, "Conversation").await;
    assert_eq!(called().await.len(), 1, "reading a conversation writes nothing");
    assert_eq!(sacha.post("notes/read", Value::Null).await.0, 204);
    assert!(called().await.is_empty());
    assert_eq!(nour.post("unlink", json!({ "contact": read["linked"][0]["id"] })).await.0, 204);
    assert_eq!(nour.read(TALK, "Conversation").await["linked"], json!([]));
}

#[tokio::test]
async fn a_reply_waits_where_it_is_asked_to_and_may_resolve() {
    let app = app().await;
    let nour = app.program("nour", Role::Agent).await;
    assert_eq!(nour.post("take", Value::Null).await.0, 204);
    let reply = format!("{TALK}/reply");
    let withdraw = |key: Uuid| format!("messages/{key}/withdraw");
    let (waits, leaves) = (Uuid::now_v7(), Uuid::now_v7());
    let body = json!({ "text": "Un instant", "undo": true });
    let sent = nour.keyed(Method::POST, &reply, waits, body.clone()).await;
    assert_eq!(sent, (202, json!({ "message": waits })));
    for _ in 0..2 {
        let taken = nour.post(&withdraw(waits), Value::Null).await;
        assert_eq!(taken, (200, json!({ "text": "Un instant" })));
    }
    assert_eq!(nour.keyed(Method::POST, &reply, waits, body).await, refused(409, "withdrawn"));
    assert_eq!(nour.post("reply", json!({ "text": "Train [[train]]" })).await, refused(422, "gap"));
    let seen = app.last_seen().await;
    let ends = |seen: i64| json!({ "text": "Au revoir", "resolve": seen });
    assert_eq!(nour.keyed(Method::POST, &reply, leaves, ends(0)).await, refused(409, "new_messages"));
    assert_eq!(nour.keyed(Method::POST, &reply, leaves, ends(seen)).await.0, 202);
    assert_eq!(app.state().await, ConversationState::Resolved);
    assert_eq!(nour.post(&withdraw(leaves), Value::Null).await, refused(409, "left"));
    let drafts = json!({ "text": "x", "drafts": vec![Uuid::now_v7(); 9] });
    assert_eq!(nour.post("reply", drafts).await, refused(400, "malformed"));
}

#[tokio::test]
async fn from_hand_to_hand_and_back_to_the_bot() {
    let app = app().await;
    let (nour, sacha) = (app.program("nour", Role::Agent).await, app.program("sacha", Role::Agent).await);
    assert_eq!(nour.post("take", Value::Null).await.0, 204);
    let until = app.clock.now().plus(HOUR).to_string();
    assert_eq!(nour.post("snooze", json!({ "until": until })).await.0, 204);
    assert!(nour.read(TALK, "Conversation").await["snoozed_until"].is_string());
    assert_eq!(sacha.post("wake", Value::Null).await, refused(409, "in_charge"));
    assert_eq!(nour.post("wake", Value::Null).await.0, 204);
    assert!(nour.read(TALK, "Conversation").await["snoozed_until"].is_null());
    let given = json!({ "agent": sacha.agent.id, "note": "Il attend depuis midi" });
    assert_eq!(nour.post("transfer", given).await.0, 204);
    assert_eq!(nour.post("hand-back", Value::Null).await, refused(409, "in_charge"));
    assert_eq!(sacha.post("hand-back", Value::Null).await.0, 204);
    let read = nour.read(TALK, "Conversation").await;
    assert_eq!((&read["state"], &read["notes"][0]["text"]), (&json!("bot"), &json!("Il attend depuis midi")));
    let mut tx = app.store.read().await.unwrap();
    let first = tx.messages(app.conversation, 0, 1).await.unwrap().remove(0).id;
    drop(tx);
    let moderate = format!("messages/{first}/moderate");
    for (action, status, reason) in
        [("hide", 422, "cannot_moderate"), ("delete", 403, "role"), ("burn", 400, "malformed")]
    {
        assert_eq!(nour.post(&moderate, json!({ "action": action })).await, refused(status, reason));
    }
    let correct = format!("messages/{first}/correct");
    assert_eq!(nour.post(&correct, json!({ "intent": "x.y" })).await, refused(422, "no_intent"));
}

#[tokio::test]
async fn managers_decide_corrections() {
    let app = app().await;
    let (nour, boss) = (app.program("nour", Role::Agent).await, app.program("boss", Role::Manager).await);
    let mut tx = app.store.begin().await.unwrap();
    let message = tx.messages(app.conversation, 0, 1).await.unwrap().remove(0).id;
    let proposal = Proposal {
        id: Uuid::now_v7(),
        message,
        conversation: app.conversation,
        agent: nour.agent.id,
        agent_name: String::new(),
        lang: Lang::FR,
        text: "mon train de 8 h est là ? Camille".into(),
        read_as: None,
        intent: "traffic.train_delay".into(),
        created_at: app.clock.now(),
        accepted: None,
    };
    assert!(tx.insert_proposal(&proposal).await.unwrap());
    tx.commit().await.unwrap();
    let listed = async |state: &str| {
        let path = format!("/api/corrections?state={state}");
        let items = boss.keyed(Method::GET, &path, Uuid::now_v7(), Value::Null).await.1["items"].clone();
        let items = items.as_array().unwrap().clone();
        assert!(items.iter().all(|item| differs("Correction", item).is_none()));
        items
    };
    assert_eq!(listed("").await[0]["text"], json!(proposal.text));
    let read = nour.read(TALK, "Conversation").await;
    assert_eq!(read["corrections"][0]["intent"], json!("traffic.train_delay"));
    let act = format!("/api/corrections/{}", proposal.id);
    let decide = async |how: &str, body: Value| {
        boss.keyed(Method::POST, &format!("{act}/{how}"), Uuid::now_v7(), body).await
    };
    assert_eq!(decide("accept", json!({ "text": " " })).await, refused(422, "empty"));
    assert_eq!(decide("accept", json!({ "text": "mon train de 8 h est là ?" })).await.0, 204);
    assert_eq!(decide("refuse", Value::Null).await.0, 204, "the first decision stays");
    assert_eq!(listed("accepted").await[0]["text"], json!("mon train de 8 h est là ?"));
    assert!(listed("open").await.is_empty());
    let wrong = boss.keyed(Method::GET, "/api/corrections?state=x", Uuid::now_v7(), Value::Null).await;
    assert_eq!(wrong, refused(400, "malformed"));
}

/// In charge of `agent`, with a missed promise, a note, a watch, changed responses and an answered survey.
async fn busy(app: &App, agent: &Agent, now: Timestamp) {
    let mut tx = app.store.begin().await.unwrap();
    let mut c = tx.lock_conversation(app.conversation).await.unwrap().unwrap();
    c.state = ConversationState::InCharge;
    c.agent_id = Some(agent.id);
    c.desk.breached_at = Some(now);
    c.desk.first_due_at = Some(now);
    tx.save_conversation(&c).await.unwrap();
    for _ in 0..2 {
        let what = Watched::Train { number: "8745".into() };
        let watch = NewWatch { what, from: now, until: now.plus(HOUR) };
        tx.insert_watch(c.contact_id, c.id, &watch, now).await.unwrap();
    }
    let set = |digest: &str| BTreeMap::from([("responses/fr/traffic.yaml".to_owned(), digest.to_owned())]);
    tx.keep_content(&set("1"), now).await.unwrap();
    tx.keep_content(&set("2"), now.plus(Duration::from_secs(1))).await.unwrap();
    let message_id: MessageId = tx.messages(c.id, 0, 1).await.unwrap().remove(0).id;
    let (score, comment, answered_at, comment_until) = (None, None, None, None);
    let (asked_at, until, conversation_id) = (now, now.plus(HOUR), c.id);
    let survey =
        Survey { conversation_id, message_id, asked_at, until, score, comment, answered_at, comment_until };
    tx.insert_survey(&survey, &c).await.unwrap();
    tx.set_score(c.id, 4, None, now).await.unwrap();
    tx.set_comment(c.id, "merci").await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_note_at_a_shift_change_and_what_customers_think() {
    let app = app().await;
    let nour = app.program("nour", Role::Agent).await;
    let waiting = nour.read("/api/handover", "Handover").await;
    assert_eq!(waiting["waiting"][0]["conversation"], json!(app.conversation));
    busy(&app, &nour.agent, app.clock.now()).await;
    assert_eq!(nour.post("notes", json!({ "text": "Rappeler" })).await.0, 201);
    app.clock.advance(Duration::from_secs(60));
    let note = nour.read("/api/handover", "Handover").await;
    assert_eq!((&note["promises"][0]["missed"], &note["waiting"]), (&json!(true), &json!([])));
    assert_eq!(note["in_charge"][0]["note"]["text"], json!("Rappeler"));
    assert!(note["incidents"].is_null() && note["incidents_unknown"].is_string(), "{note}");
    assert_eq!(note["changes"][0]["files"][0]["how"], json!("changed"));
    assert_eq!(note["watches"][0]["what"]["name"], json!("8745"));
    let address = nour.read(TALK, "Conversation").await["contact"]["address"].clone();
    assert!(!note.to_string().contains(address.as_str().unwrap()), "{note}");
    let since = format!("/api/handover?since={}", app.clock.now());
    assert_eq!(nour.read(&since, "Handover").await["changes"], json!([]));
    let told = nour.read("/api/reports/satisfaction", "Satisfaction").await;
    assert_eq!((&told["overall"]["mean"], &told["by_channel"]["web"]["answered"]), (&json!(4.0), &json!(1)));
    assert_eq!(told["comments"][0]["text"], json!("merci"));
    let drafts = nour.keyed(Method::GET, &format!("{TALK}/drafts"), Uuid::now_v7(), Value::Null).await.1;
    assert_eq!(drafts, json!({ "items": [], "reading": false, "late": false, "learning": true }));
}
