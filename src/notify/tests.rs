use super::change::*;
use super::*;
use crate::channels::BuildContext;
use crate::clock::ManualClock;
use crate::config::{ChannelConfig, FilesConfig, HoursConfig};
use crate::content::Live;
use crate::model::*;
use crate::store::{Ingest, Told};
use crate::transit::TimetableHandle;
use crate::transit::live::{Alert, Snapshot};
use crate::transit::planner::*;
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

mod corrected;
mod pure;
mod watched;

fn paris() -> TimeZone {
    TimeZone::get("Europe/Paris").unwrap()
}

/// 2026-12-18 in Paris, a Friday.
fn at(time: &str) -> Timestamp {
    let local: jiff::civil::DateTime = format!("2026-12-18T{time}").parse().unwrap();
    Timestamp::from_jiff(local.to_zoned_datetime(paris()).unwrap().timestamp())
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn station(name: &str) -> StationRef {
    StationRef { id: name.to_lowercase(), name: name.to_owned() }
}

fn key() -> TrainKey {
    TrainKey { trip: "t8745".into(), day: date(2026, 12, 18) }
}

fn moment(time: &str) -> Option<Moment> {
    Some(Moment { scheduled: at(time), expected: Some(at(time)) })
}

fn stop(name: &str, arrival: Option<Moment>, departure: Option<Moment>) -> Stop {
    Stop {
        station: station(name),
        arrival,
        departure,
        platform: None,
        planned_platform: None,
        skipped: false,
    }
}

/// Vitré 17:30, Rennes 18:00–18:04 platform 3, Paris 20:00; on time, and live data says so.
fn run() -> Run {
    let train = Train {
        key: key(),
        number: Some("8745".into()),
        brand: Some("Alizé".into()),
        line: None,
        terminus: "Paris".into(),
        cancelled: false,
        added: false,
    };
    let mut stops = vec![
        stop("Vitré", None, moment("17:30")),
        stop("Rennes", moment("18:00"), moment("18:04")),
        stop("Paris", moment("20:00"), None),
    ];
    stops[1].platform = Some("3".into());
    Run { train, stops, alerts: Vec::new() }
}

/// Everything from Rennes on this much later.
fn late(by: u64) -> Run {
    let mut run = run();
    for stop in &mut run.stops[1..] {
        for moment in [&mut stop.arrival, &mut stop.departure].into_iter().flatten() {
            moment.expected = Some(moment.scheduled.plus(minutes(by)));
        }
    }
    run
}

fn cancelled() -> Run {
    let mut run = run();
    run.train.cancelled = true;
    run
}

/// Rennes → Paris as a customer was told it.
fn ride() -> ToldRide {
    ToldRide {
        key: key(),
        number: Some("8745".into()),
        from: station("Rennes"),
        to: Some(station("Paris")),
        departs: at("18:04"),
        arrives: Some(at("20:00")),
        platform: Some("3".into()),
        cancelled: false,
    }
}

/// A planner that knows two trains and what the test tells it of traffic.
struct Fake {
    run: Mutex<Run>,
    traffic: Mutex<Traffic>,
    live: Mutex<LiveState>,
}

impl Fake {
    fn told<T>(&self, value: T) -> super::super::transit::planner::Told<T> {
        let provenance = Provenance {
            label: "Réseau Breton".into(),
            invented: false,
            timetable_as_of: date(2026, 12, 1),
            live: *self.live.lock().unwrap(),
            live_partial: false,
        };
        super::super::transit::planner::Told { value, provenance }
    }
}

type Answer<T> = Result<super::super::transit::planner::Told<T>, Unknown>;

#[async_trait::async_trait]
impl Planner for Fake {
    fn zone(&self) -> TimeZone {
        paris()
    }
    fn station(&self, _: &str) -> Option<StationRef> {
        None
    }
    fn provenance(&self, _: Timestamp) -> Result<Provenance, Unknown> {
        Ok(self.told(()).provenance)
    }
    async fn board(&self, _: &BoardQuery, _: Timestamp) -> Answer<Board> {
        Err(Unknown::NoTimetable)
    }
    async fn journeys(&self, _: &JourneyQuery, _: Timestamp) -> Answer<Vec<Journey>> {
        Err(Unknown::NoTimetable)
    }
    async fn first_last(
        &self,
        _: &str,
        _: Option<&str>,
        _: jiff::civil::Date,
        _: Timestamp,
    ) -> Answer<FirstLast> {
        Err(Unknown::NoTimetable)
    }
    async fn train(&self, number: &str, day: jiff::civil::Date, _: Timestamp) -> Answer<Vec<Run>> {
        // The 8747 does what the 8745 does.
        let known = matches!(number, "8745" | "8747") && day == key().day;
        let mut run = self.run.lock().unwrap().clone();
        run.train.number = Some(number.to_owned());
        run.train.key.trip = format!("t{number}");
        Ok(self.told(known.then_some(run).into_iter().collect()))
    }
    async fn traffic(&self, _: &TrafficQuery, _: Timestamp) -> Answer<Traffic> {
        let traffic = self.traffic.lock().unwrap().clone();
        let trains = *self.live.lock().unwrap();
        Ok(self.told(Traffic { trains, ..traffic }))
    }
}

/// Two customers' phones (French, English), a planner and a clock to play with.
struct Stage {
    notifier: Notifier,
    planner: Arc<Fake>,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

async fn stage(now: &str) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let clock = Arc::new(ManualClock::at(at(now)));
    let context = BuildContext {
        public_url: "http://localhost".into(),
        client: reqwest::Client::new(),
        clock: clock.clone(),
    };
    let config = ChannelConfig { kind: "webchat".into(), settings: Default::default() };
    let channels = Channels::build(&BTreeMap::from([("web".to_owned(), config)]), &context).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = FilesConfig {
        intents: root.join("intents"),
        responses: root.join("responses"),
        ..FilesConfig::default()
    };
    let sources = crate::answers::registry(&crate::transit::testing::scheduled(&TimetableHandle::default()));
    let (_, live) = Live::load(&files, Lang::FR, &sources).unwrap_or_else(|e| panic!("{e:?}"));
    let planner = Arc::new(Fake {
        run: Mutex::new(run()),
        traffic: Mutex::new(Traffic {
            line: None,
            alerts: Vec::new(),
            announced: LiveState::Fresh(at(now)),
            trains: LiveState::Fresh(at(now)),
            running: 1,
            late: Vec::new(),
            cancelled: Vec::new(),
        }),
        live: Mutex::new(LiveState::Fresh(at(now))),
    });
    let notifier = Notifier {
        store,
        clock: clock.clone(),
        channels,
        planner: planner.clone(),
        live: LiveHandle::default(),
        content: Content::new(files, Lang::FR, sources, live),
        calendar: Calendar::new(HoursConfig::default(), paris()),
        operator: OperatorConfig::default(),
        config: NoticesConfig::default(),
    };
    Stage { notifier, planner, clock, folder }
}

async fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(&format!("sqlite://{}/g.db", folder.path().display()), 2).await.unwrap()
}

impl Stage {
    /// A contact who wrote once, with the conversation.
    async fn customer(&self, address: &str, lang: Lang) -> Conversation {
        let now = self.clock.now();
        let mut tx = self.notifier.store.begin().await.unwrap();
        let inbound =
            Ingest { channel: "web", address, provider_id: address, text: "bonjour", ..Ingest::default() };
        let id = tx.ingest(inbound, now, Duration::ZERO).await.unwrap().conversation_id;
        let mut conversation = tx.conversation(id).await.unwrap().unwrap();
        conversation.lang = Some(lang);
        tx.save_conversation(&conversation).await.unwrap();
        tx.commit().await.unwrap();
        conversation
    }

    /// A customer who was told [`ride`], or that ride changed.
    async fn told(&self, address: &str, lang: Lang, change: impl FnOnce(&mut ToldRide)) -> Conversation {
        let conversation = self.customer(address, lang).await;
        self.tell(&conversation, change).await;
        conversation
    }

    async fn tell(&self, conversation: &Conversation, change: impl FnOnce(&mut ToldRide)) {
        let mut ride = ride();
        change(&mut ride);
        let mut tx = self.notifier.store.begin().await.unwrap();
        let mut message = Message::outbound(
            conversation,
            Author::Bot,
            MessageKind::Answer,
            "18:04".to_owned(),
            self.clock.now(),
        );
        tx.insert_message(&mut message).await.unwrap();
        tx.remember_told(conversation.contact_id, conversation.id, message.id, &ride).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn watch(&self, conversation: &Conversation, what: Watched, from: &str, until: Timestamp) {
        let mut tx = self.notifier.store.begin().await.unwrap();
        let new = NewWatch { what, from: at(from), until };
        let (contact, now) = (conversation.contact_id, self.clock.now());
        tx.insert_watch(contact, conversation.id, &new, now).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn runs(&self, run: Run) {
        *self.planner.run.lock().unwrap() = run;
    }

    async fn pass(&self) -> usize {
        self.notifier.pass().await.unwrap()
    }

    /// The notices of a conversation.
    async fn notices(&self, conversation: &Conversation) -> Vec<Message> {
        let mut tx = self.notifier.store.read().await.unwrap();
        let messages = tx.messages(conversation.id, 0, 100).await.unwrap();
        messages.into_iter().filter(|m| m.kind == MessageKind::Notice).collect()
    }

    /// The one notice there is.
    async fn notice(&self, conversation: &Conversation) -> String {
        let notices = self.notices(conversation).await;
        let [notice] = &notices[..] else { panic!("one notice: {notices:#?}") };
        notice.text.clone()
    }

    async fn send_jobs(&self) -> i64 {
        let mut tx = self.notifier.store.read().await.unwrap();
        let counts = tx.job_counts().await.unwrap();
        counts.iter().filter(|c| c.kind == JobKind::Send).map(|c| c.count).sum()
    }
}
