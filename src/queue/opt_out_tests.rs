//! Opt-out at the moment of sending.

use super::*;
use crate::answers::registry;
use crate::channels::BuildContext;
use crate::clock::ManualClock;
use crate::config::{ChannelConfig, FilesConfig, HoursConfig, MannersConfig, NoticesConfig, OperatorConfig};
use crate::content::{Content, Live};
use crate::desk::hours::Calendar;
use crate::engine::Rules;
use crate::model::{Author, Conversation, DeliveryStatus, Lang, Message, MessageId, MessageKind, StationRef};
use crate::nlu::entities::stations::Gazetteer;
use crate::nlu::{Means, Nlu};
use crate::store::{Ingest, NewJob};
use crate::transit::TimetableHandle;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;

const NOW: Timestamp = Timestamp(1_795_428_000_000_000);

/// A worker on a small pack, its files with `---` between them, with the shipped responses.
pub(super) async fn worker(folder: &Path, pack: &str, clock: Arc<dyn Clock>, channels: Channels) -> Worker {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let intents = folder.join("intents");
    std::fs::create_dir(&intents).unwrap();
    for (at, file) in pack.split("---\n").enumerate() {
        std::fs::write(intents.join(format!("{at}.yaml")), file).unwrap();
    }
    let files = FilesConfig { intents, responses: root.join("responses"), ..FilesConfig::default() };
    let planner = crate::transit::testing::scheduled(&TimetableHandle::default());
    let sources = registry(&planner);
    // The shipped responses are written for the shipped intents.
    let shipped = FilesConfig { intents: root.join("intents"), ..files.clone() };
    let (_, live) = Live::load(&shipped, Lang::FR, &sources).unwrap_or_else(|e| panic!("{e:?}"));
    let pack = crate::nlu::IntentPack::load(&files.intents).unwrap();
    let station = |name: &str| StationRef { id: name.into(), name: name.into() };
    let stations = ["Rennes", "Vitré"].map(station).to_vec();
    let mind = Mind {
        nlu: Nlu::train(pack, Gazetteer::new(stations, &[], &[]), Means::default()),
        content: Content::new(files, Lang::FR, sources.clone(), live),
        sources,
        planner,
        calendar: Calendar::new(HoursConfig::default(), TimeZone::UTC),
        rules: Rules {
            answer_from: 0.4,
            confirm_from: 0.25,
            max_asks: 2,
            max_failures: 2,
            forget_after: Duration::from_secs(1800),
            zone: TimeZone::UTC,
        },
        gather: Duration::from_secs(2),
        notices: NoticesConfig::default(),
        manners: Manners::new(MannersConfig::default()),
        operator: OperatorConfig::default(),
        timetable: TimetableHandle::new(crate::transit::testing::demo()),
    };
    Worker {
        store: Store::open(&format!("sqlite://{}/g.db", folder.display()), 2).await.unwrap(),
        clock,
        paces: Paces::new(&channels, 1),
        channels,
        mind: Arc::new(mind),
        config: QueueConfig::default(),
        on_call: Default::default(),
        surveys: Default::default(),
    }
}

async fn outbound(worker: &Worker, conversation: &Conversation, kind: MessageKind) -> MessageId {
    let mut tx = worker.store.begin().await.unwrap();
    let mut message = Message::outbound(conversation, Author::Bot, kind, "x".to_owned(), NOW);
    tx.insert_message(&mut message).await.unwrap();
    tx.insert_job(NewJob { kind: JobKind::Send, message: &message, run_at: NOW, broadcast: false })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    message.id
}

#[tokio::test]
async fn after_an_opt_out_only_its_confirmation_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let context = BuildContext {
        public_url: "http://localhost".into(),
        client: reqwest::Client::new(),
        clock: clock.clone(),
    };
    let config = ChannelConfig { kind: "webchat".into(), settings: Default::default() };
    let channels = Channels::build(&BTreeMap::from([("web".to_owned(), config)]), &context).unwrap();
    let pack = "domain: general\nintents:\n  thanks:\n    about: Thanks\n    examples:\n      fr: |\n        - merci\n";
    let worker = worker(folder.path(), pack, clock, channels).await;
    let mut tx = worker.store.begin().await.unwrap();
    let inbound =
        Ingest { channel: "web", address: "a", provider_id: "1", text: "merci", ..Ingest::default() };
    let id = tx.ingest(inbound, NOW, Duration::ZERO).await.unwrap().conversation_id;
    tx.commit().await.unwrap();
    worker.drain().await.unwrap();
    let status = async |id| {
        let message = worker.store.read().await.unwrap().message(id).await.unwrap().unwrap();
        (message.status, message.error)
    };

    let conversation = worker.store.read().await.unwrap().conversation(id).await.unwrap().unwrap();
    let before = outbound(&worker, &conversation, MessageKind::Answer).await;
    let confirmation = outbound(&worker, &conversation, MessageKind::Notice).await;
    let mut tx = worker.store.begin().await.unwrap();
    tx.opt_out(conversation.contact_id, Some(confirmation), NOW).await.unwrap();
    tx.commit().await.unwrap();
    let after = outbound(&worker, &conversation, MessageKind::Notice).await;
    worker.drain().await.unwrap();
    let withheld =
        (DeliveryStatus::Failed, Some("the contact has opted out: nothing is sent to them".to_owned()));
    assert_eq!(status(before).await, withheld);
    assert_eq!(status(after).await, withheld);
    assert_eq!(status(confirmation).await, (DeliveryStatus::Sent, None));

    let mut tx = worker.store.begin().await.unwrap();
    assert!(tx.opt_in(conversation.contact_id).await.unwrap());
    tx.commit().await.unwrap();
    let again = outbound(&worker, &conversation, MessageKind::Answer).await;
    worker.drain().await.unwrap();
    assert_eq!(status(again).await.0, DeliveryStatus::Sent);
}
