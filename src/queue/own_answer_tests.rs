//! An intent that the operator's own service answers, from the message to the reply.

use super::opt_out_tests::worker;
use super::*;
use crate::answers::http::Http;
use crate::channels::BuildContext;
use crate::clock::ManualClock;
use crate::config::{ChannelConfig, FilesConfig, FulfilmentConfig};
use crate::content::{Content, Live};
use crate::model::{Author, ConversationState, EscalationReason, Lang};
use crate::store::Ingest;
use axum::Json;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);

const RESPONSES: &str =
    "seats:\n  text: \"{{ operator }} : {{ seats }} places. {{ provenance }}\"\n  none: Complet.\n";

/// The shipped files and, beside them, an intent of the operator's own.
fn files(folder: &Path, pack: &str) -> FilesConfig {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = |from: PathBuf, to: PathBuf| {
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_file() {
                std::fs::copy(&entry, to.join(entry.file_name().unwrap())).unwrap();
            }
        }
    };
    let (intents, responses) = (folder.join("all"), folder.join("responses"));
    copy(root.join("intents"), intents.clone());
    copy(root.join("responses"), responses.clone());
    std::fs::write(intents.join("sales.yaml"), pack).unwrap();
    for lang in ["fr", "en"] {
        copy(root.join("responses").join(lang), responses.join(lang));
        std::fs::write(responses.join(lang).join("sales.yaml"), RESPONSES).unwrap();
    }
    FilesConfig { intents, responses, ..FilesConfig::default() }
}

/// A service that gives these answers in turn.
async fn service(answers: Vec<Value>) -> std::net::SocketAddr {
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move || {
        let next = answers.lock().unwrap().pop_front().unwrap();
        async move { Json(next) }
    };
    let router = axum::Router::new().route("/sales.seats", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn the_operators_service_answers_and_what_cannot_be_said_goes_to_people() {
    let facts = json!([{ "value": "seats 12", "source": "Ventes", "as_of": NOW.to_string() }]);
    let address = service(vec![
        json!({ "found": { "seats": 12 }, "facts": facts }),
        json!({ "found": { "free": 12 }, "facts": facts }),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let pack = format!(
        "domain: sales\nintents:\n  seats:\n    about: Free seats\n    keywords: places\n    answer: http\n    \
         url: http://{address}/{{intent}}\n    examples:\n      fr: |\n        - combien de places\n"
    );
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let client = reqwest::Client::new();
    let context = BuildContext { public_url: "http://localhost".into(), client, clock: clock.clone() };
    let web = ChannelConfig { kind: "webchat".into(), settings: Default::default() };
    let channels = Channels::build(&BTreeMap::from([("web".to_owned(), web)]), &context).unwrap();
    let mut worker = worker(folder.path(), &pack, clock.clone(), channels).await;

    let fulfilment: FulfilmentConfig =
        toml::from_str(&format!("secret = '0123456789abcdef'\nallow = ['{address}']\nallow_private = true"))
            .unwrap();
    let mut mind = Mind::clone(&worker.mind);
    mind.sources.add(Arc::new(Http::new(fulfilment, clock, TimeZone::UTC).unwrap()));
    let files = files(folder.path(), &pack);
    let (_, live) = Live::load(&files, Lang::FR, &mind.sources).unwrap_or_else(|errors| panic!("{errors:?}"));
    mind.content = Content::new(files, Lang::FR, mind.sources.clone(), live);
    mind.gather = Duration::ZERO;
    worker.mind = Arc::new(mind);

    let mut replies = Vec::new();
    for id in ["1", "2"] {
        let mut tx = worker.store.begin().await.unwrap();
        let inbound =
            Ingest { channel: "web", address: "a", provider_id: id, text: "places", ..Ingest::default() };
        let conversation = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
        tx.commit().await.unwrap();
        worker.drain().await.unwrap();
        let mut tx = worker.store.read().await.unwrap();
        let said = tx.messages(conversation, 0, 10).await.unwrap();
        let reply = said.into_iter().rfind(|message| message.author == Author::Bot).unwrap();
        replies.push((reply, tx.conversation(conversation).await.unwrap().unwrap()));
    }
    let (answer, conversation) = &replies[0];
    assert_eq!(answer.text, "Guichet : 12 places. Source : Ventes, à 10:00.");
    assert_eq!((&*answer.facts[0].value, &*answer.facts[0].source), ("seats 12", "Ventes"));
    assert_eq!(conversation.state, ConversationState::Bot);
    let (_, conversation) = &replies[1];
    let handed = (conversation.state, conversation.reason);
    assert_eq!(handed, (ConversationState::Queued, Some(EscalationReason::NoData)));
}
