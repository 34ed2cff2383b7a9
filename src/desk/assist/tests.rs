//! Drafts over the demo railway and the shipped files, at a time that the test holds.

use super::*;
use crate::answers::{AnswerSource, Query, Samples, registry};
use crate::channels::{BuildContext, Channels};
use crate::clock::ManualClock;
use crate::config::{ChannelConfig, FilesConfig, HoursConfig, MannersConfig, NoticesConfig, OperatorConfig};
use crate::content::{Content, Live};
use crate::desk::hours::Calendar;
use crate::desk::tests::person;
use crate::engine::Rules;
use crate::model::{
    Author, ConversationState, Entity, EntityValue, EscalationReason, IntentScore, Role, StationRef, Tone,
    Understanding,
};
use crate::nlu::entities::stations::Gazetteer;
use crate::nlu::{IntentPack, Means, Nlu};
use crate::queue::Manners;
use crate::store::Ingest;
use crate::transit::TimetableHandle;
use crate::transit::testing::{demo, id_of, paris, scheduled};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const MORNING: &str = "2026-11-17T08:32";

/// A source that answers as the test says.
struct Told(&'static str, Lookup, Duration);

#[async_trait]
impl AnswerSource for Told {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn look_up(&self, _: &Query) -> Lookup {
        tokio::time::sleep(self.2).await;
        self.1.clone()
    }

    fn samples(&self) -> Samples {
        Samples::default()
    }
}

struct Room {
    store: Store,
    channels: Channels,
    mind: Mind,
    camille: Agent,
    stations: BTreeMap<String, String>,
    _folder: tempfile::TempDir,
}

async fn room(channel: &str, told: Option<Told>) -> Room {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = FilesConfig {
        intents: root.join("intents"),
        responses: root.join("responses"),
        ..FilesConfig::default()
    };
    let timetable = TimetableHandle::new(demo());
    let planner = scheduled(&timetable);
    let mut sources = registry(&planner);
    let (_, live) = Live::load(&files, Lang::FR, &sources).unwrap_or_else(|e| panic!("{e:?}"));
    if let Some(told) = told {
        sources.add(Arc::new(told));
    }
    // What is understood is stored with the messages: nothing is learned here.
    let small = folder.path().join("intents");
    std::fs::create_dir(&small).unwrap();
    std::fs::write(
        small.join("a.yaml"),
        "domain: general\nintents:\n  thanks: { about: Thanks, examples: { fr: ['merci'] } }\n",
    )
    .unwrap();
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let mind = Mind {
        nlu: Nlu::train(
            IntentPack::load(&small).unwrap(),
            Gazetteer::new(vec![], &[], &[]),
            Means::default(),
        ),
        content: Content::new(files, Lang::FR, sources.clone(), live),
        sources,
        planner,
        calendar: Calendar::new(HoursConfig::default(), zone.clone()),
        rules: Rules {
            answer_from: 0.4,
            confirm_from: 0.25,
            max_asks: 2,
            max_failures: 2,
            forget_after: Duration::from_secs(1_800),
            zone,
        },
        gather: Duration::ZERO,
        notices: NoticesConfig::default(),
        manners: Manners::new(MannersConfig::default()),
        operator: OperatorConfig::default(),
        timetable,
    };
    let store = Store::open(&format!("sqlite://{}/g.db", folder.path().display()), 2).await.unwrap();
    let context = BuildContext {
        public_url: "http://localhost".into(),
        client: reqwest::Client::new(),
        clock: Arc::new(ManualClock::at(paris(MORNING))),
    };
    let settings = match channel {
        "twilio" => {
            "account_sid = 'AC00000000000000000000000000000000'\nauth_token = 't'\nfrom = '+33700000000'\n"
        }
        _ => "",
    };
    let config = ChannelConfig { kind: channel.into(), ..toml::from_str::<ChannelConfig>(settings).unwrap() };
    let channels = Channels::build(&BTreeMap::from([("line".to_owned(), config)]), &context).unwrap();
    let timetable = demo();
    let ids = ["Vitré", "Rennes", "Brest"].map(|name| (name.to_owned(), id_of(&timetable, name)));
    let camille = person(&store, "Camille Martin", Role::Agent).await;
    Room { store, channels, mind, camille, stations: ids.into(), _folder: folder }
}

impl Room {
    fn station(&self, role: &str, name: &str) -> Entity {
        let station = StationRef { id: self.stations[name].clone(), name: name.to_owned() };
        entity(role, name, EntityValue::Station { station })
    }

    /// The customer writes, and it is understood so, the likeliest first. The conversation waits for people.
    async fn says(
        &self,
        text: &str,
        intents: &[(&str, f32)],
        entities: Vec<Entity>,
        at: Timestamp,
    ) -> ConversationId {
        let id = format!("{text}{}", at.0);
        let inbound =
            Ingest { channel: "line", address: "+33612345678", provider_id: &id, text, ..Ingest::default() };
        let mut tx = self.store.begin().await.unwrap();
        let id = tx.ingest(inbound, at, Duration::ZERO).await.unwrap().conversation_id;
        let message = tx.last_inbound(id).await.unwrap().unwrap();
        let score = |(intent, confidence): &(&str, f32)| IntentScore {
            intent: (*intent).into(),
            confidence: *confidence,
        };
        let understanding = Understanding {
            lang: Lang::FR,
            intents: intents.iter().map(score).collect(),
            entities,
            questions: Vec::new(),
            tone: Tone::Neutral,
            model: "ngram".into(),
        };
        if !intents.is_empty() {
            tx.set_understanding(message.id, &understanding).await.unwrap();
        }
        let mut c = tx.lock_conversation(id).await.unwrap().unwrap();
        c.state = ConversationState::Queued;
        c.reason = Some(EscalationReason::Requested);
        c.escalated_at.get_or_insert(at);
        tx.save_conversation(&c).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn propose(&self, id: ConversationId, now: Timestamp) -> Proposed {
        let Self { store, channels, mind, .. } = self;
        let assistant = Assistant { store, channels, mind, deadline: Duration::from_millis(300) };
        assistant.propose(now, &self.camille, id).await.unwrap().unwrap()
    }
}

fn entity(role: &str, surface: &str, value: EntityValue) -> Entity {
    Entity { role: role.into(), surface: surface.into(), span: 0..surface.len(), value }
}

/// The source of delays, with live data as it could be.
fn late_train(facts: Vec<Fact>) -> Told {
    let sources = registry(&scheduled(&TimetableHandle::default()));
    let data = sources.get("traffic.train").unwrap().samples().found.remove(0);
    Told("traffic.train", Lookup::Found { data, facts }, Duration::ZERO)
}

fn train(number: &str) -> Entity {
    entity("train", number, EntityValue::Train { number: number.into() })
}

#[tokio::test]
async fn a_draft_carries_the_next_trains_with_their_source() {
    let room = room("webchat", None).await;
    let now = paris(MORNING);
    let stations = vec![room.station("from", "Vitré"), room.station("to", "Rennes")];
    let intents =
        [("schedules.next_departure", 0.35), ("traffic.strike", 0.2), ("general.bot_identity", 0.1)];
    let id = room.says("prochain train Vitré Rennes", &intents, stations, now).await;
    let proposed = room.propose(id, now).await;
    assert!(!proposed.reading && !proposed.late);
    let draft = &proposed.drafts[0];
    assert_eq!((draft.kind, draft.response.as_str()), (DraftKind::Answer, "schedules.next_departure"));
    // Of the demo timetable, by hand: LIT850010, -11 and -12; the 8:30 has left, the 9:16 goes the other way.
    for time in ["08:35", "09:05", "09:30"] {
        assert!(draft.text.contains(time), "{}", draft.text);
    }
    assert!(!draft.text.contains("08:30") && !draft.text.contains("09:16") && !draft.departed);
    assert!(
        draft.facts.iter().all(|fact| fact.source.starts_with("timetable: Guichet demo")),
        "{:?}",
        draft.facts
    );
    assert!(draft.facts[0].value.contains("Vitré 2026-11-17 08:35"), "{:?}", draft.facts);
    // Unlike the bot, an agent is offered what is not sure; never that they are a machine.
    let responses: Vec<&str> = proposed.drafts.iter().map(|d| d.response.as_str()).collect();
    assert_eq!(responses, ["schedules.next_departure", "traffic.strike", "canned.patience"]);
    let kept =
        room.store.read().await.unwrap().proposed_reply(draft.id, id, room.camille.id).await.unwrap().unwrap();
    assert_eq!((kept.text, kept.facts), (draft.text.clone(), draft.facts.clone()), "kept for the reply");
}

#[tokio::test]
async fn the_channel_has_its_own_wording() {
    let (web, sms) = (room("webchat", None).await, room("twilio", None).await);
    let now = paris(MORNING);
    let mut texts = Vec::new();
    for room in [&web, &sms] {
        let stations = vec![room.station("from", "Vitré"), room.station("to", "Rennes")];
        let id = room.says("Vitré Rennes ?", &[("schedules.next_departure", 0.9)], stations, now).await;
        texts.push(room.propose(id, now).await.drafts[0].text.clone());
    }
    assert!(texts[1].len() < texts[0].len() && texts[1].contains("08:35"), "{texts:?}");
    assert_eq!(crate::sms::encoding(&texts[1]).as_str(), "GSM-7");
}

#[tokio::test]
async fn their_train_is_found_behind_the_wish_for_a_person() {
    let room = room("webchat", Some(late_train(vec![]))).await;
    let now = paris(MORNING);
    let later = now.plus(Duration::from_secs(20));
    let id =
        room.says("le 8060 est a l'heure ?", &[("traffic.train_delay", 0.8)], vec![train("8060")], now).await;
    room.says(
        "un conseiller svp",
        &[("general.human_agent", 0.9), ("general.greeting", 0.05)],
        vec![],
        later,
    )
    .await;
    let proposed = room.propose(id, later).await;
    let draft = &proposed.drafts[0];
    assert_eq!(draft.response, "traffic.train_delay", "{:?}", proposed.drafts);
    assert_eq!(draft.kind, DraftKind::Answer);
    assert!(proposed.drafts.iter().all(|d| d.response != "general.human_agent"));
    // Once a person has answered, nothing waits.
    let mut tx = room.store.begin().await.unwrap();
    let c = tx.conversation(id).await.unwrap().unwrap();
    let said = Message::outbound(&c, Author::Agent, MessageKind::Text, "Oui.".into(), later);
    tx.insert_message(&mut Message { agent_id: Some(room.camille.id), ..said }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(room.propose(id, later).await.drafts, []);
}

#[tokio::test]
async fn what_is_missing_is_asked_for_and_what_is_unknown_is_named() {
    let room = room("webchat", None).await;
    let now = paris(MORNING);
    let id = room
        .says(
            "prochain train pour Rennes",
            &[("schedules.next_departure", 0.9)],
            vec![room.station("to", "Rennes")],
            now,
        )
        .await;
    let drafts = room.propose(id, now).await.drafts;
    assert_eq!((drafts[0].kind, drafts[0].lacks.as_deref()), (DraftKind::Question, Some("from")));
    let id = Timestamp(now.0 + 1);
    let id = room.says("grève demain ?", &[("traffic.strike", 0.9)], vec![], id).await;
    let drafts = room.propose(id, now).await.drafts;
    let unknown = drafts.iter().find(|d| d.kind == DraftKind::Unknown).unwrap();
    assert_eq!(
        (unknown.response.as_str(), unknown.text.as_str()),
        ("traffic.strike", ""),
        "nothing to insert"
    );
    assert!(unknown.lacks.as_ref().is_some_and(|why| !why.is_empty()));
}

#[tokio::test]
async fn old_live_data_and_trains_that_have_left_are_marked() {
    let now = paris(MORNING);
    let ride = |departs| crate::model::ToldRide {
        key: crate::model::TrainKey { trip: "x".into(), day: "2026-11-17".parse().unwrap() },
        number: Some("8060".into()),
        from: StationRef { id: "a".into(), name: "A".into() },
        to: None,
        departs,
        arrives: None,
        platform: None,
        cancelled: false,
    };
    let minutes = |n: i64| Timestamp(now.0 + n * 60_000_000);
    for (as_of, departs, old, departed) in [
        (minutes(0), minutes(9), false, false),
        (minutes(-1), minutes(-3), false, true),
        (minutes(-4), minutes(9), true, false),
    ] {
        let fact =
            Fact { value: "8060".into(), source: "live: demo".into(), as_of, ride: Some(ride(departs)) };
        let room = room("webchat", Some(late_train(vec![fact]))).await;
        let id = room.says("le 8060 ?", &[("traffic.train_delay", 0.9)], vec![train("8060")], now).await;
        let draft = room.propose(id, now).await.drafts.remove(0);
        assert_eq!((draft.old, draft.departed), (old, departed), "{as_of:?}");
    }
}

#[tokio::test]
async fn a_slow_source_holds_nothing_up() {
    let found = Lookup::NoData { why: "never".into() };
    let room = room("webchat", Some(Told("traffic.train", found, Duration::from_secs(3_600)))).await;
    let now = paris(MORNING);
    let stations = vec![room.station("from", "Vitré"), room.station("to", "Rennes"), train("8060")];
    let intents = [("traffic.train_delay", 0.6), ("schedules.next_departure", 0.3)];
    let id = room.says("et le 8060 ?", &intents, stations, now).await;
    let proposed = room.propose(id, now).await;
    assert!(proposed.late);
    assert!(proposed.drafts.iter().any(|d| d.response == "schedules.next_departure"));
}

#[tokio::test]
async fn a_message_that_is_not_understood_yet_is_being_read() {
    let room = room("webchat", None).await;
    let now = paris(MORNING);
    let id = room.says("bonjour", &[], vec![], now).await;
    let proposed = room.propose(id, now).await;
    assert!(proposed.reading);
    let responses: Vec<&str> = proposed.drafts.iter().map(|d| d.response.as_str()).collect();
    assert_eq!(responses, ["canned.patience"]);
    assert!(proposed.drafts[0].text.contains("ici Camille,"), "{}", proposed.drafts[0].text);
    assert!(!room.propose(id, now.plus(Duration::from_secs(60))).await.reading, "it was set aside");
}

#[tokio::test]
async fn canned_replies_know_what_the_customer_named() {
    let room = room("webchat", None).await;
    let now = paris(MORNING);
    let entities = vec![room.station("from", "Vitré"), train("8060")];
    let id = room.says("retard du 8060 à Vitré", &[("traffic.train_delay", 0.9)], entities, now).await;
    let mut tx = room.store.read().await.unwrap();
    let conversation = tx.conversation(id).await.unwrap().unwrap();
    let contact = tx.contact_by_id(conversation.contact_id).await.unwrap().unwrap();
    let messages = tx.latest_messages(id, 10).await.unwrap();
    let pieces =
        Pieces { conversation: &conversation, contact: &contact, messages: &messages, lang: Lang::FR, now };
    let replies = canned(&room.mind, &room.channels, pieces, &room.camille);
    let text = |name: &str| &replies.iter().find(|reply| reply.name == name).unwrap().text;
    assert!(text("sorry-delay").contains("train 8060"));
    assert!(text("lost-item").contains("(Vitré)"));
    assert!(text("call-back").contains("[[heure]]"));
    // The bot's own words, without what only the bot says.
    let fine = text("fine");
    assert!(fine.contains("Procès-verbaux") && fine.ends_with("justificatifs à une contestation."), "{fine}");
    assert!(replies.iter().all(|reply| !reply.text.contains("CONSEILLER")));
}

#[tokio::test]
async fn responses_without_facts_are_proposed_where_the_operator_lists_them() {
    let room = room("twilio", None).await;
    let now = paris(MORNING);
    let intents = [("service.luggage_bike_pet", 0.5), ("general.bot_identity", 0.3), ("out_of_scope", 0.1)];
    let id = room.says("et mon vélo ?", &intents, vec![], now).await;
    let drafts = room.propose(id, now).await.drafts;
    let responses: Vec<&str> = drafts.iter().map(|d| d.response.as_str()).collect();
    assert_eq!(responses, ["service.luggage_bike_pet", "canned.patience"]);
    assert!(drafts[0].text.ends_with("/chat.") && !drafts[0].text.contains("doute"), "{}", drafts[0].text);
}
