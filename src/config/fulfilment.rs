use super::{Secret, Span};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// A shorter secret can be guessed.
pub const SHORTEST_SECRET: usize = 16;
/// A customer waits, and the message that is answered is leased (`queue.lease`) meanwhile.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The operator's own service, asked by intents with `answer: http`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FulfilmentConfig {
    /// Signs what is posted.
    pub secret: Secret,
    /// The hosts that may be asked, `ops.example.com` or `ops.example.com:8443`; without a port, the usual one only.
    pub allow: Vec<String>,
    /// Whether http:// and addresses inside the operator's network (private, loopback, unique local) may be asked.
    pub allow_private: bool,
    /// For one question, a second try included.
    pub timeout: Span,
    /// Older facts are no data.
    pub stale_after: Span,
    /// Largest answer, in bytes.
    pub max_bytes: usize,
    /// After so many failures in a row a host is not asked for `pause`; then one question tries it.
    pub open_after: u32,
    pub pause: Span,
}

impl Default for FulfilmentConfig {
    fn default() -> Self {
        Self {
            secret: Secret::default(),
            allow: Vec::new(),
            allow_private: false,
            timeout: Span::seconds(4),
            stale_after: Span::seconds(5 * 60),
            max_bytes: 64 * 1024,
            open_after: 5,
            pause: Span::seconds(30),
        }
    }
}

impl FulfilmentConfig {
    /// Whether host and port of `url` are on the list.
    pub fn allows(&self, url: &Url) -> bool {
        listed(&self.allow, url)
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut check = |wrong: bool, key: &'static str, what: String| {
            if wrong {
                found.push((key, what));
            }
        };
        let secret = self.secret.expose().len();
        check(
            (1..SHORTEST_SECRET).contains(&secret),
            "fulfilment.secret",
            format!("must be at least {SHORTEST_SECRET} characters. Cure: openssl rand -hex 32"),
        );
        for entry in &self.allow {
            check(
                !is_host(entry),
                "fulfilment.allow",
                format!("'{entry}' is no host. Cure: write ops.example.com or ops.example.com:8443"),
            );
        }
        let timeout = Duration::from(self.timeout);
        check(
            timeout.is_zero() || timeout > LONGEST_TIMEOUT,
            "fulfilment.timeout",
            "must be more than 0s and at most 10s: a customer waits".to_owned(),
        );
        check(
            Duration::from(self.stale_after).is_zero(),
            "fulfilment.stale_after",
            "must be more than zero, such as 5m".to_owned(),
        );
        check(self.max_bytes < 1024, "fulfilment.max_bytes", "must be at least 1024".to_owned());
        check(self.open_after == 0, "fulfilment.open_after", "must be at least 1".to_owned());
        check(
            Duration::from(self.pause).is_zero(),
            "fulfilment.pause",
            "must be more than zero, such as 30s".to_owned(),
        );
        found
    }
}

/// Whether host and port of `url` are on the list.
pub(super) fn listed(allow: &[String], url: &Url) -> bool {
    allow.iter().filter_map(|entry| on(url.scheme(), entry)).any(|allowed| {
        allowed.host() == url.host() && allowed.port_or_known_default() == url.port_or_known_default()
    })
}

/// Whether an entry of the list can be one.
pub(super) fn is_host(entry: &str) -> bool {
    on("https", entry).is_some()
}

/// An entry of the list as the root of an address. `None`: it is more, or less, than a host and a port.
fn on(scheme: &str, entry: &str) -> Option<Url> {
    if entry.is_empty() || entry.contains(['/', '?', '#', '@', '\\', '*']) {
        return None;
    }
    Url::parse(&format!("{scheme}://{entry}/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> FulfilmentConfig {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn only_listed_hosts_and_ports_are_allowed() {
        let config =
            config("allow = ['ops.example.com', 'ops.example.com:8443', '[::1]:99', 'Gares.Example.org']");
        assert!(config.problems().is_empty());
        for (url, allowed) in [
            ("https://ops.example.com/a?b", true),
            ("https://OPS.example.com:443/", true),
            ("https://ops.example.com:8443/", true),
            ("https://gares.example.org/", true),
            ("http://[::1]:99/", true),
            ("https://ops.example.com:22/", false),
            ("http://ops.example.com:443/", false),
            ("https://sub.ops.example.com/", false),
            ("https://ops.example.com./", false),
            ("https://ops.example.com.evil.example/", false),
            ("http://[::1]/", false),
        ] {
            assert_eq!(config.allows(&Url::parse(url).unwrap()), allowed, "{url}");
        }
        assert!(!FulfilmentConfig::default().allows(&Url::parse("https://ops.example.com/").unwrap()));
    }

    #[test]
    fn problems_name_their_key_and_no_secret() {
        let wrong = config(
            "secret = 'hunter2'\nallow = ['https://a.example/', 'a.example/b', '', 'me@a.example', '*.example', 'a b']\n\
             timeout = '11s'\nstale_after = '0s'\nmax_bytes = 1\nopen_after = 0\npause = '0s'",
        );
        let problems = wrong.problems();
        let keys: Vec<&str> = problems.iter().map(|(key, _)| key.trim_start_matches("fulfilment.")).collect();
        let allow = ["allow"; 6];
        let others = ["timeout", "stale_after", "max_bytes", "open_after", "pause"];
        assert_eq!(keys, [&["secret"][..], &allow, &others].concat());
        assert!(!format!("{problems:?} {wrong:?}").contains("hunter2"));
        assert!(FulfilmentConfig::default().problems().is_empty());
    }
}
