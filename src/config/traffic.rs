use super::{Secret, Span};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Live traffic from GTFS-Realtime feeds.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrafficConfig {
    /// Without feeds: invented live traffic over an invented timetable, for the demonstration. `serve --demo` sets it.
    pub demo: bool,
    pub feeds: Vec<FeedConfig>,
    /// How often each feed is asked for.
    pub poll: Span,
    /// Trip updates older than this are told with their age.
    pub old_after: Span,
    pub alerts_old_after: Span,
    /// Trip updates older than this are not used: scheduled times only, which is said.
    pub forget_after: Span,
    pub alerts_forget_after: Span,
    /// For one request, its answer included.
    pub timeout: Span,
    /// Largest answer of a feed, in bytes.
    pub max_bytes: usize,
    /// So many days back it is known how late trains were. 0: nothing is kept.
    pub history_days: u32,
}

impl Default for TrafficConfig {
    fn default() -> Self {
        Self {
            demo: false,
            feeds: Vec::new(),
            poll: Span::seconds(30),
            old_after: Span::seconds(90),
            alerts_old_after: Span::seconds(10 * 60),
            forget_after: Span::seconds(10 * 60),
            alerts_forget_after: Span::seconds(2 * 3600),
            timeout: Span::seconds(10),
            max_bytes: 32 * 1024 * 1024,
            history_days: 60,
        }
    }
}

/// What is read from a feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedKind {
    /// Whatever it holds.
    #[default]
    Any,
    Trips,
    Alerts,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedConfig {
    /// http(s)://, file://, or a path. May hold a key: never printed.
    pub url: Secret,
    /// What logs and metrics call it; empty: host and path of the address.
    #[serde(default)]
    pub name: String,
    /// Sent with each request. Values are never printed.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default)]
    pub kind: FeedKind,
}

/// Where a feed is.
#[derive(Clone)]
pub enum Place {
    Http(Url),
    File(PathBuf),
}

impl Place {
    /// Says what is wrong without showing the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty: write an address or a path");
        }
        if !text.contains("://") {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let url =
            Url::parse(text).map_err(|_| "is no address: write https://host/path, file:///path or a path")?;
        match url.scheme() {
            "http" | "https" => Ok(Self::Http(url)),
            "file" => url.to_file_path().map(Self::File).map_err(|()| "is no path: write file:///path"),
            _ => Err("must be http(s)://, file:// or a path"),
        }
    }

    /// Without what may be secret: user, password and query.
    pub fn label(&self) -> String {
        match self {
            Self::Http(url) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
            }
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl FeedConfig {
    /// Says what is wrong without showing the address.
    pub fn place(&self) -> Result<Place, &'static str> {
        Place::parse(self.url.expose())
    }

    pub fn header_map(&self) -> Result<HeaderMap, String> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| format!("'{name}' is no name of an HTTP header"))?;
            let mut value = HeaderValue::from_str(value.expose())
                .map_err(|_| format!("the value of '{name}' cannot be sent in an HTTP header"))?;
            value.set_sensitive(true);
            map.insert(header, value);
        }
        Ok(map)
    }

    /// Without what may be secret: user, password and query.
    pub fn label(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        self.place().map_or_else(|_| "feed".to_owned(), |place| place.label())
    }
}

impl TrafficConfig {
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for (rank, feed) in self.feeds.iter().enumerate() {
            let which = rank + 1;
            if let Err(what) = feed.place() {
                found.push(("traffic.feeds", format!("the url of feed {which} {what}")));
            }
            if let Err(what) = feed.header_map() {
                found.push(("traffic.feeds", format!("feed {which}: {what}")));
            }
        }
        let mut check = |wrong: bool, key: &'static str, what: &str| {
            if wrong {
                found.push((key, what.to_owned()));
            }
        };
        check(Duration::from(self.poll) < Duration::from_secs(1), "traffic.poll", "must be at least 1s");
        check(
            self.old_after > self.forget_after,
            "traffic.old_after",
            "must not be longer than traffic.forget_after: what is forgotten cannot be told as old",
        );
        check(
            self.alerts_old_after > self.alerts_forget_after,
            "traffic.alerts_old_after",
            "must not be longer than traffic.alerts_forget_after: what is forgotten cannot be told as old",
        );
        check(Duration::from(self.timeout).is_zero(), "traffic.timeout", "must not be zero");
        check(self.history_days > 400, "traffic.history_days", "must be 400 at most");
        check(self.max_bytes < 1024, "traffic.max_bytes", "must be at least 1024");
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(toml: &str) -> FeedConfig {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn a_label_never_holds_what_may_be_secret() {
        for (toml, label) in [
            (
                "url = 'https://me:hunter2@rt.example.com:8443/trips.pb?key=hunter2'",
                "rt.example.com:8443/trips.pb",
            ),
            ("url = 'https://rt.example.com/hunter2/trips'\nname = 'trips'", "trips"),
            ("url = 'feeds/trips.pb'", "feeds/trips.pb"),
            ("url = 'file:///srv/trips.pb'", "/srv/trips.pb"),
            ("url = 'gopher://hunter2'", "feed"),
        ] {
            assert_eq!(feed(toml).label(), label);
        }
    }

    #[test]
    fn problems_name_the_feed_and_show_no_secret() {
        let toml = "forget_after = '30s'\nmax_bytes = 12\n[[feeds]]\nurl = 'a.pb'\n[[feeds]]\nurl = 'gopher://hunter2'\n\
                    [feeds.headers]\nx-key = \"hunter2\\n\"";
        let config: TrafficConfig = toml::from_str(toml).unwrap();
        let problems = config.problems();
        let keys: Vec<&str> = problems.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["traffic.feeds", "traffic.feeds", "traffic.old_after", "traffic.max_bytes"]);
        assert!(problems[0].1.starts_with("the url of feed 2 must be"), "{problems:?}");
        assert!(!format!("{problems:?} {config:?}").contains("hunter2"));
        assert!(TrafficConfig::default().problems().is_empty());
    }
}
