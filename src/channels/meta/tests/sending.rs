//! What is sent: the request of each kind, within and beyond the time to answer.

use super::super::super::testing::{NOW, Provider, clock, json as answer, outgoing};
use super::super::buttons::{Button, cut, fit, pressed};
use super::channel;
use crate::channels::{Forbidden, Outgoing, SendError, Trace};
use crate::model::{Author, Lang, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: u64 = 3_600;

fn hours_ago(hours: u64) -> Option<Timestamp> {
    Some(NOW.minus(Duration::from_secs(hours * HOUR)))
}

/// The head and the body of the one request that a send makes.
async fn request(kind: &str, keys: &str, message: &Outgoing) -> Result<(String, Value), SendError> {
    let sent = r#"{"recipient_id":"77","message_id":"m_9","messages":[{"id":"m_9"}]}"#;
    let provider = Provider::start(vec![answer(200, sent)]).await;
    let channel = channel(kind, &format!("{keys}\napi_url = '{}/'", provider.url));
    let trace = Trace::new(clock(), &[&message.address]);
    let id = channel.send(message, &trace).await?;
    assert_eq!(id.as_deref(), Some("m_9"));
    let kept = trace.take().remove(0);
    for secret in ["EAAtoken", message.address.as_str(), message.text.as_str()] {
        assert!(!kept.request.contains(secret), "{secret} is in the trace: {}", kept.request);
    }
    let request = provider.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    Ok((head.to_owned(), serde_json::from_str(body).unwrap()))
}

#[tokio::test]
async fn messenger_and_instagram_are_sent_with_quick_replies() {
    for kind in ["messenger", "instagram"] {
        let mut message = outgoing("77", "Quelle gare ?");
        message.choices = vec!["Saint-Denis".into(), "Saint-Denis-près-Martel".into()];
        let (head, body) = request(kind, "", &message).await.unwrap();
        assert!(head.starts_with("POST /v25.0/me/messages HTTP/1.1"), "{head}");
        assert!(head.to_lowercase().contains("authorization: bearer eaatoken"));
        let expected = json!({
            "recipient": { "id": "77" },
            "messaging_type": "RESPONSE",
            "message": {
                "text": "Quelle gare ?",
                "metadata": message.id,
                "quick_replies": [
                    { "content_type": "text", "title": "Saint-Denis", "payload": "Saint-Denis" },
                    { "content_type": "text", "title": "Saint-Denis-près-Ma…",
                        "payload": "Saint-Denis-près-Martel" },
                ],
            },
        });
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn the_secret_is_proven_where_that_is_asked_for() {
    let message = outgoing("77", "bonjour à vous");
    let (head, _) =
        request("messenger", "appsecret_proof = true\nversion = 'v26.1'", &message).await.unwrap();
    // Made by Python's hmac and hashlib.
    let proof = "996747eb387311f6eef873d7e2bee192a7bc191ebdab0ce8129d81ae8223c24c";
    assert!(head.starts_with(&format!("POST /v26.1/me/messages?appsecret_proof={proof} ")), "{head}");
}

#[tokio::test]
async fn whatsapp_is_sent_as_text_buttons_or_list() {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let button = |title: &str| json!({ "type": "reply", "reply": { "id": title, "title": title } });
    let long = "x".repeat(1_025);
    let row = |title: &str| json!({ "id": title, "title": title });
    let cases: Vec<(&str, Vec<String>, Value)> = vec![
        (
            "Bonjour à vous.",
            names(&[]),
            json!({ "text": { "preview_url": false, "body": "Bonjour à vous." } }),
        ),
        (
            "Laquelle donc ?",
            names(&["Rennes", "Vitré"]),
            json!({ "interactive": { "type": "button", "body": { "text": "Laquelle donc ?" },
                "action": { "buttons": [button("Rennes"), button("Vitré")] } } }),
        ),
        (
            "Laquelle donc ?",
            names(&["Saint-Denis", "Saint-Denis-près-Martel (Lot)"]),
            json!({ "interactive": { "type": "list", "body": { "text": "Laquelle donc ?" }, "action": {
                "button": "Choisir",
                "sections": [{ "rows": [row("Saint-Denis"), {
                    "id": "Saint-Denis-près-Martel (Lot)",
                    "title": "Saint-Denis-près-Martel…",
                    "description": "Saint-Denis-près-Martel (Lot)",
                }] }],
            } } }),
        ),
        (
            long.as_str(),
            names(&["Rennes"]),
            json!({ "interactive": { "type": "list", "body": { "text": long },
                "action": { "button": "Choisir", "sections": [{ "rows": [row("Rennes")] }] } } }),
        ),
        (
            "Laquelle donc ?",
            (0..11).map(|n| format!("gare {n}")).collect(),
            json!({ "text": { "preview_url": false, "body": "Laquelle donc ?" } }),
        ),
    ];
    for (text, choices, part) in cases {
        let message = Outgoing { choices, ..outgoing("33612345678", text) };
        let (head, body) = request("whatsapp", "", &message).await.unwrap();
        assert!(head.starts_with("POST /v25.0/1234/messages HTTP/1.1"), "{head}");
        let mut expected = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "33612345678",
            "biz_opaque_callback_data": message.id,
            "type": if part.get("text").is_some() { "text" } else { "interactive" },
        });
        expected.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        assert_eq!(body, expected);
    }
    let (_, body) = request("whatsapp", "", &outgoing("FR.13491208655302741918", "x y z")).await.unwrap();
    assert_eq!((&body["recipient"], body.get("to")), (&json!("FR.13491208655302741918"), None));
}

#[tokio::test]
async fn a_template_is_sent_when_the_time_to_answer_is_over() {
    let keys = "template = { name = 'reponse', languages = ['fr', 'en_US'] }";
    let text = "Votre TER est annoncé :\n\n18:04\tRennes\n18:34    Brest\n";
    for (lang, code) in
        [(Some(Lang::FR), "fr"), (Some(Lang::EN), "en_US"), (Lang::new("de"), "fr"), (None, "fr")]
    {
        let message = Outgoing { heard_at: hours_ago(24), lang, ..outgoing("33612345678", text) };
        let (_, body) = request("whatsapp", keys, &message).await.unwrap();
        assert_eq!(body["type"], "template");
        let parameter =
            json!({ "type": "text", "text": "Votre TER est annoncé : · 18:04 Rennes · 18:34 Brest" });
        let expected = json!({ "name": "reponse", "language": { "code": code },
            "components": [{ "type": "body", "parameters": [parameter] }] });
        assert_eq!(body["template"], expected);
        assert_eq!(body["biz_opaque_callback_data"], json!(message.id));
    }
    let inside = Outgoing { heard_at: hours_ago(23), ..outgoing("33612345678", text) };
    assert_eq!(request("whatsapp", keys, &inside).await.unwrap().1["type"], "text");
}

#[tokio::test]
async fn beyond_the_time_to_answer_only_what_is_allowed_is_sent() {
    const TOO_LATE: Option<Forbidden> = Some(Forbidden::TooLate { hours: 24 });
    let human = "human_agent = true";
    let template = "template = { name = 'x', languages = ['fr'] }";
    let cases: &[(&str, &str, Author, u64, Option<Forbidden>)] = &[
        ("messenger", "", Author::Bot, 23, None),
        ("messenger", "", Author::Bot, 24, TOO_LATE),
        ("messenger", "", Author::Agent, 24, TOO_LATE),
        ("messenger", human, Author::Bot, 24, TOO_LATE),
        ("messenger", human, Author::Agent, 24, None),
        ("messenger", human, Author::Agent, 7 * 24 - 1, None),
        ("messenger", human, Author::Agent, 7 * 24, TOO_LATE),
        ("instagram", "", Author::Agent, 24, TOO_LATE),
        ("instagram", human, Author::Agent, 25, None),
        ("whatsapp", "", Author::Bot, 23, None),
        ("whatsapp", "", Author::Agent, 24, TOO_LATE),
        ("whatsapp", template, Author::Agent, 24, None),
        ("whatsapp", template, Author::Bot, 24 * 30, None),
    ];
    for (kind, keys, author, hours, expected) in cases {
        let message = Outgoing {
            author: *author,
            heard_at: hours_ago(*hours),
            ..outgoing("77", "Nous revenons vers vous.")
        };
        let case = format!("{kind} {keys} {author} {hours}");
        assert_eq!(channel(kind, keys).refuses(&message, NOW), *expected, "{case}");
        let sent = request(kind, keys, &message).await;
        match expected {
            Some(forbidden) => {
                let why = forbidden.to_string();
                assert_eq!(sent, Err(SendError::Permanent { why }), "{case}: nothing leaves");
            }
            None => {
                let (_, body) = sent.unwrap();
                if *kind != "whatsapp" {
                    let tagged = *hours >= 24;
                    let expected = if tagged { "MESSAGE_TAG" } else { "RESPONSE" };
                    assert_eq!(body["messaging_type"], expected, "{case}");
                    assert_eq!(body.get("tag"), tagged.then(|| json!("HUMAN_AGENT")).as_ref(), "{case}");
                }
            }
        }
    }
    let never = Outgoing { heard_at: None, ..outgoing("77", "x") };
    assert_eq!(channel("messenger", "").refuses(&never, NOW), TOO_LATE);
    let public = Outgoing { heard_at: None, ..outgoing("comment:1:77", "x") };
    assert_eq!(channel("messenger", "").refuses(&public, NOW), None);
}

#[test]
fn what_the_limit_in_bytes_leaves_out_is_refused() {
    let bytes = Some(Forbidden::TooLong { bytes: 1_000 });
    for (text, expected) in [("é".repeat(500), None), ("é".repeat(501), bytes), ("a".repeat(800), None)] {
        assert_eq!(channel("instagram", "").refuses(&outgoing("77", &text), NOW), expected);
    }
    let template = channel("whatsapp", "template = { name = 'x', languages = ['fr'] }");
    let late = |length| Outgoing { heard_at: None, ..outgoing("33612345678", &"a".repeat(length)) };
    assert_eq!(template.refuses(&late(1_024), NOW), None);
    assert_eq!(template.refuses(&late(1_025), NOW), Some(Forbidden::TooLong { bytes: 1_024 }));
}

#[test]
fn labels_fit_and_come_back_whole() {
    let labels = |all: &[&str]| all.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
    let twins = labels(&["Saint-Denis-près-Martel", "Saint-Denis-près-Mantes", "Rennes"]);
    let titles: Vec<String> = fit(&twins, 13, 20).into_iter().map(|button| button.title).collect();
    assert_eq!(titles, ["1. Saint-Denis-près…", "2. Saint-Denis-près…", "Rennes"]);
    assert!(titles.iter().all(|title| title.chars().count() <= 20));
    for Button { title, label } in fit(&twins, 13, 20) {
        assert_eq!(pressed(&title, &label), label);
    }
    assert_eq!(fit(&twins, 2, 20), Vec::new(), "the text numbers them");
    for (text, room, expected) in [("Rennes", 6, "Rennes"), ("Rennes", 5, "Renn…"), ("à la gare", 5, "à la…")]
    {
        assert_eq!(cut(text, room), expected);
    }
    for (title, behind, expected) in [
        ("Rouge", "PAYLOAD", "Rouge"),
        ("Rouge", "", "Rouge"),
        ("", "payload", "payload"),
        ("…", "Rennes", "…"),
    ] {
        assert_eq!(pressed(title, behind), expected);
    }
}

#[tokio::test]
async fn that_someone_writes_is_shown_where_it_is_private() {
    for (kind, address, expected) in [
        ("messenger", "77", Some(json!({ "recipient": { "id": "77" }, "sender_action": "typing_on" }))),
        ("messenger", "comment:1:77", None),
        (
            "whatsapp",
            "33612345678",
            Some(json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1",
                "typing_indicator": { "type": "text" } })),
        ),
    ] {
        let provider = Provider::start(vec![answer(500, "{}")]).await;
        let trace = Trace::new(clock(), &[]);
        channel(kind, &format!("api_url = '{}'", provider.url)).typing(address, "wamid.1", &trace).await;
        let bodies: Vec<Value> = provider
            .requests()
            .iter()
            .map(|request| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap())
            .collect();
        assert_eq!(bodies, expected.into_iter().collect::<Vec<_>>(), "{kind} {address}");
    }
}
