//! Navitia's disruptions: as announcements for customers, and as what keeps a train from running.

use super::map::Map;
use super::model::{Disruption, Link, Message, Period, StopPoint};
use crate::model::{Lang, Timestamp};
use crate::transit::live::Alert;
use std::collections::BTreeMap;

/// Causes come as the operator's own words: by what these begin with anywhere, GTFS-Realtime's.
const CAUSES: &[(&str, &str)] = &[
    ("grève", "strike"),
    ("greve", "strike"),
    ("mouvement social", "strike"),
    ("strike", "strike"),
    ("manifestation", "demonstration"),
    ("demonstration", "demonstration"),
    ("travaux", "maintenance"),
    ("maintenance", "maintenance"),
    ("construction", "construction"),
    ("météo", "weather"),
    ("intempérie", "weather"),
    ("weather", "weather"),
    ("accident", "accident"),
    ("malaise", "medical_emergency"),
    ("police", "police_activity"),
    ("panne", "technical_problem"),
    ("technique", "technical_problem"),
    ("technical", "technical_problem"),
];
/// Longest text taken over, in characters.
const LONGEST: usize = 2_000;

/// What keeps a run from being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// It does not run at all.
    Cancelled,
    /// It does not stop there.
    Skipped,
}

/// Why a scheduled run that live lists do not have is missing from them at that platform; none: nothing says so.
pub(super) fn loss(
    map: &Map<'_>,
    disruptions: &[Disruption],
    links: &[Link],
    point: Option<&StopPoint>,
    at: Timestamp,
) -> Option<Loss> {
    let linked = |disruption: &&Disruption| {
        links.iter().any(|link| link.id.as_deref().is_some_and(|id| !id.is_empty() && id == disruption.id))
    };
    let deleted = |status: &Option<String>| status.as_deref() == Some("deleted");
    let mut skipped = None;
    for disruption in disruptions.iter().filter(linked) {
        if disruption.severity.effect.as_deref() == Some("NO_SERVICE") && covers(map, disruption, at) {
            return Some(Loss::Cancelled);
        }
        let stops = disruption.impacted_objects.iter().flat_map(|object| &object.impacted_stops);
        let lost = |point: &StopPoint| {
            stops
                .filter(|stop| stop.stop_point.id == point.id)
                .any(|stop| deleted(&stop.departure_status) || deleted(&stop.arrival_status))
        };
        if point.is_some_and(lost) {
            skipped = Some(Loss::Skipped);
        }
    }
    skipped
}

/// Navitia's periods include their last second.
fn covers(map: &Map<'_>, disruption: &Disruption, at: Timestamp) -> bool {
    disruption.application_periods.iter().any(|period| {
        let end = |text: &Option<String>| text.as_deref().map(|text| map.instant(text));
        let from = end(&period.begin).is_none_or(|begin| begin.is_ok_and(|begin| begin <= at));
        from && end(&period.end).is_none_or(|end| end.is_ok_and(|end| at <= end))
    })
}

/// As an announcement, said to hold at `as_of`. None: it is over, says nothing, or has no readable times.
pub(super) fn alert(map: &Map<'_>, disruption: &Disruption, lang: Lang, as_of: Timestamp) -> Option<Alert> {
    if disruption.status.as_deref() == Some("past") || disruption.id.is_empty() {
        return None;
    }
    let period = |period: &Period| {
        let end = |text: &Option<String>| {
            text.as_deref().map(|text| map.instant(text).ok()).map_or(Some(None), |at| at.map(Some))
        };
        Some((end(&period.begin)?, end(&period.end)?.map(after)))
    };
    let periods = disruption.application_periods.iter().map(period).collect::<Option<Vec<_>>>()?;
    let (title, text) = words(&disruption.messages);
    // Without a message, the cause is all there is to say.
    let text = text.or_else(|| causes(disruption).next().map(|cause| cause.chars().take(LONGEST).collect()));
    let in_lang =
        |text: Option<String>| text.into_iter().map(|text| (lang, text)).collect::<BTreeMap<_, _>>();
    let mut alert = Alert {
        id: disruption.id.clone(),
        cause: cause(disruption).to_owned(),
        effect: disruption.severity.effect.as_deref().unwrap_or("unknown_effect").to_lowercase(),
        header: in_lang(title.or_else(|| text.clone())),
        description: in_lang(text),
        periods,
        routes: Vec::new(),
        stops: Vec::new(),
        trips: Vec::new(),
        as_of,
    };
    for object in disruption.impacted_objects.iter().map(|impacted| &impacted.pt_object) {
        match object.embedded_type.as_str() {
            "line" | "route" => alert.routes.push(object.id.clone()),
            "stop_area" => alert.stops.push(map.ids.to_ours(&object.id).unwrap_or_else(|| object.id.clone())),
            "stop_point" => alert.stops.push(object.id.clone()),
            "trip" => alert.trips.push(object.id.clone()),
            _ => {}
        }
    }
    Some(alert)
}

/// Ours end before `until`.
fn after(last: Timestamp) -> Timestamp {
    last.plus(std::time::Duration::from_secs(1))
}

/// Of a train, the cause often stands only where it stops.
fn causes(disruption: &Disruption) -> impl Iterator<Item = &str> {
    let stops = disruption.impacted_objects.iter().flat_map(|object| &object.impacted_stops);
    let causes = [&disruption.cause].into_iter().chain(stops.map(|stop| &stop.cause));
    causes.filter_map(|cause| cause.as_deref()).map(str::trim).filter(|cause| !cause.is_empty())
}

/// GTFS-Realtime's word for the cause; `unknown_cause` where the operator's words tell none that we know.
fn cause(disruption: &Disruption) -> &'static str {
    for text in causes(disruption).chain(disruption.category.as_deref()) {
        let text = text.to_lowercase();
        if let Some((_, cause)) = CAUSES.iter().find(|(word, _)| text.contains(word)) {
            return cause;
        }
    }
    "unknown_cause"
}

/// Title and text, in plain words.
fn words(messages: &[Message]) -> (Option<String>, Option<String>) {
    let is_title = |message: &Message| {
        message.channel.as_ref().is_some_and(|channel| channel.types.iter().any(|kind| kind == "title"))
    };
    let is_html = |message: &Message| {
        let kind = message.channel.as_ref().and_then(|channel| channel.content_type.as_deref());
        kind.is_some_and(|kind| kind.contains("html"))
    };
    let plain = |message: &Message| {
        let text = message.text.as_deref().unwrap_or_default();
        let text = if is_html(message) { without_tags(text) } else { text.to_owned() };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then(|| text.chars().take(LONGEST).collect::<String>())
    };
    let title = messages.iter().filter(|message| is_title(message)).find_map(plain);
    let texts = || messages.iter().filter(|message| !is_title(message));
    // What was written as plain text needs no guess about its marks.
    let text =
        texts().filter(|message| !is_html(message)).find_map(plain).or_else(|| texts().find_map(plain));
    (title, text)
}

fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let marks =
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    marks.iter().fold(text, |text, (mark, plain)| text.replace(mark, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_words() {
        for (html, text) in [
            ("<p>Trafic <b>interrompu</b>&nbsp;&amp; bus</p>", "Trafic interrompu & bus"),
            ("rien", "rien"),
            ("a < b", "a"),
            ("<<<", ""),
        ] {
            assert_eq!(without_tags(html).split_whitespace().collect::<Vec<_>>().join(" "), text);
        }
    }

    #[test]
    fn causes_are_read_from_the_operators_words() {
        let of = |cause: &str, category: &str| {
            super::cause(&Disruption {
                cause: Some(cause.into()),
                category: Some(category.into()),
                ..Disruption::default()
            })
        };
        assert_eq!(of("Mouvement social national", ""), "strike");
        assert_eq!(of("", "construction works"), "construction");
        assert_eq!(of("Cause...", "incident"), "unknown_cause");
        let of_a_train: Disruption = serde_json::from_value(serde_json::json!({
            "cause": "", "impacted_objects": [{ "impacted_stops": [{ "cause": " " }, { "cause": "Panne d\u{2019}un aiguillage" }] }],
        }))
        .unwrap();
        assert_eq!(super::cause(&of_a_train), "technical_problem");
        assert_eq!(causes(&of_a_train).collect::<Vec<_>>(), ["Panne d\u{2019}un aiguillage"]);
    }
}
