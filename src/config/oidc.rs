use super::Secret;
use crate::model::Role;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Sign-in by a provider of OpenID Connect, beside passwords.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// As the provider writes it; empty: none.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
    /// What the button says.
    pub name: String,
    /// Domains of verified addresses; empty: all that the provider lets in.
    pub allowed_domains: Vec<String>,
    /// Whether someone unknown becomes an agent.
    pub create: bool,
    /// The claim of the ID token that names roles or groups; empty: roles are given in the console.
    pub role_claim: String,
    /// Role by value of the claim.
    pub roles: BTreeMap<String, Role>,
}

impl OidcConfig {
    pub fn enabled(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// The name on the button.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { "OpenID Connect" } else { &self.name }
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        if !self.enabled() {
            return Vec::new();
        }
        let secure = |url: url::Url| match url.scheme() {
            "https" => true,
            // A provider on the same machine, for trying out.
            "http" => matches!(url.host_str(), Some("127.0.0.1" | "localhost")),
            _ => false,
        };
        let checks = [
            (
                !url::Url::parse(&self.issuer).is_ok_and(secure),
                "desk.oidc.issuer",
                "must be the provider's https:// address, as it writes it itself",
            ),
            (self.client_id.is_empty(), "desk.oidc.client_id", "is missing; the provider gave it"),
            (self.client_secret.is_empty(), "desk.oidc.client_secret", "is missing; the provider gave it"),
            (
                self.role_claim.is_empty() != self.roles.is_empty(),
                "desk.oidc.role_claim",
                "needs desk.oidc.roles, and the other way round",
            ),
            (
                self.allowed_domains.iter().any(|d| d.is_empty() || d.contains('@')),
                "desk.oidc.allowed_domains",
                "holds domains without @, such as example.org",
            ),
        ];
        let wrong = checks.into_iter().filter(|(wrong, ..)| *wrong);
        wrong.map(|(_, key, what)| (key, what.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let config = |more: &str| {
            let whole = format!("issuer = \"https://id.example.org\"\n{more}");
            let config: OidcConfig = toml::from_str(&whole).unwrap();
            config.problems().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(config(""), ["desk.oidc.client_id", "desk.oidc.client_secret"]);
        let given = "client_id = \"a\"\nclient_secret = \"b\"\n";
        assert!(config(given).is_empty());
        assert_eq!(config(&format!("{given}role_claim = \"groups\"")), ["desk.oidc.role_claim"]);
        let domains = format!("{given}allowed_domains = [\"@example.org\"]");
        assert_eq!(config(&domains), ["desk.oidc.allowed_domains"]);
        assert!(OidcConfig::default().problems().is_empty());
        for issuer in ["http://id.example.org", "id.example.org", "file:///x"] {
            let (client_id, client_secret) = ("a".to_owned(), Secret::new("b"));
            let config = OidcConfig { issuer: issuer.into(), client_id, client_secret, ..Default::default() };
            assert_eq!(config.problems()[0].0, "desk.oidc.issuer", "{issuer}");
        }
        assert!(
            !format!("{:?}", toml::from_str::<OidcConfig>("client_secret = \"hunter2\"").unwrap())
                .contains("hunter2")
        );
    }
}
