use super::super::testing::{Answer, Provider, build, json, outcome, outgoing};
use super::super::{Capabilities, Channel, Lookup, Pace, SendError, Trace};
use super::*;
use crate::channels::testing::clock;
use crate::model::Timestamp;
use axum::http::HeaderMap;
use serde_json::Value;

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const SECRET: &str = "Zm9vYmFy-secret_token";

fn channel(api_url: &str) -> Arc<dyn Channel> {
    let keys = format!("token = '{TOKEN}'\nsecret_token = '{SECRET}'\napi_url = '{api_url}'");
    build("telegram", "telegram", &keys).unwrap()
}

fn post(channel: &dyn Channel, secret: Option<&str>, kind: &str, body: &[u8]) -> Result<Accepted, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", kind.parse().unwrap());
    if let Some(secret) = secret {
        headers.insert(SECRET_HEADER, secret.parse().unwrap());
    }
    channel.receive(&WebhookRequest { tail: "", query: None, headers: &headers, body, now: Timestamp(0) })
}

#[test]
fn only_who_knows_the_secret_may_post() {
    let channel = channel(API_URL);
    let body = br#"{"update_id": 1}"#;
    let (json, good) = ("application/json", Some(SECRET));
    assert!(post(&*channel, good, json, body).unwrap().events.is_empty());
    assert!(post(&*channel, good, "application/json; charset=utf-8", body).is_ok());
    assert_eq!(post(&*channel, None, json, body), Err(Refusal::Unsigned));
    for wrong in ["", "Zm9vYmFy", "zm9vYmFy-secret_token", TOKEN] {
        assert_eq!(post(&*channel, Some(wrong), json, body), Err(Refusal::BadSignature), "{wrong}");
    }
    assert_eq!(post(&*channel, good, "text/plain", body), Err(Refusal::ContentType));
    for broken in [&b""[..], b"{", b"\xff", b"{}", b"[]", b"null", b"3"] {
        assert!(matches!(post(&*channel, good, json, broken), Err(Refusal::Malformed(_))), "{broken:?}");
    }
    let headers = HeaderMap::new();
    let tail = WebhookRequest { tail: "/status", query: None, headers: &headers, body, now: Timestamp(0) };
    assert_eq!(channel.receive(&tail), Err(Refusal::NotFound));
    let polling = build("t", "telegram", &format!("token = '{TOKEN}'\nmode = 'polling'")).unwrap();
    assert_eq!(post(&*polling, Some(""), json, body), Err(Refusal::NotFound));
}

#[test]
fn a_press_is_answered_by_the_answer_to_its_webhook() {
    let press = r#"{"update_id": 2, "callback_query": {"id": "77", "from": {"id": 5, "is_bot": false, "first_name": "L"},
        "message": {"message_id": 3, "date": 1, "chat": {"id": 5, "type": "private"}}, "chat_instance": "c", "data": "Rennes"}}"#;
    let accepted = post(&*channel(API_URL), Some(SECRET), "application/json", press.as_bytes()).unwrap();
    assert_eq!(accepted.events.len(), 1);
    let (kind, body) = accepted.reply.unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(kind, "application/json");
    assert_eq!(body, serde_json::json!({"method": "answerCallbackQuery", "callback_query_id": "77"}));
}

#[test]
fn what_it_can_carry() {
    let channel = channel(API_URL);
    let expected = Capabilities {
        max_chars: 4_096,
        sms: false,
        buttons: 20,
        media: true,
        typing: true,
        receipts: false,
        edits: true,
        public: false,
        can_be_asked: false,
    };
    assert_eq!(channel.capabilities(), expected);
    let pace = Pace { per_second: 30.0, concurrent: 16, per_contact: Duration::from_secs(1) };
    assert_eq!(channel.pace(), pace);
    assert!(channel.listener().is_some_and(|listener| listener.alone()));
}

#[test]
fn a_configuration_error_names_the_key() {
    for (keys, expected) in [
        ("secret_token = 'x'", "channels.telegram.token: is missing"),
        ("token = ''\nsecret_token = 'x'", "channels.telegram.token: is no bot token"),
        ("token = '1:a/b'\nsecret_token = 'x'", "channels.telegram.token: is no bot token"),
        ("token = '1:a'", "channels.telegram.secret_token: must be 1 to 256"),
        ("token = '1:a'\nsecret_token = 'ü'", "channels.telegram.secret_token: must be 1 to 256"),
        ("token = '1:a'\nmode = 'push'", "channels.telegram.mode: unknown variant"),
        (
            "token = '1:a'\nsecret_token = 'x'\napi_url = 'nowhere'",
            "channels.telegram.api_url: is no http(s) URL",
        ),
        ("token = '1:a'\nbot = 'x'", "channels.telegram.bot: unknown field"),
    ] {
        let errors = build("telegram", "telegram", keys).err().unwrap_or_default();
        assert!(errors.iter().any(|e| e.starts_with(expected)), "{errors:?} should begin with {expected}");
    }
}

fn body_of(request: &str) -> Value {
    serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

const SENT: &str =
    r#"{"ok":true,"result":{"message_id":43,"date":1,"chat":{"id":5,"type":"private"},"text":"x"}}"#;

#[tokio::test]
async fn a_message_is_plain_text_with_its_buttons() {
    let provider = Provider::start(vec![json(200, SENT)]).await;
    let channel = channel(&format!("{}/", provider.url));
    let long = "Saint-Rémy-lès-Chevreuse, côté parking de la vallée et du château";
    let mut message = outgoing("5", "<b>Vitré</b> https://e.fr *x*");
    assert_eq!(outcome(&*channel, &message).await, "sent 5:43");
    message.choices = vec!["Rennes".into(), "Vitré".into(), "Laval".into()];
    assert_eq!(outcome(&*channel, &message).await, "sent 5:43");
    message.choices = vec!["#1".into(), long.into()];
    assert_eq!(outcome(&*channel, &message).await, "sent 5:43");

    let requests = provider.requests();
    assert!(requests[0].starts_with(&format!("POST /bot{TOKEN}/sendMessage HTTP/1.1")), "{}", requests[0]);
    let plain = serde_json::json!({
        "chat_id": 5, "text": "<b>Vitré</b> https://e.fr *x*", "link_preview_options": {"is_disabled": true},
    });
    assert_eq!(body_of(&requests[0]), plain);
    let button = |label: &str, data: &str| serde_json::json!({"text": label, "callback_data": data});
    let keyboard = |request: &str| body_of(request)["reply_markup"]["inline_keyboard"].clone();
    assert_eq!(
        keyboard(&requests[1]),
        serde_json::json!([
            [button("Rennes", "Rennes"), button("Vitré", "Vitré")],
            [button("Laval", "Laval")]
        ])
    );
    assert_eq!(keyboard(&requests[2]), serde_json::json!([[button("#1", "#1")], [button(long, "#2")]]));
}

/// What Telegram answers, or does not, and what it means for the message.
#[tokio::test]
async fn every_fault_of_the_provider_has_its_outcome() {
    let refused = |code: u16, words: &str, parameters: &str| {
        json(code, &format!(r#"{{"ok":false,"error_code":{code},"description":"{words}"{parameters}}}"#))
    };
    let flood = r#","parameters":{"retry_after":31}"#;
    let moved = r#","parameters":{"migrate_to_chat_id":-100123}"#;
    let cases: Vec<(Answer, &str)> = vec![
        (json(200, SENT), "sent 5:43"),
        (json(200, r#"{"ok":true,"result":{}}"#), "in doubt"),
        (json(200, r#"{"ok":true,"result":null}"#), "in doubt"),
        (json(200, r#"{"ok":true}"#), "in doubt"),
        (json(200, "not json"), "in doubt"),
        (json(200, ""), "in doubt"),
        (Answer::Silence, "in doubt"),
        (Answer::Reset, "in doubt"),
        (refused(429, "Too Many Requests: retry after 31", flood), "retry after 31"),
        (refused(429, "Too Many Requests", ""), "retry"),
        (Answer::Http(429, "retry-after: 7\r\n", "<html>".into()), "retry after 7"),
        (refused(403, "Forbidden: bot was blocked by the user", ""), "blocked"),
        (refused(403, "Forbidden: user is deactivated", ""), "blocked"),
        (refused(403, "Forbidden: bot can't initiate conversation with a user", ""), "blocked"),
        (json(403, "<html>"), "retry"),
        (refused(400, "Bad Request: chat not found", ""), "permanent"),
        (refused(400, "Bad Request: message is too long", ""), "permanent"),
        (refused(400, "Bad Request: group chat was upgraded to a supergroup chat", moved), "permanent"),
        (refused(401, "Unauthorized", ""), "retry"),
        (refused(404, "Not Found", ""), "retry"),
        (refused(413, "Request Entity Too Large", ""), "permanent"),
        (refused(500, "Internal Server Error", ""), "in doubt"),
        (json(502, "<html>"), "in doubt"),
        (json(504, ""), "in doubt"),
        (json(302, ""), "retry"),
    ];
    for (answer, expected) in cases {
        let provider = Provider::start(vec![answer.clone()]).await;
        let channel = channel(&provider.url);
        assert_eq!(outcome(&*channel, &outgoing("5", "Prochain départ 18h04")).await, expected, "{answer:?}");
        assert_eq!(provider.requests().len(), 1, "{answer:?}: one try each");
    }
    // Nobody listens there: surely not sent.
    assert_eq!(outcome(&*channel("http://127.0.0.1:9"), &outgoing("5", "x")).await, "retry");
    assert_eq!(outcome(&*channel("http://127.0.0.1:9"), &outgoing("@lou", "x")).await, "permanent");
}

#[tokio::test]
async fn telegrams_words_are_kept_and_the_token_is_not() {
    let moved = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded","parameters":{"migrate_to_chat_id":-100}}"#;
    let provider = Provider::start(vec![json(400, moved)]).await;
    let message = outgoing("7654321", "secret du client");
    let trace = Trace::new(clock(), &[&message.address]);
    let channel = channel(&provider.url);
    let error = channel.send(&message, &trace).await.unwrap_err();
    assert_eq!(error.to_string(), "Telegram answered 400: Bad Request: group chat was upgraded");
    let calls = trace.take();
    assert_eq!((calls.len(), calls[0].status), (1, Some(400)));
    let kept = format!("{} {}", calls[0].request, calls[0].response);
    for secret in [TOKEN, "7654321", "client"] {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
    assert!(kept.contains("group chat was upgraded"), "{kept}");
    assert_eq!(channel.look_up(&message, &trace).await, Lookup::CannotAsk);
    assert!(matches!(error, SendError::Permanent { .. }));
}

#[tokio::test]
async fn typing_is_shown_and_its_failure_is_nobodys() {
    let provider = Provider::start(vec![json(200, r#"{"ok":true,"result":true}"#), Answer::Reset]).await;
    let channel = channel(&provider.url);
    let trace = Trace::new(clock(), &[]);
    for address in ["5", "5", "nobody"] {
        channel.typing(address, "", &trace).await;
    }
    assert_eq!(trace.take().len(), 2);
    let requests = provider.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].contains("/sendChatAction "));
    assert_eq!(body_of(&requests[0]), serde_json::json!({"chat_id": 5, "action": "typing"}));
}
