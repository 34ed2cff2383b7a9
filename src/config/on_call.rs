use super::fulfilment::SHORTEST_SECRET;
use super::{Secret, Span};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// The claim on the job lasts longer (`queue.lease`).
const LONGEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Who is called by webhook when an emergency is handed over.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnCallConfig {
    /// Where calls are posted; empty: nobody is called.
    pub url: String,
    /// Signs what is posted.
    pub secret: Secret,
    pub when: When,
    /// Whether the customer's words are posted.
    pub include_text: bool,
    /// Whether http:// and addresses inside the operator's network may be posted to.
    pub allow_private: bool,
    /// For one try.
    pub timeout: Span,
    /// Waits before the second, third, … try. After the last, it has failed.
    pub retry: Vec<Span>,
}

/// When an emergency calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Always,
    /// Outside the opening hours only: inside them people see it on their screens.
    Closed,
}

impl Default for OnCallConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            secret: Secret::default(),
            when: When::Always,
            include_text: false,
            allow_private: false,
            timeout: Span::seconds(10),
            retry: [5, 15, 60, 300, 900, 1800].into_iter().map(Span::seconds).collect(),
        }
    }
}

impl OnCallConfig {
    /// None: nobody is called.
    pub fn url(&self) -> Option<Url> {
        Url::parse(&self.url).ok().filter(|_| !self.url.is_empty())
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        if self.url.is_empty() {
            return Vec::new();
        }
        let url = self.url();
        let scheme = url.as_ref().map_or("", Url::scheme);
        let timeout = Duration::from(self.timeout);
        let checks = [
            (
                !matches!(scheme, "http" | "https"),
                "desk.on_call.url",
                "is no address. Cure: write it as https://alerts.example.com/guichet".to_owned(),
            ),
            (
                scheme == "http" && !self.allow_private,
                "desk.on_call.url",
                "is not encrypted. Cure: write https://, or set desk.on_call.allow_private = true inside your own network"
                    .to_owned(),
            ),
            (
                self.secret.expose().len() < SHORTEST_SECRET,
                "desk.on_call.secret",
                format!("must be at least {SHORTEST_SECRET} characters. Cure: openssl rand -hex 32"),
            ),
            (
                timeout.is_zero() || timeout > LONGEST_TIMEOUT,
                "desk.on_call.timeout",
                "must be more than 0s and at most 15s".to_owned(),
            ),
        ];
        checks.into_iter().filter(|(wrong, ..)| *wrong).map(|(_, key, what)| (key, what)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_key() {
        let secret = "secret = '0123456789abcdef'";
        for (toml, wrong) in [
            ("", None),
            ("url = 'https://alerts.example.com/x'\nsecret = '0123456789abcdef'", None),
            ("url = 'https://alerts.example.com/x'", Some("desk.on_call.secret")),
            ("url = 'alerts'\nsecret = '0123456789abcdef'", Some("desk.on_call.url")),
            ("url = 'http://alerts.example.com/x'\nsecret = '0123456789abcdef'", Some("desk.on_call.url")),
            ("url = 'http://127.0.0.1/x'\nallow_private = true\nsecret = '0123456789abcdef'", None),
            (
                "url = 'https://a.example/x'\ntimeout = '1m'\nsecret = '0123456789abcdef'",
                Some("desk.on_call.timeout"),
            ),
        ] {
            let config: OnCallConfig = toml::from_str(toml).unwrap();
            let found: Vec<&str> = config.problems().iter().map(|(key, _)| *key).collect();
            assert_eq!(found, wrong.into_iter().collect::<Vec<_>>(), "{toml}");
        }
        assert!(!format!("{:?}", toml::from_str::<OnCallConfig>(secret).unwrap()).contains("0123"));
    }
}
