use super::{Secret, Span};
use serde::Deserialize;
use std::time::Duration;

/// The operator's own answers: intents with `answer: http`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FulfilmentConfig {
    /// Signs what is sent, as the http channel signs its callbacks.
    pub secret: Secret,
    /// Hosts that may be asked, `ops.example.com` or `ops.example.com:8443`. Empty: no intent may say `answer: http`.
    pub allow: Vec<String>,
    /// Hosts may lie in private networks or on this machine, and be reached by http.
    pub allow_private: bool,
    /// For one answer, a second try included.
    pub timeout: Span,
    /// Largest answer, in bytes.
    pub max_bytes: usize,
    /// Facts older than this are not told.
    pub max_age: Span,
    /// After so many failures in a row a host is left alone…
    pub failures: u32,
    /// …for this long; then one question tries it again.
    pub rest: Span,
}

impl Default for FulfilmentConfig {
    fn default() -> Self {
        Self {
            secret: Secret::default(),
            allow: Vec::new(),
            allow_private: false,
            timeout: Span::seconds(4),
            max_bytes: 64 * 1024,
            max_age: Span::seconds(15 * 60),
            failures: 5,
            rest: Span::seconds(30),
        }
    }
}

impl FulfilmentConfig {
    /// `host` as in a URL; `port` none where the URL names none.
    pub fn allows(&self, host: &str, port: Option<u16>) -> bool {
        let asked = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        self.allow.iter().any(|allowed| allowed.eq_ignore_ascii_case(&asked))
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut check = |wrong: bool, key: &'static str, what: &str| {
            if wrong {
                found.push((key, what.to_owned()));
            }
        };
        check(
            !self.allow.is_empty() && self.secret.expose().len() < 16,
            "fulfilment.secret",
            "must be at least 16 characters: openssl rand -hex 32, shared with the other side; better set by \
             GUICHET__FULFILMENT__SECRET",
        );
        check(
            self.allow.iter().any(|host| !is_host(host)),
            "fulfilment.allow",
            "must be hosts, with a port where the URL has one: ops.example.com, ops.example.com:8443",
        );
        check(Duration::from(self.timeout).is_zero(), "fulfilment.timeout", "must not be zero");
        check(self.max_bytes < 1024, "fulfilment.max_bytes", "must be at least 1024");
        check(self.failures == 0, "fulfilment.failures", "must be at least 1");
        found
    }
}

/// What stands between `//` and the path of a URL, and nothing else.
fn is_host(text: &str) -> bool {
    let url = url::Url::parse(&format!("https://{text}/"));
    url.is_ok_and(|url| {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        url.username().is_empty()
            && url.path() == "/"
            && url.query().is_none()
            && url.host_str().is_some_and(|host| format!("{host}{port}").eq_ignore_ascii_case(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_the_key_and_show_no_secret() {
        let toml = "allow = ['https://ops.example.com/']\nsecret = 'hunter2'\nmax_bytes = 1\ntimeout = '0s'\nfailures = 0";
        let config: FulfilmentConfig = toml::from_str(toml).unwrap();
        let keys: Vec<&str> = config.problems().iter().map(|(key, _)| *key).collect();
        let expected = [
            "fulfilment.secret",
            "fulfilment.allow",
            "fulfilment.timeout",
            "fulfilment.max_bytes",
            "fulfilment.failures",
        ];
        assert_eq!(keys, expected);
        assert!(!format!("{config:?} {:?}", config.problems()).contains("hunter2"));
        assert!(FulfilmentConfig::default().problems().is_empty());
    }

    #[test]
    fn a_host_is_allowed_by_its_name_and_port() {
        let toml = "allow = ['ops.example.com', 'Ops.example.com:8443', '[::1]:9', '10.0.0.7']";
        let config: FulfilmentConfig = toml::from_str(toml).unwrap();
        assert!(config.allow.iter().all(|host| is_host(host)));
        for (host, port, allowed) in [
            ("ops.example.com", None, true),
            ("OPS.example.com", None, true),
            ("ops.example.com", Some(8443), true),
            ("ops.example.com", Some(8080), false),
            ("evil-ops.example.com", None, false),
            ("ops.example.com.evil.org", None, false),
            ("[::1]", Some(9), true),
        ] {
            assert_eq!(config.allows(host, port), allowed, "{host} {port:?}");
        }
        for wrong in ["", "a b", "ops.example.com/path", "me@ops.example.com", "*.example.com?"] {
            assert!(!is_host(wrong), "{wrong}");
        }
    }
}
