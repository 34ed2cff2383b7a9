//! One alert into an [`Alert`], or why it says nothing that can be used.

use super::decode::{Budget, Defaults, Unusable, id};
use super::instant::{self, End};
use super::{trips, wire};
use crate::model::{Lang, Timestamp};
use crate::transit::live::Alert;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// In characters; what is longer is cut, with an ellipsis.
const MAX_HEADER: usize = 500;
const MAX_DESCRIPTION: usize = 4000;
const MAX_LANGUAGES: usize = 16;
const MAX_PERIODS: usize = 200;

type Period = (Option<Timestamp>, Option<Timestamp>);

/// The publisher's time is filled in when the whole message was read.
pub(super) fn read(
    id: String,
    alert: wire::Alert,
    defaults: &Defaults,
    budget: &mut Budget,
) -> Result<Alert, Unusable> {
    budget.spend(1 + alert.informed_entity.len())?;
    let whom = Whom::of(alert.informed_entity)?;
    let mut periods = periods(&alert.active_period)?;
    if periods.is_empty() {
        // About trains of one day, and no period: it must not be told about the same trains of the next days.
        periods.extend(whom.only_day.and_then(|day| service_day(day, defaults)));
    }
    Ok(Alert {
        id,
        cause: cause(alert.cause).to_owned(),
        effect: effect(alert.effect).to_owned(),
        header: texts(alert.header_text, MAX_HEADER, defaults.lang),
        description: texts(alert.description_text, MAX_DESCRIPTION, defaults.lang),
        periods,
        routes: whom.routes,
        stops: whom.stops,
        trips: whom.trips,
        as_of: Timestamp::default(),
    })
}

/// Whom it is for. Each selector by what is narrowest in it: a trip, else route and stop. A stop of a line concerns those who ask
/// for the line as well as those who ask for the stop.
#[derive(Default)]
struct Whom {
    routes: Vec<String>,
    stops: Vec<String>,
    trips: Vec<String>,
    /// All selectors are trips of this day.
    only_day: Option<Date>,
}

impl Whom {
    fn of(selectors: Vec<wire::EntitySelector>) -> Result<Self, Unusable> {
        let mut whom = Self::default();
        let (named, mut network, mut days) = (!selectors.is_empty(), false, Vec::new());
        for selector in selectors {
            let (agency, kind) = (selector.agency_id, selector.route_type);
            if let Some(trip) = selector.trip {
                if let Some(trip_id) = id(trip.trip_id)? {
                    whom.trips.push(trip_id);
                    days.push(trips::day(trip.start_date)?);
                    continue;
                }
                whom.routes.extend(id(trip.route_id)?);
            }
            let (route, stop) = (id(selector.route_id)?, id(selector.stop_id)?);
            // An agency or a kind of vehicle alone: everything, as far as we can tell.
            network |= route.is_none() && stop.is_none() && (agency.is_some() || kind.is_some());
            whom.routes.extend(route);
            whom.stops.extend(stop);
        }
        if network {
            return Ok(Self::default());
        }
        for list in [&mut whom.routes, &mut whom.stops, &mut whom.trips] {
            list.sort_unstable();
            list.dedup();
        }
        // Selectors that select nothing must not make it an alert for everybody.
        if named && whom.routes.is_empty() && whom.stops.is_empty() && whom.trips.is_empty() {
            return Err(Unusable::Meaningless);
        }
        if whom.routes.is_empty() && whom.stops.is_empty() {
            days.dedup();
            whom.only_day = if let [Some(day)] = days[..] { Some(day) } else { None };
        }
        Ok(whom)
    }
}

/// From the start of the day to noon of the next, when its last train has arrived.
fn service_day(day: Date, defaults: &Defaults) -> Option<Period> {
    let at = |day: Date, hour| {
        let zoned = day.at(hour, 0, 0, 0).to_zoned_datetime(defaults.zone.clone()).ok()?;
        Some(Timestamp::from_jiff(zoned.timestamp()))
    };
    Some((at(day, 0), at(day.checked_add(1.day()).ok()?, 12)))
}

/// Periods that can come or have come. Had it some and none is left, it never is.
fn periods(ranges: &[wire::TimeRange]) -> Result<Vec<Period>, Unusable> {
    let read = |range: &wire::TimeRange| -> Option<Period> {
        let from = match instant::end(range.start) {
            End::Never => return None,
            End::Open | End::Past => None,
            End::At(at) => Some(at),
        };
        let until = match instant::end(range.end) {
            End::Past => return None,
            End::Open | End::Never => None,
            End::At(at) => Some(at),
        };
        let backwards = from.zip(until).is_some_and(|(from, until)| until <= from);
        (!backwards).then_some((from, until))
    };
    let found: Vec<Period> = ranges.iter().filter_map(read).take(MAX_PERIODS).collect();
    if found.is_empty() && !ranges.is_empty() { Err(Unusable::Meaningless) } else { Ok(found) }
}

fn texts(text: Option<wire::TranslatedString>, longest: usize, default: Lang) -> BTreeMap<Lang, String> {
    let mut found = BTreeMap::new();
    let mut unnamed = None;
    for translation in text.unwrap_or_default().translation.into_iter().take(MAX_LANGUAGES) {
        let words = clean(&translation.text.unwrap_or_default(), longest);
        let code = String::from_utf8_lossy(&translation.language.unwrap_or_default()).to_ascii_lowercase();
        // Some publishers send each text a second time as HTML, under `en-html`.
        if words.is_empty() || code.ends_with("-html") {
            continue;
        }
        match Lang::new(code.split(['-', '_']).next().unwrap_or_default()) {
            Some(lang) => {
                found.entry(lang).or_insert(words);
            }
            None => unnamed = unnamed.or(Some(words)),
        }
    }
    if let Some(words) = unnamed {
        found.entry(default).or_insert(words);
    }
    found
}

/// Words for customers: without control characters but line breaks, without marks that turn the direction of writing, and not longer
/// than that.
fn clean(bytes: &[u8], longest: usize) -> String {
    // A character takes four bytes at most: no more of a long text is looked at.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(longest * 4)]);
    let hidden = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let words: String = text.chars().filter(|c| !hidden(*c)).collect();
    let words = words.trim();
    match words.char_indices().nth(longest) {
        None => words.to_owned(),
        Some((cut, _)) => format!("{}…", words[..cut].trim_end()),
    }
}

fn cause(cause: Option<i32>) -> &'static str {
    match cause {
        Some(2) => "other_cause",
        Some(3) => "technical_problem",
        Some(4) => "strike",
        Some(5) => "demonstration",
        Some(6) => "accident",
        Some(7) => "holiday",
        Some(8) => "weather",
        Some(9) => "maintenance",
        Some(10) => "construction",
        Some(11) => "police_activity",
        Some(12) => "medical_emergency",
        _ => "unknown_cause",
    }
}

fn effect(effect: Option<i32>) -> &'static str {
    match effect {
        Some(1) => "no_service",
        Some(2) => "reduced_service",
        Some(3) => "significant_delays",
        Some(4) => "detour",
        Some(5) => "additional_service",
        Some(6) => "modified_service",
        Some(7) => "other_effect",
        Some(9) => "stop_moved",
        Some(10) => "no_effect",
        Some(11) => "accessibility_issue",
        _ => "unknown_effect",
    }
}
