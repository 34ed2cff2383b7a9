use super::{Secret, Span};
use reqwest::header::HeaderName;
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// Navitia as the source of trains, in place of our own timetable.
///
/// Customers' stations are still found by the names of the loaded timetable, whose ids must be those of a feed that
/// Navitia has read too: `our_station` and `their_station` say how the two ids of a station correspond.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NavitiaConfig {
    /// Without `/coverage`.
    pub url: String,
    /// The region of data, `sncf`; empty: Navitia is not used.
    pub coverage: String,
    pub token: Secret,
    /// The header that carries the token; empty: it is the user name of basic authentication.
    pub token_header: String,
    /// What customers read as the source; empty: `Navitia (<coverage>)`.
    pub label: String,
    /// Our station id, with `{}` for what both ids share: `StopArea:OCE{}`.
    pub our_station: String,
    /// Navitia's id of the same station: `stop_area:SNCF:{}`.
    pub their_station: String,
    /// The coverage has live data. Otherwise only its timetable is asked.
    pub realtime: bool,
    /// For one request, its answer included.
    pub timeout: Span,
    /// Largest answer, in bytes.
    pub max_bytes: usize,
    /// Requests that the token allows. When they are used up, people take over.
    pub per_second: u32,
    /// In any 24 hours. Counted by this process, from its start.
    pub per_day: u32,
    /// Longest wait for the next request that is allowed.
    pub max_wait: Span,
    /// How long an answer serves the same question again.
    pub keep: Span,
}

impl Default for NavitiaConfig {
    fn default() -> Self {
        Self {
            url: "https://api.navitia.io/v1".into(),
            coverage: String::new(),
            token: Secret::default(),
            token_header: String::new(),
            label: String::new(),
            our_station: "{}".into(),
            their_station: "stop_area:{}".into(),
            realtime: true,
            timeout: Span::seconds(5),
            max_bytes: 8 * 1024 * 1024,
            per_second: 5,
            per_day: 5_000,
            max_wait: Span::seconds(1),
            keep: Span::seconds(20),
        }
    }
}

/// How the two ids of a station correspond: each is a text around what both share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StationIds {
    ours: (String, String),
    theirs: (String, String),
}

impl StationIds {
    /// None: one of the two does not hold `{}` exactly once.
    pub fn new(ours: &str, theirs: &str) -> Option<Self> {
        let split = |template: &str| {
            let (before, after) = template.split_once("{}")?;
            (!after.contains("{}")).then(|| (before.to_owned(), after.to_owned()))
        };
        Some(Self { ours: split(ours)?, theirs: split(theirs)? })
    }

    /// None: an id that the rule does not fit; Navitia does not know that station.
    pub fn to_theirs(&self, id: &str) -> Option<String> {
        renamed(id, &self.ours, &self.theirs)
    }

    pub fn to_ours(&self, id: &str) -> Option<String> {
        renamed(id, &self.theirs, &self.ours)
    }
}

fn renamed(id: &str, from: &(String, String), to: &(String, String)) -> Option<String> {
    let shared = id.strip_prefix(from.0.as_str())?.strip_suffix(from.1.as_str())?;
    (!shared.is_empty()).then(|| format!("{}{shared}{}", to.0, to.1))
}

impl NavitiaConfig {
    pub fn is_used(&self) -> bool {
        !self.coverage.is_empty()
    }

    pub fn station_ids(&self) -> Option<StationIds> {
        StationIds::new(&self.our_station, &self.their_station)
    }

    pub fn shown_label(&self) -> String {
        if self.label.is_empty() { format!("Navitia ({})", self.coverage) } else { self.label.clone() }
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if !self.is_used() {
            return found;
        }
        let mut check = |wrong: bool, key: &'static str, what: &str| {
            if wrong {
                found.push((key, what.to_owned()));
            }
        };
        check(
            !is_safe_base(&self.url),
            "navitia.url",
            "must be https://host/path without user, query or fragment (http on this machine only): a token is sent there",
        );
        check(self.token.is_empty(), "navitia.token", "is missing; better set by GUICHET__NAVITIA__TOKEN");
        check(
            !self.token_header.is_empty() && HeaderName::from_bytes(self.token_header.as_bytes()).is_err(),
            "navitia.token_header",
            "is no name of an HTTP header; leave it empty for basic authentication",
        );
        check(
            self.station_ids().is_none(),
            "navitia.our_station",
            "and navitia.their_station must each hold {} once, for what both ids of a station share: \
             StopArea:OCE{} and stop_area:SNCF:{}",
        );
        check(Duration::from(self.timeout).is_zero(), "navitia.timeout", "must not be zero");
        check(self.max_bytes < 1024, "navitia.max_bytes", "must be at least 1024");
        check(self.per_second == 0, "navitia.per_second", "must be at least 1");
        check(self.per_day == 0, "navitia.per_day", "must be at least 1");
        found
    }
}

/// A token in clear text may only go to this machine.
fn is_safe_base(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain && url.host_str().is_some() && (url.scheme() == "https" || (url.scheme() == "http" && local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_correspond_in_both_directions() {
        let ids = StationIds::new("StopArea:OCE{}", "stop_area:SNCF:{}").unwrap();
        assert_eq!(ids.to_theirs("StopArea:OCE87686006").as_deref(), Some("stop_area:SNCF:87686006"));
        assert_eq!(ids.to_ours("stop_area:SNCF:87686006").as_deref(), Some("StopArea:OCE87686006"));
        for strange in ["StopArea:OCE", "PMP", "alias:rennes", ""] {
            assert_eq!(ids.to_theirs(strange), None, "{strange}");
        }
        let around = StationIds::new("{}:rail", "stop_area:{}").unwrap();
        assert_eq!(around.to_theirs("87:rail").as_deref(), Some("stop_area:87"));
        assert!(StationIds::new("{}{}", "{}").is_none());
        assert!(StationIds::new("{}", "stop_area").is_none());
    }

    #[test]
    fn problems_name_the_key_and_show_no_secret() {
        let toml = "coverage = 'sncf'\nurl = 'http://api.example.com/v1'\ntoken_header = 'a b'\n\
                    our_station = 'x'\nper_day = 0\nmax_bytes = 1\ntimeout = '0s'";
        let config: NavitiaConfig = toml::from_str(toml).unwrap();
        let keys: Vec<&str> = config.problems().iter().map(|(key, _)| *key).collect();
        let expected = [
            "navitia.url",
            "navitia.token",
            "navitia.token_header",
            "navitia.our_station",
            "navitia.timeout",
            "navitia.max_bytes",
            "navitia.per_day",
        ];
        assert_eq!(keys, expected);
        let config: NavitiaConfig = toml::from_str("coverage = 'sncf'\ntoken = 'hunter2'").unwrap();
        assert!(config.problems().is_empty());
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(NavitiaConfig::default().problems().is_empty());
    }

    #[test]
    fn a_token_goes_nowhere_in_clear_text() {
        for (url, safe) in [
            ("https://api.navitia.io/v1", true),
            ("http://127.0.0.1:9/v1", true),
            ("http://api.navitia.io/v1", false),
            ("https://me:secret@api.navitia.io/v1", false),
            ("https://api.navitia.io/v1?key=1", false),
            ("file:///v1", false),
            ("nowhere", false),
        ] {
            assert_eq!(is_safe_base(url), safe, "{url}");
        }
    }
}
