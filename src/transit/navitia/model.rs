//! Navitia's answers, as far as we read them. Every list and every object may be absent; what is needed is checked where it is used.
//! Format: the public documentation of Navitia's API, version 1 (doc.navitia.io). Times are local ones, `20250110T180400`.

use serde::Deserialize;

/// Any answer: each question fills some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub context: Option<Context>,
    pub error: Option<Problem>,
    pub status: Option<Status>,
    pub pagination: Option<Pagination>,
    pub departures: Vec<Passage>,
    pub journeys: Vec<Journey>,
    pub vehicle_journeys: Vec<VehicleJourney>,
    pub disruptions: Vec<Disruption>,
    pub pt_objects: Vec<PtObject>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Context {
    pub timezone: Option<String>,
}

/// Also the body of an answer with status 404.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    /// `date_out_of_bounds`, `no_solution`, `unknown_object`…
    pub id: String,
}

/// Of `/coverage/{region}/status`. Its times are in UTC.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    /// When the timetable was made.
    pub publication_date: Option<String>,
    /// First and last day, `20241220`.
    pub start_production_date: Option<String>,
    pub end_production_date: Option<String>,
    /// When live data last came in.
    pub last_rt_data_loaded: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub(super) struct Pagination {
    pub total_result: usize,
}

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct StopArea {
    pub id: String,
    pub name: String,
    pub label: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct StopPoint {
    pub id: String,
    pub platform_code: Option<String>,
    pub stop_area: Option<StopArea>,
}

/// A train leaving one place.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Passage {
    pub display_informations: Display,
    pub stop_point: StopPoint,
    pub stop_date_time: StopDateTime,
    pub route: Option<Route>,
    pub links: Vec<Link>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Route {
    pub direction: Option<Place>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    pub name: String,
    pub stop_area: Option<StopArea>,
    pub stop_point: Option<StopPoint>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Display {
    /// The line's short name.
    pub code: Option<String>,
    pub label: Option<String>,
    pub commercial_mode: Option<String>,
    /// Where it goes, with the town in brackets: `Nice Ville (Nice)`.
    pub direction: Option<String>,
    pub headsign: Option<String>,
    pub trip_short_name: Option<String>,
    pub links: Vec<Link>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct StopDateTime {
    /// The best that is known; `base_…` is the timetable's.
    pub arrival_date_time: Option<String>,
    pub base_arrival_date_time: Option<String>,
    pub departure_date_time: Option<String>,
    pub base_departure_date_time: Option<String>,
    /// `realtime`, or `base_schedule` where live data says nothing.
    pub data_freshness: Option<String>,
    pub additional_informations: Vec<String>,
    pub stop_point: Option<StopPoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Journey {
    pub sections: Vec<Section>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Section {
    #[serde(rename = "type")]
    pub kind: String,
    pub mode: Option<String>,
    pub from: Option<Place>,
    pub to: Option<Place>,
    #[serde(flatten)]
    pub times: StopDateTime,
    pub stop_date_times: Vec<StopDateTime>,
    pub display_informations: Display,
    pub links: Vec<Link>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct VehicleJourney {
    pub id: String,
    pub name: String,
    pub headsign: Option<String>,
    pub trip: Option<Trip>,
    pub stop_times: Vec<StopTime>,
    pub calendars: Vec<Calendar>,
    /// Links to the answer's disruptions.
    pub disruptions: Vec<Link>,
    pub journey_pattern: Option<JourneyPattern>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct JourneyPattern {
    pub route: Option<PatternRoute>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct PatternRoute {
    pub line: Option<Line>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Line {
    pub id: String,
    pub code: Option<String>,
    pub name: Option<String>,
    pub commercial_mode: Option<Named>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub name: String,
}

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Trip {
    pub id: String,
    pub name: String,
}

/// Times of the day, `180400`; after midnight they begin again.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct StopTime {
    pub arrival_time: Option<String>,
    pub departure_time: Option<String>,
    pub stop_point: StopPoint,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Calendar {
    pub active_periods: Vec<Period>,
    pub week_pattern: Week,
    pub exceptions: Vec<Exception>,
}

/// Days: without the last. Times: with it, or open where one is absent.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Period {
    pub begin: Option<String>,
    pub end: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Week {
    pub monday: bool,
    pub tuesday: bool,
    pub wednesday: bool,
    pub thursday: bool,
    pub friday: bool,
    pub saturday: bool,
    pub sunday: bool,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Exception {
    /// `20241225`
    pub datetime: Option<String>,
    /// `add` or `remove`
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Disruption {
    pub id: String,
    /// `past`, `active` or `future`
    pub status: Option<String>,
    pub severity: Severity,
    pub application_periods: Vec<Period>,
    pub messages: Vec<Message>,
    pub cause: Option<String>,
    pub category: Option<String>,
    pub updated_at: Option<String>,
    pub impacted_objects: Vec<Impacted>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Severity {
    /// `NO_SERVICE`, `REDUCED_SERVICE`, `SIGNIFICANT_DELAYS`…
    pub effect: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub text: Option<String>,
    pub channel: Option<Channel>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Channel {
    pub content_type: Option<String>,
    /// `title`, `web`, `sms`…
    pub types: Vec<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Impacted {
    pub pt_object: PtObject,
    pub impacted_stops: Vec<ImpactedStop>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct ImpactedStop {
    pub stop_point: StopPoint,
    /// `added`, `deleted`, `delayed` or `unchanged`
    pub departure_status: Option<String>,
    pub arrival_status: Option<String>,
    pub cause: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct PtObject {
    pub id: String,
    /// `line`, `stop_area`, `trip`…
    pub embedded_type: String,
    pub line: Option<Line>,
    pub trip: Option<Trip>,
}
