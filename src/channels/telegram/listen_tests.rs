use super::super::super::testing::{self, Kept, Provider, clock, listen};
use super::*;
use std::sync::Mutex;

const DONE: &str = r#"{"ok":true,"result":true}"#;
const NOTHING: &str = r#"{"ok":true,"result":[]}"#;

fn api(url: &str) -> Arc<Api> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    Arc::new(Api::new(url.to_owned(), Secret::new("1:token"), client, clock()))
}

fn said(id: u32, message: u32, text: &str) -> String {
    let chat = r#"{"id":5,"type":"private"}"#;
    format!(
        r#"{{"update_id":{id},"message":{{"message_id":{message},"date":1,"chat":{chat},"from":{{"id":5,"is_bot":false,"first_name":"L"}},"text":"{text}"}}}}"#
    )
}

fn updates(updates: &[String]) -> testing::Answer {
    testing::json(200, &format!(r#"{{"ok":true,"result":[{}]}}"#, updates.join(",")))
}

/// Method and body of each request.
fn asked(provider: &Provider) -> Vec<(String, Value)> {
    let one = |request: String| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let path = head.split(' ').nth(1).unwrap();
        (path.strip_prefix("/bot1:token/").unwrap().to_owned(), serde_json::from_str(body).unwrap())
    };
    provider.requests().into_iter().map(one).collect()
}

#[tokio::test]
async fn what_is_polled_is_acknowledged_once_it_is_stored() {
    let provider = Provider::start(vec![
        testing::json(200, DONE),
        updates(&[said(100, 1, "un"), said(101, 2, "deux")]),
        updates(&[said(100, 1, "un"), said(101, 2, "deux")]),
        updates(&[r#"{"update_id":102,"telepathy":{}}"#.to_owned()]),
        testing::json(200, NOTHING),
    ])
    .await;
    let inbox = Arc::new(Kept { refuse: Mutex::new(1), ..Kept::default() });
    let polling = Polling::new(api(&provider.url), clock()).hurried();
    listen(polling, &inbox, || provider.requests().len() >= 6).await;

    let asked = asked(&provider);
    assert_eq!(asked[0].0, "deleteWebhook");
    let wanted = json!(["message", "edited_message", "callback_query", "my_chat_member"]);
    assert_eq!(
        asked[1],
        ("getUpdates".into(), json!({"limit": 20, "timeout": 25, "allowed_updates": wanted}))
    );
    let offsets: Vec<&Value> = asked[1..6].iter().map(|(_, body)| &body["offset"]).collect();
    assert_eq!(offsets, [&json!(null), &json!(null), &json!(102), &json!(103), &json!(103)]);
    assert_eq!(inbox.texts(), ["un", "deux"], "refused once, so stored from the second answer");
    let cursor = inbox.taken.lock().unwrap().last().unwrap().cursor.clone();
    assert_eq!(cursor.as_deref(), Some("102@1766000000"));
}

#[tokio::test]
async fn it_goes_on_where_it_had_come_and_presses_are_answered() {
    let press = r#"{"update_id":8,"callback_query":{"id":"77","from":{"id":5,"is_bot":false,"first_name":"L"},"message":{"message_id":3,"date":1,"chat":{"id":5,"type":"private"}},"chat_instance":"c","data":"Rennes"}}"#;
    let provider = Provider::start(vec![
        testing::json(200, DONE),
        updates(&[press.to_owned()]),
        testing::json(200, DONE),
        testing::json(200, NOTHING),
    ])
    .await;
    let inbox = Arc::new(Kept { cursor: Some("7@1765999000".into()), ..Kept::default() });
    let polling = Polling::new(api(&provider.url), clock()).hurried();
    listen(polling, &inbox, || provider.requests().len() >= 4).await;
    let asked = asked(&provider);
    assert_eq!((&asked[1].1["offset"], &asked[3].1["offset"]), (&json!(8), &json!(9)));
    assert_eq!(asked[2], ("answerCallbackQuery".into(), json!({"callback_query_id": "77"})));
    assert_eq!(inbox.texts(), ["Rennes"]);
}

#[tokio::test]
async fn trouble_is_outlived() {
    let conflict =
        r#"{"ok":false,"error_code":409,"description":"Conflict: terminated by other getUpdates request"}"#;
    let flood =
        r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":0}}"#;
    let provider = Provider::start(vec![
        testing::json(502, ""),
        testing::json(401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#),
        testing::json(200, DONE),
        testing::json(409, conflict),
        testing::json(429, flood),
        testing::json(502, "<html>"),
        testing::Answer::Reset,
        testing::json(200, "not json"),
        testing::json(200, "{}"),
        updates(&[said(1, 1, "enfin")]),
        testing::json(200, NOTHING),
    ])
    .await;
    let inbox = Arc::new(Kept::default());
    let polling = Polling::new(api(&provider.url), clock()).hurried();
    listen(polling, &inbox, || provider.requests().len() >= 11).await;
    assert_eq!(inbox.texts(), ["enfin"]);
    let limits: Vec<Value> = asked(&provider)[3..11].iter().map(|(_, body)| body["limit"].clone()).collect();
    // An answer that is not read may have been too long.
    assert_eq!(limits, [20, 20, 20, 20, 20, 10, 5, 20].map(Value::from));
}

#[test]
fn trouble_names_its_cure() {
    let answer = |code, words: &str| Answer { code, result: None, words: Some(words.into()), after: None };
    for (code, words, cure) in [
        (409, "Conflict", "only one program may poll"),
        (401, "Unauthorized", "@BotFather"),
        (404, "Not Found", "@BotFather"),
    ] {
        let told = Trouble::refused(&answer(code, words)).words;
        assert!(told.contains(words) && told.contains(cure), "{told}");
    }
}

#[test]
fn an_offset_is_not_sent_once_telegram_may_have_forgotten_it() {
    let at = |seconds: i64| Timestamp(seconds * 1_000_000);
    let place = Place { last: 41, at: at(1_000) };
    assert_eq!(place.to_string(), "41@1000");
    assert_eq!(Place::parse("41@1000"), Some(Place { last: 41, at: at(1_000) }));
    assert_eq!(place.offset(at(1_000 + 5 * 86_400)), Some(42));
    assert_eq!(place.offset(at(1_000 + 6 * 86_400)), None);
    assert_eq!(Place { last: u32::MAX, at: at(0) }.offset(at(0)), None);
    for odd in ["", "41", "@", "x@1", "1@x", "-1@2"] {
        assert_eq!(Place::parse(odd), None, "{odd}");
    }
}

#[tokio::test]
async fn telegram_is_told_where_to_post() {
    let provider = Provider::start(vec![testing::json(502, ""), testing::json(200, DONE)]).await;
    let short = Duration::from_millis(1);
    let url = "https://guichet.example/webhooks/telegram".to_owned();
    let registration = Registration {
        pauses: Pauses::new(short, short),
        ..Registration::new(api(&provider.url), url.clone(), Secret::new("s3cret"))
    };
    let inbox = Arc::new(Kept::default());
    listen(registration, &inbox, || provider.requests().len() >= 2).await;
    let wanted = json!(["message", "edited_message", "callback_query", "my_chat_member"]);
    let expected = json!({"url": url, "secret_token": "s3cret", "allowed_updates": wanted});
    assert_eq!(asked(&provider)[1], ("setWebhook".into(), expected));
}

#[tokio::test]
async fn telegrams_own_service_is_not_asked_to_post_in_clear() {
    let registration =
        Registration::new(api(super::super::API_URL), "http://h/webhooks/t".into(), Secret::new("s"));
    listen(registration, &Arc::new(Kept::default()), || true).await;
}
