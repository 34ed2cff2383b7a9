//! From which number or name a message is sent, by where it goes.

use crate::config::{ChannelConfig, Secret};
use serde::de::{Deserialize, Deserializer, Error};
use std::collections::BTreeMap;

/// `from = "+33900000000"`; or a table of senders by the beginning of the number that is written to, with a `default`:
/// `from = { default = "+33900000000", "+44" = "GUICHET" }`. The longest beginning counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Senders {
    default: Secret,
    /// The longest first.
    by_prefix: Vec<(String, Secret)>,
}

impl Senders {
    /// The sender of a message to `address`.
    pub fn of(&self, address: &str) -> &str {
        let own = self.by_prefix.iter().find(|(prefix, _)| address.starts_with(prefix.as_str()));
        own.map_or(&self.default, |(_, sender)| sender).expose()
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.default)
            .chain(self.by_prefix.iter().map(|(_, sender)| sender))
            .map(Secret::expose)
    }
}

impl<'de> Deserialize<'de> for Senders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Errors show no value: who sends may be nobody's business.
        let read = |value: toml::Value| {
            value.try_into::<Secret>().map_err(|_| D::Error::custom("a sender must be a text"))
        };
        let mut senders = match toml::Value::deserialize(deserializer)? {
            toml::Value::Table(mut table) => {
                let default = table.remove("default").ok_or_else(|| {
                    D::Error::custom("has no default. Cure: add default = \"+33…\" beside the prefixes")
                })?;
                let by_prefix = table.into_iter().map(|(prefix, sender)| Ok((prefix, read(sender)?)));
                Self { default: read(default)?, by_prefix: by_prefix.collect::<Result<_, D::Error>>()? }
            }
            one => Self { default: read(one)?, by_prefix: Vec::new() },
        };
        if senders.all().any(|sender| sender.trim().is_empty()) {
            return Err(D::Error::custom("is empty. Cure: write a number, a name or a messaging service"));
        }
        let is_prefix = |text: &str| {
            text.strip_prefix('+')
                .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        };
        if let Some((wrong, _)) = senders.by_prefix.iter().find(|(prefix, _)| !is_prefix(prefix)) {
            return Err(D::Error::custom(format!(
                "'{wrong}' begins no number. Cure: write \"+33\", or default"
            )));
        }
        senders.by_prefix.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(senders)
    }
}

/// A name in place of a number: phones show it, and cannot answer it.
fn is_name(sender: &str) -> bool {
    let service =
        sender.len() == 34 && sender.starts_with("MG") && sender[2..].bytes().all(|b| b.is_ascii_hexdigit());
    !service && sender.bytes().any(|b| b.is_ascii_alphabetic())
}

/// What is allowed and unwise in the senders of the configured channels: key, what, cure.
pub fn advice(configured: &BTreeMap<String, ChannelConfig>) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (name, config) in configured {
        // Whether the key is right is told when the channel is built.
        let from = config.settings.0.get("from").cloned();
        let Some(senders) = from.and_then(|from| from.try_into::<Senders>().ok()) else { continue };
        if senders.all().any(is_name) {
            let what = "a name as sender cannot be answered: no question, no STOP reaches Guichet";
            let cure = "use a number or a messaging service where customers are to answer, and say elsewhere how to stop";
            found.push((format!("channels.{name}.from"), what.to_owned(), cure.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn senders(toml: &str) -> Result<Senders, String> {
        #[derive(serde::Deserialize)]
        struct Keys {
            from: Senders,
        }
        toml::from_str::<Keys>(toml).map(|keys| keys.from).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn the_longest_beginning_of_the_number_counts() {
        let one = senders("from = \"+33900000000\"").unwrap();
        assert_eq!(one.of("+447700900000"), "+33900000000");
        let many = senders(
            "[from]\ndefault = \"MG0123\"\n\"+33\" = \"+33900000000\"\n\"+44\" = \"GUICHET\"\n\"+33700\" = 38100",
        )
        .unwrap();
        for (to, sender) in [
            ("+33612345678", "+33900000000"),
            ("+33700123456", "38100"),
            ("+447700900000", "GUICHET"),
            ("+4915112345678", "MG0123"),
            ("33612345678", "MG0123"),
            ("whatsapp:+33612345678", "MG0123"),
            ("", "MG0123"),
        ] {
            assert_eq!(many.of(to), sender, "{to}");
        }
    }

    #[test]
    fn a_wrong_table_is_told_without_its_senders() {
        for (toml, expected) in [
            ("from = { \"+33\" = \"+33900000000\" }", "has no default"),
            ("from = { default = \"+33900000000\", \"33\" = \"+33900000001\" }", "'33' begins no number"),
            ("from = { default = \"+33900000000\", \"+\" = \"+33900000001\" }", "'+' begins no number"),
            ("from = { default = \"\" }", "is empty"),
            ("from = \" \"", "is empty"),
            ("from = { default = [\"+33900000000\"] }", "must be a text"),
        ] {
            let error = senders(toml).unwrap_err();
            assert!(error.contains(expected) && !error.contains("+339"), "{error}");
        }
    }

    #[test]
    fn a_name_as_sender_is_warned_of() {
        let channels = |from: &str| {
            let settings = toml::from_str(&format!("from = {from}")).unwrap();
            advice(&BTreeMap::from([("sms".to_owned(), ChannelConfig { kind: "twilio".into(), settings })]))
        };
        for quiet in
            ["\"+33900000000\"", "\"38100\"", "\"MG0123456789abcdef0123456789abcdef\"", "{ \"+33\" = \"X\" }"]
        {
            assert!(channels(quiet).is_empty(), "{quiet}");
        }
        for named in ["\"GUICHET\"", "{ default = \"+33900000000\", \"+44\" = \"Guichet 24\" }"] {
            assert_eq!(channels(named)[0].0, "channels.sms.from", "{named}");
        }
    }
}
