//! The conversation's page beside its reply box, through its doors.

use super::tests::{App, Session, XSS, app, header};
use crate::clock::Clock as _;
use crate::model::{Agent, ConversationState, EventKind, MessageId, Role, Team, TeamId};
use crate::store::Ingest;
use reqwest::{Method, StatusCode};
use std::time::Duration;
use uuid::Uuid;

const PAGE: &str = "/console/conversations/{id}";
const SEE_OTHER: StatusCode = StatusCode::SEE_OTHER;

impl App {
    async fn shown(&self, session: &Session) -> String {
        self.get(session, PAGE).await.text().await.unwrap()
    }

    async fn someone(&self, login: &str, role: Role) -> (Agent, Session) {
        let agent = self.person(login, role).await;
        let session = self.session_of(&agent).await;
        (agent, session)
    }

    async fn kinds(&self) -> Vec<EventKind> {
        let events = self.store.read().await.unwrap().events(self.conversation).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }
}

/// The text is there as text, and nothing of it is markup.
fn escaped(page: &str) {
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    assert!(page.contains("&lt;script&gt;alert"));
}

#[tokio::test]
async fn a_conversation_goes_from_hand_to_hand_and_back_to_the_bot() {
    let app = app().await;
    let camille = app.sign_in("").await;
    let (sacha, his) = app.someone("sacha", Role::Agent).await;
    let (_, boss) = app.someone("boss", Role::Manager).await;
    let team =
        Team { id: TeamId::new(), name: XSS.into(), languages: vec![], topics: vec![], channels: vec![] };
    let mut tx = app.store.begin().await.unwrap();
    tx.save_team(&team, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let open = |page: &str, tool: &str| {
        let start = page.split(&format!("id=\"tool-{tool}\"")).nth(1).unwrap().split('>').next().unwrap();
        !start.contains("hidden")
    };
    let before = app.shown(&camille).await;
    assert!(!open(&before, "transfer") && !open(&before, "snooze") && open(&before, "note"));
    assert!(!before.contains("hand-back"));
    assert!(open(&app.shown(&boss).await, "transfer"), "a supervisor reassigns");

    app.act(&camille, "take", &[]).await;
    let page = app.shown(&camille).await;
    assert!(open(&page, "transfer") && open(&page, "snooze"));
    assert!(page.contains(&format!("agent:{}", sacha.id)) && page.contains(&format!("team:{}", team.id)));
    escaped(&page);
    let to = format!("agent:{}", sacha.id);
    let long = "x".repeat(2_001);
    let refused = app.act(&camille, "transfer", &[("to", &to), ("note", &long)]).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let given = app.act(&camille, "transfer", &[("to", &to), ("note", XSS)]).await;
    assert_eq!(given.status(), SEE_OTHER);
    let fields = [("to", "agent:me"), ("note", "")];
    assert_eq!(app.act(&his, "transfer", &fields).await.status(), StatusCode::BAD_REQUEST);
    let queue = app.get(&his, "/console").await.text().await.unwrap();
    assert!(queue.contains("id=\"mentions-count\">1<"), "{queue}");
    escaped(&queue);
    let page = app.shown(&his).await;
    assert!(page.contains("class=\"memo\"") && page.contains(" → sacha"), "{page}");
    assert!(page.contains("id=\"mentions-count\">0<"), "who looks at it has read it");
    escaped(&page);

    let reassigned = app.act(&boss, "transfer", &[("to", &format!("team:{}", team.id))]).await;
    assert_eq!((reassigned.status(), app.state().await), (SEE_OTHER, ConversationState::Queued));
    app.act(&his, "take", &[]).await;
    assert_eq!(app.act(&camille, "hand-back", &[]).await.status(), StatusCode::CONFLICT);
    assert_eq!(app.act(&his, "hand-back", &[]).await.status(), SEE_OTHER);
    assert_eq!(app.state().await, ConversationState::Bot);
    assert!(app.shown(&his).await.contains("note handed_back"));
}

#[tokio::test]
async fn a_snooze_is_shown_and_ended() {
    let app = app().await;
    let camille = app.sign_in("").await;
    app.act(&camille, "take", &[]).await;
    // 2026-11-23 is a Monday; its zone is that of the operator.
    for (fields, hours) in [
        (&[("for", "30m")][..], Some(0)),
        (&[("for", "2h")][..], Some(2)),
        (&[("for", "customer")][..], Some(30 * 24)),
        (&[("for", "at"), ("at", "2026-11-24T12:00")][..], Some(25)),
        (&[("for", "at"), ("at", "2026-11-01T12:00")][..], None),
        (&[("for", "at"), ("at", "soon")][..], None),
        (&[("for", "ever")][..], None),
    ] {
        let answer = app.act(&camille, "snooze", fields).await;
        let expected = if hours.is_some() { SEE_OTHER } else { StatusCode::CONFLICT };
        assert_eq!(answer.status(), expected, "{fields:?}");
        let mut tx = app.store.read().await.unwrap();
        let until = tx.conversation(app.conversation).await.unwrap().unwrap().desk.snoozed_until;
        drop(tx);
        let left = until.map(|until| until.since(app.clock.now()).as_secs() / 3600);
        if hours.is_some() {
            assert_eq!(left, hours, "{fields:?}");
        }
    }
    app.act(&camille, "snooze", &[("for", "opening")]).await;
    let page = app.shown(&camille).await;
    assert!(page.contains("pill high snoozed") && page.contains("id=\"b-wake\""), "{page}");
    assert_eq!(app.act(&camille, "wake", &[]).await.status(), SEE_OTHER);
    assert!(!app.shown(&camille).await.contains("pill high snoozed"));
}

#[tokio::test]
async fn notes_and_tags_are_for_agents_and_stay_text() {
    let app = app().await;
    let camille = app.sign_in("").await;
    let (_, sacha) = app.someone("sacha", Role::Agent).await;
    let key = Uuid::now_v7().to_string();
    let text = format!("@sacha {XSS}");
    for _ in 0..2 {
        let added = app.act(&camille, "notes", &[("key", &key), ("text", &text)]).await;
        assert_eq!(added.status(), SEE_OTHER);
    }
    let page = app.shown(&camille).await;
    assert_eq!(page.matches("class=\"memo\"").count(), 1);
    escaped(&page);
    let live = "/console/fragments/conversations/{id}";
    let part = app.get(&sacha, live).await.text().await.unwrap();
    assert!(part.contains("data-unread=\"1\"") && part.contains("id=\"f-read\""), "a part reads nothing");
    let queue = app.get(&sacha, "/console/fragments/queue").await.text().await.unwrap();
    assert!(queue.contains(&format!("/console/conversations/{}#w-{key}", app.conversation)), "{queue}");
    escaped(&queue);
    assert_eq!(app.act(&sacha, "notes/read", &[]).await.status(), SEE_OTHER);
    let part = app.get(&sacha, live).await.text().await.unwrap();
    assert!(part.contains("data-mentions=\"0\""));
    // Customers read messages, and this is none.
    let messages = app.store.read().await.unwrap().messages(app.conversation, 0, 9).await.unwrap();
    assert!(messages.iter().all(|m| !m.text.contains("@sacha")));

    assert_eq!(app.act(&camille, "tags", &[("tag", XSS)]).await.status(), StatusCode::CONFLICT, "too long");
    for tag in ["<b>Perdu</b>", "a&b=c"] {
        assert_eq!(app.act(&sacha, "tags", &[("tag", tag)]).await.status(), SEE_OTHER);
    }
    let page = app.shown(&camille).await;
    assert!(page.contains("q=%3Cb%3Eperdu%3C%2Fb%3E") && page.contains("&lt;b&gt;perdu"), "{page}");
    assert!(page.contains("q=a%26b%3Dc"));
    app.act(&camille, "tags/remove", &[("tag", "<b>perdu</b>")]).await;
    assert!(!app.shown(&camille).await.contains("&lt;b&gt;perdu"));
}

#[tokio::test]
async fn other_conversations_of_the_contact_and_of_linked_ones_are_listed() {
    let app = app().await;
    let camille = app.sign_in("").await;
    let mut tx = app.store.begin().await.unwrap();
    let now = app.clock.now();
    let mut c = tx.lock_conversation(app.conversation).await.unwrap().unwrap();
    c.state = ConversationState::Resolved;
    c.resolved_at = Some(now);
    tx.save_conversation(&c).await.unwrap();
    let again = Ingest { channel: "web", address: XSS, provider_id: "2", text: "re", ..Ingest::default() };
    let second = tx.ingest(again, now, Duration::ZERO).await.unwrap().conversation_id;
    let other = Ingest { channel: "web", address: "ami", provider_id: "3", text: "x", ..Ingest::default() };
    let third = tx.ingest(other, now, Duration::ZERO).await.unwrap().conversation_id;
    let friend = tx.conversation(third).await.unwrap().unwrap().contact_id.to_string();
    tx.commit().await.unwrap();
    let page = app.shown(&camille).await;
    assert!(page.contains(&format!("id=\"p-{second}\"")) && !page.contains(&format!("id=\"p-{third}\"")));
    assert_eq!(app.act(&camille, "link", &[("with", "nobody")]).await.status(), StatusCode::CONFLICT);
    assert_eq!(app.act(&camille, "link", &[("with", "ami")]).await.status(), SEE_OTHER);
    let page = app.shown(&camille).await;
    assert!(page.contains(&format!("id=\"p-{third}\"")) && page.contains("note contact_linked"), "{page}");
    let theirs = app.get(&camille, &format!("/console/conversations/{third}")).await.text().await.unwrap();
    assert!(theirs.contains(&format!("id=\"p-{}\"", app.conversation)));
    escaped(&theirs);
    app.act(&camille, "unlink", &[("contact", &friend)]).await;
    assert!(!app.shown(&camille).await.contains(&format!("id=\"p-{third}\"")));
}

#[tokio::test]
async fn a_colleague_sees_what_is_being_written() {
    let app = app().await;
    let camille = app.sign_in("").await;
    let (_, sacha) = app.someone("sacha", Role::Agent).await;
    let key = MessageId::new().to_string();
    let save = async |session: &Session, text: &str| {
        app.act(session, "draft", &[("key", &key), ("text", text)]).await.status()
    };
    assert_eq!(save(&camille, "early").await, StatusCode::NO_CONTENT, "not in charge: nothing to show");
    app.act(&camille, "take", &[]).await;
    let mut events = app.get(&sacha, "/console/events").await;
    events.chunk().await.unwrap().unwrap();
    assert_eq!(save(&camille, XSS).await, SEE_OTHER);
    let hint = events.chunk().await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&hint).trim(), format!("data: draft {}", app.conversation));
    let part = "/console/fragments/conversations/{id}/draft";
    let seen = async |session: &Session| app.get(session, part).await.text().await.unwrap();
    let shown = seen(&sacha).await;
    assert!(shown.contains("data-now=\"yes\""), "{shown}");
    escaped(&shown);
    escaped(&app.shown(&sacha).await);
    assert!(!seen(&camille).await.contains("alert"), "not to herself");
    assert!(
        app.shown(&camille).await.contains("id=\"own-draft\" data-text=\"&lt;script"),
        "in another browser"
    );
    app.clock.advance(Duration::from_secs(11));
    let shown = seen(&sacha).await;
    assert!(!shown.contains("data-now") && shown.contains("writing-text"), "{shown}");
    assert_eq!(save(&camille, &"x".repeat(20_001)).await, StatusCode::CONFLICT);
    app.act(&camille, "reply", &[("key", &key), ("text", "fini")]).await;
    assert!(!seen(&sacha).await.contains("writing-text"));
}

#[tokio::test]
async fn corrections_are_proposed_by_agents_and_decided_by_managers() {
    let app = app().await;
    let camille = app.sign_in("").await;
    let (_, boss) = app.someone("boss", Role::Manager).await;
    let first = app.store.read().await.unwrap().messages(app.conversation, 0, 1).await.unwrap().remove(0);
    let id = first.id.to_string();
    let fields = [("message", id.as_str()), ("intent", "no.such_intent")];
    assert_eq!(app.act(&camille, "correct", &fields).await.status(), StatusCode::CONFLICT);
    let mut tx = app.store.read().await.unwrap();
    let agent = tx.agent_by_login("camille").await.unwrap().unwrap().agent;
    drop(tx);
    let now = app.clock.now();
    let propose = crate::desk::corrections::propose;
    propose(&app.store, now, &agent, app.conversation, first.id, "traffic.train_delay").await.unwrap();
    propose(&app.store, now, &agent, app.conversation, first.id, "general.thanks").await.unwrap();
    assert!(app.kinds().await.contains(&EventKind::BotCorrected));
    let page = app.shown(&boss).await;
    assert!(page.contains("fixed open") && page.contains("traffic.train_delay"), "the next agent reads it");
    let opened = app.get(&camille, &format!("{PAGE}?correct={id}")).await.text().await.unwrap();
    assert!(opened.contains("id=\"tool-correct\" class=\"tool\" data-open-key=\"c\" open"), "{opened}");

    let corrections = "/console/corrections";
    let page = app.get(&boss, corrections).await.text().await.unwrap();
    escaped(&page);
    let proposals = app.store.read().await.unwrap().open_proposals(9).await.unwrap();
    let decide = async |n: usize, what: &str, text: &str| {
        let path = format!("{corrections}/{}/{what}", proposals[n].id);
        let request = app.ask(Method::POST, &path).header("cookie", &boss.cookie);
        request.form(&[("csrf", boss.csrf.as_str()), ("text", text)]).send().await.unwrap()
    };
    let done = decide(0, "accept", "mon train [a] du \"retard\"").await;
    assert_eq!((done.status(), header(&done, "location")), (SEE_OTHER, corrections));
    assert_eq!(decide(1, "refuse", "").await.status(), SEE_OTHER);
    let file = app.get(&boss, "/console/corrections/export").await;
    assert!(header(&file, "content-disposition").contains("corrections.jsonl"));
    let file = file.text().await.unwrap();
    let read = crate::nlu::exchange::from_json_lines(&file, None).unwrap();
    let [example] = &read.examples[..] else { panic!("{file}") };
    assert_eq!(example.intent, "traffic.train_delay");
    assert_eq!((example.text.as_str(), example.lang.is_some()), ("mon train (a) du \"retard\"", true));
    let page = app.shown(&camille).await;
    assert!(page.contains("fixed accepted") && page.contains("fixed refused"), "{page}");
}
