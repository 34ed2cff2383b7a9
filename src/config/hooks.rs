use super::Span;
use super::fulfilment::{is_host, listed};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// A receiver that takes longer keeps the others waiting.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Other systems are told what happens to conversations.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HooksConfig {
    /// The hosts that may be told, `ops.example.com` or `ops.example.com:8443`; without a port, the usual one only.
    pub allow: Vec<String>,
    /// Whether http:// and addresses inside the operator's network (private, loopback, unique local) may be told.
    pub allow_private: bool,
    /// For one try.
    pub timeout: Span,
    /// Waits before the second, third, … try. After the last, the hook is switched off until an admin switches it on.
    pub retry: Vec<Span>,
    /// How long what arrived stays listed.
    pub keep: Span,
}

impl Default for HooksConfig {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let retry = [10, MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
        Self {
            allow: Vec::new(),
            allow_private: false,
            timeout: Span::seconds(10),
            retry: retry.into_iter().map(Span::seconds).collect(),
            keep: Span::seconds(14 * 24 * HOUR),
        }
    }
}

impl HooksConfig {
    /// Whether host and port of `url` are on the list.
    pub fn allows(&self, url: &Url) -> bool {
        listed(&self.allow, url)
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for entry in self.allow.iter().filter(|entry| !is_host(entry)) {
            let cure = "Cure: write ops.example.com or ops.example.com:8443";
            found.push(("hooks.allow", format!("'{entry}' is no host. {cure}")));
        }
        let timeout = Duration::from(self.timeout);
        if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
            found.push(("hooks.timeout", "must be more than 0s and at most 30s".to_owned()));
        }
        if Duration::from(self.keep).is_zero() {
            found.push(("hooks.keep", "must be more than zero, such as 336h".to_owned()));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_their_key() {
        let wrong: HooksConfig =
            toml::from_str("allow = ['https://a.example/', 'b.example']\ntimeout = '31s'\nkeep = '0s'")
                .unwrap();
        let keys: Vec<&str> = wrong.problems().iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["hooks.allow", "hooks.timeout", "hooks.keep"]);
        assert!(wrong.allows(&Url::parse("https://b.example/x").unwrap()));
        assert!(!wrong.allows(&Url::parse("https://b.example:8443/x").unwrap()));
        assert!(HooksConfig::default().problems().is_empty());
    }
}
