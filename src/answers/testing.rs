//! A planner whose trains are written down by the test.

use super::Registry;
use super::responses::{Responses, Variant};
use crate::answers::compensation::Rules;
use crate::answers::{Cues, Lookup, Query, registry};
use crate::model::{ContactId, EntityValue, IntentSpec, Lang, StationRef, Timestamp, TrainKey};
use crate::nlu::IntentPack;
use crate::transit::live::Alert;
use crate::transit::planner::*;
use crate::transit::testing::paris;
use async_trait::async_trait;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The Sunday of all tests, at noon.
pub(super) const TODAY: &str = "2026-12-20";

pub(super) fn at(clock: &str) -> Timestamp {
    let (days, clock) =
        clock.split_once('+').map_or((0, clock), |(days, clock)| (days.parse().unwrap(), clock));
    paris(&format!("2026-12-{}T{clock}", 20 + days))
}

/// Answers each question from the list it was given, without any search.
#[derive(Debug, Clone)]
pub(super) struct Fake {
    pub live: LiveState,
    pub live_partial: bool,
    /// What announcements are worth, where it is not what `live` is.
    pub announced: Option<LiveState>,
    pub invented: bool,
    pub runs: Vec<Run>,
    pub journeys: Vec<Journey>,
    /// The pair has a direct train on some day.
    pub direct: bool,
    pub alerts: Vec<Alert>,
    pub refuses: Option<Unknown>,
    /// Boards hold nothing, whatever runs.
    pub empty_boards: bool,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            live: LiveState::Absent,
            live_partial: false,
            announced: None,
            invented: true,
            runs: Vec::new(),
            journeys: Vec::new(),
            direct: true,
            alerts: Vec::new(),
            refuses: None,
            empty_boards: false,
        }
    }
}

/// `8745 Brest: Vitré 18:05+12 v3, Rennes 18:28`: a run of today with its calls; `+12` minutes late, `+0` on time as live data
/// says; `v3` the platform, `v3<2` instead of 2; `!` a call that is skipped; a number before the clock, `1+00:10`, the next day.
pub(super) fn run(line: &str) -> Run {
    let (head, calls) = line.split_once(": ").unwrap();
    let (number, terminus) = head.split_once(' ').unwrap();
    let stops = calls.split(", ").map(call).collect();
    let train = Train {
        key: TrainKey { trip: format!("trip-{number}"), day: TODAY.parse().unwrap() },
        number: Some(number.to_owned()),
        brand: Some("Alizé".to_owned()),
        line: Some("Alizé".to_owned()),
        terminus: terminus.to_owned(),
        cancelled: false,
        added: false,
    };
    Run { train, stops, alerts: Vec::new() }
}

fn call(text: &str) -> Stop {
    let words: Vec<&str> = text.split(' ').collect();
    let time = words.iter().position(|word| word.starts_with(|c: char| c.is_ascii_digit())).unwrap();
    let written = words[time];
    let (clock, late) = match written.rsplit_once('+') {
        Some((clock, late)) if !late.contains(':') => (clock, Some(late.parse::<i64>().unwrap())),
        _ => (written, None),
    };
    let scheduled = at(clock);
    let moment = Moment { scheduled, expected: late.map(|late| Timestamp(scheduled.0 + late * 60_000_000)) };
    let platform = words.get(time + 1).filter(|word| word.starts_with('v')).map(|word| &word[1..]);
    let (platform, planned) = platform.map_or((None, None), |text| match text.split_once('<') {
        Some((now, before)) => (Some(now.to_owned()), Some(before.to_owned())),
        None => (Some(text.to_owned()), None),
    });
    Stop {
        station: station(&words[..time].join(" ")),
        arrival: Some(moment),
        departure: Some(moment),
        platform,
        planned_platform: planned,
        skipped: words.last() == Some(&"!"),
    }
}

pub(super) fn cancelled(line: &str) -> Run {
    let mut run = run(line);
    run.train.cancelled = true;
    run
}

pub(super) fn station(name: &str) -> StationRef {
    StationRef { id: name.to_owned(), name: name.to_owned() }
}

/// From the first to the last call.
pub(super) fn leg(run: &Run) -> Ride {
    let (from, to) = (run.stops.first().unwrap().clone(), run.stops.last().unwrap().clone());
    Ride { train: run.train.clone(), from, to }
}

impl Fake {
    fn told<T>(&self, value: T) -> Result<Told<T>, Unknown> {
        match &self.refuses {
            Some(unknown) => Err(unknown.clone()),
            None => Ok(Told { value, provenance: self.of() }),
        }
    }

    fn of(&self) -> Provenance {
        Provenance {
            label: "Réseau Ouest".to_owned(),
            invented: self.invented,
            timetable_as_of: date(2026, 11, 1),
            live: self.live,
            live_partial: self.live_partial,
        }
    }

    /// Every run as seen from the stations, in order of the best known time.
    fn rides(&self, from: Option<&str>, to: Option<&str>) -> Vec<Ride> {
        let part = |run: &Run| {
            let find = |id: &str| run.stops.iter().position(|stop| stop.station.id == id);
            let start = from.map_or(Some(0), find)?;
            let end = to.map_or(Some(run.stops.len() - 1), find)?;
            (start < end).then(|| Ride {
                train: run.train.clone(),
                from: run.stops[start].clone(),
                to: run.stops[end].clone(),
            })
        };
        let mut rides: Vec<Ride> = self.runs.iter().filter_map(part).collect();
        rides.sort_by_key(|ride| ride.from.departure.map(|moment| moment.best()));
        rides
    }
}

fn local(at: Timestamp) -> Date {
    at.to_jiff().to_zoned_datetime(TimeZone::get("Europe/Paris").unwrap()).date()
}

#[async_trait]
impl Planner for Fake {
    fn zone(&self) -> TimeZone {
        TimeZone::get("Europe/Paris").unwrap()
    }

    fn station(&self, id: &str) -> Option<StationRef> {
        (!id.starts_with("alias:")).then(|| station(id))
    }

    fn provenance(&self, _: Timestamp) -> Result<Provenance, Unknown> {
        match &self.refuses {
            // Of something else it knows.
            Some(Unknown::Line(_) | Unknown::TooWide) => Ok(self.of()),
            _ => self.told(()).map(|told| told.provenance),
        }
    }

    fn announces(&self, _: Timestamp) -> Result<LiveState, Unknown> {
        self.told(self.announced.unwrap_or(self.live)).map(|told| told.value)
    }

    async fn board(&self, query: &BoardQuery, _: Timestamp) -> Result<Told<Board>, Unknown> {
        let (from, to) = match query.ends {
            Ends::Departures => (Some(query.station.as_str()), query.other.as_deref()),
            Ends::Arrivals => (query.other.as_deref(), Some(query.station.as_str())),
        };
        let time = |ride: &Ride| match query.ends {
            Ends::Departures => ride.from.departure.unwrap(),
            Ends::Arrivals => ride.to.arrival.unwrap(),
        };
        let mut all = self.rides(from, to);
        all.retain(|ride| time(ride).best() >= query.at && !self.empty_boards);
        let gone = |ride: &Ride| ride.train.cancelled || ride.from.skipped || ride.to.skipped;
        let (cancelled, mut rides): (Vec<Ride>, Vec<Ride>) = all.into_iter().partition(gone);
        rides.truncate(query.limit);
        self.told(Board { rides, cancelled, day: local(query.at), direct: self.direct, incomplete: false })
    }

    async fn journeys(&self, query: &JourneyQuery, _: Timestamp) -> Result<Told<Vec<Journey>>, Unknown> {
        let fits = |journey: &&Journey| match query.when {
            When::DepartAfter(at) => journey.rides[0].from.departure.unwrap().best() >= at,
            When::ArriveBefore(at) => journey.rides.last().unwrap().to.arrival.unwrap().best() <= at,
        };
        self.told(self.journeys.iter().filter(fits).take(query.limit).cloned().collect())
    }

    async fn first_last(
        &self,
        from: &str,
        to: Option<&str>,
        day: Date,
        _: Timestamp,
    ) -> Result<Told<FirstLast>, Unknown> {
        let mut rides = self.rides(Some(from), to);
        rides.retain(|ride| ride.train.key.day == day);
        self.told(FirstLast {
            day,
            first: rides.first().cloned(),
            last: rides.last().cloned(),
            incomplete: false,
        })
    }

    async fn train(&self, number: &str, day: Date, _: Timestamp) -> Result<Told<Vec<Run>>, Unknown> {
        let meant = |run: &&Run| run.train.number.as_deref() == Some(number) && run.train.key.day == day;
        self.told(self.runs.iter().filter(meant).cloned().collect())
    }

    async fn traffic(&self, query: &TrafficQuery, _: Timestamp) -> Result<Told<Traffic>, Unknown> {
        let rides = self.rides(None, None);
        let late = |ride: &&Ride| {
            !ride.train.cancelled
                && ride.from.departure.is_some_and(|moment| moment.best() > moment.scheduled)
        };
        let announced = self.announced.unwrap_or(self.live);
        self.told(Traffic {
            line: query.line.clone(),
            alerts: self.alerts.clone(),
            announced,
            trains: self.live,
            running: rides.iter().filter(|ride| !ride.train.cancelled).count(),
            late: rides.iter().filter(late).cloned().collect(),
            cancelled: rides.iter().filter(|ride| ride.train.cancelled).cloned().collect(),
        })
    }
}

/// One question: `from=Vitré to=Rennes train=8745 when=18:00 when=18:00-20:00` (stations of one word, `_` for a space), and the
/// customer's words after `|`.
pub(super) fn query(intent: &str, question: &str, lang: Lang) -> Query {
    let (slots, text) = question.split_once('|').unwrap_or((question, ""));
    let slot = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        let entity = match name {
            "train" => EntityValue::Train { number: value.to_owned() },
            "line" => EntityValue::Line { name: value.to_owned() },
            "when" => {
                let (start, end) = value.split_once('-').unwrap_or((value, value));
                EntityValue::Time { start: at(start), end: at(end) }
            }
            _ => EntityValue::Station { station: station(&value.replace('_', " ")) },
        };
        (name.to_owned(), entity)
    };
    Query {
        intent: intent.to_owned(),
        text: text.trim().to_owned(),
        cues: Cues::read(text, crate::nlu::pack::shipped_phrases()),
        contact: ContactId::default(),
        slots: slots.split_whitespace().map(slot).collect::<BTreeMap<_, _>>(),
        url: None,
        lang,
        now: at("12:00"),
    }
}

pub(super) fn sources(fake: &Fake) -> Registry {
    let planner: SharedPlanner = Arc::new(fake.clone());
    let sources = registry(&planner);
    sources.compensation().replace(Rules::load(&repository().join("responses")).unwrap());
    sources
}

pub(super) async fn look_up(fake: &Fake, source: &str, query: &Query) -> Lookup {
    sources(fake).get(source).unwrap().look_up(query).await
}

pub(super) fn found(lookup: Lookup) -> (serde_json::Value, Vec<crate::model::Fact>) {
    match lookup {
        Lookup::Found { data, facts } => (data, facts),
        other => panic!("not found: {other:?}"),
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shipped intents by name, and the shipped responses.
fn content() -> &'static (BTreeMap<String, IntentSpec>, Responses) {
    static CONTENT: OnceLock<(BTreeMap<String, IntentSpec>, Responses)> = OnceLock::new();
    CONTENT.get_or_init(|| {
        let specs = IntentPack::load(&repository().join("intents")).unwrap().specs;
        let responses =
            Responses::load(&repository().join("responses"), Lang::FR, &specs, &sources(&Fake::default()));
        let responses = responses.unwrap_or_else(|errors| panic!("{errors}"));
        (specs.into_iter().map(|spec| (spec.name.clone(), spec)).collect(), responses)
    })
}

/// What the customer reads, from the source that the shipped intent names and the shipped words.
pub(super) async fn said(fake: &Fake, intent: &str, question: &str, lang: Lang, sms: bool) -> String {
    let source = content().0[intent].answer.as_deref().unwrap();
    in_words(look_up(fake, source, &query(intent, question, lang)).await, intent, lang, sms)
}

/// What a customer reads of what was found.
pub(super) fn in_words(lookup: Lookup, intent: &str, lang: Lang, sms: bool) -> String {
    let (variant, mut data) = match lookup {
        Lookup::Found { data, .. } => (if sms { Variant::Sms } else { Variant::Text }, data),
        Lookup::Nothing { data, .. } => (Variant::None, data),
        Lookup::NoData { why } => return format!("(to people: {why})"),
        Lookup::TooWide => return "(too wide)".to_owned(),
    };
    data["operator"] = "Guichet".into();
    data["help_url"] = "https://aide.example".into();
    data["hours"] = "7h00–22h00".into();
    content().1.render(intent, variant, lang, &data).unwrap()
}

/// Each part stands in what the customer reads.
pub(super) async fn says(fake: &Fake, intent: &str, question: &str, lang: Lang, parts: &[&str]) {
    let text = said(fake, intent, question, lang, false).await;
    for part in parts {
        assert!(text.contains(part), "{question}: {part:?} is not in\n{text}");
    }
}
