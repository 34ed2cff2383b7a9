//! Whole conversations: what the customer writes, what was understood, what we do.

use super::tests::{NOW, conversation, placed, rules, slot, station};
use super::*;
use crate::model::{Entity, EscalateRule, IntentScore, Lang, Question, StationRef, ToldRide, Tone, TrainKey};
use crate::nlu::pack::shipped_phrases;

const NEXT: &str = "schedules.next_departure";
const JOURNEY: &str = "schedules.journey";
const FIRST_LAST: &str = "schedules.first_last";
const DELAY: &str = "traffic.train_delay";
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
    };
    let rest = Situation {
        text,
        understanding: u,
        conversation: c,
        intents: &intents,
        phrases: shipped_phrases(),
        rules: &rules,
        opted_out,
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

#[test]
fn slots_are_asked_one_at_a_time() {
    play(
        "two slots",
        &[
            ("je veux aller quelque part", JOURNEY, "", "journey?from"),
            ("Vitré", OUT, "from=Vitré", "journey?to"),
            ("Rennes demain", OUT, "to=Rennes;when=+1~demain", "journey(from=Vitré to=Rennes when=+1T00:00)"),
        ],
    );
    play(
        "an answer fills another slot too",
        &[
            ("un itinéraire", JOURNEY, "", "journey?from"),
            ("de Vitré à Rennes", OUT, "from=Vitré;to=Rennes", "journey(from=Vitré to=Rennes)"),
        ],
    );
    play(
        "the other slot first",
        &[
            ("un itinéraire", JOURNEY, "", "journey?from"),
            ("pour Rennes", HELLO, "to=Rennes", "journey?from"),
            ("de Vitré", HELLO, "from=Vitré", "journey(from=Vitré to=Rennes)"),
        ],
    );
    play(
        "a related question is our answer",
        &[
            ("prochain train pour Rennes", NEXT, "to=Rennes", "next_departure?from"),
            (
                "alors je pars de Vitré et il faut que j'y sois pour le repas",
                JOURNEY,
                "from=Vitré",
                "next_departure(from=Vitré to=Rennes)",
            ),
        ],
    );
    play(
        "twice, then a person",
        &[
            ("prochain train", NEXT, "", "next_departure?from"),
            ("euh chez moi", OUT, "", "unknown_station"),
            ("je sais pas", OUT, "", "escalated + -> repeated_failure"),
        ],
    );
}

#[test]
fn corrections_replace_the_right_slot() {
    let vitre_rennes =
        ("train Vitré Rennes", NEXT, "from=Vitré;to=Rennes", "next_departure(from=Vitré to=Rennes)");
    let next = |text, found, expected| [vitre_rennes, (text, OUT, found, expected)];
    for (text, found, expected) in [
        ("non, Angers", "at=Angers", "next_departure(from=Vitré to=Angers)"),
        ("euh Angers pardon", "at=Angers", "next_departure(from=Vitré to=Angers)"),
        ("pas Vitré, Angers", "at=Angers", "next_departure(from=Angers to=Rennes)"),
        ("non pas Rennes mais Angers", "at=Angers", "next_departure(from=Vitré to=Angers)"),
        ("plutôt depuis Laval", "from=Laval", "next_departure(from=Laval to=Rennes)"),
        ("plutôt 18h", "when=18:00~18h", "next_departure(from=Vitré to=Rennes when=18:00)"),
        ("no, I meant tomorrow", "when=+1~tomorrow", "next_departure(from=Vitré to=Rennes when=+1T00:00)"),
        // Who leaves for where he was going comes from elsewhere.
        ("non, de Rennes", "from=Rennes", "next_departure(from=Rennes)"),
    ] {
        play(text, &next(text, found, expected));
    }
    play(
        "what we asked for was said last",
        &[
            ("train pour Rennes", NEXT, "to=Rennes", "next_departure?from"),
            ("Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)"),
            ("euh Laval pardon", OUT, "at=Laval", "next_departure(from=Laval to=Rennes)"),
        ],
    );
    play(
        "a new hour keeps the day, a new day keeps the hour",
        &[
            (
                "Vitré Rennes demain à 8h",
                NEXT,
                "from=Vitré;to=Rennes;when=+1T08:00~demain à 8h",
                "next_departure(from=Vitré to=Rennes when=+1T08:00)",
            ),
            ("plutôt 18h", OUT, "when=18:00~18h", "next_departure(from=Vitré to=Rennes when=+1T18:00)"),
            ("et dimanche ?", OUT, "when=+2~dimanche", "next_departure(from=Vitré to=Rennes when=+2T18:00)"),
        ],
    );
}

#[test]
fn follow_ups_go_on_with_the_last_question() {
    let first = ("train Vitré Rennes", NEXT, "from=Vitré;to=Rennes", "next_departure(from=Vitré to=Rennes)");
    for (text, intent, found, expected) in [
        ("et demain ?", OUT, "when=+1~demain", "next_departure(from=Vitré to=Rennes when=+1T00:00)"),
        ("et pour Nantes ?", OUT, "to=Nantes", "next_departure(from=Vitré to=Nantes)"),
        ("and to Nantes please?", HELLO, "to=Nantes", "next_departure(from=Vitré to=Nantes)"),
        ("et au retour ?", OUT, "", "next_departure(from=Rennes to=Vitré)"),
        ("et dans l'autre sens", OUT, "", "next_departure(from=Rennes to=Vitré)"),
        ("and the way back?", OUT, "", "next_departure(from=Rennes to=Vitré)"),
        (
            "et le retour demain ?",
            OUT,
            "when=+1~demain",
            "next_departure(from=Rennes to=Vitré when=+1T00:00)",
        ),
        ("et le dernier ?", OUT, "", "first_last(from=Vitré to=Rennes)"),
        ("what about the first one?", OUT, "", "first_last(from=Vitré to=Rennes)"),
        (
            "pas demain, dimanche",
            OUT,
            "when=+1~demain;when=+2~dimanche",
            "next_departure(from=Vitré to=Rennes when=+2T00:00)",
        ),
        (
            "et pour revenir ce soir ?",
            OUT,
            "when=18:00~ce soir",
            "next_departure(from=Rennes to=Vitré when=18:00)",
        ),
        ("d'accord", OUT, "", "thanks + Close"),
        ("il est à l'heure ?", DELAY, "", "train_delay(from=Vitré to=Rennes train=1009)"),
        // A question of its own about another way begins anew.
        (
            "je voudrais savoir quand part le train pour Brest ce matin",
            NEXT,
            "to=Brest",
            "next_departure?from",
        ),
    ] {
        play(text, &[first, (text, intent, found, expected)]);
    }
    play(
        "the one after, and the one after that",
        &[
            first,
            ("et le suivant ?", OUT, "", "next_departure(from=Vitré to=Rennes when=09:10)"),
            ("celui d'après", OUT, "", "next_departure(from=Vitré to=Rennes when=10:10)"),
            ("and the next one?", HELLO, "", "next_departure(from=Vitré to=Rennes when=11:10)"),
            // The way back is asked for from now on again.
            ("et au retour ?", OUT, "", "next_departure(from=Rennes to=Vitré)"),
        ],
    );
    play(
        "thanks in between",
        &[
            first,
            ("merci", THANKS, "", "thanks + Close"),
            ("et demain ?", OUT, "when=+1~demain", "next_departure(from=Vitré to=Rennes when=+1T00:00)"),
        ],
    );
}

#[test]
fn an_open_question_waits_while_another_is_answered() {
    let open = ("train pour Rennes", NEXT, "to=Rennes", "next_departure?from");
    let answered = ("Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)");
    play(
        "a plain answer",
        &[open, ("je peux prendre mon vélo ?", BIKE, "", "luggage_bike_pet + next_departure?from"), answered],
    );
    play("small talk", &[open, ("bonjour", HELLO, "", "greeting + next_departure?from"), answered]);
    play("thanks neither close nor ask", &[open, ("merci", THANKS, "", "thanks"), answered]);
    play(
        "goodbye leaves nothing open",
        &[
            open,
            ("laisse, au revoir", BYE, "", "goodbye + Close"),
            ("Vitré", OUT, "at=Vitré", "out_of_scope"),
        ],
    );
    play("let it drop", &[open, ("laisse tomber", OUT, "", "dropped"), ("bonjour", HELLO, "", "greeting")]);
    play(
        "a question that needs a slot itself",
        &[
            open,
            ("et mon train a du retard là ou quoi", DELAY, "", "train_delay?from"),
            ("le 8745", OUT, "train=8745", "train_delay(train=8745) + next_departure?from"),
            answered,
        ],
    );
    play(
        "a person is called: nothing stays open",
        &[open, ("un conseiller", "general.human_agent", "", "human_agent + escalated + -> rule")],
    );
}

#[test]
fn two_questions_that_both_lack_a_slot() {
    play(
        "the second goes on with what the first was told",
        &[
            (
                "prochain train pour Rennes, et le dernier ?",
                "schedules.next_departure & schedules.first_last",
                "to=Rennes",
                "next_departure?from",
            ),
            (
                "Vitré",
                OUT,
                "from=Vitré",
                "next_departure(from=Vitré to=Rennes) + first_last(from=Vitré to=Rennes)",
            ),
        ],
    );
    play(
        "or asks its own",
        &[
            (
                "prochain train pour Rennes, et préviens-moi",
                "schedules.next_departure & traffic.alerts_subscribe",
                "",
                "next_departure?from",
            ),
            (
                "Vitré",
                OUT,
                "from=Vitré",
                "next_departure(from=Vitré) + alerts_subscribe + watch Vitré 09:00-+30T09:00",
            ),
        ],
    );
}

#[test]
fn choices_by_number_place_and_name() {
    let which = (
        "train de saint denis",
        NEXT,
        "from=Saint-Denis|Saint-Denis-près-Martel|Stade de France - Saint-Denis",
        "which_station",
    );
    for (text, found, expected) in [
        ("2", "", "Saint-Denis-près-Martel"),
        ("2)", "", "Saint-Denis-près-Martel"),
        ("le 2", "when=+1~le 2", "Saint-Denis-près-Martel"),
        ("la première", "", "Saint-Denis"),
        ("the second one", "", "Saint-Denis-près-Martel"),
        ("la 3 svp", "", "Stade de France - Saint-Denis"),
        ("la dernière", "", "Stade de France - Saint-Denis"),
        ("près martel", "", "Saint-Denis-près-Martel"),
        ("stade de france", "", "Stade de France - Saint-Denis"),
        ("saint denis", "", "Saint-Denis"),
        ("Saint-Denis-près-Martel", "from=Saint-Denis-près-Martel", "Saint-Denis-près-Martel"),
    ] {
        let expected = format!("next_departure(from={expected})");
        play(text, &[which, (text, OUT, found, expected.leak())]);
    }
    play("an option that does not exist", &[which, ("7", OUT, "", "which_station")]);
}

#[test]
fn a_middling_confidence_is_confirmed() {
    let doubt =
        ("le pour Rennes là", "schedules.next_departure 0.33 service.fine 0.05", "to=Rennes", "confirm");
    for yes in ["oui", "ouais c ça", "yes", "ok", "oui svp"] {
        play(
            yes,
            &[
                doubt,
                (yes, OUT, "", "next_departure?from"),
                ("Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)"),
            ],
        );
    }
    for no in ["non", "nan pas du tout", "nope", "no"] {
        play(
            no,
            &[
                doubt,
                (no, OUT, "", "clarify"),
                ("blabla", "service.luggage_bike_pet 0.1", "", "escalated + -> low_confidence"),
            ],
        );
    }
    play("no, something else", &[doubt, ("non je veux savoir pour mon vélo", BIKE, "", "luggage_bike_pet")]);
    play("something else", &[doubt, ("je peux prendre mon vélo ?", BIKE, "", "luggage_bike_pet")]);
    play(
        "a value is a yes",
        &[doubt, ("de Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)")],
    );
    play(
        "yes, and more",
        &[doubt, ("oui de Vitré", OUT, "from=Vitré", "next_departure(from=Vitré to=Rennes)")],
    );
    play(
        "too close a runner-up",
        &[("hm", "schedules.next_departure 0.33 schedules.journey 0.30", "", "clarify")],
    );
    play("too little", &[("hm", "schedules.next_departure 0.2", "", "clarify")]);
}

#[test]
fn thanks_and_goodbye_close() {
    play("thanks", &[("merci", THANKS, "", "thanks + Close")]);
    play("goodbye", &[("au revoir", BYE, "", "goodbye + Close")]);
    play("hello does not", &[("bonjour", HELLO, "", "greeting")]);
}

#[test]
fn commands_come_first() {
    for (text, expected) in [
        ("STOP", "opted_out + OptOut"),
        ("stop.", "opted_out + OptOut"),
        ("Arrêt", "opted_out + OptOut"),
        ("UNSUBSCRIBE", "opted_out + OptOut"),
        ("Désabonnement", "opted_out + OptOut"),
        ("START", "opted_in + OptIn"),
        ("Reprendre", "opted_in + OptIn"),
        ("UNSTOP", "opted_in + OptIn"),
        ("AIDE", "help"),
        ("help", "help"),
        // In a sentence they are words.
        ("stop ?", "greeting"),
        ("le train ne s'arrête pas à l'arrêt", "greeting"),
        ("help!", "greeting"),
    ] {
        play(text, &[(text, HELLO, "", expected)]);
    }
    play(
        "STOP leaves nothing open",
        &[
            ("train pour Rennes", NEXT, "to=Rennes", "next_departure?from"),
            ("STOP", OUT, "", "opted_out + OptOut"),
            ("Vitré", OUT, "at=Vitré", "next_departure(from=Vitré to=Rennes)"),
        ],
    );
}

#[test]
fn who_has_opted_out_is_told_nothing() {
    let c = conversation(Dialogue::default());
    for (text, intent, expected) in [
        ("prochain train", NEXT, ""),
        ("AIDE", OUT, ""),
        ("STOP", OUT, "opted_out + OptOut"),
        ("START", OUT, "opted_in + OptIn"),
    ] {
        let (decision, looked) = decide(text, &understood(text, intent, ""), &c, true);
        assert_eq!(told(&decision, &looked), expected, "{text}");
    }
    // People who are with the customer do not keep STOP from being heard.
    let mut c = c;
    c.state = ConversationState::InCharge;
    let (decision, _) = decide("STOP", &understood("STOP", OUT, ""), &c, false);
    assert_eq!(decision.effects, [Effect::OptOut]);
}

#[test]
fn alerts_are_watched_for_the_asked_time() {
    for (text, found, expected) in [
        // A service day ends at four in the morning.
        ("préviens-moi pour le 8745", "train=8745", "watch 8745 09:00-+1T04:00"),
        ("préviens-moi pour le 8745 demain", "train=8745;when=+1~demain", "watch 8745 +1T00:00-+2T04:00"),
        (
            "alerte Vitré Rennes demain 8h",
            "from=Vitré;to=Rennes;when=+1T08:00~demain 8h",
            "watch Vitré-Rennes +1T00:00-+2T04:00",
        ),
        ("préviens-moi pour Vitré Rennes", "from=Vitré;to=Rennes", "watch Vitré-Rennes 09:00-+30T09:00"),
        ("alertes de la ligne N", "line=N", "watch N 09:00-+30T09:00"),
        ("alertes à Rennes", "at=Rennes", "watch Rennes 09:00-+30T09:00"),
        // A day that is over is not what was meant.
        ("alertes ligne N hier", "line=N;when=+-1~hier", "watch N 09:00-+30T09:00"),
    ] {
        let expected = format!("alerts_subscribe + {expected}");
        play(text, &[(text, WATCH, found, expected.leak())]);
    }
    play(
        "what?",
        &[
            ("préviens-moi", WATCH, "", "alerts_subscribe?line"),
            ("le 8745", DELAY, "train=8745", "alerts_subscribe + watch 8745 09:00-+1T04:00"),
            (
                "non, le 8747",
                OUT,
                "train=8747",
                "alerts_subscribe + unwatch 8745 + watch 8747 09:00-+1T04:00",
            ),
        ],
    );
    play(
        "the train that was told",
        &[
            ("train Vitré Rennes", NEXT, "from=Vitré;to=Rennes", "next_departure(from=Vitré to=Rennes)"),
            ("préviens-moi s'il est en retard", WATCH, "", "alerts_subscribe + watch 1009 09:00-+1T04:00"),
            ("stop les alertes", UNWATCH, "", "alerts_unsubscribe + unwatch all"),
        ],
    );
    play(
        "a way after a train, whatever the little words",
        &[
            (
                "préviens-moi pour le 8745",
                WATCH,
                "train=8745",
                "alerts_subscribe + watch 8745 09:00-+1T04:00",
            ),
            (
                "préviens-moi pour Vitré Rennes",
                WATCH,
                "to=Vitré;to=Rennes",
                "alerts_subscribe + watch Vitré-Rennes 09:00-+30T09:00",
            ),
        ],
    );
    play("one of them", &[("plus d'alertes ligne N", UNWATCH, "line=N", "alerts_unsubscribe + unwatch N")]);
}

/// The decision on a place that is shared, in a dialogue that stands as `c` says.
fn shares(c: &Conversation, near: &[crate::transit::Nearby]) -> Decision {
    let (intents, rules) = (intents(), rules());
    let u = understood("", "out_of_scope", "");
    let situation = Situation {
        text: "",
        understanding: &u,
        conversation: c,
        intents: &intents,
        phrases: shipped_phrases(),
        rules: &rules,
        opted_out: false,
        near: Some(near),
        now: NOW,
    };
    match situation.plan() {
        Plan::Decided(decision) => *decision,
        Plan::LookUp(planned) => panic!("{planned:?}"),
    }
}

#[test]
fn a_place_answers_the_open_question_or_begins_the_next_departure() {
    let near: Vec<_> = [("Vitré", 400), ("Rennes", 5_300)]
        .map(|(name, metres)| crate::transit::Nearby { station: station(name), metres })
        .to_vec();
    let asked = |intent: &str, slot: &str| {
        conversation(Dialogue {
            intent: Some(intent.into()),
            asked: Some(slot.into()),
            times_asked: 2,
            last_at: Some(NOW),
            slots: [("from".to_owned(), EntityValue::Station { station: station("Laval") })].into(),
            ..Dialogue::default()
        })
    };
    // Nothing is open: where one leaves from.
    let mut c = conversation(Dialogue::default());
    let offer = shares(&c, &near);
    assert_eq!(offer.lines[0].response, "system.nearest_stations");
    let options = json!([{"n": 1, "name": "Vitré", "km": 0}, {"n": 2, "name": "Rennes", "km": 5}]);
    assert_eq!(offer.lines[0].data["options"], options);
    assert_eq!((offer.intent.as_deref(), offer.dialogue.asked.as_deref()), (Some(NEXT), Some("from")));
    c.dialogue = offer.dialogue;
    for choice in ["2", "Rennes"] {
        let (chosen, looked) = decide(choice, &understood(choice, "out_of_scope", ""), &c, false);
        assert_eq!(told(&chosen, &looked), "next_departure(from=Rennes)", "{choice}");
    }
    // Where one goes was asked: the place is that.
    let c = asked(JOURNEY, "to");
    let offer = shares(&c, &near);
    assert_eq!((offer.intent.as_deref(), offer.dialogue.asked.as_deref()), (Some(JOURNEY), Some("to")));
    assert_eq!(offer.dialogue.times_asked, 2, "an offer is no other question");
    // A line was asked for: that waits.
    let offer = shares(&asked(WATCH, "line"), &near);
    assert_eq!((offer.dialogue.asked.as_deref(), offer.dialogue.open.len()), (Some("from"), 1));
    // Nothing is near: the name is asked for, and answers.
    let offer = shares(&conversation(Dialogue::default()), &[]);
    assert_eq!(offer.lines[0].response, "system.no_station_near");
    let c = conversation(offer.dialogue);
    let (chosen, looked) = decide("Vitré", &understood("Vitré", "out_of_scope", "at=Vitré"), &c, false);
    assert_eq!(told(&chosen, &looked), "next_departure(from=Vitré)");
    // People have the conversation: it is theirs.
    let c = Conversation { state: ConversationState::InCharge, ..conversation(Dialogue::default()) };
    assert!(shares(&c, &near).lines.is_empty());
}

#[test]
fn a_language_is_chosen_by_command_or_by_its_name() {
    let said = |text: &str, state| {
        let c = Conversation { state, ..conversation(Dialogue::default()) };
        let (decision, looked) = decide(text, &understood(text, "out_of_scope", ""), &c, false);
        told(&decision, &looked)
    };
    let (bot, person) = (ConversationState::Bot, ConversationState::InCharge);
    for (text, expected) in [
        ("/langue", "which_language"),
        ("LANGUAGE", "which_language"),
        ("/langue en", "language_set + Speak(Lang([101, 110]))"),
        ("/lang fr", "language_set + Speak(Lang([102, 114]))"),
        ("langue anglais", "language_set + Speak(Lang([101, 110]))"),
        ("English", "language_set + Speak(Lang([101, 110]))"),
        ("en français s'il vous plaît", "language_set + Speak(Lang([102, 114]))"),
        // "En" begins many a message, and "langue ?" asks something else.
        ("en", "out_of_scope"),
        ("langue ?", "out_of_scope"),
        ("je parle anglais", "out_of_scope"),
        ("/start", "welcome + OptIn"),
        ("start", "opted_in + OptIn"),
    ] {
        assert_eq!(said(text, bot), expected, "{text}");
    }
    assert_eq!(said("English", person), "", "an answer to whoever asked");
    assert_eq!(said("/langue en", person), "language_set + Speak(Lang([101, 110]))");
}
