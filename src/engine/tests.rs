use super::*;
use crate::answers::Lookup;
use crate::model::{Entity, EscalateRule, IntentScore, Lang, SlotSpec, StationRef, Tone};
use crate::nlu::pack::shipped_phrases;

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

pub(super) fn slot(name: &str, entity: &str, ask: bool) -> SlotSpec {
    SlotSpec { name: name.into(), entity: entity.into(), ask, default: None }
}

fn intents() -> BTreeMap<String, IntentSpec> {
    let spec = |name: &str| IntentSpec { name: name.into(), ..IntentSpec::default() };
    let always = |reason| EscalateRule { always: true, reason: Some(reason), ..EscalateRule::default() };
    let slots =
        vec![slot("from", "station", true), slot("to", "station", false), slot("when", "time", false)];
    let either =
        vec![slot("train", "train", true), slot("from", "station", false), slot("to", "station", false)];
    let sets = vec![vec!["train".to_owned()], vec!["from".to_owned(), "to".to_owned()]];
    let all = [
        IntentSpec { answer: Some("t".into()), slots: either, enough: sets, ..spec("schedules.train_stops") },
        IntentSpec { answer: Some("t".into()), slots, ..spec("schedules.next_departure") },
        spec("general.greeting"),
        IntentSpec { escalate: always(EscalationReason::Requested), ..spec("general.human_agent") },
        IntentSpec { escalate: always(EscalationReason::Emergency), ..spec("safety.emergency") },
        spec(OUT_OF_SCOPE),
    ];
    all.into_iter().map(|spec| (spec.name.clone(), spec)).collect()
}

pub(super) fn station(name: &str) -> StationRef {
    StationRef { id: name.into(), name: name.into() }
}

/// `role=Station`; several stations divided by `|` are ambiguous.
fn heard(intents: &[(&str, f32)], entities: &[&str]) -> Understanding {
    let entities = entities
        .iter()
        .map(|e| {
            let (role, names) = e.split_once('=').unwrap();
            let options: Vec<StationRef> = names.split('|').map(station).collect();
            let value = match &options[..] {
                [one] => EntityValue::Station { station: one.clone() },
                _ => EntityValue::Ambiguous { options },
            };
            Entity { role: role.into(), surface: names.into(), span: 0..0, value }
        })
        .collect();
    Understanding {
        lang: Lang::FR,
        intents: intents.iter().map(|(i, c)| IntentScore { intent: (*i).into(), confidence: *c }).collect(),
        entities,
        questions: Vec::new(),
        tone: Tone::Neutral,
        model: "test".into(),
    }
}

pub(super) fn conversation(dialogue: Dialogue) -> Conversation {
    Conversation { dialogue, ..Conversation::sample(NOW) }
}

pub(super) fn rules() -> Rules {
    Rules {
        answer_from: 0.4,
        confirm_from: 0.25,
        max_asks: 2,
        max_failures: 2,
        forget_after: Duration::from_secs(1_800),
        zone: TimeZone::get("Europe/Paris").unwrap(),
    }
}

/// With each thing where it stands in the text.
pub(super) fn placed(text: &str, u: &Understanding) -> Understanding {
    let mut placed = u.clone();
    for entity in &mut placed.entities {
        if let Some(at) = text.find(&entity.surface) {
            entity.span = at..at + entity.surface.len();
        }
    }
    placed
}

fn plan(text: &str, u: &Understanding, c: &Conversation) -> Plan {
    let (intents, rules) = (intents(), rules());
    let u = &placed(text, u);
    let situation = Situation {
        text,
        understanding: u,
        conversation: c,
        intents: &intents,
        phrases: shipped_phrases(),
        rules: &rules,
        opted_out: false,
        sms: true,
        near: None,
        now: NOW,
    };
    situation.plan()
}

fn decided(plan: Plan) -> Decision {
    match plan {
        Plan::Decided(decision) => *decision,
        Plan::LookUp(planned) => panic!("waits for {}", planned.source),
        Plan::Follow(following) => panic!("waits for {:?}", following.new),
    }
}

fn looks_up(plan: Plan) -> Planned {
    match plan {
        Plan::LookUp(planned) => *planned,
        other => panic!("looks nothing up: {other:?}"),
    }
}

fn said(decision: &Decision) -> Vec<(String, Part)> {
    decision.lines.iter().map(|l| (l.response.clone(), l.part.clone())).collect()
}

fn say(name: &str) -> (String, Part) {
    (name.to_owned(), Part::Text)
}

const NEXT: &str = "schedules.next_departure";

#[test]
fn a_complete_question_is_looked_up() {
    let u = heard(&[(NEXT, 0.9)], &["from=Vitré", "to=Rennes"]);
    let planned = looks_up(plan("prochain train Vitré Rennes", &u, &conversation(Dialogue::default())));
    assert_eq!(planned.source, "t");
    assert_eq!(planned.slots["from"], EntityValue::Station { station: station("Vitré") });
    let found = Lookup::Found { data: json!({"x": 1}), facts: Vec::new() };
    let decision = planned.clone().decide(Some(found));
    assert_eq!(said(&decision), [say(NEXT)]);
    assert_eq!(decision.kind, Some(MessageKind::Answer));
    let nothing = planned.clone().decide(Some(Lookup::Nothing { data: json!({}), facts: Vec::new() }));
    assert_eq!(said(&nothing), [(NEXT.into(), Part::Nothing)]);
    for no_data in [Some(Lookup::NoData { why: "expired".into() }), None] {
        let decision = planned.clone().decide(no_data);
        assert_eq!(decision.escalation.unwrap().reason, EscalationReason::NoData);
        assert_eq!(said(&decision), [say("system.no_data"), say("system.escalated")]);
    }
}

#[test]
fn a_missing_slot_is_asked_for_and_remembered() {
    let u = heard(&[(NEXT, 0.9)], &["to=Rennes"]);
    let first = decided(plan("prochain train pour Rennes", &u, &conversation(Dialogue::default())));
    assert_eq!(said(&first), [(NEXT.into(), Part::Ask("from".into()))]);
    assert_eq!(first.kind, Some(MessageKind::Question));
    // The classifier makes anything of a lone name; the question we asked decides.
    let answer = heard(&[("general.greeting", 0.8)], &["station=Vitré"]);
    let planned = looks_up(plan("Vitré", &answer, &conversation(first.dialogue)));
    assert_eq!(planned.slots["from"], EntityValue::Station { station: station("Vitré") });
    assert_eq!(planned.slots["to"], EntityValue::Station { station: station("Rennes") });
}

#[test]
fn an_answer_that_is_no_station_is_told_so() {
    let u = heard(&[(NEXT, 0.9)], &["to=Rennes"]);
    let first = decided(plan("prochain train pour Rennes", &u, &conversation(Dialogue::default())));
    let unknown = heard(&[(OUT_OF_SCOPE, 0.9)], &[]);
    let second = decided(plan("Trifouillis", &unknown, &conversation(first.dialogue)));
    assert_eq!(said(&second), [say("system.unknown_station")]);
    assert_eq!(second.lines[0].data["name"], "Trifouillis");
}

#[test]
fn a_slot_is_asked_for_twice_then_a_person_is_called() {
    let u = heard(&[(NEXT, 0.9)], &[]);
    let mut dialogue = Dialogue::default();
    for _ in 0..2 {
        let decision = decided(plan("prochain train", &u, &conversation(dialogue)));
        assert_eq!(decision.kind, Some(MessageKind::Question));
        dialogue = decision.dialogue;
    }
    let third = decided(plan("prochain train", &u, &conversation(dialogue)));
    assert_eq!(third.escalation.unwrap().reason, EscalationReason::RepeatedFailure);
}

#[test]
fn one_set_of_slots_is_enough() {
    let stops = "schedules.train_stops";
    let u = heard(&[(stops, 0.9)], &["from=Vitré", "to=Rennes"]);
    let planned = looks_up(plan("arrêts du Vitré Rennes", &u, &conversation(Dialogue::default())));
    assert_eq!(planned.slots.len(), 2);
    let u = heard(&[(stops, 0.9)], &["from=Vitré"]);
    let first = decided(plan("il s'arrête à Vitré ?", &u, &conversation(Dialogue::default())));
    assert_eq!(said(&first), [(stops.into(), Part::Ask("train".into()))]);
    // Asked for a train, the customer gives the other end of the way instead.
    let other = heard(&[("general.greeting", 0.8)], &["to=Rennes"]);
    assert_eq!(looks_up(plan("Rennes", &other, &conversation(first.dialogue))).slots.len(), 2);
}

#[test]
fn ambiguity_is_asked_about_and_the_number_is_the_answer() {
    let u = heard(&[(NEXT, 0.9)], &["from=Saint-Denis|Saint-Denis près Martel"]);
    let first = decided(plan("train de saint denis", &u, &conversation(Dialogue::default())));
    assert_eq!(said(&first), [say("system.which_station")]);
    assert_eq!(first.lines[0].data["options"][1]["n"], 2);
    let number = heard(&[(OUT_OF_SCOPE, 0.9)], &[]);
    let planned = looks_up(plan("2", &number, &conversation(first.dialogue.clone())));
    assert_eq!(planned.slots["from"], EntityValue::Station { station: station("Saint-Denis près Martel") });
    let wrong = decided(plan("7", &number, &conversation(first.dialogue)));
    assert_eq!(said(&wrong), [say("system.which_station")], "an option that does not exist is asked again");
}

#[test]
fn a_lone_value_after_an_answer_goes_on_with_it() {
    let u = heard(&[(NEXT, 0.9)], &["from=Vitré", "to=Rennes"]);
    let planned = looks_up(plan("train Vitré Rennes", &u, &conversation(Dialogue::default())));
    let answered = planned.decide(Some(Lookup::Found { data: json!({}), facts: Vec::new() }));
    let follow_up = heard(&[("general.greeting", 0.9)], &["to=Laval"]);
    let planned = looks_up(plan("et Laval ?", &follow_up, &conversation(answered.dialogue)));
    assert_eq!(planned.slots["from"], EntityValue::Station { station: station("Vitré") });
    assert_eq!(planned.slots["to"], EntityValue::Station { station: station("Laval") });
}

#[test]
fn a_new_question_leaves_the_pending_one() {
    let u = heard(&[(NEXT, 0.9)], &["to=Rennes"]);
    let first = decided(plan("prochain train pour Rennes", &u, &conversation(Dialogue::default())));
    let hello = heard(&[("general.greeting", 0.9)], &[]);
    assert_eq!(
        said(&decided(plan("bonjour", &hello, &conversation(first.dialogue)))),
        [say("general.greeting")]
    );
}

#[test]
fn what_was_asked_is_forgotten_after_a_silence() {
    let old = NOW.minus(Duration::from_secs(3_600));
    let dialogue = Dialogue {
        intent: Some(NEXT.into()),
        asked: Some("from".into()),
        last_at: Some(old),
        ..Dialogue::default()
    };
    let u = heard(&[(OUT_OF_SCOPE, 0.9)], &["station=Vitré"]);
    assert_eq!(said(&decided(plan("Vitré", &u, &conversation(dialogue)))), [say(OUT_OF_SCOPE)]);
}

#[test]
fn doubt_asks_once_then_calls_a_person() {
    let u = heard(&[("general.greeting", 0.2)], &[]);
    let first = decided(plan("hm", &u, &conversation(Dialogue::default())));
    assert_eq!(said(&first), [say("system.clarify")]);
    let second = decided(plan("hm hm", &u, &conversation(first.dialogue)));
    assert_eq!(second.escalation.unwrap().reason, EscalationReason::LowConfidence);
    assert_eq!(second.kind, Some(MessageKind::Notice), "being queued is no answer");
}

#[test]
fn a_person_is_called_when_asked_for_and_at_once_in_an_emergency() {
    let human = heard(&[("general.human_agent", 0.9)], &[]);
    let decision = decided(plan("un conseiller", &human, &conversation(Dialogue::default())));
    assert_eq!(said(&decision), [say("general.human_agent"), say("system.escalated")]);
    let expected = Escalation { reason: EscalationReason::Requested, priority: Priority::Normal };
    assert_eq!(decision.escalation, Some(expected));

    let emergency = heard(&[("general.greeting", 0.5), ("safety.emergency", 0.31)], &[]);
    let urgent = Escalation { reason: EscalationReason::Emergency, priority: Priority::Urgent };
    let mut waiting = conversation(Dialogue::default());
    assert_eq!(decided(plan("help me", &emergency, &waiting)).escalation, Some(urgent));
    waiting.state = ConversationState::Queued;
    waiting.reason = Some(EscalationReason::LowConfidence);
    assert_eq!(decided(plan("help me", &emergency, &waiting)).escalation, Some(urgent), "also while queued");
}

#[test]
fn people_are_not_interrupted() {
    let u = heard(&[("general.greeting", 0.9)], &[]);
    let mut c = conversation(Dialogue::default());
    c.state = ConversationState::InCharge;
    assert_eq!(decided(plan("bonjour", &u, &c)).lines, []);
    c.state = ConversationState::Queued;
    let first = decided(plan("bonjour", &u, &c));
    assert_eq!(said(&first), [say("system.escalated_again")]);
    c.dialogue = first.dialogue;
    assert_eq!(decided(plan("allo ?", &u, &c)).lines, [], "said once");
}

#[test]
fn a_photo_alone_is_asked_about() {
    let u = heard(&[(OUT_OF_SCOPE, 0.9)], &[]);
    let decision = decided(plan(" ", &u, &conversation(Dialogue::default())));
    assert_eq!(said(&decision), [say("system.not_a_text")]);
}
