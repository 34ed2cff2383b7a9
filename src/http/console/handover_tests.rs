//! The note at a shift change, and what supervisors see on every page.

use super::tests::{App, Session, XSS, app, app_with};
use crate::clock::Clock as _;
use crate::config::{ByPriority, Config, Span};
use crate::model::{Actor, ConversationState, EventKind, Lang, NewEvent, NewWatch, Presence, Role, Watched};
use crate::store::Survey;
use reqwest::StatusCode;
use std::collections::BTreeMap;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

async fn page(app: &App, session: &Session, path: &str) -> String {
    let answer = app.get(session, path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// A conversation in charge of `name`, snoozed, with a customer who watches a train, and changed responses.
async fn busy(app: &App) {
    let now = app.clock.now();
    let agent = app.person("noor", Role::Agent).await;
    let mut tx = app.store.begin().await.unwrap();
    tx.set_presence(agent.id, Presence::Available, now).await.unwrap();
    let mut c = tx.lock_conversation(app.conversation).await.unwrap().unwrap();
    c.state = ConversationState::InCharge;
    c.agent_id = Some(agent.id);
    c.taken_at = Some(now);
    c.lang = Some(Lang::FR);
    c.desk.snoozed_until = Some(now.plus(30 * MINUTE));
    c.desk.breached_at = Some(now);
    c.desk.first_due_at = Some(now);
    tx.save_conversation(&c).await.unwrap();
    let watch =
        NewWatch { what: Watched::Train { number: "8745".into() }, from: now, until: now.plus(60 * MINUTE) };
    tx.insert_watch(c.contact_id, c.id, &watch, now).await.unwrap();
    let set = |digest: &str| BTreeMap::from([("responses/fr/traffic.yaml".to_owned(), digest.to_owned())]);
    tx.keep_content(&set("1"), now).await.unwrap();
    tx.keep_content(&set("2"), now.plus(Duration::from_secs(1))).await.unwrap();
    let event = NewEvent {
        kind: EventKind::Transferred,
        actor: Actor::Agent(agent.id),
        conversation_id: Some(c.id),
        message_id: None,
        data: serde_json::json!({}),
    };
    tx.append_event(now, event).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_note_tells_what_is_open_as_a_page_and_as_text() {
    let app = app().await;
    let session = app.sign_in("lang=fr").await;
    let french = Session { cookie: format!("{}; lang=fr", session.cookie), ..session.clone() };
    let empty = page(&app, &french, "/console/handover").await;
    assert!(
        empty.contains("En attente d'une personne") || empty.contains("En attente d&#x27;une personne"),
        "{empty}"
    );
    busy(&app).await;
    app.clock.advance(MINUTE);
    let html = page(&app, &french, "/console/handover").await;
    for told in [
        "Train 8745",
        "1 client(s)",
        "responses&#x2f;fr&#x2f;traffic.yaml (modifié)",
        "noor",
        "Trafic inconnu",
    ] {
        assert!(html.contains(told), "{told}: {html}");
    }
    assert!(!html.contains(XSS));
    let text = page(&app, &french, "/console/handover.txt").await;
    assert_eq!(text, page(&app, &french, "/console/handover?format=text").await);
    let link = format!("http://127.0.0.1:8080/console/conversations/{}", app.conversation);
    for told in [
        "Note de passation",
        "PROMESSES EN DANGER (1)",
        "- ! ",
        &link,
        "Train 8745 · 1 client(s)",
        "responses/fr/traffic.yaml (modifié)",
        "Rien.",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let english = Session { cookie: format!("{}; lang=en", session.cookie), ..session.clone() };
    let text = page(&app, &english, "/console/handover.txt").await;
    assert!(text.contains("PROMISES IN DANGER (1)") && text.contains("(changed)"), "{text}");
    let kind = app.get(&english, "/console/handover.txt").await;
    assert_eq!(super::tests::header(&kind, "content-type"), "text/plain; charset=utf-8");
}

#[tokio::test]
async fn the_period_is_chosen() {
    let app = app().await;
    let session = app.sign_in("").await;
    busy(&app).await;
    app.clock.advance(MINUTE);
    // 10:00 UTC is 11:00 in Paris.
    let text = page(&app, &session, "/console/handover.txt?since=2026-11-23T11:00").await;
    assert!(text.contains("traffic.yaml"), "{text}");
    let text = page(&app, &session, "/console/handover.txt?since=2026-11-23T11:01").await;
    assert!(!text.contains("traffic.yaml"), "{text}");
    for wrong in ["yesterday", "2026-13-01T00:00", "<script>"] {
        let path = format!("/console/handover?since={wrong}");
        assert_eq!(app.get(&session, &path).await.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn supervisors_see_promises_in_danger_on_every_page_and_agents_do_not() {
    let mut config = Config::default();
    config.desk.sla.first_answer = ByPriority { normal: Some(Span::seconds(600)), ..ByPriority::default() };
    let app = app_with(config).await;
    let agent = app.sign_in("").await;
    let manager = app.person("moss", Role::Manager).await;
    let manager = app.session_of(&manager).await;
    let link = format!("/console/conversations/{}", app.conversation);
    assert!(!page(&app, &manager, "/console/fragments/news").await.contains(&link));
    busy(&app).await;
    for path in ["/console/fragments/news", "/console/reports", "/console/teams", "/console/me"] {
        let shown = page(&app, &manager, path).await;
        let (_, news) = shown.split_once("id=\"news\"").unwrap();
        assert!(news.contains(&link) && news.contains("strip late"), "{path}: {news}");
        let shown = page(&app, &agent, path).await;
        let (_, news) = shown.split_once("id=\"news\"").unwrap();
        assert!(!news.split("</div>").next().unwrap().contains(&link), "{path}");
    }
}

#[tokio::test]
async fn scores_are_in_the_reports_and_on_the_conversation() {
    let app = app().await;
    let session = app.sign_in("").await;
    let english = Session { cookie: format!("{}; lang=en", session.cookie), ..session };
    assert!(!page(&app, &english, "/console/reports").await.contains("id=\"satisfaction\""));
    let now = app.clock.now();
    let mut tx = app.store.begin().await.unwrap();
    let c = tx.lock_conversation(app.conversation).await.unwrap().unwrap();
    let asked = tx.messages(c.id, 0, 1).await.unwrap().remove(0).id;
    let (score, comment, answered_at) = (None, None, None);
    let survey = Survey {
        conversation_id: c.id,
        message_id: asked,
        asked_at: now,
        until: now.plus(60 * MINUTE),
        score,
        comment,
        answered_at,
        comment_until: None,
    };
    tx.insert_survey(&survey, &c).await.unwrap();
    tx.set_score(c.id, 4, None, now).await.unwrap();
    tx.set_comment(c.id, XSS).await.unwrap();
    let event = NewEvent {
        kind: EventKind::SurveyAnswered,
        actor: Actor::Customer,
        conversation_id: Some(c.id),
        message_id: None,
        data: serde_json::json!({"score": 4}),
    };
    tx.append_event(now, event).await.unwrap();
    tx.commit().await.unwrap();
    app.clock.advance(MINUTE);
    let report = page(&app, &english, "/console/reports").await;
    let (_, survey) = report.split_once("id=\"satisfaction\"").unwrap();
    assert!(
        survey.contains("<strong>4.00</strong>")
            && survey.contains("1 (100 %)")
            && survey.contains(">4&#x2f;5<")
            || survey.contains(">4/5<"),
        "{survey}"
    );
    assert!(!report.contains(XSS));
    let shown = page(&app, &english, "/console/conversations/{id}").await;
    assert!(shown.contains("score: 4 out of 5"), "{shown}");
}
