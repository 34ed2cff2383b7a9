//! Announcements in words.

use crate::answers::dates::day_words;
use crate::answers::told::Teller;
use crate::model::{Fact, Timestamp};
use crate::transit::live::Alert;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Announcements told in one answer.
const TOLD: usize = 3;
/// Characters of a publisher's text that are told, in `text` and in `short`.
const LONGEST: usize = 300;
const LONGEST_SHORT: usize = 90;

/// Cause and effect by GTFS-Realtime's words, in French and in English. Those that tell nothing are left out.
const CAUSES: &[(&str, &str, &str)] = &[
    ("technical_problem", "un problème technique", "a technical problem"),
    ("strike", "une grève", "a strike"),
    ("demonstration", "une manifestation", "a demonstration"),
    ("accident", "un accident", "an accident"),
    ("holiday", "un jour férié", "a public holiday"),
    ("weather", "la météo", "the weather"),
    ("maintenance", "des travaux", "engineering works"),
    ("construction", "un chantier", "construction works"),
    ("police_activity", "une intervention de police", "police activity"),
    ("medical_emergency", "une urgence médicale", "a medical emergency"),
];
const EFFECTS: &[(&str, &str, &str)] = &[
    ("no_service", "trafic interrompu", "no trains"),
    ("reduced_service", "moins de trains", "fewer trains"),
    ("significant_delays", "retards importants", "significant delays"),
    ("detour", "trains détournés", "trains diverted"),
    ("additional_service", "trains supplémentaires", "extra trains"),
    ("modified_service", "trains modifiés", "changed trains"),
    ("stop_moved", "arrêt déplacé", "a stop that has moved"),
];

fn word<'w>(list: &[(&str, &'w str, &'w str)], code: &str, french: bool) -> Option<&'w str> {
    list.iter().find(|(known, ..)| *known == code).map(|&(_, fr, en)| if french { fr } else { en })
}

/// `text` and a `short` one: the publisher's words, cut; null when it gave none. `cause` and `effect` in words, null when not
/// known. `from` and `until` in words, null when open or, for `from`, when it has begun. `active`: it holds now.
pub(super) fn told(teller: &Teller<'_>, alert: &Alert) -> Value {
    let french = teller.french();
    let header = alert.header(teller.lang).map(str::trim).filter(|text| !text.is_empty());
    let (from, until) = period(alert, teller.now);
    json!({
        "text": header.map(|text| cut(text, LONGEST)),
        "short": header.map(|text| cut(&crate::sms::plain(text), LONGEST_SHORT)),
        "cause": word(CAUSES, &alert.cause, french),
        "effect": word(EFFECTS, &alert.effect, french),
        "from": from.filter(|from| *from > teller.now).map(|at| moment(teller, at)),
        "until": until.map(|at| moment(teller, at)),
        "active": alert.is_active(teller.now),
    })
}

/// The period that holds now, else the next one, else the last.
fn period(alert: &Alert, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    let ahead = alert.periods.iter().filter(|(_, until)| until.is_none_or(|until| until > now));
    ahead.min_by_key(|(from, _)| *from).or(alert.periods.last()).copied().unwrap_or_default()
}

/// "18:00", "demain à 18:00", "samedi 20 décembre à 18:00".
fn moment(teller: &Teller<'_>, at: Timestamp) -> String {
    let clock = teller.clock(at);
    let day = day_words(teller.date(at), teller.date(teller.now), teller.lang);
    match (day, teller.french()) {
        (None, _) => clock,
        (Some(day), true) => format!("{day} à {clock}"),
        (Some(day), false) => format!("{day} at {clock}"),
    }
}

/// The first characters of a line that may hold anything.
fn cut(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    line.chars().take(most - 3).chain("...".chars()).collect()
}

/// Those that hold now first, then by their begin; each text once.
pub(super) fn chosen(alerts: Vec<Alert>, teller: &Teller<'_>) -> Vec<Alert> {
    let mut alerts = alerts;
    alerts.sort_by_key(|alert| (!alert.is_active(teller.now), period(alert, teller.now).0));
    let mut seen = BTreeSet::new();
    alerts.retain(|alert| {
        let words = alert.header(teller.lang).unwrap_or(&alert.id).to_owned();
        seen.insert((words, alert.cause.clone(), alert.effect.clone()))
    });
    alerts.truncate(TOLD);
    alerts
}

pub(super) fn fact(teller: &Teller<'_>, alert: &Alert) -> Fact {
    let header = cut(alert.header(teller.lang).unwrap_or_default(), LONGEST);
    teller.live_fact(
        format!("alert {} {} {}: {header}", alert.id, alert.cause, alert.effect),
        Some(alert.as_of),
    )
}
