use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::collections::BTreeMap;

/// How replies are worded for SMS, and what they cost.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmsConfig {
    /// Whether the bot's words are put into GSM-7 where they can be ([`crate::sms::thrift`]). An agent's never are.
    pub thrift: bool,
    /// From this many segments on, a shorter wording is looked for; where there is none the text is sent whole.
    pub segment_budget: usize,
    /// Of `cost_per_segment`, as ISO 4217 abbreviates it.
    pub currency: String,
    /// By the name of the channel.
    pub cost_per_segment: BTreeMap<String, Price>,
}

impl Default for SmsConfig {
    fn default() -> Self {
        Self { thrift: true, segment_budget: 2, currency: "EUR".into(), cost_per_segment: BTreeMap::new() }
    }
}

impl SmsConfig {
    /// `is_channel`: whether a channel of that name is configured.
    pub(super) fn problems(&self, is_channel: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.segment_budget == 0 {
            found.push(("sms.segment_budget", "must be at least 1".to_owned()));
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            found.push(("sms.currency", "must be three capitals, such as EUR".to_owned()));
        }
        for name in self.cost_per_segment.keys().filter(|name| !is_channel(name)) {
            let what = format!("names the channel '{name}', which is not configured; write the name of one");
            found.push(("sms.cost_per_segment", what));
        }
        found
    }
}

/// An amount of money in millionths of the operator's currency; written as `0.045`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(pub i64);

/// More than that is a slip of the hand, in currencies of any size.
const DEAREST: f64 = 100_000.0;

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Amount)
    }
}

/// A number, or its text: the environment cannot always tell.
struct Amount;

impl Visitor<'_> for Amount {
    type Value = Price;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an amount such as 0.045")
    }

    fn visit_f64<E: Error>(self, amount: f64) -> Result<Price, E> {
        if !(0.0..=DEAREST).contains(&amount) {
            return Err(E::custom(format!(
                "{amount} is no price of a segment: write an amount such as 0.045"
            )));
        }
        Ok(Price((amount * 1e6).round() as i64))
    }

    fn visit_i64<E: Error>(self, amount: i64) -> Result<Price, E> {
        self.visit_f64(amount as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Price, E> {
        let amount =
            text.trim().parse().map_err(|_| E::custom(format!("'{text}' is no amount: write 0.045")))?;
        self.visit_f64(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sms(toml: &str) -> Result<SmsConfig, String> {
        toml::from_str(toml).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn prices_are_read_as_people_write_them() {
        for (written, micros) in
            [("0.045", 45_000), ("\"0.0725\"", 72_500), ("1", 1_000_000), ("0.000001", 1), ("0", 0)]
        {
            let config = sms(&format!("cost_per_segment = {{ twilio = {written} }}")).unwrap();
            assert_eq!(config.cost_per_segment["twilio"], Price(micros), "{written}");
        }
        for wrong in ["-0.1", "nan", "1e9", "\"4 cents\"", "true"] {
            assert!(sms(&format!("cost_per_segment = {{ twilio = {wrong} }}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let config =
            sms("segment_budget = 0\ncurrency = \"euros\"\ncost_per_segment = { twlio = 0.1 }").unwrap();
        let keys: Vec<&str> =
            config.problems(|name| name == "twilio").into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["sms.segment_budget", "sms.currency", "sms.cost_per_segment"]);
        assert!(SmsConfig::default().problems(|_| false).is_empty());
    }
}
