use super::super::tests::{App, Session, app, app_with};
use crate::clock::Clock;
use crate::config::{Config, Span, Undo};
use crate::model::{ConversationState, Fact, MessageId};
use crate::store::ProposedReply;
use reqwest::{Method, StatusCode};
use std::time::Duration;
use uuid::Uuid;

async fn in_charge(app: &App) -> Session {
    let session = app.sign_in("").await;
    app.act(&session, "take", &[]).await;
    assert_eq!(app.state().await, ConversationState::InCharge);
    session
}

/// What stands in the box.
fn in_box(page: &str) -> String {
    let text = page.split("<textarea id=\"text\"").nth(1).unwrap().split_once(">\n").unwrap().1;
    text.split("</textarea>").next().unwrap().to_owned()
}

#[tokio::test]
async fn without_a_script_a_reply_is_sent_and_taken_back() {
    let app = app().await;
    let session = in_charge(&app).await;
    let key = MessageId::new().to_string();
    let sent = app.act(&session, "reply", &[("key", &key), ("text", "Un instant")]).await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let page = app.get(&session, "/console/conversations/{id}").await.text().await.unwrap();
    let action = format!("messages/{key}/withdraw");
    assert!(page.contains(&action) && page.contains("(5 s)"), "{page}");
    app.clock.advance(Duration::from_secs(3));
    let page = app.act(&session, &action, &[]).await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    assert_eq!(in_box(&page), "Un instant");
    let again = MessageId::new().to_string();
    app.act(&session, "reply", &[("key", &again), ("text", "Un instant")]).await;
    app.clock.advance(Duration::from_secs(5));
    let late = app.act(&session, &format!("messages/{again}/withdraw"), &[]).await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    assert!(late.text().await.unwrap().contains("la réponse est partie"));
    let page = app.get(&session, "/console/conversations/{id}").await.text().await.unwrap();
    assert!(page.contains("id=\"undo\" class=\"undo\" method=\"post\"") && !page.contains("(5 s)"));
}

#[tokio::test]
async fn without_a_wait_there_is_nothing_to_take_back() {
    let mut config = Config::default();
    config.desk.undo = Undo(Span::seconds(0));
    let app = app_with(config).await;
    let session = in_charge(&app).await;
    let key = MessageId::new().to_string();
    app.act(&session, "reply", &[("key", &key), ("text", "Un instant")]).await;
    let page = app.get(&session, "/console/conversations/{id}").await.text().await.unwrap();
    assert!(page.contains("data-seconds=\"0\""));
    let late = app.act(&session, &format!("messages/{key}/withdraw"), &[]).await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn send_and_resolve_is_a_button_of_the_form() {
    let app = app().await;
    let session = in_charge(&app).await;
    let fields = |key: &str, seen: &str| {
        [("key", key), ("text", "Au revoir"), ("resolve", "yes"), ("seen", seen)]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
    };
    let key = MessageId::new().to_string();
    for (seen, status, state) in [
        ("0", StatusCode::CONFLICT, ConversationState::InCharge),
        ("2", StatusCode::SEE_OTHER, ConversationState::Resolved),
    ] {
        let form = fields(&key, seen);
        let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let answer = app.act(&session, "reply", &form).await;
        assert_eq!((answer.status(), app.state().await), (status, state));
        if status == StatusCode::CONFLICT {
            assert_eq!(in_box(&answer.text().await.unwrap()), "Au revoir", "nothing typed is lost");
        }
    }
    app.act(&session, &format!("messages/{key}/withdraw"), &[]).await;
    assert_eq!(app.state().await, ConversationState::InCharge);
}

#[tokio::test]
async fn without_a_script_a_draft_is_put_into_the_box_and_its_facts_go_with_it() {
    let app = app().await;
    let session = in_charge(&app).await;
    let mut tx = app.store.begin().await.unwrap();
    let camille = tx.account_by_login("camille").await.unwrap().unwrap().person.agent.id;
    let fact = Fact {
        value: "departure 8745 18:04".into(),
        source: "live: demo".into(),
        as_of: app.clock.now(),
        ride: None,
    };
    let proposal = ProposedReply {
        id: Uuid::now_v7(),
        response: "schedules.next_departure".into(),
        text: "18:04 <b>8745</b>".into(),
        facts: vec![fact.clone()],
    };
    tx.insert_proposed_reply(&proposal, app.conversation, camille, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let key = MessageId::new().to_string();
    let insert = format!("draft:{}", proposal.id);
    let page =
        app.act(&session, "compose", &[("key", &key), ("text", "Bonjour,"), ("insert", &insert)]).await;
    let page = page.text().await.unwrap();
    assert_eq!(in_box(&page), "Bonjour,\n\n18:04 &lt;b&gt;8745&lt;&#x2f;b&gt;");
    let used = format!("name=\"drafts\" value=\"{}\"", proposal.id);
    assert!(page.contains(&used) && page.contains(&format!("name=\"key\" value=\"{key}\"")));
    assert!(page.contains("27 / 4000"), "what it is on its channel: {page}");
    let drafts = proposal.id.to_string();
    let text = "Bonjour,\r\n\r\n18:04 <b>8745</b>";
    app.act(&session, "reply", &[("key", &key), ("text", text), ("drafts", &drafts)]).await;
    let sent = app.store.read().await.unwrap().message(key.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(sent.facts, [fact]);
}

#[tokio::test]
async fn a_text_is_counted_and_its_gaps_are_told() {
    let app = app().await;
    let session = in_charge(&app).await;
    let count = async |text: &str| {
        let answer = app.act(&session, "count", &[("text", text)]).await;
        (answer.status(), answer.text().await.unwrap())
    };
    let (status, part) = count("  Un été\r\n à Rennes ").await;
    assert_eq!(status, StatusCode::OK);
    assert!(part.contains("16 / 4000"), "{part}");
    assert!(
        part.contains("<li class=\"text\" dir=\"auto\">Un été\n à Rennes</li>"),
        "exactly as it goes out: {part}"
    );
    let (_, part) = count("Bonjour [[name]]").await;
    assert!(part.contains("envoi : name"), "{part}");
    let (_, part) = count(&"é".repeat(4_001)).await;
    assert!(part.contains("Trop long pour ce canal : 4000 caractères"), "{part}");
    assert_eq!(count(&"é".repeat(40_000)).await.0, StatusCode::BAD_REQUEST);
    assert!(!count("").await.1.contains("preview"));
}

#[tokio::test]
async fn while_nothing_is_learned_the_page_says_so() {
    let app = app().await;
    let session = in_charge(&app).await;
    for path in ["/console/fragments/conversations/{id}/drafts", "/console/conversations/{id}/drafts"] {
        let answer = app.get(&session, path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(answer.text().await.unwrap().contains("apprend encore"), "{path}");
    }
    let canned = app.get(&session, "/console/fragments/conversations/{id}/canned").await;
    assert!(canned.text().await.unwrap().contains("role=\"listbox\""));
    let missing =
        app.ask(Method::GET, &format!("/console/fragments/conversations/{}/canned", Uuid::now_v7()));
    let missing = missing.header("cookie", &session.cookie).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}
