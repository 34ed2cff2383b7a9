//! Whole conversations: what the customer writes, what was understood, what we do.

mod effects;
mod places;
mod questions;

use super::tests::{NOW, conversation, placed, rules, slot, station};
use super::*;
use crate::answers::{Followable, Lookup};
use crate::model::{
    Entity, EscalateRule, Fact, IntentScore, Lang, Question, StationRef, ToldRide, Tone, TrainKey,
};
use crate::nlu::pack::shipped_phrases;

const NEXT: &str = "schedules.next_departure";
const JOURNEY: &str = "schedules.journey";
const FIRST_LAST: &str = "schedules.first_last";
const DELAY: &str = "traffic.train_delay";
const STATUS: &str = "traffic.line_status";
const WATCH: &str = "traffic.alerts_subscribe";
const UNWATCH: &str = "traffic.alerts_unsubscribe";
const BIKE: &str = "service.luggage_bike_pet";
const HELLO: &str = "general.greeting";
const THANKS: &str = "general.thanks";
const BYE: &str = "general.goodbye";
const OUT: &str = OUT_OF_SCOPE;

/// What the customer writes; what it was taken for; what was found in it; what we do.
type Turn = (&'static str, &'static str, &'static str, &'static str);

fn intents() -> BTreeMap<String, IntentSpec> {
    let spec = |name: &str| IntentSpec { name: name.into(), ..IntentSpec::default() };
    let way = |ask_to: bool| {
        vec![slot("from", "station", true), slot("to", "station", ask_to), slot("when", "time", false)]
    };
    let asked = |name: &str, slots| IntentSpec { answer: Some("t".into()), slots, ..spec(name) };
    let small = |name: &str, effect| IntentSpec { courtesy: true, effect, ..spec(name) };
    let mut train = way(false);
    train.push(slot("train", "train", false));
    let object = |ask| {
        vec![
            slot("line", "line", ask),
            slot("train", "train", false),
            slot("from", "station", false),
            slot("to", "station", false),
            slot("at", "station", false),
            slot("when", "time", false),
        ]
    };
    let enough = ["line", "train", "from", "to", "at"].map(|name| vec![name.to_owned()]).to_vec();
    let human = EscalateRule { always: true, ..EscalateRule::default() };
    let all = [
        asked(NEXT, way(false)),
        asked(JOURNEY, way(true)),
        asked(FIRST_LAST, way(false)),
        IntentSpec { enough: vec![vec!["train".into()]], ..asked(DELAY, train) },
        IntentSpec { whole: true, enough: enough.clone(), ..asked(STATUS, object(true)) },
        IntentSpec { effect: Some(IntentEffect::Watch), slots: object(true), enough, ..spec(WATCH) },
        IntentSpec { effect: Some(IntentEffect::Unwatch), slots: object(false), ..spec(UNWATCH) },
        spec(BIKE),
        small(HELLO, None),
        small(THANKS, Some(IntentEffect::CloseWhenDone)),
        small(BYE, Some(IntentEffect::Close)),
        IntentSpec { escalate: human, ..spec("general.human_agent") },
        spec(OUT),
    ];
    all.into_iter().map(|spec| (spec.name.clone(), spec)).collect()
}

/// Seconds after midnight of the present day in Paris; NOW is 2027-01-15 09:00 there.
fn at(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + (seconds - 9 * 3600) * 1_000_000)
}

/// `HH:MM`, `+1` for tomorrow, `+1T18:00`.
fn time(text: &str) -> EntityValue {
    let clock = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap();
        hours.parse::<i64>().unwrap() * 3600 + minutes.parse::<i64>().unwrap() * 60
    };
    const DAY: i64 = 24 * 3600;
    match text.strip_prefix('+') {
        None => EntityValue::Time { start: at(clock(text)), end: at(clock(text)) },
        Some(rest) => match rest.split_once('T') {
            None => {
                let day: i64 = rest.parse().unwrap();
                EntityValue::Time { start: at(day * DAY), end: at((day + 1) * DAY) }
            }
            Some((day, hour)) => {
                let moment = at(day.parse::<i64>().unwrap() * DAY + clock(hour));
                EntityValue::Time { start: moment, end: moment }
            }
        },
    }
}

/// `role=Value` or `role=Value:as written`, divided by `;`; stations divided by `|` are ambiguous.
fn entities(text: &str) -> Vec<Entity> {
    let one = |part: &str| {
        let (role, rest) = part.split_once('=').unwrap();
        let (value, surface) = rest.split_once('~').unwrap_or((rest, rest));
        let options: Vec<StationRef> = value.split('|').map(station).collect();
        let value = match role {
            "when" => time(value),
            "train" => EntityValue::Train { number: value.into() },
            "line" => EntityValue::Line { name: value.into() },
            _ => match &options[..] {
                [one] => EntityValue::Station { station: one.clone() },
                _ => EntityValue::Ambiguous { options },
            },
        };
        Entity { role: role.into(), surface: surface.into(), span: 0..0, value }
    };
    text.split(';').filter(|part| !part.is_empty()).map(one).collect()
}

/// `intent`, `intent 0.3`, `intent 0.3 runner-up 0.1`; ` & ` between questions of one message.
fn understood(text: &str, intents: &str, found: &str) -> Understanding {
    let names: Vec<&str> = intents.split(" & ").collect();
    let words: Vec<&str> = names[0].split(' ').collect();
    let scores = words.chunks(2).map(|pair| IntentScore {
        intent: pair[0].into(),
        confidence: pair.get(1).map_or(0.9, |p| p.parse().unwrap()),
    });
    let question = |name: &&str| Question { intent: (*name).into(), confidence: 0.9, span: 0..0 };
    let questions = if names.len() > 1 { names.iter().map(question).collect() } else { Vec::new() };
    let u = Understanding {
        lang: Lang::FR,
        intents: scores.collect(),
        entities: entities(found),
        questions,
        tone: Tone::Neutral,
        model: "test".into(),
    };
    placed(text, &u)
}

/// Trains leave at ten past every hour; the first one asked for is number 1000 and its hour.
fn found(slots: &BTreeMap<String, EntityValue>) -> Lookup {
    let from = match slots.get("when") {
        Some(EntityValue::Time { start, .. }) => *start,
        _ => NOW,
    };
    let hour = 3_600_000_000;
    let first = (from.0 - 600_000_000).div_euclid(hour) * hour + hour + 600_000_000;
    let ride = |departs: i64| ToldRide {
        key: TrainKey { trip: departs.to_string(), day: jiff::civil::date(2027, 1, 15) },
        number: Some(format!("{}", 1000 + (departs - at(0).0) / hour)),
        from: station("Vitré"),
        to: None,
        departs: Timestamp(departs),
        arrives: None,
        platform: None,
        cancelled: false,
    };
    let fact =
        |departs| Fact { value: String::new(), source: String::new(), as_of: NOW, ride: Some(ride(departs)) };
    Lookup::Found { data: json!({}), facts: vec![fact(first + hour), fact(first)] }
}

fn shown(value: &EntityValue) -> String {
    let clock = |at: Timestamp| {
        let local = at.to_jiff().to_zoned_datetime(rules().zone);
        let days = (local.date() - jiff::civil::date(2027, 1, 15)).get_days();
        let time = local.strftime("%H:%M");
        if days == 0 { time.to_string() } else { format!("+{days}T{time}") }
    };
    match value {
        EntityValue::Station { station } => station.name.clone(),
        EntityValue::Train { number } => number.clone(),
        EntityValue::Line { name } => name.clone(),
        EntityValue::Time { start, .. } => clock(*start),
        other => format!("{other:?}"),
    }
}

fn short(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, name)| name)
}

/// What was decided as one line of text: lookups with their slots, what is said, what is done.
fn told(decision: &Decision, looked: &[String]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut looked = looked.iter();
    for line in &decision.lines {
        let name = short(&line.response);
        parts.push(match &line.part {
            Part::Ask(slot) => format!("{name}?{slot}"),
            Part::Text if line.response.starts_with("system.") => name.to_owned(),
            _ => match looked.next() {
                Some(slots) => format!("{name}({slots})"),
                None => name.to_owned(),
            },
        });
    }
    for effect in &decision.effects {
        parts.push(match effect {
            Effect::Watch(new) => {
                let time = |at| shown(&EntityValue::Time { start: at, end: at });
                format!("watch {} {}-{}", object(&new.what), time(new.from), time(new.until))
            }
            Effect::Unwatch(what) => format!("unwatch {}", what.as_ref().map_or("all".into(), object)),
            other => format!("{other:?}"),
        });
    }
    if let Some(escalation) = decision.escalation {
        parts.push(format!("-> {}", escalation.reason));
    }
    parts.join(" + ")
}

fn object(what: &Watched) -> String {
    match what {
        Watched::Line { name } => name.clone(),
        Watched::Train { number } => number.clone(),
        Watched::Pair { from, to } => format!("{}-{}", from.name, to.name),
        Watched::Station { station } => station.name.clone(),
    }
}

/// There is no train 9999, no direct train to Brest, and nothing is known of the line X. None: 8888 is one too many.
fn known(what: &Watched) -> Option<Followable> {
    let known = match what {
        Watched::Train { number } if number == "8888" => return None,
        Watched::Train { number } if number == "9999" => Followable::Unknown {
            data: serde_json::json!({ "missing": number, "over": false }),
            facts: Vec::new(),
        },
        Watched::Line { name } if name == "X" => Followable::CannotSay { why: "no live data".into() },
        Watched::Pair { to, .. } => Followable::Known { direct: to.name != "Brest" },
        _ => Followable::Known { direct: true },
    };
    Some(known)
}

/// As the worker does it.
fn decide(text: &str, u: &Understanding, c: &Conversation, opted_out: bool) -> (Decision, Vec<String>) {
    let (intents, rules) = (intents(), rules());
    let mut looked = Vec::new();
    let mut settle = |plan: Plan| match plan {
        Plan::Decided(decision) => *decision,
        Plan::LookUp(planned) => {
            let slots: Vec<String> = planned.slots.iter().map(|(k, v)| format!("{k}={}", shown(v))).collect();
            looked.push(slots.join(" "));
            let found = found(&planned.slots);
            planned.decide(Some(found))
        }
        Plan::Follow(following) => match known(&following.new.what) {
            Some(known) => following.decide(known),
            None => following.refuse(20),
        },
    };
    let rest = Situation {
        text,
        understanding: u,
        conversation: c,
        intents: &intents,
        phrases: shipped_phrases(),
        rules: &rules,
        opted_out,
        sms: true,
        near: None,
        now: NOW,
    };
    let mut decision = if u.questions.is_empty() {
        settle(rest.plan())
    } else {
        let mut several = Several::default();
        for question in u.apart() {
            let dialogue = several.dialogue().unwrap_or(&c.dialogue).clone();
            let meanwhile = Conversation { dialogue, ..c.clone() };
            let asked = Situation { understanding: &question, conversation: &meanwhile, ..rest };
            several.add(settle(asked.plan()));
        }
        several.finish()
    };
    while let Some(plan) = rest.take_up(&mut decision) {
        decision = decision.then(settle(plan));
    }
    (decision, looked)
}

fn play(name: &str, turns: &[Turn]) {
    let mut c = conversation(Dialogue::default());
    for (at, (text, intents, found, expected)) in turns.iter().enumerate() {
        let (decision, looked) = decide(text, &understood(text, intents, found), &c, false);
        assert_eq!(told(&decision, &looked), *expected, "{name}, turn {}: {text}", at + 1);
        c.dialogue = decision.dialogue;
    }
}
