use super::{Place, Secret, Span};
use serde::Deserialize;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The GTFS feed, and how it is kept up to date.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimetableConfig {
    /// A folder, a zip file, or an address of a zip file; empty: no timetable. An address may hold a key: never printed.
    pub gtfs: Secret,
    /// What customers read as the source; empty: the publisher that the feed names.
    pub label: String,
    /// How often an address is asked for something newer. Files are looked at every `files.poll`.
    pub refresh: Span,
    /// For one download, its whole answer included.
    pub timeout: Span,
    /// Largest zip file, in bytes.
    pub max_bytes: u64,
    /// Most that the files we read may unpack to, in bytes. Loading takes a few times that in memory for a moment.
    pub max_unpacked_bytes: u64,
    /// A newer feed with fewer trains in the coming week, or fewer stations, than this share of those of the one in
    /// service is refused. 0: anything is taken.
    pub min_share: f64,
    /// From how many days before the feed ends it is warned of.
    pub warn_days: u16,
}

impl Default for TimetableConfig {
    fn default() -> Self {
        Self {
            gtfs: Secret::new("demo/gtfs"),
            label: String::new(),
            refresh: Span::seconds(3600),
            timeout: Span::seconds(5 * 60),
            max_bytes: 100 * 1024 * 1024,
            max_unpacked_bytes: 256 * 1024 * 1024,
            min_share: 0.5,
            warn_days: 7,
        }
    }
}

impl TimetableConfig {
    /// Where the feed is; none: no timetable. The error says what is wrong without showing the address.
    pub fn place(&self) -> Result<Option<Place>, &'static str> {
        if self.gtfs.is_empty() { Ok(None) } else { Place::parse(self.gtfs.expose()).map(Some) }
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if let Err(what) = self.place() {
            found.push(("timetable.gtfs", what.to_owned()));
        }
        let mut check = |wrong: bool, key: &'static str, what: &str| {
            if wrong {
                found.push((key, what.to_owned()));
            }
        };
        // Once a day at least: that is how often an ending feed is warned of.
        let refresh = Duration::from(self.refresh);
        check(!(MINUTE..=DAY).contains(&refresh), "timetable.refresh", "must be between 1m and 24h");
        check(Duration::from(self.timeout).is_zero(), "timetable.timeout", "must not be zero");
        check(self.max_bytes < 1024, "timetable.max_bytes", "must be at least 1024");
        check(
            self.max_unpacked_bytes < self.max_bytes,
            "timetable.max_unpacked_bytes",
            "must be at least timetable.max_bytes: unpacking makes files larger",
        );
        check(!(0.0..=1.0).contains(&self.min_share), "timetable.min_share", "must be between 0 and 1");
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_the_key_and_show_no_secret() {
        let toml = "gtfs = 'ftp://me:hunter2@host/g.zip'\nrefresh = '48h'\nmax_bytes = 2048\nmax_unpacked_bytes = 2000\n\
                    min_share = 1.5\ntimeout = '0s'";
        let config: TimetableConfig = toml::from_str(toml).unwrap();
        let problems = config.problems();
        let keys: Vec<&str> = problems.iter().map(|(key, _)| *key).collect();
        let expected = ["gtfs", "refresh", "timeout", "max_unpacked_bytes", "min_share"];
        assert_eq!(keys, expected.map(|key| format!("timetable.{key}")));
        assert!(!format!("{problems:?} {config:?}").contains("hunter2"));
        assert!(TimetableConfig::default().problems().is_empty());
    }

    #[test]
    fn a_place_is_a_path_an_address_or_nothing() {
        let place = |gtfs: &str| TimetableConfig { gtfs: Secret::new(gtfs), ..Default::default() }.place();
        assert!(matches!(place(""), Ok(None)));
        assert!(matches!(place("demo/gtfs"), Ok(Some(Place::File(path))) if path.ends_with("gtfs")));
        assert!(matches!(place("file:///srv/g.zip"), Ok(Some(Place::File(_)))));
        assert!(matches!(place("https://a.example.com/g.zip"), Ok(Some(Place::Http(_)))));
    }
}
